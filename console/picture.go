package console

import (
	"net/http"
	"time"

	"github.com/go-roomkit/roomkit"
)

// The measures of a picture, in units of its own.
const (
	labels    = 190 // for names, on the left
	drawn     = 790 // for the time
	laneHigh  = 24
	barHigh   = 12
	headHigh  = 46
	footHigh  = 8
	leastWide = 3 // of a bar, so that short ones can be seen

	lanesInRoom = 25
	lanesOfPage = 100
)

// picture is the life of a room as it is drawn.
type picture struct {
	Wide, High int
	Lanes      []drawnLane
	Off        []bar
	Moments    []tick
	Ticks      []tick
	Cut        bool            // there are events behind those drawn
	First, All int             // the first lane shown, and how many there are
	Forgotten  roomkit.Version // up to this version only the outcome is known
	From, To   time.Time
}

type drawnLane struct {
	*lane
	Text, Y, Mid int
	Label        string
	Bars         []bar
}

type bar struct {
	X, Y, W, H int
	Class      string
	Says       string
	span
}

type tick struct {
	X, Text, Y int
	Anchor     string
	Says       string
	At         time.Time
}

// draw puts lanes and moments on their places.
func draw(l *life, lanes []*lane) *picture {
	p := &picture{Wide: labels + drawn + 10, High: headHigh + laneHigh*len(lanes) + footHigh, From: l.from, To: l.until}
	for i := range 5 {
		at := l.from.Add(l.until.Sub(l.from) / 4 * time.Duration(i))
		p.Ticks = append(p.Ticks, p.tick(at, at.UTC().Format(p.form()), 14))
	}
	for i, m := range l.moments {
		p.Moments = append(p.Moments, p.tick(m.At, m.What, 30+10*(i%2)))
	}
	for _, s := range l.off {
		b := p.bar(s, "off", headHigh, laneHigh*len(lanes))
		b.Says = "message off"
		p.Off = append(p.Off, b)
	}
	for i, one := range lanes {
		y := headHigh + laneHigh*i
		d := drawnLane{lane: one, Y: y, Text: y + 15, Mid: y + laneHigh/2, Label: abbreviated(string(one.User), 24)}
		for _, s := range one.In {
			d.Bars = append(d.Bars, p.bar(s, "in", y+(laneHigh-barHigh)/2, barHigh))
		}
		for _, s := range one.Master {
			d.Bars = append(d.Bars, p.bar(s, "master", y+(laneHigh-barHigh)/2-3, 4))
		}
		for _, s := range one.Gaps {
			d.Bars = append(d.Bars, p.bar(s, "gap", y+(laneHigh-barHigh)/2, barHigh))
		}
		p.Lanes = append(p.Lanes, d)
	}
	return p
}

// form is how exactly the times of the axis are told.
func (p *picture) form() string {
	switch long := p.To.Sub(p.From); {
	case long < 5*time.Minute:
		return "15:04:05"
	case long < 48*time.Hour:
		return "Jan 2 15:04"
	}
	return "2006-01-02"
}

// place gives where a moment is.
func (p *picture) place(at time.Time) int {
	all := p.To.Sub(p.From)
	if all <= 0 {
		return labels
	}
	part := float64(at.Sub(p.From)) / float64(all)
	return labels + int(drawn*max(0, min(1, part)))
}

func (p *picture) bar(s span, class string, y, high int) bar {
	until := s.To
	if s.open() {
		until = p.To
	}
	x, end := p.place(s.From), p.place(until)
	if end-x < leastWide {
		x = max(labels, min(x, labels+drawn-leastWide))
		end = x + leastWide
	}
	return bar{X: x, Y: y, W: end - x, H: high, Class: class, Says: saysBar(class, s), span: s}
}

func saysBar(class string, s span) string {
	what := map[string]string{"in": "takes part", "master": "Group Master", "gap": "does not count", "off": "message off"}[class]
	says := what + " from " + at(s.From) + " (" + s.Began + ")"
	if s.open() {
		return says + ", and still is so"
	}
	says += " to " + at(s.To)
	if s.Ended != "" {
		says += " (" + s.Ended + ")"
	}
	return says
}

func (p *picture) tick(at time.Time, says string, y int) tick {
	t := tick{X: p.place(at), Y: y, Anchor: "middle", Says: says, At: at}
	switch t.Text = t.X; {
	case t.X < labels+60:
		t.Anchor = "start"
	case t.X > labels+drawn-60:
		t.Anchor = "end"
	}
	return t
}

func abbreviated(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// Says tells the picture in words, for who does not see it.
func (p *picture) Says() string {
	return "Who took part when: " + itoa(int64(len(p.Lanes))) + " people from " + at(p.From) + " to " + at(p.To) + " UTC. The table has the same in words."
}

type timelinePage struct {
	Room roomkit.Room
	Life *picture
	Next string
}

func (c *console) timeline(r *http.Request) (view, error) {
	f, err := c.roomOf(r, "room")
	if err != nil {
		return view{}, err
	}
	first, ok := number(r, "first")
	if !ok || first < 0 || first > 1<<30 {
		first = 0
	}
	p := timelinePage{Room: f.Room}
	if p.Life, err = c.picture(r.Context(), &f.Room, int(first), lanesOfPage); err != nil {
		return view{}, err
	}
	if last := int(first) + len(p.Life.Lanes); len(p.Life.Lanes) > 0 && last < p.Life.All {
		p.Next = to("timeline", "room", f.Room.ID.String(), "first", itoa(int64(last)))
	}
	return view{page: "timeline", Title: "Life of " + roomTitle(&f.Room), Data: p}, nil
}
