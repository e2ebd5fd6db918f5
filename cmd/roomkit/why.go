package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// explanation answers why.
type explanation struct {
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

func (a *app) why(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "USER", "ACTION", "ROOM")
	if err != nil {
		return err
	}
	action, err := roomkit.ParseAction(given[1])
	if err != nil || action == roomkit.ActionNone {
		return usage("%q is no action: give one of %s", given[1], join(actionTexts()))
	}
	room, err := roomArg(given[2])
	if err != nil {
		return err
	}
	user := roomkit.UserID(given[0])
	if !user.Valid() {
		return usage("%q is no id of a user", given[0])
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	answers, err := store.Ask(ctx, o.store, []store.Need{{Room: room, People: []roomkit.UserID{user}}})
	if err != nil {
		return err
	}
	if answers[0].Room.Version == 0 {
		return fmt.Errorf("%w: there is no room %s", roomkit.ErrNotFound, room)
	}
	e := explain(&question{rules: o.rules, facts: answers[0], user: user, action: action})
	return a.tellWhy(e)
}

func actionTexts() (names []string) {
	for _, action := range roomkit.AllActions() {
		names = append(names, action.String())
	}
	return names
}

func (a *app) tellWhy(e *explanation) error {
	refused := error(nil)
	if !e.Allowed {
		refused = errFindings
	}
	if a.output == "json" {
		return errors.Join(a.table().row(e), refused)
	}
	verb := "may"
	if !e.Allowed {
		verb = "may not"
	}
	fmt.Fprintf(a.out, "%s %s %s in %s room %s\n", e.User, verb, e.Action, e.Kind, e.Room)
	if e.Hidden {
		fmt.Fprintf(a.out, "hidden:  the service answers that there is no such room\n")
	}
	if e.Reason != "" {
		fmt.Fprintf(a.out, "because: %s\n", e.Reason)
	}
	fmt.Fprintf(a.out, "rule:    %s %s\nsource:  %s\n", e.Rule, e.Text, e.Source)
	for _, fact := range e.Facts {
		fmt.Fprintf(a.out, "fact:    %s\n", fact)
	}
	turn := "becomes allowed if"
	if e.Allowed {
		turn = "is lost if"
	}
	for _, change := range e.Changes {
		fmt.Fprintf(a.out, "%s %s\n", turn, change)
	}
	if e.Final != "" {
		fmt.Fprintln(a.out, e.Final)
	}
	return refused
}

// question is what the pure decision is asked, and asked again with changed facts.
type question struct {
	rules  *roomkit.Rules
	facts  store.Facts
	user   roomkit.UserID
	action roomkit.Action
}

func (q *question) allowed(f store.Facts) bool {
	facts := &decide.Facts{Facts: f, Need: store.Need{Room: f.Room.ID, People: []roomkit.UserID{q.user}}}
	return decide.May(q.rules, facts, roomkit.By(q.user), q.action) == nil
}

func explain(q *question) *explanation {
	facts := &decide.Facts{Facts: q.facts, Need: store.Need{Room: q.facts.Room.ID, People: []roomkit.UserID{q.user}}}
	who := facts.Person(q.user)
	room, team := &q.facts.Room, &q.facts.Team
	st, void := who.Standing(room, team)
	e := &explanation{User: q.user, Action: q.action, Room: room.ID, Kind: room.Kind, Standing: st}
	err := decide.May(q.rules, facts, roomkit.By(q.user), q.action)
	var denied *roomkit.Denied
	switch {
	case err == nil:
		e.Allowed, e.Rule = true, q.rules.RuleFor(q.action, room.Kind)
	case errors.As(err, &denied):
		e.Rule, e.Reason = denied.Rule, denied.Reason
	default:
		e.Hidden = true
		e.Rule, e.Reason = q.rules.Forbids(q.action, room, team, st, facts.Barred())
		if who.ID == "" {
			e.Rule, e.Reason = "COM-16", "no such user"
		} else if void != "" {
			e.Rule, e.Reason = void, voidReasons[void]
		}
	}
	r, _ := book().find(e.Rule)
	e.Text, e.Source = r.Text, r.Source
	e.Facts = q.circumstances(&who, st)
	if e.Changes = q.turns(e.Allowed); len(e.Changes) == 0 {
		e.Final = q.final()
	}
	return e
}

// voidReasons say why what the rows show does not count.
var voidReasons = map[roomkit.Rule]string{
	"COM-14": "the room has ended", "COM-10": "the company has no licence", "ADM-13": "the account is deleted, or has been since",
	"ADM-17": "the account is suspended", "EXT-22": "the permission for partners is withdrawn, or has been since",
	"LINE-01": "no permission for consumers",
}

// circumstances says what the answer was made of.
func (q *question) circumstances(who *decide.Person, st roomkit.Standing) []string {
	room := &q.facts.Room
	list := []string{
		fmt.Sprintf("%s is %s in the room", q.user, orNobody(st.String())),
		fmt.Sprintf("the room is %s, features on: %s", room.State, orNobody(room.Features.String())),
	}
	if who.ID == "" {
		list[0] = fmt.Sprintf("%s is not known", q.user)
	} else {
		list = append(list, fmt.Sprintf("the account is %s, of kind %s, company %s", who.Status, who.Kind, orNobody(string(who.User.Company))))
	}
	if row := who.Row; row.Left != roomkit.CauseNone {
		list = append(list, fmt.Sprintf("%s left on %s: %s, by %s", q.user, at(row.LeftAt), row.Left, row.LeftBy))
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
func (q *question) final() string {
	room := &q.facts.Room
	switch {
	case room.State == roomkit.StateEnded:
		return "the room has ended: nothing brings it back"
	case userOf(&q.facts, q.user).ID == "":
		return "whoever is to act has to be a known user first"
	case q.impossible():
		return fmt.Sprintf("nobody may in a room of kind %s, whatever is changed", room.Kind)
	}
	return "no change of roles, accounts, permissions, licence or settings, and no two of them, turn it round"
}

func orNobody(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
