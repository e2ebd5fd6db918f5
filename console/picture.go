package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
)

// The measures of a picture, in units of its own.
const (
	labels      = 190 // for names, on the left
	drawn       = 790 // for the time
	laneHigh    = 24
	barHigh     = 12
	headHigh    = 46
	footHigh    = 8
	letterWide  = 7
	mostTicks   = 6
	mostLetters = 24 // of a label
	leastWide   = 3  // of a bar, so that short ones can be seen

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
	Bars         []bar
	Ends         []ending // why periods ended, where there is room for it
}

// ending is why a period ended, in at most so many letters.
type ending struct {
	X, Y, Most int
	span
}

type bar struct {
	X, Y, W, H int
	Class      string
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
	p.axis()
	for i, m := range l.moments {
		p.Moments = append(p.Moments, p.tick(m.At, m.What, 30+10*(i%2)))
	}
	for _, s := range l.off {
		p.Off = append(p.Off, p.bar(s, "off", headHigh, laneHigh*len(lanes)))
	}
	for i, one := range lanes {
		y := headHigh + laneHigh*i
		d := drawnLane{lane: one, Y: y, Text: y + 15, Mid: y + laneHigh/2}
		for i, s := range one.In {
			b := p.bar(s, "in", y+(laneHigh-barHigh)/2, barHigh)
			until := labels + drawn
			if d.Bars = append(d.Bars, b); i+1 < len(one.In) {
				until = p.place(one.In[i+1].From)
			}
			how := s.ended(func(id roomkit.UserID) string { return string(id) })
			if x := b.X + b.W + 5; how != "" && x+letterWide*len([]rune(how)) <= until {
				d.Ends = append(d.Ends, ending{X: x, Y: d.Text, Most: (until - x) / letterWide, span: s})
			}
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

const day = 24 * time.Hour

// steps are between the times of an axis, from midnight on; longer ones are months.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day,
}

// monthSteps are the longer ones, counted from a January on.
var monthSteps = []int{1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 12000}

// axis puts a few round times on the picture.
func (p *picture) axis() {
	from, long := p.From.UTC(), p.To.Sub(p.From)
	for _, step := range steps {
		if long >= step*mostTicks {
			continue
		}
		for at := from.Add(step - 1).Truncate(step); !at.After(p.To); at = at.Add(step) {
			p.Ticks = append(p.Ticks, p.tick(at, at.Format(form(step)), 14))
		}
		return
	}
	step := monthSteps[len(monthSteps)-1]
	for _, months := range slices.Backward(monthSteps) {
		if long < time.Duration(months)*28*day*mostTicks {
			step = months
		}
	}
	at := time.Date(from.Year()-from.Year()%max(1, step/12), time.January, 1, 0, 0, 0, 0, time.UTC)
	for ; !at.After(p.To); at = at.AddDate(0, step, 0) {
		if !at.Before(from) {
			p.Ticks = append(p.Ticks, p.tick(at, at.Format(form(day)), 14))
		}
	}
}

// form is how exactly the times of an axis are told.
func form(step time.Duration) string {
	switch {
	case step < time.Minute:
		return "15:04:05"
	case step < day:
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
	return bar{X: x, Y: y, W: end - x, H: high, Class: class, span: s}
}

// says tells a bar in words.
func (b bar) says(called func(roomkit.UserID) string) string {
	what := map[string]string{"in": "takes part", "master": "Group Master", "gap": "does not count", "off": "message off"}[b.Class]
	says := what + " from " + at(b.From) + " (" + b.Began + ")"
	if b.open() {
		return says + ", and still is so"
	}
	says += " to " + at(b.To)
	if ended := b.ended(called); ended != "" {
		says += " (" + ended + ")"
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
	row, err := c.rowOfRoom(r.Context(), roomkit.RoomEntry{Room: f.Room})
	return view{page: "timeline", Title: "Life of " + roomTitle(&f.Room), room: &row, Data: p}, err
}
