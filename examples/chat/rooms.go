package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func (c *chat) roomRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/{$}", c.as(c.showRooms))
	mux.Handle("GET /as/{user}/list", c.as(c.showList))
	mux.Handle("GET /as/{user}/rooms/{room}", c.as(c.showRoom))
	mux.Handle("GET /as/{user}/rooms/{room}/now", c.as(c.showNow))
	mux.Handle("POST /as/{user}/rooms/{room}", c.as(c.sendMessage))
}

// roomLine is a room in the list.
type roomLine struct {
	View   roomkit.RoomView
	Title  string
	Kind   string
	Last   time.Time
	Said   string
	By     string
	Unread int
	Open   bool
}

// External says that the badge marks the room as one with users of other companies.
func (l roomLine) External() bool {
	return l.View.Kind == roomkit.KindExternalGroup && l.View.WithPartners
}

// roomList is the left column.
type roomList struct {
	Me   roomkit.UserID
	Rows []roomLine
	More int // how many to ask for to see more; 0: these are all
	Rest int // how many older ones a page does not show
	Size int // how many were asked for
	Open roomkit.RoomID
	New  int // notices that were not seen yet

	Denied *problem // why there are none
}

const (
	listPage = 50
	listMost = 1000
)

func listLimit(r *http.Request) int { return numberOf(r, "rooms", listPage, listMost) }

// numberOf reads a number of a URL: there is nothing to refuse, so odd ones are the usual.
func numberOf(r *http.Request, name string, usual, most int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 1 {
		return usual
	}
	return min(n, most)
}

// list gives the rooms of a person in the order of the last message, or of coming in.
func (c *chat) list(ctx context.Context, me roomkit.UserID, open roomkit.RoomID, limit int) (l roomList, err error) {
	l.Me, l.Open, l.Size = me, open, limit
	if l.New, err = c.unseen(ctx, me); err != nil {
		return l, err
	}
	since := map[roomkit.RoomID]time.Time{}
	var ids []roomkit.RoomID
	for entry, err := range c.svc.Rooms(ctx, me, service.RoomList{}) {
		if err != nil {
			return l, err
		}
		ids = append(ids, entry.Room.ID)
		since[entry.Room.ID] = entry.Member.JoinedAt
	}
	last, err := c.last(ctx, ids)
	if err != nil {
		return l, err
	}
	for id, t := range last {
		if t.last.After(since[id]) {
			since[id] = t.last
		}
	}
	slices.SortStableFunc(ids, func(a, b roomkit.RoomID) int { return since[b].Compare(since[a]) })
	if len(ids) > limit {
		if l.More = limit + listPage; limit >= listMost {
			l.More, l.Rest = 0, len(ids)-limit
		}
		ids = ids[:limit]
	}
	for part := range slices.Chunk(ids, roomkit.MaxScreenRooms) {
		if err := c.lines(ctx, &l, part, since); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (c *chat) lines(ctx context.Context, l *roomList, ids []roomkit.RoomID, since map[roomkit.RoomID]time.Time) error {
	views, err := c.svc.Screen(ctx, l.Me, ids...)
	if err != nil {
		return err
	}
	said, err := c.unread(ctx, l.Me, views)
	if err != nil {
		return err
	}
	for _, v := range views {
		if v.Kind == roomkit.KindNone {
			continue // gone meanwhile
		}
		t := said[v.Room]
		line := roomLine{View: v, Title: c.title(l.Me, v), Kind: kindLabels[v.Kind], Last: since[v.Room], Said: t.said, Unread: t.unread, Open: v.Room == l.Open}
		if t.by != "" {
			line.By = c.people.name(t.by)
		}
		l.Rows = append(l.Rows, line)
	}
	return nil
}

var kindLabels = map[roomkit.Kind]string{
	roomkit.KindSelf: "Message to me", roomkit.KindDirect: "1:1", roomkit.KindGeneral: "Room", roomkit.KindGroup: "Group",
	roomkit.KindExternalGroup: "External group", roomkit.KindTeam: "Team",
}

// title is the room's name, or the names of people.
func (c *chat) title(me roomkit.UserID, v roomkit.RoomView) string {
	if v.Name != "" {
		return v.Name
	}
	if v.Kind == roomkit.KindSelf {
		return "Message to me"
	}
	var names []string
	for _, id := range v.People {
		names = append(names, c.people.name(id))
	}
	if len(names) == 0 {
		return c.people.name(me)
	}
	if more := v.Counts.Participants - 1 - int64(len(names)); more > 0 {
		names = append(names, strconv.FormatInt(more, 10)+" more")
	}
	return strings.Join(names, ", ")
}

func (c *chat) showRooms(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.show(w, r, me, "welcome", page{Title: "Rooms", Show: "rooms"})
}

// showList is the left column alone, for when it has changed.
func (c *chat) showList(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	open, _ := roomkit.ParseRoomID(r.FormValue("room"))
	list, err := c.list(r.Context(), me, open, listLimit(r))
	if err != nil {
		list.Denied = c.problemOf(err)
		c.part(w, list.Denied.Status, "rooms", list)
		return nil
	}
	c.part(w, 0, "rooms", list)
	return nil
}

// openRoom is a room with what was said, who is there, and what may be done.
type openRoom struct {
	Me       person
	View     roomkit.RoomView
	Row      roomkit.Room
	Title    string
	Kind     string
	Company  string // that owns a group or a team
	Messages []shown
	Since    []happening       // after the last message
	Earlier  int               // how many to ask for to see earlier ones; 0: these are all
	Size     int               // how many messages were asked for
	From     service.PageToken // where the people begin
	People   []memberLine
	After    service.PageToken // more people
	Deeds    []deed
	Ways     []way    // who may do what in a room of this kind
	Silent   *problem // why nothing may be written
	Gone     *problem // why nothing is seen any more; then the rest is empty
	Key      string
}

// shown is a message with its author.
type shown struct {
	message
	By     person
	Mine   bool
	Before []happening // since the message before
}

// memberLine is one of the people in the right column.
type memberLine struct {
	person
	Of      string // the company, where there are several
	Roles   []string
	Me      bool
	Remove  deed
	Manages bool // without taking part
}

const (
	messagesPage = 50
	messagesMost = 2000
	peoplePage   = 100
)

// URL is that of the room's page.
func (o *openRoom) URL() string {
	return "/as/" + url.PathEscape(string(o.Me.ID)) + "/rooms/" + o.View.Room.String()
}

// Masterless says that the group goes on without anybody who manages it.
func (o *openRoom) Masterless() bool { return o.Row.Kind.IsGroup() && o.Row.Masters == 0 }

// openRoom gathers a room as somebody sees it. Whoever may not know of it gets the same
// error as for none.
func (c *chat) openRoom(r *http.Request, me roomkit.UserID) (*openRoom, error) {
	ctx := r.Context()
	id, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return nil, roomkit.ErrNotFound // a room that nobody can know of
	}
	row, err := c.svc.Room(ctx, me, id)
	if err != nil {
		return nil, err
	}
	limit := numberOf(r, "messages", messagesPage, messagesMost)
	said, err := c.converse(ctx, row, limit)
	if err != nil {
		return nil, err
	}
	views, err := c.svc.Screen(ctx, me, id)
	if err != nil {
		return nil, err
	}
	if views[0].Kind == roomkit.KindNone {
		return nil, roomkit.ErrNotFound // lost meanwhile
	}
	o := &openRoom{Me: c.people.person(me), View: views[0], Row: row, Title: c.title(me, views[0]), Kind: kindLabels[row.Kind], Key: uuid.NewString()}
	if row.Kind.HasBadge() {
		o.Company = cmp.Or(c.people.companies[row.Company], string(row.Company))
	}
	c.fillMessages(o, said, limit)
	if err := c.fillPeople(ctx, o, service.PageToken(r.FormValue("people"))); err != nil {
		return nil, err
	}
	c.fillDeeds(ctx, o)
	return o, nil
}

// said is what was said and what happened in a room lately, whoever may read it.
type said struct {
	messages []message
	events   []roomkit.Event
	after    roomkit.Version // the events are those behind it
	cut      bool            // there can be more between it and the first message
}

// converse reads a room's last messages, and what happened since those before, or the last
// of it.
func (c *chat) converse(ctx context.Context, row roomkit.Room, limit int) (s said, err error) {
	if s.messages, err = c.newest(ctx, row.ID, limit+1); err != nil {
		return s, err
	}
	if len(s.messages) > limit {
		s.after = s.messages[0].Version
	}
	if most := row.Version - roomkit.Version(2*limit); most > s.after {
		s.after, s.cut = most, true
	}
	s.events, err = c.happened(ctx, row.ID, s.after, row.Version)
	return s, err
}

// fillMessages puts what may be read in the order of the room's versions.
func (c *chat) fillMessages(o *openRoom, s said, limit int) {
	list, earlier := readable(o.View.Access, s.messages, limit)
	o.Size = limit
	if reads(o.View.Access) {
		o.Since = c.tell(o.View.Access, s.events)
		earlier = earlier || s.cut && readFrom(o.View.Access) <= s.after
	}
	for _, m := range list {
		n := 0
		for n < len(o.Since) && o.Since[n].Version <= m.Version {
			n++
		}
		o.Messages = append(o.Messages, shown{m, c.people.person(m.Author), m.Author == o.Me.ID, o.Since[:n]})
		o.Since = o.Since[n:]
	}
	if earlier && limit < messagesMost {
		o.Earlier = limit * 2
	}
}

// fillPeople lists who is there. Who may not see them sees nobody.
func (c *chat) fillPeople(ctx context.Context, o *openRoom, after service.PageToken) error {
	if !o.View.Can(roomkit.ActionSeeMembers) {
		return nil
	}
	members, err := c.svc.MembersPage(ctx, o.Me.ID, o.View.Room, service.MemberList{Limit: peoplePage, After: after})
	if err != nil {
		return err
	}
	leader := c.leader(ctx, o.Row)
	removing := c.mayNot(ctx, o, roomkit.ActionRemove)
	for _, m := range members.Rows {
		line := memberLine{person: c.people.person(m.User), Me: m.User == o.Me.ID, Manages: !m.Participant}
		if o.View.WithPartners || o.View.WithConsumers {
			line.Of = c.people.company(m.User)
		}
		if m.Master {
			line.Roles = append(line.Roles, "Group Master")
		}
		if m.User == leader {
			line.Roles = append(line.Roles, "Leader")
		}
		line.Remove = deed{
			Name: "remove-" + string(m.User), Label: "Remove " + line.Name, Sign: "×", Denied: removing,
			URL: o.URL() + "/remove?who=" + url.QueryEscape(string(m.User)),
		}
		if removing == nil && (m.Master || line.Me) {
			line.Remove.Denied = c.deny(ctx, o.Me.ID, roomkit.Remove{Room: o.View.Room, People: []roomkit.UserID{m.User}})
		}
		o.People = append(o.People, line)
	}
	o.From, o.After = after, members.Next
	return nil
}

// leader leads the team whose room it is.
func (c *chat) leader(ctx context.Context, row roomkit.Room) roomkit.UserID {
	if row.Kind != roomkit.KindTeam {
		return ""
	}
	team, err := c.svc.Team(ctx, row.Company, row.Team)
	if err != nil {
		return ""
	}
	return team.Leader
}

// roomWays are the buttons above a conversation, each with the action that it needs.
var roomWays = []struct {
	action roomkit.Action
	label  string
	at     string // below the room's page
}{
	{roomkit.ActionInvite, "Invite", "/invite"},
	{roomkit.ActionSource, "New room", "/new"},
	{roomkit.ActionLeave, "Leave", "/leave"},
}

// mayNot is denial in an open room, of which it is known what is allowed.
func (c *chat) mayNot(ctx context.Context, o *openRoom, action roomkit.Action) *problem {
	if o.View.Can(action) {
		return nil
	}
	return c.denial(ctx, o.Me.ID, action, o.View.Room)
}

func (c *chat) fillDeeds(ctx context.Context, o *openRoom) {
	for _, way := range roomWays {
		denied := c.mayNot(ctx, o, way.action)
		o.Deeds = append(o.Deeds, deed{Name: way.action.String(), Label: way.label, URL: o.URL() + way.at, Denied: denied})
	}
	o.Deeds = append(o.Deeds, manageDeeds(o)...)
	o.Ways = c.waysOf(o.Row.Kind)
	o.Silent = c.mayNot(ctx, o, roomkit.ActionPost)
}

func (c *chat) showRoom(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	c.mark(me, o.Messages)
	show := "main"
	if r.FormValue("show") == "people" {
		show = "people"
	}
	return c.show(w, r, me, "conversation", page{Title: o.Title, Room: o, Show: show})
}

// showNow gives all of an open room that can have changed. Who has lost the room gets
// an empty one, with the rule, in the same places.
func (c *chat) showNow(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		id, _ := roomkit.ParseRoomID(r.PathValue("room"))
		p := c.explain(r.Context(), me, id, err)
		o = &openRoom{Me: c.people.person(me), View: roomkit.RoomView{Access: roomkit.Access{Room: id}}, Title: p.Title, Gone: p, Silent: p}
	}
	c.mark(me, o.Messages)
	c.part(w, 0, "now", o)
	return nil
}

// sendMessage stores a message and shows the room again, or why it was refused with the text
// as it was typed.
func (c *chat) sendMessage(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	_, err = c.post(r.Context(), draft{Room: room, Author: me, Body: r.PostForm.Get("body"), Key: r.PostForm.Get("key")})
	switch {
	case fragment(r) && err == nil:
		w.Header().Set("HX-Trigger", "sent")
		c.part(w, 0, "compose-key", uuid.NewString())
		return nil
	case fragment(r):
		return err
	case err == nil:
		return see(w, r, me, "/rooms/"+room.String())
	}
	o, gone := c.openRoom(r, me)
	if gone != nil {
		return c.show(w, r, me, "problem", page{Title: "Not sent", Problem: c.explain(r.Context(), me, room, err), Form: r.PostForm, Show: "main"})
	}
	return c.show(w, r, me, "conversation", page{Title: o.Title, Room: o, Problem: c.problemOf(err), Form: r.PostForm, Show: "main"})
}
