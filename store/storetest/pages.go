package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// pages reads pages until one is empty. No page may be longer than limit, and
// each has to lead on.
func pages[T any, C comparable](k *kit, limit int, read func(after C) ([]T, error), end func(T) C) []T {
	k.Helper()
	if limit == 0 {
		limit = roomkit.DefaultPage
	}
	var all []T
	var after C
	for {
		page, err := read(after)
		require.NoError(k, err)
		require.LessOrEqual(k, len(page), min(limit, roomkit.MaxPage), "rows of a page")
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		last := end(page[len(page)-1])
		require.NotEqual(k, after, last, "a page leads on")
		after = last
	}
}

func (k *kit) members(q store.MemberQuery) []roomkit.Member {
	k.Helper()
	read := func(after roomkit.UserID) ([]roomkit.Member, error) {
		q.After = after
		return k.store.Members(k.ctx, q)
	}
	return pages(k, q.Limit, read, func(m roomkit.Member) roomkit.UserID { return m.User })
}

func (k *kit) rooms(q store.RoomQuery) []store.RoomEntry {
	k.Helper()
	read := func(after roomkit.RoomID) ([]store.RoomEntry, error) {
		q.After = after
		return k.store.Rooms(k.ctx, q)
	}
	return pages(k, q.Limit, read, func(e store.RoomEntry) roomkit.RoomID { return e.Room.ID })
}

func (k *kit) people(q store.UserQuery) []roomkit.User {
	k.Helper()
	read := func(after roomkit.UserID) ([]roomkit.User, error) {
		q.After = after
		return k.store.Users(k.ctx, q)
	}
	return pages(k, q.Limit, read, func(u roomkit.User) roomkit.UserID { return u.ID })
}

// history reads all records of a subject, which have to be 1, 2, 3 …
func (k *kit) history(of roomkit.Subject) []store.Record {
	k.Helper()
	return k.historyBy(of, roomkit.MaxPage)
}

func (k *kit) historyBy(of roomkit.Subject, limit int) []store.Record {
	k.Helper()
	read := func(after roomkit.Version) ([]store.Record, error) { return k.store.History(k.ctx, of, after, limit) }
	all := cleanRecords(pages(k, limit, read, func(r store.Record) roomkit.Version { return r.Version }))
	for i, r := range all {
		require.Equal(k, of, r.Subject, "subject of a record")
		require.Equal(k, roomkit.Version(i+1), r.Version, "versions of a subject have no gap")
	}
	return all
}

// feed reads the feed from a cursor to its end.
func (k *kit) feed(after roomkit.Cursor) []store.Record {
	k.Helper()
	return k.feedBy(after, roomkit.MaxPage)
}

func (k *kit) feedBy(from roomkit.Cursor, limit int) []store.Record {
	k.Helper()
	read := func(after roomkit.Cursor) ([]store.Record, error) {
		if after == "" {
			after = from
		}
		return k.store.Feed(k.ctx, after, limit)
	}
	return cleanRecords(pages(k, limit, read, func(r store.Record) roomkit.Cursor { return r.Cursor }))
}

// tail gives the cursor behind the last record.
func (k *kit) tail() roomkit.Cursor {
	k.Helper()
	all := k.feed("")
	require.NotEmpty(k, all)
	return all[len(all)-1].Cursor
}
