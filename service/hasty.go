package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// hasty is how a group decides on the copy that a [store.Hasty] has at hand. A change of which the
// store compares everything it was decided on is as true as any other. Every other outcome is
// decided again: on what the copy has after the commit of the group, which has everything that was
// stored when the jobs began, or, if there is nothing to commit, on what the store loads.
type hasty struct {
	atHand     bool   // jobs are decided on the copy
	confirming bool   // after the commit: nothing can be added to it
	lost       bool   // the commit has failed, or there was none
	unsure     []*job // to be decided again
}

// needsFresh reports whether a job relies on what no commit compares: which rooms people share, and
// what a plan says.
func (j *job) needsFresh() bool {
	return j.plan || j.sure || j.lookedAround || j.firstNeed.Shared != nil
}

// answers asks for what the jobs need.
func (g *group) answers(ctx context.Context, s *Service) ([]store.Facts, error) {
	if !g.atHand && !g.confirming {
		return store.Ask(store.WithPrimary(ctx), s.store, g.needs)
	}
	facts, err := s.hasty.LoadHasty(ctx, g.needs)
	if err == nil && len(facts) != len(g.needs) {
		err = fmt.Errorf("%w: the store answered %d of %d needs", roomkit.ErrUnsupported, len(facts), len(g.needs))
	}
	return facts, err
}

// doubt has a job decided again.
func (g *group) doubt(j *job) {
	j.attempt, j.uncounted, j.sure = attempt{}, true, true
	j.begin()
	g.unsure = append(g.unsure, j)
}

// again begins to decide the jobs that are in doubt, after the commit or before it.
func (g *group) again(committed bool) {
	g.deciding = append(g.deciding[:0], g.unsure...)
	g.unsure = g.unsure[:0]
	g.atHand, g.confirming, g.folded = false, committed, folded{}
}

// mayDecide reports whether what was decided on a copy at hand is compared by the commit, or the
// group has a commit before it at all.
func (g *group) mayDecide(j *job) bool {
	if g.confirming {
		return len(j.decision.Events) == 0 && j.Key == ""
	}
	return !j.atHand || compared(&j.facts, j.decision.Relied)
}

// compared reports whether a change is decided on nothing but what it expects: which rooms people
// share is not compared, and who or what is not there only where the change expects that.
func compared(f *decide.Facts, relied []store.Expect) bool {
	for ; f != nil; f = f.Earlier {
		if f.Need.Shared != nil {
			return false
		}
		for _, of := range absent(f) {
			if !slices.Contains(relied, store.Expect{Subject: of}) {
				return false
			}
		}
	}
	return true
}

// absent gives who and what was asked for and is not there, besides the room.
func absent(f *decide.Facts) (list []roomkit.Subject) {
	for _, id := range f.Missing() {
		list = append(list, roomkit.UserSubject(id))
	}
	for _, id := range f.Need.Companies {
		if !slices.ContainsFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == id }) {
			list = append(list, roomkit.CompanySubject(id))
		}
	}
	if key := f.Need.Team; key != "" && f.Team.Version == 0 {
		list = append(list, roomkit.Subject{Type: roomkit.SubjectTeam, ID: string(key)})
	}
	return list
}
