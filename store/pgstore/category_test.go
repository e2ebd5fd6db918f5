package pgstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// Every error of this package has a category that says what to do.
func TestCategories(t *testing.T) {
	for err, want := range map[error]service.Category{
		pgstore.ErrNotMigrated: service.CategoryUnsupported, pgstore.ErrNewerSchema: service.CategoryUnsupported,
		pgstore.ErrForeignTables: service.CategoryUnsupported, pgstore.ErrWeak: service.CategoryUnsupported,
		pgstore.ErrReadOnly: service.CategoryUnsupported, pgstore.ErrCorrupt: service.CategoryUnsupported,
		pgstore.ErrForbidden: service.CategoryUnsupported, pgstore.ErrIsolation: service.CategoryUnsupported,
		pgstore.ErrReplaced: service.CategoryUnsupported, pgstore.ErrTrigger: service.CategoryUnsupported,
		pgstore.ErrServer: service.CategoryUnsupported, pgstore.ErrEncoding: service.CategoryUnsupported,
		pgstore.ErrTxAborted: service.CategoryUnsupported, pgstore.ErrTxBusy: service.CategoryUnsupported,
		pgstore.ErrTxEnded: service.CategoryUnsupported, pgstore.ErrDriver: service.CategoryUnsupported,
		pgstore.ErrReader: service.CategoryUnsupported, pgstore.ErrReaderPromoted: service.CategoryUnsupported,
		pgstore.ErrReaderBehind: service.CategoryUnavailable, pgstore.ErrReaderCutOff: service.CategoryUnavailable,
		pgstore.ErrDeadlock: service.CategoryUnavailable,
		pgstore.ErrFull:     service.CategoryUnavailable, pgstore.ErrUnavailable: service.CategoryUnavailable,
	} {
		require.Equal(t, want, service.CategoryOf(err), err)
	}
}
