package roomtest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

// TestErrors: each demand takes the error that it is about, inside of one of the host's as
// well, and says of every other one what came instead and what to do.
func TestErrors(t *testing.T) {
	crew, launch := roomkit.RoomID{1}, roomkit.RoomID{2}
	of := func(err error) error {
		return fmt.Errorf("of the host: %w", &roomkit.Error{Op: "Invite", Room: crew, Err: err})
	}
	denied := of(&roomkit.Denied{Rule: "GRP-02", People: []roomkit.UserID{"eve", "fay"}, Reason: "not of acme"})
	stranger := of(&roomkit.Denied{Rule: "COM-16"})
	malformed := of(&roomkit.Invalid{Field: "People[1]", Reason: "not a user id"})
	offered := of(&roomkit.Offered{Offers: []roomkit.Offer{{Room: roomkit.Room{ID: crew}}, {Room: roomkit.Room{ID: launch}}}})
	absent, conflict := of(roomkit.ErrNotFound), of(roomkit.ErrConflict)

	require.Equal(t, "not of acme", roomtest.RequireDenied(t, denied, "GRP-02").Reason)
	roomtest.RequireDenied(t, denied, "GRP-02", "fay", "eve")
	roomtest.RequireDenied(t, stranger, "COM-16")
	require.Equal(t, "not a user id", roomtest.RequireInvalid(t, malformed, "People[1]").Reason)
	require.Len(t, roomtest.RequireOffered(t, offered).Offers, 2)
	roomtest.RequireOffered(t, offered, crew, launch)
	roomtest.RequireNotFound(t, absent)
	roomtest.RequireConflict(t, conflict)
	roomtest.RequireCategory(t, stranger, service.CategoryUnknownActor)
	roomtest.RequireCategory(t, nil, service.CategoryNone)

	for name, tt := range map[string]struct {
		test func(t testing.TB)
		says string
	}{
		"another rule":                {func(t testing.TB) { roomtest.RequireDenied(t, denied, "EXT-17") }, "wanted a refusal by EXT-17, got one by GRP-02 (not of acme); "},
		"done instead of denied":      {func(t testing.TB) { roomtest.RequireDenied(t, nil, "EXT-17") }, "wanted a refusal by EXT-17, got no error: it was done, or the error was dropped; "},
		"not found instead of denied": {func(t testing.TB) { roomtest.RequireDenied(t, absent, "EXT-17") }, "got of the host: roomkit: Invite: not found;"},
		"may have been done": {func(t testing.TB) {
			roomtest.RequireDenied(t, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, denied), "GRP-02")
		}, "wanted a refusal by GRP-02, got unknown outcome: "},
		"the rule is lost":     {func(t testing.TB) { roomtest.RequireDenied(t, roomkit.ErrDenied, "EXT-17") }, `got only "denied": wrap the error of the service with %w`},
		"because of others":    {func(t testing.TB) { roomtest.RequireDenied(t, denied, "GRP-02", "eve") }, "GRP-02 refuses because of eve, fay, not of eve;"},
		"another field":        {func(t testing.TB) { roomtest.RequireInvalid(t, malformed, "Room") }, "wanted Room to be malformed, got People[1] ("},
		"denied, not invalid":  {func(t testing.TB) { roomtest.RequireInvalid(t, denied, "Room") }, "wanted Room to be malformed, got of the host: roomkit: Invite: denied by GRP-02: "},
		"the field is lost":    {func(t testing.TB) { roomtest.RequireInvalid(t, roomkit.ErrInvalid, "Room") }, `got only "invalid": wrap the error of the service with %w`},
		"created, not offered": {func(t testing.TB) { roomtest.RequireOffered(t, nil) }, "wanted rooms to be offered, got no error: "},
		"the offer is lost":    {func(t testing.TB) { roomtest.RequireOffered(t, roomkit.ErrOffered) }, "wanted rooms to be offered, got offered; "},
		"other rooms":          {func(t testing.TB) { roomtest.RequireOffered(t, offered, launch, crew) }, fmt.Sprintf("wanted the rooms [%s %s] to be offered, got [%[2]s %[1]s];", launch, crew)},
		"denied, not absent":   {func(t testing.TB) { roomtest.RequireNotFound(t, denied) }, "wanted category not_found, got denied, of the host: "},
		"done, no conflict":    {func(t testing.TB) { roomtest.RequireConflict(t, nil) }, "wanted category conflict, got none, no error: "},
		"a fault of the host": {func(t testing.TB) { roomtest.RequireCategory(t, errors.New("one\ntwo"), service.CategoryDenied) },
			"wanted category denied, got internal, one; two;"},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, failure(t, tt.test), tt.says) })
	}
}
