package names

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestClusters: what people see as one character, parted by bars.
func TestClusters(t *testing.T) {
	for name, parts := range map[string]string{
		"letters":                       "a|b| |c",
		"marks":                         "a\u0308|e\u0301\u0323|\u0308",
		"line ends":                     "a|\r\n|\n|\r|\r\n|b|\n|\u0308",
		"control":                       "a|\u0001|\u0308|\u2028|\u200b|b",
		"Hangul syllables":              "한|국|각\u11a8|가\u11a8|가\u1161",
		"Hangul jamo":                   "\u1100\u1161\u11a8|\u1100\u1100\u1161\u1161\u11a8\u11a8|\u1100가\u11a8|\u1100각\u11a8|\u1161\u11a8\u11a8|\u1161",
		"Hangul jamo of old Korean":     "\ua960\ud7b0\ud7cb|\u115f\u1161|\u1100\u1160",
		"spacing marks":                 "नि|का|ที่|ກ\u0eb3|ᬓᬶ",
		"marks that stand alone":        "မ|ာ|က|\u102b",
		"prepended":                     "\u0600١|\u06dd٥|\u0d4eക|\U000111c2a",
		"conjuncts":                     "क्षि|स्त्री|ক্ষ|ક્ષ|କ୍ଷ|క్ష|ക്ഷ|न्द्र",
		"a vowel sign between":          "का\u094d|ष",
		"a joiner alone":                "ක\u200d|ෂ|a\u0301\u200d|ක",
		"conjuncts with joiners":        "क्\u200dष|क\u200d्ष|क\u093c्ष|क\u094d\u094dत",
		"no conjunct":                   "क्\u200c|ष|क्|a|क्|अ|\u094d|क|क\u0301|क",
		"visible virama":                "த|மி|ழ்|க்|ஷ",
		"Sinhala conjunct":              "ශ්\u200dරී| |ලං|කා|ක්|ෂ",
		"stacked letters":               "ស្ត្រី|ខ្មែ|រ|မ္မ|ꦩ꧀ꦩ|ᩈ᩠ᨠ",
		"a stack asks for a letter":     "ក្|a|ក្| |ក្|ᄀ",
		"pictures":                      "👩\u200d🚀|👨\u200d👩\u200d👧\u200d👦|👩🏽\u200d❤️\u200d💋\u200d👨🏿|🙂\u200d↔️|🏳️\u200d🌈|🐻\u200d❄️",
		"pictures without a joiner":     "👩|🚀|👩🏽|👩\u200d|a|a\u200d|🚀|a\u0308\u200d|🚀|👩\u200d\u200d|🚀|👩\u200d🏽",
		"pictures, one mark after more": "👩\u0308\ufe0f\u200d🚀",
		"keycap":                        "1️⃣|2",
		"flags of countries":            "🇰🇷|🇯🇵|🇰|a|🇰🇷|🇯|\u0308|🇰\u200d|🇷",
		"flags of their parts":          "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f|🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var c cluster
			for i, r := range []rune(strings.ReplaceAll(parts, "|", "")) {
				if !c.takes(r) || i == 0 {
					got = append(got, "")
				}
				got[len(got)-1] += string(r)
			}
			require.Equal(t, asGiven(parts), strings.Join(got, "|"))
		})
	}
}

// asGiven leaves out the bars behind which a mark was written to stand alone although it
// belongs to what is before.
func asGiven(parts string) string {
	for _, mark := range []string{"\u0308", "\u094d", "🏽"} {
		for _, before := range []string{"e\u0301\u0323", "अ", "🇯", "👩\u200d"} {
			parts = strings.ReplaceAll(parts, before+"|"+mark, before+mark)
		}
	}
	return parts
}

// TestTitlesAreCutBetweenCharacters: the text, cut to so many code points, is the title.
func TestTitlesAreCutBetweenCharacters(t *testing.T) {
	england := "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
	for _, c := range []struct {
		name, text, title string
		limit             int
	}{
		{"short", "Budget", "Budget", 6},
		{"letters", "Budget", "Budge", 5},
		{"a space at the end", "Budget 2027", "Budget", 7},
		{"an accent", "cafe\u0301s", "caf", 4},
		{"a whole accent", "cafe\u0301s", "cafe\u0301", 5},
		{"a family", "a👨\u200d👩\u200d👧\u200d👦b", "a", 7},
		{"a whole family", "a👨\u200d👩\u200d👧\u200d👦b", "a👨\u200d👩\u200d👧\u200d👦", 8},
		{"a country", "🇰🇷🇯🇵", "🇰🇷", 3},
		{"a part of a country", "vs " + england + "!", "vs", 9},
		{"a whole part of a country", "vs " + england + "!", "vs " + england, 10},
		{"a conjunct", "हि\u0928\u094d\u0926\u0940", "हि", 4},
		{"a Sinhala conjunct", "ලශ්\u200dරී", "ල", 4},
		{"jamo", "가\u1100\u1161\u11a8", "가", 3},
		{"a character longer than the limit", "e" + strings.Repeat("\u0301", 9), "e\u0301\u0301", 3},
		{"a flag longer than the limit", england + "x", "🏴", 4},
		{"a suffix that is cut off", "PDF\u200cها", "PDF", 4},
		{"marks of direction without their letters", "C++\u200f שלום", "C++", 4},
		{"marks of direction in the middle", "C\u200f++ שלום", "C++", 4},
		{"a replacement character", "a\ufffdb\xff", "a\ufffdb", 9},
		{"line ends and tabulators", "a\r\n\tb\n\nc", "a b c", 9},
		{"what a name cannot hold", " Re:\r\n\tbudget\u202e \xff\u200b2027 ", "Re: budget 2027", 100},
		{"a joiner between what is left out", "🙂\u200d\xff🚀", "🙂🚀", 9},
		{"half a flag", "🏴\U000e0067\U000e0062", "🏴", 9},
		{"nothing but marks", strings.Repeat("\u0301", 50), "", 9},
		{"no characters", "abc", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.title, Title(c.text, c.limit))
		})
	}
}

// TestTitleReadsWhatItNeeds: of a long text no more is read, and nothing kept.
func TestTitleReadsWhatItNeeds(t *testing.T) {
	for name, unit := range map[string]string{
		"letters": "a", "accents": "\u0301", "Hangul": "한", "pictures": "👩\u200d", "words": "ab \r\n\t ", "flags": "🏴\U000e0067",
	} {
		t.Run(name, func(t *testing.T) {
			text := "x" + strings.Repeat(unit, 1<<20/len(unit))
			kept, read := title(text, 1000)
			require.LessOrEqual(t, read, 8*utf8.UTFMax*1000, "%d bytes kept", len(kept))
			require.LessOrEqual(t, testing.AllocsPerRun(3, func() { Title(text, 1000) }), 5.0)
		})
	}
	for name, unit := range map[string]string{"spaces": " ", "line ends": "\r\n", "invisible": "\u200b", "no text": "\xff"} {
		t.Run(name, func(t *testing.T) {
			kept, read := title(strings.Repeat(unit, 1<<20/len(unit))+"a", 1000)
			require.Empty(t, kept)
			require.LessOrEqual(t, read, Reach)
		})
	}
	require.Equal(t, "a", Title(strings.Repeat(" ", Reach-1)+"abc", 9))
	_, read := title(strings.Repeat("a", 64<<20), 1000)
	require.Equal(t, 1001, read)
}

// testTitle: whatever a mail says, its title is a name or empty, and is its own title.
func testTitle(t *rapid.T) {
	text, limit := drawText().Draw(t, "text"), rapid.IntRange(0, 12).Draw(t, "limit")
	title := Title(text, limit)
	require.Empty(t, Fault(title), "%+q of %+q", title, text)
	require.LessOrEqual(t, utf8.RuneCountInString(title), limit)
	require.Equal(t, title, Title(title, limit), "%+q", title)
	if Fault(text) == "" && !strings.ContainsAny(text, "\u061c\u200e\u200f") && utf8.RuneCountInString(text) <= limit {
		require.Equal(t, strings.Join(strings.Fields(text), " "), title)
	}
}

func TestTitleIsAName(t *testing.T) { rapid.Check(t, testTitle) }

func FuzzTitle(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testTitle)) }
