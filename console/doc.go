// Package console shows operators what rooms hold, who may do what there, and why. It is an
// [http.Handler] that a host mounts in one line:
//
//	h, err := console.Handler(svc, console.Options{Authorize: operatorsOnly})
//	…
//	mux.Handle("/console/", h)
//
// It has pages for companies, their rooms, people and teams; for a room its people with
// periods and causes, its history in sentences and its life as a picture; why somebody may or may
// not do something, and what would change it; the permissions of each kind of room under the policy
// of this installation; what a command would do, which is never carried out; the rule book; the
// health of rooms, followers and how late they are, what is due for deletion, and the feed as
// it happens.
//
// # What it may show
//
// The console shows everything that the store holds, to whomever Options.Authorize lets in: it
// is for operators of an installation, and no rights of users are looked at. Messages are not
// in the store, so it shows none. It changes nothing: it answers GET and HEAD, and calls only
// what reads. Without Authorize there is no handler.
//
// # What it needs of the host
//
// Links are relative, and of the path only what follows the last slash is looked at. So it can be
// mounted under any path that ends with a slash, with [http.StripPrefix] or without. It sets no cookies, and
// forbids all scripts and styles but its own two files by a Content-Security-Policy; a host
// that sets one of its own in front has to leave that one as it is. The pages work without
// scripts; with them long lists go on when their end is reached, and the feed is live. A live feed
// is a response that does not end: a server with a WriteTimeout has it extended with every
// event.
package console
