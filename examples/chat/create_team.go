package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// teams are those of somebody's company, each with its room: a team has none before its
// leader, or an administrator, opens it (TEAM-02, TEAM-03).
func (c *chat) teams(ctx context.Context, me roomkit.UserID) (list []teamWay, err error) {
	company := c.people.person(me).Company
	if company == "" {
		return nil, nil
	}
	for team, err := range c.svc.Teams(ctx, service.TeamList{Company: company}) {
		if err != nil {
			return nil, err
		}
		at := teamURL(me, team)
		open := roomkit.OpenTeamRoom{Team: team.ID, Company: company}
		list = append(list, teamWay{team, deed{Name: "team-" + string(team.ID), Label: "Team room", URL: at, Denied: c.deny(ctx, me, open)}})
	}
	return list, nil
}

func teamURL(me roomkit.UserID, team roomkit.Team) string {
	return "/as/" + url.PathEscape(string(me)) + "/team/" + url.PathEscape(string(team.Company)) + "/" + url.PathEscape(string(team.ID))
}

// teamRoom is what is asked before a team's room is opened.
type teamRoom struct {
	roomkit.Team
	URL    string
	People []person
	Denied *problem
}

func (c *chat) teamOf(r *http.Request, me roomkit.UserID) (roomkit.Team, error) {
	company := roomkit.CompanyID(r.PathValue("company"))
	if company == "" || company != c.people.person(me).Company {
		return roomkit.Team{}, roomkit.ErrNotFound // nobody sees the chart of another company
	}
	return c.svc.Team(r.Context(), company, roomkit.TeamID(r.PathValue("team")))
}

func (c *chat) askTeam(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.confirmTeam(w, r, me, nil)
}

func (c *chat) confirmTeam(w http.ResponseWriter, r *http.Request, me roomkit.UserID, failed *problem) error {
	team, err := c.teamOf(r, me)
	if err != nil {
		return err
	}
	ask := teamRoom{Team: team, URL: teamURL(me, team)}
	ask.Denied = c.deny(r.Context(), me, roomkit.OpenTeamRoom{Team: team.ID, Company: team.Company})
	for _, id := range team.Members {
		ask.People = append(ask.People, c.people.person(id))
	}
	return c.show(w, r, me, "create-team", page{Title: "Room of " + team.Name, Data: ask, Problem: failed, Form: r.PostForm, Show: "main"})
}

func (c *chat) openTeam(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	team, err := c.teamOf(r, me)
	if err != nil {
		return err
	}
	result, err := c.send(r, me, roomkit.OpenTeamRoom{Team: team.ID, Company: team.Company})
	if err != nil {
		return c.confirmTeam(w, r, me, c.problemOf(r.Context(), err))
	}
	if c.svc.Check(r.Context(), me, roomkit.ActionSeeRoom, result.Room) != nil {
		return see(w, r, me, "/contacts") // an administrator who is not in the team
	}
	return see(w, r, me, "/rooms/"+result.Room.String())
}
