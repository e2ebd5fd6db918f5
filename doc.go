// Package roomkit keeps the message rooms of a service: who is in them, who may
// do what, and what happened.
//
// # What it is
//
// A service that has message rooms imports this package, gives it a [Store],
// sends it commands on behalf of its users, asks it who may do what, and follows
// its events. The package holds rooms, memberships, roles, settings and the small
// part of the directory (companies, users, teams, permissions) that decisions
// depend on. The rules are those of NAVER WORKS: a General room belongs to
// everybody in it; an external group joins several companies, and only its Group
// Masters decide who takes part.
//
// It holds no messages, authenticates nobody, opens no ports and starts no
// goroutines that outlive a call. Those are the matters of the host, as this
// text calls the service that embeds the package. So are the ways of finding
// people: looking up further members by name, by team or by mail address
// (CRE-52) ends in user ids, and with user ids begins what this package does.
//
// # Use in five lines
//
//	svc, err := roomkit.New(memstore.New(), nil)
//	made, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers})
//	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: made.Room, People: []roomkit.UserID{"dan"}})
//	err = svc.Check(ctx, "dan", roomkit.ActionPost, made.Room)
//	list, err := svc.Access(ctx, "dan", made.Room)
//
// The people have to be known before, by [PutCompany] and [PutUsers] or through
// [Options.Directory]. What is not said of a company or user is not permitted: a
// company needs Core to have rooms at all, and Works to talk with others.
//
// # Rooms and kinds
//
// The [Kind] of a room decides its rules and, with one exception, never changes.
//
//	Self           message to me; one owner
//	Direct         1:1; one room for a pair of users, whoever opens it
//	General        several people with equal rights: all of them invite, remove, leave
//	Group          of one company, with a name, managed by Group Masters
//	ExternalGroup  of several companies, private, managed by Group Masters
//	Team           follows a team of the organisation chart
//
// [CreateRoom] finds the kind from the people picked. [Convert] makes a group of a
// General room, for good. [Invite] opens a new room where the present one cannot
// take the people in: a 1:1 room with a third person, a General room with people
// of another company. Result.Room says which room it was.
//
// Rooms come with features: Note, Event, Task, Folder, Mailing List. The kind says
// which are offered, the room's settings which are switched on, [Access] which a
// user can use at this moment.
//
// # People, standings, roles
//
// Taking part in a room and being its Group Master are two independent facts. A
// Group Master who does not take part manages the room and must not read it.
// What a person is in a room is a [Standing]: participant, master, leader of the
// team, administrator of the owning company, colleague. The matrix of standings,
// kinds and actions is docs/permissions.md; [NewRules] gives it to programs.
//
// The external permission is in force while the company's mode, the user's own
// permission and the account all say yes. It is looked at anew in every decision
// and every question.
//
// The open points of the rules are fields of [Policy]; the zero value holds the
// recommended decisions. [Options.Veto] can refuse more, and never allow more.
//
// # Commands and refusals
//
// A [Command] is a plain value; [Service.Do] runs it for an [Actor]. The host says
// who acts and answers for it: [By] a user it has authenticated, or [System],
// which provisions the directory and carries out consequences, but has no say
// over who takes part in a group.
//
//	rooms        OpenSelf OpenDirect CreateRoom CreateGroup CreateExternalGroup OpenTeamRoom Convert DeleteRoom
//	people       Invite Remove Leave Expel
//	masters      AppointMasters DismissMasters HandOver
//	settings     Edit DeleteFeatureData
//	directory    PutCompany EditCompany PutUsers SetExternalMessaging SuspendUser DeleteUser RestoreUser SyncTeam
//
// What the rules forbid ends with a [*Denied] that names the rule, the people
// because of whom, and a reason. Nothing has changed then: a command is carried
// out whole or not at all. [Service.Plan] gives the same answer without doing
// anything, by the same code. [Service.Each] runs several commands that are
// judged one by one, for instance leaving twelve rooms.
//
// Creating a room of several people offers first: where the people already share
// rooms, [Result].Offers names them and nothing is created until the creator
// chooses one (Use) or insists (Anyway). [Service.Recommend] asks for the same
// list.
//
// # Questions
//
// [Service.Access] tells all that a user may do in each of many rooms, which
// features can be used, and from when on the user may read; [Service.Check] is one
// bit of it, with the rule that forbids. [Service.Room], [Service.Members],
// [Service.Rooms], [Service.Groups] and [Service.History] are the reads that
// belong to users. All of them go through the same policy as commands. To an
// outsider a room that exists and one that does not are the same [ErrNotFound].
//
// The host asks before it lets a user read or write messages; messages
// themselves never come here. [Access.ReadFrom] is a point in time and a version
// of the room: messages older than that are not for this user.
//
// # Events and the feed
//
// Every change is one or more events, numbered per room, user, company or team
// without a gap. [Service.Feed] gives them all, each exactly once, in an order
// that never changes, from any [Cursor] on; [Service.History] gives those of one
// room to a user. [NoticesOf] derives from an event alone which service
// notifications are due. The result of a command has the same events and notices:
// a host that sends notices from the feed loses none when it stops in between, and
// should not send those of results as well.
//
// Events of types that a version of this package does not know are [*Unknown] and
// keep their bytes.
//
// # Followers
//
// [Service.Follow] hands every event to a function of the host and remembers in
// the store how far it has come: at least once, in order, across crashes, with one
// process at work and the others standing by. An event that the function cannot
// handle stops it with a [*PoisonEvent]; [Service.SkipEvent] goes past it. With
// FollowOptions.Within the effects of the function and the checkpoint are one
// transaction, so that each event counts exactly once. [Service.Watch] is the feed
// that goes on, without a checkpoint, and [Service.WatchRooms] what of it one user
// may know.
//
// # Consequences: Enforce
//
// When an administrator withdraws the external permission ([SetExternalMessaging])
// or deletes an account ([DeleteUser]), access ends with that very command: the
// next Access, Check or Do already knows. The rows of the rooms follow when the
// host runs [Service.Enforce], the built-in follower that takes the people out,
// with a notice to those who lost the permission. Until then stored counts still
// include them. [Service.PlanConsequences] says beforehand which rooms, who, and
// which groups will have no Group Master.
//
// Let it run in a goroutine of the host, in every process that likes to, or call it
// with Once after such commands. It can be killed anywhere; every step has an id of
// its own. Giving a permission back restores no membership. A group that loses its
// last Group Master this way goes on without one ([MasterVacated]) until an
// administrator of the owning company appoints another.
//
// [Service.Due] lists the groups whose content has to be deleted because message
// has been off for 30 days. [Service.Health] says what is wrong with a room: no
// Group Master, nobody of the owning company, people who are not permitted.
//
// # Stores
//
// A [Store] loads facts and commits changes; package store/memstore is the one in
// memory, the reference and the default in tests, which forgets everything with the
// process; store/sqlitestore and store/pgstore, each a module of its own, keep
// rooms in SQLite and PostgreSQL. [Verify] compares what a store holds with the
// fold of its events. Package store/storetest is the contract as a test suite, for
// stores of your own. One store is one installation; the companies in it are kept
// apart by the rules.
//
// A command takes one Load and, if it changes something, one Commit. One more Load
// is for each of these: the rooms that people share already, to offer them; a
// group's name that must be free; another Group Master who must remain; everybody in
// a room that is converted or left for a new one; the members of a team whose room
// opens or who leave it; asking [Options.Contacts]. What a command carries is limited
// by the constants of this package, beginning with [MaxPeople].
//
// # Errors
//
// Every error of a [Service] is an [*Error], which names the command or method and
// the room, around one of the categories below, or around what the context, a
// function of the host or the store's driver said. [New], [Verify], [Rules] and
// [Decode] give the categories without it.
//
//	ErrNotFound        no such room for this actor
//	ErrDenied          a rule forbids it; errors.As gives the *Denied
//	ErrInvalid         malformed input; errors.As gives the *Invalid
//	ErrConflict        too many others changed the same, or IfVersion did not hold
//	ErrCommandReused   the key was used for another command
//	ErrUnknownOutcome  the store cannot say; repeat with the same key
//	ErrUnsupported     stored data of a newer version
//	ErrInconsistent    Verify: the store contradicts itself; errors.As gives the *Inconsistency
//
// After ErrUnknownOutcome a command may have been carried out; after every other
// error of [Service.Do] it was not. An error of the store that is neither that nor
// ErrConflict is given to the caller at once: nothing was stored, and the host
// decides whether to try again.
//
// # Concurrency and idempotency
//
// A Service is safe for concurrent use, and so are several of them on one store:
// a commit compares the version of everything that the decision relied on, and a
// command that lost a race is decided anew. Commands that wait at the same time
// share one Load and one Commit; no caller's fate depends on another's.
//
// The Key of a call makes a command idempotent: the same key of the same actor does it
// once and returns the first outcome every time. Use it wherever a request can
// be repeated, and keep it short of [MaxKeyBytes]. Its IfVersion demands that the
// room is as the user saw it.
//
// # Values of enumerations
//
// go doc shows only the first value of a type: "go doc AudienceNone", "go doc
// ActionNone" or "go doc -all" list them.
//
// # Compatibility
//
// The package has no release yet; exported names may change until it has one.
// The text names of kinds, actions, causes, events and notices, and the ids of
// rules, are meant to be stored by hosts. Reason texts are not: they are for
// people.
package roomkit
