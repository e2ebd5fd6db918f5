package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/invitation"
	"github.com/go-roomkit/roomkit/service"
)

// A calendar file or a mail names people, of whom the reader chooses (CRE-18, CRE-22).
// What was read stays for a day, for whoever gave it, under a sum of it: the same file
// twice is one.
func (c *chat) fileRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/event", c.as(c.askFile))
	mux.Handle("POST /as/{user}/event", c.as(c.readFile))
}

const fileTable = `CREATE TABLE IF NOT EXISTS files (
	id TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL, found TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (user, id)) STRICT`

const (
	filesStay = 24 * time.Hour
	filesMost = 20  // of one person
	leftMost  = 200 // are shown of those left out for one reason
)

// readFile is one event of a file, or a mail.
type readFile struct {
	*invitation.Invitation
	Name   string // of the file
	Left   []leftOut
	Out    int // how many are left out
	Others []other
}

// leftOut are those whom a file names and who cannot be chosen, for one reason.
type leftOut struct {
	Who  []string
	Why  *problem
	More int // are not shown
}

// other is another event of the same file.
type other struct {
	Title, URL string
	Here       bool
}

// Mail says that it is no event.
func (f *readFile) Mail() bool { return f.Origin == roomkit.OriginMail }

func (c *chat) askFile(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.show(w, r, me, "create-file", page{Title: "From an event or a mail", Show: "main"})
}

func (c *chat) readFile(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	if _, err := c.svc.User(r.Context(), me); err != nil {
		return err
	}
	id, err := c.keepFile(r, me)
	if errors.Is(err, roomkit.ErrInvalid) {
		return c.show(w, r, me, "create-file", page{Title: "From an event or a mail", Problem: c.problemOf(r.Context(), err), Show: "main"})
	}
	if err != nil {
		return err
	}
	return see(w, r, me, "/file/"+id+"/0")
}

func (c *chat) keepFile(r *http.Request, me roomkit.UserID) (id string, err error) {
	part, head, err := r.FormFile("file")
	if err != nil {
		return "", &roomkit.Invalid{Field: "file", Reason: "choose a calendar file (.ics) or a mail (.eml)"}
	}
	defer part.Close()
	data, err := io.ReadAll(part)
	if err != nil {
		return "", err
	}
	found, err := invitation.Parse(data, "")
	if err != nil {
		return "", &roomkit.Invalid{Field: "file", Reason: err.Error()}
	}
	text, err := json.Marshal(found)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	id = hex.EncodeToString(sum[:16])
	return id, c.storeFile(r.Context(), me, id, head.Filename, text)
}

func (c *chat) storeFile(ctx context.Context, me roomkit.UserID, id, name string, found []byte) error {
	return c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error {
		now := time.Now()
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", id, me, name, string(found), now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM files WHERE at < ? OR user = ? AND id NOT IN (SELECT id FROM files WHERE user = ? ORDER BY at DESC LIMIT ?)`,
			now.Add(-filesStay).UnixMilli(), me, me, filesMost)
		return err
	})
}

// loadFile begins with the people whom a file names. Another's file is as none.
func (c *chat) loadFile(r *http.Request, me roomkit.UserID) (*choice, error) {
	ctx, f := r.Context(), &readFile{}
	var text string
	row := c.store.Readers.QueryRowContext(ctx, "SELECT name, found FROM files WHERE user = ? AND id = ?", me, r.PathValue("file"))
	err := row.Scan(&f.Name, &text)
	var found []*invitation.Invitation
	if err == nil {
		err = json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&found)
	}
	n, bad := strconv.Atoi(r.PathValue("n"))
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (bad != nil || n < 0 || n >= len(found)):
		return nil, roomkit.ErrNotFound
	case err != nil:
		return nil, err
	}
	f.Invitation = found[n]
	ch := newChoice(r, me, creation{Name: "file", Heading: "Room for an event", Outsiders: true, Hint: "Choose who comes in."})
	if f.Mail() {
		ch.Title = "Room for a mail"
	}
	ch.File, ch.NamedAs = f, "Named in "+f.Name
	ch.command = func(people []roomkit.UserID) roomkit.Command {
		return ch.createRoom(people, roomkit.CreateRoom{Origin: f.Origin, Title: f.Title})
	}
	for i, v := range found {
		if len(found) > 1 {
			f.Others = append(f.Others, other{v.Title, "/as/" + url.PathEscape(string(me)) + "/file/" + r.PathValue("file") + "/" + strconv.Itoa(i), i == n})
		}
	}
	if f.NoRoom != "" {
		ch.Problem = (&problem{Title: "No room for this", Detail: f.NoRoom, Status: http.StatusOK})
	}
	c.meet(ctx, ch)
	return ch, nil
}

// meet finds the users of the addresses. Who has none here, or is nobody whom the reader
// knows, is left out alike (CRE-49).
func (c *chat) meet(ctx context.Context, ch *choice) {
	f := ch.File
	for _, l := range f.LeftOut {
		f.leave(l.Who, &problem{Detail: l.Why})
	}
	nobody := (&problem{Rule: "CRE-49", Detail: "nobody here whom you know has this address"}).cite()
	for _, address := range f.People {
		p, found := c.people.byMail(address)
		switch {
		case found && p.ID == ch.Me:
		case found && c.knows(ctx, ch.Me, p):
			if !slices.Contains(ch.Named, p.ID) {
				ch.Named = append(ch.Named, p.ID)
			}
		default:
			f.leave(address, nobody)
		}
	}
}

// leave leaves somebody out, beside those who are left out for the same reason.
func (f *readFile) leave(who string, why *problem) {
	f.Out++
	i := slices.IndexFunc(f.Left, func(l leftOut) bool { return l.Why.Detail == why.Detail })
	if i < 0 {
		i = len(f.Left)
		f.Left = append(f.Left, leftOut{Why: why})
	}
	if l := &f.Left[i]; len(l.Who) < leftMost {
		l.Who = append(l.Who, who)
	} else {
		l.More++
	}
}
