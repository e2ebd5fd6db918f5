package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func valueMutants() []mutant {
	return []mutant{
		{rule: "values/every-field", name: "one field of companies is lost", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Companies {
				if c.Companies[i].WorksNarrowed < 1<<30 {
					c.Companies[i].WorksNarrowed = 0
				}
			}
		})},
		{rule: "values/zero-fields", name: "a zero time does not replace one", spoil: storing(func(m *model, c *store.Change) {
			for i, r := range c.Rooms {
				if r.MessageOffSince.IsZero() && r.Name == "" {
					c.Rooms[i].MessageOffSince = m.rooms[r.ID].MessageOffSince
				}
			}
		})},
		{rule: "values/strings", name: "text is trimmed", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Teams {
				c.Teams[i].Name = strings.TrimSpace(c.Teams[i].Name)
			}
		})},
		{rule: "values/strings", name: "text has 255 characters", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Rooms {
				name := []rune(c.Rooms[i].Name)
				c.Rooms[i].Name = string(name[:min(len(name), 255)])
			}
		})},
		{rule: "values/strings", name: "types of records have no trailing space", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Records {
				c.Records[i].Type = strings.ReplaceAll(c.Records[i].Type, " !", "!")
			}
		})},
		{rule: "values/questions", name: "a company is compared as a pattern", spoil: func(a *altered) {
			a.onUsers = func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
				if q.Company == "%" {
					q.Company = acme
				}
				return a.simple.Users(ctx, q)
			}
		}},
		{rule: "values/questions", name: "ids end at the first zero byte", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				for i, id := range n.People {
					end := strings.IndexByte(string(id)+"\x00", 0)
					n.People[i] = id[:min(end, len(id))]
				}
				return a.model.load(n)
			}
		}},
		{rule: "values/questions", name: "an error of no class for broken text", spoil: func(a *altered) {
			a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				if !utf8.ValidString(string(q.After)) {
					return nil, errors.New("invalid byte sequence")
				}
				return a.simple.Members(ctx, q)
			}
		}},
		{rule: "values/questions", name: "a question leaves its text", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				if n.Checkpoint == "null" {
					r := a.model.rooms[roomID(1)]
					r.Name = n.Checkpoint
					a.model.rooms[roomID(1)] = r
				}
				return a.model.load(n)
			}
		}},
		{rule: "values/ids", name: "ids of users have no case", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				f := a.model.load(n)
				for i, u := range f.Users {
					if u.ID == "KIM" {
						f.Users[i] = a.model.users["kim"]
					}
				}
				return f
			}
		}},
		{rule: "values/ids-together", name: "names are kept under company and key in one", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for _, r := range m.rooms {
				if n.Name != "" && string(n.Company)+n.Name == string(r.Company)+r.NameKey && byRoomID(r.ID, f.NameHolder) > 0 {
					f.NameHolder = r.ID
				}
			}
		})},
		{rule: "values/int64", name: "numbers are floating", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Companies {
				c.Companies[i].MaxGroups = int64(float64(c.Companies[i].MaxGroups))
			}
		})},
		{rule: "values/times", name: "times are in milliseconds", spoil: storing(func(_ *model, c *store.Change) {
			for i, r := range c.Rooms {
				if r.CreatedAt.Year() > 2030 || r.CreatedAt.Year() < 2000 {
					c.Rooms[i].CreatedAt = r.CreatedAt.Truncate(time.Millisecond)
				}
			}
		})},
		{rule: "values/times", name: "times are local", spoil: storing(func(_ *model, c *store.Change) {
			for i, r := range c.Records {
				if r.At.Year() > 2030 {
					c.Records[i].At = r.At.In(time.FixedZone("", 3600))
				}
			}
		})},
		{rule: "values/data", name: "data is text", spoil: storing(func(_ *model, c *store.Change) {
			for i, r := range c.Records {
				if r.Type != "test.happened" {
					c.Records[i].Data = bytes.ToValidUTF8(r.Data, []byte("?"))
				}
			}
		})},
	}
}

func ownershipMutants() []mutant {
	return []mutant{
		{rule: "ownership/of-facts", name: "the members of a team are the store's", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			f.Team.Members = m.teams[n.Team].Members
		})},
		{rule: "ownership/of-facts", name: "the events of an outcome are the store's", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			if f.Done != nil {
				f.Done.Events = m.outcomes[n.Command].Events
			}
		})},
		{rule: "ownership/of-results", name: "the events of a result are the store's", spoil: after(func(m *model, c *store.Change, r *store.CommitResult) {
			r.Outcome.Events = m.outcomes[c.Command].Events
		})},
		{rule: "ownership/of-changes", name: "the members of a team stay the caller's", spoil: after(func(m *model, c *store.Change, _ *store.CommitResult) {
			for _, t := range c.Teams {
				m.teams[t.ID] = t
			}
		})},
		{rule: "ownership/of-changes", name: "the data of records stays the caller's", spoil: after(func(m *model, c *store.Change, _ *store.CommitResult) {
			for i, last := 0, len(m.records)-len(c.Records); i < len(c.Records) && last >= 0; i++ {
				m.records[last+i].Data = c.Records[i].Data
			}
		})},
		{rule: "ownership/of-pages", name: "the data of records is the store's", spoil: func(a *altered) {
			a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
				rows, err := a.simple.Feed(ctx, after, limit)
				a.mu.Lock()
				defer a.mu.Unlock()
				for i := range rows {
					n, _ := a.place(rows[i].Cursor)
					rows[i].Data = a.model.records[n-1].Data
				}
				return rows, err
			}
		}},
		{rule: "ownership/of-queries", name: "participants are put in order where they are", spoil: func(a *altered) {
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				slices.Sort(q.Participants)
				return a.simple.Rooms(ctx, q)
			}
		}},
	}
}

func otherMutants() []mutant {
	return []mutant{
		{rule: "capability/wake", name: "nobody is woken", hangs: true, spoil: func(a *altered) {
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) {
				return closedWith(ctx, make(chan struct{})), nil
			}
		}},
		{rule: "capability/wake-all", name: "a follower takes the place of the one before", hangs: true, spoil: func(a *altered) {
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) {
				a.mu.Lock()
				clear(a.wakes)
				a.mu.Unlock()
				return a.simple.Wake(ctx)
			}
		}},
		{rule: "capability/wake-ends", name: "a channel goes on after its context", hangs: true, spoil: func(a *altered) {
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) { return a.simple.Wake(context.WithoutCancel(ctx)) }
		}},
		{rule: "capability/parallel", name: "no commits side by side", spoil: func(a *altered) { a.parallel = 0 }},
		{rule: "durable/everything", name: "rows of people are lost", reopen: func(a *altered) { clear(a.model.members[roomID(2)]) }},
		{rule: "durable/commands", name: "commands are lost", reopen: func(a *altered) { clear(a.model.outcomes) }},
		{rule: "durable/cursors", name: "cursors of before are not known", reopen: func(a *altered) {
			a.name += "again/"
			for i := range a.model.records {
				a.model.records[i].Cursor = roomkit.Cursor(a.name) + a.model.records[i].Cursor
			}
		}},
		{rule: "durable/versions", name: "counts are lost", reopen: func(a *altered) {
			for id := range a.model.users {
				a.model.tally(store.Tally{User: id})
			}
		}},
		{rule: "machine/differential", name: "a page after somebody else begins anew", spoil: func(a *altered) {
			a.onUsers = func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
				a.mu.Lock()
				if a.model.users[q.After].Company != q.Company {
					q.After = ""
				}
				a.mu.Unlock()
				return a.simple.Users(ctx, q)
			}
		}},
	}
}

func closedWith(ctx context.Context, ch chan struct{}) chan struct{} {
	context.AfterFunc(ctx, func() { close(ch) })
	return ch
}
