package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

// keeping are the commands about the store as a whole.
func (a *app) keeping() []*cli.Command {
	return []*cli.Command{
		{Name: "migrate", Usage: "make the tables, or bring them up to date", Action: a.migrate,
			Flags: []cli.Flag{&cli.StringFlag{Name: "print", Usage: "print the SQL instead, in the `FORM` of goose, tern, atlas or plain"}}},
		{Name: "verify", Usage: "compare what the store holds with the fold of its events", Action: a.verify},
		{Name: "followers", Usage: "followers, how far they are behind", Action: a.followers, Commands: []*cli.Command{
			{Name: "skip", Usage: "move a stopped follower past its next event", ArgsUsage: "NAME", Action: a.skip,
				Flags: []cli.Flag{&cli.StringFlag{Name: "cursor", Usage: "of the event, as the feed tells it; required"}}},
		}},
		{Name: "export", Usage: "write all rooms, people and the directory as JSON Lines, to FILE or the standard output", ArgsUsage: "[FILE]", Action: a.export},
		{Name: "import", Usage: "read what export writes; - reads the standard input", ArgsUsage: "FILE", Action: a.importFile,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "id", Usage: "names the import: with the same one it goes on where it stopped"},
				&cli.BoolFlag{Name: "dry-run", Usage: "store nothing, tell every finding"},
				&cli.BoolFlag{Name: "stop", Usage: "end at the first finding"},
			}},
	}
}

func (a *app) migrate(ctx context.Context, c *cli.Command) error {
	if form := c.String("print"); form != "" {
		return a.printMigrations(c, form)
	}
	o, err := a.open(ctx, c, migrates)
	if err != nil {
		return err
	}
	o.close()
	_, err = fmt.Fprintln(a.out, "the tables are up to date")
	return err
}

// printMigrations needs no database: of --store only the scheme counts.
func (a *app) printMigrations(c *cli.Command, form string) error {
	var texts []string
	var err error
	switch scheme, _, _ := strings.Cut(c.String("store"), ":"); scheme {
	case "sqlite":
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
		name := fmt.Sprintf("%05d_roomkit.sql", i+1)
		switch form {
		case "plain":
			name, text = "", "BEGIN;\n"+text+"COMMIT;\n"
		case "goose":
			text = "-- +goose Up\n-- +goose StatementBegin\n" + text + "-- +goose StatementEnd\n"
		case "tern":
			name = fmt.Sprintf("%03d_roomkit.sql", i+1)
		case "atlas":
			name = fmt.Sprintf("%014d_roomkit.sql", i+1)
		default:
			return usage("migrate --print: goose, tern, atlas or plain, not %q", form)
		}
		if name != "" {
			text = "-- " + name + "\n" + text
		}
		if _, err := io.WriteString(a.out, text); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) verify(ctx context.Context, c *cli.Command) error {
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	p := a.progress()
	var last verify.Progress
	err = verify.Run(ctx, o.store, func(is verify.Progress) {
		last = is
		p.tell("%d events, %d rooms, %d people, %d inconsistencies", is.Records, is.Rooms, is.People, is.Inconsistencies)
	})
	p.end()
	if err != nil && !errors.Is(err, roomkit.ErrInconsistent) {
		return err
	}
	t := a.table("EVENTS", "ROOMS", "PEOPLE", "INCONSISTENCIES")
	told := errors.Join(t.row(last, last.Records, last.Rooms, last.People, last.Inconsistencies), t.flush())
	if err == nil || told != nil {
		return told
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(a.err, "roomkit: "+printable(strings.TrimRight(line, "\n")))
	}
	return errFindings
}

func (a *app) followers(ctx context.Context, c *cli.Command) error {
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	list, err := o.svc.Followers(ctx)
	if err != nil {
		return err
	}
	t := a.table("NAME", "BEHIND", "SINCE", "WORKED", "CURSOR")
	for _, f := range list {
		if err := t.row(f, f.Name, f.Behind, at(f.Since), f.Worked, f.Cursor); err != nil {
			return err
		}
	}
	return t.flush()
}

// skip demands the cursor of the event, so that nobody skips one that was not looked at.
func (a *app) skip(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "NAME")
	if err != nil {
		return err
	}
	cursor := roomkit.Cursor(c.String("cursor"))
	if cursor == "" {
		return usage("followers skip: give --cursor, that of the event in roomkit feed")
	}
	o, err := a.open(ctx, c, writes)
	if err != nil {
		return err
	}
	defer o.close()
	list, err := o.svc.Followers(ctx)
	if err != nil {
		return err
	}
	for _, f := range list {
		if f.Name != given[0] {
			continue
		}
		next, err := o.store.Feed(ctx, f.Cursor, 1)
		if err != nil {
			return err
		}
		if len(next) == 0 || next[0].Cursor != cursor {
			return fmt.Errorf("%w: the next event of %s is another one", roomkit.ErrConflict, f.Name)
		}
		return o.svc.SkipEvent(ctx, f.Name, next[0])
	}
	return fmt.Errorf("%w: there is no follower %s", roomkit.ErrNotFound, given[0])
}

func (a *app) export(ctx context.Context, c *cli.Command) (err error) {
	if c.Args().Len() > 1 {
		return usage("export: give one FILE, or none")
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	out := a.out
	if name := c.Args().First(); name != "" {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return usage("export: %v", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	p := a.progress()
	report, err := transfer.Export(ctx, o.store, out, &transfer.ExportOptions{Clock: a.now, Progress: func(is transfer.Progress) {
		p.tell("%d lines, %d bytes", is.Lines, is.Bytes)
	}})
	p.end()
	if err == nil && out != a.out {
		err = a.tellTransfer(report)
	}
	return err
}

func (a *app) importFile(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "FILE")
	if err != nil {
		return err
	}
	dry := c.Bool("dry-run")
	if c.String("id") == "" && !dry {
		return usage("import: give --id, the name under which it goes on when it was broken off, or --dry-run")
	}
	policy, err := readPolicy(c.String("policy"))
	if err != nil {
		return err
	}
	in := a.in
	if given[0] != "-" {
		file, err := os.Open(given[0])
		if err != nil {
			return usage("import: %v", err)
		}
		defer file.Close()
		in = file
	}
	m := writes
	if dry {
		m = reads
	}
	o, err := a.open(ctx, c, m)
	if err != nil {
		return err
	}
	defer o.close()
	return a.runImport(ctx, o, in, &transfer.ImportOptions{ID: c.String("id"), DryRun: dry, StopAtFirst: c.Bool("stop"), Policy: policy, Clock: a.now})
}

func (a *app) runImport(ctx context.Context, o *opened, in io.Reader, options *transfer.ImportOptions) error {
	p, found := a.progress(), 0
	options.Progress = func(is transfer.Progress) {
		p.tell("%d lines, %d rooms, %d members, %d findings", is.Lines, is.Stored.Rooms, is.Stored.Members, is.Findings)
	}
	options.Found = func(f *transfer.Finding) {
		p.end()
		found++
		fmt.Fprintln(a.err, "roomkit: "+oneLine(f))
	}
	report, err := transfer.Import(ctx, o.store, in, options)
	p.end()
	if told := a.tellTransfer(report); told != nil {
		return told
	}
	if err != nil && found > 0 && service.CategoryOf(err) != service.CategoryNone {
		return errFindings
	}
	return err
}

func (a *app) tellTransfer(r transfer.Report) error {
	t := a.table("WHAT", "READ", "STORED", "ALREADY", "LEFT OUT")
	if a.output == "json" {
		return t.row(r)
	}
	for _, line := range []struct {
		what string
		of   func(n transfer.Numbers) int64
	}{
		{"companies", func(n transfer.Numbers) int64 { return n.Companies }},
		{"users", func(n transfer.Numbers) int64 { return n.Users }},
		{"teams", func(n transfer.Numbers) int64 { return n.Teams }},
		{"rooms", func(n transfer.Numbers) int64 { return n.Rooms }},
		{"members", func(n transfer.Numbers) int64 { return n.Members }},
	} {
		if err := t.row(nil, line.what, line.of(r.Read), line.of(r.Stored), line.of(r.Already), line.of(r.LeftOut)); err != nil {
			return err
		}
	}
	return t.flush()
}
