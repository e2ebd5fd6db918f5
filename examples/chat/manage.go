package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

func (c *chat) manageRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/rooms/{room}/settings", c.as(c.showSettings))
	mux.Handle("POST /as/{user}/rooms/{room}/settings", c.as(c.editSettings))
	mux.Handle("GET /as/{user}/rooms/{room}/settings/{step}", c.as(c.showStep))
	mux.Handle("POST /as/{user}/rooms/{room}/settings/{step}", c.as(c.takeStep))
	mux.Handle("GET /as/{user}/rooms/{room}/changed", c.as(c.showChanged))
	c.masterRoutes(mux)
}

// manageDeeds are the buttons above a conversation that lead to the settings and to who
// manages a group: everybody may look at them.
func manageDeeds(o *openRoom) []deed {
	list := []deed{{Name: "settings", Label: "Settings", URL: o.URL() + "/settings"}}
	if o.Row.Kind == roomkit.KindGroup || o.Row.Kind == roomkit.KindExternalGroup {
		list = append(list, deed{Name: "masters", Label: "Group Masters", URL: o.URL() + "/masters"})
	}
	return list
}

// setting is one property of a room, as a form shows and changes it.
type setting struct {
	Name    string // of the field
	Label   string
	Hint    string
	action  roomkit.Action
	now     func(room *roomkit.Room) string
	set     func(edit *roomkit.Edit, value string)
	Was     string // in the room now, or when the page was shown that is sent
	Value   string // what the form has
	Denied  *problem
	Changed bool // by somebody else, since the page was shown
}

// Deed shows the setting where it may not be changed.
func (s setting) Deed() deed {
	label := "Change " + strings.ToLower(s.Label)
	if s.Was == on || s.Was == off {
		label = s.Label + ": " + s.Was
	}
	return deed{Name: s.action.String(), Label: label, Denied: s.Denied}
}

// Shown is the value in words.
func (s setting) Shown() string {
	if s.Was == "" {
		return "none"
	}
	return s.Was
}

const on, off = "on", "off"

func onOff(yes bool) string {
	if yes {
		return on
	}
	return off
}

// text is a setting that is typed or chosen.
func text(name, label string, action roomkit.Action, now func(*roomkit.Room) string, field func(*roomkit.Edit) **string) setting {
	return setting{Name: name, Label: label, action: action, now: now, set: func(e *roomkit.Edit, value string) { *field(e) = &value }}
}

// toggle is a setting that is on or off.
func toggle(name, label, hint string, action roomkit.Action, now func(*roomkit.Room) bool, field func(*roomkit.Edit) **bool) setting {
	return setting{
		Name: name, Label: label, Hint: hint, action: action,
		now: func(r *roomkit.Room) string { return onOff(now(r)) },
		set: func(e *roomkit.Edit, value string) { *field(e) = new(value == on) },
	}
}

func feature(name, label string, action roomkit.Action, f roomkit.Feature, field func(*roomkit.Edit) **bool) setting {
	return toggle(name, label, "", action, func(r *roomkit.Room) bool { return r.Features.Has(f) }, field)
}

// texts and toggles are all settings of all kinds of rooms. Which of them a kind has, and
// who may change them, the library says.
var texts = []setting{
	text("name", "Name", roomkit.ActionRename, func(r *roomkit.Room) string { return r.Name }, func(e *roomkit.Edit) **string { return &e.Name }),
	text("photo", "Photo", roomkit.ActionChangePhoto, func(r *roomkit.Room) string { return r.Photo }, func(e *roomkit.Edit) **string { return &e.Photo }),
	text("description", "Description", roomkit.ActionDescribe,
		func(r *roomkit.Room) string { return r.Description }, func(e *roomkit.Edit) **string { return &e.Description }),
}

var toggles = []setting{
	toggle("public", "Public", "Colleagues find the group and see who is in it. They read nothing.", roomkit.ActionSetVisibility,
		func(r *roomkit.Room) bool { return r.Public }, func(e *roomkit.Edit) **bool { return &e.Public }),
	toggle("history", "Newcomers read earlier messages", "For people who join from now on.", roomkit.ActionShareHistory,
		func(r *roomkit.Room) bool { return r.HistorySharing }, func(e *roomkit.Edit) **bool { return &e.HistorySharing }),
	toggle("notify", "Group notification", "Members are told who is added, removed or made Group Master.", roomkit.ActionSetNotification,
		func(r *roomkit.Room) bool { return r.Notify }, func(e *roomkit.Edit) **bool { return &e.Notify }),
	feature("note", "Note", roomkit.ActionSwitchNote, roomkit.FeatureNote, func(e *roomkit.Edit) **bool { return &e.Note }),
	feature("event", "Event", roomkit.ActionSwitchEvent, roomkit.FeatureEvent, func(e *roomkit.Edit) **bool { return &e.Event }),
	feature("task", "Task", roomkit.ActionSwitchTask, roomkit.FeatureTask, func(e *roomkit.Edit) **bool { return &e.Task }),
	feature("folder", "Folder", roomkit.ActionSwitchFolder, roomkit.FeatureFolder, func(e *roomkit.Edit) **bool { return &e.Folder }),
	feature("mailing", "Mailing list", roomkit.ActionSwitchMailingList, roomkit.FeatureMailingList, func(e *roomkit.Edit) **bool { return &e.MailingList }),
	toggle("withhold", "Withhold the features", "Group Masters may not switch Note, Event, Task and Folder. For administrators.", roomkit.ActionWithholdFeatures,
		func(r *roomkit.Room) bool { return r.FeaturesWithheld }, func(e *roomkit.Edit) **bool { return &e.WithholdFeatures }),
}

// photos are what a room's photo is chosen from: a demo keeps no pictures.
var photos = []string{"🍂", "🎉", "🍽️", "🖨️", "📦", "🚚", "💡", "🌍"}

// settings is the pane of a room's settings.
type settings struct {
	Texts     []setting
	Toggles   []setting
	Photos    []string
	Steps     []deed
	Masters   []person
	Saved     bool
	Meanwhile []setting // what others have changed since the page was shown
	Stale     bool      // something of the room has changed since
	Off       bool      // message is off
}

// settingsOf shows the settings of an open room, and who may change what.
func (c *chat) settingsOf(ctx context.Context, o *openRoom) (s settings) {
	fill := func(list []setting) (filled []setting) {
		for _, one := range list {
			one.Was = one.now(&o.Row)
			one.Value = one.Was
			one.Denied = c.mayNot(ctx, o, one.action)
			filled = append(filled, one)
		}
		return filled
	}
	s.Texts, s.Toggles, s.Off = fill(texts), fill(toggles), !o.Row.MessageOffSince.IsZero()
	s.Photos = slices.Clone(photos)
	if o.Row.Photo != "" && !slices.Contains(photos, o.Row.Photo) {
		s.Photos = append(s.Photos, o.Row.Photo)
	}
	s.Steps = c.stepDeeds(ctx, o)
	return s
}

func (c *chat) showSettings(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	s := c.settingsOf(r.Context(), o)
	s.Saved = r.URL.Query().Has("saved")
	return c.show(w, r, me, "manage-settings", page{Title: "Settings of " + o.Title, Room: o, Data: s, Show: "main"})
}

// editOf makes the command of what a form changes: the fields in which it differs from
// what it was shown with.
func editOf(room roomkit.RoomID, form url.Values) (edit roomkit.Edit, some bool) {
	edit.Room = room
	for _, one := range slices.Concat(texts, toggles) {
		was, value := valueOf(one, form)
		if form.Has("was-"+one.Name) && value != was {
			one.set(&edit, value)
			some = true
		}
	}
	return edit, some
}

// valueOf gives what a field was shown with, and what it has been made. A form says
// nothing of a box that is not ticked, and breaks lines its own way.
func valueOf(one setting, form url.Values) (was, value string) {
	lines := strings.NewReplacer("\r\n", "\n")
	was, value = lines.Replace(form.Get("was-"+one.Name)), lines.Replace(form.Get(one.Name))
	if slices.ContainsFunc(toggles, func(t setting) bool { return t.Name == one.Name }) {
		value = onOff(value == on)
	}
	return was, value
}

// editSettings changes what the form changes, all or nothing. If the room is another by
// now, it says what others have changed, and keeps what was typed.
func (c *chat) editSettings(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	at := "/rooms/" + room.String() + "/settings"
	edit, some := editOf(room, r.PostForm)
	if !some {
		return see(w, r, me, at)
	}
	_, err = c.send(r, me, edit)
	if err == nil {
		return see(w, r, me, at+"?saved")
	}
	o, gone := c.openRoom(r, me)
	if gone != nil {
		return err
	}
	s := c.settingsOf(r.Context(), o)
	s.Stale = errors.Is(err, roomkit.ErrConflict)
	s.keep(r.PostForm)
	return c.show(w, r, me, "manage-settings", page{Title: "Not saved", Room: o, Data: s, Problem: c.problemOf(r.Context(), err), Show: "main"})
}

// keep fills in again what was typed, and finds what others have changed since.
func (s *settings) keep(form url.Values) {
	for _, list := range [][]setting{s.Texts, s.Toggles} {
		for i := range list {
			one := &list[i]
			if !form.Has("was-" + one.Name) {
				continue
			}
			was, value := valueOf(*one, form)
			if one.Changed = was != one.Was; one.Changed {
				s.Meanwhile = append(s.Meanwhile, *one)
			}
			if value != was {
				one.Value = value
			}
		}
	}
}

// step is a change that is confirmed first, because it cannot be undone or ends much.
type step struct {
	Name, Label, Warning string
	Named                bool // it takes a name
	action               roomkit.Action
	fits                 func(room *roomkit.Room) bool
	command              func(room roomkit.RoomID, form url.Values) roomkit.Command
}

func switchMessage(to bool) func(roomkit.RoomID, url.Values) roomkit.Command {
	return func(room roomkit.RoomID, _ url.Values) roomkit.Command { return roomkit.Edit{Room: room, Message: &to} }
}

func convertTo(kind roomkit.Kind) func(roomkit.RoomID, url.Values) roomkit.Command {
	return func(room roomkit.RoomID, form url.Values) roomkit.Command {
		return roomkit.Convert{Room: room, To: kind, Name: strings.TrimSpace(form.Get("name"))}
	}
}

func always(*roomkit.Room) bool { return true }

var steps = []step{
	{
		Name: "message-off", Label: "Switch message off", action: roomkit.ActionSwitchMessage, command: switchMessage(false),
		fits:    func(r *roomkit.Room) bool { return r.MessageOffSince.IsZero() },
		Warning: "Nobody can read or write here while message is off. After 30 days all that was said is deleted for everybody (GRP-38). Switched on again before, everything is back (GRP-39).",
	},
	{
		Name: "message-on", Label: "Switch message on", action: roomkit.ActionSwitchMessage, command: switchMessage(true),
		fits:    func(r *roomkit.Room) bool { return !r.MessageOffSince.IsZero() },
		Warning: "The room can be used again. Within 30 days everything is back, after that it is empty (GRP-39).",
	},
	{
		Name: "to-group", Label: "Turn into a group", Named: true, action: roomkit.ActionConvert, command: convertTo(roomkit.KindGroup), fits: always,
		Warning: "You become Group Master, the others members (CRE-39). From then on nobody leaves by themselves, and only Group Masters invite and remove (CRE-44). There is no way back (CRE-43).",
	},
	{
		Name: "to-external", Label: "Turn into an external group", Named: true, action: roomkit.ActionConvert, command: convertTo(roomkit.KindExternalGroup), fits: always,
		Warning: "You become Group Master, the others members (CRE-39), and users of other companies can be invited. Who is not permitted to talk with them is left out (CRE-41). There is no way back (CRE-43).",
	},
	{
		Name: "delete", Label: "Delete this room", action: roomkit.ActionDelete, fits: always,
		Warning: "It ends for everybody, and all that was said is deleted (GRP-40). There is no way back.",
		command: func(room roomkit.RoomID, _ url.Values) roomkit.Command { return roomkit.DeleteRoom{Room: room} },
	},
}

func (c *chat) stepDeeds(ctx context.Context, o *openRoom) (list []deed) {
	for _, s := range steps {
		if s.fits(&o.Row) {
			one := deed{Name: s.Name, Label: s.Label + "…", URL: o.URL() + "/settings/" + s.Name, Denied: c.mayNot(ctx, o, s.action)}
			if one.Denied == nil { // what it needs besides
				one.Denied = c.deny(ctx, o.Me.ID, s.command(o.View.Room, trial(o)))
			}
			list = append(list, one)
		}
	}
	return list
}

// confirming is the pane that asks whether to go on.
type confirming struct {
	step
	Left []person // who would be left out
}

func stepOf(r *http.Request) (s step, err error) {
	at := slices.IndexFunc(steps, func(s step) bool { return s.Name == r.PathValue("step") })
	if at < 0 {
		return s, roomkit.ErrNotFound
	}
	return steps[at], nil
}

func (c *chat) showStep(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	s, err := stepOf(r)
	if err != nil {
		return err
	}
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	return c.confirm(w, r, o, s, nil)
}

// trial is the form of a step before a name has been asked for.
func trial(o *openRoom) url.Values {
	return url.Values{"name": {cmp.Or(o.Row.Name, "New group "+o.View.Room.String())}}
}

// confirm shows what a step does, and why it was refused.
func (c *chat) confirm(w http.ResponseWriter, r *http.Request, o *openRoom, s step, refused error) error {
	p := page{Title: s.Label, Room: o, Show: "main", Form: r.PostForm}
	asked := confirming{step: s}
	form := r.PostForm
	if refused == nil {
		form = trial(o)
	}
	planned, err := c.svc.Plan(r.Context(), roomkit.By(o.Me.ID), s.command(o.View.Room, form))
	if err == nil {
		err = refused
	}
	if err != nil {
		p.Problem = c.problemOf(r.Context(), err)
	}
	for _, id := range planned.Dropped {
		asked.Left = append(asked.Left, c.people.person(id))
	}
	p.Data = asked
	return c.show(w, r, o.Me.ID, "manage-step", p)
}

// takeStep carries a step out before it looks at the room: sent twice, a deletion finds none.
func (c *chat) takeStep(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	s, err := stepOf(r)
	if err != nil {
		return err
	}
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	if _, err := c.send(r, me, s.command(room, r.PostForm)); err != nil {
		o, closed := c.openRoom(r, me)
		if closed != nil {
			return closed
		}
		return c.confirm(w, r, o, s, err)
	}
	if s.action == roomkit.ActionDelete {
		return see(w, r, me, goneFrom(room))
	}
	return see(w, r, me, "/rooms/"+room.String())
}

// showChanged answers an open page of a room's settings: whether the room is another since,
// or gone, and then the page goes to where it is said why.
func (c *chat) showChanged(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	seen, err := parseVersion(r.URL.Query().Get("version"))
	if err != nil {
		return err
	}
	now, err := c.svc.Room(r.Context(), me, room)
	switch {
	case err != nil:
		at := "/rooms/" + room.String()
		if c.explain(r.Context(), me, room, err).Mine {
			at = goneFrom(room) // as the answer to their form, which may be on its way
		}
		w.Header().Set("HX-Redirect", "/as/"+url.PathEscape(string(me))+at)
		w.WriteHeader(http.StatusNoContent)
	case now.Version == seen:
		w.WriteHeader(http.StatusNoContent)
	default:
		c.part(w, 0, "changed", nil)
	}
	return nil
}
