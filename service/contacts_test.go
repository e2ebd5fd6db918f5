package service

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// TestContactsAreThoseOfTheCommand: of an address book only those whom a command names are
// looked through while others wait, whatever stands beside them.
func TestContactsAreThoseOfTheCommand(t *testing.T) {
	s, err := New(memstore.New(), nil)
	require.NoError(t, err)
	book := []roomkit.UserID{"eve", "fay", "eve"}
	for i := range 10_000 {
		book = append(book, roomkit.UserID(fmt.Sprint("x", i)))
	}
	call := []Call{{Contacts: append(book, "lin")}}
	cmd := roomkit.CreateExternalGroup{Name: "x", Members: []roomkit.UserID{"lin", "gus"}, Masters: []roomkit.UserID{"eve"}}
	j, err := s.newJob(t.Context(), roomkit.By("ann"), cmd, call)
	require.NoError(t, err)
	require.Equal(t, []roomkit.UserID{"eve", "lin"}, j.contacts)
	c := choosing{people: []roomkit.UserID{"ann", "eve"}}
	require.NoError(t, c.take(call, []roomkit.UserID{"lin"}))
	require.Equal(t, []roomkit.UserID{"eve", "lin"}, c.contacts)
}
