package invitation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"github.com/go-roomkit/roomkit"
)

// unread are the parts that may hold a calendar and are not opened.
var unread = []string{
	"application/ms-tnef", "application/vnd.ms-tnef", "application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted",
}

// parseMail reads a mail. One with a calendar part that has a METHOD and people is about
// that event.
func parseMail(text, charset string) ([]*Invitation, error) {
	v := &Invitation{Origin: roomkit.OriginMail}
	text = strings.TrimLeft(text, "\n")
	head, body, whole := strings.Cut(text, "\n\n")
	header, err := v.header(head[:min(len(head), MaxText)])
	if err != nil {
		return nil, err
	}
	if len(head) > MaxText || !whole && !strings.HasSuffix(text, "\n") {
		v.NoRoom = "the file is cut off within the header, so that people may be missing"
	}
	if _, params := contentType(header); charset == "" {
		charset = params["charset"]
	}
	charset = labelled(head, charset)
	v.setTitle(header.Get("Subject"), charset)
	v.fields(header, charset, "", "From", "To", "Cc")
	v.fields(header, charset, "neither the sender nor an open recipient", "Bcc", "Sender", "Reply-To", "Resent-From", "Resent-To", "Resent-Cc")
	v.settle()
	entity, err := message.New(header, strings.NewReader(body))
	events, err := v.parts(entity, err)
	if err != nil {
		v.note("not all parts of the mail can be read, so that an event may be missed: " + err.Error())
	}
	if len(events) == 0 {
		return []*Invitation{v}, nil
	}
	events[0].absorb(v, "of the mail, not of the event") // once, whatever number of events it holds
	events[0].settle()
	return events, nil
}

var field = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)

// header reads the header past lines that are none of it.
func (v *Invitation) header(head string) (message.Header, error) {
	var kept strings.Builder
	good := false
	for line := range strings.Lines(head) {
		if line[0] != ' ' && line[0] != '\t' {
			good = field.MatchString(line)
		}
		if good {
			kept.WriteString(line)
		} else if strings.Contains(line, "@") && !strings.HasPrefix(line, "From ") { // as mbox files begin
			v.add(strings.TrimSpace(line), "the line of the header cannot be read")
		}
	}
	read, err := textproto.ReadHeader(bufio.NewReader(strings.NewReader(kept.String() + "\n\n")))
	if err != nil {
		return message.Header{}, fmt.Errorf("not a mail: %w", err)
	}
	for _, name := range []string{"From", "To", "Cc", "Subject", "Date", "Message-Id"} {
		if read.Has(name) {
			return message.Header{Header: read}, nil
		}
	}
	return message.Header{}, errors.New("neither a calendar nor a mail")
}

// fields takes in the people of fields of the header, or leaves them out for a reason.
func (v *Invitation) fields(header message.Header, charset, why string, names ...string) {
	for _, name := range names {
		for _, value := range header.Values(name) {
			v.addresses(toUTF8(value, charset), why)
		}
	}
}

var errDeep = fmt.Errorf("they nest deeper than %d", maxDepth)

// parts gives the events of the first calendar part with a METHOD and people, and notes what
// is not read.
func (v *Invitation) parts(entity *message.Entity, coded error) (events []*Invitation, err error) {
	err = entity.Walk(func(path []int, part *message.Entity, err error) error {
		if len(path) == 0 {
			err = coded
		}
		kind, params := contentType(part.Header)
		switch {
		case len(path) > maxDepth:
			return errDeep
		case slices.Contains(unread, kind):
			v.note(kind + " is not read, so that an event may be missed")
		case events == nil && isCalendar(kind, params):
			events, err = v.calendar(part.Body, params, err)
			return err
		}
		return nil
	})
	return events, err
}

func isCalendar(kind string, params map[string]string) bool {
	return kind == "text/calendar" || kind == "application/ics" ||
		kind == "application/octet-stream" && strings.HasSuffix(strings.ToLower(params["name"]), ".ics")
}

// calendar reads a calendar part; coded is an error of its encoding.
func (v *Invitation) calendar(body io.Reader, params map[string]string, coded error) ([]*Invitation, error) {
	if message.IsUnknownEncoding(coded) {
		return nil, coded
	}
	data, cut := io.ReadAll(body)
	events, err := parseCalendar(plainLines(data), params["charset"], params["method"])
	if err != nil {
		return nil, errors.Join(err, cut)
	}
	if !slices.ContainsFunc(events, func(event *Invitation) bool { return event.method && len(event.People) > 0 }) {
		v.note("an attached calendar without METHOD or people is a file, not an invitation")
		return nil, cut
	}
	return events, cut
}

// contentType gives the media type of a part, also where its parameters are broken.
func contentType(header message.Header) (kind string, params map[string]string) {
	value := header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(value)
	if err != nil {
		kind, _, _ = strings.Cut(value, ";")
	}
	return strings.ToLower(strings.TrimSpace(kind)), params
}
