package console

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// look is what the decision said of somebody at a moment.
type look struct {
	at   time.Time
	in   bool // by the rows
	void roomkit.Rule
}

// gapLife is a random life of a room, with what the decision said after each step.
type gapLife struct {
	*lifeStage
	t     *testing.T
	room  roomkit.RoomID
	drawn *rand.Rand
	steps []string
	looks map[roomkit.UserID][]look
}

var gapPeople = []roomkit.UserID{"ben", "cat", "eve"}

func oneOf[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// step does something; what is refused changes nothing.
func (g *gapLife) step() {
	r, who := g.drawn, oneOf(g.drawn, gapPeople...)
	on, company := r.IntN(2) == 0, oneOf(r, roomkit.CompanyID("acme"), "bolt")
	mode := oneOf(r, roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalAll)
	by, cmd := roomkit.System(), roomkit.Command(nil)
	switch r.IntN(8) {
	case 0:
		cmd = roomkit.SetUserMessaging{User: who, With: roomkit.OutsiderPartner, Allow: &on}
	case 1:
		cmd = roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &mode}
	case 2:
		cmd = roomkit.EditCompany{Company: company, Licensed: &on}
	case 3:
		cmd = oneOf[roomkit.Command](r, roomkit.SuspendUser{User: who}, roomkit.SuspendUser{User: who, Lift: true}, roomkit.DeleteUser{User: who}, roomkit.RestoreUser{User: who})
	case 4, 5:
		by, cmd = roomkit.By("ann"), roomkit.Invite{Room: g.room, People: []roomkit.UserID{who}}
	case 6:
		by, cmd = roomkit.By("ann"), roomkit.Remove{Room: g.room, People: []roomkit.UserID{who}}
	default:
		g.Sweep()
		g.steps = append(g.steps, "sweep")
		return
	}
	_, err := g.Do(g.t.Context(), by, cmd, service.Call{Contacts: []roomkit.UserID{"eve"}})
	g.steps = append(g.steps, fmt.Sprintf("%+v on=%t mode=%v %v", cmd, on, mode, err))
}

// look asks the decision what counts of what the rows show.
func (g *gapLife) look() {
	f, err := g.c.ask(g.t.Context(), store.Need{Room: g.room, People: gapPeople})
	require.NoError(g.t, err)
	in := map[roomkit.UserID]bool{}
	for i := range f.Members {
		in[f.Members[i].User] = f.Members[i].Participant
	}
	for i, s := range why.Standings(&f, gapPeople) {
		g.looks[gapPeople[i]] = append(g.looks[gapPeople[i]], look{at: g.Clock.Now(), in: in[gapPeople[i]], void: s.Void})
	}
}

func covers(list []span, at time.Time) bool {
	for _, s := range list {
		if !at.Before(s.From) && (s.open() || at.Before(s.To)) {
			return true
		}
	}
	return false
}

// TestGapsAreWhatTheDecisionSays: the picture, made of events alone, has somebody in it, and in
// a gap, at the very moments at which the rows have and the decision says that it does not count.
func TestGapsAreWhatTheDecisionSays(t *testing.T) {
	runs := 300
	if os.Getenv("ROOMKIT_LONG") != "" {
		runs = 10000
	}
	gapsSeen := 0
	for seed := range uint64(runs) {
		g := &gapLife{lifeStage: newLifeStage(t), t: t, drawn: rand.New(rand.NewPCG(seed, 0)), looks: map[roomkit.UserID][]look{}}
		g.room = oneOf(g.drawn, g.External, g.Group)
		for range 25 {
			g.pass(1)
			g.step()
			g.look()
		}
		for _, lane := range g.picture(g.room).Lanes {
			for i, l := range g.looks[lane.User] {
				require.Equal(t, l.in, covers(lane.In, l.at), "seed %d, %s takes part after step %d: %q", seed, lane.User, i, g.steps[:i+1])
				if l.in {
					require.Equal(t, l.void != "", covers(lane.Gaps, l.at), "seed %d, %s has a gap (%s) after step %d: %q", seed, lane.User, l.void, i, g.steps[:i+1])
				}
				if l.in && l.void != "" {
					gapsSeen++
				}
			}
		}
	}
	require.Greater(t, gapsSeen, runs, "lives without gaps show nothing")
}
