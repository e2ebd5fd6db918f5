package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/transfer"
)

// A service that has rooms in tables of its own writes lines like these with a SELECT for each
// type. The dry run tells what is wrong with them, and changes nothing.
func Example() {
	file := `{"type":"header","form":"roomkit-transfer","version":1,"namespace":"chat.example.com"}
{"type":"company","id":"acme"}
{"type":"user","id":"kim","company":"acme"}
{"type":"user","id":"lee","company":"acme"}
{"type":"room","id":"17","kind":"group","company":"acme","name":"Board"}
{"type":"member","room":"17","user":"kim","role":"master"}
{"type":"member","room":"17","user":"lee","joined_at":"2026-01-31T09:00:00Z"}
{"type":"room","id":"18","kind":"group","company":"acme","name":"Lunch"}
{"type":"member","room":"18","user":"lee"}
{"type":"end"}
`
	report, err := transfer.Import(context.Background(), memstore.New(), strings.NewReader(file), &transfer.ImportOptions{
		DryRun: true,
		Found:  func(f *transfer.Finding) { fmt.Println(f) },
	})
	var found *transfer.Finding
	fmt.Println(errors.As(err, &found), report.Stored.Rooms, report.LeftOut.Rooms)
	// Output:
	// line 8: rule GRP-04 room 18: a group needs a Group Master
	// true 1 1
}

// Moving to another store is an export and an import.
func ExampleExport() {
	from, to := memstore.New(), memstore.New()
	var file bytes.Buffer
	if _, err := transfer.Export(context.Background(), from, &file, nil); err != nil {
		fmt.Println(err)
	}
	report, err := transfer.Import(context.Background(), to, &file, &transfer.ImportOptions{ID: "move to the new store"})
	fmt.Println(report.Done, err)
	// Output: true <nil>
}
