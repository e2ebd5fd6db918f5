package pgstore

import "context"

// IsGone asks as a store does that has lost the connection of a commit.
func (s *Store) IsGone(ctx context.Context, pid uint32) (bool, error) {
	gone, _, err := s.lookUp(ctx, nil, pid)
	return gone, err
}

// IsTested judges what a server says it is.
func IsTested(version string) bool { return isTested(version) }
