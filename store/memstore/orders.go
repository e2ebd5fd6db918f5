package memstore

import (
	"bytes"
	"cmp"
)

// What the indexes list.
type (
	presentOfRoom   struct{ membersByUser } // who take part in or manage a room
	mastersOfRoom   struct{ membersByUser }
	leftOfRoom      struct{ membersByUser } // who did once
	presentOfUser   struct{ membersByRoom } // what a user takes part in or manages
	leftOfUser      struct{ membersByRoom } // what a user once did
	roomsOfCompany  struct{ roomsByID }     // active rooms
	publicOfCompany struct{ roomsByID }     // active public groups
	usersOfCompany  struct{}
)

type (
	membersByUser struct{}
	membersByRoom struct{}
	roomsByID     struct{}
)

func (membersByUser) compare(a, b *membership) int { return cmp.Compare(a.row.User, b.row.User) }
func (membersByRoom) compare(a, b *membership) int {
	return bytes.Compare(a.row.Room[:], b.row.Room[:])
}
func (roomsByID) compare(a, b *room) int      { return bytes.Compare(a.row.ID[:], b.row.ID[:]) }
func (usersOfCompany) compare(a, b *user) int { return cmp.Compare(a.row.ID, b.row.ID) }

func (presentOfRoom) live(m *membership) bool { return m.present() }
func (mastersOfRoom) live(m *membership) bool { return m.row.Master }
func (leftOfRoom) live(m *membership) bool    { return !m.present() }
func (presentOfUser) live(m *membership) bool { return m.present() }
func (leftOfUser) live(m *membership) bool    { return !m.present() }
func (roomsOfCompany) live(r *room) bool      { return r.active() }
func (publicOfCompany) live(r *room) bool     { return r.public() }
func (usersOfCompany) live(*user) bool        { return true }

func (presentOfRoom) held(m *membership) *bool { return &m.inRoomPresent }
func (mastersOfRoom) held(m *membership) *bool { return &m.inRoomMasters }
func (leftOfRoom) held(m *membership) *bool    { return &m.inRoomLeft }
func (presentOfUser) held(m *membership) *bool { return &m.inUserPresent }
func (leftOfUser) held(m *membership) *bool    { return &m.inUserLeft }
func (roomsOfCompany) held(r *room) *bool      { return &r.inCompany }
func (publicOfCompany) held(r *room) *bool     { return &r.inPublic }
func (usersOfCompany) held(u *user) *bool      { return &u.inCompany }
