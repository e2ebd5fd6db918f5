//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// completions writes the script for a shell and puts a program roomkit in the way that the
// shell looks for programs.
func completions(t *testing.T, shell string) (script string, environment []string) {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("no %s", shell)
	}
	dir := t.TempDir()
	program := "#!/bin/sh\nROOMKIT_TEST_AS_PROGRAM=1 exec '" + os.Args[0] + "' \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "roomkit"), []byte(program), 0o700)) //nolint:gosec // a program
	code, out, errs := (&world{where: "sqlite:none"}).call(t, "completion", shell)
	require.Equal(t, exitOK, code, errs)
	script = filepath.Join(dir, "script")
	require.NoError(t, os.WriteFile(script, []byte(out), 0o600))
	said, err := exec.CommandContext(t.Context(), path, "-n", script).CombinedOutput()
	require.NoError(t, err, "%s -n: %s", shell, said)
	require.Empty(t, string(said))
	return script, append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
}

// offered gives what a shell says to a script of the test.
func offered(t *testing.T, environment []string, shell string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, args...)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.Fields(string(out))
}

// TestBashCompletes: commands, flags and actions.
func TestBashCompletes(t *testing.T) {
	script, environment := completions(t, "bash")
	// The function that finds the words is that of the package bash-completion.
	ask := `_get_comp_words_by_ref() { :; }
. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); __roomkit_bash_autocomplete; printf '%s\n' "${COMPREPLY[@]}"`
	complete := func(words ...string) []string {
		return offered(t, environment, "bash", append([]string{"--norc", "-c", ask, "bash", script, "roomkit"}, words...)...)
	}
	require.Equal(t, []string{"why"}, complete("wh"))
	require.Subset(t, complete(""), []string{"why", "verify", "feed", "prune", "erase", "import"})
	require.Equal(t, []string{"skip"}, complete("followers", "sk"))
	require.Equal(t, []string{"--follow"}, complete("feed", "--fo"))
	require.Equal(t, []string{"appoint_master"}, complete("why", "ann", "app"))
}

// TestFishCompletes does the same.
func TestFishCompletes(t *testing.T) {
	script, environment := completions(t, "fish")
	complete := func(line string) []string {
		return offered(t, environment, "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line)
	}
	require.Contains(t, complete("roomkit wh"), "why")
	require.Contains(t, complete("roomkit followers sk"), "skip")
	require.Contains(t, complete("roomkit why ann app"), "appoint_master")
}

// TestZshCompletes asks the function itself, because the shell completes on a terminal only.
func TestZshCompletes(t *testing.T) {
	script, environment := completions(t, "zsh")
	ask := `autoload -U compinit; compinit -u -D; source "$1"; [ "$_comps[roomkit]" = _roomkit ] || exit 1
_describe() { print -l -- "${(@P)2}" }; words=("${@:2}"); _roomkit`
	complete := func(words ...string) []string {
		return offered(t, environment, "zsh", append([]string{"-f", "-c", ask, "zsh", script, "roomkit"}, words...)...)
	}
	require.Equal(t, "why:may", complete("wh")[0])
	require.Equal(t, "skip:move", complete("followers", "sk")[0])
	require.Contains(t, complete("why", "ann", "app"), "appoint_master")
}
