package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/retention"
)

// removing are the commands that take away what cannot be brought back: without --yes they
// only tell what they would do, on a connection that cannot write.
func (a *app) removing() []*cli.Command {
	yes := &cli.BoolFlag{Name: "yes", Usage: "do it; without, nothing is changed"}
	return []*cli.Command{
		{Name: "prune", Usage: "forget commands and events that are older than a limit", Action: a.prune,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "before", Usage: "forget commands without events that are older than this `TIME`, as 2026-01-31 or 2026-01-31T09:00:00Z, or an age as 30d or 48h; at least an hour ago"},
				&cli.StringFlag{Name: "events-before", Usage: "forget events older than this `TIME` that all followers have handled, and their commands"},
				&cli.StringSliceFlag{Name: "ignore", Usage: "`NAME` of a follower that is not run any more; may be repeated"},
				yes,
			}},
		{Name: "erase", Usage: "replace the id of a deleted person by a pseudonym everywhere", ArgsUsage: "USER", Action: a.erase,
			Flags: []cli.Flag{yes, &cli.StringFlag{Name: "pseudonym", Usage: "the `ID` from now on (default of a dry run: one is drawn); keep it until the command has come to its end"}}},
	}
}

func removes(c *cli.Command) mode {
	if c.Bool("yes") {
		return writes
	}
	return reads
}

// leastAge is how old has to be what is pruned: services may still repeat younger commands.
const leastAge = time.Hour

func (a *app) prune(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
	options := retention.PruneOptions{DryRun: !c.Bool("yes"), Ignore: c.StringSlice("ignore")}
	var err error
	if options.Before, err = a.limit(c, "before"); err != nil {
		return err
	}
	if options.EventsBefore, err = a.limit(c, "events-before"); err != nil {
		return err
	}
	if options.Before.IsZero() && options.EventsBefore.IsZero() {
		return usage("prune: give --before or --events-before, or both")
	}
	o, err := a.open(ctx, c, removes(c))
	if err != nil {
		return err
	}
	defer o.close()
	p := a.progress()
	options.Progress = func(is retention.PruneReport) { p.tell(0, 0, "%d commands, %d events", is.Commands, is.Events) }
	report, err := retention.Prune(ctx, o.store, options)
	p.end()
	t := a.table("COMMANDS", "EVENTS", "FEED BEGINS", "HELD BACK BY", "DRY RUN", "DONE")
	told := errors.Join(t.row(report, report.Commands, report.Events, report.Begin, report.HeldBy, report.DryRun, report.Done), t.flush())
	if err == nil && told == nil && report.DryRun {
		a.note("nothing was changed: with --yes it is")
	}
	return errors.Join(err, told)
}

// limit reads a time, or an age before now; without the flag it is zero.
func (a *app) limit(c *cli.Command, flag string) (time.Time, error) {
	text, now := c.String(flag), a.now()
	if text == "" {
		return time.Time{}, nil
	}
	at, ok := parseLimit(text, now)
	switch {
	case !ok:
		return at, usage("prune: --%s is a time as 2026-01-31 or 2026-01-31T09:00:00Z, or an age as 30d or 48h, not %q", flag, text)
	case now.Sub(at) < leastAge:
		return at, usage("prune: --%s has to be at least an hour ago, because services may repeat what is younger", flag)
	}
	return at, nil
}

func parseLimit(text string, now time.Time) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), true
		}
	}
	age, err := time.ParseDuration(text)
	return now.Add(-age), err == nil
}

func (a *app) erase(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "USER")
	if err != nil {
		return err
	}
	user, pseudonym, dry := roomkit.UserID(given[0]), roomkit.UserID(c.String("pseudonym")), !c.Bool("yes")
	switch {
	case !user.Valid():
		return usage("%q is no id of a user", user)
	case pseudonym == "" && !dry:
		return usage("erase --yes: give --pseudonym, the one that the dry run has told, and keep it: who goes on after an interruption needs the same")
	case pseudonym == "":
		pseudonym = retention.NewPseudonym()
	}
	o, err := a.open(ctx, c, removes(c))
	if err != nil {
		return err
	}
	defer o.close()
	p := a.progress()
	report, err := retention.Erase(ctx, o.store, user, retention.EraseOptions{Pseudonym: pseudonym, DryRun: dry, Clock: a.now, Progress: func(is retention.EraseReport) {
		p.tell(0, 0, "%d events read, %d subjects, %d events written anew", is.Read, is.Subjects, is.Events)
	}})
	p.end()
	if errors.Is(err, roomkit.ErrInvalid) {
		return usage("erase: %v", err)
	}
	if err != nil && report.Read == 0 {
		return err
	}
	line := struct {
		User      roomkit.UserID `json:"user"`
		Pseudonym roomkit.UserID `json:"pseudonym"`
		retention.EraseReport
	}{user, pseudonym, report}
	t := a.table("USER", "PSEUDONYM", "READ", "SUBJECTS", "EVENTS", "DRY RUN", "DONE")
	told := errors.Join(t.row(line, user, pseudonym, report.Read, report.Subjects, report.Events, report.DryRun, report.Done), t.flush())
	if err == nil && told == nil && dry {
		a.note("nothing was changed: with --pseudonym " + string(pseudonym) + " --yes it is")
	}
	return errors.Join(err, told)
}

// note is for the person in front of it, apart from the output.
func (a *app) note(text string) { fmt.Fprintln(a.err, "roomkit: "+text) }
