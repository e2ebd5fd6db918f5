// Package transfer brings rooms, people and the directory into a store and out of it, as
// JSON Lines: from a service that has rooms in tables of its own, from an export of another
// product, from one store into another. docs/transfer.md describes the form.
//
// [Import] reads such a file and [Export] writes one. What is read passes the checks of
// the commands, and is stored as events with the cause [roomkit.CauseImported], so that
// followers, histories and package verify see it like everything else.
package transfer
