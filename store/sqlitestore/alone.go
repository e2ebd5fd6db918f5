package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
)

// alone runs a statement that reads without a transaction around it, which would cost as
// much as many a statement. A connection is waited for as long as Patience. The statement
// has an argument.
func (s *Store) alone(ctx context.Context, id statement, ask func(context.Context, *sql.Stmt, []any) error, args ...any) error {
	if err := s.file.look(); err != nil {
		return err
	}
	waiting, cancel := waitingOf(ctx, s.o.Patience)
	defer cancel()
	st, err := s.reader.statement(waiting, id)
	if err != nil {
		return waited(waiting, s.reader.db, err)
	}
	until := &arrival{Context: waiting, then: ctx}
	if !id.lasting() {
		until.then = context.WithoutCancel(ctx)
	}
	args[0] = onArrival{until, args[0]}
	err = ask(until, st, args)
	switch {
	case err == nil:
		return nil
	case until.arrived: // an interrupted statement says so in many ways
		return cmp.Or(ctx.Err(), classify(err))
	}
	return waited(waiting, s.reader.db, err)
}

// lasting reports whether a statement may look at many rows before it has one to give.
func (id statement) lasting() bool {
	switch id {
	case roomsOfCompany, roomsPublic, roomsShared, roomsOfMore:
		return true
	}
	return false
}

// arrival is a context that ends with the waiting for a connection, and once there is one
// with another context. Most statements have one then that never ends: database/sql and
// the driver would start a goroutine each to watch over some microseconds, which takes
// as long; it is enough to look between the rows.
type arrival struct {
	context.Context
	then    context.Context
	arrived bool
}

// Done implements [context.Context].
func (a *arrival) Done() <-chan struct{} { return a.now().Done() }

// Err implements [context.Context].
func (a *arrival) Err() error { return a.now().Err() }

func (a *arrival) now() context.Context {
	if a.arrived {
		return a.then
	}
	return a.Context
}

// onArrival is an argument of a statement: database/sql asks for its value when it has a
// connection and is about to run the statement on it.
type onArrival struct {
	until *arrival
	value driver.Value
}

// Value implements [driver.Valuer].
func (a onArrival) Value() (driver.Value, error) {
	a.until.arrived = true
	return a.value, nil
}
