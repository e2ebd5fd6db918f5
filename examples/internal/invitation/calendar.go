package invitation

import (
	"errors"
	"fmt"
	"io"
	"strings"

	ical "github.com/arran4/golang-ical"

	"github.com/go-roomkit/roomkit"
)

const (
	maxDepth = 16      // of components in each other, and of parts of a mail
	maxWork  = 1 << 20 // of the bytes of a line times its parameters: what they cost golang-ical
)

// calendar reads the objects of a calendar file line by line, because a bad line must not
// cost the file.
type calendar struct {
	charset string
	outer   string   // the method that the part of a mail has
	open    []string // components that have begun and not ended
	method  *method  // of the VCALENDAR that is read
	now     *object  // that is read
	level   int      // of open, for now
	objects []*object
	loose   Invitation // people who are named outside of any object
}

// method is the METHOD of a VCALENDAR (RFC 5546).
type method struct {
	named  bool
	closes string // a method that opens no room
}

func (m *method) is(name string) {
	m.named = m.named || name != ""
	switch name = strings.ToUpper(strings.TrimSpace(name)); name {
	case "", "REQUEST", "PUBLISH":
	default:
		m.closes = name
	}
}

// object is an event, or a calendar object of another kind.
type object struct {
	Invitation
	kind, uid string
	method    *method // of its VCALENDAR
	exception bool    // of a series: it has a RECURRENCE-ID
	cutOff    bool
}

// parseCalendar reads a calendar file, or the part of a mail whose header names the
// method outer.
func parseCalendar(text, charset, outer string) ([]*Invitation, error) {
	text = text[:min(len(text), MaxText)] // what is open then is cut off
	charset = labelled(strings.NewReplacer("\n ", "", "\n\t", "").Replace(text), charset)
	c := &calendar{charset: charset, outer: outer, method: &method{}}
	lines := ical.NewCalendarStream(strings.NewReader(text))
	for {
		line, end := lines.ReadLine()
		if line != nil {
			if err := c.line(string(*line)); err != nil {
				return nil, err
			}
		}
		if end != nil && !errors.Is(end, io.EOF) {
			return nil, end
		}
		if end != nil {
			break
		}
	}
	for _, o := range c.objects {
		o.cutOff = o.cutOff || o == c.now
	}
	return c.invitations(), nil
}

func (c *calendar) line(line string) error {
	line = toUTF8(line, c.charset)
	p := parseLine(line)
	if p == nil {
		c.broken(line)
		return nil
	}
	value := strings.ToUpper(strings.TrimSpace(p.Value))
	switch name := strings.ToUpper(p.IANAToken); name {
	case "BEGIN":
		return c.begin(value)
	case "END":
		c.end(value)
	case "METHOD":
		c.method.is(value)
	case "ORGANIZER", "ATTENDEE", "CALENDAR-ADDRESS": // the last of a PARTICIPANT (RFC 9073)
		switch {
		case c.now == nil:
			c.loose.person(p, "not of an event")
		case len(c.open) > c.level:
			c.now.person(p, fmt.Sprintf("of a %.20s, not of the event itself", c.open[len(c.open)-1]))
		default:
			c.now.person(p, "")
		}
	default:
		if c.now != nil && len(c.open) == c.level {
			c.now.property(name, p)
		}
	}
	return nil
}

// parseLine has the library read a line, unless that would take long; nil: it cannot.
func parseLine(line string) *ical.BaseProperty {
	if len(line)*(1+strings.Count(line, ";")+strings.Count(line, ",")) > maxWork {
		return nil
	}
	p, err := ical.ParseProperty(ical.ContentLine(line))
	if err != nil { // Cyrus ends its parameters with a semicolon
		p, err = ical.ParseProperty(ical.ContentLine(strings.Replace(line, ";:", ":", 1)))
	}
	if err != nil {
		return nil
	}
	return p
}

// broken keeps what is lost with a line that cannot be read.
func (c *calendar) broken(line string) {
	v := &c.loose
	if c.now != nil {
		v = &c.now.Invitation
	}
	switch upper := strings.ToUpper(line[:min(len(line), len("ORGANIZER"))]); {
	case strings.HasPrefix(upper, "ATTENDEE"), strings.HasPrefix(upper, "ORGANIZER"):
		v.add(line, "the line cannot be read")
	case strings.HasPrefix(upper, "SUMMARY"):
		v.note("title: the line cannot be read")
	}
}

func (c *calendar) begin(kind string) error {
	switch kind {
	case "VCALENDAR":
		if c.now != nil {
			c.now.cutOff = true
		}
		c.open, c.now, c.method = nil, nil, &method{}
		c.method.is(c.outer)
	case "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY":
		if c.now != nil { // which has not ended
			c.open = c.open[:c.level-1]
		}
		c.now = &object{kind: kind, method: c.method, Invitation: Invitation{Origin: roomkit.OriginEvent}}
		c.objects = append(c.objects, c.now)
		c.level = len(c.open) + 1
	}
	c.open = append(c.open, kind)
	if len(c.open) > maxDepth {
		return fmt.Errorf("components nest deeper than %d", maxDepth)
	}
	return nil
}

func (c *calendar) end(kind string) {
	for i := len(c.open) - 1; i >= 0; i-- {
		if c.open[i] == kind {
			c.open = c.open[:i]
			break
		}
	}
	if len(c.open) < c.level {
		c.now, c.level = nil, 0
	}
}

func (o *object) property(name string, p *ical.BaseProperty) {
	switch name {
	case "UID":
		o.uid = strings.TrimSpace(p.Value)
	case "RECURRENCE-ID":
		o.exception = true
	case "STATUS":
		if strings.EqualFold(strings.TrimSpace(p.Value), "CANCELLED") {
			o.NoRoom = "the event is cancelled"
		}
	case "SUMMARY":
		if o.Title == "" {
			o.setTitle(p.Value, "")
		}
	}
}

// invitations makes one invitation of each event: of a series, its exceptions included.
// Events without UID are each their own.
func (c *calendar) invitations() []*Invitation {
	var order []string
	base := map[string]*object{}
	for i, o := range c.objects {
		if o.uid == "" {
			o.uid = fmt.Sprint("\n", i)
		}
		first, ok := base[o.kind+o.uid]
		if !ok {
			order = append(order, o.kind+o.uid)
		}
		if !ok || first.exception && !o.exception {
			base[o.kind+o.uid] = o
		}
	}
	for _, o := range c.objects {
		if series := base[o.kind+o.uid]; series != o {
			series.absorb(&o.Invitation, "only of an exception of the series, or of another version of the event")
			series.cutOff = series.cutOff || o.cutOff
		}
	}
	if len(order) == 0 {
		c.loose.NoRoom = "no event in it"
		return []*Invitation{&c.loose}
	}
	var found []*Invitation
	for _, key := range order {
		found = append(found, base[key].invitation())
	}
	found[0].absorb(&c.loose, "")
	if len(c.open) > 0 {
		found[0].note("the file is cut off; there may have been more")
	}
	return found
}

// invitation decides whether an object opens a room.
func (o *object) invitation() *Invitation {
	v := &o.Invitation
	v.method = o.method.named
	if o.method.closes != "" {
		v.NoRoom = fmt.Sprintf("METHOD is %.40q; REQUEST and PUBLISH open one", o.method.closes)
	}
	switch {
	case o.kind != "VEVENT":
		v.NoRoom = fmt.Sprintf("a %s; only a VEVENT opens one", o.kind)
	case o.cutOff:
		v.NoRoom = "the file is cut off within the event, so that people may be missing"
	}
	return v.settle()
}
