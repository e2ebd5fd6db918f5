package roomkit

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The reader of commands and events. encoding/json takes the last of equal keys, keys
// in any case and null for nothing, and does not say in which field a value is wrong.

const (
	reasonDuration = `not a duration such as "24h0m0s"`
	reasonObject   = "not a JSON object"
)

// jsonReader reads one text that is known to be JSON. Places are named as in the Go
// types: People[2].
type jsonReader struct {
	*json.Decoder
	data    []byte
	name    string // the key of the object that says what it is
	lenient bool   // passes over unknown keys
}

func newJSONReader(data []byte) *jsonReader {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return &jsonReader{Decoder: d, data: data}
}

// readObject fills a struct. The key that says what the object is has been read.
func readObject(data []byte, name string, into reflect.Value, lenient bool) error {
	r := newJSONReader(data)
	r.name, r.lenient = name, lenient
	return r.object("", into)
}

// rawUnder gives the value of a key of an object, nil if there is none. From here on
// the text is known to be JSON, so that its tokens have no errors.
func rawUnder(key string, data []byte) (found json.RawMessage, err error) {
	if !json.Valid(data) || !utf8.Valid(data) {
		return nil, &Invalid{Field: "JSON", Reason: "not one JSON value in UTF-8"}
	}
	r := newJSONReader(data)
	if token, _ := r.Token(); token != json.Delim('{') {
		return nil, &Invalid{Field: "JSON", Reason: reasonObject}
	}
	for r.More() {
		is, _ := r.Token()
		if value := r.raw(); is == key {
			found = value
		}
	}
	return found, nil
}

// raw reads a value as it is.
func (r *jsonReader) raw() (value json.RawMessage) {
	_ = r.Decode(&value)
	return value
}

// nameUnder gives the name that says what an object is.
func nameUnder(key string, data []byte) (string, error) {
	raw, err := rawUnder(key, data)
	if err != nil {
		return "", err
	}
	token, _ := newJSONReader(raw).Token()
	name, _ := token.(string)
	if name == "" {
		return "", &Invalid{Field: key, Reason: "missing, or not a name"}
	}
	return name, nil
}

func (r *jsonReader) object(path string, into reflect.Value) error {
	if token, _ := r.Token(); token != json.Delim('{') {
		return &Invalid{Field: place(path), Reason: reasonObject}
	}
	given := map[string]bool{}
	for r.More() {
		key, err := r.text(path)
		if err != nil {
			return err
		}
		if given[key] {
			return &Invalid{Field: within(path, printable(key)), Reason: "given twice"}
		}
		given[key] = true
		if err := r.field(path, key, into); err != nil {
			return err
		}
	}
	_, _ = r.Token()
	return nil
}

func (r *jsonReader) field(path, key string, into reflect.Value) error {
	if v, name, ok := fieldOf(into, key); ok {
		return r.value(within(path, name), v)
	}
	if !r.lenient && (path != "" || key != r.name) {
		return &Invalid{Field: within(path, printable(key)), Reason: "no such field"}
	}
	r.raw()
	return nil
}

// fieldOf finds a field by its key, in embedded structs too.
func fieldOf(v reflect.Value, key string) (field reflect.Value, name string, ok bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if field, name, ok = fieldOf(v.Field(i), key); ok {
				return field, name, true
			}
			continue
		}
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == key && key != "-" {
			return v.Field(i), f.Name, true
		}
	}
	return reflect.Value{}, "", false
}

func (r *jsonReader) value(path string, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return r.value(path, v.Elem())
	}
	into := v.Addr().Interface()
	if d, ok := into.(*time.Duration); ok {
		into = (*durationText)(d)
	}
	if u, ok := into.(json.Unmarshaler); ok && v.Kind() != reflect.Struct {
		return moved(path, u.UnmarshalJSON(r.raw()))
	}
	if u, ok := into.(encoding.TextUnmarshaler); ok {
		text, err := r.text(path)
		if err != nil {
			return err
		}
		return moved(path, u.UnmarshalText([]byte(text)))
	}
	switch v.Kind() {
	case reflect.Struct:
		return r.object(path, v)
	case reflect.Slice, reflect.Array:
		return r.list(path, v)
	}
	return r.scalar(path, v)
}

// moved says in which field an error of a type's own method happened.
func moved(path string, err error) error {
	var inner *Invalid
	switch {
	case err == nil:
		return nil
	case errors.As(err, &inner):
		return &Invalid{Field: path, Reason: inner.Reason, Rule: inner.Rule}
	}
	return &Invalid{Field: path, Reason: err.Error()}
}

func (r *jsonReader) list(path string, v reflect.Value) error {
	if bytes, ok := v.Addr().Interface().(*[]byte); ok {
		text, err := r.text(path)
		if err != nil {
			return err
		}
		*bytes, err = base64.StdEncoding.DecodeString(text)
		return moved(path, err)
	}
	if token, _ := r.Token(); token != json.Delim('[') {
		return &Invalid{Field: path, Reason: "not a list"}
	}
	for i := 0; r.More(); i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case v.Kind() == reflect.Slice:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		case i == v.Len():
			return &Invalid{Field: path, Reason: "more than " + strconv.Itoa(i)}
		}
		if err := r.value(at, v.Index(i)); err != nil {
			return err
		}
	}
	_, _ = r.Token()
	return nil
}

func (r *jsonReader) scalar(path string, v reflect.Value) error {
	if v.Kind() == reflect.String {
		text, err := r.text(path)
		v.SetString(text)
		return err
	}
	token, _ := r.Token()
	switch given := token.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(given)
			return nil
		}
	case json.Number:
		if !v.CanInt() {
			break
		}
		if n, err := strconv.ParseInt(given.String(), 10, v.Type().Bits()); err == nil {
			v.SetInt(n)
			return nil
		}
	}
	if v.Kind() == reflect.Bool {
		return &Invalid{Field: path, Reason: "neither true nor false"}
	}
	return &Invalid{Field: path, Reason: "not an integer, or too large"}
}

// text reads a string, or a key. What encoding/json would replace is refused.
func (r *jsonReader) text(path string) (string, error) {
	start := r.InputOffset()
	token, _ := r.Token()
	text, ok := token.(string)
	if !ok {
		return "", &Invalid{Field: place(path), Reason: "not a string"}
	}
	raw := r.data[start:r.InputOffset()]
	if strings.ContainsRune(text, utf8.RuneError) && !bytes.ContainsRune(raw, utf8.RuneError) && !escaped(raw) {
		return "", &Invalid{Field: place(path), Reason: "an escape that is no character"}
	}
	return text, nil
}

// escaped reports whether a text has the escape of the replacement character itself.
func escaped(raw []byte) bool { return bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) }

func within(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func place(path string) string {
	if path == "" {
		return "JSON"
	}
	return path
}

// printable is a key that somebody has made up, fit for an error.
func printable(key string) string {
	if len(key) > 64 {
		key = key[:64]
	}
	return strings.Trim(strconv.QuoteToASCII(key), `"`)
}

// named writes an object whose first key holds a name. Fields is a struct that
// encoding/json writes as an object, or a nil pointer.
func named(key, name string, fields any) ([]byte, error) {
	if err := checkUTF8("", reflect.ValueOf(fields)); err != nil {
		return nil, err
	}
	body, err := json.Marshal(fields)
	if len(body) == 0 || body[0] != '{' {
		return body, err
	}
	quoted, err := json.Marshal(name)
	out := append([]byte(`{"`+key+`":`), quoted...)
	if len(body) > len(`{}`) {
		out = append(out, ',')
	}
	return append(out, body[1:]...), err
}

// checkUTF8 refuses text that is not UTF-8, which encoding/json would write as something
// else.
func checkUTF8(path string, v reflect.Value) (err error) {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return &Invalid{Field: place(path), Reason: "not valid UTF-8"}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return checkUTF8(path, v.Elem())
		}
	case reflect.Struct:
		for i := 0; err == nil && i < v.NumField(); i++ {
			name := v.Type().Field(i).Name
			if v.Type().Field(i).Anonymous {
				err = checkUTF8(path, v.Field(i))
			} else {
				err = checkUTF8(within(path, name), v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := 0; err == nil && i < v.Len(); i++ {
			err = checkUTF8(path+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
	default: // is no text
	}
	return err
}

// durationText is a duration in the form of [time.Duration.String].
type durationText time.Duration

func (d durationText) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *durationText) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return &Invalid{Field: "Duration", Reason: reasonDuration}
	}
	*d = durationText(v)
	return nil
}
