package pgstore

import "github.com/go-roomkit/roomkit"

// fewSubjects is how many subjects of a type a transaction locks one by one. The server has room
// for some thousand locks of all transactions together. roomkit_settle has the same number.
const fewSubjects = 200

// subjectLocks names the locks that keep what a batch has relied on from being written until its
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
// Whoever relies and whoever writes thus have a lock in common. All are taken in one order.
func (b *batch) subjectLocks(few int) (alone, shared []string) {
	var relied, written [roomkit.SubjectTeam + 1]int
	for of := range b.base {
		if b.writes(&of) {
			written[of.Type]++
		} else {
			relied[of.Type]++
		}
	}
	for of := range b.base {
		switch writes := b.writes(&of); {
		case writes && written[of.Type] <= few:
			alone = append(alone, of.String())
		case !writes && relied[of.Type] <= few:
			shared = append(shared, of.String())
		}
	}
	for i := range relied {
		anyOf, allOf := "any "+roomkit.SubjectType(i).String(), "all "+roomkit.SubjectType(i).String()
		switch {
		case relied[i] > few:
			alone = append(alone, allOf)
		case relied[i] > 0:
			shared = append(shared, anyOf)
		}
		if written[i] > few {
			alone = append(alone, anyOf)
		}
		if written[i] > 0 {
			shared = append(shared, allOf)
		}
	}
	return alone, shared
}

// spaceOf gives the number, of 23 bits, that is in the keys of the locks by which transactions
// say from where on they draw places; see horizon.
func spaceOf(lock int64) int64 { return lock & (1<<23 - 1) }

// firstLock gives the lock_key that tables had in the first version of the schema, so that those who
// erase or prune exclude others who do so with the package of that version.
func firstLock(lock int64) int64 { return lock ^ 1<<62 }
