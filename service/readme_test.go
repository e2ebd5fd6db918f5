package service_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// TestReadmeProgram: the program in the README has the imports and the body of
// Example, which compiles and runs, and is short.
func TestReadmeProgram(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	want := strings.NewReplacer("package service_test", "package main", "func Example()", "func main()").Replace(string(source))
	_, rest, found := strings.Cut(readme(t), "```go\n")
	require.True(t, found)
	program, _, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	require.Equal(t, want, program, "README.md: the first program is that of service/example_test.go")
	code := 0
	for line := range strings.Lines(program) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			code++
		}
	}
	require.LessOrEqual(t, code, 25, "service/example_test.go: make the program shorter")
}

// TestEveryCommandIsListed: README.md and doc.go name every command in their tables.
func TestEveryCommandIsListed(t *testing.T) {
	doc, err := os.ReadFile("../doc.go")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(doc), "# Commands and refusals")
	table, _, _ = strings.Cut(table, "# Events")
	listed := strings.Fields(table)
	for _, name := range roomkit.CommandNames() {
		if !strings.Contains(readme(t), "`"+name+"`") {
			t.Errorf("README.md: add %s to the table of commands", name)
		}
		if !slices.Contains(listed, name) {
			t.Errorf("doc.go: add %s to the table of commands", name)
		}
	}
}

func TestReadmeLimits(t *testing.T) {
	text := strings.Join(strings.Fields(readme(t)), " ")
	for _, claim := range []struct {
		limit int
		text  string
	}{
		{roomkit.MaxPeople, " people in one command"},
		{roomkit.MaxEverybody, " in a room that is converted"},
		{roomkit.MaxTeamMembers, " in a team"},
		{roomkit.MaxBatch, " commands in one `Batch`"},
		{roomkit.MaxPage, " rows in a page"},
		{roomkit.MaxNameRunes, " characters in a name"},
		{roomkit.MaxGroupName, " in that of a group"},
		{roomkit.MaxAccessRooms, " rooms"},
		{roomkit.MaxScreenRooms, " rooms and"},
	} {
		what := thousands(claim.limit) + claim.text
		said := strings.Contains(text, what)
		require.True(t, said, "README.md: say %q", what)
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(data)
}

// costly is a service on a store that counts its calls: with the people of
// exampleService, the room "Launch", the 1:1 room of ann and adm, a group of the
// Group Masters ann and ben, and a room in which ann may invite and remove.
type costly struct {
	*service.Service
	store                    *storetest.Faulty
	launch, pair, crew, open roomkit.RoomID
}

func newCostly(t *testing.T, o *service.Options) *costly {
	c := &costly{store: storetest.NewFaulty(memstore.New(), storetest.Plan{})}
	var err error
	c.Service, err = service.New(c.store, o)
	require.NoError(t, err)
	provision(c.Service)
	c.launch = exampleRoom(c.Service)
	c.pair = mustRun(c.Service, roomkit.By("ann"), roomkit.OpenDirect{With: "adm"}).Room
	c.crew = mustRun(c.Service, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Masters: people("ann", "ben")}).Room
	c.open = crew(t, c.Service)
	return c
}

// costs demands that a call takes so many calls of the store.
func (c *costly) costs(t *testing.T, loads, commits int, call func() error) error {
	t.Helper()
	loadsBefore, commitsBefore := c.store.Calls(storetest.MethodLoad), c.store.Calls(storetest.MethodCommit)
	err := call()
	require.Equal(t, loads, c.store.Calls(storetest.MethodLoad)-loadsBefore, "Load")
	require.Equal(t, commits, c.store.Calls(storetest.MethodCommit)-commitsBefore, "Commit")
	return err
}

// TestReadmeCosts: the README says how many calls of the store a command takes.
func TestReadmeCosts(t *testing.T) {
	chosen := func(c *costly) roomkit.Command {
		return roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: people("ben", "cat"), Existing: c.open}
	}
	picked := func(ids ...roomkit.UserID) func(*costly) roomkit.Command {
		return func(*costly) roomkit.Command {
			return roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: ids}
		}
	}
	invite := func(id roomkit.UserID) func(*costly) roomkit.Command {
		return func(c *costly) roomkit.Command { return roomkit.Invite{Room: c.open, People: people(id)} }
	}
	fromPair := func(id roomkit.UserID) func(*costly) roomkit.Command {
		return func(c *costly) roomkit.Command {
			return roomkit.Invite{Room: c.pair, People: people(id), Name: "with " + string(id)}
		}
	}
	convert := func(to roomkit.Kind) func(*costly) roomkit.Command {
		return func(c *costly) roomkit.Command { return roomkit.Convert{Room: c.launch, To: to} }
	}
	for _, tt := range []struct {
		name           string
		cmd            func(*costly) roomkit.Command
		loads, commits int
		err            error
	}{
		{"a change", invite("dan"), 1, 1, nil},
		{"already so", invite("ann"), 1, 0, nil},
		{"refused", func(c *costly) roomkit.Command { return roomkit.Leave{Room: c.crew} }, 1, 0, roomkit.ErrDenied},
		{"not found", func(*costly) roomkit.Command { return roomkit.Leave{Room: roomkit.RoomID{1}} }, 1, 0, roomkit.ErrNotFound},
		{"malformed", func(*costly) roomkit.Command { return roomkit.Leave{} }, 0, 0, roomkit.ErrInvalid},
		{"people who share no room", picked("dan", "adm"), 1, 1, nil},
		{"rooms to offer", picked("ben", "cat"), 1, 0, roomkit.ErrOffered},
		{"an offered room", chosen, 1, 0, nil},
		{"one person", picked("ben"), 1, 1, nil},
		{"a name that must be free", func(*costly) roomkit.Command { return roomkit.CreateGroup{Name: "New"} }, 2, 1, nil},
		{"a name that is not free", func(*costly) roomkit.Command { return roomkit.CreateGroup{Name: "Crew"} }, 2, 0, roomkit.ErrDenied},
		{"another Group Master", func(c *costly) roomkit.Command {
			return roomkit.DismissMasters{Room: c.crew, People: people("ben")}
		}, 2, 1, nil},
		{"everybody, to convert", convert(roomkit.KindExternalGroup), 2, 1, nil},
		{"everybody, to convert, and the name", convert(roomkit.KindGroup), 3, 1, nil},
		{"everybody and the room they may have, as outsiders come", fromPair("eve"), 3, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCostly(t, nil)
			err := c.costs(t, tt.loads, tt.commits, func() error {
				_, err := c.Do(ctx, roomkit.By("ann"), tt.cmd(c), service.Call{Contacts: people("eve")})
				return err
			})
			require.ErrorIs(t, err, tt.err)
		})
	}
}

func TestReadmeCostsOfTeams(t *testing.T) {
	c := newCostly(t, nil)
	do := func(loads int, cmd roomkit.Command) {
		require.NoError(t, c.costs(t, loads, 1, func() error {
			_, err := c.Do(ctx, roomkit.System(), cmd)
			return err
		}))
	}
	team := roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "Sales", Members: people("ann", "ben")}
	do(1, team)
	do(1, roomkit.EditTeam{Team: "sales", Company: "acme", Room: new(true)})
	do(2, roomkit.OpenTeamRoom{Team: "sales", Company: "acme"}) // the members
	team.Members = people("ann")
	do(2, team) // those who leave
}

// TestReadmeCostsOfTheHost: what the host's functions are asked for costs more.
func TestReadmeCostsOfTheHost(t *testing.T) {
	open := func(c *costly, with roomkit.UserID) func() error {
		return func() error {
			_, err := c.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: with})
			return err
		}
	}
	known := func(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
		return outsiders, nil
	}
	c := newCostly(t, &service.Options{Contacts: known})
	require.NoError(t, c.costs(t, 2, 1, open(c, "eve")))
	require.NoError(t, c.costs(t, 1, 1, open(c, "ben")), "no outsider")

	c = newCostly(t, &service.Options{Directory: directory{"zoe": "acme"}})
	require.NoError(t, c.costs(t, 4, 2, open(c, "zoe")), "it, it with zoe, AddUser, it again")
	require.NoError(t, c.costs(t, 1, 1, open(c, "ben")), "known already")
}

func TestReadmeCostsOfQuestions(t *testing.T) {
	c := newCostly(t, nil)
	require.NoError(t, c.costs(t, 1, 0, func() error { return c.Check(ctx, "ann", roomkit.ActionPost, c.launch) }))
	require.NoError(t, c.costs(t, 1, 0, func() error {
		rooms := make([]roomkit.RoomID, roomkit.MaxAccessRooms)
		for i := range rooms {
			rooms[i] = c.launch
		}
		_, err := c.Access(ctx, "ann", rooms...)
		return err
	}))
	require.NoError(t, c.costs(t, 1, 0, func() error {
		_, err := c.Screen(ctx, "ann", slices.Repeat([]roomkit.RoomID{c.launch}, roomkit.MaxScreenRooms)...)
		return err
	}))
	invite := roomkit.Invite{Room: c.open, People: people("dan")}
	for i := range 2 { // the repeat gets the first outcome
		require.NoError(t, c.costs(t, 1, 1-i, func() error {
			_, err := c.Do(ctx, roomkit.By("ann"), invite, service.Call{Key: "k"})
			return err
		}))
	}
}
