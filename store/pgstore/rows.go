package pgstore

import (
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// columnsOf are the columns that commits write, in the order of the tables. A statement
// says {rooms} for their names, {rooms r} for those of a row r, {set rooms} for
// assignments of all but the key from a row x, and {rows rooms} for a source of such
// rows, which are the first parameters. The functions below go through them.
//
// A new column comes here, into a new file of migrations and into the function of its
// row; TestMain tells what is missing. ALTER TABLE adds it at the end of the table, and so
// it stands at the end here: whole rows are read as well.
var columnsOf = map[string]string{
	"rooms": `id uuid, version bigint, kind text, state text, company text, public boolean, name_key text, digest bytea,
		participants bigint, masters bigint, partners bigint, consumers bigint, bots bigint, changed_at timestamptz,
		name text, photo text, description text, origin text, team text, creator text, party_a text, party_b text,
		history_sharing boolean, notify boolean, features smallint, features_withheld boolean,
		message_off_since timestamptz, had_consumers boolean, emptied_at bigint, emptied_on timestamptz, created_at timestamptz`,
	"members": `room uuid, "user" text, company text, kind text, participant boolean, master boolean, period bigint,
		joined text, joined_at timestamptz, joined_version bigint, read_all boolean, epoch_user bigint,
		epoch_company bigint, master_epoch_user bigint, master_epoch_company bigint, "left" text, left_at timestamptz,
		left_version bigint, left_by text`,
	"users": `id text, version bigint, company text, kind text, status text, administrator boolean, partners boolean,
		consumers boolean, partners_since bigint, partners_lost bigint, ended bigint`,
	"companies": `id text, version bigint, licensed boolean, members_create_groups boolean, partners text, consumers text,
		max_groups bigint, recall_window bigint, partners_off bigint, partners_narrowed bigint`,
	"teams": `id text, version bigint, company text, name text, leader text, room boolean, features boolean,
		photo boolean, preset smallint, notify boolean, synced_seq bigint`,
	"records":  `subject text, room uuid, id text, version bigint, type text, at timestamptz, command uuid, data bytea`,
	"commands": `id uuid, digest bytea, room uuid, changed boolean, events text`,
}

type names text.Names

func (n *names) room(f *fields, v *roomkit.Room) {
	f.uuid((*[16]byte)(&v.ID))
	f.version(&v.Version)
	named(f, n.Kind, &v.Kind)
	named(f, n.State, &v.State)
	field(f, &v.Company)
	f.bools(&v.Public)
	field(f, &v.NameKey)
	f.sized(v.Digest[:])
	for _, count := range [...]*int64{&v.Participants, &v.Masters, &v.Partners, &v.Consumers, &v.Bots} {
		f.int(count)
	}
	f.time(&v.ChangedAt)
	field(f, &v.Name)
	field(f, &v.Photo)
	field(f, &v.Description)
	named(f, n.Origin, &v.Origin)
	field(f, &v.Team)
	field(f, &v.Creator)
	field(f, &v.Parties[0])
	field(f, &v.Parties[1])
	f.bools(&v.HistorySharing, &v.Notify)
	f.bits(&v.Features)
	f.bools(&v.FeaturesWithheld)
	f.time(&v.MessageOffSince)
	f.bools(&v.HadConsumers)
	f.version(&v.EmptiedAt)
	f.time(&v.EmptiedOn)
	f.time(&v.CreatedAt)
}

func (n *names) member(f *fields, v *roomkit.Member) {
	f.uuid((*[16]byte)(&v.Room))
	field(f, &v.User)
	field(f, &v.Company)
	named(f, n.UserKind, &v.Kind)
	f.bools(&v.Participant, &v.Master)
	f.int(&v.Period)
	named(f, n.Cause, &v.Joined)
	f.time(&v.JoinedAt)
	f.version(&v.JoinedVersion)
	f.bools(&v.ReadAll)
	f.versions(&v.Epoch.User, &v.Epoch.Company, &v.MasterEpoch.User, &v.MasterEpoch.Company)
	named(f, n.Cause, &v.Left)
	f.time(&v.LeftAt)
	f.version(&v.LeftVersion)
	by := v.LeftBy.String()
	field(f, &by)
	v.LeftBy = text.Actor(by)
}

// user goes through the columns that commits write; in the table groups follows.
func (n *names) user(f *fields, v *roomkit.User) {
	field(f, &v.ID)
	f.version(&v.Version)
	field(f, &v.Company)
	named(f, n.UserKind, &v.Kind)
	named(f, n.Status, &v.Status)
	f.bools(&v.Administrator, &v.Partners, &v.Consumers)
	f.versions(&v.PartnersSince, &v.PartnersLost, &v.Ended)
}

func (n *names) countedUser(f *fields, v *roomkit.User) {
	n.user(f, v)
	f.int(&v.Groups)
}

// company goes through the columns that commits write; in the table groups follows.
func (n *names) company(f *fields, v *roomkit.Company) {
	field(f, &v.ID)
	f.version(&v.Version)
	f.bools(&v.Licensed, &v.MembersCreateGroups)
	named(f, n.Mode, &v.Partners)
	named(f, n.Mode, &v.Consumers)
	f.int(&v.MaxGroups)
	f.int((*int64)(&v.RecallWindow))
	f.versions(&v.PartnersOff, &v.PartnersNarrowed)
}

func (n *names) countedCompany(f *fields, v *roomkit.Company) {
	n.company(f, v)
	f.int(&v.Groups)
}

func (n *names) team(f *fields, v *roomkit.Team) {
	key := roomkit.KeyOfTeam(v.Company, v.ID)
	field(f, &key)
	_, v.ID = key.Split()
	f.version(&v.Version)
	field(f, &v.Company)
	field(f, &v.Name)
	field(f, &v.Leader)
	f.bools(&v.Room, &v.Features, &v.Photo)
	f.bits(&v.Preset)
	f.bools(&v.Notify)
	f.int(&v.SyncedSeq)
}

// wholeTeam reads a row of a team and the list of its people.
func (n *names) wholeTeam(r *row) *roomkit.Team {
	t, people := whole(r, n.team), r.text()
	if t != nil {
		for id := range strings.FieldsSeq(people) {
			t.Members = append(t.Members, roomkit.UserID(id))
		}
		slices.Sort(t.Members)
	}
	return t
}

func (n *names) subject(f *fields, v *roomkit.Subject) {
	named(f, n.Subject, &v.Type)
	f.uuid((*[16]byte)(&v.Room))
	field(f, &v.ID)
}

func (n *names) record(f *fields, v *store.Record) {
	n.subject(f, &v.Subject)
	f.version(&v.Version)
	f.text(&v.Type)
	f.time(&v.At)
	f.uuid((*[16]byte)(&v.Command))
	f.bytes(&v.Data)
}

// placedRecord reads a record behind its position; it has no cursor while it waits
// for that.
func (b *base) placedRecord(r *row) store.Record {
	position := r.int()
	v := read(r, b.names.record)
	if position > 0 {
		v.Cursor = b.cursor(position, &v)
	}
	return v
}

func (n *names) end(f *fields, v *store.RoomEnd) {
	lowers, by := v.Kind.IsGroup(), v.By.String()
	f.uuid((*[16]byte)(&v.Room))
	f.bools(&lowers)
	named(f, n.Cause, &v.Cause)
	f.time(&v.At)
	f.version(&v.Version)
	field(f, &by)
}
