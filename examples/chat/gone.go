package main

import (
	"context"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// ends says by which rule those who have gone read nothing more, and in which words.
var ends = map[roomkit.Cause]struct {
	words string
	rules [3]roomkit.Rule // of a room without masters, a group, an external group
}{
	roomkit.CauseSelf:         {"You have left this room", [3]roomkit.Rule{"GEN-10", "GRP-13", "EXT-20"}},
	roomkit.CauseRemoved:      {"You were removed from this room", [3]roomkit.Rule{"GEN-08", "GRP-13", "EXT-20"}},
	roomkit.CausePermission:   {"You are not permitted to talk with users of other companies any more", [3]roomkit.Rule{"EXT-22", "EXT-22", "EXT-22"}},
	roomkit.CauseAccount:      {"Your account ended, and with it your place in this room", [3]roomkit.Rule{"ADM-13", "ADM-13", "ADM-13"}},
	roomkit.CauseOrganisation: {"You do not belong to this team any more", [3]roomkit.Rule{"TEAM-05", "TEAM-05", "TEAM-05"}},
	roomkit.CauseConverted:    {"You were left out when this room became an external group", [3]roomkit.Rule{"CRE-41", "CRE-41", "CRE-41"}},
}

// explain is problemOf for a room. To those who were in it, it says how that ended. A
// room in which somebody never was is as one that does not exist.
func (c *chat) explain(ctx context.Context, me roomkit.UserID, room roomkit.RoomID, err error) *problem {
	p := c.problemOf(ctx, err)
	ended := p.Rule == ruleEnded
	if !ended && p.Category != service.CategoryNotFound || room.IsZero() {
		return p
	}
	facts, err := store.Ask(ctx, c.store, []store.Need{{Room: room, People: []roomkit.UserID{me}}})
	if err != nil {
		return p
	}
	if ended && len(facts[0].Users) == 1 && facts[0].Users[0].Status == roomkit.StatusActive {
		c.sayEnded(ctx, p, &facts[0].Room, me)
	}
	for _, m := range facts[0].Members {
		if m.User == me && !ended {
			c.sayLeft(ctx, p, m)
		}
	}
	return p.cite()
}

// ruleEnded refuses everything in a room that has ended, to those who may know of that.
const ruleEnded roomkit.Rule = "COM-14"

// sayEnded says who deleted a room.
func (c *chat) sayEnded(ctx context.Context, p *problem, room *roomkit.Room, me roomkit.UserID) {
	events, err := c.happened(ctx, room.ID, room.Version-1, room.Version) // the end is the last
	if err != nil || len(events) != 1 {
		return
	}
	end, is := events[0].(*roomkit.RoomEnded)
	if !is || !end.Deleted {
		return
	}
	name := "this room"
	if room.Name != "" {
		name = "“" + room.Name + "”"
	}
	p.Told, p.Mine = true, end.Actor.User() == me
	if p.Mine {
		p.Title = "You have deleted " + name
	} else {
		p.Title = c.by(end).String() + " has deleted " + name
	}
}

// sayLeft says how somebody's time in a room ended, by the rule of the kind that it had then:
// what it became later is not theirs to know.
func (c *chat) sayLeft(ctx context.Context, p *problem, m roomkit.Member) {
	end, known := ends[m.Left]
	if !known {
		return
	}
	by := m.LeftBy.User()
	p.Mine = by == m.User
	p.Title, p.Rule = end.words, ""
	if p.Mine {
		p.Title = ends[roomkit.CauseSelf].words
	}
	if end.rules[0] == end.rules[1] {
		p.Rule = end.rules[0]
	} else if events, err := c.happened(ctx, m.Room, m.LeftVersion-1, m.LeftVersion); err == nil && len(events) == 1 {
		p.Rule = rulesOf(events[0].Info().Kind, end.rules[0], end.rules[1], end.rules[2])
	}
	if by != "" && !p.Mine {
		p.Detail = "By " + c.people.name(by) + "."
	}
}

// A deleted room is named for some days below the list of rooms of those who were in it. That
// is no notice: the rules know none of it.
const (
	deletedDays = 3 * 24 * time.Hour
	deletedMost = 3
)

// keepWhoWasIn keeps for whom a room has ended by its deletion, and forgets what nobody is told any more.
func (a *auditing) keepWhoWasIn(ctx context.Context, end *roomkit.Meta) error {
	if _, err := a.tx.ExecContext(ctx, "DELETE FROM deleted WHERE at <= ?", end.At.Add(-deletedDays).UnixMicro()); err != nil {
		return err
	}
	for page, err := range store.MemberPages(ctx, a.rows, store.MemberQuery{Room: end.Subject.Room, Which: store.MembersAll}) {
		if err != nil {
			return err
		}
		for _, m := range page {
			if m.LeftVersion != end.Version || m.User == end.Actor.User() {
				continue
			}
			_, err := a.tx.ExecContext(ctx, "INSERT INTO deleted (user, room, at) VALUES (?, ?, ?) ON CONFLICT (user, room) DO UPDATE SET at = excluded.at",
				string(m.User), end.Subject.Room.String(), end.At.UnixMicro()) // a team's room can be opened and deleted again
			if err != nil {
				return err
			}
			a.told = append(a.told, m.User)
		}
	}
	return nil
}

// deletedBy says by whom rooms of a person were deleted lately, as the page of such a room
// does.
func (c *chat) deletedBy(ctx context.Context, me roomkit.UserID) (says []string, err error) {
	var list string
	err = c.store.Readers.QueryRowContext(ctx, "SELECT coalesce(group_concat(room), '') FROM (SELECT room FROM deleted WHERE user = ? AND at > ? ORDER BY at DESC LIMIT ?)",
		string(me), time.Now().Add(-deletedDays).UnixMicro(), deletedMost).Scan(&list)
	if err != nil || list == "" {
		return nil, err
	}
	for id := range strings.SplitSeq(list, ",") {
		room, err := roomkit.ParseRoomID(id)
		if err != nil {
			return nil, err
		}
		if _, err := c.svc.Room(ctx, me, room); err != nil {
			if p := c.explain(ctx, me, room, err); p.Told {
				says = append(says, p.Title)
			}
		}
	}
	return says, nil
}
