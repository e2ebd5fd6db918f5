package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// errand is something that an administrator does. What follows of it is shown first.
type errand struct {
	back    string // the page that it is given on
	button  string
	command func(a *admin, form url.Values) (roomkit.Command, error)
	says    func(c *chat, a *admin, cmd roomkit.Command) string
}

// whoOf is the person that a form names.
func whoOf(form url.Values) roomkit.UserID { return roomkit.UserID(form.Get("who")) }

var errands = map[string]errand{
	"messaging": {button: "Switch", command: messagingOf, says: saysMessaging},
	"person":    {button: "Switch", command: permissionOf, says: saysPermission},
	"suspend": {back: "/accounts", button: "Suspend",
		command: func(_ *admin, f url.Values) (roomkit.Command, error) { return roomkit.SuspendUser{User: whoOf(f)}, nil },
		says:    saysOf("%s cannot sign in any more, and stays in all rooms with all roles (ADM-17, ADM-18).")},
	"lift": {back: "/accounts", button: "Lift the block",
		command: func(_ *admin, f url.Values) (roomkit.Command, error) {
			return roomkit.SuspendUser{User: whoOf(f), Lift: true}, nil
		},
		says: saysOf("%s can sign in again.")},
	"delete": {back: "/accounts", button: "Delete",
		command: func(_ *admin, f url.Values) (roomkit.Command, error) { return roomkit.DeleteUser{User: whoOf(f)}, nil },
		says:    saysOf("The account of %s ends, and takes part in no room any more (ADM-13). What was written stays (ADM-15).")},
	"restore": {back: "/accounts", button: "Restore",
		command: func(_ *admin, f url.Values) (roomkit.Command, error) { return roomkit.RestoreUser{User: whoOf(f)}, nil },
		says:    saysOf("%s has an account again. It gives back no room (ADM-14).")},
	"team":    {back: "/teams", button: "Change the team", command: teamOf, says: saysTeam},
	"grants":  {back: "/teams", button: "Change", command: grantsOf, says: saysGrants},
	"company": {back: "/groups", button: "Switch", command: groupsByMembersOf, says: saysGroupsByMembers},
}

// saysOf is a sentence about the person whom the command names.
func saysOf(sentence string) func(c *chat, a *admin, cmd roomkit.Command) string {
	return func(c *chat, a *admin, cmd roomkit.Command) string {
		user := subjectOf(cmd).ID
		return fmt.Sprintf(sentence, c.people.colleague(a.Company.ID, roomkit.UserID(user)).Name)
	}
}

// subjectOf is the user, company or team that a command names.
func subjectOf(cmd roomkit.Command) roomkit.Subject {
	user := func(id roomkit.UserID) roomkit.Subject {
		return roomkit.Subject{Type: roomkit.SubjectUser, ID: string(id)}
	}
	switch cmd := cmd.(type) {
	case roomkit.SetUserMessaging:
		return user(cmd.User)
	case roomkit.SuspendUser:
		return user(cmd.User)
	case roomkit.DeleteUser:
		return user(cmd.User)
	case roomkit.RestoreUser:
		return user(cmd.User)
	case roomkit.SyncTeam:
		return roomkit.Subject{Type: roomkit.SubjectTeam, ID: string(cmd.Team)}
	case roomkit.EditTeam:
		return roomkit.Subject{Type: roomkit.SubjectTeam, ID: string(cmd.Team)}
	default:
		return roomkit.Subject{Type: roomkit.SubjectCompany}
	}
}

// versionOf is the version of what a command names, so that it is not done to what has
// become another meanwhile.
func (c *chat) versionOf(ctx context.Context, a *admin, cmd roomkit.Command) (roomkit.Version, error) {
	of := subjectOf(cmd)
	switch of.Type {
	case roomkit.SubjectUser:
		user, err := c.svc.User(ctx, roomkit.UserID(of.ID))
		return user.Version, err
	case roomkit.SubjectTeam:
		team, err := c.svc.Team(ctx, a.Company.ID, roomkit.TeamID(of.ID))
		return team.Version, err
	default:
		return a.Company.Version, nil
	}
}

func messagingOf(a *admin, form url.Values) (roomkit.Command, error) {
	with, err := roomkit.ParseOutsider(form.Get("with"))
	if err != nil {
		return nil, &roomkit.Invalid{Field: "with", Reason: "not one of partner and consumer"}
	}
	mode, err := roomkit.ParseExternalMode(form.Get("mode"))
	if err != nil {
		return nil, &roomkit.Invalid{Field: "mode", Reason: "not one of off, selected and all"}
	}
	return roomkit.SetCompanyMessaging{Company: a.Company.ID, With: with, Mode: &mode}, nil
}

var outsiderWords = map[roomkit.Outsider]string{roomkit.OutsiderPartner: "users of other companies", roomkit.OutsiderConsumer: "consumers"}

func saysMessaging(_ *chat, a *admin, cmd roomkit.Command) string {
	set := cmd.(roomkit.SetCompanyMessaging)
	who := map[roomkit.ExternalMode]string{
		roomkit.ExternalOff: "Nobody of %s may talk with %s.", roomkit.ExternalAll: "Everybody of %s may talk with %s.",
		roomkit.ExternalSelected: "Only those of %s who are permitted themselves may talk with %s.",
	}
	text := fmt.Sprintf(who[*set.Mode], a.Name, outsiderWords[set.With])
	if set.With == roomkit.OutsiderPartner && *set.Mode != roomkit.ExternalAll {
		text += " Who may not is taken out of every external group (EXT-22)."
	}
	if set.With == roomkit.OutsiderConsumer && *set.Mode != roomkit.ExternalAll {
		text += " Rooms with consumers are hidden from those who may not, and nothing in them ends (ADM-05, ADM-06)."
	}
	return text
}

func permissionOf(_ *admin, form url.Values) (roomkit.Command, error) {
	with, err := roomkit.ParseOutsider(form.Get("with"))
	if err != nil {
		return nil, &roomkit.Invalid{Field: "with", Reason: "not one of partner and consumer"}
	}
	return roomkit.SetUserMessaging{User: whoOf(form), With: with, Allow: new(form.Get("allow") == on)}, nil
}

func saysPermission(c *chat, a *admin, cmd roomkit.Command) string {
	set := cmd.(roomkit.SetUserMessaging)
	name := c.people.colleague(a.Company.ID, set.User).Name
	if !*set.Allow {
		text := fmt.Sprintf("%s may not talk with %s any more.", name, outsiderWords[set.With])
		if set.With == roomkit.OutsiderPartner {
			text += " That ends the part in every external group (EXT-22)."
		}
		return text
	}
	text := fmt.Sprintf("%s may talk with %s. It gives back no room (EXT-25).", name, outsiderWords[set.With])
	for _, o := range outsiders {
		if o.with == set.With && o.mode(&a.Company) == roomkit.ExternalOff {
			text += " It counts as soon as the company's switch is on."
		}
	}
	return text
}

func teamOf(a *admin, form url.Values) (roomkit.Command, error) {
	return roomkit.SyncTeam{
		Company: a.Company.ID, Team: roomkit.TeamID(form.Get("team")), Name: strings.TrimSpace(form.Get("name")),
		Leader: roomkit.UserID(form.Get("leader")), Members: usersOf(form["member"]),
	}, nil
}

func saysTeam(c *chat, a *admin, cmd roomkit.Command) string {
	team := cmd.(roomkit.SyncTeam)
	leader, members := "nobody", []string{}
	if team.Leader != "" {
		leader = c.people.colleague(a.Company.ID, team.Leader).Name
	}
	for _, id := range team.Members {
		members = append(members, c.people.colleague(a.Company.ID, id).Name)
	}
	return fmt.Sprintf("Team %s, led by %s: %s. Its room follows at once (TEAM-05).", team.Name, leader, strings.Join(members, ", "))
}

func grantsOf(a *admin, form url.Values) (roomkit.Command, error) {
	ticked := func(name string) *bool { return new(form.Get(name) == on) }
	return roomkit.EditTeam{
		Company: a.Company.ID, Team: roomkit.TeamID(form.Get("team")),
		Room: ticked("room"), Features: ticked("features"), Photo: ticked("photo"), Notify: ticked("notify"),
	}, nil
}

func saysGrants(_ *chat, _ *admin, cmd roomkit.Command) string {
	edit := cmd.(roomkit.EditTeam)
	return fmt.Sprintf("The team may have a room: %s (TEAM-04). Its leader switches the features: %s (TEAM-11), and changes the photo: %s (TEAM-25). "+
		"Group notification of a new room: %s (TEAM-12).", onOff(*edit.Room), onOff(*edit.Features), onOff(*edit.Photo), onOff(*edit.Notify))
}

func groupsByMembersOf(a *admin, form url.Values) (roomkit.Command, error) {
	return roomkit.EditCompany{Company: a.Company.ID, MembersCreateGroups: new(form.Get("members") == on)}, nil
}

func saysGroupsByMembers(_ *chat, a *admin, cmd roomkit.Command) string {
	if *cmd.(roomkit.EditCompany).MembersCreateGroups {
		return "Every member of " + a.Name + " may create groups (ADM-09)."
	}
	return "Only administrators of " + a.Name + " may create groups (ADM-09)."
}

// dryRun is the pane of what would follow.
type dryRun struct {
	Says      string
	Button    string
	Fields    []link // hidden: name and value
	Version   roomkit.Version
	Back      string
	Rooms     []consequence
	Rest      *service.Rest
	Joining   []person
	Leaving   []person
	Same      bool // nothing would change
	Forbidden bool
}

// consequence is what would happen to one room.
type consequence struct {
	service.Consequence
	Label    string
	Leaves   string
	Managers string // who are Group Masters no longer
}

// maxConsequences is how many rooms a page names.
const maxConsequences = 500

func (c *chat) showErrand(w http.ResponseWriter, r *http.Request, a *admin) error {
	return c.dryRun(w, r, a, r.URL.Query(), nil)
}

// dryRun shows what would follow of a command, and why it was refused.
func (c *chat) dryRun(w http.ResponseWriter, r *http.Request, a *admin, form url.Values, refused error) error {
	do, known := errands[form.Get("do")]
	if !known {
		return roomkit.ErrNotFound
	}
	cmd, err := do.command(a, form)
	if err != nil {
		return err
	}
	pane := dryRun{Button: do.button, Back: a.URL() + do.back, Says: do.says(c, a, cmd), Fields: hidden(form)}
	a.Tab = cmp.Or(strings.TrimPrefix(do.back, "/"), "messaging")
	p := page{Title: "Administration of " + a.Name, Show: "main"}
	if err := c.foresee(r.Context(), a, cmd, &pane); err != nil {
		refused, pane.Forbidden = err, true
	}
	if refused != nil {
		p.Problem = c.problemOf(refused)
	}
	a.Data = pane
	p.Data = a
	return c.show(w, r, a.Me.ID, "admin-do", p)
}

// hidden gives the fields of a form to be sent again.
func hidden(form url.Values) (list []link) {
	for name, values := range form {
		for _, value := range values {
			if name != "key" && name != "version" {
				list = append(list, link{Name: name, URL: value})
			}
		}
	}
	slices.SortFunc(list, func(a, b link) int { return strings.Compare(a.Name+" "+a.URL, b.Name+" "+b.URL) })
	return list
}

// foresee finds what would follow of a command, by the decisions that carry it out.
func (c *chat) foresee(ctx context.Context, a *admin, cmd roomkit.Command, pane *dryRun) error {
	planned, err := c.svc.Plan(ctx, roomkit.By(a.Me.ID), cmd)
	if err != nil {
		return err
	}
	pane.Same = !planned.Changed
	if pane.Version, err = c.versionOf(ctx, a, cmd); err != nil {
		return err
	}
	if sync, ok := cmd.(roomkit.SyncTeam); ok {
		return c.foreseeTeam(ctx, a, sync, pane)
	}
	for one, err := range c.svc.PlanConsequences(ctx, roomkit.By(a.Me.ID), cmd) {
		if err != nil {
			return err
		}
		if one.Room.IsZero() {
			pane.Rest = &one.Rest
			continue
		}
		if len(pane.Rooms) < maxConsequences {
			pane.Rooms = append(pane.Rooms, consequence{one, kindLabels[one.Kind], c.people.names(one.Leaving), c.people.names(one.Masters)})
		}
	}
	return nil
}

func (c *chat) foreseeTeam(ctx context.Context, a *admin, sync roomkit.SyncTeam, pane *dryRun) error {
	team, err := c.svc.Team(ctx, a.Company.ID, sync.Team)
	if err != nil {
		return err
	}
	for _, id := range sync.Members {
		if !slices.Contains(team.Members, id) {
			pane.Joining = append(pane.Joining, c.people.colleague(a.Company.ID, id))
		}
	}
	for _, id := range team.Members {
		if !slices.Contains(sync.Members, id) {
			pane.Leaving = append(pane.Leaving, c.people.colleague(a.Company.ID, id))
		}
	}
	return nil
}

func (c *chat) runErrand(w http.ResponseWriter, r *http.Request, a *admin) error {
	do, known := errands[r.PostForm.Get("do")]
	if !known {
		return roomkit.ErrNotFound
	}
	cmd, err := do.command(a, r.PostForm)
	if err != nil {
		return err
	}
	if _, err := c.send(r, a.Me.ID, cmd); err != nil {
		return c.dryRun(w, r, a, r.PostForm, err)
	}
	return see(w, r, a.Me.ID, "/admin"+do.back+"?done")
}
