package roomkit

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// newIDs gives a source of UUIDv7 (RFC 9562): milliseconds, then randomness,
// which is read in larger pieces. google/uuid would allocate for each id.
func newIDs(now func() time.Time) func() [16]byte {
	var mu sync.Mutex
	var pool [4000]byte
	used := len(pool)
	return func() (id [16]byte) {
		mu.Lock()
		if used == len(pool) {
			rand.Read(pool[:]) // never fails: it ends the program instead
			used = 0
		}
		used += copy(id[6:], pool[used:used+10])
		mu.Unlock()
		ms := uint64(now().UnixMilli())
		binary.BigEndian.PutUint16(id[:2], uint16(ms>>32))
		binary.BigEndian.PutUint32(id[2:6], uint32(ms))
		id[6] = id[6]&0x0f | 0x70
		id[8] = id[8]&0x3f | 0x80
		return id
	}
}
