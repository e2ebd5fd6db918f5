package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints rows, as a table with a head or as one line of JSON each.
type table struct {
	json *json.Encoder
	tabs *tabwriter.Writer
	rows int // that are findings
}

func (a *app) table(head ...string) *table {
	if a.output == "json" {
		return &table{json: json.NewEncoder(a.out)}
	}
	t := &table{tabs: tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)}
	fmt.Fprintln(t.tabs, strings.Join(head, "\t"))
	return t
}

// row prints a value: the columns in a table, else the value itself.
func (t *table) row(value any, columns ...any) error {
	if t.json != nil {
		return t.json.Encode(value)
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		if cells[i] = inCell(fmt.Sprint(c)); cells[i] == "" {
			cells[i] = "-"
		}
	}
	_, err := fmt.Fprintln(t.tabs, strings.Join(cells, "\t"))
	return err
}

func (t *table) flush() error {
	if t.tabs == nil {
		return nil
	}
	return t.tabs.Flush()
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, id := range list {
		texts[i] = string(id)
	}
	return strings.Join(texts, " ")
}
