package main

import (
	"context"
	"io"
)

// input reads what somebody may type for ever, until the context ends.
type input struct {
	ctx  context.Context //nolint:containedctx // io.Reader has none
	from io.Reader
	next chan []byte
	rest []byte
	err  error // once next is closed
}

func newInput(ctx context.Context, from io.Reader) *input {
	in := &input{ctx: ctx, from: from, next: make(chan []byte)}
	go in.run()
	return in
}

func (in *input) run() {
	defer close(in.next)
	for {
		buffer := make([]byte, 1<<16)
		n, err := in.from.Read(buffer)
		select {
		case in.next <- buffer[:n]:
		case <-in.ctx.Done():
			in.err = in.ctx.Err()
			return
		}
		if err != nil {
			in.err = err
			return
		}
	}
}

// Read gives the context's error as soon as it has ended.
func (in *input) Read(p []byte) (int, error) {
	for len(in.rest) == 0 {
		select {
		case <-in.ctx.Done():
			return 0, in.ctx.Err()
		case rest, open := <-in.next:
			if !open {
				return 0, in.err
			}
			in.rest = rest
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}
