// Package roomkit holds the words of a service's message rooms: rooms, members,
// roles, the directory, commands, events, refusals and the rules that say who may
// do what. It does no input or output; package
// [github.com/go-roomkit/roomkit/service] does the work with them.
//
//	svc, err := service.New(memstore.New(), nil)
//	made, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: people, Audience: roomkit.AudienceMembers})
//
// A host, as this text calls the service that embeds the library, imports three
// packages: this one for the words, service for what it calls, and a store.
//
// # Rooms and kinds
//
// The [Kind] of a room decides its rules. It changes only when [Convert] makes a
// group of a General room, for good.
//
//	Self           message to me; one owner
//	Direct         1:1; one room for a pair of users, whoever opens it
//	General        several people with equal rights: all of them invite, remove, leave
//	Group          of one company, with a name, managed by Group Masters
//	ExternalGroup  of several companies, private, managed by Group Masters
//	Team           follows a team of the organisation chart
//
// [CreateRoom] finds the kind from the people picked. [Invite] opens a new room
// where the present one cannot take the people in: a 1:1 room with a third person,
// a General room with people of another company.
//
// Rooms come with features: Note, Event, Task, Folder, Mailing List. The kind says
// which are offered, the room's settings which are switched on, [Access] which a
// user can use at this moment.
//
// # People, standings, roles
//
// Taking part in a room and being its Group Master are two independent facts. A
// Group Master who does not take part manages the room and must not read it. What a
// person is in a room is a [Standing]: participant, master, leader of the team,
// administrator of the owning company, colleague. policy.go holds a table of
// actions and standings for each kind; docs/permissions.md prints them, and
// [NewRules] gives them to programs.
//
// The external permission is in force while the company's mode, the user's own
// permission and the account all say yes. Every decision and every question looks
// at it anew.
//
// The open points of the rules are fields of [Policy]. Its zero value holds the
// recommended decisions.
//
// # Directory
//
// The library holds the small part of the directory that decisions depend on:
// [Company], [User] and [Team]. The host adds them with [AddCompany], [AddUser] and
// [SyncTeam], as often as it likes: what exists stays as it is. What is not said of a
// new company or user is not permitted: a company needs a licence to have rooms at all,
// and Partners to talk with others. Later changes are commands that name what they
// change, those of the company's administrator among them. Looking people up by name, by team or by
// mail address is the host's matter (CRE-52): it ends in user ids, and with user
// ids begins what this library does.
//
// # Ids, names, texts
//
// A [UserID] can be what an identity provider calls a user. Names, titles and
// descriptions are stored as they are given, in any script: what its orthography needs
// is accepted, joiners and variation selectors among it, and so are emoji of every kind.
// Refused are control characters, bidi overrides and what shows nothing. A description
// may have several lines. Names of internal groups are unique in the company; names that
// differ only in case (of no certain language), in width or another compatible form, in
// composition, spaces or invisible characters are one (GRP-29), letters of different
// scripts that look alike are not. Lengths are counted in
// code points of Unicode.
//
// # Commands and refusals
//
// A [Command] is a plain value, run for an [Actor]. The host says who acts and
// answers for it: [By] a user whom it has authenticated, or [System], which
// provisions the directory and carries out consequences, but has no say over who
// takes part in a group.
//
//	rooms        OpenSelf OpenDirect CreateRoom CreateGroup CreateExternalGroup OpenTeamRoom Convert DeleteRoom
//	people       Invite Remove Leave Expel
//	masters      AppointMasters DismissMasters HandOver
//	settings     Edit DeleteFeatureData
//	directory    AddCompany EditCompany SetCompanyMessaging SyncTeam EditTeam
//	             AddUser EditUser SetUserMessaging SuspendUser DeleteUser RestoreUser
//
// What the rules forbid ends with a [*Denied], which names the rule, the people
// because of whom, and a reason. Malformed input ends with an [*Invalid], which
// names the field. Nothing has changed then.
//
// # Words
//
// The rules are those of a product, NAVER WORKS. Where its words are understood only
// there, the library has others:
//
//	partner       a user of another company           (source: an external NAVER WORKS user; the switch "Works")
//	consumer      a person who belongs to no company  (source: a LINE user)
//	outsider      a partner or a consumer
//	licensed      a company that may have rooms       (source: has the Core product)
//	Self          the room of one person              (source: message to me)
//	General room  several people with equal rights    (source: a message room of several people)
//	Group Master  who manages a group: its owner
//	colleague     a member of the company that owns the room
//
// # Events
//
// Every change is one or more events, numbered per room, user, company or team
// without a gap. Their type names are stable. [NoticesOf] derives from an event
// alone which service notifications are due. Events of types that this version does
// not know are [*Unknown] and keep their bytes.
//
// # Errors
//
// Every error belongs to one of these categories, to be asked for with errors.Is,
// or is what the context, a function of the host or the store's driver said.
//
//	ErrNotFound        no such room for this actor
//	ErrDenied          a rule forbids it; errors.As gives the *Denied
//	ErrInvalid         malformed input; errors.As gives the *Invalid
//	ErrConflict        too many others changed the same, or IfVersion did not hold
//	ErrCommandReused   the key was used for another command
//	ErrUnknownOutcome  the store cannot say; repeat with the same key
//	ErrUnavailable     the store is busy, full or out of reach; later the same call may do better
//	ErrUnsupported     a store that is set up wrongly, or data of a newer version
//	ErrInconsistent    the store contradicts itself; errors.As gives the *verify.Inconsistency
//
// # Text and JSON
//
// Every word has a text form, which String gives and Parse… reads, and every value a
// JSON form with keys in snake_case and without zero values: enumerations and sets by
// name, times as in RFC 3339, durations as in "24h0m0s". encoding/json writes them all,
// events with their type; [MarshalCommand] adds the name of a command.
// [UnmarshalCommand] and [UnmarshalEvent] read them, strictly, and an [*Invalid] names
// the field that is wrong; encoding/json reads the rest. Names and ids that there are
// not are an [*Invalid] as well. A struct that embeds Access, RoomView, Company or another
// value with a form of its own has that form, and what it adds is lost: make it a field.
// [Invalid].Field is the Go name of a field, on the wire it is the same in snake_case.
// log/slog uses the same forms; refusals are groups. What
// stores keep is another form, that of package codec.
//
// # Values of enumerations
//
// go doc shows only the first value of a type: "go doc AudienceNone", "go doc
// ActionNone" or "go doc -all" list them.
//
// # Compatibility
//
// The library has no release yet; exported names may change until it has one. The
// text names of kinds, actions, causes, events and notices, and the ids of rules,
// are meant to be stored by hosts. Reason texts are not: they are for people.
package roomkit
