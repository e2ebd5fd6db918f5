package transfer

import (
	"encoding/json"
	"time"

	"github.com/go-roomkit/roomkit"
)

// The lines of a file, in the order in which their types stand in it. What is tagged "kept"
// stands in files of which the header says so.

type headerLine struct {
	Type      string    `json:"type"`
	Form      string    `json:"form"`
	Version   int       `json:"version"`
	Namespace string    `json:"namespace,omitzero"`
	Escape    bool      `json:"escape,omitzero"`
	Kept      bool      `json:"kept,omitzero"`
	At        time.Time `json:"at,omitzero"`
}

type companyLine struct {
	Type                string               `json:"type"`
	ID                  string               `json:"id"`
	Licensed            *bool                `json:"licensed,omitzero"`
	MembersCreateGroups *bool                `json:"members_create_groups,omitzero"`
	Partners            roomkit.ExternalMode `json:"partners,omitzero"`
	Consumers           roomkit.ExternalMode `json:"consumers,omitzero"`
	MaxGroups           int64                `json:"max_groups,omitzero"`
	RecallWindow        duration             `json:"recall_window,omitzero"`
	Version             roomkit.Version      `json:"version,omitzero" transfer:"kept"`
	PartnersOff         roomkit.Version      `json:"partners_off,omitzero" transfer:"kept"`
	PartnersNarrowed    roomkit.Version      `json:"partners_narrowed,omitzero" transfer:"kept"`
}

type userLine struct {
	Type          string             `json:"type"`
	ID            string             `json:"id"`
	Company       string             `json:"company,omitzero"`
	Kind          roomkit.UserKind   `json:"kind,omitzero"`
	Status        roomkit.UserStatus `json:"status,omitzero"`
	Administrator bool               `json:"administrator,omitzero"`
	Partners      bool               `json:"partners,omitzero"`
	Consumers     bool               `json:"consumers,omitzero"`
	Version       roomkit.Version    `json:"version,omitzero" transfer:"kept"`
	PartnersSince roomkit.Version    `json:"partners_since,omitzero" transfer:"kept"`
	PartnersLost  roomkit.Version    `json:"partners_lost,omitzero" transfer:"kept"`
	Ended         roomkit.Version    `json:"ended,omitzero" transfer:"kept"`
}

type teamLine struct {
	Type     string             `json:"type"`
	ID       string             `json:"id"`
	Company  string             `json:"company"`
	Name     string             `json:"name"`
	Leader   string             `json:"leader,omitzero"`
	Members  []string           `json:"members,omitempty"`
	Room     *bool              `json:"room,omitzero"`
	Features bool               `json:"features,omitzero"`
	Photo    bool               `json:"photo,omitzero"`
	Preset   roomkit.FeatureSet `json:"preset,omitzero"`
	Notify   bool               `json:"notify,omitzero"`
	Seq      int64              `json:"seq,omitzero"`
	Version  roomkit.Version    `json:"version,omitzero" transfer:"kept"`
}

type roomLine struct {
	Type             string              `json:"type"`
	ID               string              `json:"id"`
	Kind             roomkit.Kind        `json:"kind"`
	Company          string              `json:"company,omitzero"`
	Team             string              `json:"team,omitzero"`
	Creator          string              `json:"creator,omitzero"`
	Parties          []string            `json:"parties,omitempty"`
	Name             string              `json:"name,omitzero"`
	Photo            string              `json:"photo,omitzero"`
	Description      string              `json:"description,omitzero"`
	Origin           roomkit.Origin      `json:"origin,omitzero"`
	Public           bool                `json:"public,omitzero"`
	HistorySharing   bool                `json:"history_sharing,omitzero"`
	Notify           bool                `json:"notify,omitzero"`
	Features         *roomkit.FeatureSet `json:"features,omitzero"`
	FeaturesWithheld bool                `json:"features_withheld,omitzero"`
	MessageOffSince  time.Time           `json:"message_off_since,omitzero"`
	HadConsumers     bool                `json:"had_consumers,omitzero"`
	CreatedAt        time.Time           `json:"created_at,omitzero"`
	Version          roomkit.Version     `json:"version,omitzero" transfer:"kept"`
	State            roomkit.RoomState   `json:"state,omitzero" transfer:"kept"`
	EmptiedAt        roomkit.Version     `json:"emptied_at,omitzero" transfer:"kept"`
	EmptiedOn        time.Time           `json:"emptied_on,omitzero" transfer:"kept"`
}

type memberLine struct {
	Type          string          `json:"type"`
	Room          string          `json:"room"`
	User          string          `json:"user"`
	Role          role            `json:"role,omitzero"`
	JoinedAt      time.Time       `json:"joined_at,omitzero"`
	ReadAll       *bool           `json:"read_all,omitzero"`
	Period        int64           `json:"period,omitzero" transfer:"kept"`
	Joined        roomkit.Cause   `json:"joined,omitzero" transfer:"kept"`
	JoinedVersion roomkit.Version `json:"joined_version,omitzero" transfer:"kept"`
	Epoch         epoch           `json:"epoch,omitzero" transfer:"kept"`
	MasterEpoch   epoch           `json:"master_epoch,omitzero" transfer:"kept"`
	Left          roomkit.Cause   `json:"left,omitzero" transfer:"kept"`
	LeftAt        time.Time       `json:"left_at,omitzero" transfer:"kept"`
	LeftVersion   roomkit.Version `json:"left_version,omitzero" transfer:"kept"`
	LeftBy        roomkit.Actor   `json:"left_by,omitzero" transfer:"kept"`
}

type endLine struct {
	Type      string `json:"type"`
	Companies *int64 `json:"companies,omitzero"`
	Users     *int64 `json:"users,omitzero"`
	Teams     *int64 `json:"teams,omitzero"`
	Rooms     *int64 `json:"rooms,omitzero"`
	Members   *int64 `json:"members,omitzero"`
}

// role says what somebody is in a room.
type role string

const (
	roleMember role = "member"  // takes part
	roleMaster role = "master"  // takes part and is Group Master
	roleKeeper role = "manager" // is Group Master and takes no part
	roleFormer role = "former"  // neither any more; in kept files only
)

func roleOf(m *roomkit.Member) role {
	switch {
	case m.Participant && m.Master:
		return roleMaster
	case m.Participant:
		return "" // the default
	case m.Master:
		return roleKeeper
	}
	return roleFormer
}

// duration is written as Go writes it, for instance "24h0m0s".
type duration time.Duration

// MarshalText writes it.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return &roomkit.Invalid{Field: "duration", Reason: `not a duration such as "24h0m0s"`}
	}
	*d = duration(v)
	return nil
}

// epoch is written as a pair: the version of the user and that of the company.
type epoch roomkit.Epoch

// MarshalJSON writes the pair.
func (e epoch) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]roomkit.Version{e.User, e.Company})
}

// UnmarshalJSON reads the pair.
func (e *epoch) UnmarshalJSON(data []byte) error {
	var pair []roomkit.Version
	if json.Unmarshal(data, &pair) != nil || len(pair) != 2 {
		return &roomkit.Invalid{Field: "epoch", Reason: "not a pair of versions"}
	}
	e.User, e.Company = pair[0], pair[1]
	return nil
}

func (l *companyLine) row(m *ids) roomkit.Company {
	return roomkit.Company{
		ID: roomkit.CompanyID(m.text(l.ID)), Version: l.Version, Licensed: orTrue(l.Licensed), MembersCreateGroups: orTrue(l.MembersCreateGroups),
		Partners: l.Partners, Consumers: l.Consumers, MaxGroups: l.MaxGroups, RecallWindow: time.Duration(l.RecallWindow),
		PartnersOff: l.PartnersOff, PartnersNarrowed: l.PartnersNarrowed,
	}
}

func (l *userLine) row(m *ids) roomkit.User {
	u := roomkit.User{
		ID: m.user(l.ID), Company: roomkit.CompanyID(m.text(l.Company)), Kind: l.Kind, Status: l.Status, Administrator: l.Administrator,
		Partners: l.Partners, Consumers: l.Consumers, Version: l.Version, PartnersSince: l.PartnersSince, PartnersLost: l.PartnersLost, Ended: l.Ended,
	}
	if u.Kind == roomkit.UserNone {
		u.Kind = roomkit.UserMember
	}
	if u.Status == roomkit.StatusNone {
		u.Status = roomkit.StatusActive
	}
	return u
}

func (l *teamLine) row(m *ids) roomkit.Team {
	return roomkit.Team{
		ID: roomkit.TeamID(m.text(l.ID)), Company: roomkit.CompanyID(m.text(l.Company)), Name: l.Name, Leader: m.user(l.Leader),
		Members: m.users(l.Members), Room: orTrue(l.Room), Features: l.Features, Photo: l.Photo, Preset: l.Preset, Notify: l.Notify,
		SyncedSeq: l.Seq, Version: l.Version,
	}
}

func orTrue(b *bool) bool { return b == nil || *b }

func lineOfCompany(c *roomkit.Company) companyLine {
	return companyLine{
		Type: "company", ID: string(c.ID), Licensed: &c.Licensed, MembersCreateGroups: &c.MembersCreateGroups, Partners: c.Partners,
		Consumers: c.Consumers, MaxGroups: c.MaxGroups, RecallWindow: duration(c.RecallWindow), Version: c.Version,
		PartnersOff: c.PartnersOff, PartnersNarrowed: c.PartnersNarrowed,
	}
}

func lineOfUser(u *roomkit.User) userLine {
	return userLine{
		Type: "user", ID: string(u.ID), Company: string(u.Company), Kind: u.Kind, Status: u.Status, Administrator: u.Administrator,
		Partners: u.Partners, Consumers: u.Consumers, Version: u.Version, PartnersSince: u.PartnersSince, PartnersLost: u.PartnersLost, Ended: u.Ended,
	}
}

func lineOfTeam(t *roomkit.Team) teamLine {
	l := teamLine{
		Type: "team", ID: string(t.ID), Company: string(t.Company), Name: t.Name, Leader: string(t.Leader), Room: &t.Room,
		Features: t.Features, Photo: t.Photo, Preset: t.Preset, Notify: t.Notify, Seq: t.SyncedSeq, Version: t.Version,
	}
	for _, id := range t.Members {
		l.Members = append(l.Members, string(id))
	}
	return l
}

func lineOfRoom(r *roomkit.Room) roomLine {
	l := roomLine{
		Type: "room", ID: r.ID.String(), Kind: r.Kind, Company: string(r.Company), Team: string(r.Team), Creator: string(r.Creator),
		Name: r.Name, Photo: r.Photo, Description: r.Description, Origin: r.Origin, Public: r.Public, HistorySharing: r.HistorySharing,
		Notify: r.Notify, Features: &r.Features, FeaturesWithheld: r.FeaturesWithheld, MessageOffSince: r.MessageOffSince,
		HadConsumers: r.HadConsumers, CreatedAt: r.CreatedAt, Version: r.Version, EmptiedAt: r.EmptiedAt, EmptiedOn: r.EmptiedOn,
	}
	for _, id := range r.Parties {
		if id != "" {
			l.Parties = append(l.Parties, string(id))
		}
	}
	if r.State != roomkit.StateActive {
		l.State = r.State
	}
	return l
}

func lineOfMember(m *roomkit.Member) memberLine {
	return memberLine{
		Type: "member", Room: m.Room.String(), User: string(m.User), Role: roleOf(m), JoinedAt: m.JoinedAt, ReadAll: &m.ReadAll,
		Period: m.Period, Joined: m.Joined, JoinedVersion: m.JoinedVersion, Epoch: epoch(m.Epoch), MasterEpoch: epoch(m.MasterEpoch),
		Left: m.Left, LeftAt: m.LeftAt, LeftVersion: m.LeftVersion, LeftBy: m.LeftBy,
	}
}
