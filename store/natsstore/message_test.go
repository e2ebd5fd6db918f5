package natsstore

import (
	"encoding/hex"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// fill sets everything in a value, so that nothing is like anything else.
func fill(r *rand.Rand, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.UnixMicro(r.Int64N(1 << 50)).UTC()))
		return
	case v.Type() == reflect.TypeFor[roomkit.Actor]():
		v.Set(reflect.ValueOf([]roomkit.Actor{roomkit.By("kim"), roomkit.System(), {}}[r.IntN(3)]))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 4))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.String:
		b := make([]byte, 1+r.IntN(9))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(60))
	case reflect.Uint8:
		v.SetUint(uint64(r.IntN(256)))
	default:
		panic("a kind of field that is not known: " + v.Kind().String())
	}
}

func filledChange(r *rand.Rand) store.Change {
	var c store.Change
	fill(r, reflect.ValueOf(&c).Elem())
	for i := range c.Records {
		c.Records[i].Cursor = ""
	}
	c.Outcome.Cursor = ""
	return c
}

// Every field of a change goes through the log, whatever is in it.
func TestEveryFieldIsSent(t *testing.T) {
	for seed := range uint64(200) {
		c := filledChange(rand.New(rand.NewPCG(seed, 1)))
		for _, want := range []store.Change{c, {}} {
			b := body{kind: kindCalls, calls: [][]store.Change{{want, want}, {want}}}
			got, err := decodeBody(b.encode())
			require.NoError(t, err)
			require.Equal(t, b, got)
		}
	}
}

func TestEveryBodyIsSent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var base store.Base
	fill(r, reflect.ValueOf(&base).Elem())
	of := roomkit.RoomSubject(roomkit.RoomID{1, 2})
	for _, b := range []body{
		{kind: kindCalls},
		{kind: kindRename, rename: renaming{of, 7, "a", "b", chain{1}, []edited{{true, 3, []byte("x")}, {at: 4, data: []byte("y")}}}},
		{kind: kindPrune, prune: pruning{1, 900, chain{2}, []store.Base{base, base}}},
		{kind: kindPruneCommands, forget: forgetting{roomkit.CommandID{1}, roomkit.CommandID{2}}},
	} {
		got, err := decodeBody(b.encode())
		require.NoError(t, err)
		require.Equal(t, b, got)
	}
}

func sample() envelope {
	b := body{kind: kindCalls, calls: [][]store.Change{{filledChange(rand.New(rand.NewPCG(3, 1)))}}}
	return envelope{logID{1}, writerID{2}, 3, 0, 1, 4, chain{5}, rules, results{6}, b.encode()}
}

// What is in a log stays readable: the form of a message never changes without a new number.
func TestFormStays(t *testing.T) {
	const path = "testdata/message-1.txt"
	e := sample()
	if os.Getenv("ROOMKIT_UPDATE") != "" {
		_, err := os.Stat(path)
		require.Error(t, err, "a form that is released is never written again")
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(hex.EncodeToString(e.encode())+"\n"), 0o644)) //nolint:gosec // no secret
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	data, err := hex.DecodeString(string(text[:len(text)-1]))
	require.NoError(t, err)
	require.Equal(t, e.encode(), data)
	got, err := decodeEnvelope(data)
	require.NoError(t, err)
	require.Equal(t, e, got)
}

// A message in which one bit is another one, or that is cut or longer, is told from all others.
func TestDamagedMessages(t *testing.T) {
	e := sample()
	data := e.encode()
	for i := range len(data) * 8 {
		bad := append([]byte(nil), data...)
		bad[i/8] ^= 1 << (i % 8)
		_, err := decodeEnvelope(bad)
		require.ErrorIs(t, err, ErrForeign, "bit %d", i)
	}
	for i := range data {
		_, err := decodeEnvelope(data[:i])
		require.ErrorIs(t, err, ErrForeign, "cut at %d", i)
	}
	_, err := decodeEnvelope(append(append([]byte(nil), data...), 0))
	require.ErrorIs(t, err, ErrForeign)
	newer := coder{buf: append([]byte{format + 1}, data[1:len(data)-4]...)}
	_, err = decodeEnvelope(newer.sealed())
	require.ErrorIs(t, err, ErrNewer)
	_, err = decodeBody([]byte{byte(kindEnd)})
	require.ErrorIs(t, err, ErrNewer)
	_, err = decodeBody(append(append([]byte(nil), e.body...), 0))
	require.ErrorIs(t, err, ErrForeign)
}

// Whatever the decoder accepts is what the encoder gives for it.
func FuzzMessage(f *testing.F) {
	e := sample()
	f.Add(e.encode())
	for _, b := range []body{{kind: kindCalls}, {kind: kindPruneCommands}, {kind: kindRename}, {kind: kindPrune}} {
		f.Add((&envelope{log: logID{1}, number: 1, parts: 1, rules: rules, body: b.encode()}).encode())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := coder{buf: append([]byte{format}, data...)}
		for _, data := range [][]byte{data, c.sealed()} {
			e, err := decodeEnvelope(data)
			if err != nil {
				continue
			}
			require.Equal(t, data, e.encode())
			b, err := decodeBody(e.body)
			if err == nil {
				require.Equal(t, e.body, b.encode())
			}
		}
	})
}
