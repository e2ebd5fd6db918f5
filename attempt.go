package roomkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// finish runs a call until it has an outcome.
func (s *Service) finish(c *call) (Result, error) {
	report := s.o.Observer.Command
	if report == nil {
		result, err := s.attempt(c)
		return result, wrap(c.actor, c.cmd, err)
	}
	start := s.o.Clock()
	result, err := s.attempt(c)
	err = wrap(c.actor, c.cmd, err)
	report(CommandReport{
		Name: c.cmd.name(), Actor: c.actor, Room: result.Room, Err: err,
		Changed: result.Changed, Attempts: c.attempts, Took: s.o.Clock().Sub(start),
	})
	return result, err
}

func (s *Service) attempt(c *call) (Result, error) {
	for c.attempts = 1; ; c.attempts++ {
		if err := s.run(c); err != nil {
			return Result{}, c.givenUp(err)
		}
		if c.err == nil {
			return c.result, nil
		}
		again, err := s.again(c)
		if !again {
			return Result{}, err
		}
		if err := pause(c.ctx, c.attempts); err != nil {
			return Result{}, c.givenUp(err)
		}
	}
}

// again reports whether a failed call can be run once more, after getting what
// it lacked.
func (s *Service) again(c *call) (bool, error) {
	var lacking *lackingUsers
	var contacts *askContacts
	switch {
	case c.attempts >= s.o.Attempts:
		return false, c.givenUp(c.err)
	case errors.As(c.err, &lacking):
		if err := s.fillIn(c.ctx, lacking.users); err != nil {
			return false, err
		}
		c.filledIn = true
		return true, nil
	case errors.As(c.err, &contacts):
		known, err := s.o.Contacts(c.ctx, c.actor.user, contacts.outsiders)
		if err != nil {
			return false, err
		}
		c.contacts = append(c.contacts[:len(c.contacts):len(c.contacts)], known...)
		c.askedContacts = true
		return true, nil
	case c.ctx.Err() != nil:
		c.uncertain = c.uncertain || errors.Is(c.err, ErrUnknownOutcome)
		return false, c.givenUp(c.ctx.Err())
	case errors.Is(c.err, ErrUnknownOutcome):
		c.asks.Command, c.uncertain = c.id, true
	case !errors.Is(c.err, ErrConflict) || errors.Is(c.err, errStale):
		return false, c.givenUp(c.err)
	}
	s.o.Logger.LogAttrs(c.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", c.cmd.name()), slog.Int("attempt", c.attempts), slog.Any("cause", c.err))
	return true, nil
}

// givenUp is what a caller learns whose command is not run again. Even a refusal
// leaves open what becomes of an earlier attempt that may still be on its way.
func (c *call) givenUp(err error) error {
	if c.uncertain && !errors.Is(err, ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
	return err
}

// fillIn provisions users that the host's directory knows and the store does not.
func (s *Service) fillIn(ctx context.Context, missing []UserID) error {
	users, companies, err := s.o.Directory.Users(ctx, missing)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	for _, c := range companies {
		known, err := ask(ctx, s.store, []Need{{Companies: []CompanyID{c.ID}}})
		if err != nil {
			return err
		}
		if len(known[0].Companies) > 0 {
			continue
		}
		if err := s.provision(ctx, PutCompany{Company: c}); err != nil {
			return err
		}
	}
	if len(users) == 0 {
		return nil
	}
	return s.provision(ctx, PutUsers{Users: users})
}

func (s *Service) provision(ctx context.Context, cmd Command) error {
	if _, err := s.Do(ctx, System(), cmd); err != nil {
		return fmt.Errorf("directory: %w", within(err))
	}
	return nil
}

// pause waits a random time that grows with the attempts; the first rerun is
// immediate.
func pause(ctx context.Context, attempt int) error {
	if attempt < 2 {
		return ctx.Err()
	}
	limit := min(time.Millisecond<<min(attempt, 10), 50*time.Millisecond)
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
