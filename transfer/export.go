package transfer

import (
	"context"
	"io"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Export writes what a store holds in the form of docs/transfer.md.
func Export(ctx context.Context, s store.Store, w io.Writer, o *ExportOptions) (Report, error) {
	return Report{}, roomkit.ErrUnsupported
}
