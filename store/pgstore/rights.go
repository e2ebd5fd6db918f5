package pgstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rights are what questions and commands need. Prune and Rename need all four on all tables.
var rights = map[string]string{
	"meta":         "SELECT",
	"rooms":        "SELECT INSERT UPDATE",
	"members":      "SELECT INSERT UPDATE",
	"users":        "SELECT INSERT UPDATE",
	"companies":    "SELECT INSERT UPDATE",
	"teams":        "SELECT INSERT UPDATE",
	"team_members": "SELECT INSERT DELETE",
	"records":      "SELECT INSERT UPDATE",
	"commands":     "SELECT INSERT",
	"checkpoints":  "SELECT INSERT UPDATE",
	"bases":        "SELECT",
	"pending":      "SELECT INSERT UPDATE DELETE",
	"places":       "SELECT USAGE",
	"waiting":      "USAGE",
}

// A role that may write to no table is one that is meant to read.
const askRights = `WITH wanted AS MATERIALIZED (
		SELECT n.oid AS space, n.nspname, c.relname, c.relkind, w.may,
			CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, w.may) ELSE has_table_privilege(c.oid, w.may) END AS has
		FROM unnest($1::text[], $2::text[]) w(name, may)
		JOIN pg_class c ON c.relname = w.name AND c.relkind IN ('r', 'S') JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $3::text OR $3::text = '' AND n.oid = (SELECT m.relnamespace FROM pg_class m WHERE m.oid = to_regclass($4::text))
	), lacking AS (
		SELECT DISTINCT 1 AS rank, format('GRANT USAGE ON SCHEMA %I TO %I', w.nspname, current_user) AS text
		FROM wanted w WHERE NOT has_schema_privilege(w.space, 'USAGE')
		UNION ALL SELECT 2, format('GRANT %s ON %s%I.%I TO %I', string_agg(w.may, ', ' ORDER BY w.may),
			CASE w.relkind WHEN 'S' THEN 'SEQUENCE ' END, w.nspname, w.relname, current_user)
		FROM wanted w WHERE NOT w.has AND (w.may = 'SELECT' OR EXISTS (SELECT FROM wanted o WHERE o.has AND o.may IN ('INSERT', 'UPDATE', 'DELETE')))
		GROUP BY w.nspname, w.relname, w.relkind
	)
	SELECT coalesce(string_agg(l.text, '; ' ORDER BY l.rank, l.text), '') FROM lacking l`

// checkRights demands that the role may do what questions and commands have to.
func (o *Options) checkRights(ctx context.Context, conn *pgx.Conn) error {
	var names, may []string
	for name, all := range rights {
		for right := range strings.FieldsSeq(all) {
			names, may = append(names, o.Prefix+name), append(may, right)
		}
	}
	var lacking string
	err := conn.QueryRow(ctx, askRights, pgx.QueryExecModeExec, names, may, o.Schema, o.Prefix+"meta").Scan(&lacking)
	if err == nil && lacking != "" {
		err = fmt.Errorf("%w: %s", ErrForbidden, lacking)
	}
	return err
}
