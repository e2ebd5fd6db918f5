package store

import (
	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

func noFilter(reason string) error { return &roomkit.Invalid{Field: "MemberFilter", Reason: reason} }

// ParseMemberFilter gives the filter with a name; others are a [*roomkit.Invalid].
func ParseMemberFilter(name string) (MemberFilter, error) {
	return enum.FromText[MemberFilter](name, noFilter)
}

// MarshalText writes the name.
func (f MemberFilter) MarshalText() ([]byte, error) { return enum.Text(f, noFilter) }

// UnmarshalText reads a name.
func (f *MemberFilter) UnmarshalText(text []byte) error { return enum.Read(f, ParseMemberFilter, text) }
