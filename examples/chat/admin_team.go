package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func (c *chat) adminTeamRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/admin/teams", c.asAdmin(c.showTeams))
	mux.Handle("GET /as/{user}/admin/teams/{team}", c.asAdmin(c.showTeam))
	mux.Handle("GET /as/{user}/admin/new-team", c.asAdmin(c.showNewTeam))
}

// teamLine is a team of the organisation chart.
type teamLine struct {
	roomkit.Team
	LeaderName string
	People     []person
	URL        string
}

// ownTeams gives the teams of the company.
func (c *chat) ownTeams(ctx context.Context, a *admin) (teams []roomkit.Team, err error) {
	for team, err := range c.svc.Teams(ctx, service.TeamList{Company: a.Company.ID, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, err
		}
		teams = append(teams, team)
	}
	return teams, c.living(ctx, teams)
}

func (c *chat) ownTeam(ctx context.Context, a *admin, id roomkit.TeamID) (roomkit.Team, error) {
	team, err := c.svc.Team(ctx, a.Company.ID, id)
	if err != nil {
		return team, err
	}
	teams := []roomkit.Team{team}
	err = c.living(ctx, teams)
	return teams[0], err
}

// living takes out of teams whose account is deleted: the chart names them until it is
// changed, but they are in no team any more (ADM-13).
func (c *chat) living(ctx context.Context, teams []roomkit.Team) error {
	var all []roomkit.UserID
	for i := range teams {
		all = append(all, teams[i].Members...)
	}
	deleted, err := c.deletedOf(ctx, all)
	for i := range teams {
		teams[i].Members = slices.DeleteFunc(slices.Clone(teams[i].Members), func(id roomkit.UserID) bool { return deleted[id] })
	}
	return err
}

// deletedOf gives those whose account is deleted: the host's own list keeps their names.
func (c *chat) deletedOf(ctx context.Context, people []roomkit.UserID) (map[roomkit.UserID]bool, error) {
	deleted := map[roomkit.UserID]bool{}
	people = slices.Compact(slices.Sorted(slices.Values(people))) // somebody can be in several teams
	for part := range slices.Chunk(people, roomkit.MaxPage) {
		facts, err := store.Ask(ctx, c.store, []store.Need{{People: part}})
		if err != nil {
			return nil, err
		}
		for _, user := range facts[0].Users {
			deleted[user.ID] = user.Status == roomkit.StatusDeleted
		}
	}
	return deleted, nil
}

func (c *chat) showTeams(w http.ResponseWriter, r *http.Request, a *admin) error {
	teams, err := c.ownTeams(r.Context(), a)
	if err != nil {
		return err
	}
	var leaders []roomkit.UserID
	for _, team := range teams {
		if team.Leader != "" {
			leaders = append(leaders, team.Leader)
		}
	}
	deleted, err := c.deletedOf(r.Context(), leaders)
	if err != nil {
		return err
	}
	var list []teamLine
	for _, team := range teams {
		line := teamLine{Team: team, URL: a.URL() + "/teams/" + url.PathEscape(string(team.ID))}
		if team.Leader != "" {
			line.LeaderName = c.people.name(team.Leader)
		}
		if deleted[team.Leader] {
			line.LeaderName += " (the account is deleted)"
		}
		for _, id := range team.Members[:min(len(team.Members), peoplePage)] {
			line.People = append(line.People, c.people.person(id))
		}
		list = append(list, line)
	}
	return c.adminPage(w, r, a, "teams", list)
}

// teamForm is a team as it is, or as a form has it by now, with everybody who could be in it.
type teamForm struct {
	roomkit.Team
	New     bool
	At      string // of the page
	Back    string
	Query   string
	In      listed[teamPerson] // are in the team as it is
	Out     listed[teamPerson]
	Absent  []roomkit.UserID // are ticked and not on the page: the form carries them
	Leaders []person
	Moves   []person       // who can go to another team
	Others  []roomkit.Team // where they can go
	Problem *problem       // what is not filled in right
}

// Wrong is what is not right in a field; of no field by its name, what is in none.
func (f *teamForm) Wrong(field string) *problem {
	if p := f.Problem; p != nil && (strings.EqualFold(p.Field, field) || field == "" && !slices.Contains([]string{"team", "name"}, strings.ToLower(p.Field))) {
		return p
	}
	return nil
}

type teamPerson struct {
	person
	Of     string // the teams that the person is in besides
	Ticked bool
}

func (c *chat) showNewTeam(w http.ResponseWriter, r *http.Request, a *admin) error {
	return c.teamPage(w, r, a, newTeamForm(a), r.URL.Query())
}

func (c *chat) showTeam(w http.ResponseWriter, r *http.Request, a *admin) error {
	team, err := c.ownTeam(r.Context(), a, roomkit.TeamID(r.PathValue("team")))
	if err != nil {
		return err
	}
	return c.teamPage(w, r, a, formOfTeam(a, team), r.URL.Query())
}

func newTeamForm(a *admin) *teamForm { return &teamForm{New: true, At: a.URL() + "/new-team"} }

func formOfTeam(a *admin, team roomkit.Team) *teamForm {
	return &teamForm{Team: team, At: a.URL() + "/teams/" + url.PathEscape(string(team.ID))}
}

// teamPage shows the form of a team with what has been typed and ticked by now.
func (c *chat) teamPage(w http.ResponseWriter, r *http.Request, a *admin, form *teamForm, typed url.Values) error {
	teams, err := c.ownTeams(r.Context(), a)
	if err != nil {
		return err
	}
	in := form.Members
	for _, id := range in {
		form.Moves = append(form.Moves, c.people.person(id))
	}
	form.Others = slices.DeleteFunc(slices.Clone(teams), func(t roomkit.Team) bool { return t.ID == form.ID })
	form.Back, form.Query = a.URL()+"/teams", typed.Get("q")
	if typed.Has("chosen") || form.Problem != nil {
		form.Name, form.Leader, form.Members = typed.Get("name"), roomkit.UserID(typed.Get("leader")), usersOf(typed["member"])
		if form.New {
			form.ID = roomkit.TeamID(typed.Get("team"))
		}
	}
	if err := c.fillTeam(r.Context(), a, form, in); err != nil {
		return err
	}
	return c.adminPage(w, r, a, "teams-one", form)
}

// fillTeam lists those of the company whom the search finds, those in the team first.
func (c *chat) fillTeam(ctx context.Context, a *admin, form *teamForm, in []roomkit.UserID) error {
	ticked, inside, teams := map[roomkit.UserID]bool{}, map[roomkit.UserID]bool{}, map[roomkit.UserID][]string{}
	for _, id := range form.Members {
		ticked[id] = true
	}
	for _, id := range in {
		inside[id] = true
	}
	for _, team := range form.Others {
		for _, id := range team.Members {
			teams[id] = append(teams[id], team.Name)
		}
	}
	for user, err := range c.svc.Users(ctx, service.UserList{Company: a.Company.ID}) {
		if err != nil {
			return err
		}
		if user.Status == roomkit.StatusDeleted {
			continue
		}
		one := teamPerson{person: c.people.person(user.ID), Of: strings.Join(teams[user.ID], ", "), Ticked: ticked[user.ID]}
		if len(form.Leaders) < roomkit.MaxPage || user.ID == form.Leader {
			form.Leaders = append(form.Leaders, one.person)
		}
		part := &form.Out
		if inside[user.ID] {
			part = &form.In
		}
		if shown := part.add(one, form.Query); !shown && one.Ticked {
			form.Absent = append(form.Absent, user.ID)
		}
	}
	return nil
}

// teamChange is what would follow for one team.
type teamChange struct {
	Name    string
	Joining []person
	Leaving []person
	Gone    []person // whose account is deleted, and who are not in the team again if it is restored
}

func (c *chat) foreseeTeam(ctx context.Context, a *admin, sync roomkit.SyncTeam, planned []roomkit.Event, pane *dryRun) error {
	charted, err := c.svc.Team(ctx, a.Company.ID, sync.Team)
	if isNew := pane.fresh == sync.Team && errors.Is(err, roomkit.ErrNotFound); err != nil && !isNew {
		return err
	}
	deleted, err := c.deletedOf(ctx, charted.Members)
	if err != nil {
		return err
	}
	pane.Versions = append(pane.Versions, charted.Version)
	change := teamChange{Name: sync.Name}
	comes := comeIn(planned) // also who has been in the team, and lost the room with an account that is back
	for _, id := range sync.Members {
		if !slices.Contains(charted.Members, id) || slices.Contains(comes, id) {
			change.Joining = append(change.Joining, c.people.colleague(a.Company.ID, id))
		}
	}
	for _, id := range charted.Members {
		switch {
		case slices.Contains(sync.Members, id):
		case deleted[id]:
			change.Gone = append(change.Gone, c.people.person(id))
		default:
			change.Leaving = append(change.Leaving, c.people.colleague(a.Company.ID, id))
		}
	}
	if len(change.Joining)+len(change.Leaving)+len(change.Gone) > 0 {
		pane.Teams = append(pane.Teams, change)
	}
	return nil
}

// comeIn gives who comes into rooms by events.
func comeIn(events []roomkit.Event) (who []roomkit.UserID) {
	for _, e := range events {
		if in, is := e.(*roomkit.MemberJoined); is {
			for _, p := range in.People {
				who = append(who, p.User)
			}
		}
	}
	return who
}

// isTaken refuses a team that is to be new, and whose id another one has, or can have none.
func isTaken(ctx context.Context, rooms *service.Service, a *admin, id roomkit.TeamID) error {
	if id == "" {
		return nil
	}
	if id == "." || id == ".." { // a path cannot have it
		return &roomkit.Invalid{Field: "team", Reason: "“.” and “..” are no ids of teams here"}
	}
	team, err := rooms.Team(ctx, a.Company.ID, id)
	switch {
	case err == nil:
		return &roomkit.Invalid{Field: "team", Reason: "“" + team.Name + "” has this id already"}
	case errors.Is(err, roomkit.ErrNotFound):
		return nil
	}
	return err
}

// chartOf is a team as a form of the administrator has it.
func chartOf(a *admin, form url.Values) roomkit.SyncTeam {
	return roomkit.SyncTeam{
		Company: a.Company.ID, Team: roomkit.TeamID(form.Get("team")), Name: strings.TrimSpace(form.Get("name")),
		Leader: roomkit.UserID(form.Get("leader")), Members: usersOf(form["member"]),
	}
}

// ledBy describes a team.
func (c *chat) ledBy(a *admin, team *roomkit.SyncTeam) string {
	leader, members := "nobody", []string{}
	if team.Leader != "" {
		leader = isolated(c.people.colleague(a.Company.ID, team.Leader).Name)
	}
	for _, id := range team.Members {
		members = append(members, isolated(c.people.colleague(a.Company.ID, id).Name))
	}
	return fmt.Sprintf("%s, led by %s: %s.", isolated(team.Name), leader, cmp.Or(strings.Join(members, ", "), "nobody is in it"))
}

// typedAgain is the address of a form with all that has been typed.
func typedAgain(at string, form url.Values) string {
	again := url.Values{"chosen": {"1"}}
	for _, name := range []string{"team", "name", "leader", "member"} {
		again[name] = form[name]
	}
	return at + "?" + again.Encode()
}

func teamOf(ctx context.Context, c *chat, a *admin, form url.Values) (intent, error) {
	team := chartOf(a, form)
	now, err := c.ownTeam(ctx, a, team.Team)
	if err != nil {
		return intent{}, err
	}
	return intent{
		form: formOfTeam(a, now),
		tab:  "teams", back: typedAgain("/teams/"+url.PathEscape(string(team.Team)), form), then: "/teams", button: "Change the team",
		says: "Team " + c.ledBy(a, &team) + " Its room follows at once (TEAM-05).", cmds: []roomkit.Command{team},
	}, nil
}

func newTeamOf(_ context.Context, c *chat, a *admin, form url.Values) (intent, error) {
	team := chartOf(a, form)
	return intent{
		tab: "teams", back: typedAgain("/new-team", form), then: "/teams/" + url.PathEscape(string(team.Team)), button: "Make the team", fresh: team.Team, form: newTeamForm(a),
		says: "A new team " + c.ledBy(a, &team) + " It has no room before you grant it one (TEAM-04), and its leader or you open it (TEAM-03).",
		cmds: []roomkit.Command{team},
	}, nil
}

// moveOf takes somebody out of a team, and maybe into another: both, or nothing.
func moveOf(ctx context.Context, c *chat, a *admin, form url.Values) (do intent, err error) {
	from, err := c.ownTeam(ctx, a, roomkit.TeamID(form.Get("team")))
	if err != nil {
		return do, err
	}
	who, at := roomkit.UserID(form.Get("who")), "/teams/"+url.PathEscape(string(from.ID))
	name, team := isolated(c.people.colleague(a.Company.ID, who).Name), isolated(from.Name)
	was := slices.Contains(from.Members, who)
	from.Members = slices.DeleteFunc(from.Members, func(id roomkit.UserID) bool { return id == who })
	do = intent{tab: "teams", back: at, then: at, button: "Take out of " + from.Name, says: name + " is not in " + team + " any more, nor in its room (TEAM-05)."}
	if from.Leader == who {
		from.Leader = ""
		do.says += " Nobody leads " + team + " then."
	}
	do.cmds = []roomkit.Command{chartedAs(from)}
	if form.Get("to") == "" {
		return do, nil
	}
	to, err := c.ownTeam(ctx, a, roomkit.TeamID(form.Get("to")))
	if err != nil {
		return do, err
	}
	if to.ID == from.ID {
		return do, &roomkit.Invalid{Field: "to", Reason: "the team that " + name + " is in"}
	}
	if !slices.Contains(to.Members, who) { // sent twice, it is the same
		if !was {
			return do, &roomkit.Invalid{Field: "who", Reason: name + " is not in " + team}
		}
		to.Members = slices.Sorted(slices.Values(append(to.Members, who)))
	}
	do.cmds = append(do.cmds, chartedAs(to))
	do.button, do.says = "Move to "+to.Name, do.says+" From now on "+name+" is in "+isolated(to.Name)+", and in its room."
	return do, nil
}

// chartedAs is the chart's word on a team.
func chartedAs(team roomkit.Team) roomkit.SyncTeam {
	return roomkit.SyncTeam{Company: team.Company, Team: team.ID, Name: team.Name, Leader: team.Leader, Members: team.Members}
}

func grantsOf(_ context.Context, _ *chat, a *admin, form url.Values) (intent, error) {
	ticked := func(name string) *bool { return new(form.Get(name) == on) }
	edit := roomkit.EditTeam{
		Company: a.Company.ID, Team: roomkit.TeamID(form.Get("team")),
		Room: ticked("room"), Features: ticked("features"), Photo: ticked("photo"), Notify: ticked("notify"),
	}
	return intent{
		tab: "teams", back: "/teams/" + url.PathEscape(string(edit.Team)), then: "/teams", button: "Change what the team may", cmds: []roomkit.Command{edit},
		says: fmt.Sprintf("The team may have a room: %s (TEAM-04). Its leader switches the features: %s (TEAM-11), and changes the photo: %s (TEAM-25). "+
			"Group notification of a new room: %s (TEAM-12).", onOff(*edit.Room), onOff(*edit.Features), onOff(*edit.Photo), onOff(*edit.Notify)),
	}, nil
}
