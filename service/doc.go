// Package service is what a host calls: it runs commands, answers who may do what,
// and gives the events of rooms that a store keeps.
//
//	svc, err := service.New(memstore.New(), nil)
//	made, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: people, Audience: roomkit.AudienceMembers})
//	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: made.Room, People: []roomkit.UserID{"dan"}})
//	err = svc.Check(ctx, "dan", roomkit.ActionPost, made.Room)
//	list, err := svc.Access(ctx, "dan", made.Room)
//
// The words are those of package [github.com/go-roomkit/roomkit]. A service holds no
// messages, authenticates nobody, opens no ports and starts no goroutines that
// outlive a call. Those are the matters of the host. The people have to be known
// before, by [roomkit.AddCompany] and [roomkit.AddUser] or through
// Options.Directory.
//
// # Commands
//
// [Service.Do] carries a command out whole or not at all. [Service.Batch] runs several
// that are judged one by one, for instance leaving twelve rooms. [Service.Plan] says
// what Do would do, by the same code, and does nothing. Options.Veto can refuse more
// than the rules do, and never allow more.
//
// Creating a room of several people offers first: where the people already share
// rooms, the error is a [*roomkit.Offered] that names them, and nothing is created
// until the creator chooses one (Existing) or insists (AllowDuplicate).
// [Service.Recommend] asks for the same list. An invitation that opens a new room leads
// to the same one when it is repeated.
//
// A refusal because of people ([roomkit.Denied]) has in Against everybody with each rule.
// [Service.Choose] asks the same of up to 500 people before one is chosen.
//
// # Questions
//
// [Service.Access] tells all that a user may do in each of many rooms, which features
// can be used, and from when on the user may read. [Service.Check] is one bit of it,
// with the rule that forbids. [Service.Screen] is Access with what a list of rooms shows,
// names, pictures, counts and people. [Service.Room], [Service.Members], [Service.Rooms],
// [Service.Groups] and [Service.History] are the other reads that belong to users. All of
// them go through the same policy as commands. To an outsider a room that exists and
// one that does not are the same [roomkit.ErrNotFound].
//
// [Service.User], [Service.Company], [Service.Team], [Service.Users] and [Service.Teams]
// read the directory, for the host.
//
// Every list can be read in two ways, for instance by Members and by MembersPage:
//
//	for m, err := range svc.Members(ctx, "dan", room, service.MemberList{Role: service.RoleMaster}) {
//	page, err := svc.MembersPage(ctx, "dan", room, service.MemberList{Limit: 20, After: token})
//
// A sequence ends where the list does, or after Limit rows; its error comes once, and
// last. A [Page] has the rows and, if there are more, the [PageToken] to go on from.
//
// The host asks before it lets a user read or write messages; messages themselves
// never come here. [roomkit.Access].ReadFrom is a point in time and a version of the
// room: messages older than that are not for this user. A host that keeps with each
// message the Version of the Access by which it was written asks MayRead. Who reads the
// messages first and asks for the Access then shows nothing that was written after the
// user lost it.
//
// # The feed
//
// [Service.Feed] gives all events, each exactly once, in an order that never changes,
// from any cursor on. The result of a command has the same events and notices: a
// host that sends notices from the feed loses none when it stops in between, and
// should not send those of results as well.
//
// # Followers
//
// [Service.Follow] hands every event to a function of the host and remembers in the
// store how far it has come: at least once, in order, across crashes, with one process
// at work and the others standing by. An event that the function cannot handle stops
// it with a [*PoisonEvent]; [Service.SkipEvent] goes past it. With
// FollowOptions.Within the effects of the function and the checkpoint are one
// transaction, so that each event counts exactly once. [Service.Watch] is the feed that
// goes on, without a checkpoint, and [Service.WatchRooms] what of it one user may know.
//
// # Consequences: Enforce
//
// When an administrator withdraws the external permission
// ([roomkit.SetCompanyMessaging]) or deletes an account ([roomkit.DeleteUser]), access
// ends with that very command: the next Access, Check or Do already knows. The rows of
// the rooms follow when the host runs [Service.Enforce], the built-in follower that
// takes the people out, with a notice to those who lost the permission. Until then
// stored counts still include them. [Service.PlanConsequences] says beforehand which
// rooms, who, and which groups will have no Group Master.
//
// Let it run in a goroutine of the host, in every process that likes to, or call it
// with Once after such commands. It can be killed anywhere; every step has an id of its
// own. Giving a permission back restores no membership. A group that loses its last
// Group Master this way goes on without one ([roomkit.MasterVacated]) until an
// administrator of the owning company appoints another.
//
// [Service.Expired] lists the groups whose content has to be deleted because message has
// been off for 30 days. [Service.Health] says what is wrong with a room: no Group
// Master, nobody of the owning company, people who are not permitted.
//
// # Watching
//
// [Options].Observer is told of commands, commits, questions, batches of followers and steps
// of Enforce, when they begin and how they end; the context that [Observer].Begin gives is
// that of all that belongs to an operation. Module otelroomkit makes OpenTelemetry spans and
// metrics of it. [Service.Followers] tells how far behind all followers are, whoever runs them.
//
// # Errors
//
// Every error is a [*roomkit.Error], which names the command or method and the room,
// around one of the categories of package roomkit, or around what the context, a
// function of the host or the store's driver said. After [roomkit.ErrUnknownOutcome] a
// command may have been carried out; after every other error of [Service.Do] it was not.
// An error of the store that is neither that nor [roomkit.ErrConflict] is given to the
// caller at once: nothing was stored, and the host decides whether to try again.
// [CategoryOf] sorts all of them, for status codes and metrics.
//
// Who asks is looked at in one of three ways. Commands, [Service.Rooms], [Service.Groups]
// and [Service.Recommend] refuse a user who is not known by COM-16. Questions about one
// room know nobody who has no part in it, and say ErrNotFound. [Service.Access] and
// [Service.Screen] answer that nothing is allowed. An id without the form of one, the
// empty one too, is always malformed. Who has lost a permission is refused by its rule
// until Enforce has taken them out of the room, and finds no room from then on.
//
// # What a call costs
//
// A command takes one Load and, if it changes something, one Commit. One more Load is
// for each of these: a group's name that must be free; another Group Master who must
// remain; everybody in a room that is converted or left for a new one; the members of a
// team whose room opens or who leave it; asking Options.Directory and Options.Contacts,
// about people who are not known to the actor. Whoever is new is then added by a command
// of their own. What a command carries is limited by the constants of package roomkit,
// beginning with [roomkit.MaxPeople].
//
// # Concurrency and idempotency
//
// A Service is safe for concurrent use, and so are several of them on one store: a
// commit compares the version of everything that the decision relied on, and a command
// that lost a race is decided anew. Commands that wait at the same time share one Load
// and one Commit; no caller's fate depends on another's.
//
// [Call].Key makes a command idempotent: the same key of the same actor does it once and
// returns the first outcome every time. Use it wherever a request can be repeated.
// [Call].IfVersion demands that the room, company, user or team that the command names
// is as the caller saw it.
package service
