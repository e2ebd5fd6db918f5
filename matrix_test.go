package roomkit

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var writeMatrix = flag.Bool("write-matrix", false, "rewrite testdata/authority.golden, to be reviewed by diff")

const matrixFile = "testdata/authority.golden"

// cast is everybody who can stand in some relation to a room. Their names say
// what they are.
var cast = []struct {
	id                  UserID
	participant, master bool
	change              func(*User, *Member)
}{
	{id: "member", participant: true},
	{id: "member2", participant: true},
	{id: "master", master: true},
	{id: "master+member", participant: true, master: true},
	{id: "admin", change: func(u *User, _ *Member) { u.Administrator = true }},
	{id: "admin+member", participant: true, change: func(u *User, _ *Member) { u.Administrator = true }},
	{id: "admin+master", master: true, change: func(u *User, _ *Member) { u.Administrator = true }},
	{id: "leader", change: func(*User, *Member) {}},
	{id: "colleague"},
	{id: "former", change: func(_ *User, m *Member) { m.Period, m.Left = 1, CauseRemoved }},
	{id: "suspended", participant: true, change: func(u *User, _ *Member) { u.Status = StatusSuspended }},
	{id: "unpermitted", participant: true, master: true, change: func(u *User, _ *Member) { u.Works, u.WorksLost = false, 2 }},
	{id: "repermitted", participant: true, change: func(u *User, _ *Member) { u.WorksLost = 2 }},
	{id: "deleted", participant: true, change: func(u *User, _ *Member) { u.Status, u.Ended = StatusDeleted, 2 }},
	{id: "guest", participant: true, change: func(u *User, _ *Member) { u.Company = "bolt" }},
	{id: "foreign-admin", change: func(u *User, _ *Member) { u.Company, u.Administrator = "bolt", true }},
	{id: "stranger", change: func(u *User, _ *Member) { u.Company = "bolt" }},
	{id: "bot", change: func(u *User, _ *Member) { u.Kind = UserBot }},
	{id: "line", change: func(u *User, _ *Member) { u.Kind, u.Company = UserLINE, "" }},
}

// circumstance is a state of the room.
type circumstance struct {
	name   string
	change func(*Room, *Team)
}

var circumstances = []circumstance{
	{"active", func(*Room, *Team) {}},
	{"message off", func(r *Room, _ *Team) { r.MessageOffSince = worldTime.Add(-time.Hour) }},
	{"ended", func(r *Room, _ *Team) { r.State, r.Version = StateEnded, r.Version+1 }},
	{"public", func(r *Room, _ *Team) { r.Public = true }},
	{"withheld", func(r *Room, t *Team) { r.FeaturesWithheld, t.Features, t.Photo = true, false, false }},
	{"features off", func(r *Room, _ *Team) { r.Features = 0 }},
}

// stage builds the facts of one kind of room in one circumstance.
func stage(kind Kind, c circumstance) Facts {
	room := Room{ID: theRoom, Kind: kind, State: StateActive, Version: 9, Company: "acme", Name: "name", Features: allFeatures, ChangedAt: worldTime}
	team := Team{ID: "t", Version: 1, Company: "acme", Leader: "leader", Room: true, Features: true, Photo: true}
	c.change(&room, &team)
	f := Facts{Companies: []Company{
		{ID: "acme", Version: 5, Core: true, MembersCreateGroups: true, Works: ExternalSelected, LINE: ExternalAll},
		{ID: "bolt", Version: 5, Core: true, Works: ExternalAll},
	}}
	for _, actor := range cast {
		u := User{ID: actor.id, Version: 3, Company: "acme", Kind: UserMember, Status: StatusActive, Works: true}
		row := Member{
			Room: theRoom, User: actor.id, Participant: actor.participant,
			Master: actor.master && kind.IsGroup(), Epoch: Epoch{1, 1}, MasterEpoch: Epoch{1, 1},
		}
		if actor.change != nil {
			actor.change(&u, &row)
		}
		row.Participant = row.Participant && belongs(kind, actor.id)
		row.Company, row.Kind = u.Company, u.Kind
		if room.State == StateEnded && (row.Participant || row.Master) {
			row.Participant, row.Master, row.Left, row.LeftVersion = false, false, CauseRoomEnded, room.Version
		}
		f.Users = append(f.Users, u)
		f.Members = append(f.Members, row)
		if row.Participant {
			room.take(&person{User: &u}, "acme", +1)
			room.Digest = room.Digest.With(u.ID)
		}
		if row.Master {
			room.Masters++
		}
	}
	if kind == KindDirect {
		room.Parties = [2]UserID{"member", "member2"}
	}
	f.Room, f.Team = room, team
	return f
}

// belongs leaves out who cannot take part in this kind of room.
func belongs(kind Kind, id UserID) bool {
	switch kind {
	case KindSelf:
		return id == "member"
	case KindDirect:
		return id == "member" || id == "member2"
	case KindExternalGroup:
		return true
	}
	return id != "guest"
}

// matrixCommands lists every room command; those with a target name it.
func matrixCommands(target UserID) (aimed, plain []Command) {
	on, off, text := true, false, "new"
	one := []UserID{target}
	aimed = []Command{
		Invite{Room: theRoom, People: one, Name: "n"}, Remove{theRoom, one}, AppointMasters{theRoom, one},
		DismissMasters{theRoom, one}, HandOver{theRoom, target},
		CreateRoom{People: append(one, "member2"), Origin: OriginRoom, Source: theRoom, Anyway: true},
	}
	plain = []Command{
		Leave{theRoom}, Convert{theRoom, KindGroup, "g"}, Convert{theRoom, KindExternalGroup, "g"}, DeleteRoom{theRoom},
		DeleteFeatureData{theRoom, Features(FeatureNote)}, Expel{theRoom, []UserID{"deleted"}, CauseAccount},
		Edit{Room: theRoom, Name: &text}, Edit{Room: theRoom, Photo: &text}, Edit{Room: theRoom, Description: &text},
		Edit{Room: theRoom, Public: &on}, Edit{Room: theRoom, HistorySharing: &on}, Edit{Room: theRoom, Notify: &on},
		Edit{Room: theRoom, Message: &off}, Edit{Room: theRoom, Note: &off}, Edit{Room: theRoom, Event: &off},
		Edit{Room: theRoom, Task: &off}, Edit{Room: theRoom, Folder: &off}, Edit{Room: theRoom, MailingList: &off},
		Edit{Room: theRoom, WithholdFeatures: &on},
	}
	return aimed, plain
}

func commandLabel(c Command) string {
	switch c := c.(type) {
	case Convert:
		return "Convert to " + c.To.String()
	case Edit:
		for action := range elements[Action](c.changes()) {
			return "Edit " + action.String()
		}
	case CreateRoom:
		return "CreateRoom from it"
	}
	return CommandName(c)
}

// verdict gives the answer in one word: ok, already, opens, or what refuses.
func verdict(rules *Rules, f Facts, actor Actor, cmd Command) string {
	need := rules.Need(actor, cmd)
	need.Everybody, need.Masters = true, true
	f.Asked = &need
	f.NewRoom = RoomID{2}
	for {
		d, err := rules.Decide(f, actor, cmd, worldTime)
		var denied *Denied
		var bad *Invalid
		var more *MoreNeeded
		switch {
		case errors.As(err, &more):
			f.Asked = &more.Need
			f.Asked.Everybody, f.Asked.Masters = true, true
		case errors.As(err, &denied):
			return string(denied.Rule)
		case errors.As(err, &bad):
			return "invalid " + bad.Field
		case err != nil:
			return err.Error()
		case d.Opens:
			return "opens"
		case len(d.Events) == 0:
			return "already"
		default:
			return "ok"
		}
	}
}

// TestAuthorityMatrix compares who may do what to whom in which room with a file
// that people have reviewed. Every changed cell shows up as a diff.
func TestAuthorityMatrix(t *testing.T) {
	rules := NewRules(Policy{AnyoneIsContact: true})
	var b strings.Builder
	cells := 0
	actors := append(castIDs(), "nobody")
	for _, kind := range Kinds() {
		for _, c := range circumstances {
			f := stage(kind, c)
			fmt.Fprintf(&b, "# %s, %s\n", kind, c.name)
			for _, action := range AllActions() {
				cells += len(actors) + 1
				writeRow(&b, "may "+action.String(), answersOf(t, rules, f, actors, action))
			}
			aimed, plain := matrixCommands("member")
			for _, cmd := range plain {
				cells += len(actors) + 1
				writeRow(&b, commandLabel(cmd), verdicts(rules, f, actors, cmd))
			}
			for i := range aimed {
				byRow := map[string][]string{}
				for _, target := range actors {
					row, _ := matrixCommands(target)
					cells += len(actors) + 1
					answers := verdicts(rules, f, actors, row[i])
					byRow[rowText(answers)] = append(byRow[rowText(answers)], string(target))
				}
				for _, text := range slices.SortedFunc(maps.Keys(byRow), func(x, y string) int { return strings.Compare(byRow[x][0], byRow[y][0]) }) {
					fmt.Fprintf(&b, "%s → %s:%s\n", commandLabel(aimed[i]), strings.Join(byRow[text], " "), text)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
	require.Greater(t, cells, 50_000)
	if *writeMatrix {
		require.NoError(t, os.WriteFile(matrixFile, []byte(b.String()), 0o644))
	}
	golden, err := os.ReadFile(matrixFile)
	require.NoError(t, err)
	want, have := strings.Split(string(golden), "\n"), strings.Split(b.String(), "\n")
	require.Len(t, have, len(want))
	for i := range want {
		require.Equal(t, want[i], have[i], "line %d; review, then: go test -run AuthorityMatrix . -args -write-matrix", i+1)
	}
}

func castIDs() (list []UserID) {
	for _, c := range cast {
		list = append(list, c.id)
	}
	return list
}

func verdicts(rules *Rules, f Facts, actors []UserID, cmd Command) map[string][]string {
	answers := map[string][]string{}
	for _, id := range actors {
		v := verdict(rules, f, By(id), cmd)
		answers[v] = append(answers[v], string(id))
	}
	v := verdict(rules, f, System(), cmd)
	answers[v] = append(answers[v], "system")
	return answers
}

// answersOf asks whether each may take an action; Check and Access have to agree.
func answersOf(t *testing.T, rules *Rules, f Facts, actors []UserID, action Action) map[string][]string {
	answers := map[string][]string{}
	ask := func(actor Actor) {
		who := f.person(actor.user)
		err := rules.may(&f, &who, actor, action)
		var denied *Denied
		answer := "yes"
		switch {
		case errors.As(err, &denied):
			answer = string(denied.Rule)
		case err != nil:
			answer = err.Error()
		}
		answers[answer] = append(answers[answer], actor.String())
		if !actor.system {
			access := rules.access(&f, f.Room.ID, actor.user)
			require.Equal(t, err == nil, access.Can(action), "%s: %s in a %s", actor, action, f.Room.Kind)
		}
	}
	for _, id := range actors {
		ask(By(id))
	}
	ask(System())
	return answers
}

func writeRow(b *strings.Builder, label string, answers map[string][]string) {
	fmt.Fprintf(b, "%s:%s\n", label, rowText(answers))
}

func rowText(answers map[string][]string) string {
	var b strings.Builder
	for _, v := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, " [%s] %s", v, strings.Join(answers[v], " "))
	}
	return b.String()
}
