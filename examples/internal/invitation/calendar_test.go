package invitation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMethod(t *testing.T) {
	const closed = `METHOD is %s; REQUEST and PUBLISH open one`
	tests := []struct{ name, calendar, noRoom string }{
		{"none", "", ""},
		{"REQUEST", "METHOD:REQUEST\n", ""},
		{"any case", "Method: publish\n", ""},
		{"CANCEL", "METHOD:CANCEL\n", `"CANCEL"`},
		{"cancel", "METHOD:cancel\n", `"CANCEL"`},
		{"REPLY", "METHOD:REPLY\n", `"REPLY"`},
		{"COUNTER", "METHOD:COUNTER\n", `"COUNTER"`},
		{"REFRESH", "METHOD:REFRESH\n", `"REFRESH"`},
		{"ADD", "METHOD:ADD\n", `"ADD"`},
		{"its own", "METHOD:X-INFO\n", `"X-INFO"`},
		{"two, of which one opens", "METHOD:REQUEST\nMETHOD:CANCEL\n", `"CANCEL"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.noRoom != "" {
				tt.noRoom = strings.Replace(closed, "%s", tt.noRoom, 1)
			}
			const event = "BEGIN:VEVENT\nATTENDEE:mailto:a@b.example\nEND:VEVENT\n"
			for _, text := range []string{tt.calendar + event, event + tt.calendar} {
				v := parseOne(t, "BEGIN:VCALENDAR\n"+text+"END:VCALENDAR\n")
				require.Equal(t, tt.noRoom, v.NoRoom)
				require.Equal(t, "a@b.example", told(v), "also who gets no room is told")
			}
		})
	}
}

// TestObjects: which calendar objects are events, and which are one.
func TestObjects(t *testing.T) {
	object := func(kind string, lines ...string) string {
		return "BEGIN:" + kind + "\n" + strings.Join(lines, "\n") + "\nEND:" + kind + "\n"
	}
	const ann, ben = "ATTENDEE:mailto:a@b.example", "ATTENDEE:mailto:b@b.example"
	const only = "b@b.example | only of an exception of the series, or of another version of the event"
	const cut = "the file is cut off within the event, so that people may be missing"
	tests := []struct{ name, text, want string }{
		{"an event", object("VEVENT", ann), "a@b.example"},
		{"events without UID", object("VEVENT", ann) + object("VEVENT", ann), "a@b.example || a@b.example"},
		{"events with a blank UID", object("VEVENT", "UID:", ann) + object("VEVENT", "UID: ", ben), "a@b.example || b@b.example"},
		{"events", object("VEVENT", "UID:1", ann) + object("VEVENT", "UID:2", ben), "a@b.example || b@b.example"},
		{"a series", object("VEVENT", "UID:1", "RRULE:FREQ=DAILY", ann) + object("VEVENT", "UID:1", "RECURRENCE-ID:1", ann, ben), "a@b.example\n" + only},
		{"the exception first", object("VEVENT", "UID:1", "Recurrence-Id;TZID=x:1", ben) + object("VEVENT", "UID:1", ann), "a@b.example\n" + only},
		{"exceptions only", object("VEVENT", "UID:1", "RECURRENCE-ID:1", ann) + object("VEVENT", "UID:1", "RECURRENCE-ID:2", ben), "a@b.example\n" + only},
		{"a cancelled exception", object("VEVENT", "UID:1", ann) + object("VEVENT", "UID:1", "RECURRENCE-ID:1", "STATUS:CANCELLED", ann), "a@b.example"},
		{"cancelled", object("VEVENT", "Status: cancelled", ann), "a@b.example -- the event is cancelled"},
		{"a task", object("VTODO", ann), "a@b.example -- a VTODO; only a VEVENT opens one"},
		{"a diary", object("VJOURNAL", ann), "a@b.example -- a VJOURNAL; only a VEVENT opens one"},
		{"times", object("VFREEBUSY", ann), "a@b.example -- a VFREEBUSY; only a VEVENT opens one"},
		{"a task with the UID of an event", object("VTODO", "UID:1", ann) + object("VEVENT", "UID:1", ben), "a@b.example -- a VTODO; only a VEVENT opens one || b@b.example"},
		{"a zone", object("VTIMEZONE", "TZID:x"), " -- no event in it"},
		{"nothing", "", " -- no event in it"},
		{"people of nothing", ann + "\n", "a@b.example | not of an event -- no event in it"},
		{"people beside an event", ann + "\n" + object("VEVENT", ben), "b@b.example\na@b.example | not of an event"},
		{"a reminder", object("VEVENT", ann, strings.TrimSpace(object("VALARM", ben, "SUMMARY:x"))), "a@b.example\nb@b.example | of a VALARM, not of the event itself"},
		{"a participant", object("VEVENT", ann, "BEGIN:PARTICIPANT\nCALENDAR-ADDRESS:mailto:b@b.example\nEND:PARTICIPANT"), "a@b.example\nb@b.example | of a PARTICIPANT, not of the event itself"},
		{"nobody", object("VEVENT", "SUMMARY:x"), " -- it names nobody with a mail address"},
		{"rooms only", object("VEVENT", "ATTENDEE;CUTYPE=ROOM:mailto:a@b.example"), "a@b.example | a meeting room -- it names nobody with a mail address"},
		{"an end that is missing", "BEGIN:VEVENT\n" + ann + "\n" + object("VEVENT", ben), "a@b.example || b@b.example"},
		{"ends that are missing", strings.Repeat("BEGIN:VEVENT\n"+ann+"\n", 20) + "END:VEVENT\n", strings.Repeat("a@b.example || ", 19) + "a@b.example"},
		{"an end of something else", object("VEVENT", "END:VALARM", ann), "a@b.example"},
		{"cut off", "BEGIN:VEVENT\n" + ann + "\nEND:VEV", "a@b.example -- " + cut},
		{"cut off and another calendar", "BEGIN:VEVENT\n" + ann + "\nBEGIN:VCALENDAR\n" + object("VEVENT", ben), "a@b.example -- " + cut + " || b@b.example"},
		{"an exception is cut off", object("VEVENT", "UID:1", ann) + "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:1", "a@b.example -- " + cut},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "BEGIN:VCALENDAR\n" + tt.text
			if !strings.HasPrefix(tt.name, "cut off") && !strings.HasSuffix(tt.name, "cut off") {
				text += "END:VCALENDAR"
			}
			found, err := Parse([]byte(text), "")
			require.NoError(t, err)
			var all []string
			for _, v := range found {
				what := told(v)
				if v.NoRoom != "" {
					what += " -- " + v.NoRoom
				}
				all = append(all, what)
			}
			require.Equal(t, tt.want, strings.Join(all, " || "))
		})
	}
}

// TestCalendarText: line ends, folds, charsets and marks.
func TestCalendarText(t *testing.T) {
	tests := []struct{ name, text, charset, title, note string }{
		{"escapes", "SUMMARY;LANGUAGE=ko:a\\, b\\; c\\nd \\\\n\n", "", "a, b; c\nd \\n", ""},
		{"any case", "Summary;Value=text:a\\, b\n", "", "a, b", ""},
		{"a fold within a character", "SUMMARY:\xed\n \x9a\x8c\n", "", "회", ""},
		{"a fold within a name", "SUMM\r\n\tARY:x\r\n", "", "x", ""},
		{"titles in two languages", "SUMMARY:one\nSUMMARY:two\n", "", "one", ""},
		{"EUC-KR", "SUMMARY:\xc8\xb8\xc0\xc7\n", "euc-kr", "회의", ""},
		{"a fold within a character of EUC-KR", "SUMMARY:\xc8\n \xb8\xc0\xc7\n", "cp949", "회의", ""},
		{"EUC-KR that is UTF-8 by chance", "SUMMARY:\xc8\xb8\nDESCRIPTION:\xc0\xc7\n", "euc-kr", "회", ""},
		{"ISO-2022-JP", "SUMMARY:\x1b$B2q5D\x1b(B\n", "", "会議", ""},
		{"a backslash in Shift_JIS", "SUMMARY:\x95\x5c\x8e\xa6\n", "shift_jis", "表示", ""},
		{"UTF-8, whatever the charset", "SUMMARY:회의\n", "euc-kr", "회의", ""},
		{"no charset", "SUMMARY:caf\xe9\n", "", "caf\ufffd", "title: not all of it can be read; -charset names the charset of text that does not name its own"},
		{"a line that cannot be read", "SUMMARY;X:x\n", "", "", "title: the line cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, end := range []string{"\n", "\r\n", "\r", "\r\r\n"} {
				text := "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + strings.ReplaceAll(tt.text, "\r\n", "\n") + "ATTENDEE;CN=x\n :mailto:a@b.example\nEND:VEVENT\nEND:VCALENDAR\n"
				found, err := Parse([]byte(strings.ReplaceAll(text, "\n", end)), tt.charset)
				require.NoError(t, err)
				require.Equal(t, tt.title, found[0].Title)
				require.Equal(t, tt.note, strings.Join(found[0].Notes, "\n"))
				require.Equal(t, "a@b.example", told(found[0]))
			}
		})
	}
}

// FuzzCalendar: whatever else an event holds, an attendee is told.
func FuzzCalendar(f *testing.F) {
	for _, calendar := range samples(f, "*.ics") {
		before, after, _ := strings.Cut(calendar, "\nATTENDEE")
		f.Add(before, "ATTENDEE"+after)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		foundProbe(t, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"+before+"\nATTENDEE:mailto:probe@mail.example\n"+after)
	})
}
