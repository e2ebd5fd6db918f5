// Command roomkit looks into the rooms of a service that embeds roomkit, and keeps their
// store: see README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
)

// The exit codes. README.md has them, too.
const (
	exitOK          = 0
	exitRefused     = 1   // a rule refuses, or there are findings
	exitUsage       = 2   // the command line is malformed
	exitUnreachable = 3   // the store cannot be reached, or its tables are missing or of another version
	exitFailed      = 4   // anything else
	exitStopped     = 130 // interrupted
)

// errFindings ends a command that has told what it found.
var errFindings = errors.New("findings")

// usageError is a malformed command line.
type usageError struct{ reason string }

func (u *usageError) Error() string { return u.reason }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// unreachable is a store that cannot be opened.
type unreachable struct{ cause error }

func (u *unreachable) Error() string { return "store: " + u.cause.Error() }
func (u *unreachable) Unwrap() error { return u.cause }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)                                                                                                    // a second signal ends the program at once
	code := run(ctx, os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, width: widthOf(os.Stderr)}) //nolint:forbidigo // here it is injected
	stop()
	os.Exit(code)
}

// widthOf gives the width of a terminal that can be written over, and 0 for everything else.
func widthOf(f *os.File) func() int {
	return func() int {
		if os.Getenv("TERM") == "dumb" {
			return 0
		}
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	}
}

// streams are what a run reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	width    func() int // of the terminal behind err; nil or 0: it is none
}

// run is the whole program. It gives the exit code.
func run(ctx context.Context, args []string, s *streams) int {
	a := &app{streams: s, out: shown{s.out}, err: shown{s.err}}
	root := a.commands()
	err := root.Run(ctx, append([]string{"roomkit"}, args...))
	if err == nil {
		return exitOK
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(a.err, "roomkit: interrupted")
	case !errors.Is(err, errFindings):
		fmt.Fprintln(a.err, "roomkit: "+oneLine(err))
	}
	return exitCode(ctx, err)
}

func exitCode(ctx context.Context, err error) int {
	var malformed *usageError
	var away *unreachable
	switch {
	case ctx.Err() != nil:
		return exitStopped
	case errors.As(err, &malformed):
		return exitUsage
	case errors.As(err, &away), errors.Is(err, roomkit.ErrUnavailable):
		return exitUnreachable
	case errors.Is(err, errFindings):
		return exitRefused
	}
	switch service.CategoryOf(err) {
	case service.CategoryDenied, service.CategoryOffered, service.CategoryInvalid, service.CategoryNotFound,
		service.CategoryConflict, service.CategoryUnknownActor, service.CategoryReused, service.CategoryPruned:
		return exitRefused
	}
	return exitFailed
}

// oneLine gives an error with the rule where one applies.
func oneLine(err error) string {
	text := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "roomkit: ")
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		if r, ok := why.Find(denied.Rule); ok {
			text += " | " + string(denied.Rule) + ": " + r.Text
		}
	}
	return text
}

// version is that of the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// app is one run.
type app struct {
	*streams
	out, err io.Writer // those of the streams, for people
	output   string
}

func (a *app) commands() *cli.Command {
	root := &cli.Command{
		Name: "roomkit", Usage: "look into rooms and keep their store", Version: version(),
		EnableShellCompletion: true, Suggest: true, Writer: a.out, ErrWriter: a.err, Reader: a.in,
		ConfigureShellCompletionCommand: func(c *cli.Command) { c.Hidden = false },
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "store", Aliases: []string{"s"}, Sources: cli.EnvVars("ROOMKIT_STORE"), Usage: "where the rooms are: sqlite:PATH or postgres:URL"},
			&cli.StringFlag{Name: "prefix", Usage: "begins the name of every table (default: roomkit_)"},
			&cli.StringFlag{Name: "schema", Usage: "PostgreSQL: where the tables are (default: by the search_path)"},
			&cli.StringFlag{Name: "policy", Usage: "`FILE` with the service's Policy as JSON (default: the recommended one)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "table or json"},
		},
		Before: func(ctx context.Context, c *cli.Command) (context.Context, error) {
			a.output = c.String("output")
			if a.output != "table" && a.output != "json" {
				return ctx, usage("--output is table or json, not %q", a.output)
			}
			return ctx, nil
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("%q is no command; see roomkit --help", c.Args().First())
			}
			return cli.ShowRootCommandHelp(c)
		},
		Commands: slices.Concat(a.questions(), a.keeping(), a.removing()),
		// The codes are those of run.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	malformed := func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usage("%v", err) }
	root.OnUsageError = malformed
	for _, c := range root.Commands {
		c.OnUsageError = malformed
		for _, sub := range c.Commands {
			sub.OnUsageError = malformed
		}
	}
	return root
}

// args demands the arguments of a command.
func args(c *cli.Command, names ...string) ([]string, error) {
	switch {
	case c.Args().Len() == len(names):
		return c.Args().Slice(), nil
	case len(names) == 0:
		return nil, usage("%s takes no arguments, and %q is one; see %s --help", c.Name, c.Args().First(), c.FullName())
	default:
		return nil, usage("%s: give %s; see %s --help", c.Name, strings.Join(names, " "), c.FullName())
	}
}

func roomArg(text string) (roomkit.RoomID, error) {
	id, err := roomkit.ParseRoomID(text)
	if err != nil {
		return id, usage("%q is no id of a room: give a UUID", text)
	}
	return id, nil
}
