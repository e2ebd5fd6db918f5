package sqlitestore

import (
	"fmt"
	"strings"
)

// Migrations gives the SQL of every migration, oldest first, for tools that apply migrations
// themselves. Each text has many statements and belongs into one transaction; its last one
// remembers the version, so that [New] takes the tables. Malformed options are
// [roomkit.ErrInvalid].
func Migrations(o *Options) ([]string, error) {
	full := Options{}
	if o != nil {
		full = *o
	}
	if full.Prefix == "" {
		full.Prefix = defaultPrefix
	}
	if !validPrefix.MatchString(full.Prefix) || strings.HasPrefix(full.Prefix, "sqlite_") {
		return nil, invalid("Prefix", "not of the form "+validPrefix.String()+", or SQLite's own")
	}
	texts, _, err := readMigrations(&full)
	if err != nil {
		return nil, err
	}
	for i := range texts {
		texts[i] += full.named(fmt.Sprintf(`
INSERT INTO roomkit_meta (only_row, schema_version, epoch) VALUES (1, %d, lower(hex(randomblob(8))))
ON CONFLICT DO UPDATE SET schema_version = excluded.schema_version;
`, i+1))
	}
	return texts, nil
}
