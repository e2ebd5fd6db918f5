// Package roomtest helps a host to test its own program, the one that embeds the library:
// worlds of people and rooms in three lines, time and ids that are the same in every run,
// demands on refusals, events, notices and access, and a store that fails when it is told to.
//
//	func TestKick(t *testing.T) {
//		w := roomtest.New(t).Company("acme", "ann", "ben").Company("bolt", "eve")
//		room := w.External("Project", "ann", "ben", "eve") // ann is Group Master
//		app := newApp(w.Service)                           // your program
//
//		roomtest.RequireDenied(t, app.kick("ben", "eve", room), "EXT-16")
//
//		w.Store.FailCommit(roomtest.Unavailable) // the database goes away for a moment
//		if err := app.kick("ann", "eve", room); !errors.Is(err, errLater) {
//			t.Fatal(err)
//		}
//		events := roomtest.Events(t, w.Service, func() { app.kick("ann", "eve", room) })
//		roomtest.RequireEvents(t, events, "member.left")
//		roomtest.RequireNotices(t, events) // nobody is told: group notification is off
//		roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ann", "ben")
//	}
//
// # Worlds
//
// [New] gives a [World] in memory, with the service for the tested program. A program that
// makes a service of its own takes World.Store and World.Options instead, or sets what it
// needs of the options when the world is made:
//
//	w := roomtest.New(t, func(o *service.Options) { o.Policy = app.Policy() })
//
// What builds a world are commands, carried out at once: everybody is permitted everything
// to begin with, and what a test is about is taken away by [World.System] or [World.Run].
// [NewOn] does the same on a store of your own, for instance a pgstore on a database that
// the test has made, where the program's rows are as well.
//
// # Demands
//
// Every function that begins with Require ends the test with one line that says what came,
// what was wanted and what to do. They are for the goroutine of the test, as
// testing.TB.FailNow is. Errors may be wrapped in those of the program, and
// a *roomkit.Error that was read from JSON is as good as the one that was sent.
//
// [RequireWhoMay] and [RequireWhoReads] ask for everybody whom the store knows, so that
// they fail for one who may and should not.
//
// # Faults
//
// The store of a world is a [Faults]: the next Load or Commit of the tested program fails
// as the test wants it, and a fault that nothing has met by the end fails the test.
// [Faults.BeforeCommit] lets somebody else be faster than a command that has been decided
// already. Building a world meets no fault; demands that are given the service do, so ask
// for a fault right before the call that is to meet it.
package roomtest
