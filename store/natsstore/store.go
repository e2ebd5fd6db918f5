// Package natsstore is a [store.Store] on a replicated log: a stream of NATS JetStream. Every
// process applies the messages of the log in their order to a copy of its own, in memory or in a
// SQLite file, and answers from it.
package natsstore

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Store is a [store.Store]. It is safe for concurrent use. Use [Open], and close it.
type Store struct {
	copy store.Store
}

var _ store.Store = (*Store)(nil)

// CreateStream makes the stream with the settings that [Open] demands, if there is none of
// that name.
func CreateStream(ctx context.Context, js jetstream.JetStream, o *Options) error {
	return roomkit.ErrUnsupported
}

// Open gives the store on a stream, after it has applied the log to the copy as far as it
// went when Open was called. Nobody else may write to the copy.
func Open(ctx context.Context, js jetstream.JetStream, copy store.Store, o *Options) (*Store, error) {
	return nil, roomkit.ErrUnsupported
}

// Close ends what the store does in the background. It closes neither the connection nor
// the copy.
func (s *Store) Close() error { return nil }

// Lag says how far a copy is behind the log.
type Lag struct {
	Applied uint64        // the sequence number of the last message that is applied
	Age     time.Duration // the copy has all that was in the log so long ago
}

// Lag says how far the copy is behind, without asking anybody.
func (s *Store) Lag() Lag { return Lag{} }

// Stopped is closed when the store has stopped for good: it was closed, or the log is not
// as it has to be. Err says why.
func (s *Store) Stopped() <-chan struct{} { return nil }

// Err gives why the store has stopped, or nil.
func (s *Store) Err() error { return nil }

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return s.copy.Load(ctx, needs)
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return nil, roomkit.ErrUnsupported
}

// Members implements [store.Store].
func (s *Store) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return s.copy.Members(ctx, q)
}

// Rooms implements [store.Store].
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return s.copy.Rooms(ctx, q)
}

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return s.copy.Users(ctx, q)
}

// Teams implements [store.Store].
func (s *Store) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return s.copy.Teams(ctx, q)
}

// History implements [store.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return s.copy.History(ctx, of, after, limit)
}

// Feed implements [store.Store].
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return s.copy.Feed(ctx, after, limit)
}
