package main

import (
	"strings"

	"github.com/go-roomkit/roomkit"
)

var standings = []struct {
	name string
	st   roomkit.Standing
}{
	{"participant", roomkit.StandingParticipant},
	{"Group Master", roomkit.StandingMaster},
	{"team leader", roomkit.StandingLeader},
	{"administrator", roomkit.StandingAdministrator},
	{"colleague", roomkit.StandingColleague},
}

// permissions prints the authority matrix, a table per kind of room.
func permissions(string) (string, error) {
	p := &printer{}
	p.f("# Who may do what\n\nWith the default policy. A person may have several standings; one that allows is enough. The last column\n")
	p.f("names the rule that refuses everybody else (see [rules.md](rules.md)). What the matrix allows can still be taken\naway by a circumstance, see the end.\n")
	r := roomkit.NewRules(roomkit.Policy{})
	for _, kind := range roomkit.Kinds() {
		p.f("\n## %s\n\n| Action | %s | Rule |\n|---|%s---|\n", kind, joinStandings(), strings.Repeat("---|", len(standings)))
		for _, action := range roomkit.AllActions() {
			p.f("| %s |", action)
			for _, s := range standings {
				p.f(" %s |", mark(r.Allowed(kind, s.st).Has(action)))
			}
			p.f(" %s |\n", r.RuleFor(action, kind))
		}
	}
	p.f("\n## Circumstances\n\nThe first that applies gives the rule of the refusal.\n\n| When | Rule | Takes away | From |\n|---|---|---|---|\n")
	for _, c := range roomkit.Circumstances() {
		p.f("| %s | %s | %s | %s |\n", c.Name, c.Rule, actionsText(c.Actions), whomText(c.Whom))
	}
	return p.String(), nil
}

func joinStandings() string {
	var names []string
	for _, s := range standings {
		names = append(names, s.name)
	}
	return strings.Join(names, " | ")
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "–"
}

func actionsText(set roomkit.ActionSet) string {
	if len(roomkit.AllActions()) == strings.Count(set.String(), ",")+1 {
		return "everything"
	}
	return strings.ReplaceAll(set.String(), ",", ", ")
}

func whomText(st roomkit.Standing) string {
	if strings.Count(st.String(), ",")+1 == len(standings) {
		return "everybody"
	}
	return "standing as " + st.String()
}
