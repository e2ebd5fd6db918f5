// Package why explains decisions: which rule, of what facts, and what would turn the answer
// round. The command and the console answer with it.
package why

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Explanation answers why.
type Explanation struct {
	User     roomkit.UserID   `json:"user"`
	Action   roomkit.Action   `json:"action"`
	Room     roomkit.RoomID   `json:"room"`
	Kind     roomkit.Kind     `json:"kind"`
	Allowed  bool             `json:"allowed"`
	Hidden   bool             `json:"hidden,omitempty"` // the user may not know of the room: services say not found
	Rule     roomkit.Rule     `json:"rule"`             // that forbids; of what is allowed, that would forbid it to others
	Text     string           `json:"text,omitempty"`
	Source   string           `json:"source,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Standing roomkit.Standing `json:"standing,omitzero"`
	Facts    []string         `json:"facts,omitempty"`
	Changes  []string         `json:"changes,omitempty"` // each turns the answer round
	Final    string           `json:"final,omitempty"`   // why there are no changes
}

// Question is what the pure decision is asked, and asked again with changed facts.
type Question struct {
	Rules  *roomkit.Rules
	Facts  store.Facts // the answer to a need with the room and the user
	User   roomkit.UserID
	Action roomkit.Action
}

func (q *Question) allowed(f store.Facts) bool {
	facts := &decide.Facts{Facts: f, Need: store.Need{Room: f.Room.ID, People: []roomkit.UserID{q.User}}}
	return decide.May(q.Rules, facts, roomkit.By(q.User), q.Action) == nil
}

// Decide answers a question about a room that exists: whether the user may, by which rule, and
// what that was made of.
func Decide(q *Question) *Explanation {
	facts := q.decided()
	who := facts.Person(q.User)
	room, team := &q.Facts.Room, &q.Facts.Team
	st, void := who.Standing(room, team)
	e := &Explanation{User: q.User, Action: q.Action, Room: room.ID, Kind: room.Kind, Standing: st}
	err := decide.May(q.Rules, facts, roomkit.By(q.User), q.Action)
	var denied *roomkit.Denied
	switch {
	case err == nil:
		e.Allowed, e.Rule = true, q.Rules.RuleFor(q.Action, room.Kind)
	case errors.As(err, &denied):
		e.Rule, e.Reason = denied.Rule, denied.Reason
	default:
		e.Hidden = true
		e.Rule, e.Reason = q.Rules.Forbids(q.Action, room, team, st, facts.Barred())
		if who.ID == "" {
			e.Rule, e.Reason = "COM-16", "no such user"
		} else if void != "" {
			e.Rule, e.Reason = void, voidReasons[void]
		}
	}
	r, _ := Find(e.Rule)
	e.Text, e.Source = r.Text, r.Source
	e.Facts = q.circumstances(&who, st)
	return e
}

// Explain is Decide with what would turn the answer round.
func Explain(q *Question) *Explanation {
	e := Decide(q)
	if e.Changes = q.turns(e.Allowed); len(e.Changes) == 0 {
		e.Final = q.final()
	}
	return e
}

func (q *Question) decided() *decide.Facts {
	return &decide.Facts{Facts: q.Facts, Need: store.Need{Room: q.Facts.Room.ID, People: []roomkit.UserID{q.User}}}
}

// Counted is what somebody is in a room, as far as it counts.
type Counted struct {
	Standing roomkit.Standing
	Void     roomkit.Rule // because of which what the row shows does not count, or ""
	Reason   string       // the same in words
}

// Standings says of some people what they are in the room of the facts, which are the answer to a
// need with the room and these people.
func Standings(f *store.Facts, people []roomkit.UserID) []Counted {
	facts := &decide.Facts{Facts: *f, Need: store.Need{Room: f.Room.ID, People: people}}
	list := make([]Counted, len(people))
	for i, id := range people {
		who := facts.Person(id)
		st, void := who.Standing(&f.Room, &f.Team)
		list[i] = Counted{Standing: st, Void: void, Reason: voidReasons[void]}
	}
	return list
}

// voidReasons say why what the rows show does not count.
var voidReasons = map[roomkit.Rule]string{
	"COM-14": "the room has ended", "COM-10": "the company has no licence", "ADM-13": "the account is deleted, or has been since",
	"ADM-17": "the account is suspended", "EXT-22": "the permission for partners is withdrawn, or has been since",
	"LINE-01": "no permission for consumers",
}

// circumstances says what the answer was made of.
func (q *Question) circumstances(who *decide.Person, st roomkit.Standing) []string {
	room := &q.Facts.Room
	list := []string{
		fmt.Sprintf("%s is %s in the room", q.User, orNobody(st.String())),
		fmt.Sprintf("the room is %s, features on: %s", room.State, orNobody(room.Features.String())),
	}
	if who.ID == "" {
		list[0] = fmt.Sprintf("%s is not known", q.User)
	} else {
		list = append(list, fmt.Sprintf("the account is %s, of kind %s, company %s", who.Status, who.Kind, orNobody(string(who.User.Company))))
	}
	if row := who.Row; row.Left != roomkit.CauseNone {
		list = append(list, fmt.Sprintf("%s left on %s: %s, by %s", q.User, at(row.LeftAt), row.Left, row.LeftBy))
	}
	if !room.MessageOffSince.IsZero() {
		list = append(list, "message is switched off since "+at(room.MessageOffSince))
	}
	if room.FeaturesWithheld {
		list = append(list, "features are withheld from the Group Masters")
	}
	if room.Consumers > 0 {
		list = append(list, "consumers take part")
	}
	return list
}

// final says why no change turns the answer round.
func (q *Question) final() string {
	room := &q.Facts.Room
	switch {
	case room.State == roomkit.StateEnded:
		return "the room has ended: nothing brings it back"
	case userOf(&q.Facts, q.User).ID == "":
		return "whoever is to act has to be a known user first"
	case q.impossible():
		return fmt.Sprintf("nobody may in a room of kind %s, whatever is changed", room.Kind)
	}
	return "no change of roles, accounts, permissions, licence or settings, and no two of them, turn it round"
}

func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func orNobody(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
