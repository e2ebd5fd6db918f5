package pgstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/go-roomkit/roomkit"
)

// fewSubjects is how many subjects of a type a transaction locks one by one. The server has room
// for some thousand locks of all transactions together. roomkit_settle has the same number.
const fewSubjects = 200

// subjectLock is a lock that a transaction takes alone or shared.
type subjectLock struct {
	key   int64
	alone bool
}

// subjectLocks gives the locks that keep what a batch has relied on from being written until its
// commit. Who writes a subject takes its lock alone, who relies on it takes it shared; writers of
// one subject have its row to exclude each other. Every type has two locks more, for those who
// write or rely on more than a few:
//
//	                    each subject   "any TYPE"   "all TYPE"
//	relies on a few     shared         shared
//	relies on many                                  alone
//	writes a few        alone                       shared
//	writes many                        alone        shared
//
// Whoever relies and whoever writes thus have a lock in common. All are taken in the order of their keys.
func (b *batch) subjectLocks(lock int64, few int) []subjectLock {
	var relied, written [roomkit.SubjectTeam + 1]int
	for of := range b.base {
		if b.writes(&of) {
			written[of.Type]++
		} else {
			relied[of.Type]++
		}
	}
	list := make([]subjectLock, 0, len(b.base)+4)
	add := func(name string, alone bool) { list = append(list, subjectLock{keyOfLock(lock, name), alone}) }
	for of := range b.base {
		switch writes := b.writes(&of); {
		case writes && written[of.Type] <= few:
			add(of.String(), true)
		case !writes && relied[of.Type] <= few:
			add(of.String(), false)
		}
	}
	for i := range relied {
		anyOf, allOf := "any "+roomkit.SubjectType(i).String(), "all "+roomkit.SubjectType(i).String()
		if relied[i] > few || written[i] > 0 {
			add(allOf, relied[i] > few)
		}
		if written[i] > few || relied[i] > 0 && relied[i] <= few {
			add(anyOf, written[i] > few)
		}
	}
	slices.SortFunc(list, func(a, b subjectLock) int { return cmp.Compare(a.key, b.key) })
	return list
}

// keyOfLock gives the key of a lock with a name; roomkit_settle makes the same.
func keyOfLock(lock int64, name string) int64 {
	sum := sha256.Sum256([]byte(strconv.FormatInt(lock, 10) + " " + name))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// spaceOf gives the number, of 23 bits, that is in the keys of the locks by which transactions
// say from where on they draw places; see horizon.
func spaceOf(lock int64) int64 { return lock & (1<<23 - 1) }

// firstLock gives the lock_key that tables had in the first version of the schema, so that those who
// erase or prune exclude others who do so with the package of that version.
func firstLock(lock int64) int64 { return lock ^ 1<<62 }
