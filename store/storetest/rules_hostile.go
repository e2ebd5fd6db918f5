package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func hostileRules() []Rule {
	return []Rule{
		{"values/questions", "Any text can be asked for, in every question: what nobody has written is found nowhere, and nothing changes.", valuesQuestions},
	}
}

// hostile is text that has broken programs.
func hostile() []string {
	return []string{
		"'); DROP TABLE rooms; --", `"; DROP SCHEMA public CASCADE; --`, "' OR '1'='1", `" OR 1=1 --`, "(SELECT 1)",
		`"`, `\`, `\'`, `\x00`, "$1", "$$", "$a", "%", "%s%n", "_", "?", "?1", ":name", "@p1", "{}", `{a,"b"}`, "${x}", "{{.}}", `["ann"]`, `ann"]`, "ann,bob",
		"a\tb\nc\r\nd", "\u00a0", " ", "  two  spaces  ", "null", "NULL", "nil", "0", "1e309", "true", "\x01\x7f",
		"<script>alert(1)</script>", "&amp;", "../../etc/passwd", "*", ">", "a.b.>", "\u2028",
		"👩\u200d👩\u200d👧\u200d👦", "🏳️\u200d🌈", "e\u0301", "é", "ﬀ", "İı", "ß", "ẞ", "Ω", "한글 방", "방", "日本語", "עברית", "العربية",
		"\u202e", "\u200b", "\ufeff", "\U0010fffd", "\U0010ffff",
		strings.Repeat("字", 1000), strings.Repeat("👍", 1000), strings.Repeat("x", 10_000),
	}
}

// unwritable is text that some databases cannot hold. Nobody writes it, but it can
// be asked for.
func unwritable() []string {
	return []string{"", "\x00", "ann\x00", "a\x00b", "\xff\xfe", "ann\xff", "\xed\xa0\x80", "ANN", " ann", "ann ", strings.Repeat("x", 1<<16)}
}

func valuesQuestions(k *kit) {
	k.found(1, roomkit.KindGroup, ann, bob)
	k.must(k.change(k.putTeam(core, nil)))
	before, records := k.picture(), k.feed("")
	members, users := k.members(store.MemberQuery{Room: roomID(1)}), k.people(store.UserQuery{Company: acme})
	for _, text := range slices.Concat(hostile(), unwritable()) {
		for _, q := range k.questions(text) {
			found, err := q.ask()
			if !errors.Is(err, roomkit.ErrInvalid) {
				require.NoError(k, err, "%s %.40q", q.name, text)
			}
			require.Empty(k, found, "%s %.40q", q.name, text)
		}
		k.behind(text, members, users)
	}
	require.Equal(k, before, k.picture())
	require.Equal(k, records, k.feed(""))
}

type question struct {
	name string
	ask  func() (found string, err error)
}

// questions puts a text wherever a store takes one. What is found is given as
// text; nothing is the empty one.
func (k *kit) questions(text string) []question {
	user, company, team := roomkit.UserID(text), roomkit.CompanyID(text), roomkit.TeamID(text)
	list := []question{
		{"Load of a user", k.asks(store.Need{People: []roomkit.UserID{user}})},
		{"Load of a member", k.asks(store.Need{Room: roomID(77), People: []roomkit.UserID{user}})},
		{"Load of a company", k.asks(store.Need{Companies: []roomkit.CompanyID{company}})},
		{"Load of a team", k.asks(store.Need{Team: team})},
		{"Load of a name", k.asks(store.Need{Name: text, Company: acme})},
		{"Load of a name in a company", k.asks(store.Need{Name: "key", Company: company})},
		{"Load of what somebody shares", k.asks(store.Need{Shared: []roomkit.UserID{user}})},
		{"Load of what two share", k.asks(store.Need{Shared: []roomkit.UserID{ann, user}})},
		{"Load of a checkpoint", k.asks(store.Need{Checkpoint: text})},
	}
	for _, q := range []store.RoomQuery{
		{User: user}, {User: user, Which: store.MembersAll}, {Company: company}, {Company: company, Public: true},
		{Participants: []roomkit.UserID{user}}, {Participants: []roomkit.UserID{user}, Exact: true},
		{Participants: []roomkit.UserID{ann, user}}, {Participants: []roomkit.UserID{ann, bob, user}, Exact: true},
	} {
		if user != "" {
			list = append(list, question{fmt.Sprintf("Rooms %+v", q), found(func() ([]store.RoomEntry, error) { return k.store.Rooms(k.ctx, q) })})
		}
	}
	if text != "" {
		list = append(list, question{"Users of a company", found(func() ([]roomkit.User, error) {
			return k.store.Users(k.ctx, store.UserQuery{Company: company})
		})})
	}
	for _, of := range []roomkit.Subject{roomkit.UserSubject(user), roomkit.CompanySubject(company), roomkit.TeamSubject(team)} {
		list = append(list, question{"History of a " + of.Type.String(), found(func() ([]store.Record, error) { return k.store.History(k.ctx, of, 0, 0) })})
	}
	return list
}

// behind demands that what comes after a text is what does in the order of bytes.
// A store may refuse text that it cannot hold.
func (k *kit) behind(text string, members []roomkit.Member, users []roomkit.User) {
	k.Helper()
	after := roomkit.UserID(text)
	page, err := k.store.Members(k.ctx, store.MemberQuery{Room: roomID(1), After: after})
	if !errors.Is(err, roomkit.ErrInvalid) {
		require.NoError(k, err, "Members after %.40q", text)
		members = slices.DeleteFunc(slices.Clone(members), func(m roomkit.Member) bool { return m.User <= after })
		require.Equal(k, members, append([]roomkit.Member{}, page...), "Members after %.40q", text)
	}
	known, err := k.store.Users(k.ctx, store.UserQuery{Company: acme, After: after})
	if !errors.Is(err, roomkit.ErrInvalid) {
		require.NoError(k, err, "Users after %.40q", text)
		users = slices.DeleteFunc(slices.Clone(users), func(u roomkit.User) bool { return u.ID <= after })
		require.Equal(k, users, append([]roomkit.User{}, known...), "Users after %.40q", text)
	}
}

func (k *kit) asks(n store.Need) func() (string, error) {
	return func() (string, error) {
		facts, err := k.store.Load(k.ctx, []store.Need{n})
		if err != nil {
			return "", err
		}
		f := facts[0]
		if f.Room.Version == 0 && f.Team.Version == 0 && f.NameHolder.IsZero() && f.Checkpoint == "" &&
			len(f.Users)+len(f.Members)+len(f.Companies)+len(f.Shared) == 0 {
			return "", nil
		}
		return fmt.Sprintf("%+v", f), nil
	}
}

func found[T any](read func() ([]T, error)) func() (string, error) {
	return func() (string, error) {
		rows, err := read()
		if len(rows) == 0 {
			return "", err
		}
		return fmt.Sprintf("%+v", rows), err
	}
}
