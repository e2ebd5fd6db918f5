package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func (c *chat) masterRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/rooms/{room}/masters", c.as(c.showMasters))
	mux.Handle("POST /as/{user}/rooms/{room}/masters", c.as(c.changeMasters))
	mux.Handle("GET /as/{user}/rooms/{room}/masters/go", c.as(c.askHandOverAndGo))
}

// candidate is somebody who could be made Group Master.
type candidate struct {
	person
	Of      string
	Appoint deed
}

// candidates are those whom the search finds, or all.
type candidates struct {
	At      string // of the page
	Query   string
	Inside  listed[candidate] // take part
	Outside listed[candidate] // would manage without taking part
	Heirs   []candidate       // of all, those whom the role can go to
	Denied  *problem          // why nobody may be appointed
}

// masters is the pane of who manages a group.
type masters struct {
	candidates
	Masters []masterLine
	Mine    bool // the person is one of them
	Ways    []way
	Done    bool
}

// masterLine is a Group Master, with what would end the role.
type masterLine struct {
	person
	Of      string
	Me      bool
	Absent  bool // manages without taking part
	Dismiss deed
}

func (c *chat) mastersOf(ctx context.Context, o *openRoom, query string) (m masters, err error) {
	m.Ways, m.At, m.Query = c.waysOf(o.Row.Kind), o.URL()+"/masters", query
	may := c.mayNot(ctx, o, roomkit.ActionDismissMaster)
	for member, err := range c.svc.Members(ctx, o.Me.ID, o.View.Room, service.MemberList{Role: service.RoleMaster}) {
		if err != nil {
			return m, err
		}
		line := masterLine{person: c.people.person(member.User), Of: c.people.company(member.User), Me: member.User == o.Me.ID, Absent: !member.Participant}
		line.Dismiss = deed{Name: "dismiss-" + string(member.User), Label: "Dismiss", Denied: may}
		if line.Me {
			line.Dismiss.Label, m.Mine = "Give up the role", true
		}
		if may == nil {
			line.Dismiss.Denied = c.deny(ctx, o.Me.ID, roomkit.DismissMasters{Room: o.View.Room, People: []roomkit.UserID{member.User}})
		}
		m.Masters = append(m.Masters, line)
	}
	return m, c.fillCandidates(ctx, o, &m.candidates)
}

// fillCandidates says of those who take part, and of the others of the company, who can be
// made Group Master and why the others cannot.
func (c *chat) fillCandidates(ctx context.Context, o *openRoom, m *candidates) error {
	ids, inside, err := c.candidates(ctx, o, m.Query)
	if err != nil || len(ids) == 0 {
		return err
	}
	choices, err := c.svc.Choose(ctx, roomkit.By(o.Me.ID), roomkit.AppointMasters{Room: o.View.Room}, ids)
	if errors.Is(err, roomkit.ErrDenied) {
		m.Denied = c.problemOf(ctx, err)
		return nil
	}
	if err != nil {
		return err
	}
	for i, choice := range choices {
		if choice.Already {
			continue
		}
		one := candidate{person: c.people.person(choice.User), Of: c.people.company(choice.User)}
		one.Appoint = deed{Name: "appoint-" + string(choice.User), Label: "Make Group Master"}
		if len(choice.Against) > 0 {
			one.Appoint.Denied = (&problem{Rule: choice.Against[0].Rule, Detail: choice.Against[0].Reason}).cite()
		} else {
			m.Heirs = append(m.Heirs, one)
		}
		if i < inside {
			m.Inside.add(one, m.Query)
		} else {
			m.Outside.add(one, m.Query)
		}
	}
	return nil
}

// pool collects people for one question: the first ones, and of all after them those whom
// a search finds.
type pool struct {
	people directory
	query  string
	ids    []roomkit.UserID
	seen   map[roomkit.UserID]bool
}

// add reports whether there is room for more.
func (p *pool) add(id roomkit.UserID) (more bool) {
	first := len(p.ids) < roomkit.MaxPeople-foundMost
	if (first || p.query != "" && p.people.person(id).matches(p.query)) && !p.seen[id] {
		p.seen[id] = true
		p.ids = append(p.ids, id)
	}
	return first || p.query != "" && len(p.ids) < roomkit.MaxPeople
}

// candidates are those in the room, and then others of the company.
func (c *chat) candidates(ctx context.Context, o *openRoom, query string) (ids []roomkit.UserID, inside int, err error) {
	p := pool{people: c.people, query: query, seen: map[roomkit.UserID]bool{}}
	for member, err := range c.svc.Members(ctx, o.Me.ID, o.View.Room, service.MemberList{}) {
		if err != nil {
			return nil, 0, err
		}
		if !p.add(member.User) {
			break
		}
	}
	inside = len(p.ids)
	for user, err := range c.svc.Users(ctx, service.UserList{Company: o.Row.Company}) {
		if err != nil {
			return nil, 0, err
		}
		if user.Status == roomkit.StatusActive && !p.add(user.ID) {
			break
		}
	}
	return p.ids, inside, nil
}

func (c *chat) showMasters(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.mastersPage(w, r, me, nil)
}

// mastersPage shows who manages a group, and why something was refused.
func (c *chat) mastersPage(w http.ResponseWriter, r *http.Request, me roomkit.UserID, refused error) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	m, err := c.mastersOf(r.Context(), o, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	m.Done = r.URL.Query().Has("done")
	p := page{Title: "Group Masters of " + o.Title, Room: o, Data: m, Show: "main"}
	if refused != nil {
		p.Problem = c.problemOf(r.Context(), refused)
	}
	return c.show(w, r, me, "manage-masters", p)
}

// changeMasters appoints, dismisses, or hands over, and then maybe goes too.
func (c *chat) changeMasters(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	who := roomkit.UserID(r.PostForm.Get("who"))
	at := "/rooms/" + room.String() + "/masters?done"
	switch r.PostForm.Get("do") {
	case "appoint":
		_, err = c.send(r, me, roomkit.AppointMasters{Room: room, People: []roomkit.UserID{who}})
	case "dismiss":
		_, err = c.send(r, me, roomkit.DismissMasters{Room: room, People: []roomkit.UserID{who}})
	case "hand-over":
		_, err = c.send(r, me, roomkit.HandOver{Room: room, To: who})
	case "hand-over-and-go":
		err = c.handOverAndGo(r, me, room, who)
		at = goneFrom(room)
	default:
		err = &roomkit.Invalid{Field: "do", Reason: "not one of appoint, dismiss, hand-over, hand-over-and-go"}
	}
	if err != nil {
		return c.mastersPage(w, r, me, err)
	}
	return see(w, r, me, at)
}

// askHandOverAndGo says what going means, as leaving does.
func (c *chat) askHandOverAndGo(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	to := roomkit.UserID(r.FormValue("who"))
	name := c.met(r.Context(), me, to, o.View.Room.String()).Name
	ask := confirmation{
		Name: "hand-over-and-go", At: o.URL() + "/masters", Back: o.URL() + "/masters", Verb: "Hand over and go",
		Title:  "Hand over to " + name + " and go?",
		Fields: []link{{Name: "do", URL: "hand-over-and-go"}, {Name: "who", URL: string(to)}, {Name: "version", URL: strconv.FormatInt(int64(o.Row.Version), 10)}},
		Denied: c.deny(r.Context(), me, roomkit.HandOver{Room: o.View.Room, To: to}),
		Notes: []note{
			{name + " manages the group from then on, and you do not.", rulesOf(o.Row.Kind, "GRP-06", "GRP-06", "EXT-13")},
			{"You see nothing of it any more, not even what was said before.", rulesOf(o.Row.Kind, "GEN-10", "GRP-13", "EXT-20")},
		},
	}
	return c.show(w, r, me, "confirm", page{Title: ask.Title, Room: o, Data: ask, Show: "main"})
}

// handOverAndGo is for Group Masters who want to go: nobody leaves a group by themselves,
// but a master takes out anybody, as long as another one remains. Both happen or none.
func (c *chat) handOverAndGo(r *http.Request, me roomkit.UserID, room roomkit.RoomID, to roomkit.UserID) error {
	call, err := callOf(r)
	if err != nil {
		return err
	}
	appoint, leave := call, service.Call{}
	if call.Key != "" {
		appoint.Key, leave.Key = call.Key+" appoint", call.Key+" go"
	}
	return c.inTx(r.Context(), func(_ *sql.Tx, rooms *service.Service) error {
		if _, err := rooms.Do(r.Context(), roomkit.By(me), roomkit.AppointMasters{Room: room, People: []roomkit.UserID{to}}, appoint); err != nil {
			return err
		}
		_, err := rooms.Do(r.Context(), roomkit.By(me), roomkit.Remove{Room: room, People: []roomkit.UserID{me}}, leave)
		return err
	})
}

// way says who may do something in a room, by which rule.
type way struct {
	Name  string
	Label string
	Who   string
	Rule  *problem // that refuses all others
}

// waysShown are those that people ask about first.
var waysShown = []struct {
	action roomkit.Action
	label  string
}{
	{roomkit.ActionInvite, "Invite"},
	{roomkit.ActionRemove, "Remove"},
	{roomkit.ActionLeave, "Leave"},
	{roomkit.ActionAppointMaster, "Make Group Masters"},
	{roomkit.ActionRename, "Rename"},
}

var standings = []struct {
	standing roomkit.Standing
	words    string
}{
	{roomkit.StandingParticipant, "everybody in it"},
	{roomkit.StandingMaster, "Group Masters"},
	{roomkit.StandingLeader, "the team's leader"},
	{roomkit.StandingAdministrator, "the owner's administrators"},
}

// waysOf says who may do what in a room of this kind, by the rules that are in force.
func (c *chat) waysOf(kind roomkit.Kind) (list []way) {
	rules := c.svc.Rules()
	for _, shown := range waysShown {
		who := c.who(shown.action, kind)
		one := way{Name: shown.action.String(), Label: shown.label, Who: "nobody"}
		if len(who) > 0 {
			one.Who = joinWords(who)
		}
		one.Rule = (&problem{Rule: rules.RuleFor(shown.action, kind)}).cite()
		list = append(list, one)
	}
	return list
}

func joinWords(words []string) string {
	text := words[0]
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " and " + word
		} else {
			text += ", " + word
		}
	}
	return text
}
