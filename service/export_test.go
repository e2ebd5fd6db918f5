package service

// Waiting is how many calls wait behind those that run, for tests that need
// commands to pile up.
func Waiting(s *Service) int {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	return len(s.lanes.waiting)
}
