package invitation

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// large are inputs that repeat what could cost the square of its number, as often as fits
// into some bytes.
func large() map[string]func(size int) string {
	inputs := largeMails()
	const event, ends = "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "\nEND:VEVENT\nEND:VCALENDAR\n"
	for name, s := range map[string][3]string{
		"attendees":           {event, "ATTENDEE:mailto:u%d@mail.example\n", ends},
		"broken attendees":    {event, "ATTENDEE;%d\n", ends},
		"parameters":          {event + "ATTENDEE", ";A=b", ":mailto:a@b.example" + ends},
		"lines of parameters": {event, "ATTENDEE" + strings.Repeat(";A=b", 250) + ":mailto:a@b.example\n", ends},
		"values":              {event + "ATTENDEE;A=b", ",b", ":mailto:a@b.example" + ends},
		"schemes":             {event + "ATTENDEE:", "mailto:", "a@b.example" + ends},
		"a list of attendees": {event + "ATTENDEE:mailto:a@b.example", "%%2Cu%d@mail.example", ends},
		"folds":               {event + "SUMMARY:x", "\n y", ends},
		"begins":              {"", "BEGIN:VEVENT\n", ends},
		"ends":                {event, "END:X\n", ends},
		"calendars":           {"", event + "ATTENDEE:mailto:a@b.example" + ends, ""},
		"methods":             {"BEGIN:VCALENDAR\n", "METHOD:REQUEST\nBEGIN:VEVENT\nEND:VEVENT\n", "END:VCALENDAR\n"},
		"notes":               {"BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nUID:1\nSUMMARY:=?x%d?q?a?=\nEND:VEVENT\n", "END:VCALENDAR\n"},
		"exceptions": {
			"BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:%[1]d\nATTENDEE:mailto:u%[1]d@mail.example\nEND:VEVENT\n", "END:VCALENDAR\n",
		},
	} {
		inputs[name] = repeated(s[0], s[1], s[2])
	}
	inputs["recipients of events"] = func(size int) string {
		return strings.TrimSuffix(inputs["recipients"](size/2), "\n") + "Content-Type: text/calendar; method=REQUEST\n\n" + inputs["calendars"](size/2)
	}
	return inputs
}

func largeMails() map[string]func(size int) string {
	inputs := map[string]func(int) string{}
	const to, typed = "To: a@b.example", "From: a@b.example\nContent-Type: multipart/mixed; boundary="
	for name, s := range map[string][3]string{
		"recipients":          {to, ",\n u%d@mail.example", "\n\n"},
		"a line":              {to, ",u%d@mail.example", "\n\n"},
		"fields":              {"", "To: u%d@mail.example\n", "\n"},
		"broken recipients":   {to, ", u%d@@mail", "\n\n"},
		"broken lines":        {to + "\n", "u%d@mail\n", "\n\n"},
		"one comment":         {to + " (", "x", ")\n\n"},
		"open comments":       {to, "(", "\n\n"},
		"open quotes":         {to, `<"([`, "\n\n"},
		"angles":              {"To: ", "<a@b", ">\n\n"},
		"one name":            {"To: ", "=?utf-8?q?a?= ", "<a@b.example>\n\n"},
		"groups":              {"To: ", "a:;", "b@c.example\n\n"},
		"words":               {to + "\nSubject: ", "=?utf-8?b?YQ==?= ", "\n\n"},
		"bad words":           {to + "\nSubject: ", "=?utf-8?b?!?= ", "\n\n"},
		"beginnings of words": {to + "\nSubject: ", "=?", "\n\n"},
		"continuations":       {to + "\nSubject: x", "\n y", "\n\n"},
		"line ends":           {to + "\n", "\r", "\n\n"},
		"parts":               {typed + "p\n\n", "--p\n\nx\n", "--p--\n"},
		"parts in parts":      {typed + "0\n\n--0\n", "Content-Type: multipart/mixed; boundary=%[1]d\n\n--%[1]d\n", ""},
	} {
		inputs[name] = repeated(s[0], s[1], s[2])
	}
	return inputs
}

// repeated repeats a unit, which may hold its number, between a head and a foot.
func repeated(head, unit, foot string) func(size int) string {
	return func(size int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < size; i++ {
			if strings.Contains(unit, "%") {
				fmt.Fprintf(&b, unit, i)
			} else {
				b.WriteString(unit)
			}
		}
		return b.String() + foot
	}
}

// TestLarge: four times the input needs about four times the bytes of memory. Sixteen times
// would be the square; BenchmarkLarge looks at what costs time alone.
func TestLarge(t *testing.T) {
	notShort(t)
	for name, input := range large() {
		t.Run(name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which empties pools of memory
			allocated(input(64 << 10))
			small, big := allocated(input(16<<10)), allocated(input(64<<10))
			require.Less(t, float64(big)/float64(small), 6.0, "%d bytes, then %d", small, big)
		})
	}
}

// notShort leaves a test out under the race detector, which makes pools of memory forgetful.
func notShort(t *testing.T) {
	if testing.Short() {
		t.Skip("it counts memory and time")
	}
}

func allocated(input string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = Parse([]byte(input), "")
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMegabyte: a megabyte of addresses comes in, each once and in order. To compare each with
// all others took more than a minute; the limit is only to tell the two apart.
func TestMegabyte(t *testing.T) {
	notShort(t)
	for _, name := range []string{"recipients", "attendees"} {
		before := processor(t)
		found, err := Parse([]byte(large()[name](1<<20)), "")
		require.NoError(t, err, name)
		require.Less(t, processor(t)-before, 10*time.Second, name)
		people := slices.DeleteFunc(found[0].People, func(a string) bool { return a == "a@b.example" })
		require.Greater(t, len(people), 29000, name)
		for i, address := range people {
			if want := fmt.Sprintf("u%d@mail.example", i); address != want {
				require.Equal(t, want, address, name)
			}
		}
	}
}

// BenchmarkLarge fails where a quarter of a megabyte takes more than two seconds of the
// processor: many times of what it takes, and less than a square would.
func BenchmarkLarge(b *testing.B) {
	for name, input := range large() {
		b.Run(name, func(b *testing.B) {
			text := []byte(input(256 << 10))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				before := processor(b)
				_, _ = Parse(text, "")
				if took := processor(b) - before; took > 2*time.Second {
					b.Fatalf("%v for %d bytes: it grows with the square of the input", took, len(text))
				}
			}
		})
	}
}

func processor(t testing.TB) time.Duration {
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
