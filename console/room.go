package console

import (
	"net/http"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// mostExamined is how many people the rooms of a page may have together whose health it looks at.
const mostExamined = 5000

// newest is how many events the page of a room shows.
const newest = 20

type roomPage struct {
	membersPage
	Team     roomkit.Team
	Events   []eventRow // the newest first
	Earlier  bool       // there are others before
	Findings []service.Finding
	Examined bool
	Life     *picture
}

func (c *console) room(r *http.Request) (view, error) {
	f, err := c.roomOf(r, "id")
	if err != nil {
		return view{}, err
	}
	room := f.Room
	p := roomPage{Team: f.Team}
	if p.membersPage, err = c.memberPage(r.Context(), room, false, ""); err != nil {
		return view{}, err
	}
	first := max(0, room.Version-newest)
	events, forgotten, err := c.part(r.Context(), roomkit.RoomSubject(room.ID), first, room.Version)
	if err != nil {
		return view{}, err
	}
	for i := len(events) - 1; i >= 0; i-- {
		p.Events = append(p.Events, rowOf(events[i]))
	}
	p.Earlier = first > 0 && forgotten == 0
	if p.Examined = room.Participants+room.Masters <= mostExamined; p.Examined {
		if p.Findings, err = c.svc.Health(r.Context(), room.ID); err != nil {
			return view{}, err
		}
	}
	if p.Life, err = c.picture(r.Context(), &room, 0, lanesInRoom); err != nil {
		return view{}, err
	}
	row, err := c.rowOfRoom(r.Context(), roomkit.RoomEntry{Room: room})
	return view{page: "room", Title: roomTitle(&room), room: &row, Data: p}, err
}

// problems say what is wrong, in words.
var problems = map[service.Problem]string{
	service.ProblemNoMaster:        "nobody manages the group; an administrator may appoint somebody",
	service.ProblemOwnerAbsent:     "nobody of the owning company takes part any more",
	service.ProblemVoid:            "in by the rows, but the account or the permission has ended; Enforce takes them out",
	service.ProblemOutsider:        "of another company, where only the owning one's people may be",
	service.ProblemMasterIdle:      "the Group Masters cannot act: suspended, or of a company without a licence",
	service.ProblemNoAdministrator: "nobody who manages the group can act, and there is no administrator to appoint somebody",
	service.ProblemNobodyActs:      "none of those who take part can act",
	service.ProblemBarred:          "the two may not talk with each other for lack of a permission",
}

// roomHealth is what is wrong with a room.
type roomHealth struct {
	Room     roomkit.Room
	Row      roomRow
	Findings []service.Finding
	TooLarge bool // to be looked at together with others
}

type healthPage struct {
	Company roomkit.Company
	Of      *roomkit.Room // of this room alone
	Rooms   []roomHealth  // with which something is wrong
	Looked  int
	Next    string
}

func (c *console) health(r *http.Request) (view, error) {
	if r.URL.Query().Has("room") {
		return c.healthOfRoom(r)
	}
	company, err := c.companyOf(r, "company")
	if err != nil {
		return view{}, err
	}
	p := healthPage{Company: company}
	q := store.RoomQuery{Company: company.ID, Limit: rowsOfPage + 1}
	if q.After, err = after(r); err != nil {
		return view{}, err
	}
	rooms, err := c.st.Rooms(r.Context(), q)
	if err != nil {
		return view{}, err
	}
	var examined int64
	rooms, more := page(rooms)
	for i, e := range rooms {
		h := roomHealth{Room: e.Room, TooLarge: e.Room.Participants > mostExamined}
		if examined += e.Room.Participants; examined > mostExamined && !h.TooLarge && p.Looked > 0 {
			break
		}
		if h.TooLarge {
			examined -= e.Room.Participants
		} else if h.Findings, err = c.svc.Health(r.Context(), e.Room.ID); err != nil {
			return view{}, err
		}
		if p.Looked++; h.TooLarge || len(h.Findings) > 0 {
			if h.Row, err = c.rowOfRoom(r.Context(), e); err != nil {
				return view{}, err
			}
			p.Rooms = append(p.Rooms, h)
		}
		if p.Next = ""; more || i < len(rooms)-1 {
			p.Next = to("health", "company", string(company.ID), "after", e.Room.ID.String())
		}
	}
	return view{page: "health", Title: "Health of " + string(company.ID), Data: p}, nil
}

func (c *console) healthOfRoom(r *http.Request) (view, error) {
	f, err := c.roomOf(r, "room")
	if err != nil {
		return view{}, err
	}
	h := roomHealth{Room: f.Room}
	if h.Findings, err = c.svc.Health(r.Context(), f.Room.ID); err != nil {
		return view{}, err
	}
	p := healthPage{Of: &h.Room, Looked: 1}
	if len(h.Findings) > 0 {
		if h.Row, err = c.rowOfRoom(r.Context(), roomkit.RoomEntry{Room: f.Room}); err != nil {
			return view{}, err
		}
		p.Rooms = []roomHealth{h}
	}
	return view{page: "health", Title: "Health of " + roomTitle(&f.Room), Data: p}, nil
}
