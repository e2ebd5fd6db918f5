package roomkit

// Command is what an actor wants to happen. The set is sealed: [OpenSelf],
// [OpenDirect], [CreateRoom], [CreateGroup], [CreateExternalGroup],
// [OpenTeamRoom], [Invite], [Remove], [Leave], [Expel], [AppointMasters],
// [DismissMasters], [HandOver], [Edit], [DeleteFeatureData], [Convert],
// [DeleteRoom], [PutCompany], [EditCompany], [PutUsers],
// [SetExternalMessaging], [SuspendUser], [DeleteUser], [RestoreUser] and
// [SyncTeam]. Commands are values; none of them carries the actor, the time or
// a version.
//
//sumtype:decl
type Command interface {
	name() string              // the stable name, for instance "Leave"
	check() error              // form only: ids, sizes, enums
	need(actor Actor, n *Need) // what the decision has to know; the actor is in n.People
	decide(d *decider) error   // says what happens, by events
}

// CommandName is the stable name of a command, for instance "Leave".
func CommandName(c Command) string { return c.name() }

func (OpenSelf) name() string             { return "OpenSelf" }
func (OpenDirect) name() string           { return "OpenDirect" }
func (CreateRoom) name() string           { return "CreateRoom" }
func (CreateGroup) name() string          { return "CreateGroup" }
func (CreateExternalGroup) name() string  { return "CreateExternalGroup" }
func (OpenTeamRoom) name() string         { return "OpenTeamRoom" }
func (Invite) name() string               { return "Invite" }
func (Remove) name() string               { return "Remove" }
func (Leave) name() string                { return "Leave" }
func (Expel) name() string                { return "Expel" }
func (AppointMasters) name() string       { return "AppointMasters" }
func (DismissMasters) name() string       { return "DismissMasters" }
func (HandOver) name() string             { return "HandOver" }
func (Edit) name() string                 { return "Edit" }
func (DeleteFeatureData) name() string    { return "DeleteFeatureData" }
func (Convert) name() string              { return "Convert" }
func (DeleteRoom) name() string           { return "DeleteRoom" }
func (PutCompany) name() string           { return "PutCompany" }
func (EditCompany) name() string          { return "EditCompany" }
func (PutUsers) name() string             { return "PutUsers" }
func (SetExternalMessaging) name() string { return "SetExternalMessaging" }
func (SuspendUser) name() string          { return "SuspendUser" }
func (DeleteUser) name() string           { return "DeleteUser" }
func (RestoreUser) name() string          { return "RestoreUser" }
func (SyncTeam) name() string             { return "SyncTeam" }
