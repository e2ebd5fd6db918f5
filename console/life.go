package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// span is a time during which something was so. Without an end it lasts.
type span struct {
	From, To time.Time
	Began    string
	Ended    string
	By       roomkit.UserID // who else ended it
}

// ended says why it ended, and who did that.
func (s *span) ended(called func(roomkit.UserID) string) string {
	if s.By == "" {
		return s.Ended
	}
	return s.Ended + " by " + called(s.By)
}

func (s *span) open() bool { return s.To.IsZero() }

// lane is the life of one person in a room.
type lane struct {
	User    roomkit.UserID
	Company roomkit.CompanyID
	In      []span // took part
	Master  []span // was Group Master
	Gaps    []span // took part by the rows, without the permission to
}

// moment is something that happened to the room as a whole.
type moment struct {
	At   time.Time
	What string
}

// life is the history of a room, by person.
type life struct {
	lanes   []*lane // by who came first
	by      map[roomkit.UserID]*lane
	moments []moment
	off     []span // message was switched off
	from    time.Time
	until   time.Time // of the last event
	ended   bool
}

func lifeOf(events []roomkit.Event) *life {
	l := &life{by: map[roomkit.UserID]*lane{}}
	for _, e := range events {
		l.add(e)
	}
	return l
}

func (l *life) of(user roomkit.UserID, company roomkit.CompanyID) *lane {
	one, ok := l.by[user]
	if !ok {
		one = &lane{User: user, Company: company}
		l.by[user], l.lanes = one, append(l.lanes, one)
	}
	return one
}

func begin(list *[]span, at time.Time, how string) {
	if n := len(*list); n == 0 || !(*list)[n-1].open() {
		*list = append(*list, span{From: at, Began: how})
	}
}

// end ends a span for a reason, or by somebody.
func end(list []span, at time.Time, how string, by roomkit.UserID) {
	if n := len(list); n > 0 && list[n-1].open() {
		last := &list[n-1]
		last.To, last.Ended, last.By = at, how, by
	}
}

func (l *life) add(e roomkit.Event) {
	m := e.Info()
	if l.from.IsZero() || m.At.Before(l.from) {
		l.from = m.At
	}
	l.until = m.At
	cause := text(m.Cause)
	switch e := e.(type) {
	case *roomkit.RoomCreated:
		l.ended = false
		l.moment(m, "created as "+text(m.Kind))
	case *roomkit.RoomImported:
		l.imported(e)
	case *roomkit.MembersImported:
		for i := range e.Rows {
			l.row(&e.Rows[i])
		}
	case *roomkit.MemberJoined:
		for i := range e.People {
			begin(&l.of(e.People[i].User, e.People[i].Company).In, m.At, cause)
		}
	case *roomkit.MemberLeft:
		for i := range e.People {
			one := l.of(e.People[i].User, e.People[i].Company)
			how, by := endedBy(m.Cause, m.Actor, one.User)
			if end(one.In, m.At, how, by); e.Roles {
				end(one.Master, m.At, how, by)
			}
		}
	case *roomkit.MasterAppointed:
		for i := range e.People {
			begin(&l.of(e.People[i].User, e.People[i].Company).Master, m.At, cause)
		}
	case *roomkit.MasterDismissed:
		for i := range e.People {
			one := l.of(e.People[i].User, e.People[i].Company)
			how, by := endedBy(m.Cause, m.Actor, one.User)
			end(one.Master, m.At, how, by)
		}
	default:
		l.whole(e)
	}
}

// endings say why somebody's part in a room ended.
var endings = map[roomkit.Cause]string{
	roomkit.CauseSelf: "left", roomkit.CausePermission: "permission withdrawn", roomkit.CauseAccount: "account deleted",
	roomkit.CauseOrganisation: "organisation chart changed", roomkit.CauseConverted: "room became another kind",
}

// endedBy says why something ended for a user, and who else did it.
func endedBy(cause roomkit.Cause, by roomkit.Actor, user roomkit.UserID) (how string, other roomkit.UserID) {
	if how = endings[cause]; how == "" {
		how = text(cause)
	}
	if by.User() != user {
		other = by.User()
	}
	return how, other
}

// whole is about events of the room as a whole.
func (l *life) whole(e roomkit.Event) {
	m := e.Info()
	switch e := e.(type) {
	case *roomkit.MasterVacated:
		l.moment(m, "nobody manages it")
	case *roomkit.RoomConverted:
		l.moment(m, "became a "+text(m.Kind))
	case *roomkit.MessageSwitchedOff:
		begin(&l.off, m.At, "message off")
	case *roomkit.MessageSwitchedOn:
		end(l.off, m.At, "message on", "")
	case *roomkit.RoomEnded:
		l.ended = true
		l.moment(m, choose(e.Deleted, "deleted", "dissolved"))
		end(l.off, m.At, "room ended", "")
		for _, one := range l.lanes {
			end(one.In, m.At, text(roomkit.CauseRoomEnded), "")
			end(one.Master, m.At, text(roomkit.CauseRoomEnded), "")
		}
	default: // changes nobody's place in it
	}
}

func (l *life) moment(m *roomkit.Meta, what string) {
	l.moments = append(l.moments, moment{At: m.At, What: what})
}

// imported begins with what a room was elsewhere, or before its first events were forgotten.
func (l *life) imported(e *roomkit.RoomImported) {
	if !e.CreatedAt.IsZero() && e.CreatedAt.Before(l.from) {
		l.from = e.CreatedAt
	}
	l.moment(&e.Meta, "brought in")
	if !e.MessageOffSince.IsZero() {
		begin(&l.off, e.MessageOffSince, "message off")
	}
	l.ended = e.State == roomkit.StateEnded
}

// row is what is known of somebody without the events: the last period, and a role whose
// beginning nobody knows.
func (l *life) row(m *roomkit.Member) {
	one := l.of(m.User, m.Company)
	if m.Period > 0 {
		begin(&one.In, m.JoinedAt, text(m.Joined))
		if !m.Participant {
			how, by := endedBy(m.Left, m.LeftBy, m.User)
			end(one.In, m.LeftAt, how, by)
		}
		if m.JoinedAt.Before(l.from) && !m.JoinedAt.IsZero() {
			l.from = m.JoinedAt
		}
	}
	if m.Master {
		begin(&one.Master, l.until, text(roomkit.CauseImported))
	}
}

// grant is what somebody's directory has said from a moment on.
type grant struct {
	at      time.Time
	user    roomkit.User
	company roomkit.Company
}

// missing says why who takes part in a room of a kind cannot, or "".
func (g *grant) missing(kind roomkit.Kind, outside bool) string {
	switch {
	case g.ends(kind) != "":
		return g.ends(kind)
	case g.user.Status == roomkit.StatusSuspended:
		return "account suspended"
	case !outside && !g.company.Licensed:
		return "no licence"
	}
	return ""
}

// ends says what ends a membership for good (ADM-13, EXT-22), or "".
func (g *grant) ends(kind roomkit.Kind) string {
	partners := g.company.Partners == roomkit.ExternalAll || g.company.Partners == roomkit.ExternalSelected && g.user.Partners
	switch {
	case g.user.Status == roomkit.StatusDeleted:
		return "account deleted"
	case kind == roomkit.KindExternalGroup && !partners:
		return "no permission for partners"
	}
	return ""
}

// grants merges what happened to a person and to the company.
func grants(user, company []roomkit.Event) (list []grant) {
	events := slices.Concat(company, user)
	slices.SortStableFunc(events, func(a, b roomkit.Event) int { return a.Info().At.Compare(b.Info().At) })
	var g grant
	for _, e := range events {
		g.at, g.user, g.company = e.Info().At, g.user.Apply(e), g.company.Apply(e)
		list = append(list, g)
	}
	return list
}

// gaps finds when somebody took part without the permission to. A permission for partners that
// is given back restores nothing (EXT-25), and no more does an account that is (ADM-14): such
// a gap lasts as long as the period.
func gaps(in []span, list []grant, kind roomkit.Kind) (found []span) {
	for _, period := range in {
		var gap *span
		lost := ""
		for i := range list {
			g := &list[i]
			if g.user.ID == "" || !period.open() && !g.at.Before(period.To) {
				continue
			}
			if next := i + 1; next < len(list) && !list[next].at.After(period.From) {
				continue // before the period there was another state
			}
			if lost == "" {
				lost = g.ends(kind)
			}
			why := cmp.Or(lost, g.missing(kind, g.user.Company == ""))
			if gap != nil && gap.Began == why || gap == nil && why == "" {
				continue
			}
			from := g.at
			if from.Before(period.From) {
				from = period.From
			}
			if gap != nil {
				gap.To = from
			}
			if gap = nil; why != "" {
				found = append(found, span{From: from, Began: why, To: period.To})
				gap = &found[len(found)-1]
			}
		}
	}
	return found
}

// directoryEvents is how much of the history of a person or a company is looked at.
const directoryEvents = 2000

// addGaps looks up the directory for some lanes.
func (c *console) addGaps(ctx context.Context, lanes []*lane, kind roomkit.Kind) error {
	companies := map[roomkit.CompanyID][]roomkit.Event{}
	for _, one := range lanes {
		if len(one.In) == 0 {
			continue
		}
		user, _, err := c.life(ctx, roomkit.UserSubject(one.User), directoryEvents)
		if err != nil {
			return err
		}
		of, known := companies[one.Company]
		if !known && one.Company != "" {
			if of, _, err = c.life(ctx, roomkit.CompanySubject(one.Company), directoryEvents); err != nil {
				return err
			}
			companies[one.Company] = of
		}
		one.Gaps = gaps(one.In, grants(user, of), kind)
	}
	return nil
}

// lifeEvents is how many events of a room a picture is made of.
const lifeEvents = 20000

// picture draws the life of a room: some lanes, from one on.
func (c *console) picture(ctx context.Context, room *roomkit.Room, first, lanes int) (*picture, error) {
	events, cut, err := c.life(ctx, roomkit.RoomSubject(room.ID), lifeEvents)
	if err != nil {
		return nil, err
	}
	l := lifeOf(events)
	if !cut && !l.ended {
		if now := c.o.Clock(); now.After(l.until) {
			l.until = now
		}
	}
	some := l.lanes[min(first, len(l.lanes)):min(first+lanes, len(l.lanes))]
	if err := c.addGaps(ctx, some, room.Kind); err != nil {
		return nil, err
	}
	p := draw(l, some)
	p.Cut, p.First, p.All = cut, first, len(l.lanes)
	base, err := store.BaseOf(ctx, c.st, roomkit.RoomSubject(room.ID))
	p.Forgotten = base.Version
	return p, err
}
