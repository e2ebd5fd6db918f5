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

var stateMutants = []mutant{
	{"end/rows", "rows stay as they are", storing(func(_ *altered, c *store.Change) { c.Ended = nil })},
	{"end/rows", "the system ends every row", storing(func(_ *altered, c *store.Change) {
		each(c.Ended, func(e *store.RoomEnd) { e.By = roomkit.System() })
	})},
	{"end/rows-of-a-crowd", "a thousand rows are ended", func(a *altered) {
		a.row = func(m *roomkit.Member) {
			if m.User == crowdID(1000) && m.Left == roomkit.CauseRoomEnded {
				m.Participant, m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = true, 0, time.Time{}, 0, roomkit.Actor{}
			}
		}
	}},
	{"end/keeps-who-left", "rows of those who left end again", func(a *altered) {
		a.row = func(m *roomkit.Member) {
			m.LeftVersion = either(a.rooms[m.Room].State == roomkit.StateEnded, a.rooms[m.Room].Version, m.LeftVersion)
		}
	}},
	{"end/after-the-rows-written", "the end comes before the rows of the same change", func(a *altered) {
		written := map[[2]any]roomkit.Member{}
		a.result = func(c *store.Change, _ *store.CommitResult) {
			for _, m := range c.Members {
				if len(c.Ended) > 0 {
					written[[2]any{m.Room, m.User}] = m
				}
			}
		}
		a.row = func(m *roomkit.Member) {
			w, ok := written[[2]any{m.Room, m.User}]
			*m = either(ok, w, *m)
		}
	}},
	{"end/other-rooms", "people lose their other rooms", func(a *altered) {
		lost := map[roomkit.UserID]bool{}
		ending(func(_ *altered, m roomkit.Member) { lost[m.User] = true })(a)
		a.row = func(m *roomkit.Member) { m.Participant = m.Participant && !lost[m.User] }
	}},
	{"end/lowers-groups", "masters who do not take part lose a group", ending(func(a *altered, m roomkit.Member) {
		was, _ := a.counted(store.Tally{User: m.User})
		a.recount(store.Tally{User: m.User, Now: was - either[int64](m.Participant, 0, 1)})
	})},
	{"end/groups-only", "every room counts as a group", storing(func(_ *altered, c *store.Change) {
		each(c.Ended, func(e *store.RoomEnd) { e.Kind = roomkit.KindGroup })
	})},
	{"end/lists", "ended groups are public still", func(a *altered) {
		a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
			list, err := a.Store.Rooms(ctx, q)
			for _, r := range a.rooms {
				if r.Public && r.Company == q.Company && r.State == roomkit.StateEnded && q.Public && q.After.IsZero() {
					list = append(list, roomkit.RoomEntry{Room: r})
				}
			}
			return list, err
		}
	}},
	{"end/begins-anew", "an ended room stays so", refusing(func(a *altered, c *store.Change) bool {
		return slices.ContainsFunc(c.Rooms, func(r roomkit.Room) bool { return a.rooms[r.ID].State == roomkit.StateEnded })
	})},
	{"tally/user", "tallies of users are not compared", blindTally(func(_ int, t store.Tally) bool { return t.User != "" })},
	{"tally/company", "tallies of companies are not compared", blindTally(func(_ int, t store.Tally) bool { return t.Company != "" })},
	{"tally/every-one", "only the first tally is compared", blindTally(func(i int, _ store.Tally) bool { return i > 0 })},
	{"tally/of-nobody", "a tally of nobody is kept for later", storing(func(a *altered, c *store.Change) {
		c.Tallies = slices.DeleteFunc(c.Tallies, func(t store.Tally) bool {
			_, exists := a.counted(t)
			return !exists && t.Was == 0 && !isWritten(c, roomkit.UserSubject(t.User)) && !isWritten(c, roomkit.CompanySubject(t.Company))
		})
	})},
	{"tally/of-nobody", "a tally counts only for whom is stored", refusing(func(a *altered, c *store.Change) bool {
		return slices.ContainsFunc(c.Tallies, func(t store.Tally) bool { _, exists := a.counted(t); return !exists })
	})},
	{"tally/no-version", "a tally moves the version", after(func(a *altered, c *store.Change, _ *store.CommitResult) {
		for _, t := range c.Tallies {
			for _, u := range a.ask(store.Need{People: []roomkit.UserID{t.User}}).Users {
				moved := store.Change{}
				writeUser(u, u.Version)(&moved)
				a.force(moved, func(*store.Change) {})
			}
		}
	})},
	{"tally/kept-by-put", "the row of a user brings its count", after(func(a *altered, c *store.Change, r *store.CommitResult) {
		each(c.Users[:either(r.Err == nil && len(c.Tallies) == 0, len(c.Users), 0)], func(u *roomkit.User) {
			a.recount(store.Tally{User: u.ID, Now: u.Groups})
		})
	})},
	{"tally/kept-by-put", "the row of a company brings its count", after(func(a *altered, c *store.Change, r *store.CommitResult) {
		each(c.Companies[:either(r.Err == nil && len(c.Tallies) == 0, len(c.Companies), 0)], func(row *roomkit.Company) {
			a.recount(store.Tally{Company: row.ID, Now: row.Groups})
		})
	})},
	{"checkpoint/compared", "checkpoints are not compared", blind(unseen{checkpoint: true})},
	{"checkpoint/begins-empty", "a checkpoint cannot go back to the beginning", storing(func(_ *altered, c *store.Change) {
		if c.Checkpoint != nil && c.Checkpoint.Now == "" {
			c.Checkpoint = nil
		}
	})},
	{"checkpoint/by-name", "names of checkpoints have no case", func(a *altered) {
		a.change = func(c *store.Change) {
			if c.Checkpoint != nil {
				c.Checkpoint.Name = strings.ToLower(c.Checkpoint.Name)
			}
		}
		a.need = func(n *store.Need) { n.Checkpoint = strings.ToLower(n.Checkpoint) }
	}},
	{"values/every-field", "one field of companies is lost", storing(func(_ *altered, c *store.Change) {
		each(c.Companies, func(r *roomkit.Company) { r.PartnersNarrowed = 0 })
	})},
	{"values/zero-fields", "a zero time does not replace one", writing(func(a *altered, r *roomkit.Room) {
		if r.MessageOffSince.IsZero() && r.Name == "" {
			r.MessageOffSince = a.rooms[r.ID].MessageOffSince
		}
	})},
	{"values/strings", "text is trimmed", storing(func(_ *altered, c *store.Change) {
		each(c.Teams, func(t *roomkit.Team) { t.Name = strings.TrimSpace(t.Name) })
	})},
	{"values/strings", "text has 255 characters", writing(func(_ *altered, r *roomkit.Room) {
		name := []rune(r.Name)
		r.Name = string(name[:min(len(name), 255)])
	})},
	{"values/strings", "types of records have no trailing space", recording(func(r *store.Record) { r.Type = strings.ReplaceAll(r.Type, " !", "!") })},
	{"values/questions", "a company is compared as a pattern", askingUsers(func(_ *altered, q *store.UserQuery) {
		q.Company = either(q.Company == "%", acme, q.Company)
	})},
	{"values/questions", "ids end at the first zero byte", asking(func(_ *altered, n *store.Need) {
		n.People = slices.Clone(n.People)
		each(n.People, func(id *roomkit.UserID) { *id = (*id)[:strings.IndexByte(string(*id)+"\x00", 0)] })
	})},
	{"values/questions", "an error of no class for broken text", func(a *altered) {
		a.onPeople = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
			if !utf8.ValidString(string(q.After)) {
				return nil, errors.New("invalid byte sequence")
			}
			return a.Store.Members(ctx, q)
		}
	}},
	{"values/questions", "a question leaves its text", asking(func(a *altered, n *store.Need) {
		if n.Checkpoint == "null" {
			a.force(store.Change{Checkpoint: &store.Checkpoint{Name: "f", Now: "null"}}, func(*store.Change) {})
			a.facts = func(_ store.Need, f *store.Facts) { f.Room.Name = "null" }
		}
	})},
	{"values/ids", "ids of users have no case", answering(func(a *altered, _ store.Need, f *store.Facts) {
		each(f.Users, func(u *roomkit.User) { *u = either(u.ID == "KIM", first(a.user("kim")), *u) })
	})},
	{"values/ids-together", "names are kept under company and key in one", answering(func(a *altered, n store.Need, f *store.Facts) {
		r := find(a.allRooms(), func(r roomkit.Room) bool {
			return n.Name != "" && string(n.Company)+n.Name == string(r.Company)+r.NameKey
		})
		f.NameHolder = either(r.Version > 0, r.ID, f.NameHolder)
	})},
	{"values/int64", "numbers are floating", storing(func(_ *altered, c *store.Change) {
		each(c.Companies, func(r *roomkit.Company) { r.MaxGroups = int64(float64(r.MaxGroups)) })
	})},
	{"values/times", "times are in milliseconds", writing(func(_ *altered, r *roomkit.Room) {
		r.CreatedAt = either(r.CreatedAt.Year() > 2030 || r.CreatedAt.Year() < 2000, r.CreatedAt.Truncate(time.Millisecond), r.CreatedAt)
	})},
	{"values/times", "times are local", reading(func(_ roomkit.Subject, rows []store.Record) []store.Record {
		each(rows, func(r *store.Record) { r.At = r.At.In(time.FixedZone("", 3600)) })
		return rows
	})},
	{"values/data", "data is text", recording(func(r *store.Record) {
		r.Data = either(r.Type != "test.happened", bytes.ToValidUTF8(r.Data, []byte("?")), r.Data)
	})},
	{"ownership/of-facts", "the members of a team are the store's", func(a *altered) {
		own := shelf[roomkit.TeamID, roomkit.UserID]{}
		a.facts = func(_ store.Need, f *store.Facts) { f.Team.Members = own.give(f.Team.ID, f.Team.Members) }
	}},
	{"ownership/of-facts", "the events of an outcome are the store's", func(a *altered) {
		own := shelf[roomkit.CommandID, store.EventAt]{}
		a.facts = func(_ store.Need, f *store.Facts) {
			if f.Done != nil {
				f.Done.Events = own.give(f.Done.Command, f.Done.Events)
			}
		}
	}},
	{"ownership/of-results", "the events of a result are the store's", func(a *altered) {
		own := shelf[roomkit.CommandID, store.EventAt]{}
		a.outcome = func(o *store.Outcome) { o.Events = own.give(o.Command, o.Events) }
	}},
	{"ownership/of-changes", "the members of a team stay the caller's", func(a *altered) {
		own := shelf[roomkit.TeamID, roomkit.UserID]{}
		a.result = func(c *store.Change, _ *store.CommitResult) {
			for _, t := range c.Teams {
				own[t.ID] = t.Members
			}
		}
		a.facts = func(_ store.Need, f *store.Facts) { f.Team.Members = own.give(f.Team.ID, f.Team.Members) }
	}},
	{"ownership/of-changes", "the data of records stays the caller's", func(a *altered) {
		type place struct {
			of      roomkit.Subject
			version roomkit.Version
		}
		own := shelf[place, byte]{}
		a.result = func(c *store.Change, _ *store.CommitResult) {
			for _, r := range c.Records {
				own[place{r.Subject, r.Version}] = r.Data
			}
		}
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.Store.Feed(ctx, after, limit)
			each(rows, func(r *store.Record) { r.Data = own.give(place{r.Subject, r.Version}, r.Data) })
			return rows, err
		}
	}},
	{"ownership/of-pages", "the members of a team are the store's", func(a *altered) {
		own := shelf[roomkit.TeamID, roomkit.UserID]{}
		tellingTeams(func(rows []roomkit.Team) {
			each(rows, func(t *roomkit.Team) { t.Members = own.give(t.ID, t.Members) })
		})(a)
	}},
	{"ownership/of-pages", "the data of records is the store's", func(a *altered) {
		own := shelf[roomkit.Cursor, byte]{}
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.Store.Feed(ctx, after, limit)
			each(rows, func(r *store.Record) { r.Data = own.give(r.Cursor, r.Data) })
			return rows, err
		}
	}},
	{"ownership/of-queries", "participants are put in order where they are", askingRooms(func(q *store.RoomQuery) { slices.Sort(q.Participants) })},
	{"durable/everything", "rows of people are lost", func(a *altered) {
		a.reopened = func() {
			askingMembers(func(q *store.MemberQuery) { q.Room = either(q.Room == roomID(2), roomID(99), q.Room) })(a)
		}
	}},
	{"durable/commands", "commands are lost", func(a *altered) {
		a.reopened = func() {
			a.result = func(_ *store.Change, r *store.CommitResult) {
				*r = either(r.Repeat, store.CommitResult{Err: roomkit.ErrConflict}, *r)
			}
		}
	}},
	{"durable/cursors", "cursors of before are not known", func(a *altered) {
		a.reopened = func() {
			before := idsOf(a.records(), func(r store.Record) roomkit.Cursor { return r.Cursor })
			a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
				return a.Store.Feed(ctx, either(slices.Contains(before, after), "forgotten", after), limit)
			}
		}
	}},
	{"durable/versions", "counts are lost", func(a *altered) {
		a.reopened = func() {
			for _, id := range []roomkit.UserID{ann, bob, cho, dan} {
				a.recount(store.Tally{User: id})
			}
		}
	}},
}

// ending does something about everybody who was in a room that has ended.
func ending(do func(a *altered, m roomkit.Member)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			var people []roomkit.Member
			for _, e := range c.Ended {
				people = append(people, a.membersWith(store.MemberQuery{Room: e.Room})...)
			}
			r := a.take(c)
			for _, m := range people {
				if r.Err == nil && !r.Repeat {
					do(a, m)
				}
			}
			return r
		}
	}
}

// recount stores a count.
func (a *altered) recount(t store.Tally) {
	a.force(store.Change{Tallies: []store.Tally{t}}, func(*store.Change) {})
}

func blindTally(tally func(i int, t store.Tally) bool) func(a *altered) {
	return blind(unseen{tally: func(c *store.Change, i int) bool { return tally(i, c.Tallies[i]) }})
}

// writing stores what change makes of the rooms of changes.
func writing(change func(a *altered, r *roomkit.Room)) func(a *altered) {
	return storing(func(a *altered, c *store.Change) {
		for i := range c.Rooms {
			change(a, &c.Rooms[i])
		}
	})
}

// recording stores what change makes of the records of changes.
func recording(change func(r *store.Record)) func(a *altered) {
	return storing(func(_ *altered, c *store.Change) {
		for i := range c.Records {
			change(&c.Records[i])
		}
	})
}

// shelf hands out one slice under each name, as a store does that keeps slices.
type shelf[K comparable, T any] map[K][]T

func (s shelf[K, T]) give(name K, fresh []T) []T {
	if _, ok := s[name]; !ok {
		s[name] = fresh
	}
	return s[name]
}
