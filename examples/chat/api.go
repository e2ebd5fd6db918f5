package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// The API is the same chat for programs. Its description, /api/openapi.json, is made from
// the types of this file.

func init() {
	// What huma finds wrong with a request is a problem like all others.
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		p := &problem{Title: titles[service.CategoryInvalid], Status: status, Category: service.CategoryInvalid}
		details := []string{cut(message)}
		for _, err := range errs {
			if err == nil {
				continue
			}
			details = append(details, cut(err.Error()))
			if one := (*huma.ErrorDetail)(nil); p.Field == "" && errors.As(err, &one) {
				_, field, _ := strings.Cut(one.Location, ".")
				p.Field = cut(field)
			}
		}
		p.Detail = cut(strings.Join(details, "; "))
		return p
	}
}

// Error gives the title and the detail.
func (p *problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus gives the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// api describes and serves the API below /api.
func (c *chat) api(mux *http.ServeMux) {
	config := huma.DefaultConfig("roomkit chat", "1")
	config.Info.Description = "A demo: who asks is named in the path, without a password. Errors are problems of RFC 9457 with the rule that forbids."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", "/api/schemas"
	config.CreateHooks = nil // no $schema in answers
	api := humago.New(mux, config)
	describeWords(api.OpenAPI().Components.Schemas)
	describe(c, api, http.MethodGet, "/rooms", "list-rooms", "Rooms in the order of the last message", c.apiRooms)
	describe(c, api, http.MethodGet, "/rooms/{room}", "get-room", "A room, its people, and all that may be done there", c.apiRoom)
	describe(c, api, http.MethodGet, "/rooms/{room}/messages", "list-messages", "The last messages, as far as they may be read", c.apiMessages)
	describe(c, api, http.MethodGet, "/rooms/{room}/happened", "list-happened", "What happened in the room last, as far as the messages of then may be read", c.apiHappened)
	describe(c, api, http.MethodPost, "/rooms/{room}/messages", "post-message", "Write a message", c.apiPost)
	describe(c, api, http.MethodGet, "/rooms/{room}/may/{action}", "may", "Whether an action is allowed, and otherwise by which rule not", c.apiMay, libraryJudges)
	describe(c, api, http.MethodPost, "/commands", "run-command",
		"Run a command: "+strings.Join(roomkit.CommandNames(), ", ")+", with its fields beside \"command\"", c.apiCommand, libraryJudges)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { notDescribed(mux, w, r) })
}

// notDescribed answers what is no operation: as a problem, like all others.
func notDescribed(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	p := &problem{Title: "There is nothing at this address", Status: http.StatusNotFound, Category: service.CategoryNotFound, Detail: "See /api/openapi.json."}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/api/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		p.Title, p.Status, p.Category = "This address takes another method", http.StatusMethodNotAllowed, service.CategoryInvalid
		w.Header().Set("Allow", strings.Join(allowed, ", "))
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// describe adds an operation of a person, whose errors are problems.
func describe[I, O any](c *chat, api huma.API, method, path, id, summary string, answer func(ctx context.Context, in *I) (*O, error), more ...func(*huma.Operation)) {
	operation := huma.Operation{
		OperationID: id, Method: method, Path: "/api/as/{user}" + path, Summary: summary, MaxBodyBytes: maxForm,
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
			http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}
	for _, change := range more {
		change(&operation)
	}
	huma.Register(api, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := answer(ctx, in)
		if err == nil {
			return out, nil
		}
		p := c.problemOf(ctx, err)
		if p.Category == service.CategoryReused {
			p.Field, p.Detail = "Idempotency-Key", "The header Idempotency-Key names another request, which was sent before. Take a new key for a new request."
		}
		return nil, p
	})
}

// AsUser is who asks.
type AsUser struct {
	User roomkit.UserID `path:"user" doc:"who asks"`
}

// InRoom is about one room.
type InRoom struct {
	AsUser
	Room string `path:"room" doc:"the room's id, a UUID"`
}

// find gives the room. Text that is no id is as the id of no room.
func (in *InRoom) find() (roomkit.RoomID, error) {
	room, err := roomkit.ParseRoomID(in.Room)
	if err != nil {
		return room, roomkit.ErrNotFound
	}
	return room, nil
}

// body is an answer.
type body[T any] struct{ Body T }

// apiLine is a room in a list.
type apiLine struct {
	Room        string       `json:"room"`
	Kind        roomkit.Kind `json:"kind"`
	Title       string       `json:"title" doc:"its name, or the names of people"`
	Badge       bool         `json:"badge" doc:"of groups and teams"`
	External    bool         `json:"external" doc:"people of other companies take part"`
	Consumers   bool         `json:"consumers"`
	Unread      int          `json:"unread" doc:"up to 100"`
	LastMessage time.Time    `json:"last_message"`
}

func (c *chat) apiRooms(ctx context.Context, in *struct {
	AsUser
	Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}) (*body[[]apiLine], error) {
	list, err := c.list(ctx, in.User, roomkit.RoomID{}, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &body[[]apiLine]{Body: []apiLine{}}
	for _, line := range list.Rows {
		out.Body = append(out.Body, apiLine{
			Room: line.View.Room.String(), Kind: line.View.Kind, Title: line.Title, Badge: line.View.Badge,
			External: line.View.WithPartners, Consumers: line.View.WithConsumers, Unread: line.Unread, LastMessage: line.Last,
		})
	}
	return out, nil
}

// apiMember is one of the people of a room.
type apiMember struct {
	User        string `json:"user"`
	Name        string `json:"name"`
	Company     string `json:"company"`
	Master      bool   `json:"master"`
	Participant bool   `json:"participant"`
}

// apiAllowed is an action, or the rule that forbids it.
type apiAllowed struct {
	Action  roomkit.Action `json:"action"`
	Allowed bool           `json:"allowed"`
	Because *problem       `json:"because,omitempty" doc:"why not"`
}

// apiRoomBody is a room as somebody sees it.
type apiRoomBody struct {
	Room        string          `json:"room"`
	Version     roomkit.Version `json:"version" doc:"for if_version of a command"`
	Kind        roomkit.Kind    `json:"kind"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	People      []apiMember     `json:"people" doc:"the first 100"`
	Actions     []apiAllowed    `json:"actions"`
}

func (c *chat) apiRoom(ctx context.Context, in *InRoom) (*body[apiRoomBody], error) {
	id, err := in.find()
	if err != nil {
		return nil, err
	}
	row, err := c.svc.Room(ctx, in.User, id)
	if err != nil {
		return nil, c.explain(ctx, in.User, id, err)
	}
	out := &body[apiRoomBody]{Body: apiRoomBody{
		Room: in.Room, Version: row.Version, Kind: row.Kind, Name: row.Name, Description: row.Description, People: []apiMember{},
	}}
	for _, action := range roomkit.AllActions() {
		because := c.denial(ctx, in.User, action, id)
		out.Body.Actions = append(out.Body.Actions, apiAllowed{action, because == nil, because})
	}
	members, err := c.svc.MembersPage(ctx, in.User, id, service.MemberList{Limit: peoplePage})
	if err != nil && !errors.Is(err, roomkit.ErrDenied) { // who may not see them sees nobody
		return nil, err
	}
	for _, m := range members.Rows {
		p := c.people.person(m.User)
		out.Body.People = append(out.Body.People, apiMember{string(m.User), p.Name, string(m.Company), m.Master, m.Participant})
	}
	return out, nil
}

// apiMessage is what was said.
type apiMessage struct {
	ID     int64     `json:"id"`
	Author string    `json:"author"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Body   string    `json:"body"`
}

func (c *chat) apiMessage(m message) apiMessage {
	return apiMessage{m.ID, string(m.Author), c.people.name(m.Author), m.At.UTC(), m.Body}
}

func (c *chat) apiMessages(ctx context.Context, in *struct {
	InRoom
	Limit int `query:"limit" default:"50" minimum:"1" maximum:"2000"`
}) (*body[[]apiMessage], error) {
	id, err := in.find()
	if err != nil {
		return nil, err
	}
	list, err := c.newest(ctx, id, in.Limit)
	if err != nil {
		return nil, err
	}
	access, err := c.entered(ctx, in.User, id)
	if err != nil {
		return nil, err
	}
	list, _ = readable(access, list, in.Limit)
	out := &body[[]apiMessage]{Body: []apiMessage{}}
	for _, m := range list {
		out.Body = append(out.Body, c.apiMessage(m))
	}
	return out, nil
}

// entered gives the rights of somebody who may look into a room.
func (c *chat) entered(ctx context.Context, me roomkit.UserID, room roomkit.RoomID) (roomkit.Access, error) {
	access, err := c.svc.Access(ctx, me, room)
	if err != nil {
		return roomkit.Access{}, err
	}
	if !access[0].Can(roomkit.ActionEnter) {
		err := cmp.Or(c.svc.Check(ctx, me, roomkit.ActionEnter, room), roomkit.ErrNotFound)
		return access[0], c.explain(ctx, me, room, err)
	}
	return access[0], nil
}

// apiHappening is what happened in a room.
type apiHappening struct {
	Version roomkit.Version `json:"version" doc:"that the room had then" example:"7"`
	Type    string          `json:"type" doc:"of the event" example:"member.left"`
	At      time.Time       `json:"at"`
	Text    string          `json:"text" doc:"in words" example:"Ben Lindqvist removed Ivo Novak"`
}

func (c *chat) apiHappened(ctx context.Context, in *struct {
	InRoom
	Before roomkit.Version `query:"before" minimum:"0" example:"7" doc:"begins before this version; without it, with the last"`
	Limit  int             `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}) (*body[[]apiHappening], error) {
	id, err := in.find()
	if err != nil {
		return nil, err
	}
	access, err := c.entered(ctx, in.User, id)
	if err != nil {
		return nil, err
	}
	last, lines := access.Version, []happening(nil)
	if in.Before > 0 {
		last = min(last, in.Before-1)
	}
	for reads(access) && last > 0 && last >= readFrom(access) && len(lines) < in.Limit {
		after := max(0, last-roomkit.MaxPage)
		events, err := c.happened(ctx, id, after, last)
		if err != nil {
			return nil, err
		}
		lines, last = append(c.tell(access, events), lines...), after
	}
	out := &body[[]apiHappening]{Body: []apiHappening{}}
	for _, line := range lines[max(0, len(lines)-in.Limit):] {
		out.Body = append(out.Body, apiHappening{line.Version, line.Type, line.At.UTC(), line.Words.String()})
	}
	return out, nil
}

func (c *chat) apiPost(ctx context.Context, in *struct {
	InRoom
	Key  string `header:"Idempotency-Key" doc:"sent twice with the same key, it is written once"`
	Body struct {
		Body string `json:"body" doc:"1 to 4,000 characters"`
	}
}) (*body[apiMessage], error) {
	id, err := in.find()
	if err != nil {
		return nil, err
	}
	if in.Key == "" {
		in.Key = uuid.NewString()
	}
	m, err := c.post(ctx, draft{Room: id, Author: in.User, Body: in.Body.Body, Key: in.Key})
	if err != nil {
		return nil, c.explain(ctx, in.User, id, err)
	}
	return &body[apiMessage]{Body: c.apiMessage(m)}, nil
}

func (c *chat) apiMay(ctx context.Context, in *struct {
	InRoom
	Action actionName `path:"action" doc:"for instance leave"`
}) (*body[apiAllowed], error) {
	id, err := in.find()
	if err != nil {
		return nil, err
	}
	action, err := roomkit.ParseAction(string(in.Action))
	if err != nil {
		return nil, err
	}
	because := c.denial(ctx, in.User, action, id)
	if because != nil && because.Category != service.CategoryDenied {
		return nil, because
	}
	return &body[apiAllowed]{Body: apiAllowed{action, because == nil, because}}, nil
}

// apiResult is what a command did, or would do.
type apiResult struct {
	Room    string           `json:"room,omitempty"`
	Kind    roomkit.Kind     `json:"kind"`
	Version roomkit.Version  `json:"version"`
	Opened  bool             `json:"opened" doc:"a new room"`
	Changed bool             `json:"changed"`
	Repeat  bool             `json:"repeat" doc:"it had been done before with the same key"`
	Dropped []roomkit.UserID `json:"dropped" doc:"left out for lack of permission"`
	Events  []string         `json:"events" doc:"the types of what happened"`
}

func (c *chat) apiCommand(ctx context.Context, in *struct {
	AsUser
	Key       string          `header:"Idempotency-Key" doc:"sent twice with the same key, it is done once"`
	IfVersion roomkit.Version `query:"if_version" minimum:"0" doc:"only if what the command names has this version"`
	Plan      bool            `query:"plan" doc:"say what would happen, and do nothing"`
	Body      commandBody
}) (*body[apiResult], error) {
	cmd, err := roomkit.UnmarshalCommand(in.Body.RawMessage)
	if err != nil {
		return nil, err
	}
	run := c.svc.Do
	if in.Plan {
		run = c.svc.Plan
	}
	made, err := run(ctx, roomkit.By(in.User), cmd, service.Call{Key: in.Key, IfVersion: in.IfVersion})
	if err != nil {
		return nil, err
	}
	out := &body[apiResult]{Body: apiResult{
		Kind: made.Kind, Version: made.Version, Opened: made.Opened, Changed: made.Changed, Repeat: made.Repeat,
		Dropped: append([]roomkit.UserID{}, made.Dropped...), Events: []string{},
	}}
	if !made.Room.IsZero() {
		out.Body.Room = made.Room.String()
	}
	for _, event := range made.Events {
		out.Body.Events = append(out.Body.Events, event.Type())
	}
	return out, nil
}
