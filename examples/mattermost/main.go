// Mattermost imports the bulk export of a Mattermost server ("mmctl export create"): its users,
// channels and direct channels become people and rooms. Messages stay where they are: they
// are the host's.
//
// A server is one company. A channel is a group with the name of its team before its own; channel
// admins are its Group Masters, where it has none the team admins in it, and else the first
// member. Private channels are private groups. A direct channel is a message to me, a 1:1 room
// or a General room. Accounts that were deactivated are suspended.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/transfer"
)

// line is what is read of a line of a bulk export: one of them is set.
type line struct {
	Team    *team
	Channel *channel
	User    *user
	Bot     *struct{ Username string }
	Direct  *struct {
		Members      []string
		Participants []struct{ Username string }
	} `json:"direct_channel"`
}

type team struct {
	Name        string
	DisplayName string `json:"display_name"`
}

type channel struct {
	Team, Name, Type, Purpose string
	DisplayName               string `json:"display_name"`

	admins, teamAdmins, members []string
}

type user struct {
	Username, Roles string
	DeleteAt        int64 `json:"delete_at"`
	Teams           []struct {
		Name, Roles string
		Channels    []struct{ Name, Roles string }
	}
}

func main() {
	where := storeflag.Begin("mattermost", "imports the bulk export of a Mattermost server")
	if err := run(context.Background(), where, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, where string, out io.Writer) error {
	s, closeStore, err := storeflag.Open(ctx, where, "mattermost")
	if err != nil {
		return err
	}
	defer closeStore()
	file, err := os.Open("testdata/bulk.jsonl")
	if err != nil {
		return err
	}
	defer file.Close()
	r, w := io.Pipe()
	go func() { w.CloseWithError(convert(file, w)) }()
	defer r.Close()
	report, err := transfer.Import(ctx, s, r, &transfer.ImportOptions{
		ID:    "testdata/bulk.jsonl",
		Found: func(f *transfer.Finding) { fmt.Fprintln(out, f) },
	})
	fmt.Fprintf(out, "read: %+v\nnot imported: %+v\n", report.Read, report.LeftOut)
	var found *transfer.Finding
	if errors.As(err, &found) && report.Done { // the rest is in
		return nil
	}
	return err
}

// convert writes the form of package transfer. It keeps the channels with their members in
// memory, because a bulk export has them with the users.
func convert(in io.Reader, out io.Writer) error {
	w := json.NewEncoder(out)
	err := errors.Join(
		w.Encode(map[string]any{"type": "header", "form": transfer.Form, "version": transfer.FormVersion, "namespace": "mattermost", "escape": true}),
		w.Encode(map[string]any{"type": "company", "id": "mattermost"}),
	)
	teams, channels := map[string]string{}, map[string]*channel{}
	var order []*channel
	var directs [][]string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan() && err == nil; n++ {
		var l line
		if wrong := json.Unmarshal(lines.Bytes(), &l); wrong != nil {
			return fmt.Errorf("line %d of the bulk export: %w", n, wrong)
		}
		switch {
		case l.Team != nil:
			teams[l.Team.Name] = l.Team.DisplayName
		case l.Channel != nil:
			channels[l.Channel.Team+"/"+l.Channel.Name] = l.Channel
			order = append(order, l.Channel)
		case l.User != nil:
			err = addUser(w, l.User, channels)
		case l.Bot != nil:
			err = w.Encode(map[string]any{"type": "user", "id": l.Bot.Username, "company": "mattermost", "kind": "bot"})
		case l.Direct != nil:
			for _, p := range l.Direct.Participants { // of newer versions; Members says the same
				l.Direct.Members = append(l.Direct.Members, p.Username)
			}
			slices.Sort(l.Direct.Members)
			directs = append(directs, slices.Compact(l.Direct.Members))
		}
	}
	err = errors.Join(err, lines.Err())
	for _, c := range order {
		if len(c.members) > 0 { // a room without people ends
			err = errors.Join(err, writeChannel(w, c, teams[c.Team]))
		}
	}
	for _, members := range directs {
		err = errors.Join(err, writeDirect(w, members))
	}
	return errors.Join(err, w.Encode(map[string]any{"type": "end"}))
}

func addUser(w *json.Encoder, u *user, channels map[string]*channel) error {
	row := map[string]any{"type": "user", "id": u.Username, "company": "mattermost", "administrator": has(u.Roles, "system_admin")}
	if u.DeleteAt > 0 {
		row["status"] = "suspended"
	}
	for _, t := range u.Teams {
		for _, m := range t.Channels {
			c := channels[t.Name+"/"+m.Name]
			if c == nil {
				continue // of a channel that was not exported
			}
			c.members = append(c.members, u.Username)
			if has(m.Roles, "channel_admin") {
				c.admins = append(c.admins, u.Username)
			}
			if has(t.Roles, "team_admin") {
				c.teamAdmins = append(c.teamAdmins, u.Username)
			}
		}
	}
	return w.Encode(row)
}

func has(roles, role string) bool { return slices.Contains(strings.Fields(roles), role) }

func writeChannel(w *json.Encoder, c *channel, team string) error {
	id, masters := c.Team+"/"+c.Name, c.admins
	if len(masters) == 0 {
		masters = c.teamAdmins
	}
	if len(masters) == 0 {
		masters = c.members[:1]
	}
	err := w.Encode(map[string]any{
		"type": "room", "id": id, "kind": "group", "company": "mattermost", "name": team + ": " + c.DisplayName,
		"description": c.Purpose, "public": c.Type == "O", "history_sharing": true,
	})
	for _, name := range c.members {
		role := "member"
		if slices.Contains(masters, name) {
			role = "master"
		}
		err = errors.Join(err, w.Encode(map[string]any{"type": "member", "room": id, "user": name, "role": role}))
	}
	return err
}

func writeDirect(w *json.Encoder, members []string) error {
	kind, id := "general", "direct/"+strings.Join(members, "/")
	if len(members) <= 2 {
		kind = []string{"general", "self", "direct"}[len(members)]
	}
	err := w.Encode(map[string]any{"type": "room", "id": id, "kind": kind, "company": "mattermost"})
	for _, name := range members {
		err = errors.Join(err, w.Encode(map[string]any{"type": "member", "room": id, "user": name}))
	}
	return err
}
