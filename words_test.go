package roomkit_test

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestSetDigestIsASum: stores keep digests, so that the form is for ever: the sum of the
// first 128 bits of the SHA-256 of the ids, modulo 2^128.
func TestSetDigestIsASum(t *testing.T) {
	var ids []roomkit.UserID
	sum := new(big.Int)
	for _, id := range []roomkit.UserID{"ann", "ben", "cat", "dan", "eve", "fay"} {
		hash := sha256.Sum256([]byte(id))
		sum.Add(sum, new(big.Int).SetBytes(hash[:16]))
		ids = append(ids, id)
		var want roomkit.SetDigest
		new(big.Int).Mod(sum, new(big.Int).Lsh(big.NewInt(1), 128)).FillBytes(want[:])
		require.Equal(t, want, roomkit.DigestOf(ids...), ids)
	}
	d := roomkit.DigestOf(ids...)
	for _, id := range ids {
		d = d.Without(id)
	}
	require.Zero(t, d)
}

func TestValidSubjects(t *testing.T) {
	room := roomkit.RoomID{1}
	cases := []struct {
		name string
		of   roomkit.Subject
		want bool
	}{
		{"room", roomkit.RoomSubject(room), true},
		{"room without id", roomkit.Subject{Type: roomkit.SubjectRoom}, false},
		{"room with two ids", roomkit.Subject{Type: roomkit.SubjectRoom, Room: room, ID: "x"}, false},
		{"user", roomkit.UserSubject("ann"), true},
		{"user without id", roomkit.UserSubject(""), false},
		{"user with the id of a room", roomkit.Subject{Type: roomkit.SubjectUser, ID: "ann", Room: room}, false},
		{"company", roomkit.CompanySubject("acme"), true},
		{"team", roomkit.TeamSubject("acme", "sales"), true},
		{"nothing", roomkit.Subject{}, false},
		{"unknown type", roomkit.Subject{Type: 99, ID: "x"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.of.Valid()) })
	}
}

func TestUnknownFeaturesAreInNoSet(t *testing.T) {
	every := ^roomkit.FeatureSet(0)
	require.True(t, every.Has(roomkit.FeatureMailingList))
	require.False(t, every.Has(roomkit.FeatureMailingList+1))
}

func TestInvalidSaysTheRuleIfThereIsOne(t *testing.T) {
	require.EqualError(t, &roomkit.Invalid{Field: "Name", Reason: "a group needs a name", Rule: "CRE-51"}, "invalid Name: a group needs a name (CRE-51)")
	require.EqualError(t, &roomkit.Invalid{Field: "Name", Reason: "blank"}, "invalid Name: blank")
}
