package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// stage is a world in which the changes that why tells can be made.
type stage struct {
	t     *testing.T
	st    store.Store
	svc   *service.Service
	rooms map[string]roomkit.RoomID
	users []roomkit.UserID
}

// newStage has, besides the rooms of fill, a room with a consumer.
func newStage(t *testing.T, turn func(*stage)) *stage {
	s := &stage{t: t, st: memstore.New(), users: []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "eve", "fay", "lin"}}
	s.svc, s.rooms = fill(t, s.st)
	s.by("", roomkit.AddUser{User: roomkit.User{ID: "lin", Kind: roomkit.UserConsumer, Status: roomkit.StatusActive}})
	s.by("", roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalSelected)})
	for _, id := range []roomkit.UserID{"ann", "ben"} {
		s.by("", roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderConsumer, Allow: new(true)})
	}
	s.rooms["mixed"] = s.by("ann", roomkit.CreateRoom{People: []roomkit.UserID{"ben", "lin"}, Audience: roomkit.AudienceExternal})
	if turn != nil {
		turn(s)
	}
	return s
}

// by sends a command; of nobody it is the system's.
func (s *stage) by(user roomkit.UserID, cmd roomkit.Command) roomkit.RoomID {
	s.t.Helper()
	actor := roomkit.System()
	if user != "" {
		actor = roomkit.By(user)
	}
	res, err := s.svc.Do(s.t.Context(), actor, cmd)
	require.NoError(s.t, err)
	return res.Room
}

// sweep takes out who has lost the right to be in.
func (s *stage) sweep() {
	require.NoError(s.t, s.svc.Enforce(s.t.Context(), &service.EnforceOptions{Once: true}))
}

// somebody sends a command as the first who may.
func (s *stage) somebody(cmd roomkit.Command, but ...roomkit.UserID) error {
	var all error
	for _, user := range append([]roomkit.UserID{""}, s.users...) {
		actor := roomkit.System()
		if user != "" {
			actor = roomkit.By(user)
		}
		if slices.Contains(but, user) {
			continue
		}
		_, err := s.svc.Do(s.t.Context(), actor, cmd)
		if err == nil {
			return nil
		}
		all = errors.Join(all, fmt.Errorf("by %q: %w", user, err))
	}
	return all
}

func (s *stage) explain(user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) *why.Explanation {
	answers, err := store.Ask(s.t.Context(), s.st, []store.Need{{Room: room, People: []roomkit.UserID{user}}})
	require.NoError(s.t, err)
	return why.Explain(&why.Question{Rules: roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), Facts: answers[0], User: user, Action: action})
}

// situations are those in which why is asked.
var situations = map[string]func(*stage){
	"all is well": nil,
	"messages are off": func(s *stage) {
		for _, room := range []string{"external", "team"} {
			s.by("adm", roomkit.Edit{Room: s.rooms[room], Message: new(false)})
		}
	},
	"messages are on": func(s *stage) { s.by("ann", roomkit.Edit{Room: s.rooms["group"], Message: new(true)}) },
	"a public group, features withheld": func(s *stage) {
		s.by("ann", roomkit.Edit{Room: s.rooms["group"], Message: new(true), Public: new(true)})
		s.by("adm", roomkit.Edit{Room: s.rooms["group"], WithholdFeatures: new(true)})
	},
	"features are off": func(s *stage) {
		s.by("ann", roomkit.Edit{Room: s.rooms["group"], Message: new(true)})
		s.by("ann", roomkit.Edit{Room: s.rooms["group"], Note: new(false), MailingList: new(false)})
		s.by("ann", roomkit.Edit{Room: s.rooms["external"], Folder: new(false)})
	},
	"people are suspended": func(s *stage) {
		for _, id := range []roomkit.UserID{"ann", "eve", "lin"} {
			s.by("", roomkit.SuspendUser{User: id})
		}
	},
	"no licence": func(s *stage) {
		s.by("", roomkit.EditCompany{Company: "acme", Licensed: new(false)})
	},
	"a permission was lost and given back": func(s *stage) {
		for _, allow := range []bool{false, true} {
			s.by("", roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: &allow})
		}
	},
	"permissions are lost": func(s *stage) {
		s.by("", roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: new(false)})
		s.by("", roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderConsumer, Allow: new(false)})
	},
	"a company forbids partners and consumers": func(s *stage) {
		s.by("", roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
		s.by("", roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalOff)})
	},
	"an account was deleted and restored": func(s *stage) {
		s.by("", roomkit.DeleteUser{User: "ann"})
		s.sweep()
		s.by("", roomkit.RestoreUser{User: "ann"})
	},
	"accounts are deleted": func(s *stage) {
		s.by("", roomkit.DeleteUser{User: "ben"})
		s.by("", roomkit.DeleteUser{User: "eve"})
	},
	"rights are granted to the team": func(s *stage) {
		s.by("", roomkit.EditTeam{Team: "sales", Company: "acme", Features: new(true), Photo: new(true)})
	},
	"the team room is not allowed": func(s *stage) {
		s.by("", roomkit.EditTeam{Team: "sales", Company: "acme", Room: new(false)})
	},
	"rooms have ended": func(s *stage) {
		s.by("adm", roomkit.DeleteRoom{Room: s.rooms["team"]})
		s.by("adm", roomkit.DeleteRoom{Room: s.rooms["group"]})
		s.by("ann", roomkit.Leave{Room: s.rooms["direct"]})
		s.by("ben", roomkit.Leave{Room: s.rooms["direct"]})
	},
}

// TestWhyOfEveryAction asks for every action in every room for everybody, in every situation.
// The answer is that of the service, with a rule of the book; and each change that it names,
// made by commands in a store, turns the answer of the service.
func TestWhyOfEveryAction(t *testing.T) {
	for name, turn := range situations {
		if testing.Short() && turn != nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, turn)
			promised := map[string][]*why.Explanation{} // what is to be done, and whose answers it turns
			for _, room := range s.rooms {
				for _, user := range s.users {
					for _, action := range roomkit.AllActions() {
						e := s.explain(user, action, room)
						s.agrees(e)
						for _, change := range e.Changes {
							key := room.String() + " " + change
							if strings.Contains(change, "another one") {
								key = strings.Replace(key, "another one", "another one than "+string(user), 1)
							}
							promised[key] = append(promised[key], e)
						}
					}
				}
			}
			for key, list := range promised {
				_, change, _ := strings.Cut(key, " ")
				turned, err := made(t, turn, strings.Split(change, ", and "), list[0])
				require.NoError(t, err, "%s: to make it so that %s", list[0].Kind, change)
				for _, e := range list {
					err := turned.svc.Check(t.Context(), e.User, e.Action, e.Room)
					require.Equal(t, !e.Allowed, err == nil, "%s %s in the %s room after this: %s (%v)", e.User, e.Action, e.Kind, change, err)
				}
			}
			t.Logf("%d changes made, for %d actions of %d people in %d rooms", len(promised), len(roomkit.AllActions()), len(s.users), len(s.rooms))
		})
	}
}

// made gives a situation in which changes are made, in one order or the other.
func made(t *testing.T, turn func(*stage), texts []string, e *why.Explanation) (s *stage, err error) {
	for range texts {
		s = newStage(t, turn)
		failed := error(nil)
		for _, text := range texts {
			failed = errors.Join(failed, s.licensed(func() error { return s.make(text, e) }))
		}
		if failed == nil {
			return s, nil
		}
		err = errors.Join(err, failed)
		texts = slices.Clone(texts)
		slices.Reverse(texts)
	}
	return s, err
}

// licensed does something that may need a licence, and be it for a moment.
func (s *stage) licensed(do func() error) error {
	err := do()
	company, _ := s.svc.Company(s.t.Context(), "acme")
	if err == nil || company.Licensed {
		return err
	}
	s.by("", roomkit.EditCompany{Company: "acme", Licensed: new(true)})
	err = do()
	s.by("", roomkit.EditCompany{Company: "acme", Licensed: new(false)})
	return err
}

// agrees compares an explanation with what the service says.
func (s *stage) agrees(e *why.Explanation) {
	err := s.svc.Check(s.t.Context(), e.User, e.Action, e.Room)
	what := fmt.Sprintf("%s %s in the %s room", e.User, e.Action, e.Kind)
	require.Equal(s.t, err == nil, e.Allowed, what)
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		require.Equal(s.t, denied.Rule, e.Rule, what)
	}
	require.Equal(s.t, err != nil && denied == nil, e.Hidden, what)
	require.NotEmpty(s.t, e.Text, "%s: rule %q is not in rules.tsv", what, e.Rule)
	require.NotEmpty(s.t, e.Source, what)
	require.NotEmpty(s.t, e.Facts, what)
	require.Equal(s.t, e.Allowed, e.Reason == "", "%s: %q", what, e.Reason)
	require.NotEqual(s.t, len(e.Changes) == 0, e.Final == "", what)
}

var (
	ofSomebody = regexp.MustCompile(`^(\S+) (takes part anew|takes part|does not take part|is appointed|is no Group Master|is an administrator|is no administrator|leads|does not lead|is suspended|has an active|converts|is given|loses)`)
	ofLicence  = regexp.MustCompile(`^company (\S+) has (a|no) licence$`)
	ofCompany  = regexp.MustCompile(`^the company of (\S+) lets (all|nobody) talk with (\S+)$`)
	ofSwitch   = regexp.MustCompile(`^(\S+|Mailing_list) is switched (on|off)$`)
	ofTeam     = regexp.MustCompile(`^the administrator (grants|takes back) (the team room|the right over features|the right over the photo)`)
)

// make makes by commands what a text of why says.
func (s *stage) make(text string, e *why.Explanation) error {
	s.t.Helper()
	room := e.Room
	if strings.HasPrefix(text, "another one") {
		cmd := roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "converted"}
		if s.somebody(cmd, e.User) == nil {
			return nil
		}
		return errors.Join(s.somebody(roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}}), s.somebody(cmd, e.User))
	}
	if m := ofSomebody.FindStringSubmatch(text); m != nil {
		return s.makeOf(roomkit.UserID(m[1]), m[2], text, room)
	}
	if m := ofLicence.FindStringSubmatch(text); m != nil {
		return s.somebody(roomkit.EditCompany{Company: roomkit.CompanyID(m[1]), Licensed: new(m[2] == "a")})
	}
	if m := ofCompany.FindStringSubmatch(text); m != nil {
		user, err := s.svc.User(s.t.Context(), roomkit.UserID(m[1]))
		require.NoError(s.t, err)
		mode := map[string]roomkit.ExternalMode{"all": roomkit.ExternalAll, "nobody": roomkit.ExternalOff}[m[2]]
		return s.somebody(roomkit.SetCompanyMessaging{Company: user.Company, With: outsiders[m[3]], Mode: &mode})
	}
	if m := ofTeam.FindStringSubmatch(text); m != nil {
		edit, is := roomkit.EditTeam{Team: "sales", Company: "acme"}, new(m[1] == "grants")
		switch m[2] {
		case "the team room":
			edit.Room = is
		case "the right over features":
			edit.Features = is
		default:
			edit.Photo = is
		}
		return s.somebody(edit)
	}
	switch text {
	case "company acme lets all talk with partners":
		return s.somebody(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalAll)})
	case "the group is made public", "the group is made private":
		return s.somebody(roomkit.Edit{Room: room, Public: new(strings.HasSuffix(text, "public"))})
	case "features are withheld from the Group Masters", "features are given back to the Group Masters":
		return s.somebody(roomkit.Edit{Room: room, WithholdFeatures: new(strings.Contains(text, "withheld"))})
	case "no consumers take part":
		if s.somebody(roomkit.Remove{Room: room, People: []roomkit.UserID{"lin"}}) != nil {
			s.by("lin", roomkit.Leave{Room: room})
		}
		return nil
	case "the room is opened again":
		return s.reopen(room)
	}
	if m := ofSwitch.FindStringSubmatch(text); m != nil {
		return s.somebody(switching(room, m[1], m[2] == "on"))
	}
	return fmt.Errorf("this test does not know how to do it: %q", text)
}

var outsiders = map[string]roomkit.Outsider{"partners": roomkit.OutsiderPartner, "consumers": roomkit.OutsiderConsumer}

func switching(room roomkit.RoomID, what string, on bool) roomkit.Edit {
	edit := roomkit.Edit{Room: room}
	map[string]func(){
		"message": func() { edit.Message = &on }, "Note": func() { edit.Note = &on }, "Event": func() { edit.Event = &on },
		"Task": func() { edit.Task = &on }, "Folder": func() { edit.Folder = &on }, "Mailing_list": func() { edit.MailingList = &on },
	}[what]()
	return edit
}

// makeOf makes a change of one person.
func (s *stage) makeOf(user roomkit.UserID, what, text string, room roomkit.RoomID) error {
	one := []roomkit.UserID{user}
	switch what {
	case "takes part", "takes part anew":
		return s.join(user, room)
	case "does not take part":
		return s.leave(user, room)
	case "is appointed":
		return s.somebody(roomkit.AppointMasters{Room: room, People: one})
	case "is no Group Master":
		s.anotherMaster(user, room)
		return s.somebody(roomkit.DismissMasters{Room: room, People: one})
	case "is an administrator", "is no administrator":
		return s.somebody(roomkit.EditUser{User: user, Administrator: new(what == "is an administrator")})
	case "leads":
		return s.sync(func(team *roomkit.SyncTeam) { team.Leader = user })
	case "does not lead":
		return s.sync(func(team *roomkit.SyncTeam) { team.Leader = "" })
	case "is suspended":
		return s.somebody(roomkit.SuspendUser{User: user})
	case "has an active":
		if is, err := s.svc.User(s.t.Context(), user); err != nil || is.Status == roomkit.StatusDeleted {
			return errors.Join(err, s.somebody(roomkit.RestoreUser{User: user}))
		}
		return s.somebody(roomkit.SuspendUser{User: user, Lift: true})
	case "converts":
		_, err := s.svc.Do(s.t.Context(), roomkit.By(user), roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "converted"})
		return err
	}
	with := outsiders[text[strings.LastIndexByte(text, ' ')+1:]]
	return s.somebody(roomkit.SetUserMessaging{User: user, With: with, Allow: new(what == "is given")})
}

func (s *stage) room(id roomkit.RoomID) *roomkit.Room {
	answers, err := store.Ask(s.t.Context(), s.st, []store.Need{{Room: id}})
	require.NoError(s.t, err)
	return &answers[0].Room
}

func (s *stage) join(user roomkit.UserID, id roomkit.RoomID) error {
	s.sweep()
	room := s.room(id)
	switch room.Kind {
	case roomkit.KindDirect:
		other := room.Parties[0]
		if other == user {
			other = room.Parties[1]
		}
		_, err := s.svc.Do(s.t.Context(), roomkit.By(user), roomkit.OpenDirect{With: other})
		return err
	case roomkit.KindTeam:
		return s.sync(func(team *roomkit.SyncTeam) {
			if !slices.Contains(team.Members, user) {
				team.Members = append(team.Members, user)
			}
		})
	}
	err := s.somebody(roomkit.Invite{Room: id, People: []roomkit.UserID{user}})
	if err != nil && room.Kind.IsGroup() { // an administrator may have to appoint first who then invites
		for _, other := range s.users {
			if other != user {
				_ = s.somebody(roomkit.AppointMasters{Room: id, People: []roomkit.UserID{other}})
			}
		}
		err = s.somebody(roomkit.Invite{Room: id, People: []roomkit.UserID{user}})
	}
	return err
}

func (s *stage) leave(user roomkit.UserID, id roomkit.RoomID) error {
	switch s.room(id).Kind {
	case roomkit.KindDirect, roomkit.KindGeneral:
		_, err := s.svc.Do(s.t.Context(), roomkit.By(user), roomkit.Leave{Room: id})
		return err
	case roomkit.KindTeam:
		return s.sync(func(team *roomkit.SyncTeam) {
			team.Members = slices.DeleteFunc(team.Members, func(id roomkit.UserID) bool { return id == user })
		})
	}
	s.anotherMaster(user, id)
	return s.somebody(roomkit.Remove{Room: id, People: []roomkit.UserID{user}})
}

// anotherMaster is there so that this one need not stay.
func (s *stage) anotherMaster(than roomkit.UserID, room roomkit.RoomID) {
	for _, user := range s.users {
		if user != than && s.somebody(roomkit.AppointMasters{Room: room, People: []roomkit.UserID{user}}) == nil {
			return
		}
	}
}

func (s *stage) sync(change func(*roomkit.SyncTeam)) error {
	team, err := s.svc.Team(s.t.Context(), "acme", "sales")
	require.NoError(s.t, err)
	cmd := roomkit.SyncTeam{Team: "sales", Company: "acme", Name: team.Name, Leader: team.Leader, Members: slices.Clone(team.Members)}
	change(&cmd)
	return s.somebody(cmd)
}

func (s *stage) reopen(id roomkit.RoomID) error {
	room := s.room(id)
	if room.Kind == roomkit.KindTeam {
		return s.somebody(roomkit.OpenTeamRoom{Team: "sales", Company: "acme"})
	}
	cmd := roomkit.Command(roomkit.OpenDirect{With: room.Parties[1]})
	if room.Kind == roomkit.KindSelf {
		cmd = roomkit.OpenSelf{}
	}
	_, err := s.svc.Do(s.t.Context(), roomkit.By(room.Parties[0]), cmd)
	return err
}

// TestWhyTells: the changes that matter are named.
func TestWhyTells(t *testing.T) {
	w := onSQLite(t)
	for _, c := range []struct{ name, call, want string }{
		{"a role", "why ben rename {group}", "becomes allowed if ben is appointed Group Master\n"},
		{"an office", "why ben rename {group}", "becomes allowed if ben is an administrator\n"},
		{"a switch", "why ann post {group}", "becomes allowed if message is switched on\n"},
		{"two at a time", "why dan post {group}", "becomes allowed if message is switched on, and dan takes part (joins now)\n"},
		{"a role that is lost", "why ann invite {external}", "is lost if ann is no Group Master any more\n"},
		{"nothing", "why ben leave {external}", "nobody may in a room of kind external_group, whatever is changed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, out, errs := w.call(t, words(c.call)...)
			require.Contains(t, out, c.want, errs)
		})
	}
}

// TestWhyGolden has what is printed for every action, in a group and an external group.
func TestWhyGolden(t *testing.T) {
	w := onSQLite(t)
	var calls []string
	for _, of := range []string{"why ann %s {group}", "why ben %s {external}"} {
		for _, action := range roomkit.AllActions() {
			calls = append(calls, fmt.Sprintf(of, action))
		}
	}
	golden(t, w, "testdata/why.golden", calls, true)
}
