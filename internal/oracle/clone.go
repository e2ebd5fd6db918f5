package oracle

import (
	"maps"
	"slices"
)

// Clone copies the world.
func (w *World) Clone() *World {
	c := *w
	c.Policy.MaxParticipants = maps.Clone(w.Policy.MaxParticipants)
	c.Companies = cloneAll(w.Companies, func(v Company) Company { return v })
	c.Users = cloneAll(w.Users, func(v User) User { return v })
	c.Teams = cloneAll(w.Teams, Team.clone)
	c.Rooms = cloneAll(w.Rooms, Room.clone)
	c.Contacts = maps.Clone(w.Contacts)
	return &c
}

func cloneAll[V any](m map[string]*V, clone func(V) V) map[string]*V {
	c := make(map[string]*V, len(m))
	for k, v := range m {
		copied := clone(*v)
		c[k] = &copied
	}
	return c
}

func (t Team) clone() Team {
	t.Members = slices.Clone(t.Members)
	t.Preset = maps.Clone(t.Preset)
	return t
}

func (r Room) clone() Room {
	r.Parties = slices.Clone(r.Parties)
	r.EndedWith = maps.Clone(r.EndedWith)
	r.Features = maps.Clone(r.Features)
	r.Participants = maps.Clone(r.Participants)
	r.Masters = maps.Clone(r.Masters)
	r.Periods = maps.Clone(r.Periods)
	return r
}
