package main

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// upload gives a file to the page of events and mails.
func (d *desk) upload(me, name string, data []byte) (status int, location, page string) {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	require.NoError(d.t, err)
	_, err = part.Write(data)
	require.NoError(d.t, err)
	require.NoError(d.t, form.Close())
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+"/as/"+me+"/event", &body)
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return d.lead(r)
}

func event(title string, addresses ...string) string {
	text := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:" + title + "\r\n"
	for _, a := range addresses {
		text += "ATTENDEE:mailto:" + a + "\r\n"
	}
	return text + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

func TestFromEvent(t *testing.T) {
	d := newDesk(t)
	ics := event("Tasting <b>now</b>", "cat@harbour.example", "dev@harbour.example", "fay@harbour.example", "lea@mill.example", "none@else.example")
	status, location, _ := d.upload("cat", "tasting.ics", []byte(ics))
	require.Equal(t, http.StatusSeeOther, status)
	_, again, _ := d.upload("cat", "tasting.ics", []byte(ics))
	require.Equal(t, location, again, "the same file twice is one")
	_, page := d.get(location)
	require.Contains(t, page, "Tasting &lt;b&gt;now&lt;/b&gt;")
	require.Contains(t, page, `id="choose-dev" data-testid="choose-dev" checked`, "whom it names is chosen at first")
	require.Contains(t, page, `id="choose-eli" data-testid="choose-eli">`)
	require.NotContains(t, page, "Lea Rossi")
	require.Regexp(t, `<li dir="auto">lea@mill.example</li><li dir="auto">none@else.example</li></ul><p class="quiet"><b class="rule">CRE-49</b>`, page, "whom one does not know is as nobody")
	_, page = d.get(location + "?chosen=1&who=dev")
	require.NotContains(t, page, `data-testid="choose-fay" checked`)

	status, there := d.get(strings.Replace(location, "/as/cat/", "/as/dev/", 1))
	require.Equal(t, http.StatusNotFound, status, "another's file is as none")
	_, none := d.get("/as/dev/file/0123/0")
	require.Equal(t, problemIn(none), problemIn(there))
	room := d.made("cat", location, with(who("dev", "fay"), "anyway", "1"))
	require.Equal(t, "Tasting <b>now</b>", room.Name)
	require.Equal(t, roomkit.OriginEvent, room.Origin)
	status, _, page = d.make(location, with(who("dev", "fay"), "key", "k2"))
	require.Equal(t, http.StatusConflict, status, "the room is offered")
	require.Contains(t, page, room.ID.String())
	require.Empty(t, d.made("cat", location, with(who("dev"), "key", "k3")).Name, "CRE-33")
}

// TestEventOfPeopleWhoDoNotFit: who is named and cannot come in with the others is not
// chosen, and says why.
func TestEventOfPeopleWhoDoNotFit(t *testing.T) {
	d := newDesk(t)
	_, location, _ := d.upload("cat", "x.ics", []byte(event("Proofs", "ivo@mill.example", "gus@harbour.example")))
	_, page := d.get(location)
	require.Contains(t, page, `id="choose-ivo" data-testid="choose-ivo" checked`)
	require.Contains(t, page, `data-testid="tip-choose-gus"><span class="reason"><b class="rule">EXT-30</b>`)
}

func TestFromMail(t *testing.T) {
	d := newDesk(t)
	eml := "From: Ivo <ivo@mill.example>\r\nTo: cat@harbour.example\r\nCc: ben@harbour.example\r\nSubject: Proof of the cards\r\n\r\nHello\r\n"
	_, location, _ := d.upload("cat", "proof.eml", []byte(eml))
	_, page := d.get(location)
	require.Contains(t, page, "Room for a mail")
	room := d.made("cat", location, with(who("ivo", "ben"), "anyway", "1"))
	require.Equal(t, roomkit.KindExternalGroup, room.Kind, "CRE-50")
	require.Equal(t, "Proof of the cards", room.Name)
	require.Equal(t, roomkit.OriginMail, room.Origin)
}

func TestBadFiles(t *testing.T) {
	d := newDesk(t)
	status, _, page := d.upload("cat", "large.ics", bytes.Repeat([]byte("x"), 11<<20))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, page, "This is too large")
	for name, data := range map[string]string{"empty.ics": "", "noise.eml": "\x00\x01\xff"} {
		status, location, page := d.upload("cat", name, []byte(data))
		if status == http.StatusSeeOther { // it is a mail of nobody
			_, page = d.get(location)
			require.Contains(t, page, `data-testid="next" aria-disabled`)
			continue
		}
		require.Equal(t, http.StatusBadRequest, status, page)
		require.Contains(t, page, `data-testid="file"`)
	}
	_, location, _ := d.upload("cat", "nobody.ics", []byte(event("Alone")))
	_, page = d.get(location)
	require.Contains(t, problemIn(page), "no", page)
	status, _, _ = d.make("/as/cat/event", url.Values{"file": {"no file"}})
	require.Equal(t, http.StatusBadRequest, status)
	status, _, _ = d.upload("nobody", "x.ics", []byte(event("x", "dev@harbour.example")))
	require.Equal(t, http.StatusUnauthorized, status)
	var n int
	require.NoError(t, d.store.Readers.QueryRowContext(t.Context(), "SELECT count(*) FROM files WHERE user = 'nobody'").Scan(&n))
	require.Zero(t, n)
}

// TestManyFiles: only the last ones of a person stay.
func TestManyFiles(t *testing.T) {
	d := newDesk(t)
	for i := range filesMost + 5 {
		d.upload("cat", "x.ics", []byte(event(fmt.Sprint(i), "dev@harbour.example")))
	}
	var n int
	require.NoError(t, d.store.Readers.QueryRowContext(t.Context(), "SELECT count(*) FROM files").Scan(&n))
	require.Equal(t, filesMost, n)
}
