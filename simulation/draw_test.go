package simulation

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// drawOp draws what somebody calls: mostly a command, often one like those before it.
func (w *world) drawOp() *op {
	w.actors++
	alive := slices.DeleteFunc(slices.Clone(w.procs), func(p *process) bool { return p.dead })
	o := &op{actor: &actor{number: w.actors, process: one(w, "process", alive...)}}
	o.actor.op = o
	if percent(w, 25, "question") {
		o.question = w.drawQuestion()
		o.question.op = o
		return o
	}
	n := 1
	if w.batches && percent(w, 12, "batch") {
		n = 2 + w.Choose(3, "size")
		o.several = true
	}
	o.several = o.several || w.directory && w.batches // which adds people side by side
	for range n {
		r := &request{op: o, place: len(o.requests), stored: -1}
		r.by, r.cmd = w.drawCommand()
		if n > 1 && len(o.requests) > 0 {
			r.by = o.requests[0].by
		}
		if len(o.requests) == 0 {
			w.drawCall(r)
		} else {
			r.call = o.requests[0].call
		}
		r.cmd = copied(r.cmd)
		r.given = copied(r.cmd)
		o.requests = append(o.requests, r)
	}
	return o
}

// drawCall draws a key, a version that is demanded, and who is a contact.
func (w *world) drawCall(r *request) {
	if percent(w, 12, "keyed") {
		r.call.Key = one(w, "key", "k1", "k2", "k1\x000", "k1\x001")
		if last := w.lastKeyed(r.call.Key); last != nil && percent(w, 75, "the same again") {
			r.by, r.cmd = last.by, last.cmd
		}
	}
	if room := named(r.cmd); !room.IsZero() && percent(w, 10, "if version") {
		if v := w.sight.version[room] - roomkit.Version(w.Choose(2, "behind")); v > 0 {
			r.call.IfVersion = v
		}
	}
}

func (w *world) lastKeyed(key string) *request {
	for _, o := range slices.Backward(w.ops) {
		if len(o.requests) == 1 && o.requests[0].call.Key == key {
			return o.requests[0]
		}
	}
	return nil
}

func named(cmd roomkit.Command) roomkit.RoomID {
	switch c := cmd.(type) {
	case roomkit.Invite:
		return c.Room
	case roomkit.Remove:
		return c.Room
	case roomkit.Leave:
		return c.Room
	case roomkit.Edit:
		return c.Room
	case roomkit.AppointMasters:
		return c.Room
	case roomkit.DismissMasters:
		return c.Room
	case roomkit.DeleteRoom:
		return c.Room
	}
	return roomkit.RoomID{}
}

func (w *world) somebody() roomkit.UserID {
	switch {
	case percent(w, 3, "ghost"):
		return "ghost"
	case w.directory && percent(w, 25, "newcomer"):
		return one[roomkit.UserID](w, "newcomer", "new1", "new1", "new2", "new3")
	case w.narrow:
		return one[roomkit.UserID](w, "somebody", "ann", "ben", "cat", "dan", "eve", "gus", "zoe", "adm")
	}
	return one(w, "somebody", everybody...)
}

func (w *world) some(n int) (ids []roomkit.UserID) {
	for range 1 + w.Choose(n, "how many") {
		if id := w.somebody(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// room draws a room: mostly one of the first, which everybody is busy with.
func (w *world) room() roomkit.RoomID {
	if percent(w, 2, "nowhere") {
		return roomkit.RoomID{15: 0xff}
	}
	rooms := w.sight.rooms
	if percent(w, 90, "alive") {
		rooms = slices.DeleteFunc(slices.Clone(rooms), func(id roomkit.RoomID) bool { return w.sight.state[id] != roomkit.StateActive })
	}
	switch n := len(rooms); {
	case n == 0:
		return w.sight.rooms[0]
	case !w.narrow || percent(w, 20, "any room"):
		return rooms[w.Choose(n, "room")]
	default:
		return rooms[w.Choose(min(n, 3), "room")]
	}
}

// inside draws somebody of a room.
func (w *world) inside(room roomkit.RoomID) roomkit.UserID {
	var in []roomkit.UserID
	for _, id := range slices.Concat(everybody, newcomers) {
		if m := w.sight.members[room][id]; m.Participant || m.Master {
			in = append(in, id)
			if m.Master {
				in = append(in, id)
			}
		}
	}
	if len(in) == 0 || percent(w, 12, "outsider") {
		return w.somebody()
	}
	return one(w, "inside", in...)
}

func (w *world) word() *string {
	text := one(w, "word", "Red", "Blue", "Green", "vetoed", "boom", "Grey")
	return &text
}

func (w *world) flag() *bool {
	v := w.Choose(2, "flag") == 1
	return &v
}

// drawCommand draws a command and who sends it.
func (w *world) drawCommand() (roomkit.Actor, roomkit.Command) {
	if last := w.lastRequest(); last != nil && percent(w, 15, "again") {
		if percent(w, 50, "same actor") {
			return last.by, last.cmd
		}
		return w.by(w.somebody()), last.cmd
	}
	switch what := w.Choose(100, "subject"); {
	case what < 7:
		return w.drawHistory()
	case what < 58:
		return w.drawInRoom()
	case what < 75:
		return w.drawOpening()
	default:
		return w.drawDirectory()
	}
}

func (w *world) lastRequest() *request {
	for _, o := range slices.Backward(w.ops) {
		if len(o.requests) > 0 {
			return o.requests[0]
		}
	}
	return nil
}

func (w *world) by(user roomkit.UserID) roomkit.Actor { return roomkit.By(user) }

func (w *world) drawInRoom() (roomkit.Actor, roomkit.Command) {
	room := w.room()
	by := w.by(w.inside(room))
	switch what := w.Choose(100, "in a room"); {
	case what < 28:
		cmd := roomkit.Invite{Room: room, People: w.some(2)}
		if percent(w, 20, "name") {
			cmd.Name = *w.word()
		}
		return by, cmd
	case what < 48:
		return by, roomkit.Remove{Room: room, People: people(w.inside(room))}
	case what < 58:
		return by, roomkit.Leave{Room: room}
	case what < 78:
		return by, w.drawEdit(room)
	case what < 84:
		return by, roomkit.AppointMasters{Room: room, People: people(w.inside(room))}
	case what < 90:
		return by, roomkit.DismissMasters{Room: room, People: people(w.inside(room))}
	case what < 93:
		return by, roomkit.HandOver{Room: room, To: w.inside(room)}
	case what < 96:
		return by, roomkit.Convert{Room: room, To: one(w, "to", roomkit.KindGroup, roomkit.KindExternalGroup), Name: *w.word()}
	case what < 98:
		return by, roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote)}
	}
	return by, roomkit.DeleteRoom{Room: room}
}

func (w *world) drawEdit(room roomkit.RoomID) roomkit.Edit {
	e := roomkit.Edit{Room: room}
	switch w.Choose(8, "field") {
	case 0, 1:
		e.Name = w.word()
	case 2, 3:
		e.Photo = w.word()
	case 4:
		e.Description = w.word()
	case 5:
		e.HistorySharing = w.flag()
	case 6:
		e.Message = w.flag()
	default:
		e.Notify, e.Note = w.flag(), w.flag()
	}
	return e
}

func (w *world) drawOpening() (roomkit.Actor, roomkit.Command) {
	by := w.somebody()
	with := slices.DeleteFunc(w.some(3), func(id roomkit.UserID) bool { return id == by })
	if len(with) == 0 {
		return w.by(by), roomkit.OpenSelf{}
	}
	switch w.Choose(6, "opening") {
	case 0, 1:
		return w.by(by), roomkit.OpenDirect{With: with[0]}
	case 2:
		return w.by(by), roomkit.CreateRoom{People: with, AllowDuplicate: percent(w, 30, "duplicate")}
	case 3:
		c := roomkit.CreateRoom{People: people("ann", "ben", "cat"), Existing: w.room()}
		c.People = slices.DeleteFunc(c.People, func(id roomkit.UserID) bool { return id == by })
		return w.by(by), c
	case 4:
		if percent(w, 50, "external") {
			return w.by(by), roomkit.CreateExternalGroup{Name: *w.word(), Members: with}
		}
		return w.by(by), roomkit.CreateGroup{Name: *w.word(), Members: with}
	}
	return w.by(one[roomkit.UserID](w, "opener", "cat", "adm", by)), roomkit.OpenTeamRoom{Team: team}
}

// drawDirectory draws a command of the directory: permissions on and off, above all.
func (w *world) drawDirectory() (roomkit.Actor, roomkit.Command) {
	user := w.somebody()
	if percent(w, 60, "focus") {
		user = w.focus
	}
	by := roomkit.System()
	if percent(w, 60, "administrator") {
		by = w.by(one(w, "administrator", administrators...))
	}
	if id := w.out(); id != "" && percent(w, 30, "comes back") {
		if w.sight.status[id] == roomkit.StatusSuspended {
			return roomkit.System(), roomkit.SuspendUser{User: id, Lift: true}
		}
		return roomkit.System(), roomkit.RestoreUser{User: id}
	}
	switch w.Choose(15, "directory") {
	case 0, 1, 2:
		return by, roomkit.SuspendUser{User: user, Lift: w.sight.status[user] == roomkit.StatusSuspended}
	case 3:
		return by, roomkit.DeleteUser{User: user}
	case 4, 5:
		return by, roomkit.RestoreUser{User: user}
	case 6, 7:
		return by, roomkit.SetUserMessaging{User: user, With: roomkit.OutsiderPartner, Allow: w.flag()}
	case 8, 9:
		mode := one(w, "mode", roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalSelected, roomkit.ExternalAll)
		company := companyOf(w.focus)
		if company == "" || percent(w, 30, "another") {
			company = one[roomkit.CompanyID](w, "company", "acme", "bolt")
		}
		return by, roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &mode}
	case 10:
		row := userRow(user)
		if id := one(w, "newcomer", newcomers...); w.directory {
			row = userRow(id)
		}
		row.Administrator = false
		return roomkit.System(), roomkit.AddUser{User: row}
	case 11:
		return roomkit.System(), roomkit.EditUser{User: user, Administrator: w.flag()}
	case 12:
		row := companyRow(one[roomkit.CompanyID](w, "company", "acme", "bolt"))
		row.Partners = one(w, "mode", roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalAll)
		return roomkit.System(), roomkit.AddCompany{Company: row}
	case 13:
		return by, roomkit.SyncTeam{Team: team, Company: "acme", Name: "Sales", Leader: "cat", Members: w.some(3)}
	}
	room := w.room()
	return roomkit.System(), roomkit.Expel{Room: room, People: people(w.inside(room)), Cause: one(w, "cause", roomkit.CausePermission, roomkit.CauseAccount)}
}

// out is somebody of the installation whose account cannot be used.
func (w *world) out() roomkit.UserID {
	for _, id := range everybody {
		if s := w.sight.status[id]; s == roomkit.StatusSuspended || s == roomkit.StatusDeleted {
			return id
		}
	}
	return ""
}

// drawHistory goes on with a history of permissions: somebody comes into an external group,
// loses what allows it in one way, and gets it back in another. Others act in between.
func (w *world) drawHistory() (roomkit.Actor, roomkit.Command) {
	if len(w.history) == 0 {
		who := one(w, "whose", w.focus, "gus", "eve", "fay")
		company := companyOf(who)
		if company == "" {
			company = "acme"
		}
		to := func(mode roomkit.ExternalMode) roomkit.Command {
			return roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &mode}
		}
		may := func(allow bool) roomkit.Command {
			return roomkit.SetUserMessaging{User: who, With: roomkit.OutsiderPartner, Allow: &allow}
		}
		if percent(w, 50, "as the company") {
			w.history = append(w.history, may(false))
		}
		w.history = append(w.history, to(roomkit.ExternalAll), roomkit.Invite{Room: w.external(), People: people(who)})
		for range 1 + w.Choose(3, "withdrawals") {
			w.history = append(w.history, one(w, "withdrawal", to(roomkit.ExternalOff), to(roomkit.ExternalSelected), may(false)))
		}
		w.history = append(w.history, may(true), to(one(w, "mode", roomkit.ExternalSelected, roomkit.ExternalAll)))
	}
	next := w.history[0]
	w.history = w.history[1:]
	if invite, ok := next.(roomkit.Invite); ok {
		return w.by(w.master(invite.Room)), next
	}
	return roomkit.System(), next
}

// external is an external group, if there is one.
func (w *world) external() roomkit.RoomID {
	for _, id := range w.sight.rooms {
		if w.sight.kinds[id] == roomkit.KindExternalGroup && w.sight.state[id] == roomkit.StateActive {
			return id
		}
	}
	return w.room()
}

func (w *world) master(room roomkit.RoomID) roomkit.UserID {
	for _, id := range everybody {
		if w.sight.members[room][id].Master && w.sight.status[id] == roomkit.StatusActive {
			return id
		}
	}
	return w.inside(room)
}

// drawQuestion draws a read.
func (w *world) drawQuestion() *question {
	room := w.room()
	user := w.inside(room)
	q := &question{user: user}
	ask := func(name string, ask func(ctx context.Context, svc *service.Service) (any, error)) {
		q.name, q.ask = func() string { return fmt.Sprintf("%s of %s in %.8s", name, user, room) }, ask
	}
	switch w.Choose(11, "question") {
	case 0, 1:
		rooms := []roomkit.RoomID{room, w.room()}
		ask("Access", func(ctx context.Context, svc *service.Service) (any, error) { return svc.Access(ctx, user, rooms...) })
	case 2:
		ask("Check", func(ctx context.Context, svc *service.Service) (any, error) {
			return nil, svc.Check(ctx, user, roomkit.ActionSeeMembers, room)
		})
	case 3:
		ask("Room", func(ctx context.Context, svc *service.Service) (any, error) { return svc.Room(ctx, user, room) })
	case 4, 5:
		q.parts = true
		ask("Members", func(ctx context.Context, svc *service.Service) (any, error) {
			page, err := svc.MembersPage(ctx, user, room, service.MemberList{})
			return rows(page.Rows), err
		})
	case 6:
		q.parts = true
		ask("Rooms", func(ctx context.Context, svc *service.Service) (any, error) {
			page, err := svc.RoomsPage(ctx, user, service.RoomList{})
			return rows(page.Rows), err
		})
	case 7:
		q.parts = true
		ask("History", func(ctx context.Context, svc *service.Service) (any, error) {
			page, err := svc.HistoryPage(ctx, user, room, service.HistoryList{})
			return lines(page.Rows), err
		})
	case 8:
		ask("Screen", func(ctx context.Context, svc *service.Service) (any, error) { return svc.Screen(ctx, user, room) })
	case 9:
		picked := people(w.somebody(), w.somebody(), w.somebody())
		cmd := roomkit.Invite{Room: room}
		ask("Choose", func(ctx context.Context, svc *service.Service) (any, error) {
			list, err := svc.Choose(ctx, roomkit.By(user), cmd, picked)
			return rows(list), err
		})
	default:
		by, cmd := w.drawCommand()
		cmd = copied(cmd)
		q.name = func() string { return "Plan of " + (&request{by: by, cmd: cmd}).name() }
		q.ask = func(ctx context.Context, svc *service.Service) (any, error) {
			res, err := svc.Plan(ctx, by, cmd)
			return planned(res), err
		}
	}
	return q
}

func rows[T any](list []T) (text []string) {
	for _, row := range list {
		text = append(text, fmt.Sprintf("%+v", row))
	}
	return text
}
