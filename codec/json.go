package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// maxDepth limits how deep objects and arrays of unknown events nest.
const maxDepth = 32

// checkJSON demands of an event of unknown form that it is one JSON value on which
// all readers agree: without white space, equal keys, keys with escapes, lone
// surrogates and NUL.
func (c *coder) checkJSON() {
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.buf); err != nil {
		c.fail("", "not JSON: "+err.Error())
		return
	}
	if !bytes.Equal(compact.Bytes(), c.buf) {
		c.fail("", "not JSON: white space")
		return
	}
	d := json.NewDecoder(bytes.NewReader(c.buf))
	d.UseNumber()
	s := strictScan{Decoder: d, data: c.buf}
	if why := s.value(1); why != "" {
		c.fail("", why)
	}
}

// strictScan reads the tokens of a text that is known to be JSON, and refuses what
// json.Decoder mends or lets pass. Its methods return why, or "".
type strictScan struct {
	*json.Decoder
	data []byte
}

func (s *strictScan) value(depth int) string {
	token, err := s.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		return "not JSON: " + err.Error()
	}
	switch token := token.(type) {
	case string:
		return s.text(token)
	case json.Delim:
		return s.nested(token, depth)
	}
	return ""
}

func (s *strictScan) nested(open json.Delim, depth int) (why string) {
	if depth > maxDepth {
		return "nested too deep"
	}
	keys := map[string]bool{}
	for s.More() && why == "" {
		if open == '{' {
			why = s.key(keys)
		}
		if why == "" {
			why = s.value(depth + 1)
		}
	}
	if _, err := s.Token(); why == "" && err != nil {
		return "not JSON: " + err.Error()
	}
	return why
}

func (s *strictScan) key(known map[string]bool) string {
	token, _ := s.Token()
	key, _ := token.(string)
	plain := bytes.HasSuffix(s.data[:s.InputOffset()], []byte(`"`+key+`"`))
	if known[key] || !plain {
		return "has a key twice, or one with escapes"
	}
	known[key] = true
	return s.text(key)
}

// text refuses what json.Decoder has replaced, and NUL.
func (s *strictScan) text(decoded string) string {
	raw := s.data[:s.InputOffset()]
	if strings.ContainsRune(decoded, utf8.RuneError) && !bytes.Contains(raw, []byte(string(utf8.RuneError))) {
		return "has an escape that is no character"
	}
	if strings.ContainsRune(decoded, 0) {
		return reasonControl
	}
	return ""
}
