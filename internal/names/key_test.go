package names

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
	"pgregory.net/rapid"
)

// TestNamesThatLookAlikeAreOne (GRP-29).
func TestNamesThatLookAlikeAreOne(t *testing.T) {
	for of, same := range map[string][]string{
		"case and spaces":   {"Board", "board", "BOARD", "Board ", " Board", "Board\u00a0", "\u3000Board\u2003", "Board\u2800", "Board\t"},
		"inner spaces":      {"Red Team", "Red  Team", "red\u00a0team", "RED\u3000TEAM", "Red \u2800 Team"},
		"width":             {"Board", "Ｂｏａｒｄ", "ｂｏａｒｄ", "𝐁𝐨𝐚𝐫𝐝", "Ⓑⓞⓐⓡⓓ"},
		"invisible":         {"Board", "Bo\u200bard", "Bo\u00adard", "Board\ufe0f", "\ufeffBoard", "B\u034foard", "Boa\u2060rd", "Board\u200e"},
		"composition":       {"Café", "Cafe\u0301", "CAFE\u0301", "CAFÉ", "Ｃafe\u0301"},
		"order of marks":    {"a\u0323\u0307b", "a\u0307\u0323b", "ạ\u0307B", "ȧ\u0323b"},
		"full case folding": {"Straße", "STRASSE", "strasse", "Straẞe", "STRAſſE"},
		"ligatures":         {"office", "oﬃce", "OFFICE"},
		"Greek sigma":       {"ΟΔΟΣ", "οδος", "οδοσ"},
		"Greek iota":        {"ᾳ\u0301", "α\u0301ι", "ᾴ", "Α\u0301Ι"},
		"Hangul":            {"한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "한\u200b국"},
		"Hangul compat":     {"ㄱ", "\u1100", "ﾡ", "ᄀ\u1160"},
		"kana width":        {"ガギ", "ｶﾞｷﾞ", "カ\u3099キ\u3099"},
		"kelvin":            {"Kelvin", "\u212aelvin"},
		"Persian":           {"می\u200cخواهم", "میخواهم"},
		"Sinhala":           {"ශ්\u200dරී", "ශ්රී"},
		"Cherokee":          {"ᏣᎳᎩ", "ꮳꮃꭹ"},
		"emoji selector":    {"☎", "☎️", "☎︎"},
		"emoji joined":      {"👩\u200d🚀", "👩🚀"},
		"digits":            {"Team ２", "Team ②", "TEAM 2", "Team ²"},
		"company signs":     {"㍿", "株式会社"},
		"ideograph variant": {"葛城", "葛\U000e0100城"},
		"Deseret":           {"𐐀", "𐐨"},
	} {
		t.Run(of, func(t *testing.T) {
			for _, name := range same[1:] {
				require.Equal(t, Key(same[0]), Key(name), "%+q and %+q", same[0], name)
			}
		})
	}
}

// TestCaseIsFolded: letters that are one for package unicode have one key.
func TestCaseIsFolded(t *testing.T) {
	rangetable.Visit(known, func(r rune) {
		if other := unicode.SimpleFold(r); other != r && unicode.Is(known, other) {
			require.Equal(t, Key(string(r)), Key(string(other)), "%c and %c", r, other)
		}
	})
}

// TestOtherNames: what is another name, confusable letters of other scripts among them.
func TestOtherNames(t *testing.T) {
	for of, two := range map[string][2]string{
		"letters":              {"Board", "Boards"},
		"accents":              {"Cafe", "Café"},
		"a space":              {"Redteam", "Red team"},
		"Latin and Cyrillic":   {"Ban", "Ваn"},
		"Latin and Greek":      {"A", "Α"},
		"l and 1":              {"l", "1"},
		"dotless i":            {"ı", "i"},
		"dotted I":             {"İ", "I"},
		"flags of countries":   {"🇰🇷", "🇯🇵"},
		"flags of their parts": {"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"},
		"flag of a part":       {"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴"},
		"directions":           {"🙂\u200d↔️", "🙂\u200d↕️"},
		"tones of skin":        {"👋🏽", "👋🏿"},
		"kana":                 {"はは", "ばば"},
		"kana of two kinds":    {"あ", "ア"},
		"ideographs":           {"国", "國"},
		"hamza":                {"ا", "أ"},
		"new letters":          {"\U00010d50", "\U00010d70"}, // a capital and its small letter since Unicode 16
		"new emoji":            {"\U0001fae9", "\U0001fabe"},
	} {
		t.Run(of, func(t *testing.T) {
			require.NotEqual(t, Key(two[0]), Key(two[1]))
		})
	}
}

// TestKeysStay: keys of a version never change, whatever tables a program is built with.
// testdata has a file for each version, which is not written again.
func TestKeysStay(t *testing.T) {
	file, err := os.Open("testdata/keys-" + keyVersion + ".txt")
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, key, ok := strings.Cut(lines.Text(), "\t")
		require.True(t, ok, lines.Text())
		if name == "all" {
			require.Equal(t, key, keysOfAll(), "a key has changed: restore it, or raise keyVersion (docs/design.md, Names)")
			continue
		}
		name, err := strconv.Unquote(name)
		require.NoError(t, err)
		require.Equal(t, key, strconv.QuoteToASCII(Key(name)), "%+q: restore its key, or raise keyVersion (docs/design.md, Names)", name)
	}
	require.NoError(t, lines.Err())
}

// keysOfAll is a digest of the keys of all characters that have one of their own, and of
// newer ones.
func keysOfAll() string {
	sum := sha256.New()
	put := func(r rune) {
		if key := Key("x" + string(r) + "y"); key != "1:x"+string(r)+"y" {
			fmt.Fprintf(sum, "%x %s\n", r, key)
		}
	}
	rangetable.Visit(known, func(r rune) {
		if !unicode.In(r, unicode.Unified_Ideograph, unicode.Co) && (r < 0x17000 || r > 0x18cff) && (r <= 0xac00 || r > 0xd7a2) {
			put(r)
		}
	})
	for r := rune(0x10d40); r < 0x10d90; r++ { // Garay, of Unicode 16
		put(r)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func TestLongKeys(t *testing.T) {
	long, other := Key(strings.Repeat("ﷺ", 100)), Key(strings.Repeat("ﷺ", 99))
	require.Len(t, long, len("1#")+64)
	require.NotEqual(t, long, other)
	require.Equal(t, long, Key(strings.Repeat("صلى الله عليه وسلم", 100)), "the same name")
	require.Len(t, Key(strings.Repeat("x", maxKeyBytes-2)), maxKeyBytes)
	for _, widest := range []string{"\U0001fae9", "한", "𝒳", "葛", "Ö"} {
		require.True(t, strings.HasPrefix(Key(strings.Repeat(widest, 100)), "1:"), "people can read it: %s", widest)
	}
}

// drawText prefers what goes wrong.
func drawText() *rapid.Generator[string] {
	odd := []rune("aAbß \u00a0\u2800\u3000ée\u0301\u0323\u0345\u0308ﬁﷺΣσςᾳ한\u1100\u1160\u115f\u1161\u11a8カｶﾞ\u3099क्षශ්රමی\u200c\u200d\u200b\u200e\u200f\u061c\u2060\ufe0f\u034f" +
		"👩🚀❤🏽🏴\U000e0067\U000e0062\U000e0065\U000e007f🇰🇷\u202e\u00ad\u3164\n\r\x00\U00010d50\U0001fae9\U0001e4ecᠠ\u180e\u180b")
	return rapid.OneOf(
		rapid.StringOf(rapid.OneOf(rapid.SampledFrom(odd), rapid.SampledFrom(odd), rapid.Rune())),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }),
	)
}

// testKey: the key of a key is itself, a name that shows has one, and names that differ
// in what does not show only have the same.
func testKey(t *rapid.T) {
	name := strings.ToValidUTF8(drawText().Draw(t, "name"), "?")
	key := Key(name)
	require.LessOrEqual(t, len(key), maxKeyBytes)
	if Fault(name) == "" && name != "" {
		require.NotEqual(t, "1:", key, "%+q", name)
	}
	if form, ok := strings.CutPrefix(key, "1:"); ok {
		require.Equal(t, key, Key(form), "%+q", name)
	}
	assigned := strings.Map(func(r rune) rune {
		if unicode.Is(known, r) && r != blackFlag && !unicode.Is(tags, r) {
			return r
		}
		return 'x'
	}, name)
	for _, alike := range []string{
		norm.NFC.String(assigned), norm.NFD.String(assigned), norm.NFKC.String(assigned), norm.NFKD.String(assigned),
		" " + assigned + "\u2003\u00a0", "\ufeff" + strings.Join(strings.Split(assigned, ""), "\u200d") + "\ufe0f",
		strings.ReplaceAll(assigned, " ", "\u3000 \u2800"),
	} {
		require.Equal(t, Key(assigned), Key(alike), "%+q and %+q", assigned, alike)
	}
}

func TestKeysAreConsistent(t *testing.T) { rapid.Check(t, testKey) }

func FuzzKey(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testKey)) }
