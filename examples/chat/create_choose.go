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
	"github.com/go-roomkit/roomkit/service"
)

const (
	groupMost = 100 // people of a group on the page; the search finds the others
	foundMost = 50
	namedMost = 1000
	chartOpen = 60 // a chart of so many people is unfolded at first
)

// eligible is somebody who can be chosen, or the rules that forbid it.
type eligible struct {
	person
	Of      string // the company of an outsider, or where a colleague works
	Chosen  bool
	Already bool // is in the room
	Why     []*problem
}

// group is a part of the chart.
type group struct {
	Key    string
	Name   string
	Team   bool // all of it can be chosen at once (CRE-53)
	Fixed  bool // is not folded
	Open   bool
	Count  int
	Hidden int // how many are not on the page, though it is unfolded
	Rows   []eligible
}

// outside is 1 for people of other companies.
func (g *group) outside() int {
	if strings.HasPrefix(g.Key, "company ") {
		return 1
	}
	return 0
}

// ids are all who are chosen, refused or not.
func (ch *choice) ids() (ids []roomkit.UserID) {
	for _, p := range ch.Chosen {
		ids = append(ids, p.ID)
	}
	return ids
}

// take reads whom the form has chosen: those who were and are not dropped, and a whole
// team as it is at this moment.
func (c *chat) take(ctx context.Context, ch *choice) error {
	dropped := ch.Form["drop"]
	for _, id := range usersOf(ch.Form["who"]) {
		if !slices.Contains(dropped, string(id)) {
			ch.Chosen = append(ch.Chosen, eligible{person: c.known(ctx, ch.Me, id), Chosen: true})
		}
	}
	if team := ch.Form.Get("team"); team != "" {
		members, err := c.svc.Team(ctx, c.people.person(ch.Me).Company, roomkit.TeamID(team))
		if err != nil {
			return err
		}
		if err := c.takeAll(ctx, ch, members.Members); err != nil {
			return err
		}
	}
	if ch.File != nil && !ch.Form.Has("chosen") {
		return c.takeAll(ctx, ch, ch.Named)
	}
	return nil
}

// takeAll chooses those of some people who can be chosen, alone and together.
func (c *chat) takeAll(ctx context.Context, ch *choice, people []roomkit.UserID) error {
	people = slices.DeleteFunc(slices.Clone(people), func(id roomkit.UserID) bool {
		return id == ch.Me || slices.Contains(ch.ids(), id)
	})
	for part := range slices.Chunk(people, roomkit.MaxPeople) {
		answers, err := c.choose(ctx, ch, part)
		if err != nil {
			ch.Problem = ch.refusal(err)
			return nil
		}
		for _, answer := range answers {
			if len(answer.Against) == 0 && !answer.Already {
				ch.Chosen = append(ch.Chosen, eligible{person: c.people.person(answer.User), Chosen: true})
			}
		}
	}
	if _, err := c.choose(ctx, ch, nil); err != nil {
		ch.Problem = ch.refusal(err)
	}
	ch.Chosen = slices.DeleteFunc(ch.Chosen, func(p eligible) bool { return len(p.Why) > 0 && slices.Contains(people, p.ID) })
	return nil
}

// known gives somebody with the name, if the other may know it: a colleague, or a contact.
func (c *chat) known(ctx context.Context, me, id roomkit.UserID) person {
	if p := c.people.person(id); c.knows(ctx, me, p) {
		return p
	}
	return person{ID: id, Name: string(id)}
}

// lay lays out the chart, or what the search finds, and judges everybody on it.
func (c *chat) lay(ctx context.Context, ch *choice) error {
	chart, err := c.chart(ctx, ch.Me, ch.Outsiders || ch.Query != "")
	if err != nil {
		return err
	}
	if ch.Name == "external" || ch.Name == "external-group" { // who asks for outsiders finds them first
		slices.SortStableFunc(chart, func(a, b group) int { return cmp.Compare(b.outside(), a.outside()) })
	}
	if len(ch.Named) > 0 {
		first := group{Key: "named", Name: ch.NamedAs, Fixed: true, Open: true}
		for _, id := range ch.Named {
			first.Rows = append(first.Rows, eligible{person: c.people.person(id), Of: c.people.company(id)})
		}
		chart = slices.Insert(chart, 0, first)
	}
	if ch.Query != "" {
		chart = ch.search(chart)
	}
	ch.Groups = ch.fold(chart)
	return c.judge(ctx, ch)
}

// chart has the teams of somebody's company, and the contacts at other companies.
func (c *chat) chart(ctx context.Context, me roomkit.UserID, outsiders bool) (chart []group, err error) {
	own, placed := c.people.person(me).Company, map[roomkit.UserID]bool{me: true}
	if own != "" {
		for team, err := range c.svc.Teams(ctx, service.TeamList{Company: own}) {
			if err != nil {
				return nil, err
			}
			g := group{Key: string(team.ID), Name: team.Name, Team: true}
			for _, id := range team.Members {
				if id != me {
					g.Rows = append(g.Rows, eligible{person: c.people.person(id), Of: c.people.person(id).Job})
				}
				placed[id] = true
			}
			chart = append(chart, g)
		}
	}
	others := map[string]int{}
	for _, p := range c.people.all() {
		colleague := own != "" && p.Company == own
		if placed[p.ID] || !colleague && (!outsiders || !c.knows(ctx, me, p)) {
			continue
		}
		key, name := "company "+string(p.Company), "Contacts at "+c.people.company(p.ID)
		switch {
		case colleague:
			key, name = "no team", "In no team"
		case p.Company == "":
			name = "Consumers"
		}
		if _, there := others[key]; !there {
			others[key] = len(chart)
			chart = append(chart, group{Key: key, Name: name})
		}
		g := &chart[others[key]]
		g.Rows = append(g.Rows, eligible{person: p, Of: p.Job})
	}
	return chart, c.withoutDeleted(ctx, chart)
}

// withoutDeleted takes out whose account is deleted.
func (c *chat) withoutDeleted(ctx context.Context, chart []group) error {
	var all []roomkit.UserID
	for _, g := range chart {
		for _, one := range g.Rows {
			all = append(all, one.ID)
		}
	}
	deleted, err := c.deletedOf(ctx, all)
	for i := range chart {
		chart[i].Rows = slices.DeleteFunc(chart[i].Rows, func(one eligible) bool { return deleted[one.ID] })
	}
	return err
}

// search keeps those whose name, address or team has the text in it.
func (ch *choice) search(chart []group) []group {
	found := group{Key: "found", Name: "Found", Fixed: true, Open: true}
	seen := map[roomkit.UserID]bool{}
	for _, g := range chart {
		team := person{Name: g.Name}.matches(ch.Query)
		for _, p := range g.Rows {
			if !team && !p.matches(ch.Query) || seen[p.ID] {
				continue
			}
			seen[p.ID] = true
			p.Of = g.Name
			found.Rows = append(found.Rows, p)
		}
	}
	return []group{found}
}

// fold shows the people of those groups that are unfolded, each person once.
func (ch *choice) fold(chart []group) []group {
	total := 0
	for _, g := range chart {
		total += len(g.Rows)
	}
	folded, shown := ch.Form.Get("fold"), map[roomkit.UserID]bool{}
	for i := range chart {
		g := &chart[i]
		if !g.Fixed {
			g.Open = slices.Contains(ch.unfold, g.Key) || !ch.Form.Has("chosen") && total <= chartOpen
			g.Open = g.Open != (g.Key == folded)
		}
		g.Count = len(g.Rows)
		if !g.Open {
			g.Rows = nil
		}
		g.Rows = slices.DeleteFunc(g.Rows, func(p eligible) bool { return shown[p.ID] })
		most := mostOf(g.Key)
		g.Hidden = max(0, len(g.Rows)-most)
		g.Rows = g.Rows[:len(g.Rows)-g.Hidden]
		for _, p := range g.Rows {
			shown[p.ID] = true
		}
	}
	return chart
}

func mostOf(group string) int {
	switch group {
	case "found":
		return foundMost
	case "named":
		return namedMost
	}
	return groupMost
}

// judge asks the service about everybody on the page, together with those who are chosen.
func (c *chat) judge(ctx context.Context, ch *choice) error {
	chosen := ch.ids()
	var ids []roomkit.UserID
	for _, g := range ch.Groups {
		for _, p := range g.Rows {
			if !slices.Contains(chosen, p.ID) {
				ids = append(ids, p.ID)
			}
		}
	}
	answers := map[roomkit.UserID]roomkit.Choice{}
	for begin := 0; begin == 0 || begin < len(ids); begin += roomkit.MaxPeople {
		part, err := c.choose(ctx, ch, ids[begin:min(begin+roomkit.MaxPeople, len(ids))])
		if errors.Is(err, roomkit.ErrNotFound) {
			return err
		}
		if err != nil {
			ch.Problem = ch.refusal(err)
			break
		}
		for _, answer := range part {
			answers[answer.User] = answer
		}
	}
	for i := range ch.Groups {
		ch.Groups[i].Team = ch.Groups[i].Team && ch.Problem == nil
		for j := range ch.Groups[i].Rows {
			ch.mark(&ch.Groups[i].Rows[j], answers)
		}
	}
	return nil
}

func (ch *choice) mark(p *eligible, answers map[roomkit.UserID]roomkit.Choice) {
	if i := slices.IndexFunc(ch.Chosen, func(c eligible) bool { return c.ID == p.ID }); i >= 0 {
		p.Chosen, p.Why = true, ch.Chosen[i].Why
		return
	}
	answer, judged := answers[p.ID]
	switch {
	case !judged && ch.Problem != nil:
		p.Why = []*problem{ch.Problem}
	case answer.Already:
		p.Already = true
		p.Why = []*problem{(&problem{Rule: "COM-07", Detail: "takes part already"}).cite()}
	default:
		p.Why = whyNot(answer.Against)
	}
}

func whyNot(against []roomkit.Refusal) (why []*problem) {
	for _, r := range against {
		why = append(why, (&problem{Rule: r.Rule, Detail: r.Reason}).cite())
	}
	return why
}

// choose judges candidates. Somebody chosen before who cannot be any more is told so, and
// the others are judged without them.
func (c *chat) choose(ctx context.Context, ch *choice, candidates []roomkit.UserID) ([]roomkit.Choice, error) {
	people := ch.people()
	answers, err := c.svc.Choose(ctx, roomkit.By(ch.Me), ch.command(people), candidates)
	if err == nil {
		return answers, nil
	}
	ch.refusal(err)
	if rest := ch.people(); len(rest) < len(people) {
		return c.svc.Choose(ctx, roomkit.By(ch.Me), ch.command(rest), candidates)
	}
	return nil, err
}

// refusal makes a problem of an error, and marks those of the chosen whom it is about.
func (ch *choice) refusal(err error) *problem {
	p, denied := problemOf(err), (*roomkit.Denied)(nil)
	if !errors.As(err, &denied) {
		return p
	}
	for i := range ch.Chosen {
		var against []roomkit.Refusal
		for _, r := range denied.Against {
			if r.User == ch.Chosen[i].ID {
				against = append(against, r)
			}
		}
		ch.Chosen[i].Why = whyNot(against)
	}
	p.People = slices.DeleteFunc(p.People, func(a against) bool { return slices.Contains(ch.ids(), a.User) })
	return p
}

// teamWay is a team with its room, or who may open it.
type teamWay struct {
	roomkit.Team
	Deed deed
}

// wayTo is a way of making a room, or why somebody cannot go it.
type wayTo struct {
	creation
	URL    string
	Denied *problem
}

// showNew asks first with whom: one audience (CRE-02), or a file, or a team.
func (c *chat) showNew(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	var list []wayTo
	for _, way := range ways {
		ch, one := newChoice(r, me, way), wayTo{creation: way, URL: "/as/" + url.PathEscape(string(me)) + "/new/" + way.Name}
		if _, err := c.svc.Choose(r.Context(), roomkit.By(me), ch.newRoom(nil), nil); err != nil {
			one.Denied = c.problemOf(r.Context(), err)
		}
		list = append(list, one)
	}
	return c.show(w, r, me, "create", page{Title: "New room", Show: "main", Data: list})
}

// contacts is the chart of a company, and whom one knows besides.
type contacts struct {
	*choice
	Teams []teamWay
}

func (c *chat) showContacts(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return &roomkit.Invalid{Field: "form", Reason: err.Error()}
	}
	ch := newChoice(r, me, creation{Name: "contacts", Heading: "Contacts", Outsiders: true})
	chart, err := c.chart(ctx, me, true)
	if err != nil {
		return err
	}
	if ch.Query != "" {
		chart = ch.search(chart)
	}
	ch.Groups = ch.fold(chart)
	teams, err := c.teams(ctx, me)
	if err != nil {
		return err
	}
	return c.show(w, r, me, "create-contacts", page{Title: "Contacts", Data: contacts{ch, teams}, Show: "main"})
}
