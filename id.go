package roomkit

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/hostid"
)

// RoomID identifies a room. Self, Direct and Team rooms have ids derived from
// whom they are for ([SelfRoom], [DirectRoom], [TeamRoom]), the first room that an
// invitation opens one derived from the invitation; all others are UUIDv7. The zero
// RoomID is no room.
type RoomID [16]byte

// ParseRoomID reads the text form that [RoomID.String] writes.
func ParseRoomID(s string) (RoomID, error) {
	return parseUUID[RoomID]("RoomID", s)
}

// String gives the id as a UUID.
func (id RoomID) String() string { return uuid.UUID(id).String() }

// IsZero reports whether the id is the zero RoomID.
func (id RoomID) IsZero() bool { return id == RoomID{} }

// MarshalText writes the id as a UUID.
func (id RoomID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText reads a UUID.
func (id *RoomID) UnmarshalText(b []byte) error { return enum.Read(id, ParseRoomID, b) }

// CommandID identifies one command for good: the same id is committed at most
// once.
type CommandID [16]byte

// String gives the id as a UUID.
func (id CommandID) String() string { return uuid.UUID(id).String() }

// IsZero reports whether the id is the zero CommandID.
func (id CommandID) IsZero() bool { return id == CommandID{} }

// UserID identifies a user. It comes from the host, as [CompanyID] and [TeamID] do, and
// is never given to anybody else later. It is 1 to 128 characters of ASCII, without
// spaces and any of " * < > \, and compared as bytes: Kim@x and kim@x are two people. So
// what identity providers call a user can be taken as it is. Ids with other characters,
// such as mail addresses beyond ASCII, fit in the form that [net/url.PathEscape] gives, if
// all ids of that provider take it; [net/url.PathUnescape] gives them back.
type UserID string

// CompanyID identifies a company, in the form of a [UserID].
type CompanyID string

// TeamID identifies a team among those of its company, in the form of a [UserID]:
// companies name their teams without knowing those of others.
type TeamID string

// TeamKey identifies a team among those of all companies: the company, a space, which no
// id can contain, and the [TeamID]. The empty key names no team.
type TeamKey string

// KeyOfTeam makes the key of a company's team.
func KeyOfTeam(company CompanyID, team TeamID) TeamKey {
	return TeamKey(string(company) + " " + string(team))
}

// Split gives what the key was made of.
func (k TeamKey) Split() (company CompanyID, team TeamID) {
	before, after, _ := strings.Cut(string(k), " ")
	return CompanyID(before), TeamID(after)
}

// Valid reports whether the key is made of a company's and a team's id.
func (k TeamKey) Valid() bool {
	company, team := k.Split()
	return company.Valid() && team.Valid()
}

// Version counts the events of one room, user, company or team: 1, 2, 3 …
// without a gap. Zero means that it does not exist.
type Version int64

// Cursor is a place in the feed of a store. It is opaque; the empty Cursor is
// the beginning.
type Cursor string

// Valid reports whether the id has the form of a [UserID].
func (id UserID) Valid() bool { return hostid.Valid(string(id)) }

// Valid reports whether the id has the form of a [CompanyID].
func (id CompanyID) Valid() bool { return hostid.Valid(string(id)) }

// Valid reports whether the id has the form of a [TeamID].
func (id TeamID) Valid() bool { return hostid.Valid(string(id)) }

// SelfRoom is the id of a user's "message to me" room (SELF-02).
func SelfRoom(u UserID) RoomID { return derivedRoom("self", string(u), "") }

// DirectRoom is the id of the one room of an unordered pair of users (DIR-02).
func DirectRoom(a, b UserID) RoomID {
	if b < a {
		a, b = b, a
	}
	return derivedRoom("direct", string(a), string(b))
}

// TeamRoom is the id of the room of a company's team (TEAM-03).
func TeamRoom(company CompanyID, team TeamID) RoomID {
	return derivedRoom("team", string(company), string(team))
}

// derivedRoom separates its parts by NUL, which no id can contain, and marks
// the result as a UUID of version 8 (RFC 9562: custom).
func derivedRoom(kind, a, b string) RoomID {
	buf := make([]byte, 0, 320)
	buf = append(buf, "roomkit room "...)
	buf = append(buf, kind...)
	buf = append(buf, 0)
	buf = append(buf, a...)
	buf = append(buf, 0)
	buf = append(buf, b...)
	sum := sha256.Sum256(buf)
	var id RoomID
	copy(id[:], sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// SetDigest identifies a set of users whatever their order: the sum of their
// hashes modulo 2^128. It is an index for finding rooms by their participants,
// never an identity: what is found through it has to be compared.
type SetDigest [16]byte

// DigestOf gives the digest of a set of distinct users.
func DigestOf(users ...UserID) SetDigest {
	var d SetDigest
	for _, u := range users {
		d = d.With(u)
	}
	return d
}

// With gives the digest of the set with u added.
func (d SetDigest) With(u UserID) SetDigest {
	uhi, ulo := hashUser(u)
	hi, lo := d.split()
	lo, carry := bits.Add64(lo, ulo, 0)
	hi, _ = bits.Add64(hi, uhi, carry)
	return joinDigest(hi, lo)
}

// Without gives the digest of the set with u taken out.
func (d SetDigest) Without(u UserID) SetDigest {
	uhi, ulo := hashUser(u)
	hi, lo := d.split()
	lo, borrow := bits.Sub64(lo, ulo, 0)
	hi, _ = bits.Sub64(hi, uhi, borrow)
	return joinDigest(hi, lo)
}

func (d SetDigest) split() (hi, lo uint64) {
	return binary.BigEndian.Uint64(d[:8]), binary.BigEndian.Uint64(d[8:])
}

func joinDigest(hi, lo uint64) (d SetDigest) {
	binary.BigEndian.PutUint64(d[:8], hi)
	binary.BigEndian.PutUint64(d[8:], lo)
	return d
}

func hashUser(u UserID) (hi, lo uint64) {
	var buf [hostid.MaxBytes]byte
	sum := sha256.Sum256(append(buf[:0], u...))
	return binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
}

func parseUUID[T ~[16]byte](typ, s string) (T, error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return T{}, &Invalid{Field: typ, Reason: "not a UUID"}
	}
	return T(u), nil
}
