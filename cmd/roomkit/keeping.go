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
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

// keeping are the commands about the store as a whole.
func (a *app) keeping() []*cli.Command {
	return []*cli.Command{
		{Name: "migrate", Usage: "make the tables, or bring them up to date", Action: a.migrate,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "print", Usage: "print the SQL instead, in the `FORM` of goose, tern, atlas or plain"},
				&cli.StringFlag{Name: "dir", Usage: "with --print: write a file for each migration into this `DIRECTORY`"},
			}},
		{Name: "verify", Usage: "compare what the store holds with the fold of its events", Action: a.verify},
		{Name: "followers", Usage: "followers, how far they are behind", Action: a.followers, Commands: []*cli.Command{
			{Name: "skip", Usage: "move a stopped follower past its next event", ArgsUsage: "NAME", Action: a.skip,
				Flags: []cli.Flag{&cli.StringFlag{Name: "cursor", Usage: "of the event, as the feed tells it; required"}}},
			{Name: "restart", Usage: "put a follower at a place of the feed, when what it has made of earlier events was made anew", ArgsUsage: "NAME", Action: a.restart,
				Flags: []cli.Flag{&cli.StringFlag{Name: "at", Usage: "the `CURSOR` of the place; required"}}},
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

func (a *app) verify(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	p := a.progress()
	var last verify.Progress
	err = verify.Run(ctx, o.store, func(is verify.Progress) {
		last = is
		p.tell(0, 0, "%d events, %d rooms, %d people, %d inconsistencies", is.Records, is.Rooms, is.People, is.Inconsistencies)
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
		fmt.Fprintln(a.err, "roomkit: "+strings.TrimRight(line, "\n"))
	}
	return errFindings
}

func (a *app) followers(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
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

// restart demands the place, because what comes before it is passed over.
func (a *app) restart(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "NAME")
	if err != nil {
		return err
	}
	at := roomkit.Cursor(c.String("at"))
	if at == "" {
		return usage("followers restart: give --at, the place that the error of the follower has told")
	}
	o, err := a.open(ctx, c, writes)
	if err != nil {
		return err
	}
	defer o.close()
	return o.svc.RestartFollower(ctx, given[0], at)
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
	out := a.streams.out // as it is
	if name := c.Args().First(); name != "" {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return usage("export: %v", err)
		}
		defer func() {
			if err = errors.Join(err, file.Close()); err != nil {
				_ = os.Remove(name) // half of a file is none
			}
		}()
		out = file
	}
	p := a.progress()
	report, err := transfer.Export(ctx, o.store, out, &transfer.ExportOptions{Clock: a.now, Progress: func(is transfer.Progress) {
		p.tell(0, 0, "%d lines, %d bytes", is.Lines, is.Bytes)
	}})
	p.end()
	if err == nil && out != a.streams.out {
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
	var in io.Reader
	if given[0] == "-" {
		in = newInput(ctx, a.in)
	} else {
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
	p, found, size := a.progress(), 0, sizeOf(in)
	options.Progress = func(is transfer.Progress) {
		p.tell(is.Bytes, size, "%d lines, %d rooms, %d members, %d findings", is.Lines, is.Stored.Rooms, is.Stored.Members, is.Findings)
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

// sizeOf gives the bytes of a file, and 0 of what has no known end.
func sizeOf(in io.Reader) int64 {
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
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
