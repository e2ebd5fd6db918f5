package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/verify"
)

func TestCategoryOf(t *testing.T) {
	seen := map[service.Category]bool{}
	for _, c := range []struct {
		name string
		err  error
		want service.Category
	}{
		{"nothing", nil, service.CategoryNone},
		{"malformed", &roomkit.Invalid{Field: "Name"}, service.CategoryInvalid},
		{"an unknown actor", &roomkit.Denied{Rule: "COM-16"}, service.CategoryUnknownActor},
		{"unknown people", &roomkit.Denied{Rule: "CRE-49"}, service.CategoryDenied},
		{"a veto", &roomkit.Denied{Rule: "VETO"}, service.CategoryDenied},
		{"no room", roomkit.ErrNotFound, service.CategoryNotFound},
		{"rooms to choose from", &roomkit.Offered{}, service.CategoryOffered},
		{"others were faster", roomkit.ErrConflict, service.CategoryConflict},
		{"a used key", roomkit.ErrCommandReused, service.CategoryReused},
		{"forgotten events", &roomkit.Pruned{}, service.CategoryPruned},
		{"given up", context.Canceled, service.CategoryCanceled},
		{"too slow", context.DeadlineExceeded, service.CategoryCanceled},
		{"a busy store", fmt.Errorf("%w: %w", roomkit.ErrUnavailable, context.DeadlineExceeded), service.CategoryUnavailable},
		{"an unknown outcome of a refused command", fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, &roomkit.Denied{Rule: "COM-16"}), service.CategoryUnknownOutcome},
		{"newer data", roomkit.ErrUnsupported, service.CategoryUnsupported},
		{"rows that do not fit", &verify.Inconsistency{}, service.CategoryInternal},
		{"a driver", errors.New("something else"), service.CategoryInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, service.CategoryOf(c.err))
			if c.err != nil {
				require.Equal(t, c.want, service.CategoryOf(&roomkit.Error{Op: "Do", Err: c.err}), "with its place")
			}
		})
		seen[c.want] = true
	}
	for _, category := range enum.Values(service.CategoryNone) {
		require.True(t, seen[category], "add an error of category %s to the table", category)
		require.Equal(t, category == service.CategoryNone, category.HTTPStatus() < 400, category)
		require.NotEmpty(t, http.StatusText(category.HTTPStatus()), category)
	}
	require.Equal(t, http.StatusInternalServerError, service.Category(99).HTTPStatus())
}

// A server makes its status from the category, and logs it.
func ExampleCategoryOf() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	for _, user := range []roomkit.UserID{"ann", "eve", "nobody", ""} {
		err := svc.Check(ctx, user, roomkit.ActionDelete, room)
		category := service.CategoryOf(err)
		fmt.Printf("%q: %s, status %d\n", user, category, category.HTTPStatus())
	}
	// Output:
	// "ann": denied, status 403
	// "eve": not_found, status 404
	// "nobody": not_found, status 404
	// "": invalid, status 400
}

// TestEverySentinelHasACategory: a new one is told from errors that nobody knows.
func TestEverySentinelHasACategory(t *testing.T) {
	for _, sentinel := range roomkit.Sentinels() {
		require.NotEqual(t, service.CategoryNone, service.CategoryOf(sentinel), "service/category.go: categoryOf lacks %q", sentinel)
	}
}

// errOfHost stands for an error of a function of the host.
var errOfHost = errors.New("a fault of the host")

// isError demands an error. What is the host's fault has no words of this library in it,
// by which a caller would take it for its own, neither here nor behind the wire.
func isError(t *testing.T, want, err error) {
	t.Helper()
	if !errors.Is(want, errOfHost) {
		require.ErrorIs(t, err, want)
		return
	}
	var place *roomkit.Error
	require.ErrorAs(t, err, &place)
	wire, failed := json.Marshal(place)
	require.NoError(t, failed)
	var read roomkit.Error
	require.NoError(t, json.Unmarshal(wire, &read))
	for _, e := range []error{err, &read} {
		require.Equal(t, service.CategoryInternal, service.CategoryOf(e))
		for _, sentinel := range roomkit.Sentinels() {
			require.NotErrorIs(t, e, sentinel)
		}
	}
}
