package pgstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

type lanes struct {
	*pgstore.Store
	n int
}

func (l lanes) CommitsInParallel() int { return l.n }

func BenchmarkLanes(b *testing.B) {
	for _, count := range []int{8, 32} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := newCrowd(b, 512, 4000)
			ctx := b.Context()
			c.hand.queue = make(chan *handAdd, count)
			defer close(c.hand.queue)
			nextHand, nextOurs := c.taker(), c.taker()
			go c.hand.serve(context.WithoutCancel(ctx))
			ways := []way{{"grouped", func(n int) error {
				return callers(count, n, func() error {
					room, who := nextHand()
					a := &handAdd{room: room, actor: c.users[0], who: who, done: make(chan struct{}, 1)}
					c.hand.queue <- a
					<-a.done
					return a.err
				})
			}}}
			for _, n := range []int{8, 4, 3, 2, 1} {
				svc, err := roomkit.New(lanes{c.store, n}, nil)
				require.NoError(b, err)
				ways = append(ways, way{fmt.Sprint("lanes", n), func(n int) error {
					return callers(count, n, func() error {
						room, who := nextOurs()
						_, err := svc.Do(ctx, roomkit.By(c.users[0]), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
						return err
					})
				}})
			}
			compare(b, 512, ways...)
		})
	}
}
