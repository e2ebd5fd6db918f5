// Package retention takes out of a store what should not be kept: [Erase] replaces the id
// of a person by a pseudonym everywhere, [Prune] forgets commands and events that are old enough.
// docs/privacy.md says what a store keeps, for how long, and what these two do not reach.
//
// Both work in bounded steps beside the commands of services, tell their progress, can
// only count, and can be broken off at any point: called again, they go on.
package retention
