package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
		fmt.Fprintf(a.out, "because: %s\n", printable(e.Reason))
	}
	fmt.Fprintf(a.out, "rule:    %s %s\nsource:  %s\n", e.Rule, e.Text, e.Source)
	for _, fact := range e.Facts {
		fmt.Fprintf(a.out, "fact:    %s\n", printable(fact))
	}
	turn := "becomes allowed if"
	if e.Allowed {
		turn = "is lost if"
	}
	for _, change := range e.Changes {
		fmt.Fprintf(a.out, "%s %s\n", turn, printable(change))
	}
	if len(e.Changes) == 0 {
		fmt.Fprintf(a.out, "nothing that can be changed about user, room, company or team turns this round\n")
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
			e.Rule, e.Reason = void, ""
		}
	}
	r, _ := book().find(e.Rule)
	e.Text, e.Source = r.Text, r.Source
	e.Facts = q.circumstances(&who, st)
	e.Changes = q.turns(e.Allowed)
	return e
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

func orNobody(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// turns gives the changes that turn the answer round: single ones, or, if there is none,
// the first pairs.
func (q *question) turns(allowed bool) (texts []string) {
	list := q.changes()
	for _, c := range list {
		if f := q.copy(); c.make(&f) && q.allowed(f) != allowed {
			texts = append(texts, c.text)
		}
	}
	if len(texts) > 0 || allowed {
		return texts
	}
	for i, one := range list {
		for _, two := range list[i+1:] {
			if f := q.copy(); one.make(&f) && two.make(&f) && q.allowed(f) {
				texts = append(texts, one.text+", and "+two.text)
			}
		}
	}
	return texts
}

func (q *question) copy() store.Facts {
	f := q.facts
	f.Members, f.Users, f.Companies = slices.Clone(f.Members), slices.Clone(f.Users), slices.Clone(f.Companies)
	return f
}

// change is one fact made otherwise. It makes nothing if that is so already or cannot be.
type change struct {
	text string
	make func(f *store.Facts) bool
}

// flip turns a switch round, for which it has a text in both directions.
func flip(is *bool) bool {
	*is = !*is
	return true
}

func either(is bool, off, on string) string {
	if is {
		return off
	}
	return on
}

func (q *question) changes() []change {
	return slices.Concat(q.ofRoles(), q.ofUser(), q.ofRoom(), q.ofTeam(), q.ofParties())
}

func (q *question) ofRoles() []change {
	f := q.copy()
	row, u := rowOf(&f, q.user), userOf(&f, q.user)
	return []change{
		{q.says(row.Participant, "does not take part any more", "takes part (joins now)"), func(f *store.Facts) bool {
			row := rowOf(f, q.user)
			row.Epoch = epochOf(f, q.user)
			return flip(&row.Participant)
		}},
		{q.says(row.Master, "is no Group Master any more", "is a Group Master"), func(f *store.Facts) bool {
			row := rowOf(f, q.user)
			row.MasterEpoch = epochOf(f, q.user)
			return f.Room.Kind.IsGroup() && flip(&row.Master)
		}},
		{q.says(u.Administrator, "is no administrator any more", "is an administrator"), func(f *store.Facts) bool {
			u := userOf(f, q.user)
			return u.Kind == roomkit.UserMember && flip(&u.Administrator)
		}},
		{fmt.Sprintf("%s belongs to company %s", q.user, f.Room.Company), func(f *store.Facts) bool {
			u := userOf(f, q.user)
			was := u.Company
			u.Company, u.Kind = f.Room.Company, roomkit.UserMember
			return was != u.Company && u.Company != "" && u.ID != ""
		}},
		{q.says(f.Team.Leader == q.user, "does not lead the team any more", "leads the team"), func(f *store.Facts) bool {
			if f.Team.Leader == q.user {
				f.Team.Leader = ""
			} else {
				f.Team.Leader = q.user
			}
			return f.Room.Kind == roomkit.KindTeam
		}},
	}
}

func (q *question) says(is bool, off, on string) string {
	return string(q.user) + " " + either(is, off, on)
}

func (q *question) ofUser() []change {
	f := q.copy()
	u, company := userOf(&f, q.user), companyOf(&f, userOf(&f, q.user).Company)
	list := []change{
		{q.says(u.Status == roomkit.StatusActive, "is suspended", "has an active account"), func(f *store.Facts) bool {
			u := userOf(f, q.user)
			if u.Status == roomkit.StatusActive {
				u.Status = roomkit.StatusSuspended
			} else {
				u.Status = roomkit.StatusActive
			}
			return u.ID != ""
		}},
		{fmt.Sprintf("company %s has %s licence", company.ID, either(company.Licensed, "no", "a")), func(f *store.Facts) bool {
			c := companyOf(f, userOf(f, q.user).Company)
			return c.ID != "" && flip(&c.Licensed)
		}},
	}
	return append(list, permissions(q.user)...)
}

// permissions gives and takes what a member needs to talk with others.
func permissions(user roomkit.UserID) []change {
	set := func(partners, consumers *roomkit.ExternalMode) func(*store.Facts) bool {
		return func(f *store.Facts) bool {
			u := userOf(f, user)
			c := companyOf(f, u.Company)
			if c.ID == "" || u.Kind != roomkit.UserMember {
				return false
			}
			was := *c
			if partners != nil {
				c.Partners = *partners
			}
			if consumers != nil {
				c.Consumers = *consumers
			}
			return *c != was
		}
	}
	own := func(of func(u *roomkit.User) *bool, to bool) func(*store.Facts) bool {
		return func(f *store.Facts) bool {
			u := userOf(f, user)
			has := of(u)
			return u.Kind == roomkit.UserMember && *has != to && flip(has)
		}
	}
	partners := func(u *roomkit.User) *bool { return &u.Partners }
	consumers := func(u *roomkit.User) *bool { return &u.Consumers }
	all, off := roomkit.ExternalAll, roomkit.ExternalOff
	return []change{
		{fmt.Sprintf("%s is given the permission for partners", user), own(partners, true)},
		{fmt.Sprintf("%s loses the permission for partners", user), own(partners, false)},
		{fmt.Sprintf("%s is given the permission for consumers", user), own(consumers, true)},
		{fmt.Sprintf("%s loses the permission for consumers", user), own(consumers, false)},
		{fmt.Sprintf("the company of %s lets all talk with partners", user), set(&all, nil)},
		{fmt.Sprintf("the company of %s lets nobody talk with partners", user), set(&off, nil)},
		{fmt.Sprintf("the company of %s lets all talk with consumers", user), set(nil, &all)},
		{fmt.Sprintf("the company of %s lets nobody talk with consumers", user), set(nil, &off)},
	}
}

func (q *question) ofRoom() []change {
	room := q.facts.Room
	list := []change{
		{"message is switched " + either(room.MessageOffSince.IsZero(), "off", "on"), func(f *store.Facts) bool {
			if f.Room.MessageOffSince.IsZero() {
				f.Room.MessageOffSince = time.Unix(1, 0)
			} else {
				f.Room.MessageOffSince = time.Time{}
			}
			return f.Room.Kind >= roomkit.KindGroup
		}},
		{"the group is made " + either(room.Public, "private", "public"), func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindGroup && flip(&f.Room.Public)
		}},
		{"features are " + either(room.FeaturesWithheld, "given back to", "withheld from") + " the Group Masters", func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindGroup && flip(&f.Room.FeaturesWithheld)
		}},
		{"no consumers take part", func(f *store.Facts) bool {
			had := f.Room.Consumers > 0
			f.Room.Consumers = 0
			return had
		}},
		{"the room is converted into a group", func(f *store.Facts) bool {
			was := f.Room.Kind
			f.Room.Kind = roomkit.KindGroup
			return was == roomkit.KindGeneral
		}},
	}
	for feature := range roomkit.Feature(8) {
		bit := roomkit.Features(feature)
		if bit == 0 || roomkit.AllFeatures&bit == 0 {
			continue
		}
		list = append(list, change{
			strings.ToUpper(feature.String()[:1]) + feature.String()[1:] + " is switched " + either(room.Features.Has(feature), "off", "on"),
			func(f *store.Facts) bool {
				f.Room.Features ^= bit
				return true
			},
		})
	}
	return list
}

func (q *question) ofTeam() []change {
	team := q.facts.Team
	of := func(text string, is func(*roomkit.Team) *bool) change {
		return change{"the administrator " + either(*is(&team), "takes back", "grants") + " " + text, func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindTeam && flip(is(&f.Team))
		}}
	}
	return []change{
		of("the team room", func(t *roomkit.Team) *bool { return &t.Room }),
		of("the right over features to the leader", func(t *roomkit.Team) *bool { return &t.Features }),
		of("the right over the photo to the leader", func(t *roomkit.Team) *bool { return &t.Photo }),
	}
}

// ofParties are about the other party of a 1:1 room.
func (q *question) ofParties() (list []change) {
	if q.facts.Room.Kind != roomkit.KindDirect {
		return nil
	}
	for _, party := range q.facts.Room.Parties {
		if party != q.user {
			list = append(list, permissions(party)...)
		}
	}
	return list
}

func rowOf(f *store.Facts, user roomkit.UserID) *roomkit.Member {
	for i := range f.Members {
		if f.Members[i].User == user {
			return &f.Members[i]
		}
	}
	f.Members = append(f.Members, roomkit.Member{Room: f.Room.ID, User: user})
	return &f.Members[len(f.Members)-1]
}

func userOf(f *store.Facts, user roomkit.UserID) *roomkit.User {
	for i := range f.Users {
		if f.Users[i].ID == user {
			return &f.Users[i]
		}
	}
	return &roomkit.User{}
}

func companyOf(f *store.Facts, id roomkit.CompanyID) *roomkit.Company {
	for i := range f.Companies {
		if f.Companies[i].ID == id {
			return &f.Companies[i]
		}
	}
	return &roomkit.Company{}
}

func epochOf(f *store.Facts, user roomkit.UserID) roomkit.Epoch {
	u := userOf(f, user)
	return roomkit.Epoch{User: u.Version, Company: companyOf(f, u.Company).Version}
}
