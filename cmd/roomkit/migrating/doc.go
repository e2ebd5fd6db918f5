// Package migrating has only a test: goose, tern and Atlas apply what roomkit migrate --print
// gives.
package migrating
