package console

import (
	"context"
	"net/http"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// mostCompanies and mostEvents are how far the first page looks at a time.
const (
	mostCompanies = 1000
	mostEvents    = 10000
)

type homePage struct {
	Companies []roomkit.Company
	Given     int     // so many has the host given
	Looked    *looked // nil where the host gives them
}

// looked is how much of the feed companies were looked for in.
type looked struct {
	Events  int
	Further bool // not from the beginning on
	Gone    bool // the beginning is forgotten
	Next    string
}

func (c *console) home(r *http.Request) (view, error) {
	var p homePage
	ids, err := c.companyIDs(r, &p)
	if err != nil {
		return view{}, err
	}
	f, err := c.ask(r.Context(), store.Need{Companies: ids[:min(len(ids), mostCompanies)]})
	if err != nil {
		return view{}, err
	}
	by := map[roomkit.CompanyID]roomkit.Company{}
	for _, company := range f.Companies {
		by[company.ID] = company
	}
	for _, id := range ids {
		if company, ok := by[id]; ok {
			p.Companies = append(p.Companies, company)
		}
	}
	return view{page: "home", Title: "Companies", Data: p}, nil
}

func (c *console) companyIDs(r *http.Request, p *homePage) (ids []roomkit.CompanyID, err error) {
	if c.o.Companies != nil {
		ids, err = c.o.Companies(r.Context())
		p.Given = len(ids)
		return ids, err
	}
	after := roomkit.Cursor(r.URL.Query().Get("after"))
	p.Looked = &looked{Further: after != ""}
	if after == "" {
		if after, err = store.FeedBegin(r.Context(), c.st); err != nil {
			return nil, err
		}
		p.Looked.Gone = after != ""
	}
	ids, last, err := c.companiesBehind(r.Context(), after, &p.Looked.Events)
	if err != nil {
		return nil, err
	}
	more, err := c.st.Feed(r.Context(), last, 1)
	if len(more) > 0 {
		p.Looked.Next = to("./", "after", string(last))
	}
	return ids, err
}

// companiesBehind finds the companies that a part of the feed speaks of, and where the part ends.
func (c *console) companiesBehind(ctx context.Context, after roomkit.Cursor, events *int) (ids []roomkit.CompanyID, last roomkit.Cursor, err error) {
	seen := map[string]bool{}
	last = after
	for page, err := range store.FeedPages(ctx, c.st, after) {
		if err != nil {
			return nil, last, err
		}
		for i := range page {
			if *events == mostEvents || len(ids) == mostCompanies {
				return ids, last, nil
			}
			if of := page[i].Subject; of.Type == roomkit.SubjectCompany && !seen[of.ID] {
				seen[of.ID], ids = true, append(ids, roomkit.CompanyID(of.ID))
			}
			*events, last = *events+1, page[i].Cursor
		}
	}
	return ids, last, nil
}

// companyPage is a company with a part of what it owns.
type companyPage struct {
	Company roomkit.Company
	Rooms   []roomRow
	People  []roomkit.User
	Teams   []roomkit.Team
	Next    string
}

// rowsOfPage is how many rows a page has.
const rowsOfPage = roomkit.DefaultPage

// page takes one page of rows of which one more was asked for, and says whether there are others.
func page[T any](rows []T) (part []T, more bool) {
	return rows[:min(len(rows), rowsOfPage)], len(rows) > rowsOfPage
}

func (c *console) company(r *http.Request) (view, error) {
	company, err := c.companyOf(r, "id")
	if err != nil {
		return view{}, err
	}
	p := companyPage{Company: company}
	q := store.RoomQuery{Company: company.ID, Limit: rowsOfPage}
	if q.After, err = after(r); err != nil {
		return view{}, err
	}
	var more bool
	if p.Rooms, more, err = c.rowsOfRooms(r.Context(), &q); err != nil {
		return view{}, err
	}
	if more {
		p.Next = to("company", "id", string(company.ID), "after", p.Rooms[len(p.Rooms)-1].Room.ID.String())
	}
	return view{page: "company", Title: "Company " + string(company.ID), Data: p}, nil
}

// after reads the room behind which a page begins.
func after(r *http.Request) (id roomkit.RoomID, err error) {
	if text := r.URL.Query().Get("after"); text != "" {
		return roomkit.ParseRoomID(text)
	}
	return id, nil
}

func (c *console) people(r *http.Request) (view, error) {
	company, err := c.companyOf(r, "company")
	if err != nil {
		return view{}, err
	}
	p := companyPage{Company: company}
	p.People, err = c.st.Users(r.Context(), store.UserQuery{Company: company.ID, After: roomkit.UserID(r.URL.Query().Get("after")), Limit: rowsOfPage + 1})
	if err != nil {
		return view{}, err
	}
	var more bool
	if p.People, more = page(p.People); more {
		p.Next = to("people", "company", string(company.ID), "after", string(p.People[len(p.People)-1].ID))
	}
	return view{page: "people", Title: "People of " + string(company.ID), Data: p}, nil
}

func (c *console) teams(r *http.Request) (view, error) {
	company, err := c.companyOf(r, "company")
	if err != nil {
		return view{}, err
	}
	p := companyPage{Company: company}
	p.Teams, err = c.st.Teams(r.Context(), store.TeamQuery{Company: company.ID, After: roomkit.TeamID(r.URL.Query().Get("after")), Limit: rowsOfPage + 1})
	if err != nil {
		return view{}, err
	}
	var more bool
	if p.Teams, more = page(p.Teams); more {
		p.Next = to("teams", "company", string(company.ID), "after", string(p.Teams[len(p.Teams)-1].ID))
	}
	return view{page: "teams", Title: "Teams of " + string(company.ID), Data: p}, nil
}

// TeamRoom is the room that a team has or would have.
func (companyPage) TeamRoom(t roomkit.Team) roomkit.RoomID { return roomkit.TeamRoom(t.Company, t.ID) }

// OfTeam names a team as a subject.
func (companyPage) OfTeam(t roomkit.Team) string {
	return roomkit.TeamSubject(t.Company, t.ID).String()
}

type userPage struct {
	User  roomkit.User
	Rooms []roomRow
	Next  string
}

func (c *console) user(r *http.Request) (view, error) {
	u, err := c.userOf(r, "id")
	if err != nil {
		return view{}, err
	}
	p := userPage{User: u}
	q := store.RoomQuery{User: u.ID, Which: store.MembersAll, Limit: rowsOfPage}
	if q.After, err = after(r); err != nil {
		return view{}, err
	}
	var more bool
	if p.Rooms, more, err = c.rowsOfRooms(r.Context(), &q); err != nil {
		return view{}, err
	}
	if more {
		p.Next = to("user", "id", string(u.ID), "after", p.Rooms[len(p.Rooms)-1].Room.ID.String())
	}
	return view{page: "user", Title: "User " + string(u.ID), user: u.ID, Data: p}, nil
}

// memberRow is somebody in a room, and what of it counts.
type memberRow struct {
	roomkit.Member
	Standing roomkit.Standing
	Void     roomkit.Rule // because of which what the row shows does not count
	Reason   string
	Status   roomkit.UserStatus
}

type membersPage struct {
	Room    roomkit.Room
	All     bool // those who have left, too
	Members []memberRow
	Next    string
}

func (c *console) members(r *http.Request) (view, error) {
	f, err := c.roomOf(r, "room")
	if err != nil {
		return view{}, err
	}
	p, err := c.memberPage(r.Context(), f.Room, r.URL.Query().Get("which") == "all", roomkit.UserID(r.URL.Query().Get("after")))
	return view{page: "members", Title: "People of " + roomTitle(&f.Room), Data: p}, err
}

// memberPage reads a page of people with what their standing depends on.
func (c *console) memberPage(ctx context.Context, room roomkit.Room, all bool, after roomkit.UserID) (p membersPage, err error) {
	p = membersPage{Room: room, All: all}
	q := store.MemberQuery{Room: room.ID, After: after, Limit: rowsOfPage + 1}
	which := "present"
	if all {
		q.Which, which = store.MembersAll, "all"
	}
	rows, err := c.st.Members(ctx, q)
	if err != nil || len(rows) == 0 {
		return p, err
	}
	rows, more := page(rows)
	ids := make([]roomkit.UserID, len(rows))
	for i := range rows {
		ids[i] = rows[i].User
	}
	f, err := c.ask(ctx, store.Need{Room: room.ID, People: ids})
	if err != nil {
		return p, err
	}
	status := map[roomkit.UserID]roomkit.UserStatus{}
	for i := range f.Users {
		status[f.Users[i].ID] = f.Users[i].Status
	}
	standings := why.Standings(&f, ids)
	for i := range rows {
		s := standings[i]
		p.Members = append(p.Members, memberRow{Member: rows[i], Standing: s.Standing, Void: s.Void, Reason: s.Reason, Status: status[ids[i]]})
	}
	if more {
		p.Next = to("members", "room", room.ID.String(), "which", which, "after", string(ids[len(ids)-1]))
	}
	return p, nil
}

// roomTitle names a room, be it by its id.
func roomTitle(room *roomkit.Room) string {
	if room.Name != "" {
		return shortened(room.Name)
	}
	return "room " + room.ID.String()
}

type historyPage struct {
	Of        roomkit.Subject
	About     word
	Version   roomkit.Version
	Events    []eventRow // the newest first
	Forgotten roomkit.Version
	Next      string
}

func (c *console) history(r *http.Request) (view, error) {
	text := r.URL.Query().Get("of")
	of, err := roomkit.ParseSubject(text)
	if err != nil {
		return view{}, noSuch("history of", text)
	}
	p := historyPage{Of: of, About: subject(of)}
	if p.Version, err = c.versionOf(r.Context(), of); err != nil {
		return view{}, err
	}
	last := p.Version
	if before, ok := number(r, "before"); ok && before > 0 {
		last = min(last, roomkit.Version(before)-1)
	}
	first := max(0, last-rowsOfPage)
	events, forgotten, err := c.part(r.Context(), of, first, last)
	if err != nil {
		return view{}, err
	}
	for i := len(events) - 1; i >= 0; i-- {
		p.Events = append(p.Events, rowOf(events[i]))
	}
	if p.Forgotten = forgotten; first > 0 && forgotten == 0 {
		p.Next = to("history", "of", text, "before", itoa(int64(first)+1))
	}
	return view{page: "history", Title: "History of " + shortened(of.String()), Data: p}, nil
}

type duePage struct {
	Company roomkit.Company
	Now     time.Time
	Days    int64
	Rooms   []service.ExpiredRoom
	Next    string
}

func (c *console) due(r *http.Request) (view, error) {
	company, err := c.companyOf(r, "company")
	if err != nil {
		return view{}, err
	}
	p := duePage{Company: company, Now: c.o.Clock()}
	days, ok := number(r, "days")
	if p.Days = days; !ok || days < 0 || days > 366 {
		p.Days = 30
	}
	until := p.Now.AddDate(0, 0, int(p.Days))
	token := r.URL.Query().Get("after")
	if at, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("until")); err == nil && token != "" {
		until = at // that of the first page
	}
	page, err := c.svc.ExpiredPage(r.Context(), service.ExpiredList{Company: company.ID, At: until, After: service.PageToken(token), Limit: rowsOfPage})
	if err != nil {
		return view{}, err
	}
	if p.Rooms = page.Rows; page.Next != "" {
		p.Next = to("due", "company", string(company.ID), "days", itoa(p.Days), "until", until.UTC().Format(time.RFC3339Nano), "after", string(page.Next))
	}
	return view{page: "due", Title: "What is due in " + string(company.ID), Data: p}, nil
}

type followersPage struct {
	Now       time.Time
	Followers []service.FollowerState
	Missing   string // why there is no list
}

func (c *console) followers(r *http.Request) (view, error) {
	p := followersPage{Now: c.o.Clock()}
	var err error
	if p.Followers, err = c.svc.Followers(r.Context()); service.CategoryOf(err) == service.CategoryUnsupported {
		p.Missing, err = "This store does not list followers.", nil
	}
	return view{page: "followers", Title: "Followers", Data: p}, err
}

// Lag is how old the first event is that a follower has not done.
func (p followersPage) Lag(f service.FollowerState) string {
	if f.Since.IsZero() {
		return "none"
	}
	return max(0, p.Now.Sub(f.Since)).Round(time.Second).String()
}
