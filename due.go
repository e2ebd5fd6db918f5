package roomkit

import (
	"context"
	"iter"
	"time"
)

// Due is a room whose content has to be deleted for good.
type Due struct {
	Room  RoomID
	Kind  Kind
	Name  string
	Since time.Time // when message was switched off
	At    time.Time // when the period was over
}

// Due gives the groups and team rooms of a company in which message has been
// switched off for so long at the time now that everybody's conversation and the
// feature data have to be deleted (GRP-38, TEAM-19). It is for a job of the host
// that runs, for instance, once a day. A room is given again until somebody
// switches message on, and then begins empty, whether or not the job has come by
// (GRP-39): deleting twice has to be harmless. What ended rooms leave behind is in
// their [RoomEnded].
//
// It pages through the company's groups and teams, a round trip for up to MaxPage
// of them.
func (s *Service) Due(ctx context.Context, company CompanyID, now time.Time) iter.Seq2[Due, error] {
	return func(yield func(Due, error) bool) {
		if !company.Valid() {
			yield(Due{}, &Error{Op: "Due", Err: invalid("Company", "not a company id")})
			return
		}
		q := RoomQuery{Company: company, Kinds: []Kind{KindGroup, KindExternalGroup, KindTeam}, Limit: MaxPage}
		for {
			page, err := s.store.Rooms(ctx, q)
			if err != nil {
				yield(Due{}, &Error{Op: "Due", Err: err})
				return
			}
			if len(page) == 0 {
				return
			}
			for i := range page {
				room := &page[i].Room
				at := room.MessageOffSince.Add(s.rules.policy.messageOffPeriod())
				if room.MessageOffSince.IsZero() || now.Before(at) {
					continue
				}
				if !yield(Due{Room: room.ID, Kind: room.Kind, Name: room.Name, Since: room.MessageOffSince, At: at}, nil) {
					return
				}
			}
			q.After = page[len(page)-1].Room.ID
		}
	}
}
