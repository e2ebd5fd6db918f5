package proof_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
)

// TestFloors: a package imports of the library what lies below it, the words and
// the core do no I/O, and only hosts and kits of tests import the service.
func TestFloors(t *testing.T) {
	const module = "github.com/go-roomkit/roomkit"
	below := map[string]string{
		"internal/enum": "", "internal/hostid": "", "internal/names": "", "roomkit": "", "internal/oracle": "",
		"store": "roomkit", "codec": "roomkit store", "internal/decide": "roomkit store internal/names",
		"service": "roomkit store codec internal/decide internal/backoff internal/names", "store/verify": "roomkit store codec internal/decide",
		"internal/why":  "roomkit store internal/decide",
		"internal/fold": "roomkit", "retention": "roomkit store codec internal/fold",
		"transfer": "roomkit store codec internal/decide internal/backoff internal/names internal/fold",
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	require.NoError(t, err)
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(string(out), module+"/", "./"), module, "./roomkit")) {
		imports := strings.Fields(line)
		name := strings.TrimPrefix(imports[0], "./")
		allowed, limited := below[name]
		host := slices.Contains(imports, "testing") || slices.Contains(strings.Fields("examples bench otelroomkit console cmd roomtest"), strings.Split(name, "/")[0])
		for _, imported := range imports[1:] {
			own, ours := strings.CutPrefix(imported, "./")
			if limited && ours {
				assert.Contains(t, strings.Fields(allowed+" internal/enum internal/hostid"), own, "%s must not import %s", name, own)
			}
			if name == "roomkit" || name == "internal/decide" {
				assert.NotContains(t, strings.Fields("context io io/fs os net net/http database/sql"), imported, "%s does I/O", name)
				// The words have slog.Values, which write nothing. RoomID.Value needs a type of
				// database/sql/driver, which uuid imports anyway.
				assert.False(t, name != "roomkit" && imported == "log/slog", "%s does not log", name)
			}
			assert.False(t, own == "service" && !host, "%s is no host and must not import the service", name)
		}
	}
}

// TestCommandsAreComplete: the kit has every type of the root that is a command.
func TestCommandsAreComplete(t *testing.T) {
	var have, want []string
	for _, cmd := range proof.Commands() {
		have = append(have, roomkit.CommandName(cmd))
	}
	files, err := filepath.Glob("../../*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "name" {
				want = append(want, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("command.go: add %s to allCommands", name)
		}
	}
	require.Equal(t, len(want) < len(have), t.Failed(), "command.go: allCommands has what is no command")
}

// TestRootFilesHaveNoCircle: what a file of the root uses stands in itself or in files
// that do not lead back to it.
func TestRootFilesHaveNoCircle(t *testing.T) {
	files, err := filepath.Glob("../../*.go")
	require.NoError(t, err)
	home, parsed := map[string]string{}, map[string]*ast.File{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		parsed[filepath.Base(name)] = file
		for declared := range file.Scope.Objects {
			home[declared] = filepath.Base(name)
		}
	}
	uses := map[string]map[string]string{} // file, file, the name for which
	for name, file := range parsed {
		uses[name] = map[string]string{}
		for _, id := range file.Unresolved { // neither local nor of this file
			if to := home[id.Name]; to != "" && to != name {
				uses[name][to] = id.Name
			}
		}
	}
	for from := range uses {
		for to, because := range uses[from] {
			require.False(t, leads(uses, to, from, map[string]bool{}), "%s uses %s of %s, which leads back to it: move one of them", from, because, to)
		}
	}
}

func leads(uses map[string]map[string]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	for next := range uses[from] {
		if !seen[next] && leads(uses, next, to, seen) {
			return true
		}
	}
	return false
}
