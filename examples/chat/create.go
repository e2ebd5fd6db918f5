package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Making a room, and bringing people into one: people are chosen, each eligible judged
// by the service with every click, then the room is named and confirmed. Every step is a
// URL; only the last one posts. The key is in the URL too, so that whoever goes back and
// sends the same again gets the same room.
func (c *chat) createRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/new", c.as(c.showNew))
	mux.Handle("GET /as/{user}/contacts", c.as(c.showContacts))
	mux.Handle("GET /as/{user}/team/{company}/{team}", c.as(c.askTeam))
	mux.Handle("POST /as/{user}/team/{company}/{team}", c.as(c.openTeam))
	for at, load := range map[string]loader{
		"/as/{user}/new/{way}":           c.loadNew,
		"/as/{user}/rooms/{room}/new":    c.loadSource,
		"/as/{user}/rooms/{room}/invite": c.loadInvite,
		"/as/{user}/file/{file}/{n}":     c.loadFile,
	} {
		mux.Handle("GET "+at, c.as(c.choosing(load)))
		mux.Handle("POST "+at, c.as(c.making(load)))
	}
}

// creation is one way of making a room from people.
type creation struct {
	Name      string
	Label     string
	Heading   string
	Hint      string
	Group     bool // it has a name and settings, and may begin with nobody else
	Outsiders bool // the chart shows people of other companies
}

// ways are those that begin with an empty choice. The first two are the audiences, one of
// which comes first (CRE-02), the others the groups of Contacts (CRE-34, CRE-35).
var ways = []creation{
	{Name: "members", Label: "Company members", Heading: "New room with company members", Hint: "A 1:1 room with one, a room with several. Everybody in it may invite, remove and leave."},
	{Name: "external", Label: "External users", Heading: "New room with external users", Hint: "A 1:1 room with one. With several of other companies, and colleagues too, an external group.", Outsiders: true},
	{Name: "group", Label: "Group", Heading: "New group", Hint: "Colleagues only. You become Group Master: only masters invite and remove, nobody leaves alone.", Group: true},
	{Name: "external-group", Label: "External group", Heading: "New external group", Hint: "People of several companies. You become Group Master.", Group: true, Outsiders: true},
}

// loader reads a choice from its URL or form.
type loader func(r *http.Request, me roomkit.UserID) (*choice, error)

// choice is whom somebody has chosen for a command, and whom one could choose besides.
type choice struct {
	creation
	Me     roomkit.UserID
	At     string // path of its pages
	Key    string
	Title  string
	Verb   string // what the last button says
	Room   *openRoom
	File   *readFile
	Query  string
	Chosen []eligible
	Groups []group // of the chart, or what was found
	Problem,
	Done *problem // why the command may not be given; why it was refused just now

	Form    url.Values
	Named   []roomkit.UserID // come first: the members of another room, the people of a file
	NamedAs string
	unfold  []string // keys of the groups that show their people
	command func(people []roomkit.UserID) roomkit.Command

	Dropped  []person        // of the room from which one begins: they do not come along
	result   *service.Result // what will come of it; nil: that is not known yet
	NeedName bool
	Offers   []offer
}

func newChoice(r *http.Request, me roomkit.UserID, w creation) *choice {
	ch := &choice{creation: w, Me: me, At: r.URL.EscapedPath(), Title: w.Heading, Verb: "Create", Form: r.Form}
	ch.Key = cmp.Or(r.Form.Get("key"), uuid.NewString())
	ch.Query = r.Form.Get("q")
	ch.unfold = r.Form["open"]
	return ch
}

// people are those who are chosen, and for whom no rule is known that refuses them.
func (ch *choice) people() (people []roomkit.UserID) {
	for _, p := range ch.Chosen {
		if len(p.Why) == 0 {
			people = append(people, p.ID)
		}
	}
	return people
}

// Values are what the pages of the choice carry.
func (ch *choice) Values() url.Values {
	v := url.Values{"key": {ch.Key}, "chosen": {"1"}}
	for _, p := range ch.Chosen {
		v.Add("who", string(p.ID))
	}
	for _, g := range ch.Groups {
		if g.Open && !g.Fixed {
			v.Add("open", g.Key)
		}
	}
	if ch.Query != "" {
		v.Set("q", ch.Query)
	}
	return v
}

// URL is that of the page where people are chosen.
func (ch *choice) URL() string { return ch.At + "?" + ch.Values().Encode() }

// Single says that the choice makes a 1:1 room, which has no name of its own (CRE-10).
func (ch *choice) Single() bool { return !ch.Group && ch.Name != "invite" && len(ch.Chosen) == 1 }

// ready says that there is somebody to go on with.
func (ch *choice) ready() bool { return ch.Group || len(ch.Chosen) > 0 }

func (c *chat) loadNew(r *http.Request, me roomkit.UserID) (*choice, error) {
	i := slices.IndexFunc(ways, func(w creation) bool { return w.Name == r.PathValue("way") })
	if i < 0 {
		return nil, roomkit.ErrNotFound
	}
	ch := newChoice(r, me, ways[i])
	ch.command = ch.newRoom
	return ch, nil
}

// newRoom is the command of the ways that begin with an empty choice.
func (ch *choice) newRoom(people []roomkit.UserID) roomkit.Command {
	name, photo, about := ch.Form.Get("name"), ch.Form.Get("photo"), ch.Form.Get("description")
	switch ch.Name {
	case "group":
		return roomkit.CreateGroup{Name: name, Members: people, Photo: photo, Description: about, Settings: beginsWith(ch.Form)}
	case "external-group":
		return roomkit.CreateExternalGroup{Name: name, Members: people, Photo: photo, Description: about, Settings: beginsWith(ch.Form)}
	case "external":
		return ch.createRoom(people, roomkit.CreateRoom{Audience: roomkit.AudienceExternal})
	}
	return ch.createRoom(people, roomkit.CreateRoom{Audience: roomkit.AudienceMembers})
}

// createRoom adds what the form says to a command. An offered room that is chosen is not
// changed by it (CRE-05), and a 1:1 room has none of it (CRE-10).
func (ch *choice) createRoom(people []roomkit.UserID, cmd roomkit.CreateRoom) roomkit.Command {
	cmd.People = people
	cmd.Existing, _ = roomkit.ParseRoomID(ch.Form.Get("existing")) // not one: it is judged as none
	cmd.AllowDuplicate = ch.Form.Get("anyway") != ""
	if len(people) > 1 {
		cmd.Name, cmd.Photo, cmd.Description = ch.Form.Get("name"), ch.Form.Get("photo"), ch.Form.Get("description")
	}
	return cmd
}

// beginsWith reads what a group begins with (EXT-36).
func beginsWith(form url.Values) roomkit.GroupSettings {
	s := roomkit.GroupSettings{Public: form.Has("public"), HistorySharing: form.Has("history"), Notify: form.Has("notify")}
	var off []roomkit.Feature
	for name, f := range features {
		if form.Has("settings") && !form.Has(name) {
			off = append(off, f)
		}
	}
	s.FeaturesOff = roomkit.Features(off...)
	return s
}

// loadSource begins with the members of a room (CRE-23) and goes on with anybody (CRE-24).
func (c *chat) loadSource(r *http.Request, me roomkit.UserID) (*choice, error) {
	o, err := c.openRoom(r, me)
	if err != nil {
		return nil, err
	}
	ch := newChoice(r, me, creation{Name: "source", Heading: "New room from " + o.Title, Outsiders: true,
		Hint: "Take some of its people along, and add others. That room stays as it is, and nothing of it comes along."})
	ch.Room, ch.NamedAs = o, "People of "+o.Title
	ch.command = func(people []roomkit.UserID) roomkit.Command {
		return ch.createRoom(people, roomkit.CreateRoom{Origin: roomkit.OriginRoom, Source: o.View.Room})
	}
	if !o.View.Can(roomkit.ActionSeeMembers) {
		return ch, nil
	}
	members, err := c.svc.MembersPage(r.Context(), me, o.View.Room, service.MemberList{Limit: namedMost})
	if err != nil {
		return nil, err
	}
	for _, m := range members.Rows {
		if m.User != me && m.Participant {
			ch.Named = append(ch.Named, m.User)
		}
	}
	return ch, nil
}

// loadInvite brings people into a room, or into a new one where it cannot take them.
func (c *chat) loadInvite(r *http.Request, me roomkit.UserID) (*choice, error) {
	o, err := c.openRoom(r, me)
	if err != nil {
		return nil, err
	}
	ch := newChoice(r, me, creation{Name: "invite", Heading: "Invite into " + o.Title, Outsiders: o.Row.Kind != roomkit.KindGroup && o.Row.Kind != roomkit.KindTeam,
		Hint: "They take part at once."})
	ch.Room, ch.Verb = o, "Invite"
	if ch.pair() {
		ch.Title, ch.Hint = "New room with "+o.Title+" and others", "This 1:1 stays as it is: a new, empty room opens for all of you."
	}
	ch.command = func(people []roomkit.UserID) roomkit.Command {
		return roomkit.Invite{Room: o.View.Room, People: people, Name: ch.Form.Get("name")}
	}
	return ch, nil
}

// choosing shows the choice, or, as its second step, what will come of it.
func (c *chat) choosing(load loader) handler {
	return func(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
		if err := r.ParseForm(); err != nil {
			return &roomkit.Invalid{Field: "form", Reason: err.Error()}
		}
		ch, err := load(r, me)
		if err != nil {
			return err
		}
		if err := c.take(r.Context(), ch); err != nil {
			return err
		}
		if r.Form.Get("step") == "details" && ch.ready() {
			return c.showDetails(w, r, ch)
		}
		return c.showChoice(w, r, ch)
	}
}

func (c *chat) showChoice(w http.ResponseWriter, r *http.Request, ch *choice) error {
	if err := c.lay(r.Context(), ch); err != nil {
		return err
	}
	if ch.Blocked() == nil && ch.Name == "invite" {
		if err := c.outcomeOf(r.Context(), ch); err != nil {
			return err
		}
		if notes := ch.Outcome(); len(notes) > 0 {
			ch.Hint = notes[0].Text
		}
	}
	status := 0
	if p := cmp.Or(ch.Done, ch.Problem); p != nil {
		status = p.Status
	}
	if fragment(r) {
		w.Header().Set("HX-Replace-Url", ch.URL())
		return c.write(w, status, panes["create-choose"], "choice", ch)
	}
	return c.show(w, r, ch.Me, "create-choose", page{Title: ch.Title, Status: status, Data: ch, Room: ch.Room, Show: "main"})
}

// offer is a room that the chosen people share already.
type offer struct {
	roomkit.Offer
	Title string
	Kind  string
}

// showDetails says what will come into being, and before that which rooms these people
// share already.
func (c *chat) showDetails(w http.ResponseWriter, r *http.Request, ch *choice) error {
	ctx := r.Context()
	if err := c.outcomeOf(ctx, ch); err != nil {
		return err
	}
	if ch.Problem == nil && !ch.Group && ch.Name != "invite" && len(ch.Chosen) > 1 {
		offers, err := c.svc.Recommend(ctx, ch.Me, ch.people(), ch.audience(), false)
		if err == nil {
			err = c.offer(ctx, ch, offers)
		}
		if err != nil {
			ch.Problem = c.problemOf(ctx, err)
		}
	}
	status := 0
	if p := cmp.Or(ch.Done, ch.Problem); p != nil {
		status = p.Status
	}
	return c.show(w, r, ch.Me, "create-details", page{Title: ch.Title, Status: status, Data: ch, Room: ch.Room, Show: "main"})
}

func (ch *choice) audience() roomkit.Audience {
	if cmd, ok := ch.command(nil).(roomkit.CreateRoom); ok {
		return cmd.Audience
	}
	return roomkit.AudienceNone
}

func (c *chat) offer(ctx context.Context, ch *choice, offers []roomkit.Offer) error {
	var ids []roomkit.RoomID
	for _, o := range offers {
		ids = append(ids, o.Room.ID)
	}
	views, err := c.svc.Screen(ctx, ch.Me, ids...)
	if err != nil {
		return err
	}
	ch.Offers = nil
	for i, o := range offers {
		ch.Offers = append(ch.Offers, offer{o, c.title(ch.Me, views[i]), kindLabels[o.Room.Kind]})
	}
	return nil
}

// outcomeOf asks which kind of room the command would make. A name that is still to be
// given stands in for itself.
func (c *chat) outcomeOf(ctx context.Context, ch *choice) error {
	result, err := c.svc.Plan(ctx, roomkit.By(ch.Me), ch.planned("?"+ch.Key))
	if err != nil {
		if errors.Is(err, roomkit.ErrNotFound) {
			return err
		}
		ch.Problem = ch.refusal(err)
		return nil
	}
	_, err = c.svc.Plan(ctx, roomkit.By(ch.Me), ch.planned(""))
	ch.NeedName = errors.Is(err, roomkit.ErrInvalid)
	ch.result = &result
	ch.Dropped = nil
	for _, id := range result.Dropped {
		ch.Dropped = append(ch.Dropped, c.people.person(id))
	}
	return nil
}

// planned is the command with a name, and without a look at rooms that are there already.
func (ch *choice) planned(name string) roomkit.Command {
	typed := ch.Form
	defer func() { ch.Form = typed }()
	ch.Form = maps.Clone(typed)
	ch.Form.Set("name", name)
	ch.Form.Set("anyway", "1")
	ch.Form.Del("existing")
	return ch.command(ch.ids())
}

// making gives the command. After a refusal the same page says why, with all that was chosen and
// typed.
func (c *chat) making(load loader) handler {
	return func(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
		ch, err := load(r, me)
		if err != nil {
			return err
		}
		if err := c.take(r.Context(), ch); err != nil {
			return err
		}
		call := service.Call{}
		if r.PostForm.Has("key") { // it is the same only with all that the form says
			sum := sha256.Sum256([]byte(r.PostForm.Encode()))
			call.Key = hex.EncodeToString(sum[:])
		}
		result, err := c.svc.Do(r.Context(), roomkit.By(me), ch.command(ch.ids()), call)
		if err == nil {
			return see(w, r, me, "/rooms/"+result.Room.String())
		}
		return c.notMade(w, r, ch, err)
	}
}

func (c *chat) notMade(w http.ResponseWriter, r *http.Request, ch *choice, err error) error {
	ch.Done = ch.refusal(err)
	if errors.Is(err, roomkit.ErrNotFound) {
		return err
	}
	if len(ch.Chosen) == 0 && !ch.Group {
		return c.showChoice(w, r, ch)
	}
	return c.showDetails(w, r, ch)
}

func (ch *choice) roomID() (room roomkit.RoomID) {
	if ch.Room != nil {
		room = ch.Room.View.Room
	}
	return room
}
