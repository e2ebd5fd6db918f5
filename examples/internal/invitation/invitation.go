// Package invitation reads whom a calendar file (RFC 5545, 5546, 7986) or a mail file
// (RFC 5322, 2045–2047, 2231, 6047) names, and what it is about, as Outlook, Google, Apple,
// Zimbra, and Korean and Japanese mailers write them.
//
// Nobody is lost: everybody whom a file names comes in, or is left out with the reason. One
// bad line or address costs nobody else.
//
// In come the organizer and the attendees of an event, also those who have declined, or the
// sender and the open recipients (From, To, Cc) of a mail. A mail that carries a calendar with a
// METHOD and people is about that event. Display names decide nothing: addresses do.
//
// Not read are TNEF (winmail.dat), encrypted and opaquely signed parts and Outlook's .msg, which
// is told; mails attached to mails; the text of mails; UTF-7 and ISO-2022-KR, which
// golang.org/x/text does not know.
package invitation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// What is read at most, in bytes; the reader says when there is more.
const (
	MaxFile = 32 << 20 // of a file
	MaxText = 4 << 20  // of a calendar, and of the header of a mail
)

// Invitation is what a file says of one event, or of a mail.
type Invitation struct {
	Origin  roomkit.Origin
	Title   string
	People  []string  // addresses as the file spells them, each once
	LeftOut []LeftOut // whom the file names besides
	Notes   []string  // what else could not be read, or not for certain
	NoRoom  string    // why it opens no room; empty: it opens one

	method bool // a calendar with a METHOD says it
	seen   map[string]bool
}

// LeftOut is somebody whom a file names and who does not come in.
type LeftOut struct {
	Who string // an address, or what stands in its place
	Why string
}

// Read reads a file; charset is that of text which is not UTF-8 and says nothing of its
// charset. What is in the file decides, not its name. The error says why nothing in it can
// be read.
func Read(path, charset string) ([]*Invitation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, err
	}
	found, err := Parse(data[:min(len(data), MaxFile)], charset)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > MaxFile {
		for _, v := range found {
			v.note(fmt.Sprintf("only the first %d bytes of the file are read", MaxFile))
		}
	}
	return found, nil
}

// Parse reads what a file holds, as Read does.
func Parse(data []byte, charset string) ([]*Invitation, error) {
	if _, err := encodingOf(charset); charset != "" && err != nil {
		return nil, err
	}
	text := plainLines(data)
	begin := text[:min(len(text), 4096)]
	switch {
	case strings.TrimSpace(text) == "":
		return nil, errors.New("empty")
	case bytes.HasPrefix(data, []byte{0x78, 0x9f, 0x3e, 0x22}):
		return nil, errors.New("TNEF (winmail.dat), which is not read")
	case bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, errors.New("an Outlook .msg, which is not read: save it as .eml or .ics")
	case strings.HasPrefix(strings.ToUpper(strings.TrimSpace(begin)), "BEGIN:V"):
		return parseCalendar(text, charset, "")
	}
	return parseMail(text, charset)
}

// add takes somebody in, or leaves him out for a reason.
func (v *Invitation) add(who, why string) {
	switch {
	case !v.first(why + "\n" + strings.ToLower(who)):
	case why == "":
		v.People = append(v.People, who)
	default:
		v.LeftOut = append(v.LeftOut, LeftOut{Who: who, Why: why})
	}
}

// has reports whether an address comes in.
func (v *Invitation) has(address string) bool { return v.seen["\n"+strings.ToLower(address)] }

func (v *Invitation) note(text string) {
	if v.first("note\n" + text) {
		v.Notes = append(v.Notes, text)
	}
}

// first reports whether a key has not been met before.
func (v *Invitation) first(key string) bool {
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	met := v.seen[key]
	v.seen[key] = true
	return !met
}

// absorb leaves out the people of other who are not in v, for a reason.
func (v *Invitation) absorb(other *Invitation, why string) {
	for _, who := range other.People {
		v.add(who, why)
	}
	for _, left := range other.LeftOut {
		v.add(left.Who, left.Why)
	}
	for _, note := range other.Notes {
		v.note(note)
	}
}

// settle forgets who is left out in one place and comes in by another.
func (v *Invitation) settle() *Invitation {
	v.LeftOut = slices.DeleteFunc(v.LeftOut, func(l LeftOut) bool { return v.has(l.Who) })
	if v.NoRoom == "" && len(v.People) == 0 {
		v.NoRoom = "it names nobody with a mail address"
	}
	return v
}
