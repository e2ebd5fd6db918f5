package simulation

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// permissions says who of the external groups has been permitted without a gap since the
// admission (EXT-22, EXT-25), and who of all rooms has had an account (ADM-13, ADM-14). It
// follows the events and shares nothing with the code.
type permissions struct {
	j     *judge
	mode  map[roomkit.CompanyID]roomkit.ExternalMode
	users map[roomkit.UserID]roomkit.User
	kinds map[roomkit.RoomID]roomkit.Kind
	lost  map[place]bool // those who take part, and whose part does not count any more
}

type place struct {
	room roomkit.RoomID
	user roomkit.UserID
}

func newPermissions(j *judge) *permissions {
	return &permissions{j: j, mode: map[roomkit.CompanyID]roomkit.ExternalMode{}, users: map[roomkit.UserID]roomkit.User{}, lost: map[place]bool{}, kinds: map[roomkit.RoomID]roomkit.Kind{}}
}

func (p *permissions) inForce(id roomkit.UserID) bool {
	u := p.users[id]
	mode := p.mode[u.Company]
	return u.Kind == roomkit.UserMember && u.Status != roomkit.StatusDeleted && (mode == roomkit.ExternalAll || mode == roomkit.ExternalSelected && u.Partners)
}

// follow follows a change that is stored, and asks the service about all whose part is lost.
func (p *permissions) follow(e *entry) {
	directory := false
	for _, event := range e.events() {
		info := event.Info()
		id := roomkit.UserID(info.Subject.ID)
		u := p.users[id]
		if info.Subject.Type == roomkit.SubjectRoom {
			p.kinds[info.Subject.Room] = info.Kind
		}
		switch event := event.(type) {
		case *roomkit.CompanyPut:
			if info.Version == 1 {
				p.mode[roomkit.CompanyID(info.Subject.ID)] = event.Company.Partners
			}
		case *roomkit.CompanyMessagingChanged:
			if event.With == roomkit.OutsiderPartner {
				p.mode[roomkit.CompanyID(info.Subject.ID)] = event.To
			}
			directory = true
		case *roomkit.UserPut:
			if info.Version == 1 {
				p.users[id] = event.User
			}
		case *roomkit.UserMessagingChanged:
			if u.Partners = event.On; event.With == roomkit.OutsiderPartner {
				p.users[id] = u
			}
			directory = true
		case *roomkit.UserStatusChanged:
			u.Status = event.To
			p.users[id] = u
			directory = true
		case *roomkit.MemberJoined:
			for _, who := range event.People {
				p.lost[place{info.Subject.Room, who.User}] = false
			}
		case *roomkit.MemberLeft:
			for _, who := range event.People {
				delete(p.lost, place{info.Subject.Room, who.User})
			}
		case *roomkit.RoomEnded:
			for at := range p.lost {
				if at.room == info.Subject.Room {
					delete(p.lost, at)
				}
			}
		default: // neither of the directory nor of people
		}
	}
	if directory && e.step > 0 {
		p.check()
	}
}

func (p *permissions) check() {
	for _, at := range slices.SortedFunc(maps.Keys(p.lost), func(a, b place) int {
		return cmp.Or(bytes.Compare(a.room[:], b.room[:]), cmp.Compare(a.user, b.user))
	}) {
		lost, u := p.lost[at], p.users[at.user]
		external := p.kinds[at.room] == roomkit.KindExternalGroup
		if lost = lost || u.Status == roomkit.StatusDeleted || external && !p.inForce(at.user); !lost {
			continue
		}
		p.lost[at] = true
		a, err := p.j.plain.Access(context.Background(), at.user, at.room)
		if err == nil && (a[0].ReadFrom.Allowed || a[0].Standing.Has(roomkit.StandingParticipant)) {
			p.j.w.complain("%s may read room %.8s (%s), though the permission or the account was lost meanwhile", at.user, at.room, a[0].Kind)
		}
	}
}
