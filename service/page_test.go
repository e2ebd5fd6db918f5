package service_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// listing is one list of the service, to be read in both ways.
type listing struct {
	name string
	// both gives the rows behind a token as a sequence and as a page, each as text, and
	// the token of the next page.
	rows func(after service.PageToken, limit int) ([]string, error)
	page func(after service.PageToken, limit int) ([]string, service.PageToken, error)
}

func list[T any](name string, rows func(service.PageToken, int) iter.Seq2[T, error], page func(service.PageToken, int) (service.Page[T], error)) listing {
	text := func(row T) string { return fmt.Sprintf("%+v", row) }
	return listing{
		name: name,
		rows: func(after service.PageToken, limit int) (all []string, err error) {
			all = []string{}
			for row, err := range rows(after, limit) {
				if err != nil {
					return all, err
				}
				all = append(all, text(row))
			}
			return all, nil
		},
		page: func(after service.PageToken, limit int) (all []string, next service.PageToken, err error) {
			p, err := page(after, limit)
			if p.Rows == nil {
				return nil, "", fmt.Errorf("rows are nil: %w", err)
			}
			all = []string{}
			for _, row := range p.Rows {
				all = append(all, text(row))
			}
			return all, p.Next, err
		},
	}
}

// lists gives lists of every kind, some of them of the same form.
func lists(s *proof.Stage) (all []listing) {
	for _, user := range []roomkit.UserID{"ann", "ben"} {
		for role := service.RoleAny; role <= service.RoleMaster; role++ {
			for _, room := range []roomkit.RoomID{s.Group, s.External} {
				all = append(all, list(fmt.Sprint("members ", role, room, " for ", user),
					func(a service.PageToken, n int) iter.Seq2[roomkit.Member, error] {
						return s.Members(ctx, user, room, service.MemberList{Role: role, After: a, Limit: n})
					}, func(a service.PageToken, n int) (service.Page[roomkit.Member], error) {
						return s.MembersPage(ctx, user, room, service.MemberList{Role: role, After: a, Limit: n})
					}))
			}
			for _, kinds := range [][]roomkit.Kind{nil, {roomkit.KindGroup}, {roomkit.KindGroup, roomkit.KindTeam}} {
				all = append(all, list(fmt.Sprintf("rooms of %s: %s, %d kinds", user, role, len(kinds)),
					func(a service.PageToken, n int) iter.Seq2[roomkit.RoomEntry, error] {
						return s.Rooms(ctx, user, service.RoomList{Role: role, Kinds: kinds, After: a, Limit: n})
					}, func(a service.PageToken, n int) (service.Page[roomkit.RoomEntry], error) {
						return s.RoomsPage(ctx, user, service.RoomList{Role: role, Kinds: kinds, After: a, Limit: n})
					}))
			}
		}
		for part := service.GroupsManaged; part <= service.GroupsAll; part++ {
			all = append(all, list(fmt.Sprint("groups ", part, " of ", user),
				func(a service.PageToken, n int) iter.Seq2[roomkit.RoomEntry, error] {
					return s.Groups(ctx, user, service.GroupList{Part: part, After: a, Limit: n})
				}, func(a service.PageToken, n int) (service.Page[roomkit.RoomEntry], error) {
					return s.GroupsPage(ctx, user, service.GroupList{Part: part, After: a, Limit: n})
				}))
		}
		for _, room := range []roomkit.RoomID{s.General, s.Group} {
			all = append(all, list(fmt.Sprint("history of ", room, " for ", user),
				func(a service.PageToken, n int) iter.Seq2[roomkit.Event, error] {
					return s.History(ctx, user, room, service.HistoryList{After: a, Limit: n})
				}, func(a service.PageToken, n int) (service.Page[roomkit.Event], error) {
					return s.HistoryPage(ctx, user, room, service.HistoryList{After: a, Limit: n})
				}))
		}
	}
	for _, company := range []roomkit.CompanyID{"acme", "bolt"} {
		all = append(all, list(fmt.Sprint("users of ", company),
			func(a service.PageToken, n int) iter.Seq2[roomkit.User, error] {
				return s.Users(ctx, service.UserList{Company: company, After: a, Limit: n})
			}, func(a service.PageToken, n int) (service.Page[roomkit.User], error) {
				return s.UsersPage(ctx, service.UserList{Company: company, After: a, Limit: n})
			}), list(fmt.Sprint("teams of ", company),
			func(a service.PageToken, n int) iter.Seq2[roomkit.Team, error] {
				return s.Teams(ctx, service.TeamList{Company: company, After: a, Limit: n})
			}, func(a service.PageToken, n int) (service.Page[roomkit.Team], error) {
				return s.TeamsPage(ctx, service.TeamList{Company: company, After: a, Limit: n})
			}), list(fmt.Sprint("expired of ", company),
			func(a service.PageToken, n int) iter.Seq2[service.ExpiredRoom, error] {
				return s.Expired(ctx, service.ExpiredList{Company: company, After: a, Limit: n})
			}, func(a service.PageToken, n int) (service.Page[service.ExpiredRoom], error) {
				return s.ExpiredPage(ctx, service.ExpiredList{Company: company, After: a, Limit: n})
			}))
	}
	return all
}

// crowded is a stage on which every list has several rows, and most have rows beside
// them that do not count.
func crowded(t testing.TB) *proof.Stage {
	t.Helper()
	s := proof.NewStage(t)
	crew := proof.Crowd(t, s.Service, "u", 7)
	s.Does("ann", roomkit.Invite{Room: s.Group, People: crew})
	s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: crew[2:5]})
	s.Does("ann", roomkit.Invite{Room: s.External, People: append(people("fay"), crew...)})
	s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben", crew[1], crew[3])})
	for i := range 6 {
		public := roomkit.GroupSettings{Public: i%2 == 0}
		s.Does("ann", roomkit.CreateGroup{Name: fmt.Sprint("of ann ", i), Members: people("ben"), Settings: public})
		s.Does("ben", roomkit.CreateGroup{Name: fmt.Sprint("of ben ", i), Members: people("cat"), Settings: public})
		s.Does("cat", roomkit.CreateGroup{Name: fmt.Sprint("of cat ", i), Members: people("dan"), Settings: public})
		proof.Touch(t, s.Service, "ben", s.General)
		s.Sys(proof.Team(roomkit.TeamID(fmt.Sprint("team", i)), "cat", "ben", "cat"))
	}
	for entry, err := range s.Groups(ctx, "ann", service.GroupList{Part: service.GroupsManaged}) {
		require.NoError(t, err)
		if entry.Room.ID != s.Group {
			s.Does("ann", roomkit.Edit{Room: entry.Room.ID, Message: new(false)})
		}
	}
	s.Permit("fay", false)
	s.Sys(roomkit.DeleteUser{User: crew[3]})
	s.Sys(roomkit.DeleteUser{User: crew[6]})
	s.Clock.Add(31 * 24 * time.Hour)
	return s
}

// TestPagesAreTheSequence: whatever the limits, pages join to what the sequence
// gives; a limit is a limit; and Next is set as long as there is another row.
func TestPagesAreTheSequence(t *testing.T) {
	all := lists(crowded(t))
	for i := range all {
		for _, limit := range []int{1, 2, 3, 50} {
			all[i].joins(t, func() int { return limit })
		}
	}
	rapid.Check(t, pagesAreTheSequence(all))
}

func FuzzPagesAreTheSequence(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(pagesAreTheSequence(lists(crowded(f)))))
}

func pagesAreTheSequence(all []listing) func(t *rapid.T) {
	return func(t *rapid.T) {
		l := all[rapid.IntRange(0, len(all)-1).Draw(t, "list")]
		l.joins(t, func() int { return rapid.IntRange(1, 5).Draw(t, "limit") })
	}
}

// joins demands that pages of these limits join to the list.
func (l *listing) joins(t proof.T, limits func() int) {
	t.Helper()
	want, err := l.rows("", 0)
	require.NoError(t, err, l.name)
	joined := []string{}
	var token service.PageToken
	for begun := false; !begun || token != ""; begun = true {
		limit := limits()
		some, err := l.rows(token, limit)
		require.NoError(t, err, l.name)
		rest, err := l.rows(token, 0)
		require.NoError(t, err, l.name)
		require.Equal(t, want[len(joined):], rest, "%s: the rest", l.name)
		page, next, err := l.page(token, limit)
		require.NoError(t, err, l.name)
		require.Equal(t, rest[:min(limit, len(rest))], page, "%s: a page", l.name)
		require.Equal(t, page, some, "%s: a sequence of %d", l.name, limit)
		require.Equal(t, len(rest) > limit, next != "", "%s: whether there is another page", l.name)
		require.False(t, next != "" && next == token, "%s: a page leads on", l.name)
		joined, token = append(joined, page...), next
	}
	require.Equal(t, want, joined, l.name)
}

// TestListsHaveRows: the lists of the test before are long enough to show something.
func TestListsHaveRows(t *testing.T) {
	short := []string{}
	for _, l := range lists(crowded(t)) {
		rows, err := l.rows("", 0)
		require.NoError(t, err, l.name)
		if len(rows) < 3 {
			short = append(short, l.name)
		}
	}
	require.Less(t, len(short), 12, "%s", short)
}

// TestForeignTokens: a token is for its own list and question, and a damaged one is for
// none.
func TestForeignTokens(t *testing.T) {
	s := crowded(t)
	all := lists(s)
	refuses := func(l *listing, token service.PageToken, why string) {
		t.Helper()
		_, _, err := l.page(token, 2)
		require.ErrorIs(t, err, roomkit.ErrInvalid, "%s: %s", l.name, why)
		namesField(t, "After", err)
		_, err = l.rows(token, 2)
		namesField(t, "After", err)
	}
	tried := 0
	for i := range all {
		_, token, err := all[i].page("", 1)
		require.NoError(t, err)
		if token == "" {
			continue
		}
		for other := range all {
			if other != i {
				refuses(&all[other], token, all[i].name)
			}
		}
		for at := range token {
			refuses(&all[i], token[:at]+"A"+token[at:], "longer")
			if at > 0 {
				refuses(&all[i], token[:at], "shorter")
			}
			if token[at] != 'x' {
				refuses(&all[i], token[:at]+"x"+token[at+1:], "altered")
			}
		}
		for _, bad := range []service.PageToken{token + "=", token + "\n", " " + token, "\xff" + token, "garbage", "ann"} {
			refuses(&all[i], bad, "malformed")
		}
		tried++
	}
	require.Greater(t, tried, 30)
	_, token, err := all[0].page("", 1)
	require.NoError(t, err)
	data, err := base64.RawURLEncoding.DecodeString(string(token))
	require.NoError(t, err)
	refuses(&all[0], service.PageToken(base64.RawURLEncoding.EncodeToString(data[:9])), "without a place")
}

// TestPageLimits: without a limit a page has DefaultPage rows, and never more than
// MaxPage.
func TestPageLimits(t *testing.T) {
	svc := proof.Service(t, nil)
	crowd := proof.Crowd(t, svc, "u", roomkit.MaxPage+7)
	room := proof.Do(t, svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "crowd"}).Room
	proof.Fill(t, svc, room, crowd)
	for _, c := range []struct{ limit, want int }{
		{0, roomkit.DefaultPage}, {1, 1}, {roomkit.MaxPage - 1, roomkit.MaxPage - 1}, {roomkit.MaxPage, roomkit.MaxPage}, {1 << 40, roomkit.MaxPage},
	} {
		members, err := svc.MembersPage(ctx, "ann", room, service.MemberList{Limit: c.limit})
		require.NoError(t, err)
		require.Len(t, members.Rows, c.want)
		users, err := svc.UsersPage(ctx, service.UserList{Company: "acme", Limit: c.limit})
		require.NoError(t, err)
		require.Len(t, users.Rows, c.want)
		require.NotEmpty(t, users.Next)
	}
	count := func(limit int) (n int) {
		for _, err := range svc.Members(ctx, "ann", room, service.MemberList{Limit: limit}) {
			require.NoError(t, err)
			n++
		}
		return n
	}
	require.Equal(t, roomkit.MaxPage+8, count(0))
	require.Equal(t, roomkit.MaxPage+3, count(roomkit.MaxPage+3), "a sequence goes on as far as its limit")
}

// TestCostOfAPage: one read of the list and, for what users read, one Load to judge it.
func TestCostOfAPage(t *testing.T) {
	s := proof.NewStage(t)
	st := &trips{Store: s.Store}
	svc, err := service.New(st, nil)
	require.NoError(t, err)
	_, err = svc.MembersPage(ctx, "ann", s.General, service.MemberList{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, trips{Store: s.Store, loads: 1, pages: 1}, *st)
	_, err = svc.UsersPage(ctx, service.UserList{Company: "acme", Limit: 2})
	require.NoError(t, err)
	require.Equal(t, trips{Store: s.Store, loads: 1, pages: 2}, *st)
}

// loss is how somebody loses the access to a list.
type loss struct {
	name string
	lose func(reader roomkit.UserID)
	back func(reader roomkit.UserID) // for the next one
	ends error
}

// TestListsAreJudgedAgain: who loses the access while a list is read, whichever way, gets
// no more of it than was under way, and of pages nothing.
func TestListsAreJudgedAgain(t *testing.T) {
	svc := proof.Service(t, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	sys := func(cmd roomkit.Command) { proof.Do(t, svc, roomkit.System(), cmd) }
	by := func(actor roomkit.UserID, cmd roomkit.Command) roomkit.RoomID {
		return proof.Do(t, svc, roomkit.By(actor), cmd).Room
	}
	crowd := proof.Crowd(t, svc, "u", 2*roomkit.DefaultPage+50)
	rooms := map[string]roomkit.RoomID{
		"private": by("ann", roomkit.CreateGroup{Name: "private", Members: people("ben")}), "external": by("ann", roomkit.CreateExternalGroup{Name: "external", Members: people("ben", "eve")}),
		"public": by("ann", roomkit.CreateGroup{Name: "public", Settings: roomkit.GroupSettings{Public: true}}), "general": by("ann", roomkit.CreateRoom{People: people("ben", "cat"), AllowDuplicate: true}),
		"line": by("ann", roomkit.CreateRoom{People: people("ben", "lin"), AllowDuplicate: true}),
	}
	for _, room := range rooms {
		proof.Fill(t, svc, room, crowd)
		for range 2*roomkit.DefaultPage + 50 {
			proof.Touch(t, svc, "ann", room)
		}
	}
	for i := range roomkit.DefaultPage + 50 {
		settings := roomkit.GroupSettings{Public: true}
		by("cat", roomkit.CreateGroup{Name: fmt.Sprint("open ", i), Settings: settings, Members: people("ben")})
		by("cat", roomkit.CreateGroup{Name: fmt.Sprint("other ", i), Settings: settings})
	}
	removed := func(room string) loss {
		return loss{"removed", func(reader roomkit.UserID) {
			by("ann", roomkit.Remove{Room: rooms[room], People: people(reader)})
		}, func(reader roomkit.UserID) {
			by("ann", roomkit.Invite{Room: rooms[room], People: people(reader)})
		}, roomkit.ErrNotFound}
	}
	suspended := loss{"suspended", func(reader roomkit.UserID) { sys(roomkit.SuspendUser{User: reader}) }, func(reader roomkit.UserID) {
		sys(roomkit.SuspendUser{User: reader, Lift: true})
	}, roomkit.ErrDenied}
	unlicensed := loss{"no licence", func(roomkit.UserID) { sys(roomkit.EditCompany{Company: "acme", Licensed: new(false)}) }, func(roomkit.UserID) {
		sys(roomkit.EditCompany{Company: "acme", Licensed: new(true)})
	}, roomkit.ErrDenied}
	hidden := loss{"made private", func(roomkit.UserID) { by("ann", roomkit.Edit{Room: rooms["public"], Public: new(false)}) }, func(roomkit.UserID) {
		by("ann", roomkit.Edit{Room: rooms["public"], Public: new(true)})
	}, roomkit.ErrNotFound}
	consumers := func(mode roomkit.ExternalMode) func(roomkit.UserID) {
		return func(roomkit.UserID) {
			sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: &mode})
		}
	}
	noConsumers := loss{"no consumers", consumers(roomkit.ExternalOff), consumers(roomkit.ExternalAll), roomkit.ErrDenied}
	stays := func(roomkit.UserID) {}
	noPartners := loss{"no partners", func(reader roomkit.UserID) {
		sys(roomkit.SetUserMessaging{User: reader, With: roomkit.OutsiderPartner, Allow: new(false)})
	}, stays, roomkit.ErrDenied}
	deleted := loss{"deleted", func(reader roomkit.UserID) { sys(roomkit.DeleteUser{User: reader}) }, stays, roomkit.ErrDenied}

	ofRoom := func(room string, reader roomkit.UserID) []reading {
		return []reading{readingOf("members", 1, func() iter.Seq2[roomkit.Member, error] {
			return svc.Members(ctx, reader, rooms[room], service.MemberList{})
		}, func(a service.PageToken, n int) (service.Page[roomkit.Member], error) {
			return svc.MembersPage(ctx, reader, rooms[room], service.MemberList{After: a, Limit: n})
		}), readingOf("history", 1, func() iter.Seq2[roomkit.Event, error] {
			return svc.History(ctx, reader, rooms[room], service.HistoryList{})
		}, func(a service.PageToken, n int) (service.Page[roomkit.Event], error) {
			return svc.HistoryPage(ctx, reader, rooms[room], service.HistoryList{After: a, Limit: n})
		})}
	}
	ofUser := []reading{readingOf("rooms", 1, func() iter.Seq2[roomkit.RoomEntry, error] {
		return svc.Rooms(ctx, "ben", service.RoomList{})
	}, func(a service.PageToken, n int) (service.Page[roomkit.RoomEntry], error) {
		return svc.RoomsPage(ctx, "ben", service.RoomList{After: a, Limit: n})
	})}
	for _, after := range []int{1, 2*roomkit.DefaultPage + 10} { // among the own groups, and the public ones
		ofUser = append(ofUser, readingOf("groups", after, func() iter.Seq2[roomkit.RoomEntry, error] {
			return svc.Groups(ctx, "ben", service.GroupList{Part: service.GroupsAll})
		}, func(a service.PageToken, n int) (service.Page[roomkit.RoomEntry], error) {
			return svc.GroupsPage(ctx, "ben", service.GroupList{Part: service.GroupsAll, After: a, Limit: n})
		}))
	}
	fromOutside := func(l loss) loss { l.ends = roomkit.ErrNotFound; return l }
	for room, losses := range map[string][]loss{
		"private": {removed("private"), suspended, unlicensed, deleted}, "general": {removed("general"), suspended, unlicensed, deleted},
		"line": {noConsumers, removed("line"), suspended, deleted}, "external": {removed("external"), suspended, unlicensed, noPartners},
	} {
		for _, l := range losses {
			for i := range 2 {
				reader := crowd[len(crowd)-1]
				crowd = crowd[:len(crowd)-1]
				r := ofRoom(room, reader)[i]
				t.Run(fmt.Sprint(room, "/", l.name, "/", r.name), func(t *testing.T) { requireJudged(t, r, reader, l) })
			}
		}
	}
	for _, l := range []loss{hidden, fromOutside(suspended), fromOutside(unlicensed)} {
		t.Run("a public group from outside/"+l.name, func(t *testing.T) { requireJudged(t, ofRoom("public", "dan")[0], "dan", l) })
	}
	for _, l := range []loss{suspended, unlicensed} {
		for _, r := range ofUser {
			t.Run(fmt.Sprintf("own/%s/%s after %d", l.name, r.name, r.after), func(t *testing.T) { requireJudged(t, r, "ben", l) })
		}
	}
}

// reading is a list to be read in both ways, and after how many rows the access is lost.
type reading struct {
	name  string
	after int
	rows  func(each func(n int)) (int, error)
	page  func(after service.PageToken, limit int) (rows int, next service.PageToken, err error)
}

func readingOf[T any](name string, after int, rows func() iter.Seq2[T, error], page func(service.PageToken, int) (service.Page[T], error)) reading {
	return reading{name, after, func(each func(n int)) (n int, err error) {
		for _, err := range rows() {
			if err != nil {
				return n, err
			}
			n++
			each(n)
		}
		return n, nil
	}, func(after service.PageToken, limit int) (int, service.PageToken, error) {
		p, err := page(after, limit)
		return len(p.Rows), p.Next, err
	}}
}

func requireJudged(t *testing.T, r reading, reader roomkit.UserID, l loss) {
	t.Helper()
	_, next, err := r.page("", r.after)
	require.NoError(t, err)
	require.NotEmpty(t, next, "the list has to go on")
	got, err := r.rows(func(n int) {
		if n == r.after {
			l.lose(reader)
		}
	})
	require.ErrorIs(t, err, l.ends)
	require.GreaterOrEqual(t, got, r.after)
	require.LessOrEqual(t, got, (r.after/roomkit.DefaultPage+2)*roomkit.DefaultPage, "no more than was under way")
	rows, token, err := r.page(next, 0)
	require.ErrorIs(t, err, l.ends)
	require.Zero(t, rows)
	require.Empty(t, token)
	l.back(reader)
}

// between is a store in front of which something happens once, before a page is read.
type between struct {
	store.Store
	happens func()
}

func (b *between) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	if happens := b.happens; happens != nil {
		b.happens = nil
		happens()
	}
	return b.Store.History(ctx, of, after, limit)
}

// TestHistoryEndsAtTheJudgement: what comes between the judgement and the read is not
// told, and neither is what comes later, to one who was removed meanwhile.
func TestHistoryEndsAtTheJudgement(t *testing.T) {
	s := proof.NewStage(t)
	st := &between{Store: s.Store}
	svc, err := service.New(st, nil)
	require.NoError(t, err)
	before := s.RoomOf("ben", s.General).Version
	st.happens = func() {
		s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben")})
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
	}
	var last roomkit.Version
	for e, err := range svc.History(ctx, "ben", s.General, service.HistoryList{}) {
		if err != nil {
			require.ErrorIs(t, err, roomkit.ErrNotFound)
			require.Equal(t, before, last)
			return
		}
		last = e.Info().Version
	}
	require.Fail(t, "the history has to end with an error")
}

// TestListOfNobody: nobody learns more of an empty list than of a full one.
func TestListOfNobody(t *testing.T) {
	s := proof.NewStage(t)
	ghost := roomkit.RoomID{7: 7}
	for _, room := range []roomkit.RoomID{ghost, s.Group, s.External} {
		_, err := s.MembersPage(ctx, "fay", room, service.MemberList{})
		require.ErrorIs(t, err, roomkit.ErrNotFound)
		_, err = s.HistoryPage(ctx, "fay", room, service.HistoryList{})
		require.ErrorIs(t, err, roomkit.ErrNotFound)
	}
	proof.Refused(t, "COM-16", proof.Refusal(t, s.Rooms(ctx, "nobody", service.RoomList{})))
	proof.Refused(t, "COM-16", proof.Refusal(t, s.Groups(ctx, "nobody", service.GroupList{Part: service.GroupsAll})))
	page, err := s.UsersPage(ctx, service.UserList{Company: "nowhere"})
	require.NoError(t, err)
	require.Equal(t, service.Page[roomkit.User]{Rows: []roomkit.User{}}, page)
}

// TestDirectoryReads: the host sees what the library knows of the directory.
func TestDirectoryReads(t *testing.T) {
	s := proof.NewStage(t)
	user, err := s.User(ctx, "eve")
	require.NoError(t, err)
	require.Equal(t, roomkit.CompanyID("bolt"), user.Company)
	require.EqualValues(t, 1, user.Groups)
	company, err := s.Company(ctx, "acme")
	require.NoError(t, err)
	require.True(t, company.Licensed)
	require.EqualValues(t, 2, company.Groups)
	team, err := s.Service.Team(ctx, "acme", "sales")
	require.NoError(t, err)
	require.Equal(t, people("ben", "cat"), team.Members)

	for what, err := range map[string]error{
		"User": second(s.User(ctx, "nobody")), "Company": second(s.Company(ctx, "nowhere")), "Team": second(s.Service.Team(ctx, "acme", "none")),
	} {
		require.ErrorIs(t, err, roomkit.ErrNotFound, what)
		var placed *roomkit.Error
		require.ErrorAs(t, err, &placed)
		require.Equal(t, what, placed.Op)
	}
	for field, err := range map[string]error{
		"User": second(s.User(ctx, "a b")), "Company": second(s.Company(ctx, "")), "Team": second(s.Service.Team(ctx, "acme", "\x00")),
	} {
		namesField(t, field, err)
	}
	namesField(t, "Company", second(s.UsersPage(ctx, service.UserList{Company: "a b"})))
	namesField(t, "Company", second(s.TeamsPage(ctx, service.TeamList{})))
	var free []roomkit.UserID
	for u, err := range s.Users(ctx, service.UserList{}) {
		require.NoError(t, err)
		free = append(free, u.ID)
	}
	require.Equal(t, people("lin"), free, "who belongs to no company")
	require.True(t, slices.IsSorted(free))
}

func second[T any](_ T, err error) error { return err }
