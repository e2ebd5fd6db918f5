// Package invitation reads whom a calendar event (RFC 5545) or a mail (RFC 5322)
// names, and what it is about.
package invitation

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	ical "github.com/arran4/golang-ical"

	"github.com/go-roomkit/roomkit"
)

// What is read at most, so that a hostile file costs little.
const (
	MaxFile = 1 << 20 // of a calendar file, and of the header of a mail
	MaxLine = 4 << 10 // of a line of a calendar file
)

// Invitation is what a file says: the people and what the room is to be called.
type Invitation struct {
	Origin    roomkit.Origin
	Title     string
	Addresses []string // each once, as the file spells them
}

// Read reads a file, whose name ends with .ics or .eml.
func Read(path string) (*Invitation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var s *Invitation
	switch strings.ToLower(filepath.Ext(path)) {
	case ".ics":
		s, err = ReadEvent(file)
	case ".eml":
		s, err = ReadMail(file)
	default:
		return nil, fmt.Errorf("%s: neither .ics nor .eml", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *Invitation) add(address string) {
	same := func(a string) bool { return strings.EqualFold(a, address) }
	if address != "" && !slices.ContainsFunc(s.Addresses, same) {
		s.Addresses = append(s.Addresses, address)
	}
}

// ReadEvent takes the summary, the organizer and the attendees of the one event
// of a calendar file. A series is one event.
func ReadEvent(in io.Reader) (*Invitation, error) {
	text, err := readCalendar(in)
	if err != nil {
		return nil, err
	}
	calendar, err := ical.ParseCalendar(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not a calendar file: %w", err)
	}
	event, err := theEvent(calendar)
	if err != nil {
		return nil, err
	}
	s := &Invitation{Origin: roomkit.OriginEvent}
	if summary := event.GetProperty(ical.ComponentPropertySummary); summary != nil {
		s.Title = ical.FromText(summary.Value)
	}
	for _, p := range event.Properties {
		if p.IANAToken != "ORGANIZER" && p.IANAToken != "ATTENDEE" || isResource(p.ICalParameters["CUTYPE"]) {
			continue
		}
		scheme, address, found := strings.Cut(p.Value, ":")
		if found && strings.EqualFold(scheme, "mailto") {
			s.add(strings.TrimSpace(address))
		}
	}
	if len(s.Addresses) == 0 {
		return nil, errors.New("the event has no organizer and no attendees")
	}
	return s, nil
}

// isResource reports meeting rooms, equipment and groups of unknown people.
func isResource(types []string) bool {
	return len(types) > 0 && !strings.EqualFold(types[0], "INDIVIDUAL")
}

func readCalendar(in io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxFile+1))
	if err != nil {
		return "", err
	}
	text := unfold.Replace(strings.TrimPrefix(string(data), "\ufeff"))
	switch {
	case len(data) > MaxFile:
		return "", fmt.Errorf("larger than %d bytes", MaxFile)
	case strings.TrimSpace(text) == "":
		return "", errors.New("empty")
	case !utf8.ValidString(text):
		return "", errors.New("not UTF-8, which calendar files are in")
	case !strings.HasSuffix(strings.ToUpper(strings.TrimSpace(text)), "END:VCALENDAR"):
		return "", errors.New("not a whole calendar file: it does not end with END:VCALENDAR")
	}
	return shortLines(text)
}

// shortLines leaves out long lines, which are descriptions and attachments:
// reading parameters takes time that grows with the square of a line's length.
func shortLines(text string) (string, error) {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if len(line) <= MaxLine {
			kept.WriteString(line)
			continue
		}
		for _, needed := range []string{"SUMMARY", "ORGANIZER", "ATTENDEE"} {
			if strings.HasPrefix(line, needed) {
				return "", fmt.Errorf("a line of %s is longer than %d bytes", needed, MaxLine)
			}
		}
	}
	return kept.String(), nil
}

// unfold joins lines that were cut to fit, which may have happened within a
// character.
var unfold = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "")

// theEvent gives the one event of a calendar, without the exceptions of a series.
func theEvent(calendar *ical.Calendar) (*ical.VEvent, error) {
	var found *ical.VEvent
	for _, event := range calendar.Events() {
		switch {
		case found == nil:
			found = event
		case event.Id() != found.Id():
			return nil, errors.New("more than one event")
		case found.GetProperty(ical.ComponentPropertyRecurrenceId) != nil:
			found = event
		}
	}
	if found == nil {
		return nil, errors.New("no event in it")
	}
	return found, nil
}

// ReadMail takes the subject, the sender and the recipients of a mail.
func ReadMail(in io.Reader) (*Invitation, error) {
	limited := &io.LimitedReader{R: in, N: MaxFile}
	message, err := mail.ReadMessage(limited)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("not a mail: it has no header")
	case err != nil:
		return nil, fmt.Errorf("not a mail: %w", err)
	case limited.N == 0:
		return nil, fmt.Errorf("the header is larger than %d bytes", MaxFile)
	}
	s := &Invitation{Origin: roomkit.OriginMail}
	if s.Title, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	// Names of people are not used, so it does not matter in which charset they are.
	anyCharset := &mime.WordDecoder{CharsetReader: func(_ string, _ io.Reader) (io.Reader, error) {
		return strings.NewReader("?"), nil
	}}
	parser := mail.AddressParser{WordDecoder: anyCharset}
	for _, field := range []string{"From", "To", "Cc"} {
		for _, value := range message.Header[field] {
			people, err := parser.ParseList(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", field, err)
			}
			for _, who := range people {
				s.add(who.Address)
			}
		}
	}
	if len(s.Addresses) == 0 {
		return nil, errors.New("the mail has no sender and no recipients")
	}
	return s, nil
}
