package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// intent is what an administrator means to do. What follows of it is shown first.
type intent struct {
	tab    string // that it belongs to
	back   string // the page that it is given on
	then   string // the page to see when it is done
	says   string
	button string
	fresh  roomkit.TeamID // a team that must not be there yet
	form   *teamForm      // where it is said what is not filled in right
	cmds   []roomkit.Command
}

// errand makes an intent of a form.
type errand func(ctx context.Context, c *chat, a *admin, form url.Values) (intent, error)

var errands = map[string]errand{
	"messaging": messagingOf,
	"person":    permissionOf,
	"company":   groupsByMembersOf,
	"suspend": ofAccount("Suspend", "%s cannot sign in any more, and stays in all rooms with all roles (ADM-17, ADM-18).",
		func(id roomkit.UserID) roomkit.Command { return roomkit.SuspendUser{User: id} }),
	"lift": ofAccount("Lift the block", "%s can sign in again.",
		func(id roomkit.UserID) roomkit.Command { return roomkit.SuspendUser{User: id, Lift: true} }),
	"delete": ofAccount("Delete the account", "The account of %s ends, and takes part in no room any more (ADM-13). What was written stays (ADM-15).",
		func(id roomkit.UserID) roomkit.Command { return roomkit.DeleteUser{User: id} }),
	"restore": ofAccount("Restore the account", "%s has an account again. It gives back no room (ADM-14).",
		func(id roomkit.UserID) roomkit.Command { return roomkit.RestoreUser{User: id} }),
	"team":     teamOf,
	"new-team": newTeamOf,
	"move":     moveOf,
	"grants":   grantsOf,
}

func (c *chat) intentOf(ctx context.Context, a *admin, form url.Values) (intent, error) {
	errand, known := errands[form.Get("do")]
	if !known {
		return intent{}, roomkit.ErrNotFound
	}
	return errand(ctx, c, a, form)
}

// dryRun is the pane of what would follow.
type dryRun struct {
	Says      utterance
	Button    string
	Fields    []link // hidden: name and value
	Versions  []roomkit.Version
	Back      string
	Rooms     []consequence
	Rest      *service.Rest
	Silent    silence
	Teams     []teamChange
	Same      bool // nothing would change
	Forbidden bool
	fresh     roomkit.TeamID
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
	do, err := c.intentOf(r.Context(), a, r.URL.Query())
	if err != nil {
		return err
	}
	return c.dryRun(w, r, a, do, r.URL.Query(), nil)
}

// dryRun shows what would follow of an intent, and why it was refused.
func (c *chat) dryRun(w http.ResponseWriter, r *http.Request, a *admin, do intent, form url.Values, refused error) error {
	pane := dryRun{Button: do.button, Back: a.URL() + do.back, Says: utterance(do.says), Fields: hidden(form), Same: true, fresh: do.fresh}
	a.Tab = do.tab
	p := page{Title: "Administration of " + a.Name, Show: "main"}
	for _, cmd := range do.cmds {
		if err := c.foresee(r.Context(), a, cmd, &pane); err != nil {
			refused, pane.Forbidden = err, true
		}
	}
	if taken := isTaken(r.Context(), c.svc, a, do.fresh); taken != nil && !pane.Forbidden {
		refused, pane.Forbidden = taken, true
	}
	if refused != nil {
		p.Problem = c.problemOf(r.Context(), refused)
	}
	if do.form != nil && errors.Is(refused, roomkit.ErrInvalid) {
		do.form.Problem, a.Status = p.Problem, p.Problem.Status
		return c.teamPage(w, r, a, do.form, form)
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
	pane.Same = pane.Same && !planned.Changed
	if sync, ok := cmd.(roomkit.SyncTeam); ok {
		return c.foreseeTeam(ctx, a, sync, planned.Events, pane)
	}
	version, err := c.versionOf(ctx, a, cmd)
	if err != nil {
		return err
	}
	pane.Versions = append(pane.Versions, version)
	if pane.Silent, err = c.silenced(ctx, a, cmd); err != nil {
		return err
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

// versionOf is the version of what a command names, so that it is not done to what has
// become another meanwhile.
func (c *chat) versionOf(ctx context.Context, a *admin, cmd roomkit.Command) (roomkit.Version, error) {
	var of roomkit.UserID
	switch cmd := cmd.(type) {
	case roomkit.SetUserMessaging:
		of = cmd.User
	case roomkit.SuspendUser:
		of = cmd.User
	case roomkit.DeleteUser:
		of = cmd.User
	case roomkit.RestoreUser:
		of = cmd.User
	case roomkit.EditTeam:
		team, err := c.svc.Team(ctx, a.Company.ID, cmd.Team)
		return team.Version, err
	default:
		return a.Company.Version, nil
	}
	user, err := c.svc.User(ctx, of)
	return user.Version, err
}

func (c *chat) runErrand(w http.ResponseWriter, r *http.Request, a *admin) error {
	do, err := c.intentOf(r.Context(), a, r.PostForm)
	if err != nil {
		return err
	}
	if err := c.carryOut(r, a, do); err != nil {
		return c.dryRun(w, r, a, do, r.PostForm, err)
	}
	return see(w, r, a.Me.ID, "/admin"+cmp.Or(do.then, do.back)+"?done")
}

// carryOut does all that is meant, or nothing of it.
func (c *chat) carryOut(r *http.Request, a *admin, do intent) error {
	if len(do.cmds) == 1 && do.fresh == "" {
		_, err := c.send(r, a.Me.ID, do.cmds[0])
		return err
	}
	calls, err := callsOf(r.PostForm, len(do.cmds))
	if err != nil {
		return err
	}
	return c.inTx(r.Context(), func(_ *sql.Tx, rooms *service.Service) error {
		taken := isTaken(r.Context(), rooms, a, do.fresh)
		for i, cmd := range do.cmds {
			made, err := rooms.Do(r.Context(), roomkit.By(a.Me.ID), cmd, calls[i])
			if err == nil && !made.Repeat {
				err = taken
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// callsOf takes for each of several commands the key and the version that a form carries.
func callsOf(form url.Values, n int) ([]service.Call, error) {
	calls := make([]service.Call, n)
	for i := range calls {
		if key := form.Get("key"); key != "" {
			calls[i].Key = key + " " + strconv.Itoa(i)
		}
		if versions := form["version"]; i < len(versions) {
			version, err := parseVersion(versions[i])
			if err != nil {
				return nil, err
			}
			calls[i].IfVersion = version
		}
	}
	return calls, nil
}
