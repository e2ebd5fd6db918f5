package store

import "context"

type primaryKey struct{}

// WithPrimary lets a store that has copies to read from answer what is asked with ctx from
// where it commits. What a command is decided by is asked so: a copy would cost it another
// round trip. A store without copies does not look at it.
func WithPrimary(ctx context.Context) context.Context {
	return context.WithValue(ctx, primaryKey{}, true)
}

// WantsPrimary reports whether ctx is of [WithPrimary].
func WantsPrimary(ctx context.Context) bool { return ctx.Value(primaryKey{}) != nil }
