package service_test

import (
	"bytes"
	"context"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// TestBlankNames: a name that shows nothing is refused as no name is.
func TestBlankNames(t *testing.T) {
	s := proof.NewStage(t)
	for _, blank := range []string{"\ufe0f", "\u034f", "\u2800", "\u3164", "\u00ad", "\u0301", " \u3000\u200b"} {
		for _, cmd := range []roomkit.Command{
			roomkit.CreateGroup{Name: blank}, roomkit.CreateExternalGroup{Name: blank, Members: people("fay")},
			roomkit.Edit{Room: s.Group, Name: &blank}, roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: blank},
			roomkit.Edit{Room: s.General, Name: &blank},
		} {
			_, err := s.Do(ctx, roomkit.By("ann"), cmd)
			namesField(t, "Name", err)
		}
		s.Invalid("CRE-51", "ann", roomkit.CreateGroup{Name: blank})
	}
	s.Invalid("CRE-51", "ann", roomkit.CreateGroup{})
}

// TestDescriptions: one list of texts with what is stored of each.
func TestDescriptions(t *testing.T) {
	s := proof.NewStage(t)
	for text, want := range map[string]string{
		"one": "one", "one\ntwo\n\nfour": "one\ntwo\n\nfour", "one\r\ntwo\r\n": "one\ntwo\n", "": "",
		strings.Repeat("é\r\n", 150): strings.Repeat("é\n", 150), "«کتاب»\u200cها\n🙂\u200d↔️": "«کتاب»\u200cها\n🙂\u200d↔️",
	} {
		s.Run("ann", roomkit.Edit{Room: s.Group, Description: &text})
		require.Equal(t, want, s.RoomOf("ann", s.Group).Description, "%q", text)
		require.False(t, s.Run("ann", roomkit.Edit{Room: s.Group, Description: &text}).Changed, "%q again", text)
	}
	for _, text := range []string{"a\rb", "a\r\r\nb", "a\tb", "\n", " \r\n\u2800", "a\u2028b", "a\n\u202eb", "a\xff", strings.Repeat("\r\n", 301) + "a", strings.Repeat("a", 301)} {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: s.Group, Description: &text})
		namesField(t, "Description", err)
	}
}

// TestTitleOfAnySize: a title of 64 MB costs what a short one costs, also under a key.
func TestTitleOfAnySize(t *testing.T) {
	s := proof.NewStage(t)
	create := roomkit.CreateRoom{People: people("ben", "dan"), Origin: roomkit.OriginMail, AllowDuplicate: true}
	create.Title = "Budget " + strings.Repeat("a", 64<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	made := s.Does("ann", create, service.Call{Key: "mail"})
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20))
	require.Equal(t, create.Title[:1000], s.RoomOf("ann", made.Room).Name)
}

// testOneGroupForEachKey: of names with one key the first group has it, as long as it
// stands, and no other name is refused (GRP-29).
func testOneGroupForEachKey(t *rapid.T) {
	svc := proof.ServiceOn(t, memstore.New(), nil)
	held := map[string]roomkit.RoomID{}
	alphabet := []rune("aAＡéE\u0301 \u00a0\u200d\ufe0fßsаक्ष👩🚀")
	for range rapid.IntRange(2, 8).Draw(t, "groups") {
		name := rapid.StringOfN(rapid.SampledFrom(alphabet), 1, 4, -1).Draw(t, "name")
		if names.Fault(name) != "" {
			continue
		}
		made, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: name})
		if key := names.Key(name); held[key].IsZero() {
			require.NoError(t, err, "%+q", name)
			held[key] = made.Room
		} else {
			proof.Refused(t, "GRP-29", err)
		}
	}
}

func TestOneGroupForEachKey(t *testing.T) { rapid.Check(t, testOneGroupForEachKey) }

func FuzzOneGroupForEachKey(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testOneGroupForEachKey)) }

// older is a store as a program sees it whose keys of names are of version 0.
type older struct{ store.Store }

func (o older) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	changed := append([]store.Need(nil), needs...)
	for i := range changed {
		changed[i].Name = oldKey(changed[i].Name)
	}
	return o.Store.Load(ctx, changed)
}

func (o older) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	for i := range changes {
		for j := range changes[i].Rooms {
			changes[i].Rooms[j].NameKey = oldKey(changes[i].Rooms[j].NameKey)
		}
		for j, r := range changes[i].Records {
			changes[i].Records[j].Data = bytes.ReplaceAll(r.Data, []byte(`"name_key":"1:`), []byte(`"name_key":"0:`))
		}
	}
	return o.Store.Commit(ctx, changes)
}

func oldKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "1:"); ok {
		return "0:" + rest
	}
	return key
}

// TestKeysOfTwoVersions: groups of an earlier version of the key live beside new ones.
// Whoever gives a group its own name again gives it the key of today.
func TestKeysOfTwoVersions(t *testing.T) {
	inner := memstore.New()
	before := proof.ServiceOn(t, older{inner}, nil)
	svc, err := service.New(inner, nil)
	require.NoError(t, err)
	ann := roomkit.By("ann")
	group := func(svc *service.Service, name string) roomkit.RoomID {
		return proof.Do(t, svc, ann, roomkit.CreateGroup{Name: name, Settings: roomkit.GroupSettings{Notify: true}}).Room
	}
	board, plans := group(before, "Board"), group(before, "Plans")
	proof.Refused(t, "GRP-29", second(before.Do(ctx, ann, roomkit.CreateGroup{Name: "PLANS"})))
	twin := group(svc, "BOARD") // the store cannot see that the keys mean the same
	key := func(id roomkit.RoomID) string {
		room, err := svc.Room(ctx, "ann", id)
		require.NoError(t, err)
		return room.NameKey
	}
	require.Equal(t, []string{"0:board", "0:plans", "1:board"}, []string{key(board), key(plans), key(twin)})

	again := roomkit.Edit{Room: plans, Name: new("Plans")}
	res := proof.Do(t, svc, ann, again)
	require.True(t, res.Changed)
	require.Empty(t, res.Notices, "nobody is told of a key")
	require.Equal(t, "1:plans", key(plans))
	proof.Refused(t, "GRP-29", second(svc.Do(ctx, ann, roomkit.CreateGroup{Name: "plans "})))
	require.False(t, proof.Do(t, svc, ann, again).Changed)

	again = roomkit.Edit{Room: board, Name: new("Board")}
	proof.Refused(t, "GRP-29", second(svc.Do(ctx, ann, again)))
	again.Name = new("Board of 2026")
	require.True(t, proof.Do(t, svc, ann, again).Changed)
	require.Equal(t, "1:board of 2026", key(board))
	require.NoError(t, verify.Run(ctx, inner, nil))
}

// TestIdsOfIdentityProviders are ids as they are; the others fit when they are escaped.
func TestIdsOfIdentityProviders(t *testing.T) {
	s := proof.NewStage(t)
	asTheyAre := people(
		"auth0|5f7c8ec7c33c6c004bbafe82", "google-oauth2|103547991597142817347", "kim_globex.example#EXT#@acme.onmicrosoft.example",
		"o'brien@acme.example", "q2+/Zx8Jm5nT9w==", "_ce3d2948b4cf20146dee0a0b3dd6f69b6cf86f62d7", "https://idp.example/o/saml2?idpid=C01/kim",
		"https://idp.example!https://sp.example!6d1cdbcd", "00u1abcd2EFGHIJKL0h8", "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}", "a&b=c;d,e$f^g`h(i)%",
		roomkit.UserID(strings.Repeat("k", 128)),
	)
	for _, id := range asTheyAre {
		require.True(t, id.Valid(), id)
		actor, err := roomkit.ParseActor(string(id))
		require.NoError(t, err)
		require.Equal(t, id, actor.User())
		subject, err := roomkit.ParseSubject(roomkit.UserSubject(id).String())
		require.NoError(t, err)
		require.Equal(t, roomkit.UserSubject(id), subject)
	}
	s.Provision(roomkit.UserMember, asTheyAre...)
	room := s.Does("ann", roomkit.CreateGroup{Name: "everybody", Members: asTheyAre}, service.Call{Key: "ids"}).Room
	require.Subset(t, s.Inside("ann", room), asTheyAre)
	s.Does("ann", roomkit.Remove{Room: room, People: asTheyAre[:1]})
	for _, foreign := range []string{"김철수@회사.example", "CN=Kim Park,OU=Sales", `"a b"@acme.example`, `ACME\kim`, "*system", "100%", "é"} {
		id := roomkit.UserID(url.PathEscape(foreign))
		require.True(t, id.Valid(), id)
		back, err := url.PathUnescape(string(id))
		require.NoError(t, err)
		require.Equal(t, foreign, back)
	}
	for _, bad := range people("", "a b", `a"b`, `ACME\kim`, "<a>", "*system", "é", "a\x7f", "a\n", roomkit.UserID(strings.Repeat("k", 129))) {
		require.False(t, bad.Valid(), bad)
	}
}

// FuzzForeignIDs: every text has an id of its own, if it is not too long.
func FuzzForeignIDs(f *testing.F) {
	for _, s := range []string{"auth0|1", "김@회사.example", "a%20b", "*system", "\xff\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id := roomkit.UserID(url.PathEscape(s))
		require.Equal(t, s != "" && len(id) <= 128, id.Valid(), "%q", id)
		back, err := url.PathUnescape(string(id))
		require.NoError(t, err)
		require.Equal(t, s, back)
		if id.Valid() {
			subject := roomkit.UserSubject(id)
			read, err := roomkit.ParseSubject(subject.String())
			require.NoError(t, err)
			require.Equal(t, subject, read)
		}
	})
}
