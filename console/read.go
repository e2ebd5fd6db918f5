package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// ask answers one need.
func (c *console) ask(ctx context.Context, n store.Need) (store.Facts, error) {
	answers, err := store.Ask(ctx, c.st, []store.Need{n})
	if err != nil {
		return store.Facts{}, err
	}
	return answers[0], nil
}

// roomOf reads the room that a query names.
func (c *console) roomOf(r *http.Request, key string, people ...roomkit.UserID) (store.Facts, error) {
	text := r.URL.Query().Get(key)
	id, err := roomkit.ParseRoomID(text)
	if err != nil || id.IsZero() {
		return store.Facts{}, noSuch("room", text)
	}
	f, err := c.ask(r.Context(), store.Need{Room: id, People: people})
	if err == nil && f.Room.Version == 0 {
		err = noSuch("room", text)
	}
	return f, err
}

// companyOf reads the company that a query names.
func (c *console) companyOf(r *http.Request, key string) (roomkit.Company, error) {
	id := roomkit.CompanyID(r.URL.Query().Get(key))
	if !id.Valid() {
		return roomkit.Company{}, noSuch("company", string(id))
	}
	f, err := c.ask(r.Context(), store.Need{Companies: []roomkit.CompanyID{id}})
	switch {
	case err != nil:
		return roomkit.Company{}, err
	case len(f.Companies) == 0:
		return roomkit.Company{}, noSuch("company", string(id))
	}
	return f.Companies[0], nil
}

// userOf reads the user that a query names.
func (c *console) userOf(r *http.Request, key string) (roomkit.User, error) {
	id := roomkit.UserID(r.URL.Query().Get(key))
	if !id.Valid() {
		return roomkit.User{}, noSuch("user", string(id))
	}
	f, err := c.ask(r.Context(), store.Need{People: []roomkit.UserID{id}})
	switch {
	case err != nil:
		return roomkit.User{}, err
	case len(f.Users) == 0:
		return roomkit.User{}, noSuch("user", string(id))
	}
	return f.Users[0], nil
}

// versionOf gives how many events a subject has had.
func (c *console) versionOf(ctx context.Context, of roomkit.Subject) (v roomkit.Version, err error) {
	n := store.Need{Room: of.Room}
	switch of.Type {
	case roomkit.SubjectUser:
		n.People = []roomkit.UserID{roomkit.UserID(of.ID)}
	case roomkit.SubjectCompany:
		n.Companies = []roomkit.CompanyID{roomkit.CompanyID(of.ID)}
	case roomkit.SubjectTeam:
		n.Team = roomkit.TeamKey(of.ID)
	}
	f, err := c.ask(ctx, n)
	switch {
	case err != nil:
		return 0, err
	case of.Type == roomkit.SubjectUser && len(f.Users) > 0:
		v = f.Users[0].Version
	case of.Type == roomkit.SubjectCompany && len(f.Companies) > 0:
		v = f.Companies[0].Version
	case of.Type == roomkit.SubjectTeam:
		v = f.Team.Version
	case of.Type == roomkit.SubjectRoom:
		v = f.Room.Version
	}
	if v == 0 {
		err = noSuch(of.Type.String(), of.ID)
	}
	return v, err
}

// part of a history: the events behind one version, up to another one. Forgotten is the version
// up to which there are none any more.
func (c *console) part(ctx context.Context, of roomkit.Subject, after, last roomkit.Version) (events []roomkit.Event, forgotten roomkit.Version, err error) {
	for after < last {
		records, err := c.st.History(ctx, of, after, int(min(last-after, roomkit.MaxPage)))
		if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) && gone.Version > after {
			after, forgotten = gone.Version, gone.Version
			continue
		}
		if err != nil || len(records) == 0 {
			return events, forgotten, err
		}
		for i := range records {
			e, err := codec.DecodeRecord(records[i])
			if err != nil {
				return nil, 0, err
			}
			events, after = append(events, e), records[i].Version
		}
	}
	return events, forgotten, nil
}

// life gives the events of a subject from its beginning, or from what is left of it, but not
// more than some.
func (c *console) life(ctx context.Context, of roomkit.Subject, most int) (events []roomkit.Event, cut bool, err error) {
	base, err := store.BaseOf(ctx, c.st, of)
	if err != nil {
		return nil, false, err
	}
	for _, data := range base.Events {
		e, err := codec.Decode(data)
		if err != nil {
			return nil, false, err
		}
		events = append(events, e)
	}
	for records, err := range store.HistoryPages(ctx, c.st, of, base.Version) {
		if err != nil {
			return nil, false, err
		}
		for i := range records {
			if len(events) == most {
				return events, true, nil
			}
			e, err := codec.DecodeRecord(records[i])
			if err != nil {
				return nil, false, err
			}
			events = append(events, e)
		}
	}
	return events, false, nil
}
