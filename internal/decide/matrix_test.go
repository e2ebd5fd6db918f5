package decide

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

	"github.com/go-roomkit/roomkit"
)

var writeMatrix = flag.Bool("write-matrix", false, "rewrite testdata/authority.golden, to be reviewed by diff")

const matrixFile = "../../testdata/authority.golden"

// cast is everybody who can stand in some relation to a room. Their names say
// what they are.
var cast = []struct {
	id                  roomkit.UserID
	participant, master bool
	change              func(*roomkit.User, *roomkit.Member)
}{
	{id: "member", participant: true},
	{id: "member2", participant: true},
	{id: "master", master: true},
	{id: "master+member", participant: true, master: true},
	{id: "admin", change: func(u *roomkit.User, _ *roomkit.Member) { u.Administrator = true }},
	{id: "admin+member", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Administrator = true }},
	{id: "admin+master", master: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Administrator = true }},
	{id: "leader", change: func(*roomkit.User, *roomkit.Member) {}},
	{id: "colleague"},
	{id: "former", change: func(_ *roomkit.User, m *roomkit.Member) { m.Period, m.Left = 1, roomkit.CauseRemoved }},
	{id: "suspended", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Status = roomkit.StatusSuspended }},
	{id: "unpermitted", participant: true, master: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Works, u.WorksLost = false, 2 }},
	{id: "repermitted", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.WorksLost = 2 }},
	{id: "deleted", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Status, u.Ended = roomkit.StatusDeleted, 2 }},
	{id: "guest", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Company = "bolt" }},
	{id: "foreign-admin", change: func(u *roomkit.User, _ *roomkit.Member) { u.Company, u.Administrator = "bolt", true }},
	{id: "stranger", change: func(u *roomkit.User, _ *roomkit.Member) { u.Company = "bolt" }},
	{id: "bot", change: func(u *roomkit.User, _ *roomkit.Member) { u.Kind = roomkit.UserBot }},
	{id: "line", change: func(u *roomkit.User, _ *roomkit.Member) { u.Kind, u.Company = roomkit.UserLINE, "" }},
}

// circumstance is a state of the room.
type circumstance struct {
	name   string
	change func(*roomkit.Room, *roomkit.Team)
}

var circumstances = []circumstance{
	{"active", func(*roomkit.Room, *roomkit.Team) {}},
	{"message off", func(r *roomkit.Room, _ *roomkit.Team) { r.MessageOffSince = worldTime.Add(-time.Hour) }},
	{"ended", func(r *roomkit.Room, _ *roomkit.Team) { r.State, r.Version = roomkit.StateEnded, r.Version+1 }},
	{"public", func(r *roomkit.Room, _ *roomkit.Team) { r.Public = true }},
	{"withheld", func(r *roomkit.Room, t *roomkit.Team) { r.FeaturesWithheld, t.Features, t.Photo = true, false, false }},
	{"features off", func(r *roomkit.Room, _ *roomkit.Team) { r.Features = 0 }},
}

// stage builds the facts of one kind of room in one circumstance.
func stage(kind roomkit.Kind, c circumstance) *Facts {
	room := roomkit.Room{ID: theRoom, Kind: kind, State: roomkit.StateActive, Version: 9, Company: "acme", Name: "name", Features: roomkit.AllFeatures, ChangedAt: worldTime}
	team := roomkit.Team{ID: "t", Version: 1, Company: "acme", Leader: "leader", Room: true, Features: true, Photo: true}
	c.change(&room, &team)
	f := &Facts{}
	f.Companies = []roomkit.Company{
		{ID: "acme", Version: 5, Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected, LINE: roomkit.ExternalAll},
		{ID: "bolt", Version: 5, Core: true, Works: roomkit.ExternalAll},
	}
	for _, actor := range cast {
		u := roomkit.User{ID: actor.id, Version: 3, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true}
		row := roomkit.Member{
			Room: theRoom, User: actor.id, Participant: actor.participant,
			Master: actor.master && kind.IsGroup(), Epoch: roomkit.Epoch{User: 1, Company: 1}, MasterEpoch: roomkit.Epoch{User: 1, Company: 1},
		}
		if actor.change != nil {
			actor.change(&u, &row)
		}
		row.Participant = row.Participant && belongs(kind, actor.id)
		row.Company, row.Kind = u.Company, u.Kind
		if room.State == roomkit.StateEnded && (row.Participant || row.Master) {
			row.Participant, row.Master, row.Left, row.LeftVersion = false, false, roomkit.CauseRoomEnded, room.Version
		}
		f.Users = append(f.Users, u)
		f.Members = append(f.Members, row)
		if row.Participant {
			takeCounts(&room.Counts, &Person{User: &u}, "acme", +1)
			room.Digest = room.Digest.With(u.ID)
		}
		if row.Master {
			room.Masters++
		}
	}
	if kind == roomkit.KindDirect {
		room.Parties = [2]roomkit.UserID{"member", "member2"}
	}
	f.Room, f.Team = room, team
	return f
}

// belongs leaves out who cannot take part in this kind of room.
func belongs(kind roomkit.Kind, id roomkit.UserID) bool {
	switch kind {
	case roomkit.KindSelf:
		return id == "member"
	case roomkit.KindDirect:
		return id == "member" || id == "member2"
	case roomkit.KindExternalGroup:
		return true
	}
	return id != "guest"
}

// matrixCommands lists every room command; those with a target name it.
func matrixCommands(target roomkit.UserID) (aimed, plain []roomkit.Command) {
	on, off, text := true, false, "new"
	one := []roomkit.UserID{target}
	aimed = []roomkit.Command{
		roomkit.Invite{Room: theRoom, People: one, Name: "n"}, roomkit.Remove{Room: theRoom, People: one}, roomkit.AppointMasters{Room: theRoom, People: one},
		roomkit.DismissMasters{Room: theRoom, People: one}, roomkit.HandOver{Room: theRoom, To: target},
		roomkit.CreateRoom{People: append(one, "member2"), Origin: roomkit.OriginRoom, Source: theRoom, Anyway: true},
	}
	plain = []roomkit.Command{
		roomkit.Leave{Room: theRoom}, roomkit.Convert{Room: theRoom, To: roomkit.KindGroup, Name: "g"}, roomkit.Convert{Room: theRoom, To: roomkit.KindExternalGroup, Name: "g"}, roomkit.DeleteRoom{Room: theRoom},
		roomkit.DeleteFeatureData{Room: theRoom, Features: roomkit.Features(roomkit.FeatureNote)}, roomkit.Expel{Room: theRoom, People: []roomkit.UserID{"deleted"}, Cause: roomkit.CauseAccount},
		roomkit.Edit{Room: theRoom, Name: &text}, roomkit.Edit{Room: theRoom, Photo: &text}, roomkit.Edit{Room: theRoom, Description: &text},
		roomkit.Edit{Room: theRoom, Public: &on}, roomkit.Edit{Room: theRoom, HistorySharing: &on}, roomkit.Edit{Room: theRoom, Notify: &on},
		roomkit.Edit{Room: theRoom, Message: &off}, roomkit.Edit{Room: theRoom, Note: &off}, roomkit.Edit{Room: theRoom, Event: &off},
		roomkit.Edit{Room: theRoom, Task: &off}, roomkit.Edit{Room: theRoom, Folder: &off}, roomkit.Edit{Room: theRoom, MailingList: &off},
		roomkit.Edit{Room: theRoom, WithholdFeatures: &on},
	}
	return aimed, plain
}

func commandLabel(c roomkit.Command) string {
	switch c := c.(type) {
	case roomkit.Convert:
		return "Convert to " + c.To.String()
	case roomkit.Edit:
		for _, a := range asks(&c) {
			if a.set {
				return "Edit " + a.action.String()
			}
		}
	case roomkit.CreateRoom:
		return "CreateRoom from it"
	}
	return roomkit.CommandName(c)
}

// verdict gives the answer in one word: ok, already, opens, or what refuses.
func verdict(rules *roomkit.Rules, f *Facts, actor roomkit.Actor, cmd roomkit.Command) string {
	f.Need, f.NewRoom = Need(actor, cmd), roomkit.RoomID{2}
	for {
		f.Need.Everybody, f.Need.Masters = true, true
		d, err := Decide(rules, f, actor, cmd, worldTime)
		var denied *roomkit.Denied
		var bad *roomkit.Invalid
		switch {
		case d.Need != nil:
			f.Need = *d.Need
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
	rules := roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true})
	var b strings.Builder
	cells := 0
	actors := append(castIDs(), "nobody")
	for _, kind := range roomkit.Kinds() {
		for _, c := range circumstances {
			f := stage(kind, c)
			fmt.Fprintf(&b, "# %s, %s\n", kind, c.name)
			for _, action := range roomkit.AllActions() {
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

func castIDs() (list []roomkit.UserID) {
	for _, c := range cast {
		list = append(list, c.id)
	}
	return list
}

func verdicts(rules *roomkit.Rules, f *Facts, actors []roomkit.UserID, cmd roomkit.Command) map[string][]string {
	answers := map[string][]string{}
	for _, id := range actors {
		v := verdict(rules, f, roomkit.By(id), cmd)
		answers[v] = append(answers[v], string(id))
	}
	v := verdict(rules, f, roomkit.System(), cmd)
	answers[v] = append(answers[v], "system")
	return answers
}

// answersOf asks whether each may take an action; Check and Access have to agree.
func answersOf(t *testing.T, rules *roomkit.Rules, f *Facts, actors []roomkit.UserID, action roomkit.Action) map[string][]string {
	answers := map[string][]string{}
	ask := func(actor roomkit.Actor) {
		err := May(rules, f, actor, action)
		var denied *roomkit.Denied
		answer := "yes"
		switch {
		case errors.As(err, &denied):
			answer = string(denied.Rule)
		case err != nil:
			answer = err.Error()
		}
		answers[answer] = append(answers[answer], actor.String())
		if !actor.IsSystem() {
			access := Access(rules, f, f.Room.ID, actor.User())
			require.Equal(t, err == nil, access.Can(action), "%s: %s in a %s", actor, action, f.Room.Kind)
		}
	}
	for _, id := range actors {
		ask(roomkit.By(id))
	}
	ask(roomkit.System())
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
