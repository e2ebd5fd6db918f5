package natsstore

import (
	"context"
	"crypto/sha256"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/store"
)

// ReadSnapshots reads all snapshots to their ends, from another stream than the one that has them.
func (s *Store) ReadSnapshots(ctx context.Context, instead func(jetstream.Stream) jetstream.Stream) error {
	log, err := s.js.Stream(ctx, s.o.Stream)
	if err != nil {
		return err
	}
	all, beside, err := s.sealedSnapshots(ctx, log)
	for i := range all {
		if err == nil {
			err = s.whole(ctx, instead(beside), &all[i])
		}
	}
	return err
}

// AskServers asks the servers how they write, whatever Weak says.
func AskServers(ctx context.Context, o Options) error {
	o.Weak, o.Patience = false, defaultPatience
	return o.checkServers(ctx)
}

// Window is how many messages back a message may refer to.
const Window = window

// Nothing gives a message that does nothing, of a log that nobody knows.
func Nothing(n int) []byte {
	b := body{kind: kindCalls}
	e := envelope{log: logID{9}, number: uint64(n) + 1, parts: 1, rules: rules, body: b.encode()}
	return e.encode()
}

// Forged gives the word of a snapshot that would be another one.
func Forged(data []byte) []byte {
	v, err := decodeSealed(data)
	if err != nil {
		panic(err)
	}
	v.sum[0]++
	return v.encode()
}

// ForgedFor gives the word of a snapshot that would have this one part.
func ForgedFor(data, part []byte) []byte {
	v, err := decodeSealed(data)
	if err != nil {
		panic(err)
	}
	v.sum = sha256.Sum256(part[chunkHead:])
	return v.encode()
}

// OfNewerForm gives the word of a snapshot as a newer version would write it.
func OfNewerForm(data []byte) []byte {
	c := coder{buf: append([]byte(nil), data[:len(data)-4]...)}
	c.buf[0] = snapshotFormat + 1
	return c.sealed()
}

// Panicking gives what comes of parts of a snapshot whose reading panics.
func Panicking(ctx context.Context) (err error) {
	for _, err = range beforehand(ctx, func(func(*store.Contents, error) bool) { panic("the part") }) {
	}
	return err
}
