// Command gendocs writes the generated documents under docs. Run it from the
// repository root: go run ./internal/gendocs
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/go-roomkit/roomkit/internal/gendocs/pages"
)

func main() {
	for _, page := range pages.All() {
		var b bytes.Buffer
		if err := page.Write(&b, "."); err != nil {
			fmt.Fprintln(os.Stderr, "gendocs:", err)
			os.Exit(1)
		}
		if err := os.WriteFile(page.Path, b.Bytes(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "gendocs:", err)
			os.Exit(1)
		}
	}
}
