package decide

import (
	"testing"

	"github.com/go-roomkit/roomkit"
)

func BenchmarkDecision(b *testing.B) {
	r := roomkit.NewRules(roomkit.Policy{})
	f := stage(roomkit.KindExternalGroup, 0)
	who := f.Person("master+member")
	b.ReportAllocs()
	for b.Loop() {
		st, _ := who.Standing(&f.Room, &f.Team)
		allowed = r.Actions(&f.Room, &f.Team, st, false)
	}
}

var allowed roomkit.ActionSet

func BenchmarkDecideInvite(b *testing.B) {
	companies, users := smallUsers()
	w := newWorld(companies, append(users, roomkit.User{ID: "new", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}))
	rules := roomkit.NewRules(roomkit.Policy{})
	d, err := w.decide(rules, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Anyway: true}, theRoom)
	if err != nil || !w.commit(&d) {
		b.Fatal(err)
	}
	cmd := roomkit.Invite{Room: theRoom, People: []roomkit.UserID{"new"}}
	f := w.answer(Need(roomkit.By("ann"), cmd), roomkit.RoomID{2})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decide(rules, f, roomkit.By("ann"), cmd, worldTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	w := started(b, "ann", roomkit.CreateGroup{Name: "g", Members: []roomkit.UserID{"ben"}}, theRoom)
	e := &roomkit.MemberJoined{People: []roomkit.Person{{User: "new", Company: "acme", Kind: roomkit.UserMember}}, Counts: w.rooms[theRoom].Counts}
	e.Subject, e.Version, e.At = roomkit.RoomSubject(theRoom), 4, worldTime
	room, row := w.rooms[theRoom], roomkit.Member{User: "new"}
	b.ReportAllocs()
	for b.Loop() {
		_ = room.Apply(e)
		_ = row.Apply(e)
	}
}
