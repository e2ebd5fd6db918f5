package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/messages"
	"github.com/go-roomkit/roomkit/service"
)

// server is what browsers and apps talk to. Messages are the host's own matter.
type server struct {
	*service.Service
	messages messages.Table
}

func newServer(svc *service.Service) http.Handler {
	s := &server{Service: svc}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /commands", answer(s.command))
	mux.HandleFunc("POST /choices", answer(s.choose))
	mux.HandleFunc("GET /rooms", answer(s.screen))
	mux.HandleFunc("GET /rooms/{room}/messages", answer(s.read))
	mux.HandleFunc("POST /rooms/{room}/messages", answer(s.write))
	mux.HandleFunc("GET /rooms/{room}/events", s.watch)
	return mux
}

// user is who asks. A host takes it from a session: the library authenticates nobody.
func user(r *http.Request) roomkit.UserID { return roomkit.UserID(r.Header.Get("User")) }

// command runs any command. The actor alone decides what is allowed.
func (s *server) command(r *http.Request, body []byte) (any, error) {
	cmd, err := roomkit.UnmarshalCommand(body)
	if err != nil {
		return nil, err
	}
	made, err := s.Do(r.Context(), roomkit.By(user(r)), cmd, service.Call{Key: r.Header.Get("Idempotency-Key")})
	made.Events, made.Notices = nil, nil // those are the host's, which sends notices from the feed
	return made, err
}

// choose is the picker: who of the candidates can be chosen, and why the others cannot.
func (s *server) choose(r *http.Request, body []byte) (any, error) {
	var asked struct {
		Command    json.RawMessage  `json:"command"`
		Candidates []roomkit.UserID `json:"candidates"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, &roomkit.Invalid{Field: "body", Reason: err.Error()}
	}
	cmd, err := roomkit.UnmarshalCommand(asked.Command)
	if err != nil {
		return nil, err
	}
	return s.Choose(r.Context(), roomkit.By(user(r)), cmd, asked.Candidates)
}

// screen is a page of the user's rooms, those with news first.
func (s *server) screen(r *http.Request, _ []byte) (any, error) {
	list := service.RoomList{After: service.PageToken(r.FormValue("after")), Limit: roomkit.MaxScreenRooms}
	page, err := s.RoomsPage(r.Context(), user(r), list)
	if err != nil {
		return nil, err
	}
	var rooms []roomkit.RoomID
	for _, entry := range page.Rows {
		rooms = append(rooms, entry.Room.ID)
	}
	slices.SortStableFunc(rooms, func(a, b roomkit.RoomID) int { return s.messages.Last(b).Compare(s.messages.Last(a)) })
	views, err := s.Screen(r.Context(), user(r), rooms...)
	return service.Page[roomkit.RoomView]{Rows: views, Next: page.Next}, err
}

// write stores a message of somebody who may post at this moment.
func (s *server) write(r *http.Request, body []byte) (any, error) {
	access, err := s.access(r, roomkit.ActionPost)
	if err != nil {
		return nil, err
	}
	version, err := messages.BringBack(r.Context(), s.Service, user(r), access)
	if err != nil {
		return nil, err
	}
	m := messages.Message{From: user(r), At: time.Now(), Text: string(body), Version: version}
	s.messages.Add(access.Room, m)
	return m, nil
}

// read shows what the user may read: a newcomer begins with joining, and who has left
// gets nothing.
func (s *server) read(r *http.Request, _ []byte) (any, error) {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return nil, err
	}
	said := s.messages.Of(room) // before the question: what comes later may not be for the user
	access, err := s.access(r, roomkit.ActionEnter)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(said, func(m messages.Message) bool { return !access.MayRead(m.Version) }), nil
}

// access gives all that the user may do in the room, or the rule that forbids an action.
func (s *server) access(r *http.Request, action roomkit.Action) (a roomkit.Access, err error) {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return a, err
	}
	list, err := s.Access(r.Context(), user(r), room)
	if err != nil {
		return a, err
	}
	if list[0].Can(action) {
		return list[0], nil
	}
	// Check names the rule. If it has become allowed meanwhile, the client asks again.
	return a, cmp.Or(s.Check(r.Context(), user(r), action, room), roomkit.ErrConflict)
}

// watch sends the news of a room until the user leaves it, after Last-Event-ID or all.
func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	access, err := s.access(r, roomkit.ActionEnter)
	if err != nil {
		send(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	client := http.NewResponseController(w)
	after := roomkit.Cursor(r.Header.Get("Last-Event-ID"))
	_ = client.Flush()
	for rec, err := range s.WatchRooms(r.Context(), user(r), after, access.Room) {
		if err != nil {
			fmt.Fprintf(w, "event: error\ndata: %s\n\n", service.CategoryOf(err))
			return
		}
		event, err := json.Marshal(rec.Event)
		if err != nil {
			return
		}
		fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", rec.Cursor, rec.Type, event)
		if client.Flush() != nil {
			return // the browser is gone
		}
	}
}

// answer makes a handler of a function that answers with a value of the library.
func answer(ask func(r *http.Request, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil {
			send(w, nil, &roomkit.Invalid{Field: "body", Reason: err.Error()})
			return
		}
		value, err := ask(r, body)
		send(w, value, err)
	}
}

// send answers with a value, or with the category of an error and what it says: the field
// that is wrong, the rule and the people because of whom, the rooms offered.
func send(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	if err != nil {
		status = service.CategoryOf(err).HTTPStatus()
		no := struct {
			Category service.Category `json:"category"`
			Error    *roomkit.Error   `json:"error,omitempty"`
		}{Category: service.CategoryOf(err)}
		if status >= http.StatusInternalServerError {
			log.Print(err) // not the client's matter
		} else if !errors.As(err, &no.Error) {
			no.Error = &roomkit.Error{Op: "Read", Err: err} // no error of a Service
		}
		value = no
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client is gone
}
