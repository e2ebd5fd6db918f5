package transfer

import (
	"net/url"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
)

// RoomIDIn gives the id that a room of another service gets: a UUID of version 5 of the
// foreign id in a namespace, which is any text that is used for nothing else, for instance
// "chat.example.com". It is the same every time, so that the host can find the room of an
// old id without a table; a header with this namespace makes [Import] use it.
func RoomIDIn(namespace, foreign string) roomkit.RoomID {
	return roomkit.RoomID(uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte(namespace)), []byte(foreign)))
}

// UserIDOf gives the id of a user, as of a company or a team, whom another service calls by
// any text: the form that [net/url.PathEscape] gives. [TextOf] gives the text back. A header
// with "escape" makes [Import] use it.
func UserIDOf(text string) roomkit.UserID { return roomkit.UserID(url.PathEscape(text)) }

// TextOf gives the text of which [UserIDOf] has made the id.
func TextOf(id roomkit.UserID) (string, error) {
	text, err := url.PathUnescape(string(id))
	if err != nil {
		return "", &roomkit.Invalid{Field: "User", Reason: "not an escaped text"}
	}
	return text, nil
}

// ids turns the ids of a file into those of the store.
type ids struct {
	namespace string
	escape    bool
}

func (m *ids) text(s string) string {
	if m.escape {
		return url.PathEscape(s)
	}
	return s
}

func (m *ids) user(s string) roomkit.UserID { return roomkit.UserID(m.text(s)) }

func (m *ids) users(list []string) []roomkit.UserID {
	if len(list) == 0 {
		return nil
	}
	users := make([]roomkit.UserID, len(list))
	for i, s := range list {
		users[i] = m.user(s)
	}
	return users
}

// room gives the id of a room whose kind has no derived one.
func (m *ids) room(s string) (roomkit.RoomID, error) {
	if m.namespace != "" && s != "" {
		return RoomIDIn(m.namespace, s), nil
	}
	return roomkit.ParseRoomID(s)
}
