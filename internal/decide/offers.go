package decide

import (
	"cmp"
	"math"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Look is where a decision about rooms that people share has to look before.
type Look struct {
	Pages bool         // at all rooms that they share: Facts.Shared has only the first ones
	Needs []store.Need // or at some rooms of Facts.Shared and at people in them, see [Facts.LookAt]
}

// LookedAt says of a room, as of a version of it, whether all who share it are listed.
type LookedAt struct {
	Version roomkit.Version
	Listed  bool
}

// maxLooked is how many rooms of one list of offers are looked at: membership that does
// not count any more is taken out soon, so that few rooms have any.
const maxLooked = 5 * roomkit.MaxOffers

// Recommend gives the rooms of f.Shared that are offered to a user who picks others for
// an audience, best first, or where it has to be looked before.
func Recommend(f *Facts, user roomkit.UserID, others []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, *Look) {
	p := sortOut(f.people(others), f.user(user).Company)
	return f.offers(func(room *roomkit.Room) bool {
		return recommendable(room, external(audience, &p)) && (!exactOnly || room.Participants == int64(len(p.all)+1))
	})
}

// external reports whether rooms with outsiders are looked for (LST-11): the people
// decide where the audience was not asked for.
func external(audience roomkit.Audience, p *picked) bool {
	return audience == roomkit.AudienceExternal || audience == roomkit.AudienceNone && p.outside() > 0
}

// offers gives the first MaxOffers of the shared rooms that fit, of those in which all by
// whom they are shared are listed, or where it has to be looked before.
func (d *decider) offers(fits func(*roomkit.Room) bool) ([]roomkit.Offer, error) {
	list, look := d.f.offers(fits)
	if look != nil {
		d.out.Look = look
		return nil, errMore
	}
	return list, nil
}

// recommendable leaves out 1:1 rooms and message to me (LST-09, SELF-07), rooms
// that are switched off, and rooms of the other audience (LST-10, LST-11).
func recommendable(room *roomkit.Room, external bool) bool {
	if room.State != roomkit.StateActive || !room.MessageOffSince.IsZero() {
		return false
	}
	withOutsiders := room.Kind == roomkit.KindExternalGroup || room.Consumers > 0
	return room.Kind >= roomkit.KindGeneral && withOutsiders == external
}

// LookAt notes what the answer to a need of a [Look] says. A room that has not changed was
// the same in between, and so at the moment of the facts; of one that has, nothing is known.
func (f *Facts) LookAt(need store.Need, answer store.Facts) {
	if f.Looked == nil {
		f.Looked = map[roomkit.RoomID]LookedAt{}
	}
	there := Facts{Facts: answer, Need: need}
	for i := range f.Shared {
		if room := &f.Shared[i].Room; room.ID == need.Room {
			f.Moved = f.Moved || room.Version != answer.Room.Version
			*room = answer.Room
		}
	}
	delete(f.Before, need.Room)
	f.Looked[need.Room] = LookedAt{Version: answer.Room.Version, Listed: there.allListed()}
}

// offers ranks the shared rooms that fit: exact ones first, then fewer others, then the
// latest activity, then the id (LST-08). It gives the first MaxOffers in which all who
// share them are listed (LST-06, LST-07, EXT-22), or where to look before.
func (f *Facts) offers(fits func(*roomkit.Room) bool) ([]roomkit.Offer, *Look) {
	if len(f.Shared) >= store.MaxShared && !f.SharedWhole {
		return nil, &Look{Pages: true}
	}
	var list []roomkit.Offer
	var needs []store.Need
	looked := 0
	for _, offer := range f.ranked(fits) {
		if len(list)+len(needs) == roomkit.MaxOffers {
			break
		}
		at, known := f.Looked[offer.Room.ID]
		before := f.Before[offer.Room.ID]
		known = known && at.Version == offer.Room.Version && !before
		switch d := f.doubtsAbout(&offer.Room); {
		case d.void:
		case len(d.people) == 0 && !before:
			list = append(list, offer)
		case looked == maxLooked:
		case known:
			if looked++; at.Listed {
				list = append(list, offer)
			}
		default:
			looked++
			needs = append(needs, store.Need{Room: offer.Room.ID, People: d.people})
		}
	}
	if len(needs) > 0 {
		return nil, &Look{Needs: needs}
	}
	return list, nil
}

func (f *Facts) ranked(fits func(*roomkit.Room) bool) (list []roomkit.Offer) {
	for i := range f.Shared {
		if room := &f.Shared[i].Room; fits(room) {
			extra := room.Participants - int64(len(f.Need.Shared))
			list = append(list, roomkit.Offer{Room: *room, Exact: extra == 0, Extra: extra})
		}
	}
	slices.SortFunc(list, func(x, y roomkit.Offer) int {
		return cmp.Or(
			cmp.Compare(x.Extra, y.Extra),
			y.Room.ChangedAt.Compare(x.Room.ChangedAt),
			slices.Compare(x.Room.ID[:], y.Room.ID[:]),
		)
	})
	return list
}

// doubts is what the directory alone tells about people who share rooms of one class.
type doubts struct {
	void   bool             // somebody is listed in none of them
	people []roomkit.UserID // who are listed or not, as their rows there say
}

// doubtsAbout says whose rows in a shared room have to be looked at: of those who have
// lost an account or a permission at some time and have it again. It is the same for all
// rooms that are alike in what is asked of people.
func (f *Facts) doubtsAbout(room *roomkit.Room) *doubts {
	class := 0
	if room.Kind == roomkit.KindExternalGroup {
		class |= 1
	}
	if room.Consumers > 0 {
		class |= 2
	}
	if f.doubts[class] == nil {
		d := new(doubts)
		for _, id := range f.Need.Shared {
			who := f.Person(id)
			listed := func(since roomkit.Version) bool {
				who.Row = &roomkit.Member{Participant: true, Epoch: roomkit.Epoch{User: since, Company: since}}
				return who.ListedIn(room)
			}
			switch {
			case !listed(math.MaxInt64):
				d.void = true
			case !listed(0):
				d.people = append(d.people, id)
			}
		}
		f.doubts[class] = d
	}
	return f.doubts[class]
}
