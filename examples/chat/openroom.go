package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

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
	Newcomer bool     // reads from joining only, and nothing has been said since
	Gone     *problem // why nothing is seen any more; then the rest is empty
	Key      string
}

// shown is a message with its author.
type shown struct {
	message
	By      person
	Mine    bool
	Profile string      // the page of the author
	Before  []happening // since the message before
}

// memberLine is one of the people in the right column.
type memberLine struct {
	person
	Profile string
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

// profile is the page of somebody whom one meets in the room.
func (o *openRoom) profile(of roomkit.UserID) string {
	return "/as/" + url.PathEscape(string(o.Me.ID)) + "/profile/" + url.PathEscape(string(of)) + "?room=" + o.View.Room.String()
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
	o.Newcomer = len(o.Messages) == 0 && reads(o.View.Access) && !o.View.ReadFrom.All
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
		if s.cut && len(list) > 0 && list[0].Version < s.after {
			gap := happening{Version: s.after, Words: sentence{}.say("Some of what happened here is left out")}
			o.Since = append([]happening{gap}, o.Since...)
		}
		earlier = earlier || s.cut && readFrom(o.View.Access) <= s.after
	}
	for _, m := range list {
		n := 0
		for n < len(o.Since) && o.Since[n].Version <= m.Version {
			n++
		}
		o.Messages = append(o.Messages, shown{m, c.people.person(m.Author), m.Author == o.Me.ID, o.profile(m.Author), o.Since[:n]})
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
		line := memberLine{person: c.people.person(m.User), Profile: o.profile(m.User), Me: m.User == o.Me.ID, Manages: !m.Participant}
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
