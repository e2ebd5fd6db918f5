package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/store"
)

// The standings, in the order of the columns of a matrix.
var standings = []standing{
	{"participant", roomkit.StandingParticipant}, {"Group Master", roomkit.StandingMaster}, {"team leader", roomkit.StandingLeader},
	{"administrator", roomkit.StandingAdministrator}, {"colleague", roomkit.StandingColleague},
}

type standing struct {
	Name string
	Is   roomkit.Standing
}

// cell is who may do something in a kind of room, in the best circumstances.
type cell struct {
	Action roomkit.Action
	Rule   roomkit.Rule
	May    []mark // by standing
}

type mark struct {
	May bool
	Own bool // the person that is asked about has this standing
}

func (c *console) cell(action roomkit.Action, kind roomkit.Kind, own roomkit.Standing) cell {
	rules := c.svc.Rules()
	row := cell{Action: action, Rule: rules.RuleFor(action, kind)}
	for _, s := range standings {
		row.May = append(row.May, mark{May: rules.Allowed(kind, s.Is).Has(action), Own: own.Has(s.Is)})
	}
	return row
}

type matrixPage struct {
	Kinds         []roomkit.Kind
	Standings     []standing
	Tables        []matrixTable
	Circumstances []roomkit.Circumstance
	Policy        []setting
}

type matrixTable struct {
	Kind roomkit.Kind
	Rows []cell
}

func (c *console) matrix(*http.Request) (view, error) {
	p := matrixPage{Kinds: roomkit.Kinds(), Standings: standings, Circumstances: roomkit.Circumstances(), Policy: settingsOf(c.svc.Rules().Policy)}
	for _, kind := range p.Kinds {
		t := matrixTable{Kind: kind}
		for _, action := range roomkit.AllActions() {
			t.Rows = append(t.Rows, c.cell(action, kind, 0))
		}
		p.Tables = append(p.Tables, t)
	}
	return view{page: "matrix", Title: "Who may do what", Data: p}, nil
}

// Whom says whose standing a circumstance takes away.
func (matrixPage) Whom(c roomkit.Circumstance) string {
	if strings.Count(c.Whom.String(), ",")+1 == len(standings) {
		return "everybody"
	}
	return text(c.Whom)
}

// What says which actions a circumstance takes away.
func (matrixPage) What(c roomkit.Circumstance) string {
	if strings.Count(c.Actions.String(), ",")+1 == len(roomkit.AllActions()) {
		return "everything"
	}
	return text(c.Actions)
}

type rulesPage struct{ Families []family }

type family struct {
	Name  string
	Rules []why.Rule
}

func (c *console) rules(*http.Request) (view, error) {
	var p rulesPage
	for _, r := range why.Book() {
		name, _, _ := strings.Cut(string(r.ID), "-")
		if n := len(p.Families); n == 0 || p.Families[n-1].Name != name {
			p.Families = append(p.Families, family{Name: name})
		}
		last := &p.Families[len(p.Families)-1]
		last.Rules = append(last.Rules, r)
	}
	return view{page: "rules", Title: "The rule book", Data: p}, nil
}

// whyPage asks, and answers as soon as a person and a room are given: about one action, or
// about all of them.
type whyPage struct {
	User, Action, Room string // as they were given
	Company            string // to choose a person and a room from
	Actions            []roomkit.Action
	Wrong              string           // with what was given
	Unknown            bool             // there is no such user
	People             []roomkit.UserID // of the room, to choose from
	Rooms              []roomRow        // of the person, to choose from
	About              *roomRow
	Standings          []standing
	Answer             *why.Explanation
	Cell               cell
	Takes              []roomkit.Circumstance // what can take the action away
	Because            string
	Final              line
	All                []explained
}

type explained struct {
	*why.Explanation
	Because string
}

func (c *console) why(r *http.Request) (view, error) {
	q := r.URL.Query()
	p := whyPage{User: q.Get("user"), Action: q.Get("action"), Room: q.Get("room"), Company: q.Get("company"), Actions: roomkit.AllActions(), Standings: standings}
	v := view{page: "why", Title: "Why?"}
	user := roomkit.UserID(p.User)
	action, err := roomkit.ParseAction(p.Action)
	switch {
	case p.User == "" || p.Room == "":
	case !user.Valid():
		p.Wrong = "This is no id of a user."
	case p.Action != "" && (err != nil || action == roomkit.ActionNone):
		p.Wrong = "There is no such action."
	default:
		f, err := c.roomOf(r, "room", user)
		if unknown(err) {
			p.Wrong, v.status = "There is no such room.", http.StatusNotFound
			break
		}
		if err != nil {
			return view{}, err
		}
		row, err := c.rowOfRoom(r.Context(), roomkit.RoomEntry{Room: f.Room})
		if err != nil {
			return view{}, err
		}
		p.About = &row
		c.explain(&p, f, user, action)
	}
	if err := c.choices(r.Context(), &p); err != nil {
		return view{}, err
	}
	if p.Wrong != "" && v.status == 0 {
		v.status = http.StatusBadRequest
	}
	v.Data = p
	return v, nil
}

func (c *console) explain(p *whyPage, f store.Facts, user roomkit.UserID, action roomkit.Action) {
	p.Unknown = !slices.ContainsFunc(f.Users, func(u roomkit.User) bool { return u.ID == user })
	q := &why.Question{Rules: c.svc.Rules(), Facts: f, User: user, Action: action}
	if action != roomkit.ActionNone {
		p.Answer = why.Explain(q)
		p.Cell = c.cell(action, f.Room.Kind, p.Answer.Standing)
		p.Takes = c.takes(action, f.Room.Kind)
		p.Because, p.Final = c.because(p.Answer), c.final(p.Answer, &f)
		return
	}
	for _, action := range p.Actions {
		q.Action = action
		e := why.Decide(q)
		p.All = append(p.All, explained{e, c.because(e)})
	}
}

// choices reads whom and which rooms one can ask about, with what is given already.
func (c *console) choices(ctx context.Context, p *whyPage) error {
	if id, err := roomkit.ParseRoomID(p.Room); err == nil && !id.IsZero() {
		rows, err := c.st.Members(ctx, store.MemberQuery{Room: id, Limit: rowsOfPage})
		if err != nil {
			return err
		}
		for i := range rows {
			p.People = append(p.People, rows[i].User)
		}
	}
	company := roomkit.CompanyID(p.Company)
	if p.Room == "" && company.Valid() {
		users, err := c.st.Users(ctx, store.UserQuery{Company: company, Limit: rowsOfPage})
		if err != nil {
			return err
		}
		for i := range users {
			p.People = append(p.People, users[i].ID)
		}
	}
	var q store.RoomQuery
	switch user := roomkit.UserID(p.User); {
	case user.Valid():
		q.User = user
	case p.User == "" && company.Valid():
		q.Company = company
	default:
		return nil
	}
	q.Limit = rowsOfPage
	var err error
	p.Rooms, _, err = c.rowsOfRooms(ctx, &q)
	return err
}

// takes gives the circumstances that can take an action away in a kind of room.
func (c *console) takes(action roomkit.Action, kind roomkit.Kind) (list []roomkit.Circumstance) {
	only := map[string]roomkit.Kind{"TEAM": roomkit.KindTeam, "DIR": roomkit.KindDirect}
	for _, one := range roomkit.Circumstances() {
		family, _, _ := strings.Cut(string(one.Rule), "-")
		if of, limited := only[family]; limited && of != kind {
			continue
		}
		if one.Actions.Has(action) && c.svc.Rules().Allowed(kind, one.Whom).Has(action) {
			list = append(list, one)
		}
	}
	return list
}

// Took reports whether a circumstance is why the action is refused.
func (p whyPage) Took(c roomkit.Circumstance) bool {
	return p.Answer.Rule == c.Rule && strings.HasSuffix(p.Answer.Reason, c.Name)
}

// Made says what the answer was made of, with a space behind each comma of the features.
func (p whyPage) Made() (facts []string) {
	for _, fact := range p.Answer.Facts {
		if strings.HasPrefix(fact, "the room is ") {
			fact = strings.ReplaceAll(strings.ReplaceAll(fact, "_", " "), ",", ", ")
			fact = strings.ReplaceAll(fact, ",  ", ", ")
		}
		facts = append(facts, fact)
	}
	return facts
}
