package sqlitestore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// Every error of this package has a category that says what to do.
func TestCategories(t *testing.T) {
	for err, want := range map[error]service.Category{
		sqlitestore.ErrNotMigrated: service.CategoryUnsupported, sqlitestore.ErrNewerSchema: service.CategoryUnsupported,
		sqlitestore.ErrForeignTables: service.CategoryUnsupported, sqlitestore.ErrWeak: service.CategoryUnsupported,
		sqlitestore.ErrReadOnly: service.CategoryUnsupported, sqlitestore.ErrCorrupt: service.CategoryUnsupported,
		sqlitestore.ErrFull: service.CategoryUnavailable, sqlitestore.ErrUnavailable: service.CategoryUnavailable,
		sqlitestore.ErrBusy: service.CategoryUnavailable,
	} {
		require.Equal(t, want, service.CategoryOf(err), err)
	}
}
