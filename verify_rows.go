package roomkit

import (
	"context"
	"fmt"
	"reflect"
)

// foldedRoom is a room and its people as the events have made them.
type foldedRoom struct {
	room   Room
	people map[UserID]Member
}

func (r *foldedRoom) fold(e Event) {
	r.room = r.room.Apply(e)
	switch e := e.(type) {
	case *MemberJoined:
		r.each(e, e.People)
	case *MemberLeft:
		r.each(e, e.People)
	case *MasterAppointed:
		r.each(e, e.People)
	case *MasterDismissed:
		r.each(e, e.People)
	case *RoomConverted:
		r.each(e, e.People)
	case *RoomEnded:
		for id, row := range r.people {
			r.people[id] = row.Apply(e)
		}
	default: // does not concern people
	}
}

func (r *foldedRoom) each(e Event, people []Person) {
	for i := range people {
		row := r.people[people[i].User]
		row.User = people[i].User
		r.people[row.User] = row.Apply(e)
	}
}

// room folds a room and compares it, again if it changed meanwhile.
func (v *verifier) room(ctx context.Context, of Subject) error {
	for range 10 {
		before, err := v.load(ctx, Need{Room: of.Room})
		if err != nil {
			return err
		}
		v.rows[of] = before.Room.Version
		folded := foldedRoom{people: map[UserID]Member{}}
		known, err := v.events(ctx, of, before.Room.Version, folded.fold)
		if err != nil {
			return err
		}
		stored, err := v.members(ctx, of.Room)
		if err != nil {
			return err
		}
		after, err := v.load(ctx, Need{Room: of.Room})
		if err != nil {
			return err
		}
		if after.Room.Version != before.Room.Version {
			continue
		}
		if !known {
			return nil // a newer version of the library has written here
		}
		return v.compareRoom(of, &folded, &after.Room, stored)
	}
	return fmt.Errorf("%w: %s does not stop changing", ErrConflict, of)
}

func (v *verifier) members(ctx context.Context, room RoomID) ([]Member, error) {
	var all []Member
	q := MemberQuery{Room: room, Which: MembersAll, Limit: MaxPage}
	for {
		page, err := v.store.Members(ctx, q)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
		q.After = page[len(page)-1].User
	}
}

func (v *verifier) compareRoom(of Subject, folded *foldedRoom, stored *Room, people []Member) error {
	if *stored != folded.room {
		return v.complain(of, "row", "stored %+v, events say %+v", *stored, folded.room)
	}
	var counts Counts
	var digest SetDigest
	for i := range people {
		v.People++
		m := &people[i]
		if want, ok := folded.people[m.User]; !ok || want != *m {
			return v.complain(of, "members", "stored %+v, events say %+v", *m, want)
		}
		delete(folded.people, m.User)
		if m.Participant {
			digest = digest.With(m.User)
		}
		v.count(stored, m, &counts)
	}
	for id := range folded.people {
		return v.complain(of, "members", "the row of %q is missing", id)
	}
	if counts != stored.Counts || digest != stored.Digest {
		return v.complain(of, "counts", "the rows give %+v, the room has %+v", counts, stored.Counts)
	}
	if stored.State == StateActive && stored.Kind.IsGroup() {
		v.owns[stored.Company]++
	}
	return nil
}

func (v *verifier) count(room *Room, m *Member, c *Counts) {
	if m.Participant || m.Master {
		v.takes[m.User]++
	}
	if m.Master {
		c.Masters++
	}
	if !m.Participant {
		return
	}
	c.Participants++
	if room.Kind.IsGroup() {
		v.groups[m.User]++
	}
	switch {
	case m.Kind == UserBot:
		c.Bots++
	case m.Kind == UserLINE:
		c.LINEUsers++
	case m.Company != room.Company:
		c.Outsiders++
	}
}

// compareDirectory compares a user, a company or a team with the fold of its
// events.
func (v *verifier) compareDirectory(ctx context.Context, of Subject, f *Facts) error {
	var user User
	var company Company
	var team Team
	version, stored := f.Team.Version, any(f.Team)
	switch of.Type {
	case SubjectUser:
		row := *f.user(UserID(of.ID))
		version, row.Groups = row.Version, 0
		stored = row
	case SubjectCompany:
		row := *f.company(CompanyID(of.ID))
		version, row.Groups = row.Version, 0
		stored = row
	default:
	}
	v.rows[of] = version
	known, err := v.events(ctx, of, version, func(e Event) {
		user, company, team = user.Apply(e), company.Apply(e), team.Apply(e)
	})
	if err != nil || !known {
		return err
	}
	folded := map[SubjectType]any{SubjectUser: user, SubjectCompany: company, SubjectTeam: team}[of.Type]
	if !reflect.DeepEqual(folded, stored) {
		return v.complain(of, "row", "stored %+v, events say %+v", stored, folded)
	}
	return nil
}

// tallies compares what can only be compared while nobody writes: in how many
// rooms a user is, in how many groups, and how many groups a company owns.
func (v *verifier) tallies(ctx context.Context) error {
	for of := range v.seen {
		if of.Type != SubjectUser && of.Type != SubjectCompany {
			continue
		}
		f, err := v.load(ctx, Need{People: []UserID{UserID(of.ID)}, Companies: []CompanyID{CompanyID(of.ID)}})
		if err != nil {
			return err
		}
		if of.Type == SubjectCompany {
			company := f.company(CompanyID(of.ID))
			if err = v.compareCount(ctx, of, "groups", company.Groups, v.owns[company.ID]); err == nil {
				err = v.listed(ctx, company.ID)
			}
		} else {
			err = v.user(ctx, of, f.user(UserID(of.ID)))
		}
		if err != nil {
			return err
		}
	}
	return v.listed(ctx, "") // users from LINE
}

// listed checks that the feed knows the users of a company.
func (v *verifier) listed(ctx context.Context, company CompanyID) error {
	q := UserQuery{Company: company, Limit: MaxPage}
	for {
		page, err := v.store.Users(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			of := UserSubject(page[i].ID)
			if err := v.compareCount(ctx, of, "feed", 1, int64(min(1, v.seen[of]))); err != nil {
				return err
			}
		}
		q.After = page[len(page)-1].ID
	}
}

func (v *verifier) user(ctx context.Context, of Subject, u *User) error {
	if err := v.compareCount(ctx, of, "groups", u.Groups, v.groups[u.ID]); err != nil {
		return err
	}
	listed := int64(0)
	q := RoomQuery{User: UserID(of.ID), Limit: MaxPage}
	for {
		page, err := v.store.Rooms(ctx, q)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return v.compareCount(ctx, of, "rooms listed", listed, v.takes[UserID(of.ID)])
		}
		listed += int64(len(page))
		q.After = page[len(page)-1].Room.ID
	}
}

// compareCount complains unless somebody has written since the feed was read.
func (v *verifier) compareCount(ctx context.Context, of Subject, what string, stored, folded int64) error {
	if stored == folded {
		return nil
	}
	newer, err := v.store.Feed(ctx, v.end, 1)
	if err != nil || len(newer) > 0 {
		return err
	}
	return v.complain(of, what, "stored %d, the events give %d", stored, folded)
}
