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
// when something happened there, the list of rooms, and the messages alone.
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
	require.Equal(b, "Menu cards", list.Rows[0].Title)
	handler := c.handler()
	for name, path := range map[string]string{"room": room, "now": room + "/now", "list": "/as/ben/list", "messages": "/api" + room + "/messages"} {
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
