package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
)

// reader reads a file line by line.
type reader struct {
	in    *bufio.Reader
	forms map[string]form
	kept  bool
	line  int64 // the number of the line read last
	bytes int64
	buf   []byte
}

func newReader(r io.Reader) *reader {
	return &reader{in: bufio.NewReaderSize(r, 64<<10), forms: map[string]form{
		"header": formOf[headerLine](), "company": formOf[companyLine](), "user": formOf[userLine](), "team": formOf[teamLine](),
		"room": formOf[roomLine](), "member": formOf[memberLine](), "end": formOf[endLine](),
	}}
}

// form is how a line of a type is read: its keys, true for those of kept files only, and
// where it is read into.
type form struct {
	keys map[string]bool
	into func() any
}

func formOf[L any]() form {
	f := form{keys: map[string]bool{}, into: func() any { return new(L) }}
	of := reflect.TypeFor[L]()
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		f.keys[name] = of.Field(i).Tag.Get("transfer") == "kept"
	}
	return f
}

// next gives the next line that is not empty, and what it says: a pointer to one of the
// types of lines, or what is wrong with it. At the end of the file the error is io.EOF. The
// raw line holds until the next call.
func (r *reader) next() (raw []byte, value any, wrong *Finding, err error) {
	for {
		raw, long, ended, err := r.read()
		if err != nil {
			return nil, nil, nil, err
		}
		switch {
		case long:
			return raw, nil, r.finding(CauseTooLong, fmt.Sprintf("longer than %d bytes", MaxLine)), nil
		case len(bytes.TrimSpace(raw)) == 0 && ended:
			continue
		case len(raw) == 0:
			return nil, nil, nil, io.EOF
		}
		value, wrong := r.parse(raw)
		if _, end := value.(*endLine); !ended && !end {
			return raw, nil, r.finding(CauseTruncated, "the file ends in this line"), nil
		}
		return raw, value, wrong, nil
	}
}

// read gives the next line without its end. Of a long one it passes over the rest.
func (r *reader) read() (raw []byte, long, ended bool, err error) {
	r.buf = r.buf[:0]
	r.line++
	for {
		part, err := r.in.ReadSlice('\n')
		r.bytes += int64(len(part))
		if len(r.buf) <= MaxLine {
			r.buf = append(r.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return r.buf, len(r.buf) > MaxLine, false, nil
		case err != nil:
			return nil, false, false, err
		default:
			line := bytes.TrimSuffix(bytes.TrimSuffix(r.buf, []byte("\n")), []byte("\r"))
			return line, len(line) > MaxLine, true, nil
		}
	}
}

func (r *reader) finding(cause Cause, reason string) *Finding {
	return &Finding{Line: r.line, Cause: cause, Reason: reason}
}

// parse reads a line.
func (r *reader) parse(raw []byte) (any, *Finding) {
	switch {
	case !utf8.Valid(raw):
		return nil, r.finding(CauseUTF8, "not UTF-8")
	case !json.Valid(raw):
		return nil, r.finding(CauseForm, "not a JSON object")
	}
	typ, keys, wrong := r.keys(raw)
	if wrong != nil {
		return nil, wrong
	}
	f, known := r.forms[typ]
	if !known {
		return nil, r.finding(CauseForm, "no type of lines: "+quoted(typ))
	}
	for _, key := range keys {
		if kept, known := f.keys[key]; !known || kept && !r.kept {
			wrong := r.finding(CauseForm, "not a field of this type")
			if known {
				wrong.Reason = "a field of kept files only"
			}
			wrong.Type, wrong.Field = typ, quoted(key)
			return nil, wrong
		}
	}
	value := f.into()
	if err := json.Unmarshal(raw, value); err != nil {
		return nil, r.wrongValue(typ, f, raw, err)
	}
	return value, nil
}

// quoted gives a text of a file for a message.
func quoted(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// wrongValue tells what a line is refused for, and in which field: the first that is refused
// alone, where the error does not say.
func (r *reader) wrongValue(typ string, f form, raw []byte, err error) *Finding {
	wrong := r.finding(CauseForm, "a value of another form")
	wrong.Type = typ
	var mistyped *json.UnmarshalTypeError
	var invalid *roomkit.Invalid
	switch {
	case errors.As(err, &mistyped):
		wrong.Field, wrong.Reason = mistyped.Field, "not a "+mistyped.Type.String()
	case errors.As(err, &invalid):
		wrong.Field, wrong.Reason = invalid.Field, invalid.Reason
	default:
		wrong.Field = firstRefused(f, raw)
	}
	if late := (*time.ParseError)(nil); errors.As(err, &late) {
		wrong.Reason = "not a time such as 2006-01-02T15:04:05Z (RFC 3339)"
	}
	return wrong
}

func firstRefused(f form, raw []byte) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // it is an object
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		alone, err := json.Marshal(map[string]json.RawMessage{key: fields[key]})
		if err == nil && json.Unmarshal(alone, f.into()) != nil {
			return key
		}
	}
	return ""
}

// keys gives the type and the keys of a line that is JSON, each of which stands there once
// and with a value.
func (r *reader) keys(raw []byte) (typ string, keys []string, wrong *Finding) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, _ := d.Token(); t != json.Delim('{') {
		return "", nil, r.finding(CauseForm, "not a JSON object")
	}
	for d.More() {
		t, _ := d.Token()
		key, _ := t.(string)
		var value json.RawMessage
		_ = d.Decode(&value) // the line is JSON
		for _, before := range keys {
			if before == key {
				wrong = r.finding(CauseForm, "written twice")
				wrong.Field = quoted(key)
				return "", nil, wrong
			}
		}
		if string(value) == "null" {
			wrong = r.finding(CauseForm, "null")
			wrong.Field = quoted(key)
			return "", nil, wrong
		}
		if key == "type" {
			_ = json.Unmarshal(value, &typ)
		}
		keys = append(keys, key)
	}
	return typ, keys, nil
}
