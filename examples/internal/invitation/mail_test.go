package invitation

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func parseOne(t *testing.T, text string) *Invitation {
	t.Helper()
	found, err := Parse([]byte(text), "")
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// TestCharsets: a title in each charset under each of its names, in encoded words of which
// the first is cut within a character, and raw.
func TestCharsets(t *testing.T) {
	tests := []struct {
		title string
		code  encoding.Encoding
		names string
	}{
		{"가나다 회의", korean.EUCKR, "EUC-KR ks_c_5601-1987 KS_C_5601-1989 ksc5601 cp949 MS949 x-windows-949 windows-949 uhc"},
		{"똠방각하 펲시콜라", korean.EUCKR, "ks_c_5601-1987 cp949"}, // only in Microsoft's extension
		{"表示の件", japanese.ShiftJIS, "Shift_JIS sjis x-sjis windows-31j ms_kanji cp932"},
		{"会議の件", japanese.EUCJP, "EUC-JP"},
		{"会議の件", japanese.ISO2022JP, "ISO-2022-JP iso-2022-jp-ms cp50221"},
		{"会议𠀀", simplifiedchinese.GB18030, "GB18030"},
		{"会议", simplifiedchinese.GBK, "GBK gb2312 cp936"},
		{"會議", traditionalchinese.Big5, "Big5"},
		{"Überprüfung – 5 €", charmap.Windows1252, "windows-1252 CP1252"},
		{"Überprüfung", charmap.ISO8859_1, "ISO-8859-1 latin1"},
		{"встреча", charmap.KOI8R, "koi8-r"},
		{"회의 🚀", encoding.Nop, "UTF-8 utf8 UTF-8*ko"},
	}
	for _, tt := range tests {
		raw, err := tt.code.NewEncoder().String(tt.title)
		require.NoError(t, err)
		for name := range strings.FieldsSeq(tt.names) {
			encode := base64.StdEncoding.EncodeToString
			word := fmt.Sprintf("=?%s?B?%s?=\r\n =?%[1]s?b?%[3]s?=", name, encode([]byte(raw[:1])), encode([]byte(raw[1:])))
			v := parseOne(t, "From: a@b.example\r\nSubject: "+word+"\r\n\r\n")
			require.Equal(t, tt.title, v.Title, name)
			require.Empty(t, v.Notes, name)
			base, _, _ := strings.Cut(name, "*")
			v = parseOne(t, "From: \""+raw+"\" <a@b.example>\r\nSubject: "+raw+"\r\nContent-Type: text/plain; charset="+base+"\r\n\r\n")
			require.Equal(t, tt.title, v.Title, name)
			require.Equal(t, "a@b.example", told(v), name)
		}
	}
}

func TestWords(t *testing.T) {
	tests := []struct{ name, subject, want, note string }{
		{"quoted-printable", "=?utf-8?Q?=ED=9A?= =?UTF-8?q?=8C=EC=9D=98_1?=", "회의 1", ""},
		{"base64, then quoted-printable", "=?utf-8?B?7Zo=?= =?utf-8?Q?=8C?=", "회", ""},
		{"two charsets", "=?utf-8?B?7ZqM?= =?iso-8859-1?Q?=FC?= x", "회ü x", ""},
		{"between plain words", "Re: =?utf-8?B?7ZqM?= (x)", "Re: 회 (x)", ""},
		{"without a space between", "=?utf-8?B?7ZqM?==?utf-8?B?7ZqM?=", "회회", ""},
		{"behind a mark of a filter", "[SPAM]=?utf-8?B?7ZqM?=", "[SPAM]회", ""},
		{"windows-1252 by another name", "=?iso-8859-1?Q?a_=96_5_=80?= =?us-ascii?Q?=E9?=", "a – 5 €é", ""},
		{"GBK by another name", "=?gb2312?B?5g==?= =?gbk?B?Zw==?=", "鎔", ""},
		{"nothing in it", "x =?utf-8?Q??= y", "x  y", ""},
		{"not base64", "=?utf-8?B?!!!?= =?utf-8?B?7ZqM?=", "=?utf-8?B?!!!?= 회", ""},
		{"not a word", "=?utf-8?B?7ZqM", "=?utf-8?B?7ZqM", ""},
		{"unknown charset", "=?x-klingon?B?AAAA?=", "=?x-klingon?B?AAAA?=", `title: charset "x-klingon" is not known`},
		{"ISO-2022-KR", "=?iso-2022-kr?B?GyQpQw==?=", "=?iso-2022-kr?B?GyQpQw==?=", `title: charset "iso-2022-kr" is not known`},
		{"raw and without a charset", "caf\xe9", "caf\ufffd", "title: not all of it can be read; -charset names the charset of text that does not name its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := parseOne(t, "From: a@b.example\nSubject: "+tt.subject+"\n\n")
			require.Equal(t, tt.want, v.Title)
			require.Equal(t, tt.note, strings.Join(v.Notes, "\n"))
		})
	}
}

const request = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Event\nATTENDEE:mailto:a@b.example\nEND:VEVENT\nEND:VCALENDAR\n"

// TestParts: which part of a mail decides.
func TestParts(t *testing.T) {
	const plain = "Content-Type: text/plain\n\nhello\n"
	nested := plain
	for i := range maxDepth {
		nested = fmt.Sprintf("Content-Type: multipart/mixed; boundary=n%d\n\n--n%[1]d\n%s\n--n%[1]d--\n", i, nested)
	}
	tests := []struct{ name, part, title, note string }{
		{"no calendar", plain, "Mail", ""},
		{"a calendar", "Content-Type: text/calendar; method=REQUEST\n\n" + request, "Event", ""},
		{"any case", "CONTENT-TYPE: Text/Calendar; METHOD=request\n\n" + request, "Event", ""},
		{"no method parameter", "Content-Type: text/calendar\n\n" + request, "Event", ""},
		{"a method parameter only", "Content-Type: text/calendar; method=PUBLISH\n\n" + strings.Replace(request, "METHOD:REQUEST\n", "", 1), "Event", ""},
		{"no method", "Content-Type: text/calendar\n\n" + strings.Replace(request, "METHOD:REQUEST\n", "", 1), "Mail", "an attached calendar without METHOD or people is a file, not an invitation"},
		{"a concert", "Content-Type: text/calendar; method=PUBLISH\n\n" + strings.Replace(request, "ATTENDEE:mailto:a@b.example", "LOCATION:Hall", 1), "Mail", "an attached calendar without METHOD or people is a file, not an invitation"},
		{"parameters twice", "Content-Type: text/calendar; method=REQUEST; method=REQUEST\n\n" + request, "Event", ""},
		{"parameters that contradict", "Content-Type: text/calendar; name=a; name=b\n\n" + request, "Event", ""},
		{"Google's copy", "Content-Type: application/ics; name=\"invite.ics\"\n\n" + request, "Event", ""},
		{"a file", "Content-Type: application/octet-stream; name*=utf-8''%EC%B4%88.ICS\n\n" + request, "Event", ""},
		{"a file of another kind", "Content-Type: application/octet-stream; name=a.txt\n\n" + request, "Mail", ""},
		{"base64", "Content-Type: text/calendar\nContent-Transfer-Encoding: BASE64\n\n" + base64.StdEncoding.EncodeToString([]byte(request)) + "\n", "Event", ""},
		{"unknown encoding", "Content-Type: text/calendar\nContent-Transfer-Encoding: x-uue\n\n" + request, "Mail", `not all parts of the mail can be read, so that an event may be missed: encoding error: unhandled encoding "x-uue"`},
		{"unknown charset", "Content-Type: text/calendar; charset=x-klingon\n\n" + request, "Event", ""},
		{"TNEF", "Content-Type: application/ms-tnef\n\nx\n", "Mail", "application/ms-tnef is not read, so that an event may be missed"},
		{"S/MIME", "Content-Type: application/pkcs7-mime\n\nx\n", "Mail", "application/pkcs7-mime is not read, so that an event may be missed"},
		{"a mail in the mail", "Content-Type: message/rfc822\n\nFrom: x@y.example\nContent-Type: text/calendar\n\n" + request, "Mail", ""},
		{"deep", strings.Replace(nested, plain, "Content-Type: text/calendar\n\n"+request, 1), "Mail", "not all parts of the mail can be read, so that an event may be missed: they nest deeper than 16"},
		{"components nest deep", "Content-Type: text/calendar\n\n" + strings.Repeat("BEGIN:X\n", 20), "Mail", "not all parts of the mail can be read, so that an event may be missed: components nest deeper than 16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const head = "From: a@b.example\nCc: c@d.example\nSubject: Mail\nContent-Type: multipart/mixed; boundary=m\n\n--m\n"
			v := parseOne(t, head+tt.part+"\n--m--\n")
			require.Equal(t, tt.title, v.Title)
			require.Equal(t, tt.note, strings.Join(v.Notes, "\n"))
			want := "a@b.example\nc@d.example"
			if tt.title == "Event" {
				want += " | of the mail, not of the event"
			}
			require.Equal(t, want, told(v))
			require.Empty(t, v.NoRoom)
		})
	}
	v := parseOne(t, "From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/calendar\n\n"+request)
	require.Equal(t, "Event", v.Title, "the last boundary is missing")
	require.Empty(t, v.NoRoom)
	v = parseOne(t, "From: a@b.example\nContent-Type: text/calendar; method=CANCEL\n\n"+request)
	require.Equal(t, `METHOD is "CANCEL"; REQUEST and PUBLISH open one`, v.NoRoom, "the method of the part counts as well")
	v = parseOne(t, "From: a@b.example\nContent-Type: text/calendar; method=CANCEL\nContent-Transfer-Encoding: x-uue\n\n"+request)
	require.Equal(t, []string{`not all parts of the mail can be read, so that an event may be missed: encoding error: unhandled encoding "x-uue"`}, v.Notes)
}

// TestHeader: bad lines and a cut end.
func TestHeader(t *testing.T) {
	tests := []struct{ name, mail, told, noRoom string }{
		{"an empty Cc", "From: a@b.example\nCc:\nTo: c@d.example\n\n", "a@b.example\nc@d.example", ""},
		{"fields twice", "To: a@b.example\nTo: c@d.example\n\n", "a@b.example\nc@d.example", ""},
		{"any case, and a space", "TO : a@b.example\ncC:\n c@d.example\n\n", "a@b.example\nc@d.example", ""},
		{"of an mbox", "From a@b.example Mon Mar 2\nTo: c@d.example\n\n", "c@d.example", ""},
		{"a line without colon", "To: a@b.example\nCc c@d.example\n  e@f.example\n\n", "a@b.example\nCc c@d.example | the line of the header cannot be read\ne@f.example | the line of the header cannot be read", ""},
		{"a continued line that is nothing's", " a@b.example\nTo: c@d.example\n\n", "c@d.example\na@b.example | the line of the header cannot be read", ""},
		{"in no open field", "From: a@b.example\nBcc: c@d.example\nReply-To: A@b.example\n\n", "a@b.example\nc@d.example | neither the sender nor an open recipient", ""},
		{"no body", "To: a@b.example\n", "a@b.example", ""},
		{"cut off", "To: a@b.example, c@d.exa", "a@b.example\nc@d.exa", "the file is cut off within the header, so that people may be missing"},
		{"nobody", "Subject: x\n\n", "", "it names nobody with a mail address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := parseOne(t, tt.mail)
			require.Equal(t, tt.told, told(v))
			require.Equal(t, tt.noRoom, v.NoRoom)
		})
	}
}

func TestNoFile(t *testing.T) {
	tests := []struct{ name, content, err string }{
		{"empty", "", "empty"},
		{"blank", "\ufeff \r\n\r\n", "empty"},
		{"text", "hello\n\nworld\n", "neither a calendar nor a mail"},
		{"a header of something else", "Host: a.example\n\n", "neither a calendar nor a mail"},
		{"TNEF", "\x78\x9f\x3e\x22\x00", "TNEF (winmail.dat), which is not read"},
		{"Outlook's own", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Outlook .msg, which is not read"},
		{"deep", "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 20), "components nest deeper than 16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.content), "")
			require.ErrorContains(t, err, tt.err)
		})
	}
	_, err := Parse([]byte(request), "x-klingon")
	require.ErrorContains(t, err, `charset "x-klingon" is not known`)
}

// TestTooLarge: of what is too large the beginning is read, and no room is opened for a part
// of the people.
func TestTooLarge(t *testing.T) {
	notShort(t)
	pad := strings.Repeat("x", MaxText)
	v := parseOne(t, strings.Replace(request, "END:VEVENT", "X-PAD:"+pad+"\nEND:VEVENT", 1))
	require.Equal(t, "a@b.example -- the file is cut off within the event, so that people may be missing", told(v)+" -- "+v.NoRoom)
	v = parseOne(t, "To: a@b.example\nX-Pad: "+pad+"\n\n")
	require.Equal(t, "a@b.example -- the file is cut off within the header, so that people may be missing", told(v)+" -- "+v.NoRoom)
	large := filepath.Join(t.TempDir(), "large.eml")
	require.NoError(t, os.WriteFile(large, []byte("To: a@b.example\n\n"+strings.Repeat("x", MaxFile)), 0o600))
	found, err := Read(large, "")
	require.NoError(t, err)
	require.Equal(t, []string{"only the first 33554432 bytes of the file are read"}, found[0].Notes)
	require.Empty(t, found[0].NoRoom)
}

// samples gives the files of the example to a fuzz target.
func samples(f *testing.F, pattern string) []string {
	paths, err := filepath.Glob("../../fromfile/testdata/samples/" + pattern)
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	var all []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		all = append(all, plainLines(data))
	}
	return all
}

// FuzzMail: whatever else a mail holds, a recipient is told.
func FuzzMail(f *testing.F) {
	for _, mail := range samples(f, "*.eml") {
		head, rest, _ := strings.Cut(mail, "\n")
		f.Add(head, rest)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		before = strings.TrimLeft(plainLines([]byte(before)), "\n")
		text := before + "\nTo: probe@mail.example\n" + after
		if strings.Contains(text[:len(before)+2], "\n\n") || strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "BEGIN:V") {
			return // the body begins before
		}
		foundProbe(t, text)
	})
}

// foundProbe demands that the probe is in or named as left out.
func foundProbe(t *testing.T, text string) {
	t.Helper()
	found, err := Parse([]byte(text), "")
	if err != nil {
		require.ErrorContains(t, err, "nest deeper", "in %q", text)
		return
	}
	var all []string
	for _, v := range found {
		all = append(all, told(v))
		require.True(t, v.NoRoom != "" || len(v.People) > 0)
	}
	require.Contains(t, strings.ToLower(strings.Join(all, "\n")), "probe@mail.example", "lost in %q", text)
}
