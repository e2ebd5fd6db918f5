package service_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// TestServiceOptions: resolver, contacts, veto and observer.
func TestServiceOptions(t *testing.T) {
	t.Run("directory fills in who is unknown", func(t *testing.T) {
		svc := proof.Service(t, &service.Options{Directory: staffList{}})
		room := crew(t, svc)
		require.True(t, proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("new")}).Changed)
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("ghost")})
		require.ErrorIs(t, err, roomkit.ErrDenied)
		opened := proof.Do(t, svc, roomkit.By("eve"), roomkit.OpenDirect{With: "ben"}, service.Call{Contacts: people("ben")})
		require.True(t, opened.Changed, "a company that is known stays as it is")
		blocked := proof.Service(t, &service.Options{Directory: staffList{}})
		require.True(t, proof.Do(t, blocked, roomkit.By("adm"), roomkit.SuspendUser{User: "new"}).Changed, "whom only the directory knows can be blocked")
	})
	t.Run("nobody is asked in vain", func(t *testing.T) {
		var directory, contacts int
		svc := proof.Service(t, &service.Options{
			Directory: lookup(func(ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
				directory++
				return staffList{}.Users(t.Context(), ids)
			}),
			Contacts: func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) {
				contacts++
				return nil, nil
			},
		})
		directory = 0
		require.True(t, proof.Do(t, svc, roomkit.By("adm"), roomkit.SuspendUser{User: "ben"}).Changed)
		require.Zero(t, directory, "a colleague is known")
		require.True(t, proof.Do(t, svc, roomkit.By("new"), roomkit.OpenDirect{With: "cat"}).Changed)
		require.Equal(t, 1, directory, "whoever acts is looked up once")
		_, err := svc.Do(ctx, roomkit.System(), proof.Team("sales", "ann", "ghost"))
		proof.Refused(t, "TEAM-07", err)
		require.Equal(t, 2, directory)
		require.Zero(t, contacts, "neither an actor nor whom the system names is a contact")
	})
	t.Run("contacts are asked for outsiders", func(t *testing.T) {
		asked := []roomkit.UserID{}
		svc := proof.Service(t, &service.Options{
			Contacts: func(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
				require.Equal(t, roomkit.UserID("ann"), of)
				asked = append(asked, outsiders...)
				return people("eve"), nil
			},
		})
		require.True(t, proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"}).Changed)
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "fay"})
		require.ErrorIs(t, err, roomkit.ErrDenied)
		require.Equal(t, people("eve", "fay"), asked)
	})
	t.Run("a veto narrows", func(t *testing.T) {
		svc := proof.Service(t, &service.Options{Veto: func(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
			if _, edits := cmd.(roomkit.Edit); edits {
				return errors.New("not in office hours")
			}
			return nil
		}})
		room := proof.General(t, svc, "ann", "ben", "cat")
		edit := proof.AnyEdit(t, svc, "ben", room)
		_, err := svc.Do(ctx, roomkit.By("ben"), edit)
		d := proof.Refused(t, "VETO", err)
		require.Contains(t, d.Reason, "office hours")
		_, planned := svc.Plan(ctx, roomkit.By("ben"), edit)
		require.Equal(t, err, planned)
	})
	t.Run("an observer sees every command", func(t *testing.T) {
		var seen []service.CommandReport
		svc := proof.Service(t, &service.Options{Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) { seen = append(seen, r) }}})
		seen = nil
		room := proof.General(t, svc, "ann", "ben", "cat")
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("ann")})
		require.Len(t, seen, 2)
		require.Equal(t, "CreateRoom", seen[0].Name)
		require.True(t, seen[0].Changed)
		require.Equal(t, err, seen[1].Err)
	})
	t.Run("a logger sees every rerun", func(t *testing.T) {
		store := memstore.New()
		room := proof.General(t, proof.ServiceOn(t, store, nil), "ann", "ben", "cat")
		lines := &logged{}
		svc, err := service.New(storetest.NewFaulty(store, storetest.Plan{Script: map[storetest.Method][]storetest.Fault{
			storetest.MethodCommit: {storetest.FaultConflict},
		}}), &service.Options{Logger: slog.New(lines)})
		require.NoError(t, err)
		proof.Touch(t, svc, "ben", room)
		proof.Touch(t, svc, "cat", room)
		require.Len(t, lines.attrs, 1)
		require.Equal(t, "Edit", lines.attrs[0]["command"].String())
		require.EqualValues(t, 1, lines.attrs[0]["attempt"].Int64())
		cause, _ := lines.attrs[0]["cause"].Any().(error)
		require.ErrorIs(t, cause, roomkit.ErrConflict)
	})
	t.Run("bad options", func(t *testing.T) {
		_, err := service.New(nil, nil)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		_, err = service.New(memstore.New(), &service.Options{Attempts: -1})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		_, err = service.New(memstore.New(), &service.Options{GroupTimeout: -time.Second})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
}

type staffList struct{}

func (staffList) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	var users []roomkit.User
	for _, id := range ids {
		if id == "new" {
			users = append(users, roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive})
		}
	}
	return users, []roomkit.Company{{ID: "acme", Licensed: true}}, nil
}

// logged is a slog.Handler that keeps what it is told.
type logged struct {
	mu       sync.Mutex
	attrs    []map[string]slog.Value
	warnings int
}

func (*logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *logged) WithGroup(string) slog.Handler          { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	line := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool { line[a.Key] = a.Value; return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attrs = append(l.attrs, line)
	if r.Level >= slog.LevelWarn {
		l.warnings++
	}
	return nil
}
