package invitation

import (
	"iter"
	"mime"
	"net/mail"
	"net/url"
	"strings"
	"unicode"

	ical "github.com/arran4/golang-ical"
)

const (
	unreadable = "not a mail address"
	crowded    = "several addresses in the place of one"
)

// addresses takes in the people of a list of mail addresses, or leaves them out for the
// reason why.
func (v *Invitation) addresses(list, why string) {
	if !strings.Contains(list, "@") {
		list, _ = decodeWords(list) // some mailers encode the addresses with the names
	}
	for entry := range entries(list) {
		address, ok := mailbox(entry)
		if !ok {
			name, _ := decodeWords(entry)
			v.add(name, unreadable)
			continue
		}
		v.add(address, why)
		if holdsOther(entry, address) {
			v.add(entry, crowded)
		}
	}
}

// holdsOther reports whether an entry has another address than the one that was found in it.
func holdsOther(entry, address string) bool {
	for part := range strings.FieldsFuncSeq(entry, func(r rune) bool { return strings.ContainsRune("<>()\" \t", r) }) {
		same := part == "@" || strings.EqualFold(unquote(part), address) ||
			strings.HasPrefix(part, "@") && strings.HasSuffix(address, part) // "a b"@c.example
		if strings.Contains(part, "@") && !same {
			return true
		}
	}
	return false
}

// entries cuts an address list, so that one bad entry does not spoil the others. Commas part
// them, and the semicolons that Outlook writes, which also end a group; a colon ends the name
// of a group. A quote, comment or bracket that is never closed is an ordinary character.
func entries(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, open := 0, map[byte]bool{}
		for i := 0; i < len(list); i++ {
			c := list[i]
			switch c {
			case '"', '(', '<', '[':
				if !open[c] {
					n := closing(list[i:])
					open[c] = n == 0
					i += n
				}
				continue
			case ',', ';', ':':
			default:
				continue
			}
			entry := strings.TrimSpace(list[start:i])
			start = i + 1
			person := c != ':' || strings.Contains(entry, "@")
			if entry != "" && person && !yield(entry) {
				return
			}
		}
		if entry := strings.TrimSpace(list[start:]); entry != "" {
			yield(entry)
		}
	}
}

// closing gives the place of what closes the quote, comment or bracket that s begins with;
// 0 if nothing does.
func closing(s string) int {
	end := map[byte]byte{'"': '"', '(': ')', '<': '>', '[': ']'}[s[0]]
	depth := 0
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == end && depth == 0:
			return i
		case s[i] == end:
			depth--
		case s[i] == '(' && end == ')':
			depth++
		}
	}
	return 0
}

// mailbox gives the address of an entry. What net/mail refuses is taken as long as it is
// clear which address is meant: "a@b <a@b>", names in unknown charsets or with loose quotes,
// "two..dots@docomo.ne.jp".
func mailbox(entry string) (string, bool) {
	anyCharset := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: passThrough}}
	if a, err := anyCharset.Parse(entry); err == nil {
		return unquote(a.Address), true
	}
	if i := strings.LastIndexByte(entry, '<'); i >= 0 {
		entry, _, _ = strings.Cut(entry[i+1:], ">")
	}
	entry = unquote(strings.TrimSpace(entry))
	local, domain, _ := strings.Cut(entry, "@")
	odd := func(r rune) bool { return strings.ContainsRune(` "(),:;<>[]\@`, r) || unicode.IsControl(r) }
	ok := local != "" && domain != "" && !strings.ContainsFunc(local, odd) && !strings.ContainsFunc(domain, odd)
	return entry, ok
}

// unquote takes away the single quotes that Outlook puts around addresses.
func unquote(address string) string {
	if inner, ok := strings.CutPrefix(address, "'"); ok && strings.HasSuffix(inner, "'") {
		return strings.TrimSuffix(inner, "'")
	}
	return address
}

// person takes in, or leaves out, the person of an ORGANIZER or an ATTENDEE.
func (v *Invitation) person(p *ical.BaseProperty, why string) {
	name := param(p, "CN")
	switch strings.ToUpper(param(p, "CUTYPE")) { // what is not known is like UNKNOWN: a person
	case "ROOM":
		why = "a meeting room"
	case "RESOURCE":
		why = "a resource"
	case "GROUP":
		why = "a group, whose people are not known"
	}
	list := calendarAddress(p.Value)
	if list == "" {
		list = calendarAddress(param(p, "EMAIL"))
	}
	who := strings.TrimSpace(name + " " + p.Value)
	switch {
	case list == "" && who == "":
		return
	case list == "" && why == "":
		v.add(who, "no mail address")
	case list == "":
		v.add(who, why)
	default:
		v.addresses(list, why)
	}
}

// calendarAddress gives the mail address, or addresses, of a calendar user's address: of a
// mailto URI, or of what lacks the scheme.
func calendarAddress(value string) string {
	const scheme = "mailto:"
	value = strings.TrimSpace(value)
	for len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		value = strings.TrimSpace(value[len(scheme):])
	}
	value, _, _ = strings.Cut(value, "?")
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	if !strings.Contains(value, "@") || strings.Contains(value, ":") || strings.HasPrefix(value, "/") {
		return "" // invalid:nomail, urn:uuid:…, tel:…, /principals/…
	}
	return value
}

// param gives the value of a parameter, whose name may be in any case.
func param(p *ical.BaseProperty, name string) string {
	for key, values := range p.ICalParameters {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return strings.TrimSpace(values[0])
		}
	}
	return ""
}
