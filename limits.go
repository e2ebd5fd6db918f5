package roomkit

// Limits on what one call may carry. They are checked before anything is loaded.
const (
	MaxPeople      = 500  // people named in one command
	MaxEverybody   = 1000 // people of a room where a command needs all of them: converting, opening a new room by inviting
	MaxTeamMembers = 5000 // members of a team given to SyncTeam
	MaxPage        = 1000 // rows of one page; a limit of 0 means DefaultPage
	DefaultPage    = 100
	MaxAccessRooms = 1000 // rooms in one call of Access
	MaxEach        = 1000 // commands in one call of Each
	MaxOffers      = 20   // rooms recommended by one command
	MaxSharedSeen  = 1000 // rooms of the same people that are looked at for them
	MaxNameRunes   = 1000 // characters of a General room's name (LIM-05, CRE-32)
	MaxGroupName   = 100  // characters of a group's name (GRP-29, EXT-34)
	MaxDescription = 300  // characters of a description (GRP-30, EXT-35)
	MaxPhotoBytes  = 512  // bytes of a photo reference
	MaxKeyBytes    = 128  // bytes of an idempotency key
	MaxEventBytes  = 1 << 20
)
