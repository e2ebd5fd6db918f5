package memstore

import "github.com/go-roomkit/roomkit"

// A user or company that others refer to before it exists is kept with version
// 0, so that nobody has to look twice; to callers it is absent.
type (
	room struct {
		head
		taking  int64 // people who take part
		company *company
		row     roomkit.Room

		present index[membership, presentOfRoom]
		masters index[membership, mastersOfRoom]
		left    index[membership, leftOfRoom]

		inCompany, inPublic bool
	}
	user struct {
		head
		company *company
		row     roomkit.User

		present index[membership, presentOfUser]
		left    index[membership, leftOfUser]

		inCompany bool
	}
	company struct {
		head
		row    roomkit.Company
		rooms  index[room, roomsOfCompany]
		public index[room, publicOfCompany]
		users  index[user, usersOfCompany]
	}
	team struct {
		head
		row roomkit.Team
	}
	membership struct {
		row  roomkit.Member
		room *room
		user *user

		inRoomPresent, inRoomMasters, inRoomLeft bool
		inUserPresent, inUserLeft                bool
	}
)

// head is what all subjects have.
type head struct {
	number  uint32  // of the subject, or 0
	history []int64 // where the record of each version is
	round   uint64  // the change that slot belongs to
	slot    int     // its place among what that change expects
}

// pair names a membership by the numbers of its room and its user.
type pair struct{ room, user uint32 }

type nameKey struct {
	company roomkit.CompanyID
	key     string
}

func (m *membership) present() bool { return m.row.Participant || m.row.Master }

func (r *room) active() bool { return r.row.State == roomkit.StateActive }

func (r *room) public() bool { return r.active() && r.row.Public && r.row.Kind.IsGroup() }

func (s *Store) company(id roomkit.CompanyID) *company {
	c := s.companies[id]
	if c == nil {
		c = &company{}
		s.companies[id] = c
	}
	return c
}

func (s *Store) user(id roomkit.UserID) *user {
	u := s.users[id]
	if u == nil {
		u = &user{}
		s.users[id] = u
	}
	return u
}

// membership finds the row of u in r, or nil.
func (s *Store) membership(r *room, u *user) *membership {
	if r.number == 0 || u.number == 0 {
		return nil
	}
	if i, ok := s.memberships[pair{r.number, u.number}]; ok {
		return s.members.at(int64(i))
	}
	return nil
}

func (s *Store) takesPart(r *room, u *user) bool {
	m := s.membership(r, u)
	return m != nil && m.row.Participant
}

// putRoom writes the row and keeps the company's lists. Names are apart.
func (s *Store) putRoom(r *room, row *roomkit.Room) {
	wasActive, wasPublic := r.active(), r.public()
	if r.company == nil || r.row.Company != row.Company {
		if r.company != nil {
			r.company.rooms.forget(r, wasActive)
			r.company.public.forget(r, wasPublic)
			wasActive, wasPublic = false, false
		}
		r.company = s.company(row.Company)
	}
	r.row = *row
	r.row.Company = shared(row.Company, r.company.row.ID)
	r.company.rooms.turn(r, wasActive, r.active())
	r.company.public.turn(r, wasPublic, r.public())
}

func (s *Store) putUser(u *user, row *roomkit.User) {
	listed := u.row.Version > 0
	if u.company == nil || u.row.Company != row.Company {
		if u.company != nil {
			u.company.users.forget(u, listed)
			listed = false
		}
		u.company = s.company(row.Company)
	}
	groups := u.row.Groups
	u.row = *row
	u.row.Company = shared(row.Company, u.company.row.ID)
	u.row.Groups = groups
	u.company.users.turn(u, listed, true)
}

// putMember writes the row of u in r.
func (s *Store) putMember(r *room, u *user, row *roomkit.Member) {
	key := pair{s.number(&r.head, roomkit.RoomSubject(row.Room)), s.number(&u.head, roomkit.UserSubject(row.User))}
	if i, ok := s.memberships[key]; ok {
		s.members.at(int64(i)).put(row, true)
		return
	}
	s.memberships[key] = uint32(s.members.len())
	m := s.members.grow()
	m.room, m.user = r, u
	m.put(row, false)
}

// put replaces the row and keeps the lists of its room and its user.
func (m *membership) put(row *roomkit.Member, known bool) {
	r, u := m.room, m.user
	wasThere, wasMaster, tookPart := m.present(), m.row.Master, m.row.Participant
	m.row = *row
	m.row.User, m.row.Company = shared(row.User, u.row.ID), shared(row.Company, u.row.Company)
	there := m.present()
	r.present.turn(m, wasThere, there)
	u.present.turn(m, wasThere, there)
	r.masters.turn(m, wasMaster, row.Master)
	r.left.turn(m, known && !wasThere, !there)
	u.left.turn(m, known && !wasThere, !there)
	if tookPart && !row.Participant {
		r.taking--
	}
	if !tookPart && row.Participant {
		r.taking++
	}
}

// shared gives the one of two equal ids that is kept already, so that not every
// row keeps its own copy.
func shared[T ~string](id, kept T) T {
	if id == kept {
		return kept
	}
	return id
}
