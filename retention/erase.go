package retention

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// EraseOptions configure [Erase].
type EraseOptions struct {
	// Pseudonym is the id that the person has from now on, for instance from
	// [NewPseudonym]. Required. Store it before the call: whoever calls again after an
	// interruption has to give the same one.
	Pseudonym roomkit.UserID
	// DryRun counts and changes nothing.
	DryRun bool
	// Clock gives the time of the events that the erasure stores. Defaults to time.Now.
	Clock func() time.Time
	// Progress is called after every page of the feed and at the end.
	Progress func(EraseReport)
}

// EraseReport says what an [Erase] has done, or would do.
type EraseReport struct {
	Read     int64 `json:"read,omitzero"`     // records of the feed and events of bases, looked through
	Subjects int64 `json:"subjects,omitzero"` // rooms, users, companies and teams whose history names the person
	Events   int64 `json:"events,omitzero"`   // written anew; of a dry run, that would be
	DryRun   bool  `json:"dry_run,omitzero"`
	Done     bool  `json:"done,omitzero"`
}

// ErrNotDeleted means that the account has not ended, or that the person is still in a
// room: send roomkit.DeleteUser, run Service.Enforce, and call again. If the events that tell
// Enforce of it were pruned (PruneOptions.Ignore), take the person out with roomkit.Expel. It
// is a [roomkit.ErrConflict].
var ErrNotDeleted = fmt.Errorf("%w: the person has to be deleted, and swept out of all rooms by Enforce, before the id is erased", roomkit.ErrConflict)

// NewPseudonym draws an id of 33 characters that says nothing of anybody.
func NewPseudonym() roomkit.UserID {
	return roomkit.UserID("erased-" + strings.ToLower(rand.Text()))
}

// Erase replaces the id of a deleted person by a pseudonym: in the rows of users, rooms,
// people and teams, and in all stored events. Everything else stays as it is, so that
// counts, access and histories of others are the same. Afterwards there is a deleted
// account of the pseudonym, and no user of the old id.
//
// It reads all that the store has of its feed and rewrites one subject after the other, each in one
// transaction that takes as long as the history of the subject is; services can work
// meanwhile, and see either id in what they read; until it is done, who shares a Direct room
// with the person may be refused to write there. Killed at any point, it leaves a store
// that package verify finds right; called again with the same pseudonym, it finishes, and
// once more, it changes nothing. (With another one it would leave what the first call has
// renamed under the first one.) Active rooms and teams whose rows named the person get an
// event that changes nothing (room.renamed with the same name, team.synced with the same
// members), so that no command that was decided on the old row can bring the id back.
// Cursors and checkpoints hold. The feed does not tell of an erasure; a host that keeps
// copies erases them itself.
//
// What it does not reach is in docs/privacy.md: ids of Self and Direct rooms and of keyed
// commands, which are hashes with the old id in them, text that people wrote, backups.
//
// Errors: [ErrNotDeleted]; roomkit.ErrNotFound if there is no such user and no user of the
// pseudonym; roomkit.ErrConflict if the pseudonym is somebody else's; roomkit.ErrInvalid
// for malformed ids, or if an event of many people would grow longer than MaxEventBytes (take a
// shorter pseudonym); roomkit.ErrUnsupported for a store that is no [store.Eraser] or has
// events of a newer version that may name the person; errors of the store.
func Erase(ctx context.Context, s store.Store, user roomkit.UserID, o EraseOptions) (EraseReport, error) {
	e := &eraser{store: s, o: o, renamer: renamer{user, o.Pseudonym}, seen: map[roomkit.Subject]bool{}}
	e.report.DryRun = o.DryRun
	if e.o.Clock == nil {
		e.o.Clock = time.Now //nolint:forbidigo // the default
	}
	done, err := e.begin(ctx)
	if err == nil && !done {
		err = e.scan(ctx)
	}
	if err == nil && !done && !o.DryRun {
		_, err = e.rename(ctx, roomkit.UserSubject(user))
	}
	e.report.Done = err == nil
	if o.Progress != nil {
		o.Progress(e.report)
	}
	return e.report, err
}

type eraser struct {
	renamer
	store  store.Store
	by     store.Eraser
	o      EraseOptions
	seen   map[roomkit.Subject]bool // done by this call
	report EraseReport
}

// begin looks whether the person can be erased, or has been: the account goes last.
func (e *eraser) begin(ctx context.Context) (done bool, err error) {
	var ok bool
	if e.by, ok = store.Capability[store.Eraser](e.store); !ok {
		return false, fmt.Errorf("%w: the store is no store.Eraser", roomkit.ErrUnsupported)
	}
	switch {
	case !e.from.Valid():
		return false, &roomkit.Invalid{Field: "User", Reason: "not an id"}
	case !e.to.Valid() || e.from == e.to:
		return false, &roomkit.Invalid{Field: "Pseudonym", Reason: "not an id, or that of the user"}
	}
	facts, err := store.Ask(ctx, e.store, []store.Need{{People: []roomkit.UserID{e.from}}, {People: []roomkit.UserID{e.to}}})
	if err != nil {
		return false, err
	}
	is, will := facts[0].Users, facts[1].Users
	switch {
	case len(is) > 0 && is[0].Status != roomkit.StatusDeleted:
		return false, ErrNotDeleted
	case len(is) > 0 && len(will) > 0:
		return false, fmt.Errorf("%w: there is a user %s already", roomkit.ErrConflict, e.to)
	case len(is) == 0 && len(will) == 0:
		return false, fmt.Errorf("%w: no user %s", roomkit.ErrNotFound, e.from)
	case len(is) == 0 && will[0].Status != roomkit.StatusDeleted:
		return false, fmt.Errorf("%w: %s is the id of somebody else", roomkit.ErrConflict, e.to)
	}
	in, err := e.store.Rooms(ctx, store.RoomQuery{User: e.from, Limit: 1})
	if err == nil && len(in) > 0 {
		err = ErrNotDeleted
	}
	return len(is) == 0, err
}

// scan looks at all that is left of all subjects, from the beginning again if the store is
// pruned meanwhile.
func (e *eraser) scan(ctx context.Context) error {
	before := e.report
	for range maxTries {
		err := e.scanOnce(ctx)
		if !errors.Is(err, roomkit.ErrPruned) {
			return err
		}
		if e.o.DryRun {
			e.report, e.seen = before, map[roomkit.Subject]bool{}
		}
	}
	return fmt.Errorf("%w: the store does not stop being pruned", roomkit.ErrConflict)
}

// scanOnce reads the bases and the feed, and renames in every subject that it finds named. Those
// that name the pseudonym are looked at again: an earlier call may have been killed before it was
// done with them.
func (e *eraser) scanOnce(ctx context.Context) error {
	begin, err := store.FeedBegin(ctx, e.store)
	if err != nil {
		return err
	}
	for page, err := range store.BasePages(ctx, e.store) {
		if err != nil {
			return err
		}
		var events []store.Record
		for _, b := range page {
			for _, data := range b.Events {
				events = append(events, store.Record{Subject: b.Subject, Version: b.Version, Data: data})
			}
		}
		if err := e.page(ctx, events); err != nil {
			return err
		}
	}
	for page, err := range store.FeedPages(ctx, e.store, begin) {
		if err != nil {
			return err
		}
		if err := e.page(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) page(ctx context.Context, page []store.Record) error {
	for i := range page {
		rec := &page[i]
		e.report.Read++
		if e.o.DryRun {
			if err := e.count(rec); err != nil {
				return err
			}
		} else if e.concerns(rec) {
			e.seen[rec.Subject] = true
			if err := e.subject(ctx, rec.Subject); err != nil {
				return err
			}
		}
	}
	if e.o.Progress != nil {
		e.o.Progress(e.report)
	}
	return nil
}

// concerns leaves the person's own subject for the end.
func (e *eraser) concerns(rec *store.Record) bool {
	own := rec.Subject == roomkit.UserSubject(e.from) || rec.Subject == roomkit.UserSubject(e.to)
	return !own && !e.seen[rec.Subject] && (names(rec, e.from) || names(rec, e.to))
}

func (e *eraser) count(rec *store.Record) error {
	data, err := e.record(*rec)
	if err != nil || data == nil {
		return err
	}
	e.report.Events++
	if !e.seen[rec.Subject] {
		e.seen[rec.Subject] = true
		e.report.Subjects++
	}
	return nil
}

// maxTries bounds how often a subject is renamed that others change at the same time.
const maxTries = 100

// subject renames until nobody who knew the old row can write it any more.
func (e *eraser) subject(ctx context.Context, of roomkit.Subject) error {
	for range maxTries {
		done, err := e.rename(ctx, of)
		if err != nil {
			return err
		}
		err = e.settle(ctx, of, done.Version)
		if !errors.Is(err, roomkit.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("%w: %s does not stop changing", roomkit.ErrConflict, of)
}

func (e *eraser) rename(ctx context.Context, of roomkit.Subject) (store.Renamed, error) {
	done, err := e.by.Rename(ctx, store.Renaming{Subject: of, From: e.from, To: e.to, Event: e.record})
	if err == nil && done.Events > 0 {
		e.report.Events += done.Events
		e.report.Subjects++
	}
	return done, err
}

// settle makes the next version of an active room or a team with an event that changes
// nothing. It is ErrConflict if the version is not that of the renaming any more.
func (e *eraser) settle(ctx context.Context, of roomkit.Subject, version roomkit.Version) error {
	need := store.Need{Room: of.Room}
	if of.Type == roomkit.SubjectTeam {
		need = store.Need{Team: roomkit.TeamKey(of.ID)}
	} else if of.Type != roomkit.SubjectRoom {
		return nil // their rows name nobody
	}
	facts, err := store.Ask(ctx, e.store, []store.Need{need})
	if err != nil {
		return err
	}
	room, team := facts[0].Room, facts[0].Team
	if of.Type == roomkit.SubjectRoom && room.State != roomkit.StateActive {
		return nil // what ended is not written any more, or begins anew
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	meta := roomkit.Meta{Subject: of, Version: version + 1, At: e.o.Clock().UTC().Truncate(time.Microsecond), Actor: roomkit.System(), Command: roomkit.CommandID(id)}
	c := store.Change{Command: meta.Command, Expect: []store.Expect{{Subject: of, Version: version}}}
	var event roomkit.Event
	if of.Type == roomkit.SubjectRoom {
		if meta.At.Before(room.ChangedAt) {
			meta.At = room.ChangedAt
		}
		meta.Kind, meta.Notify = room.Kind, room.Notify
		event = &roomkit.RoomRenamed{Meta: meta, From: room.Name, To: room.Name, NameKey: room.NameKey}
		c.Rooms, c.Outcome.Room = []roomkit.Room{room.Apply(event)}, of.Room
	} else {
		event = &roomkit.TeamSynced{
			Meta: meta, Company: team.Company, Name: team.Name, Leader: team.Leader, Room: team.Room, Features: team.Features,
			Photo: team.Photo, Preset: team.Preset, Notify: team.Notify, Seq: team.SyncedSeq,
		}
		c.Teams = []roomkit.Team{team.Apply(event)}
	}
	return e.commit(ctx, c, event)
}

func (e *eraser) commit(ctx context.Context, c store.Change, event roomkit.Event) error {
	data, err := codec.Encode(nil, event)
	if err != nil {
		return err
	}
	info := event.Info()
	c.Digest = sha256.Sum256(data)
	c.Records = []store.Record{{Subject: info.Subject, Version: info.Version, Type: event.Type(), At: info.At, Command: info.Command, Data: data}}
	c.Outcome = store.Outcome{Command: c.Command, Digest: c.Digest, Room: c.Outcome.Room, Changed: true, Events: []store.EventAt{{Subject: info.Subject, Version: info.Version}}}
	results, err := e.store.Commit(ctx, []store.Change{c})
	if err == nil && len(results) == 1 {
		err = results[0].Err
	}
	return cmp.Or(err, ctx.Err())
}
