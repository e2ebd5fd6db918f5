package roomkit

import "testing"

func BenchmarkDecision(b *testing.B) {
	r := NewRules(Policy{})
	f := stage(KindExternalGroup, circumstances[0])
	lim := r.limitsOf(&f.Room, &f.Team, false)
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			decided = r.permits(Action(1+n&15), KindExternalGroup, StandingParticipant|StandingMaster, lim)
		}
	})
	b.Run("all_actions", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			allowed = r.actions(KindExternalGroup, Standing(n&15), lim)
		}
	})
	who := f.person("master+member")
	b.Run("from_rows", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			st, _ := who.standing(&f.Room, &f.Team)
			allowed = r.actions(f.Room.Kind, st, r.limitsOf(&f.Room, &f.Team, false))
		}
	})
}

var (
	decided bool
	allowed ActionSet
)

func BenchmarkDecideInvite(b *testing.B) {
	companies, users := smallUsers()
	w := newWorld(companies, append(users, User{ID: "new", Company: "acme", Kind: UserMember, Status: StatusActive}))
	rules := NewRules(Policy{})
	d, err := w.decide(rules, By("ann"), CreateRoom{People: []UserID{"ben", "cat"}, Audience: AudienceMembers, Anyway: true}, theRoom)
	if err != nil || !w.commit(&d) {
		b.Fatal(err)
	}
	cmd := Invite{Room: theRoom, People: []UserID{"new"}}
	f := w.answer(rules.Need(By("ann"), cmd), RoomID{2})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rules.Decide(f, By("ann"), cmd, worldTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	w := started(b, "ann", CreateGroup{Name: "g", Members: []UserID{"ben"}}, theRoom)
	e := &MemberJoined{People: []Person{{User: "new", Company: "acme", Kind: UserMember}}, Counts: w.rooms[theRoom].Counts}
	e.Subject, e.Version, e.At = RoomSubject(theRoom), 4, worldTime
	room, row := w.rooms[theRoom], Member{User: "new"}
	b.ReportAllocs()
	for b.Loop() {
		_ = room.Apply(e)
		_ = row.Apply(e)
	}
}
