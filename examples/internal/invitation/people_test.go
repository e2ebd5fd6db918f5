package invitation

import (
	"regexp"
	"strings"
	"testing"

	ical "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"
)

// told gives whom an invitation takes in, and whom it leaves out, one a line.
func told(v *Invitation) string {
	lines := append([]string{}, v.People...)
	for _, left := range v.LeftOut {
		lines = append(lines, left.Who+" | "+left.Why)
	}
	return strings.Join(lines, "\n")
}

func TestAddresses(t *testing.T) {
	tests := []struct{ name, list, want string }{
		{"nothing", "", ""},
		{"commas and nothing", ", ,;", ""},
		{"plain", "a@b.example, C <c@d.example>", "a@b.example\nc@d.example"},
		{"twice, in other case", "a@b.example, A@B.example", "a@b.example"},
		{"semicolons", "a@b.example; C <c@d.example>;", "a@b.example\nc@d.example"},
		{"a semicolon in a name", `"D; C" <c@d.example>`, "c@d.example"},
		{"a comma in a name", `"D, C" <c@d.example>, a@b.example`, "c@d.example\na@b.example"},
		{"a comma in an encoded name", "=?iso-8859-1?Q?Zetterstr=F6m=2C_Erik?= <a@b.example>", "a@b.example"},
		{"an address in an encoded name", "=?utf-8?Q?a=40a?= <a@b.example>", "a@b.example"},
		{"the address as the name", "a@b.example <a@b.example>", "a@b.example"},
		{"in single quotes", "'a@b.example' <A@b.example>, 'c@d.example'", "A@b.example\nc@d.example"},
		{"another address as the name", "x@y.example <a@b.example>", "a@b.example\nx@y.example <a@b.example> | " + crowded},
		{"the end of another address", "xa@b.example <a@b.example>", "a@b.example\nxa@b.example <a@b.example> | " + crowded},
		{"an at sign in a name", "No reply @ B.example <a@b.example>", "a@b.example"},
		{"a name that is encoded with the address", "=?UTF-8?Q?\"A=5F?= =?UTF-8?Q?B\"_<a@b.example>?=", "a@b.example"},
		{"a word that is cut by a comma", "=?x?Q?Atenci=F3n=20 <a@b.example>, ?=@c.example", "a@b.example\n?=@c.example"},
		{"a comma missing", "a@b.example c@d.example", "a@b.example c@d.example | " + unreadable},
		{"an address in a comment", "a@b.example (for c@d.example)", "a@b.example\na@b.example (for c@d.example) | " + crowded},
		{"a comment", "a@b.example (Ann, of (the) team)", "a@b.example"},
		{"hidden recipients", "undisclosed-recipients:;", ""},
		{"a group", "Team: a@b.example, C <c@d.example>; e@f.example", "a@b.example\nc@d.example\ne@f.example"},
		{"an address as the name of a group", "a@b.example: c@d.example;", "a@b.example\nc@d.example"},
		{"a URI", "mailto:a@b.example", "a@b.example"},
		{"brackets", "[List] A <a@b.example>", "a@b.example"},
		{"an address literal", "a@[192.0.2.1]", "a@[192.0.2.1]"}, // of IPv6 from Go 1.27 on
		{"unknown charset", "=?x-klingon?B?AAAA?= <a@b.example>", "a@b.example"},
		{"not base64", "=?UTF-8?B?aaabb==?= <a@b.example>", "a@b.example"},
		{"an encoded list", "=?utf-8?b?QSA8YUBiLmV4YW1wbGU+LCBjQGQuZXhhbXBsZQ==?=", "a@b.example\nc@d.example"},
		{"two dots", "a..b.@docomo.example", "a..b.@docomo.example"},
		{"two dots in quotes", `"a..b."@docomo.example`, "a..b.@docomo.example"},
		{"letters of all the world", "김 <김@회사.example>", "김@회사.example"},
		{"an open angle", "A <a@b.example, c@d.example", "a@b.example\nc@d.example"},
		{"an open quote", `"A <a@b.example>, c@d.example`, "a@b.example\nc@d.example"},
		{"a quote that ends late", `"A <a@b.example>, "C <c@d.example>`, "c@d.example\n\"A <a@b.example>, \"C <c@d.example> | " + crowded},
		{"no address", "root", "root | " + unreadable},
		{"an encoded name only", "=?utf-8?q?=EA=B9=80?=, a@b.example", "a@b.example\n김 | " + unreadable},
		{"a space within", "A <a @b.example>", "A <a @b.example> | " + unreadable},
		{"nobody", "<>", "<> | " + unreadable},
		{"two ats", "a@b@c.example", "a@b@c.example | " + unreadable},
		{"a control character", "a\x00@b.example", "a\x00@b.example | " + unreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := new(Invitation)
			v.addresses(tt.list, "")
			require.Equal(t, tt.want, told(v))
		})
	}
}

func TestCalendarUsers(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"plain", "ATTENDEE:mailto:a@b.example", "a@b.example"},
		{"any case", "Attendee;Cn=A;cutype=individual:MailTo:a@b.example", "a@b.example"},
		{"the organizer, who attends", "ORGANIZER:mailto:a@b.example", "a@b.example"},
		{"no scheme", "ATTENDEE:a@b.example", "a@b.example"},
		{"two schemes", "ATTENDEE:MAILTO:mailto: a@b.example", "a@b.example"},
		{"vCalendar", "ATTENDEE;ROLE=ATTENDEE:A <a@b.example>", "a@b.example"},
		{"percents", "ATTENDEE:mailto:a%2Bx@b.example?subject=hello", "a+x@b.example"},
		{"no percents", "ATTENDEE:mailto:a%zz@b.example", "a%zz@b.example"},
		{"several", "ATTENDEE:mailto:a@b.example,c@d.example", "a@b.example\nc@d.example"},
		{"EMAIL beside a URN", "ATTENDEE;EMAIL=a@b.example:urn:uuid:1", "a@b.example"},
		{"EMAIL beside a path", `ATTENDEE;email="a@b.example":/principals/x@y.example/`, "a@b.example"},
		{"EMAIL beside a mail address", "ATTENDEE;EMAIL=x@y.example:mailto:a@b.example", "a@b.example"},
		{"EMAIL beside a telephone", "ATTENDEE;EMAIL=a@b.example:sip:x@y.example", "a@b.example"},
		{"SENT-BY is nobody", `ORGANIZER;SENT-BY="mailto:x@y.example":mailto:a@b.example`, "a@b.example"},
		{"UNKNOWN", "ATTENDEE;CUTYPE=UNKNOWN:mailto:a@b.example", "a@b.example"},
		{"a type of its own", "ATTENDEE;CUTYPE=X-HUMAN:mailto:a@b.example", "a@b.example"},
		{"a room", "ATTENDEE;cutype=room:mailto:a@b.example", "a@b.example | a meeting room"},
		{"a resource", `ATTENDEE;CUTYPE="Resource":mailto:a@b.example`, "a@b.example | a resource"},
		{"a group", "ATTENDEE;CUTYPE=GROUP:mailto:a@b.example", "a@b.example | a group, whose people are not known"},
		{"a room without address", "ATTENDEE;CUTYPE=ROOM;CN=Hall:urn:x", "Hall urn:x | a meeting room"},
		{"no mail address", "ATTENDEE;CN=Ann:invalid:nomail", "Ann invalid:nomail | no mail address"},
		{"Exchange", "ATTENDEE;CN=Ann:MAILTO:/o=Org/cn=Ann", "Ann MAILTO:/o=Org/cn=Ann | no mail address"},
		{"a path", "ORGANIZER:/dav/principals/ann@b.example/", "/dav/principals/ann@b.example/ | no mail address"},
		{"a name only", "ATTENDEE;CN=Ann:", "Ann | no mail address"},
		{"nothing", "ATTENDEE:", ""},
		{"a comment of Google", `ATTENDEE;X-RESPONSE-COMMENT="au&szlig\;er\, Haus":mailto:a@b.example`, "a@b.example"},
		{"a semicolon of Cyrus", `ATTENDEE;CN="Y: X";ROLE=CHAIR;:mailto:a@b.example`, "a@b.example"},
		{"quotes in a name", `ATTENDEE;CN="A \"B\" C":mailto:a@b.example`, "a@b.example"},
		{"a quoted colon", `ATTENDEE;X-RESPONSE-COMMENT="a&quot;b:c":MAILTO:a@b.example`, "a@b.example"},
		{"names twice", "ORGANIZER;CN=A <A>:MAILTO:a@b.example", "a@b.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parseLine(tt.line)
			require.NotNil(t, p)
			v := new(Invitation)
			v.person(p, "")
			require.Equal(t, tt.want, told(v))
		})
	}
}

// TestNoProperty: golang-ical takes a line or refuses it, and neither panics nor asks for
// much memory.
func TestNoProperty(t *testing.T) {
	for _, line := range []string{"", ":", ";", "ATTENDEE", "ATTENDEE;", "ATTENDEE;CN", "ATTENDEE;CN=", `ATTENDEE;CN="`, `ATTENDEE;CN=\`, "ATTENDEE;CN=a,"} {
		require.Nil(t, parseLine(line), line)
	}
	require.Nil(t, parseLine("ATTENDEE"+strings.Repeat(";A=b", maxWork/100)+":mailto:a@b.example"))
	require.NotNil(t, parseLine("SUMMARY:"+strings.Repeat("x", maxWork/2)))
	require.IsType(t, new(ical.BaseProperty), parseLine("ATTENDEE;MEMBER=\"mailto:x@y.example\",\"mailto:z@y.example\":mailto:a@b.example"))
}

var anAddress = regexp.MustCompile(`[a-z]+@[a-z]+`)

// FuzzAddresses: whatever looks like an address in a list is told.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{
		`"A, B" <a@b>; c@d`, "a@b <a@b>", "x: a@b (c@d), e@f;", `"a@b <c@d>, "e@f`, "=?utf-8?q?a=40b?= <c@d>", "'a@b' <c@d", "=?utf-8?b?YUBi?=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		v := new(Invitation)
		v.addresses(list, "")
		all := strings.ToLower(told(v))
		for _, address := range anAddress.FindAllString(strings.ToLower(list), -1) {
			require.Contains(t, all, address, "lost in %q", list)
		}
		for _, who := range v.People {
			require.Contains(t, who, "@")
		}
	})
}
