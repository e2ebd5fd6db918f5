package roomkit

import (
	"bufio"
	"crypto/rand"
	"sync"

	"github.com/google/uuid"
)

// newIDs gives a source of UUIDv7 that reads randomness in larger pieces.
func newIDs() func() [16]byte {
	var mu sync.Mutex
	random := bufio.NewReaderSize(rand.Reader, 4096)
	return func() [16]byte {
		mu.Lock()
		defer mu.Unlock()
		// crypto/rand never fails: it ends the program instead.
		return uuid.Must(uuid.NewV7FromReader(random))
	}
}
