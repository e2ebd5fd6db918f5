package pgstore

import "fmt"

// Migrations gives the SQL of every migration, oldest first, for tools that apply migrations
// themselves. Each text has many statements and belongs into one transaction, with the
// search_path leading to where the tables are wanted; its last statement
// remembers the version, so that [New] takes the tables. Schema has to be empty: the
// tool decides where the tables are. Malformed options are [roomkit.ErrInvalid].
func Migrations(o *Options) ([]string, error) {
	full, err := o.complete()
	if err != nil {
		return nil, err
	}
	if full.Schema != "" {
		return nil, invalid("Schema", "the tool that applies the text sets the search_path")
	}
	list := make([]string, newestSchema)
	for i := range list {
		text, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", i+1))
		if err != nil {
			return nil, err
		}
		list[i] = full.named(string(text) + fmt.Sprintf(`
INSERT INTO roomkit_meta (schema_version, epoch, lock_key)
VALUES (%d, substr(md5(random()::text || clock_timestamp()::text), 1, 16), (random() * 4e18)::bigint)
ON CONFLICT (only_row) DO UPDATE SET schema_version = excluded.schema_version;
`, i+1))
	}
	return list, nil
}
