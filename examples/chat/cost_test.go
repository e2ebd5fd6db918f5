package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// BenchmarkPage is what it costs to show somebody a room: the whole page, what is fetched
// when something happened there, and the list of rooms.
func BenchmarkPage(b *testing.B) {
	filled, err := demoFile()
	require.NoError(b, err)
	folder := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(folder, databaseFile), filled, 0o600))
	c, err := open(b.Context(), options{data: folder, fill: fillDemo, people: demoPeople()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.close()) })
	list, err := c.list(b.Context(), "ben", roomkit.RoomID{}, listMost)
	require.NoError(b, err)
	room := at("ben", list.Rows[0].View.Room)
	handler := c.handler()
	for name, path := range map[string]string{"room": room, "now": room + "/now", "list": "/as/ben/list"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
				if answer.Code != http.StatusOK {
					b.Fatal(answer.Code)
				}
			}
		})
	}
}
