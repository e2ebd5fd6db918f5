// Package store is the contract between a service and the place where it keeps
// rooms. Hosts pick one of the stores below this folder and need nothing else of
// this package; authors of stores implement [Store] and prove it with package
// storetest.
//
// A service asks for [Facts] by [Need], decides, and hands over a [Change]: what it
// relied on, the rows it changes, the records of what happened. A store compares and
// writes in one step. It never sees a command, a rule or an event: records are opaque
// bytes to it.
package store
