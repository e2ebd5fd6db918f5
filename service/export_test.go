package service

// Waiting is how many calls wait behind those that run, for tests that need
// commands to pile up.
func Waiting(s *Service) int {
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	return len(s.batches.waiting)
}
