package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

func (a *app) migrate(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
	form, dir := c.String("print"), c.String("dir")
	switch {
	case form != "":
		return a.printMigrations(c, form, dir)
	case dir != "":
		return usage("migrate: --dir is for --print")
	}
	o, err := a.open(ctx, c, migrates)
	if err != nil {
		return err
	}
	o.close()
	_, err = fmt.Fprintln(a.out, "the tables are up to date")
	return err
}

// migrationForm is how a tool wants a migration.
type migrationForm struct {
	name           string // of the file, with a place for the number
	before, behind string
}

var migrationForms = map[string]migrationForm{
	"plain": {"%04d_roomkit.sql", "BEGIN;\n", "COMMIT;\n"},
	"goose": {"%05d_roomkit.sql", "-- +goose Up\n-- +goose StatementBegin\n", "-- +goose StatementEnd\n"},
	"tern":  {"%03d_roomkit.sql", "", ""},
	"atlas": {"%014d_roomkit.sql", "", ""},
}

// printMigrations needs no database: of --store only the scheme counts.
func (a *app) printMigrations(c *cli.Command, form, dir string) error {
	as, ok := migrationForms[form]
	if !ok {
		return usage("migrate --print: goose, tern, atlas or plain, not %q", form)
	}
	var texts []string
	var err error
	switch scheme, _, _ := strings.Cut(c.String("store"), ":"); scheme {
	case "sqlite":
		if form == "tern" {
			return usage("migrate --print: tern is for PostgreSQL only")
		}
		texts, err = sqlitestore.Migrations(&sqlitestore.Options{Prefix: c.String("prefix")})
	case "postgres", "postgresql":
		texts, err = pgstore.Migrations(&pgstore.Options{Prefix: c.String("prefix"), Schema: c.String("schema")})
	default:
		return usage("migrate --print: say for which database by --store sqlite: or postgres:")
	}
	if err != nil {
		return usage("%v", err)
	}
	for i, text := range texts {
		name, text := fmt.Sprintf(as.name, i+1), as.before+text+as.behind
		if dir == "" {
			_, err = io.WriteString(a.out, "-- "+name+"\n"+text)
		} else {
			err = a.writeMigration(filepath.Join(dir, name), text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeMigration leaves a file that has this text already, and overwrites none that has another.
func (a *app) writeMigration(path, text string) error {
	if is, err := os.ReadFile(path); err == nil {
		if !bytes.Equal(is, []byte(text)) {
			return usage("migrate --dir: %s has another text", path)
		}
		return nil
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // SQL that is checked in
		return usage("migrate --dir: %v", err)
	}
	_, err := fmt.Fprintln(a.out, path)
	return err
}
