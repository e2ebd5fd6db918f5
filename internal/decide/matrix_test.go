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
	"github.com/go-roomkit/roomkit/internal/sample"
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
	{id: "unpermitted", participant: true, master: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Partners, u.PartnersLost = false, 2 }},
	{id: "repermitted", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.PartnersLost = 2 }},
	{id: "deleted", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Status, u.Ended = roomkit.StatusDeleted, 2 }},
	{id: "guest", participant: true, change: func(u *roomkit.User, _ *roomkit.Member) { u.Company = "bolt" }},
	{id: "foreign-admin", change: func(u *roomkit.User, _ *roomkit.Member) { u.Company, u.Administrator = "bolt", true }},
	{id: "stranger", change: func(u *roomkit.User, _ *roomkit.Member) { u.Company = "bolt" }},
	{id: "bot", change: func(u *roomkit.User, _ *roomkit.Member) { u.Kind = roomkit.UserBot }},
	{id: "line", change: func(u *roomkit.User, _ *roomkit.Member) { u.Kind, u.Company = roomkit.UserConsumer, "" }},
}

// states are what a room can be like.
var states = []struct {
	name   string
	change func(*roomkit.Room, *roomkit.Team)
}{
	{"active", func(*roomkit.Room, *roomkit.Team) {}},
	{"message off", func(r *roomkit.Room, _ *roomkit.Team) { r.MessageOffSince = worldTime.Add(-time.Hour) }},
	{"ended", func(r *roomkit.Room, _ *roomkit.Team) { r.State, r.Version = roomkit.StateEnded, r.Version+1 }},
	{"public", func(r *roomkit.Room, _ *roomkit.Team) { r.Public = true }},
	{"withheld", func(r *roomkit.Room, t *roomkit.Team) { r.FeaturesWithheld, t.Features, t.Photo = true, false, false }},
	{"features off", func(r *roomkit.Room, _ *roomkit.Team) { r.Features = 0 }},
}

// stage builds the facts of one kind of room in one state.
func stage(kind roomkit.Kind, in int) *Facts {
	room := roomkit.Room{ID: theRoom, Kind: kind, State: roomkit.StateActive, Version: 9, Company: "acme", Name: "name", Features: roomkit.AllFeatures, ChangedAt: worldTime}
	team := roomkit.Team{ID: "t", Version: 1, Company: "acme", Leader: "leader", Room: true, Features: true, Photo: true}
	states[in].change(&room, &team)
	f := &Facts{}
	f.Companies = []roomkit.Company{
		{ID: "acme", Version: 5, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll},
		{ID: "bolt", Version: 5, Licensed: true, Partners: roomkit.ExternalAll},
	}
	for _, actor := range cast {
		u := roomkit.User{ID: actor.id, Version: 3, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}
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

// matrixCommands has every command that names a room: those aimed at a target, whose
// answer may differ from one target to the next, and the others; what is not listed comes
// from package sample.
func matrixCommands(target roomkit.UserID) (aimed, plain []roomkit.Command) {
	on, off, text := true, false, "new"
	one := []roomkit.UserID{target}
	aimed = []roomkit.Command{
		roomkit.Invite{Room: theRoom, People: one, Name: "n"}, roomkit.Remove{Room: theRoom, People: one}, roomkit.AppointMasters{Room: theRoom, People: one},
		roomkit.DismissMasters{Room: theRoom, People: one}, roomkit.HandOver{Room: theRoom, To: target},
		roomkit.CreateRoom{People: append(one, "member2"), Origin: roomkit.OriginRoom, Source: theRoom, AllowDuplicate: true},
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
	return aimed, append(plain, others("member", aimed, plain)...)
}

// others gives the commands about the room of which no list has the type.
func others(user roomkit.UserID, lists ...[]roomkit.Command) (rest []roomkit.Command) {
	listed := slices.Concat(lists...)
	for _, cmd := range sample.OfRooms(theRoom, user) {
		if !slices.ContainsFunc(listed, func(c roomkit.Command) bool { return roomkit.CommandName(c) == roomkit.CommandName(cmd) }) {
			rest = append(rest, cmd)
		}
	}
	return rest
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

// answers are those of all actors, in the order of the cast, to the questions asked in
// one kind of room in one state.
type answers map[string][]string

// askAll asks everything; the questions are the same in all sections, and in order.
func askAll(t *testing.T, rules *roomkit.Rules) (all map[string]answers, questions []string) {
	all = map[string]answers{}
	for _, section := range sections() {
		f, given := stage(section.kind, section.state), answers{}
		questions = questions[:0]
		add := func(question string, list []string) {
			questions = append(questions, question)
			given[question] = list
		}
		for _, action := range roomkit.AllActions() {
			add("may "+action.String(), mayAll(t, rules, f, action))
		}
		aimed, plain := matrixCommands("member")
		for _, cmd := range plain {
			add(commandLabel(cmd), verdicts(rules, f, cmd))
		}
		for i := range aimed {
			for n, target := range actorIDs() {
				at, _ := matrixCommands(target)
				add(commandLabel(aimed[i])+"→"+letter(n), verdicts(rules, f, at[i]))
			}
		}
		all[section.String()] = given
	}
	return all, questions
}

// TestAuthorityMatrix compares who may do what to whom in which room with a file
// that people have reviewed.
func TestAuthorityMatrix(t *testing.T) {
	have, questions := askAll(t, roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}))
	if *writeMatrix {
		require.NoError(t, os.WriteFile(matrixFile, []byte(printed(have, questions)), 0o644))
	}
	golden, err := os.ReadFile(matrixFile)
	require.NoError(t, err)
	want, cells := parsed(string(golden)), 0
	var changes []string
	concerned := map[string]bool{}
	for _, q := range questions {
		if want[sections()[0].String()][q] == nil {
			changes = append(changes, fmt.Sprintf("%s: has been asked of nobody yet", q))
		}
	}
	for _, section := range sections() {
		for _, q := range questions {
			if want[section.String()][q] == nil {
				continue
			}
			was, is := want[section.String()][q], have[section.String()][q]
			was = append(was, make([]string, len(is)-len(was))...)
			for n, actor := range actors() {
				cells++
				if was[n] != is[n] {
					changes = append(changes, fmt.Sprintf("%s: %s by %s: was %q, is %q", section, q, actor, was[n], is[n]))
					concerned[was[n]], concerned[is[n]] = true, true
				}
			}
		}
	}
	require.Greater(t, cells, 50_000)
	if len(changes) == 0 && string(golden) != printed(have, questions) {
		changes = append(changes, "the way in which it is written")
	}
	if len(changes) > 0 {
		t.Fatalf("%d of %d cells changed:\n%s\nReview, then: go test ./internal/decide -run AuthorityMatrix -args -write-matrix%s",
			len(changes), cells, strings.Join(changes[:min(len(changes), 30)], "\n"), placesOf(concerned))
	}
}

// placesOf says where else the rules among some answers are stated.
func placesOf(answers map[string]bool) string {
	var rules []string
	for _, answer := range slices.Sorted(maps.Keys(answers)) {
		if strings.Contains(answer, "-") {
			rules = append(rules, answer)
		}
	}
	if len(rules) == 0 {
		return ""
	}
	return fmt.Sprintf("\nrules concerned: %s; read them in testdata/rules.tsv, and the comments that name them: git grep -nE '%s' -- '*.go'",
		strings.Join(rules, ", "), strings.Join(rules, "|"))
}

// The file begins with a letter for everybody. A section has a line for all questions
// with the same answers: "question, question | answer: letters | answer: letters". The
// first section of a kind has all questions, the others those that differ from it.
// "Remove→abc" stands for Remove→a, Remove→b and Remove→c.

func printed(all map[string]answers, questions []string) string {
	var b strings.Builder
	for n, a := range actors() {
		fmt.Fprintf(&b, "%s %s\n", letter(n), a)
	}
	for _, section := range sections() {
		fmt.Fprintf(&b, "\n# %s\n", section)
		given, base := all[section.String()], all[section.base().String()]
		var rows []string
		asked := map[string]string{}
		for _, q := range questions {
			if section != section.base() && slices.Equal(given[q], base[q]) {
				continue
			}
			row := rowOf(given[q])
			cmd, target, aimed := strings.Cut(q, "→")
			switch i := strings.LastIndex(", "+asked[row], ", "); {
			case asked[row] == "":
				rows, asked[row] = append(rows, row), q
			case aimed && strings.HasPrefix(asked[row][i:], cmd+"→"):
				asked[row] += target
			default:
				asked[row] += ", " + q
			}
		}
		for _, row := range rows {
			fmt.Fprintf(&b, "%s%s\n", asked[row], row)
		}
	}
	return b.String()
}

func rowOf(list []string) string {
	by := map[string]string{}
	for n, answer := range list {
		by[answer] += letter(n)
	}
	var b strings.Builder
	for _, answer := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, " | %s: %s", answer, by[answer])
	}
	return b.String()
}

func parsed(golden string) map[string]answers {
	all := map[string]answers{}
	for _, section := range sections() {
		given := maps.Clone(all[section.base().String()])
		if given == nil {
			given = answers{}
		}
		_, text, _ := strings.Cut(golden, "\n# "+section.String()+"\n")
		text, _, _ = strings.Cut("\n"+text, "\n\n")
		for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
			parts := strings.Split(line, " | ")
			list := make([]string, len(actors()))
			for _, part := range parts[1:] {
				i := strings.LastIndex(part, ": ")
				for _, l := range part[i+2:] {
					list[l-'a'] = part[:i]
				}
			}
			for _, q := range strings.Split(parts[0], ", ") {
				cmd, targets, _ := strings.Cut(q, "→")
				given[q] = list
				for _, target := range targets {
					given[cmd+"→"+string(target)] = list
				}
			}
		}
		all[section.String()] = given
	}
	return all
}

// section is a part of the file.
type section struct {
	kind  roomkit.Kind
	state int // of states
}

func (s section) String() string { return s.kind.String() + ", " + states[s.state].name }

// base is the section from which others of the same kind differ.
func (s section) base() section { return section{kind: s.kind} }

func sections() (list []section) {
	for _, kind := range roomkit.Kinds() {
		for i := range states {
			list = append(list, section{kind, i})
		}
	}
	return list
}

func letter(n int) string { return string(rune('a' + n)) }

// actorIDs are those of the cast and of somebody who does not exist.
func actorIDs() (list []roomkit.UserID) {
	for _, c := range cast {
		list = append(list, c.id)
	}
	return append(list, "nobody")
}

func actors() (list []roomkit.Actor) {
	for _, id := range actorIDs() {
		list = append(list, roomkit.By(id))
	}
	return append(list, roomkit.System())
}

func verdicts(rules *roomkit.Rules, f *Facts, cmd roomkit.Command) (list []string) {
	for _, a := range actors() {
		list = append(list, verdict(rules, f, a, cmd))
	}
	return list
}

// mayAll asks whether each may take an action; May and Access have to agree.
func mayAll(t *testing.T, rules *roomkit.Rules, f *Facts, action roomkit.Action) (list []string) {
	for _, a := range actors() {
		err := May(rules, f, a, action)
		var denied *roomkit.Denied
		answer := "yes"
		switch {
		case errors.As(err, &denied):
			answer = string(denied.Rule)
		case err != nil:
			answer = err.Error()
		}
		list = append(list, answer)
		if !a.IsSystem() {
			access := Access(rules, f, f.Room.ID, a.User())
			require.Equal(t, err == nil, access.Can(action), "%s: %s in a %s", a, action, f.Room.Kind)
		}
	}
	return list
}
