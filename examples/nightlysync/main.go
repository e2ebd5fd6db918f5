// Nightlysync brings the directory in line with a list of companies, people and teams, as
// a host does every night: it sends the whole list, and what is so already changes
// nothing. What an administrator has decided in between stays.
//
//	go run . testdata/monday.jsonl   # a night with this file; without one, a story of some nights
//	go run . -people 10000           # two nights with a list that is made up
package main

import (
	"cmp"
	"context"
	"embed"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/office"
	"github.com/go-roomkit/roomkit/examples/internal/roster"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

//go:embed testdata/*.jsonl
var lists embed.FS

func main() {
	people := flag.Int("people", 0, "make up a list of so many `people`")
	s := sync{out: os.Stdout, progress: os.Stderr, clock: time.Now}
	flag.IntVar(&s.mostGone, "most-gone", 100, "delete nobody in a night in which more `people` are gone")
	store := storeflag.Begin("nightlysync", "brings the directory in line with a list, and shows what that changes")
	if err := s.run(context.Background(), store, *people, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// sync is a service whose directory is brought in line with lists.
type sync struct {
	*service.Service
	out, progress io.Writer
	clock         func() time.Time
	mostGone      int

	commands, changed, refused int // in this night
}

func (s *sync) run(ctx context.Context, name string, people int, files []string) error {
	store, closeStore, err := storeflag.Open(ctx, name, "nightlysync")
	if err != nil {
		return err
	}
	defer closeStore()
	if s.Service, err = service.New(store, nil); err != nil {
		return err
	}
	if people == 0 && len(files) == 0 {
		return s.story(ctx)
	}
	for n := 1; people > 0 && n <= 2; n++ {
		if err := s.night(ctx, fmt.Sprintf("Night %d, %d people", n, people), roster.MadeUp(people)); err != nil {
			return err
		}
	}
	for _, path := range files {
		if err := s.read(ctx, path, os.DirFS(filepath.Dir(path)), filepath.Base(path)); err != nil {
			return err
		}
	}
	return nil
}

func (s *sync) read(ctx context.Context, title string, from fs.FS, path string) error {
	list, err := roster.Read(from, path)
	if err != nil {
		return err
	}
	return s.night(ctx, title, list)
}

func (s *sync) story(ctx context.Context) error {
	for _, part := range office.Week() {
		step := func() error { return office.Day(ctx, s.Service, part.Title, s.out) }
		if part.List != "" {
			step = func() error { return s.read(ctx, part.Title, lists, part.List) }
		}
		if err := step(); err != nil {
			return err
		}
	}
	return office.Decided(ctx, s.Service, s.out)
}

// night makes the directory follow a list: companies and people before the teams that
// they are in, because the commands of a batch come in any order.
func (s *sync) night(ctx context.Context, title string, list *roster.List) error {
	fmt.Fprintf(s.out, "# %s\n", title)
	start := s.clock()
	s.commands, s.changed, s.refused = 0, 0, len(list.Bad)
	for _, err := range list.Bad {
		fmt.Fprintln(s.out, "  cannot be read:", err)
	}
	gone, err := s.compare(ctx, list)
	if err != nil {
		return err
	}
	var companies, people, teams []roomkit.Command
	for _, company := range list.Companies {
		companies = append(companies, roomkit.AddCompany{Company: company})
	}
	for _, user := range list.Users {
		people = append(people, roomkit.AddUser{User: user})
	}
	for _, t := range list.Teams {
		teams = append(teams, roomkit.SyncTeam{Team: t.ID, Company: t.Company, Name: t.Name, Leader: t.Leader, Members: t.Members})
	}
	for _, cmds := range [][]roomkit.Command{companies, people, teams, gone} {
		if err := s.carryOut(ctx, cmds); err != nil {
			return err
		}
	}
	changed := cmp.Or(map[int]string{0: "nothing"}[s.changed], fmt.Sprint(s.changed))
	_, err = fmt.Fprintf(s.out, "=> %d commands, %s changed, %d rows refused, in %v\n", s.commands, changed, s.refused, s.clock().Sub(start))
	return err
}

// compare looks at everybody whom the directory has of the companies of the list: who is
// gone, and who is listed although the account has ended.
func (s *sync) compare(ctx context.Context, list *roster.List) (gone []roomkit.Command, err error) {
	listed := map[roomkit.UserID]roomkit.CompanyID{}
	for _, u := range list.Users {
		listed[u.ID] = u.Company
	}
	for _, company := range list.Companies {
		for u, err := range s.Users(ctx, service.UserList{Company: company.ID}) { // by pages
			if err != nil {
				return nil, err
			}
			where, is := listed[u.ID]
			switch {
			case u.Status == roomkit.StatusDeleted && is:
				fmt.Fprintf(s.out, "  left alone: the account of %s has been deleted; RestoreUser, if that was wrong\n", u.ID)
			case is && where != u.Company:
				fmt.Fprintf(s.out, "  left alone: %s is of %s, and stays there\n", u.ID, u.Company)
			case !is && u.Status != roomkit.StatusDeleted:
				gone = append(gone, roomkit.DeleteUser{User: u.ID})
			}
		}
	}
	// Deleting cannot be taken back by the next night: a damaged list deletes nobody.
	if len(gone) > 0 && (len(list.Bad) > 0 || len(gone) > s.mostGone) {
		fmt.Fprintf(s.out, "  nobody is deleted: %d are gone from a list with %d bad lines\n", len(gone), len(list.Bad))
		gone = nil
	}
	return gone, nil
}

// carryOut runs the commands and shows the outcome of each that changed something or was
// refused; a row that is refused stops no other. What says that nothing can be stored at
// the moment ends the night: it can be repeated as it is.
func (s *sync) carryOut(ctx context.Context, cmds []roomkit.Command) error {
	for some := range slices.Chunk(cmds, roomkit.MaxBatch) {
		for i, is := range s.Batch(ctx, roomkit.System(), some) {
			s.commands++
			switch service.CategoryOf(is.Err) {
			case service.CategoryNone:
				if is.Result.Changed {
					s.changed++
					s.show(s.changed, "done", some[i])
				}
			case service.CategoryInvalid, service.CategoryDenied:
				s.refused++
				s.show(s.refused, fmt.Sprintf("refused (%v)", is.Err), some[i])
			default:
				return is.Err
			}
		}
		fmt.Fprintf(s.progress, "%d commands, the last one %s\n", s.commands, roomkit.CommandName(some[len(some)-1]))
	}
	return nil
}

// show prints a row, the first of each outcome.
func (s *sync) show(n int, outcome string, cmd roomkit.Command) {
	const most = 20
	if text, err := roomkit.MarshalCommand(cmd); n <= most {
		fmt.Fprintf(s.out, "  %s %s\n", outcome, cmp.Or(string(text), fmt.Sprint(err)))
	} else if n == most+1 {
		fmt.Fprintln(s.out, "  and more")
	}
}
