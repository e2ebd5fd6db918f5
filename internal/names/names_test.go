package names

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// orthographies are names as they are written in scripts that need more than letters, and
// in those that do not.
var orthographies = []struct{ of, name string }{
	{"Sinhala: virama and joiner", "ශ්\u200dරී ලංකා"},
	{"Sinhala: touching letters", "බුද්ධ\u200dම්"},
	{"Persian: verb with non-joiner", "می\u200cخواهم"},
	{"Persian: suffix of a Latin word", "PDF\u200cهای فروش"},
	{"Persian: suffix of a digit", "تیم 5\u200cام"},
	{"Persian: suffix behind a quotation", "«کتاب»\u200cها"},
	{"Sorani", "کتێب\u200cخانە"},
	{"Arabic: year of the Hijra", "١٤٤٧ ه\u200d"},
	{"Arabic: vowels", "مُحَمَّد"},
	{"Arabic: Latin word with marks of direction", "\u200fC++\u200f مبتدئون"},
	{"Arabic: letter mark", "\u061c١٢/٥ مصر"},
	{"Arabic: number sign and end of ayah", "\u0600١٢ \u06dd٥"},
	{"Urdu", "علم\u200cِ نجوم"},
	{"Uyghur", "ئۇيغۇرچە"},
	{"Hebrew: vowels", "שָׁלוֹם"},
	{"Hebrew: joiner of graphemes", "יְרוּשָׁלַ\u034fִם"},
	{"Hebrew: non-joiner before holam", "מִצְו\u200cֹת"},
	{"Hebrew: mark of direction", "\u200eC#\u200e קורס"},
	{"Syriac: abbreviation", "\u070fܫܘ"},
	{"Thaana", "ދިވެހި"},
	{"N'Ko", "ߒߞߏ"},
	{"Adlam", "𞤆𞤵𞤤𞤢𞤪"},
	{"Rohingya", "𐴌𐴟𐴇𐴥𐴝𐴚𐴒𐴙𐴝"},
	{"Malayalam: chillu with joiner", "അവന്\u200d"},
	{"Malayalam: non-joiner", "ന്\u200cമ"},
	{"Malayalam: chillu of one character", "അവൻ"},
	{"Devanagari: half letter", "क्\u200dष"},
	{"Devanagari: visible virama", "श्\u200cव"},
	{"Marathi: eyelash", "दऱ्\u200dयाखोऱ्यांत"},
	{"Nepali", "नेपाली"},
	{"Bengali: ya-phala behind ra", "র\u200d্যাব"},
	{"Bengali: visible virama", "উদ্\u200cযাপন"},
	{"Assamese", "অসমীয়া"},
	{"Gujarati", "ક્\u200dષ"},
	{"Gurmukhi", "ਪੰਜਾਬੀ"},
	{"Oriya", "ଓଡ଼ିଆ କ୍\u200cଷ"},
	{"Tamil", "க்\u200cஷ தமிழ்"},
	{"Telugu", "క్\u200cషణం"},
	{"Kannada: ra with joiner", "ರ\u200d್ಯಾಂಕ್"},
	{"Tibetan", "བོད་སྐད་"},
	{"Mongolian: vowel separator and variation", "ᠨᠢᠭᠡ\u180eᠠ ᠪᠠ\u180bᠭ"},
	{"Manchu", "ᠮᠠᠨᠵᡠ"},
	{"Khmer: words", "ភាសា\u200bខ្មែរ"},
	{"Khmer: non-joiner", "ប៉\u200cី"},
	{"Thai: words", "ภาษา\u200bไทย"},
	{"Lao: words kept together", "ພາສາ\u2060ລາວ"},
	{"Burmese: words", "မြန်မာ\u200bဘာသာ"},
	{"Javanese", "ꦧꦱ\u200bꦗꦮ"},
	{"Balinese", "ᬩᬲᬩᬮᬶ"},
	{"Tai Tham", "ᨣᩤᩴᨾᩮᩬᩥᨦ"},
	{"Chakma", "𑄌𑄋𑄴𑄟𑄳𑄦"},
	{"Ethiopic", "አማርኛ፡ቋንቋ"},
	{"Georgian", "ქართული"},
	{"Armenian", "Հայերեն"},
	{"Greek: breathings", "ᾧ ᾳ Ἀθῆναι"},
	{"Cyrillic: letters of Church Slavonic", "Бг҃ъ"},
	{"Latin: Vietnamese", "Tiếng Việt"},
	{"Latin: Yoruba, marks on marks", "Yorùbá ọ̀rọ̀"},
	{"Latin: Lithuanian", "i̇́"},
	{"Cherokee", "ᏣᎳᎩ"},
	{"Canadian syllabics", "ᐃᓄᒃᑎᑐᑦ"},
	{"Hangul", "한국어 방"},
	{"Hangul: jamo of old Korean", "ᄒᆞᆫ글"},
	{"Hangul: a vowel alone", "\u115fᅡ"},
	{"Hangul: a final consonant alone", "\u115f\u1160ᆨ"},
	{"Hangul: an initial consonant alone", "ᄀ\u1160"},
	{"Japanese", "日本語の部屋　東京・がぎぐ ヴ"},
	{"Japanese: halfwidth with marks", "ｶﾞｷﾞ"},
	{"Chinese: ideographic variant", "葛\U000e0100城区"},
	{"Chinese: beyond the first plane", "𠮷野家"},
	{"Bopomofo", "ㄅㄆㄇ"},
	{"Yi", "ꆈꌠꉙ"},
	{"Duployan: overlap", "𛰀\U0001bca0𛰁"},
	{"Hieroglyphs: joiners", "𓀀\U00013430𓀁"},
	{"Braille with blank cells", "⠓⠑⠇⠇⠕⠀⠺⠕⠗⠇⠙"},
	{"private jokes", "¯\\_(ツ)_/¯ ಠ_ಠ"},
	{"mathematics", "∀x∈ℝ: ⌈x⌉ ≠ 𝒳"},
	{"emoji: flag of England", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"},
	{"emoji: flag of Texas and text", "🏴\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f Austin"},
	{"emoji: flag of a country", "🇰🇷🇯🇵"},
	{"emoji: rainbow flag", "🏳️\u200d🌈"},
	{"emoji: head shaking, with an arrow", "🙂\u200d↔️"},
	{"emoji: running to the right", "🏃🏽\u200d♀️\u200d➡️"},
	{"emoji: family", "👨\u200d👩\u200d👧\u200d👦"},
	{"emoji: couple with tones of skin", "👩🏽\u200d❤️\u200d💋\u200d👨🏿"},
	{"emoji: profession", "🧑\u200d🚀 mission"},
	{"emoji: animal of two", "🐻\u200d❄️🐈\u200d⬛"},
	{"emoji: heart on fire", "❤️\u200d🔥"},
	{"emoji: keycap", "1️⃣ #️⃣"},
	{"emoji: as text and as picture", "☎︎ ☎️"},
	{"emoji: newer than the tables", "\U0001fae9\u200d\U0001fabe"},
	{"letters newer than the tables", "\U00010d50\U00010d70"},
}

func TestOrthographyPasses(t *testing.T) {
	require.Greater(t, len(orthographies), 40)
	for _, o := range orthographies {
		t.Run(o.of, func(t *testing.T) {
			require.Empty(t, Fault(o.name))
			require.Empty(t, FaultOfLines(o.name+"\n\n"+o.name))
			plain := strings.Join(strings.Fields(o.name), " ") // a title has no other spaces
			require.Equal(t, plain, Title(o.name, 100))
			requireGoodCuts(t, plain)
		})
	}
}

// requireGoodCuts: however short a title has to be, it is a name and begins as the text.
func requireGoodCuts(t require.TestingT, text string) {
	for limit := range utf8.RuneCountInString(text) {
		title := Title(text, limit)
		require.Empty(t, Fault(title), "%+q cut at %d", text, limit)
		require.LessOrEqual(t, utf8.RuneCountInString(title), limit)
		if !strings.ContainsAny(text, "\u061c\u200e\u200f") {
			require.True(t, strings.HasPrefix(text, title), "%+q cut at %d: %+q", text, limit, title)
		}
	}
}

func TestWhatShowsNothingIsBlank(t *testing.T) {
	blank := map[string]string{
		"a space": " ", "spaces of every kind": "\t\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000", "lines": "\n\r\u0085\u2028\u2029",
		"variation selector": "\ufe0f", "selectors of text, ideographs, Mongolian": "\ufe0e\U000e0100\u180b\u180f", "grapheme joiner": "\u034f",
		"Braille blank": "\u2800", "Hangul fillers": "\u3164\u115f\u1160\uffa0", "soft hyphen": "\u00ad", "zero width": "\u200b\u200c\u200d\u2060\ufeff",
		"marks of direction": "\u200e\u200f\u061c", "bidi overrides and isolates": "\u202a\u202e\u2066\u2069", "operators that do not show": "\u2061\u2064",
		"tags without a flag": "\U000e0067\U000e0062\U000e007f", "combining marks": "\u0301\u0308", "an enclosing mark": "\u20e3", "a spacing mark": "\u093e",
		"a mark on a space": " \u0301", "a mark on a no-break space": "\u00a0\u0301", "Mongolian separator": "\u180e", "Khmer inherent vowels": "\u17b4\u17b5",
		"object replacement": "\ufffc", "null notehead": "\U0001d159", "blank hieroglyphs": "\U00013441\U00013442", "annotation": "\ufff9\ufffb",
		"reserved for invisible characters": "\u2065\ufff0\U000e0fff", "shorthand controls": "\U0001bca0\U0001d173", "control characters": "\x00\x1b\x7f\u0080",
	}
	for name, s := range blank {
		t.Run(name, func(t *testing.T) {
			for _, s := range append(strings.Split(s, ""), s, s+" "+s) {
				require.True(t, Blank(s), "%+q", s)
				require.Equal(t, "blank", Fault(s), "%+q", s)
				require.Equal(t, "blank", FaultOfLines(s), "%+q", s)
				require.Empty(t, Title(s, 100), "%+q", s)
			}
		})
	}
	require.False(t, Blank(""), "an empty text is another matter")
	for _, shown := range []string{".", "\u00b4", "\u037a", "\u20dd a", "🏽", "🇰", "\u0600", "\ufffd", "ﾞ", "ー", "_", "\U0001fae9", "\U0010d000"} {
		require.False(t, Blank(shown), "%+q", shown)
	}
}

func TestWhatIsRefused(t *testing.T) {
	refused := map[string]string{
		"bidi override": "a\u202eb", "bidi embedding": "a\u202ab", "bidi isolate": "a\u2066b\u2069", "mark of direction among Latin": "a\u200eb",
		"NUL": "a\x00", "tabulator": "a\tb", "carriage return": "a\rb", "delete": "a\x7f", "C1": "a\u0085b", "line separator": "a\u2028b",
		"byte order mark": "\ufeffa", "zero-width space among Latin": "a\u200bb", "word joiner among Latin": "a\u2060b", "soft hyphen": "a\u00adb",
		"joiner among Latin": "a\u200db", "joiner at the end": "a\u200d", "joiner at the beginning": "\u200dක", "joiner behind a space": "ක \u200dෂ",
		"non-joiner among Latin": "Auf\u200clage", "joiner between a picture and a letter": "🙂\u200da", "joiner between pictures and nothing": "🙂\u200d",
		"Hangul filler": "a\u3164b", "halfwidth filler": "a\uffa0", "filler without jamo": "\u115fa", "vowel filler without jamo": "a\u1160",
		"vowel filler before a final consonant alone": "a\u1160ᆨ", "both fillers without jamo": "a\u115f\u1160", "word break at the beginning": "\u200bខ្មែរ", "joiner before what the tables do not have": "a\u200d\U0001fae9",
		"flag without end": "🏴\U000e0067\U000e0062\U000e0065", "flag of two letters": "🏴\U000e0067\U000e0062\U000e007f", "tags of another picture": "🙂\U000e0067\U000e0062\U000e0065\U000e007f",
		"flag of a long text": "🏴" + strings.Repeat("\U000e0067", 7) + "\U000e007f", "flag of signs": "🏴\U000e0021\U000e0021\U000e0021\U000e007f",
		"invisible operator": "f\u2061x", "annotation": "a\ufff9b", "deprecated": "a\u206ab", "language tag": "a\U000e0001", "private use": "a\ue000", "noncharacter": "a\ufffe",
		"Mongolian separator among Latin": "a\u180e", "shorthand control among Latin": "a\U0001bca0", "musical control": "a\U0001d173", "reserved": "a\u2065",
	}
	for name, s := range refused {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, Fault(s), "holds the character U+", "%+q", s)
			require.Contains(t, FaultOfLines(s), "holds the character U+", "%+q", s)
			require.Empty(t, Fault(Title(s, 100)), "%+q", s)
		})
	}
	for _, s := range []string{"\xff", "a\xed\xa0\x80", "\xc0\x80", "a\xf4\x90\x80\x80"} {
		require.Equal(t, "not valid UTF-8", Fault(s), "%q", s)
		require.Equal(t, "not valid UTF-8", FaultOfLines(s), "%q", s)
	}
	require.Equal(t, "holds the character U+000A", Fault("a\nb"))
	require.Empty(t, FaultOfLines("a\n\nb\n"))
	require.Equal(t, "a\nb\rc\n", Lines("a\r\nb\rc\n"))
	require.Equal(t, "holds the character U+200D", FaultOfLines("ක\n\u200dෂ"), "a line begins anew")
}

// TestHiddenIsWhatUnicodeHides compares the table with what Unicode derives the property
// from.
func TestHiddenIsWhatUnicodeHides(t *testing.T) {
	for r := range unicode.MaxRune + 1 {
		ignorable := unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Cf, unicode.Variation_Selector) &&
			!unicode.In(r, unicode.White_Space, unicode.Prepended_Concatenation_Mark) && (r < 0xfff9 || r > 0xfffb) && (r < 0x13430 || r > 0x1343f)
		if ignorable != unicode.Is(hidden, r) {
			t.Fatalf("%U: put it into the table of hidden characters, or take it out", r)
		}
	}
}
