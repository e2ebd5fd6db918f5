package transfer

import (
	"context"
	"io"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Import reads a file in the form of docs/transfer.md and stores what is in it.
func Import(ctx context.Context, s store.Store, r io.Reader, o *ImportOptions) (Report, error) {
	return Report{}, roomkit.ErrUnsupported
}
