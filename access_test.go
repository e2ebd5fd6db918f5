package roomkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func TestMayRead(t *testing.T) {
	all := roomkit.ReadFrom{Allowed: true, All: true}
	joined := roomkit.ReadFrom{Allowed: true, Version: 5}
	tests := []struct {
		name      string
		access    roomkit.Access
		written   roomkit.Version
		wantShown bool
	}{
		{"nothing is allowed", roomkit.Access{Version: 9}, 9, false},
		{"nothing is allowed, whatever else is said", roomkit.Access{Version: 9, ReadFrom: roomkit.ReadFrom{All: true}}, 9, false},
		{"from the beginning", roomkit.Access{Version: 9, ReadFrom: all}, 1, true},
		{"as new as the answer", roomkit.Access{Version: 9, ReadFrom: all}, 9, true},
		{"written after the answer: COM-02", roomkit.Access{Version: 9, ReadFrom: all}, 10, false},
		{"before joining", roomkit.Access{Version: 9, ReadFrom: joined}, 4, false},
		{"right after joining", roomkit.Access{Version: 9, ReadFrom: joined}, 5, true},
		{"before the room was emptied", roomkit.Access{Version: 9, ReadFrom: all, EmptiedAt: 7}, 6, false},
		{"after the room was emptied", roomkit.Access{Version: 9, ReadFrom: all, EmptiedAt: 7}, 7, true},
		{"after joining, before the room was emptied", roomkit.Access{Version: 9, ReadFrom: joined, EmptiedAt: 7}, 6, false},
		{"joined after the room was emptied", roomkit.Access{Version: 9, ReadFrom: joined, EmptiedAt: 3}, 4, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.wantShown, tt.access.MayRead(tt.written))
			require.Equal(t, tt.wantShown, roomkit.RoomView{Access: tt.access}.MayRead(tt.written))
		})
	}
}
