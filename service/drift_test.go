package service_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// skewed is a service on the store of a stage, with a clock that is off.
func skewed(s *proof.Stage, by time.Duration, change ...func(*service.Options)) *service.Service {
	s.Helper()
	o := &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: func() time.Time { return s.Clock.Now().Add(by) },
	}
	for _, c := range change {
		c(o)
	}
	svc, err := service.New(s.Store, o)
	require.NoError(s, err)
	return svc
}

const year = 365 * 24 * time.Hour

// TestClockThatWasAhead: a clock that was a year ahead for one command makes nothing else
// happen next year.
func TestClockThatWasAhead(t *testing.T) {
	s, lines := proof.NewStage(t), &logged{}
	svc := skewed(s, 0, func(o *service.Options) { o.Logger = slog.New(lines) })
	proof.Touch(t, skewed(s, year), "ann", s.Group)
	require.True(t, s.RoomOf("ann", s.Group).ChangedAt.After(s.Clock.Now().Add(year-time.Second)))
	now := s.Clock.Now()
	joined := proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: s.Group, People: people("dan")})
	require.Equal(t, now, joined.Events[0].Info().At)
	require.Equal(t, now, s.RoomOf("ann", s.Group).ChangedAt)
	require.Equal(t, now, s.AccessOf("dan", s.Group).ReadFrom.At, "what newcomers may read begins now")
	require.Equal(t, 1, lines.warnings)
	require.Equal(t, year, lines.attrs[0]["by"].Duration())
	proof.Touch(t, svc, "ann", s.Group)
	require.Equal(t, 1, lines.warnings, "once")
}

// TestDeadlineWithWrongClocks: whether the time is over until which content is kept is
// judged by the time of the event itself.
func TestDeadlineWithWrongClocks(t *testing.T) {
	const period = 30 * 24 * time.Hour
	off, on := func(room roomkit.RoomID) roomkit.Edit { return roomkit.Edit{Room: room, Message: new(false)} },
		func(room roomkit.RoomID) roomkit.Edit { return roomkit.Edit{Room: room, Message: new(true)} }
	for name, c := range map[string]struct {
		before, off, on time.Duration // by how much the clock of each command is off
		later           time.Duration
		emptied         bool
	}{
		"in time":                                  {0, 0, 0, period - time.Second, false},
		"too late":                                 {0, 0, 0, period, true},
		"after a clock that was ahead":             {year, 0, 0, period - time.Second, false},
		"too late, after a clock that was ahead":   {year, 0, 0, period, true},
		"a clock that is behind":                   {0, 0, -time.Minute, period, false},
		"a clock that is ahead":                    {0, 0, time.Minute, period - time.Minute, true},
		"both, after a clock that was a bit ahead": {time.Minute, 0, 0, period, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			proof.Touch(t, skewed(s, c.before), "ann", s.Group)
			was := proof.Do(t, skewed(s, c.off), roomkit.By("ann"), off(s.Group))
			switched := proof.EventsOf[*roomkit.MessageSwitchedOff](was.Events)[0]
			require.Equal(t, switched.At.Add(period), switched.Deadline)
			s.Clock.Add(c.later)
			is := proof.Do(t, skewed(s, c.on), roomkit.By("ann"), on(s.Group))
			back := proof.EventsOf[*roomkit.MessageSwitchedOn](is.Events)[0]
			require.Equal(t, c.emptied, back.Emptied)
			require.Equal(t, back.Emptied, !back.At.Before(switched.Deadline), "the events themselves say so")
		})
	}
}

// TestTwoClocks: the events of a room that two services write, whose clocks differ by no more
// than MaxClockDrift, never go back in time.
func TestTwoClocks(t *testing.T) {
	for name, limit := range map[string]time.Duration{"5 minutes, if nothing is said": 0, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			widest := max(limit, 5*time.Minute)
			set := func(o *service.Options) { o.MaxClockDrift = limit }
			one, other := skewed(s, 0, set), skewed(s, -widest, set)
			var last time.Time
			for i := range 40 {
				svc := one
				if i%2 == 1 {
					svc = other
				}
				at := proof.Touch(t, svc, "ann", s.Group).Events[0].Info().At
				require.False(t, at.Before(last))
				require.False(t, at.After(s.Clock.Now()), "nothing is ahead of the clock that is ahead")
				last = at
				if i%4 == 3 {
					s.Clock.Add(7 * time.Second)
				}
			}
			proof.Touch(t, one, "ann", s.Group)
			wide := skewed(s, -widest-time.Microsecond, set)
			at := proof.Touch(t, wide, "ann", s.Group).Events[0].Info().At
			require.Equal(t, s.Clock.Now().Add(-widest-time.Microsecond), at, "beyond, a service goes by its own clock")
		})
	}
	_, err := service.New(proof.NewStage(t).Store, &service.Options{MaxClockDrift: time.Second})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
}
