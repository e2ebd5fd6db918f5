package storetest

import (
	"context"
	"runtime"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func loadMutants() []mutant {
	return []mutant{
		{rule: "load/nothing", name: "an empty need is answered by all companies", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			if n.Room.IsZero() && n.Team == "" && n.Command.IsZero() && n.Checkpoint == "" && n.Name == "" && len(n.People)+len(n.Companies)+len(n.Shared) == 0 {
				for _, c := range m.companies {
					f.Companies = append(f.Companies, c)
				}
			}
		})},
		{rule: "load/order", name: "seven needs are answered in the order of rooms", spoil: func(a *altered) {
			a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
				facts, err := a.simple.Load(ctx, needs)
				if len(needs) == 7 {
					slices.SortStableFunc(facts, func(x, y store.Facts) int { return byRoomID(x.Room.ID, y.Room.ID) })
				}
				return facts, err
			}
		}},
		{rule: "load/absent", name: "unknown people come as empty users", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for _, id := range n.People {
				if m.users[id].Version == 0 {
					f.Users = append(f.Users, roomkit.User{ID: id})
				}
			}
		})},
		{rule: "load/room", name: "an ended room comes without its company", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if f.Room.State == roomkit.StateEnded && len(n.People) == 0 && !n.Everybody && f.Room.Kind != roomkit.KindDirect {
				f.Companies = nil
			}
		})},
		{rule: "load/direct", name: "parties who left do not come", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if f.Room.Kind == roomkit.KindDirect && len(n.People) == 0 {
				f.Members = slices.DeleteFunc(f.Members, func(m roomkit.Member) bool { return !m.Participant })
			}
		})},
		{rule: "load/team-room", name: "the room of a team comes without it", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if n.Team == "" {
				f.Team = roomkit.Team{}
			}
		})},
		{rule: "load/people", name: "rows that have ended do not come", spoil: answering(func(_ *model, _ store.Need, f *store.Facts) {
			f.Members = slices.DeleteFunc(f.Members, func(m roomkit.Member) bool { return !m.Participant && !m.Master })
		})},
		{rule: "load/people-alone", name: "people without a room bring rows", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for _, rows := range m.members {
				for _, id := range n.People {
					if row, ok := rows[id]; ok && n.Room.IsZero() {
						f.Members = append(f.Members, row)
					}
				}
			}
		})},
		{rule: "load/no-duplicates", name: "who is named twice comes twice", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for i, id := range n.People {
				if slices.Contains(n.People[:i], id) {
					f.Users = append(f.Users, m.users[id])
				}
			}
		})},
		{rule: "load/everything", name: "Shared is not answered beside Room", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if !n.Room.IsZero() {
				f.Shared = nil
			}
		})},
	}
}

func factMutants() []mutant {
	return []mutant{
		{rule: "load/masters", name: "masters who do not take part are forgotten", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				if n.Masters && !n.Everybody {
					n.Masters = false
					for _, row := range a.model.membersOf(n.Room) {
						if row.Master && row.Participant {
							n.People = append(slices.Clone(n.People), row.User)
						}
					}
				}
				return a.model.load(n)
			}
		}},
		{rule: "load/everybody", name: "Everybody gives those who left, too", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				if n.Everybody && !n.Masters && len(n.People) == 0 {
					for _, row := range a.model.membersOf(n.Room) {
						n.People = append(n.People, row.User)
					}
				}
				return a.model.load(n)
			}
		}},
		{rule: "load/everybody-limit", name: "Everybody stops at MaxEverybody", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if n.Everybody {
				f.Members = f.Members[:min(len(f.Members), roomkit.MaxEverybody)]
			}
		})},
		{rule: "load/everybody-limit", name: "Everybody gives everybody", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				for _, row := range a.model.membersOf(n.Room) {
					if n.Everybody && (row.Participant || row.Master) {
						n.People = append(n.People, row.User)
					}
				}
				return a.model.load(n)
			}
		}},
		{rule: "load/companies", name: "Companies is not answered beside People", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				if len(n.People) == 1 && n.Room.IsZero() {
					n.Companies = nil
				}
				return a.model.load(n)
			}
		}},
		{rule: "load/team", name: "a team comes without its leader's row", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if n.Team != "" && !n.Everybody {
				f.Members = slices.DeleteFunc(f.Members, func(m roomkit.Member) bool { return m.User == f.Team.Leader && !slices.Contains(n.People, m.User) })
			}
		})},
		{rule: "load/name", name: "a name is looked up among titles, too", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for _, r := range m.rooms {
				if n.Name != "" && r.Name == n.Name && r.Company == n.Company {
					f.NameHolder = r.ID
				}
			}
		})},
		{rule: "load/checkpoint", name: "an unknown checkpoint is that of the first follower", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			if _, known := m.checkpoints[n.Checkpoint]; n.Checkpoint == "g" && !known {
				f.Checkpoint = m.checkpoints["f"]
			}
		})},
		{rule: "shared/all-take-part", name: "masters count as participants", spoil: sharedBy(func(m *model, people []roomkit.UserID, r roomkit.Room) bool {
			return r.State == roomkit.StateActive && !slices.ContainsFunc(people, func(id roomkit.UserID) bool {
				row := m.members[r.ID][id]
				return !row.Participant && !row.Master
			})
		})},
		{rule: "shared/active", name: "rooms that somebody left are shared", spoil: sharedBy(func(m *model, people []roomkit.UserID, r roomkit.Room) bool {
			return r.State == roomkit.StateActive && !slices.ContainsFunc(people, func(id roomkit.UserID) bool {
				row := m.members[r.ID][id]
				return !row.Participant && row.Left == roomkit.CauseNone
			})
		})},
		{rule: "shared/exact-first", name: "exact rooms are among the others", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			if len(n.Shared) == 2 && len(f.Shared) < 20 && !slices.ContainsFunc(f.Shared, func(e store.RoomEntry) bool {
				return e.Room.Digest == roomkit.DigestOf(n.Shared...) && e.Room.Participants == 3
			}) {
				slices.SortFunc(f.Shared, func(x, y store.RoomEntry) int { return byRoomID(x.Room.ID, y.Room.ID) })
			}
		})},
		{rule: "shared/compares-people", name: "rooms of the same digest are exact", spoil: answering(func(_ *model, n store.Need, f *store.Facts) {
			other := func(e store.RoomEntry) int {
				if e.Room.Digest == roomkit.DigestOf(n.Shared...) {
					return 0
				}
				return 1
			}
			slices.SortFunc(f.Shared, func(x, y store.RoomEntry) int {
				if d := other(x) - other(y); d != 0 {
					return d
				}
				return byRoomID(x.Room.ID, y.Room.ID)
			})
		})},
		{rule: "shared/limit", name: "MaxShared rooms in all", spoil: answering(func(_ *model, _ store.Need, f *store.Facts) {
			f.Shared = f.Shared[:min(len(f.Shared), store.MaxShared)]
		})},
		{rule: "shared/no-row", name: "entries carry the first one's row", spoil: answering(func(m *model, n store.Need, f *store.Facts) {
			for i, e := range f.Shared {
				f.Shared[i].Member = m.members[e.Room.ID][n.Shared[0]]
			}
		})},
	}
}

// sharedBy gives rooms that a mutant takes for shared.
func sharedBy(is func(m *model, people []roomkit.UserID, r roomkit.Room) bool) func(a *altered) {
	return answering(func(m *model, n store.Need, f *store.Facts) {
		for _, r := range m.rooms {
			known := slices.ContainsFunc(f.Shared, func(e store.RoomEntry) bool { return e.Room.ID == r.ID })
			if len(n.Shared) > 0 && !known && is(m, n.Shared, r) {
				f.Shared = append(f.Shared, store.RoomEntry{Room: r})
			}
		}
	})
}

func snapshotMutants() []mutant {
	return []mutant{
		{rule: "snapshot/counts", name: "the room is read before its rows", spoil: func(a *altered) {
			a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
				first, err := a.simple.Load(ctx, needs)
				if err != nil {
					return nil, err
				}
				for range 100 {
					runtime.Gosched()
				}
				second, err := a.simple.Load(ctx, needs)
				for i := range second {
					second[i].Room = first[i].Room
				}
				return second, err
			}
		}},
		{rule: "snapshot/needs", name: "every need is read by itself", spoil: func(a *altered) {
			a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
				var facts []store.Facts
				for _, n := range needs {
					f, err := a.simple.Load(ctx, []store.Need{n})
					if err != nil {
						return nil, err
					}
					facts = append(facts, f...)
					for range 100 {
						runtime.Gosched()
					}
				}
				return facts, nil
			}
		}},
		{rule: "snapshot/history", name: "rows come after their records", spoil: func(a *altered) {
			a.load = func(n store.Need) store.Facts {
				f := a.model.load(n)
				if f.Room.Version > 300 {
					f.Room.Version -= 2
				}
				return f
			}
		}},
	}
}
