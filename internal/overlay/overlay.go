// Package overlay compiles the project's tests from sources that are not as they
// stand in the files, which stay untouched.
package overlay

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Write puts texts by the names of the files that they take the place of, and gives
// what go test -overlay wants to be told. dir is where the texts are kept.
func Write(dir string, texts map[string]string) (string, error) {
	replace := map[string]string{}
	for name, text := range texts {
		target, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		replace[target] = filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(replace[target], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}

// Build compiles the tests of a folder with an overlay.
func Build(overlay, folder, binary string) error {
	cmd := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// LastLines are those of an output that say what went wrong.
func LastLines(out []byte) string {
	lines := strings.Split(string(out), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}
