package pgstore

import (
	"context"
	"strings"
)

// IsGone asks as a store does that has lost the connection of a commit.
func (s *Store) IsGone(ctx context.Context, pid uint32) (bool, error) {
	gone, _, err := s.lookUp(ctx, nil, pid)
	return gone, err
}

// IsTested judges what a server says it is.
func IsTested(version string) bool { return isTested(version) }

// without gives a store like this one of which some statements have another text.
func (s *Store) without(number int, text string) *Store {
	sql := *s.sql
	sql.one[number], sql.many[number] = newStatement(text), newStatement(text)
	other := &Store{base: s.base, pool: s.pool}
	other.sql, other.reading, other.asking, other.bell.Begin = &sql, other.onPool, other.onReaders, other.listening
	return other
}

// WithoutLocks gives a store that compares what its commits rely on, and keeps nobody from
// changing it then.
func (s *Store) WithoutLocks() *Store {
	return s.without(lockSubjects, `SELECT $1::bigint, $2::bigint[], $3::boolean[]`)
}

// WithoutHorizon gives a store whose feed has all that can be seen.
func (s *Store) WithoutHorizon() *Store {
	return s.without(oldestInFlight, `SELECT 1::bigint, 1::bigint WHERE false`)
}

// Rights are what New demands, by the names of tables and sequences.
func Rights() map[string][]string {
	all := map[string][]string{}
	for name, may := range rights {
		all[defaultPrefix+name] = strings.Fields(may)
	}
	return all
}
