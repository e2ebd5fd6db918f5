package proof_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// history drives a service with random commands of random actors. It
// knows the rooms that came into being.
type history struct {
	t     *rapid.T
	svc   *service.Service
	store store.Store
	clock *proof.Clock
	rooms []roomkit.RoomID
	done  map[string]int // commands that changed something, by name
}

var ctx = context.Background()

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

var everybody = people("ann", "ben", "cat", "dan", "adm", "eve", "fay", "bot", "lin")

func newHistory(t *rapid.T, store store.Store) *history {
	h := &history{t: t, store: store, clock: proof.NewClock(), done: map[string]int{}}
	h.svc = proof.ServiceOn(t, store, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: h.clock.Now})
	h.rooms = append(h.rooms,
		proof.General(t, h.svc, "ann", "ben", "cat"),
		proof.External(t, h.svc, "ann", "ben", "eve"),
		proof.Do(t, h.svc, roomkit.By("ben"), roomkit.CreateGroup{Name: "crew", Members: people("ann", "bot")}).Room,
		proof.Do(t, h.svc, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}).Room,
		proof.Do(t, h.svc, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"}).Room,
		proof.Do(t, h.svc, roomkit.By("lin"), roomkit.OpenDirect{With: "ann"}).Room,
	)
	proof.Do(t, h.svc, roomkit.System(), roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "dan")})
	h.rooms = append(h.rooms, proof.Do(t, h.svc, roomkit.By("cat"), roomkit.OpenTeamRoom{Team: "sales"}).Room)
	return h
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func (h *history) some(label string) []roomkit.UserID {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(everybody), 1, 3, rapid.ID[roomkit.UserID]).Draw(h.t, label)
}

func (h *history) room() roomkit.RoomID { return rapid.SampledFrom(h.rooms).Draw(h.t, "room") }

// command draws any command; it may well be refused.
func (h *history) command() (roomkit.Actor, roomkit.Command) {
	actor := roomkit.By(pick(h.t, "actor", append(people("ann", "ann", "ann", "ben", "adm"), everybody...)...))
	yes, text := rapid.Bool().Draw(h.t, "on"), pick(h.t, "text", "one", "Two", "")
	switch pick(h.t, "command", "invite", "appoint", "remove", "invite", "leave", "appoint", "dismiss", "hand over", "edit", "edit",
		"direct", "create", "group", "external", "convert", "delete", "directory", "directory", "team", "enforce") {
	case "invite":
		return actor, roomkit.Invite{Room: h.room(), People: h.some("people"), Name: "from " + text}
	case "remove":
		return actor, roomkit.Remove{Room: h.room(), People: h.some("people")}
	case "leave":
		return actor, roomkit.Leave{Room: h.room()}
	case "appoint":
		return actor, roomkit.AppointMasters{Room: h.room(), People: h.some("people")}
	case "dismiss":
		return actor, roomkit.DismissMasters{Room: h.room(), People: h.some("people")}
	case "hand over":
		return actor, roomkit.HandOver{Room: h.room(), To: pick(h.t, "to", everybody...)}
	case "edit":
		return actor, h.edit(yes, text)
	case "direct":
		return actor, roomkit.OpenDirect{With: pick(h.t, "with", everybody...)}
	case "create":
		audience := pick(h.t, "audience", roomkit.AudienceMembers, roomkit.AudienceExternal)
		return actor, roomkit.CreateRoom{People: h.some("people"), Audience: audience, Title: text, Origin: roomkit.OriginMail, Anyway: yes}
	case "group":
		return actor, roomkit.CreateGroup{Name: "crew " + text, Members: h.some("people")}
	case "external":
		return actor, roomkit.CreateExternalGroup{Name: "ext " + text, Members: h.some("people")}
	case "convert":
		return actor, roomkit.Convert{Room: h.room(), To: pick(h.t, "to", roomkit.KindGroup, roomkit.KindExternalGroup), Name: "was " + text}
	case "delete":
		return actor, roomkit.DeleteRoom{Room: h.room()}
	case "team":
		return roomkit.System(), roomkit.SyncTeam{Team: proof.Team("sales", "cat", h.teamMembers()...)}
	case "enforce":
		return actor, nil
	}
	return roomkit.System(), h.directory()
}

func (h *history) teamMembers() []roomkit.UserID {
	return rapid.SliceOfDistinct(rapid.SampledFrom(people("ann", "ben", "cat", "dan")), rapid.ID[roomkit.UserID]).Draw(h.t, "members")
}

func (h *history) edit(yes bool, text string) roomkit.Edit {
	e := roomkit.Edit{Room: h.room()}
	switch pick(h.t, "what", "name", "photo", "message", "history", "note", "public", "withhold", "notify") {
	case "name":
		name := "named " + text
		e.Name = &name
	case "photo":
		e.Photo = &text
	case "message":
		e.Message = &yes
	case "history":
		e.HistorySharing = &yes
	case "note":
		e.Note = &yes
	case "public":
		e.Public = &yes
	case "withhold":
		e.WithholdFeatures = &yes
	default:
		e.Notify = &yes
	}
	return e
}

func (h *history) directory() roomkit.Command {
	user := pick(h.t, "user", everybody...)
	company := pick(h.t, "company", roomkit.CompanyID("acme"), "bolt")
	switch pick(h.t, "change", "user off", "user on", "company", "suspend", "delete", "restore") {
	case "user off":
		return roomkit.SetExternalMessaging{Company: company, User: user, Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff}
	case "user on":
		return roomkit.SetExternalMessaging{Company: company, User: user, Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalSelected}
	case "company":
		mode := pick(h.t, "mode", roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalAll, roomkit.ExternalAll)
		return roomkit.SetExternalMessaging{Company: company, Channel: roomkit.ChannelWorks, Mode: mode}
	case "suspend":
		return roomkit.SuspendUser{User: user, Lift: rapid.Bool().Draw(h.t, "lift")}
	case "delete":
		return roomkit.DeleteUser{User: user}
	}
	return roomkit.RestoreUser{User: user}
}

// step runs one random command. Whatever is refused has to be refused properly.
func (h *history) step() {
	h.clock.Add(time.Duration(rapid.IntRange(-3, 50).Draw(h.t, "hours")) * time.Hour)
	actor, cmd := h.command()
	if cmd == nil {
		name := pick(h.t, "enforcer", "first", "second") // the one does again what the other has done
		require.NoError(h.t, h.svc.Enforce(ctx, &service.EnforceOptions{Name: name, Once: true}))
		return
	}
	res, err := h.svc.Do(ctx, actor, cmd)
	if err != nil {
		known := errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrNotFound) || errors.Is(err, roomkit.ErrInvalid)
		require.True(h.t, known, "%v", err)
		return
	}
	if res.Changed {
		h.done[roomkit.CommandName(cmd)]++
	}
	if res.Opened {
		h.rooms = append(h.rooms, res.Room)
	}
}

// randomHistory lives through a random history.
func randomHistory(tally map[string]int) func(t *rapid.T) {
	return func(t *rapid.T) {
		h := newHistory(t, memstore.New())
		for range pick(t, "steps", 1, 5, 30, 60, 90) {
			h.step()
		}
		for name, n := range h.done {
			tally[name] += n
		}
	}
}

// TestHistories: whatever random actors do, the store holds what its events say.
func TestHistories(t *testing.T) {
	tally := map[string]int{}
	wanted := []string{"Invite", "Remove", "Leave", "AppointMasters", "SetExternalMessaging", "DeleteUser", "Edit"}
	missing := func(name string) bool { return tally[name] == 0 }
	for range 200 { // usually one is enough
		rapid.Check(t, randomHistory(tally))
		if !slices.ContainsFunc(wanted, missing) {
			return
		}
	}
	require.Fail(t, "commands that never changed anything", "%v", tally)
}
