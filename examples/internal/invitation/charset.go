package invitation

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// encodingOf gives the charset with a name: as browsers read it, who take windows-1252 for ISO-8859-1
// and GBK for GB2312, as mailers mean it; one of IANA's, or one that mailers call their own.
func encodingOf(name string) (encoding.Encoding, error) {
	name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "*") // RFC 2231: charset*language
	switch name {
	case "cp949", "ms949", "x-windows-949", "uhc":
		name = "euc-kr"
	case "cp932", "x-ms-cp932":
		name = "shift_jis"
	case "iso-2022-jp-ms", "cp50220", "cp50221":
		name = "iso-2022-jp"
	}
	if known, err := htmlindex.Get(name); err == nil && known != encoding.Replacement {
		return known, nil
	}
	known, err := ianaindex.MIME.Encoding(name)
	if err != nil || known == nil {
		return nil, fmt.Errorf("charset %q is not known", name)
	}
	return known, nil
}

// usualName gives the name under which browsers know a charset.
func usualName(name string) string {
	if known, err := encodingOf(name); err == nil {
		if usual, err := htmlindex.Name(known); err == nil {
			return usual
		}
	}
	return name
}

func charsetReader(name string, in io.Reader) (io.Reader, error) {
	known, err := encodingOf(name)
	if err != nil {
		return nil, err
	}
	return known.NewDecoder().Reader(in), nil
}

func passThrough(_ string, in io.Reader) (io.Reader, error) { return in, nil }

// plainLines takes a byte order mark away, reads UTF-16 where the mark says so, and gives
// every line one line feed: files come with CR, LF, CR LF and CR CR LF.
func plainLines(data []byte) string {
	text, _, err := transform.Bytes(unicode.BOMOverride(encoding.Nop.NewDecoder()), data)
	if err != nil {
		text = data
	}
	return strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n").Replace(string(text))
}

// labelled gives the charset of a text without a label: none if it is UTF-8 as a whole. One line
// does not tell, because a word of Korean can be UTF-8 by chance.
func labelled(text, charset string) string {
	if utf8.ValidString(text) {
		return ""
	}
	return charset
}

// toUTF8 reads a line in a charset, or in UTF-8 if that is empty. ISO-2022-JP shows by its
// escape sequences.
func toUTF8(line, charset string) string {
	if strings.Contains(line, "\x1b$") {
		charset = "iso-2022-jp"
	}
	if charset == "" {
		return strings.ToValidUTF8(line, "\ufffd")
	}
	if known, err := encodingOf(charset); err == nil {
		if out, err := known.NewDecoder().String(line); err == nil {
			line = out
		}
	}
	return strings.ToValidUTF8(line, "\ufffd")
}

var (
	word  = regexp.MustCompile(`=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?=`)
	words = regexp.MustCompile(`(?:=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=\s*)+`)
)

// decodeWords reads the encoded words of a header field (RFC 2047). Neighbours of one charset
// are read together, because many mailers cut within a character. Words that cannot be
// read stay as they are, and the error says why.
func decodeWords(text string) (string, error) {
	joined := words.ReplaceAllStringFunc(text, join)
	decoded, err := (&mime.WordDecoder{CharsetReader: charsetReader}).DecodeHeader(joined)
	if err != nil {
		return text, err
	}
	return decoded, nil
}

// join makes neighbouring words of one charset one word.
func join(run string) string {
	raw := mime.WordDecoder{CharsetReader: passThrough}
	var out, content strings.Builder
	charset := ""
	flush := func() {
		if content.Len() > 0 {
			out.WriteString("=?" + charset + "?B?" + base64.StdEncoding.EncodeToString([]byte(content.String())) + "?= ")
		}
		content.Reset()
	}
	for _, w := range word.FindAllStringSubmatch(run, -1) {
		part, err := raw.Decode("=?x-raw?" + w[2] + "?" + w[3] + "?=")
		name := usualName(w[1])
		if err != nil || name != charset {
			flush()
			charset = name
		}
		if err != nil {
			out.WriteString(w[0] + " ")
		}
		content.WriteString(part)
	}
	flush()
	return strings.TrimSuffix(out.String(), " ") + run[len(strings.TrimRight(run, " \t\r\n")):]
}

// setTitle reads a title, and notes what of it cannot be read.
func (v *Invitation) setTitle(text, charset string) {
	title, err := decodeWords(toUTF8(text, charset))
	if err != nil {
		v.note("title: " + err.Error())
	}
	if strings.ContainsRune(title, utf8.RuneError) {
		v.note("title: not all of it can be read; -charset names the charset of text that does not name its own")
	}
	v.Title = title
}
