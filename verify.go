package roomkit

import (
	"context"
	"errors"
	"fmt"
)

// Inconsistency is a place where a store's rows, events and counts contradict
// each other. errors.Is(err, ErrInconsistent) holds.
type Inconsistency struct {
	Subject Subject
	What    string // for instance "row", "feed", "members", "groups"
	Detail  string
}

// Error describes the contradiction.
func (i *Inconsistency) Error() string {
	return fmt.Sprintf("%s: %s: %s", i.Subject, i.What, i.Detail)
}

// Unwrap makes an Inconsistency an [ErrInconsistent].
func (i *Inconsistency) Unwrap() error { return ErrInconsistent }

// VerifyProgress says how far [Verify] has come.
type VerifyProgress struct {
	Records         int64 // read from the feed
	Rooms           int64 // checked
	People          int64 // rows of people in rooms, ended ones included, checked
	Inconsistencies int64 // found
}

// maxInconsistencies ends a verification that would only go on complaining.
const maxInconsistencies = 100

// Verify reads the whole feed of a store, folds the events of every room, user,
// company and team and compares the result with the stored rows, counts,
// digests, lists and tallies. It returns nil, an error of the store, or the
// [*Inconsistency] errors it found, joined, at most 100.
//
// progress may be nil; it is called after every page of the feed and at the end.
// Verify writes nothing. It can run beside writers: a room that changes while it
// is compared is compared again, and what only a quiet store can promise (tallies
// and lists of users) is left out if the feed has grown meanwhile. It costs about
// two reads of every event, and memory in proportion to the number of subjects.
func Verify(ctx context.Context, s Store, progress func(VerifyProgress)) error {
	v := &verifier{
		store: s, seen: map[Subject]Version{}, rows: map[Subject]Version{},
		takes: map[UserID]int64{}, groups: map[UserID]int64{}, owns: map[CompanyID]int64{},
	}
	err := v.feed(ctx, progress)
	if err == nil {
		err = v.complete()
	}
	if err == nil {
		err = v.tallies(ctx)
	}
	if progress != nil {
		progress(v.VerifyProgress)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return &Error{Op: "Verify", Err: err}
	}
	return errors.Join(v.found...)
}

var errEnough = errors.New("too many inconsistencies")

type verifier struct {
	VerifyProgress
	store Store
	seen  map[Subject]Version // the newest version in the feed
	rows  map[Subject]Version // the version with which the row was compared
	end   Cursor
	found []error

	// What the folded rooms say, to be compared with lists and tallies.
	takes  map[UserID]int64 // rooms in which the user takes part or manages
	groups map[UserID]int64
	owns   map[CompanyID]int64 // active groups
}

func (v *verifier) complain(of Subject, what, format string, args ...any) error {
	v.found = append(v.found, &Inconsistency{of, what, fmt.Sprintf(format, args...)})
	v.Inconsistencies++
	if len(v.found) >= maxInconsistencies {
		return errEnough
	}
	return nil
}

// feed checks that every subject's records come in order without gaps, and
// checks every subject as soon as it is met.
func (v *verifier) feed(ctx context.Context, progress func(VerifyProgress)) error {
	for {
		page, err := v.store.Feed(ctx, v.end, MaxPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			rec := &page[i]
			v.Records++
			before, known := v.seen[rec.Subject]
			v.seen[rec.Subject] = rec.Version
			if rec.Version != before+1 {
				if err := v.complain(rec.Subject, "feed", "version %d follows %d", rec.Version, before); err != nil {
					return err
				}
			}
			if !known {
				if err := v.subject(ctx, rec.Subject); err != nil {
					return err
				}
			}
		}
		v.end = page[len(page)-1].Cursor
		if progress != nil {
			progress(v.VerifyProgress)
		}
	}
}

// complete checks that the feed, which was read to its end after the rows, has
// all that the rows have.
func (v *verifier) complete() error {
	for of, version := range v.rows {
		if seen := v.seen[of]; seen < version {
			if err := v.complain(of, "feed", "ends at version %d, the row has %d", seen, version); err != nil {
				return err
			}
		}
	}
	for user := range v.takes {
		if of := UserSubject(user); v.seen[of] == 0 {
			if err := v.complain(of, "feed", "has no record of this user"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verifier) subject(ctx context.Context, of Subject) error {
	if of.Type == SubjectRoom {
		v.Rooms++
		return v.room(ctx, of)
	}
	need := Need{}
	switch of.Type {
	case SubjectUser:
		need.People = []UserID{UserID(of.ID)}
	case SubjectCompany:
		need.Companies = []CompanyID{CompanyID(of.ID)}
	default:
		need.Team = TeamID(of.ID)
	}
	f, err := v.load(ctx, need)
	if err != nil {
		return err
	}
	return v.compareDirectory(ctx, of, f)
}

func (v *verifier) load(ctx context.Context, n Need) (*Facts, error) {
	facts, err := ask(ctx, v.store, []Need{n})
	if err != nil {
		return nil, err
	}
	return &facts[0], nil
}

// events gives the decoded events of a subject up to a version to fold. It
// reports whether all of them are known to this version of the library.
func (v *verifier) events(ctx context.Context, of Subject, upTo Version, fold func(Event)) (known bool, err error) {
	known = true
	for at := Version(0); at < upTo; {
		page, err := v.store.History(ctx, of, at, MaxPage)
		if err != nil {
			return false, err
		}
		if len(page) == 0 {
			return false, v.complain(of, "history", "ends at version %d, the row has %d", at, upTo)
		}
		for i := range page {
			if page[i].Version > upTo {
				break
			}
			e, complaint := checkRecord(of, &page[i], at+1)
			if complaint != "" {
				return false, v.complain(of, "history", "%s", complaint)
			}
			if _, unknown := e.(*Unknown); unknown {
				known = false
			}
			fold(e)
			at++
		}
	}
	return known, nil
}

// checkRecord compares the envelope of a record with the event in it.
func checkRecord(of Subject, rec *Record, want Version) (Event, string) {
	if rec.Subject != of || rec.Version != want {
		return nil, fmt.Sprintf("%s/%d stands where version %d should", rec.Subject, rec.Version, want)
	}
	e, err := decodeRecord(*rec)
	if err != nil {
		return nil, err.Error()
	}
	info := e.Info()
	if info.Subject != of || info.Version != rec.Version || !info.At.Equal(rec.At) || info.Command != rec.Command || e.Type() != rec.Type {
		return nil, fmt.Sprintf("the event of version %d is not that of its record", want)
	}
	return e, ""
}
