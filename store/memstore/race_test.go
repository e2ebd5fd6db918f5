package memstore_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-roomkit/roomkit/store"
)

// Several readers find the same lists due for a purge: whoever settles them must
// not disturb those who only look how long they are.
func TestReadersWhilePurging(t *testing.T) {
	k := newKit(t)
	users := k.staff(60)
	k.fill(roomID(1), users)
	for round := range 20 {
		for _, u := range users[5:] {
			c := k.join(roomID(1), users[0], u)
			c.Members[0].Participant = round%2 == 1
			k.must(c)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := k.Members(context.Background(), store.MemberQuery{Room: roomID(1), Which: store.MembersAll})
				assert.NoError(t, err)
				_, err = k.Load(context.Background(), []store.Need{{Shared: users[:2]}})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
}
