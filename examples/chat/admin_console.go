package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
)

// newConsole makes the operator's console: it shows everything of everybody. As the chat
// knows nobody by a password, it is there for whoever sits at this machine.
func newConsole(c *chat) (http.Handler, error) {
	return console.Handler(c.svc, console.Options{
		Title:     "Chat",
		Authorize: c.operator,
		Recheck:   time.Second,
		Names:     c.names,
		Companies: func(context.Context) ([]roomkit.CompanyID, error) {
			return slices.Sorted(maps.Keys(c.people.companies)), nil
		},
	})
}

// names gives what people are called, for the console.
func (c *chat) names(_ context.Context, ids []roomkit.UserID) (map[roomkit.UserID]string, error) {
	names := make(map[roomkit.UserID]string, len(ids))
	for _, id := range ids {
		names[id] = c.people.people[id].Name
	}
	return names, nil
}

// operator lets in what comes from this machine, and nobody while the chat stops. A page
// from elsewhere whose name leads here is not answered at all, see secure.
func (c *chat) operator(r *http.Request) error {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return err
	}
	switch {
	case c.live.stopped():
		return errors.New("the chat stops")
	case !net.ParseIP(from).IsLoopback():
		return errors.New("not from this machine")
	}
	return nil
}

// AskWhy is the page of the console that says all that somebody may do in a room.
func (o *openRoom) AskWhy() string {
	return "/console/why?" + url.Values{"user": {string(o.Me.ID)}, "room": {o.View.Room.String()}}.Encode()
}
