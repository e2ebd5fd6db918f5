package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// effort is what a question costs: what the store and the host are asked.
type effort struct{ loads, commits, directory, contacts int }

// observed is a stage on which all that is asked is counted. The host knows fay, whom the
// store knows, and kim, whom it does not, both of another company, and nobody as a contact.
type observed struct {
	*proof.Stage
	service *service.Service
	store   *storetest.Faulty
	effort  effort
}

func newObserved(t *testing.T) *observed {
	t.Helper()
	w := &observed{Stage: proof.NewStage(t)}
	w.store = storetest.NewFaulty(w.Store, storetest.Plan{})
	var err error
	w.service, err = service.New(w.store, &service.Options{
		Clock: w.Clock.Now,
		Directory: lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			w.effort.directory++
			kim := roomkit.Company{ID: "zinc", Licensed: true, Partners: roomkit.ExternalAll}
			return []roomkit.User{active("fay", "bolt"), active("kim", "zinc")}, []roomkit.Company{kim}, nil
		}),
		Contacts: func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) {
			w.effort.contacts++
			return nil, nil
		},
	})
	require.NoError(t, err)
	return w
}

// costs says what a call about somebody is told and what it costs; it has to leave the
// store as it was.
func (w *observed) costs(who roomkit.UserID, call func() error) (string, effort) {
	w.Helper()
	w.effort = effort{}
	loads, commits, records := w.store.Calls(storetest.MethodLoad), w.store.Calls(storetest.MethodCommit), w.Records()
	err := call()
	require.Equal(w, records, w.Records(), "a refusal leaves the store as it was")
	w.effort.loads = w.store.Calls(storetest.MethodLoad) - loads
	w.effort.commits = w.store.Calls(storetest.MethodCommit) - commits
	return strings.ReplaceAll(fmt.Sprint(err), string(who), "x"), w.effort
}

// strange are commands about somebody whom the actor may not know, by who may give them.
func strange(s *proof.Stage) map[string]struct {
	by  roomkit.UserID
	cmd func(who roomkit.UserID) roomkit.Command
} {
	with := func(who roomkit.UserID) []roomkit.UserID { return people("ben", who) }
	return map[string]struct {
		by  roomkit.UserID
		cmd func(who roomkit.UserID) roomkit.Command
	}{
		"OpenDirect": {"ann", func(who roomkit.UserID) roomkit.Command { return roomkit.OpenDirect{With: who} }},
		"CreateRoom of one": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateRoom{People: people(who)}
		}},
		"CreateRoom": {"ann", func(who roomkit.UserID) roomkit.Command { return roomkit.CreateRoom{People: with(who)} }},
		"CreateRoom of outsiders": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateRoom{People: with(who), Audience: roomkit.AudienceExternal}
		}},
		"CreateRoom from a room": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateRoom{People: with(who), Origin: roomkit.OriginRoom, Source: s.Group}
		}},
		"CreateRoom that exists": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateRoom{People: with(who), Existing: s.General}
		}},
		"CreateGroup": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateGroup{Name: "new", Members: with(who), Masters: people(who)}
		}},
		"CreateExternalGroup": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.CreateExternalGroup{Name: "new", Members: with(who)}
		}},
		"Invite to a 1:1 room": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.Invite{Room: s.Direct, People: people("dan", who)}
		}},
		"Invite to a General room": {"ben", func(who roomkit.UserID) roomkit.Command {
			return roomkit.Invite{Room: s.General, People: people("dan", who)}
		}},
		"Invite to a group": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.Invite{Room: s.Group, People: people(who)}
		}},
		"Invite to an external group": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.Invite{Room: s.External, People: people(who)}
		}},
		"AppointMasters": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.AppointMasters{Room: s.Group, People: people(who)}
		}},
		"HandOver": {"ann", func(who roomkit.UserID) roomkit.Command { return roomkit.HandOver{Room: s.Group, To: who} }},
		"Remove": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.Remove{Room: s.Group, People: people(who)}
		}},
		"DismissMasters": {"ann", func(who roomkit.UserID) roomkit.Command {
			return roomkit.DismissMasters{Room: s.Group, People: people(who)}
		}},
		"SuspendUser": {"adm", func(who roomkit.UserID) roomkit.Command { return roomkit.SuspendUser{User: who} }},
		"DeleteUser":  {"adm", func(who roomkit.UserID) roomkit.Command { return roomkit.DeleteUser{User: who} }},
		"RestoreUser": {"adm", func(who roomkit.UserID) roomkit.Command { return roomkit.RestoreUser{User: who} }},
		"SetUserMessaging": {"adm", func(who roomkit.UserID) roomkit.Command {
			return roomkit.SetUserMessaging{User: who, With: roomkit.OutsiderPartner, Allow: new(true)}
		}},
		"SyncTeam": {"adm", func(who roomkit.UserID) roomkit.Command { return proof.Team("hr", "ann", "ann", who) }},
	}
}

// TestStrangersAreAlike: whether somebody exists elsewhere, whether or not the store knows
// of it, or not at all, the answer is the same, and so is the work for it.
func TestStrangersAreAlike(t *testing.T) {
	type way func(w *observed, by roomkit.Actor, cmd func(roomkit.UserID) roomkit.Command, who roomkit.UserID) error
	ways := map[string]way{
		"Do": func(w *observed, by roomkit.Actor, cmd func(roomkit.UserID) roomkit.Command, who roomkit.UserID) error {
			_, err := w.service.Do(ctx, by, cmd(who))
			return err
		},
		"Plan": func(w *observed, by roomkit.Actor, cmd func(roomkit.UserID) roomkit.Command, who roomkit.UserID) error {
			_, err := w.service.Plan(ctx, by, cmd(who))
			return err
		},
		"Choose, named already": func(w *observed, by roomkit.Actor, cmd func(roomkit.UserID) roomkit.Command, who roomkit.UserID) error {
			_, err := w.service.Choose(ctx, by, cmd(who), people("cat"))
			return err
		},
		"Choose": func(w *observed, by roomkit.Actor, cmd func(roomkit.UserID) roomkit.Command, who roomkit.UserID) error {
			list, err := w.service.Choose(ctx, by, cmd("cat"), people("adm", who))
			if err != nil {
				return err
			}
			return fmt.Errorf("%w: %v", errDiskFull, list)
		},
	}
	for name := range strange(&proof.Stage{}) {
		t.Run(name, func(t *testing.T) {
			for kind, how := range ways {
				ask := func(who roomkit.UserID) (string, effort) {
					w := newObserved(t)
					c := strange(w.Stage)[name]
					return w.costs(who, func() error { return how(w, roomkit.By(c.by), c.cmd, who) })
				}
				said, cost := ask("ghost")
				for _, who := range people("fay", "kim") {
					saidOf, costOf := ask(who)
					require.Equal(t, said, saidOf, "%s of %s", kind, who)
					require.Equal(t, cost, costOf, "%s of %s", kind, who)
				}
				if kind == "Do" && name != "DismissMasters" { // which has nothing to do
					require.NotEqual(t, "<nil>", said)
				}
			}
		})
	}
}

// TestAuthorisedFirst: whoever may not give a command at all is told so, and neither is the
// host asked about the people, nor anybody stored.
func TestAuthorisedFirst(t *testing.T) {
	for name, test := range map[string]struct {
		by  roomkit.UserID
		cmd func(w *observed) roomkit.Command
	}{
		"into a room of others": {"dan", func(w *observed) roomkit.Command {
			return roomkit.Invite{Room: w.General, People: people("kim")}
		}},
		"no Group Master": {"cat", func(w *observed) roomkit.Command {
			return roomkit.AppointMasters{Room: w.Group, People: people("kim")}
		}},
		"into a group, as a member": {"cat", func(w *observed) roomkit.Command {
			return roomkit.Invite{Room: w.External, People: people("kim")}
		}},
		"from a room of others": {"dan", func(w *observed) roomkit.Command {
			return roomkit.CreateRoom{People: people("kim", "ben"), Origin: roomkit.OriginRoom, Source: w.Group}
		}},
		"a room that is not shared": {"ann", func(w *observed) roomkit.Command {
			return roomkit.CreateRoom{People: people("kim", "ben"), Existing: w.General}
		}},
		"a consumer": {"lin", func(*observed) roomkit.Command { return roomkit.CreateRoom{People: people("kim", "ben")} }},
		"no right to create groups": {"ben", func(w *observed) roomkit.Command {
			w.Sys(roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)})
			return roomkit.CreateGroup{Name: "new", Members: people("kim")}
		}},
		"no right to talk with outsiders": {"ben", func(w *observed) roomkit.Command {
			w.Permit("ben", false)
			return roomkit.CreateExternalGroup{Name: "new", Members: people("kim")}
		}},
		"suspended": {"ben", func(w *observed) roomkit.Command {
			w.Sys(roomkit.SuspendUser{User: "ben"})
			return roomkit.OpenDirect{With: "kim"}
		}},
		"no administrator": {"ben", func(*observed) roomkit.Command { return roomkit.DeleteUser{User: "kim"} }},
		"no administrator of the team": {"eve", func(*observed) roomkit.Command {
			return proof.Team("hr", "ann", "ann", "kim")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newObserved(t)
			cmd := test.cmd(w)
			for kind, call := range map[string]func() error{
				"Do":   func() error { _, err := w.service.Do(ctx, roomkit.By(test.by), cmd); return err },
				"Plan": func() error { _, err := w.service.Plan(ctx, roomkit.By(test.by), cmd); return err },
				"Choose": func() error {
					_, err := w.service.Choose(ctx, roomkit.By(test.by), cmd, people("ghost"))
					return err
				},
			} {
				said, cost := w.costs("kim", call)
				require.NotEqual(t, "<nil>", said, kind)
				require.Zero(t, cost.directory+cost.contacts+cost.commits, "%s asks about people: %s", kind, said)
			}
		})
	}
}

// TestOnlyWhoComesIsStored: whom the directory knows is stored with the command that needs
// them, and with no other.
func TestOnlyWhoComesIsStored(t *testing.T) {
	w := newObserved(t)
	invite := roomkit.Invite{Room: w.External, People: people("kim")}
	_, cost := w.costs("kim", func() error { _, err := w.service.Do(ctx, roomkit.By("ann"), invite); return err })
	require.Equal(t, effort{loads: 2, directory: 1, contacts: 1}, cost, "no contact of ann's")
	done := proof.Do(t, w.service, roomkit.By("ann"), invite, service.Call{Contacts: people("kim")})
	require.True(t, done.Changed)
	kim, err := w.User(ctx, "kim")
	require.NoError(t, err)
	require.Equal(t, roomkit.CompanyID("zinc"), kim.Company)
}
