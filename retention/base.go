package retention

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/fold"
	"github.com/go-roomkit/roomkit/store"
)

// state is what the events of one subject have made.
type state struct {
	last    roomkit.Meta
	room    roomkit.Room
	people  map[roomkit.UserID]roomkit.Member
	user    roomkit.User
	company roomkit.Company
	team    roomkit.Team
}

// addTo adds records to a base; it is the Fold of [store.Pruning]. It refuses what it could not
// give back, so that nothing is forgotten that somebody should look at.
func addTo(was store.Base, records []store.Record) (is store.Base, err error) {
	s := state{people: map[roomkit.UserID]roomkit.Member{}}
	if err := s.begin(&was); err != nil {
		return is, err
	}
	at := was.Version
	for i := range records {
		rec := &records[i]
		e, err := codec.DecodeRecord(*rec)
		if err != nil {
			return is, err
		}
		if u, unknown := e.(*roomkit.Unknown); unknown {
			return is, fmt.Errorf("%w: %s/%d is an event of a newer version, %s: use that version", roomkit.ErrUnsupported, rec.Subject, rec.Version, u.Name)
		}
		info := e.Info()
		if begins := at == 0 && info.Cause == roomkit.CauseImported; info.Version != at+1 && !begins || info.Version != rec.Version || info.Subject != rec.Subject {
			return is, fmt.Errorf("%w: the event of %s/%d does not follow version %d: nothing of it is forgotten", roomkit.ErrInconsistent, rec.Subject, rec.Version, at)
		}
		s.apply(e)
		at = info.Version
	}
	is = store.Base{Subject: was.Subject, Version: at}
	for _, e := range s.events() {
		data, err := codec.Encode(nil, e)
		if err != nil {
			return is, err
		}
		is.Events = append(is.Events, data)
	}
	again := state{people: map[roomkit.UserID]roomkit.Member{}}
	err = again.begin(&is)
	if again.last = s.last; err == nil && !reflect.DeepEqual(again, s) {
		err = fmt.Errorf("%w: %s/%d is not what a base of it would say", roomkit.ErrUnsupported, is.Subject, is.Version)
	}
	return is, err
}

// begin takes over what a base says.
func (s *state) begin(b *store.Base) error {
	for _, data := range b.Events {
		e, err := codec.Decode(data)
		if err != nil {
			return fmt.Errorf("the base of %s: %w", b.Subject, err)
		}
		if info := e.Info(); info.Subject != b.Subject || info.Version != b.Version {
			return fmt.Errorf("%w: the base of %s/%d has an event of %s/%d", roomkit.ErrInconsistent, b.Subject, b.Version, info.Subject, info.Version)
		}
		s.apply(e)
	}
	return nil
}

func (s *state) apply(e roomkit.Event) {
	s.last = *e.Info()
	switch s.last.Subject.Type {
	case roomkit.SubjectRoom:
		s.room = s.room.Apply(e)
		fold.People(s.people, e)
	case roomkit.SubjectUser:
		s.user = s.user.Apply(e)
	case roomkit.SubjectCompany:
		s.company = s.company.Apply(e)
	case roomkit.SubjectTeam:
		s.team = s.team.Apply(e)
	}
}

// events gives the events of a base: the same that bring a subject in from another store, all
// of one version.
func (s *state) events() (list []roomkit.Event) {
	meta := s.last
	meta.Actor, meta.Epoch, meta.Cause = roomkit.System(), roomkit.Epoch{}, roomkit.CauseImported
	switch meta.Subject.Type {
	case roomkit.SubjectRoom:
		return s.roomEvents(meta)
	case roomkit.SubjectUser:
		list = append(list, &roomkit.UserPut{Meta: meta, User: s.user})
	case roomkit.SubjectCompany:
		list = append(list, &roomkit.CompanyPut{Meta: meta, Company: s.company})
	case roomkit.SubjectTeam:
		t := &s.team
		add := func(members []roomkit.UserID) {
			list = append(list, &roomkit.TeamSynced{
				Meta: meta, Company: t.Company, Name: t.Name, Leader: t.Leader, Added: members, Room: t.Room, Features: t.Features,
				Photo: t.Photo, Preset: t.Preset, Notify: t.Notify, Seq: t.SyncedSeq,
			})
		}
		add(t.Members[:min(len(t.Members), roomkit.MaxPeople)])
		for more := range slices.Chunk(t.Members[min(len(t.Members), roomkit.MaxPeople):], roomkit.MaxPeople) {
			add(more)
		}
	}
	return list
}

func (s *state) roomEvents(meta roomkit.Meta) []roomkit.Event {
	r := &s.room
	meta.Kind, meta.Notify = r.Kind, r.Notify
	list := []roomkit.Event{&roomkit.RoomImported{
		Meta: meta, State: r.State, Company: r.Company, Team: r.Team, Creator: r.Creator, Parties: r.Parties, Name: r.Name, NameKey: r.NameKey,
		Photo: r.Photo, Description: r.Description, Origin: r.Origin, Public: r.Public, HistorySharing: r.HistorySharing, Features: r.Features,
		FeaturesWithheld: r.FeaturesWithheld, MessageOffSince: r.MessageOffSince, HadConsumers: r.HadConsumers, EmptiedAt: r.EmptiedAt,
		EmptiedOn: r.EmptiedOn, CreatedAt: r.CreatedAt,
	}}
	rows := slices.SortedFunc(maps.Values(s.people), func(a, b roomkit.Member) int { return cmp.Compare(a.User, b.User) })
	for part := range slices.Chunk(rows, roomkit.MaxPeople) {
		list = append(list, &roomkit.MembersImported{Meta: meta, Rows: part, Counts: r.Counts})
	}
	return list
}
