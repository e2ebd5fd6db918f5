package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// person is what the chat shows of a user. Names and addresses are the host's: the
// library knows ids only.
type person struct {
	ID            roomkit.UserID
	Name          string
	Mail          string
	Job           string
	Company       roomkit.CompanyID // empty: a consumer
	Administrator bool
	NoPartners    bool // not permitted to talk with users of other companies
	NoContact     bool // in nobody's contacts outside the own company
}

// Initials stand for a picture.
func (p person) Initials() string {
	var b strings.Builder
	for _, word := range strings.Fields(p.Name) {
		for _, r := range word {
			b.WriteRune(r)
			break
		}
		if b.Len() > 1 {
			break
		}
	}
	return cmp.Or(strings.ToUpper(b.String()), "?")
}

// Hue is one of twelve colours for the picture.
func (p person) Hue() int {
	sum := 0
	for _, b := range []byte(p.ID) {
		sum = sum*251 + int(b)
	}
	return (sum%12 + 12) % 12
}

// matches says whether the name or the address has a text in it.
func (p person) matches(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return strings.Contains(strings.ToLower(p.Name), text) || strings.Contains(strings.ToLower(p.Mail), text)
}

// listed are those of some people whom a search finds, as far as a page shows them.
type listed[T interface{ matches(text string) bool }] struct {
	People []T
	Hidden int // how many are found and not shown
}

func (l *listed[T]) add(one T, query string) (shown bool) {
	switch {
	case !one.matches(query):
		return false
	case len(l.People) == peoplePage:
		l.Hidden++
		return false
	}
	l.People = append(l.People, one)
	return true
}

// directory has the names of all people and companies. It never changes.
type directory struct {
	people    map[roomkit.UserID]person
	companies map[roomkit.CompanyID]string
}

func newDirectory(companies map[roomkit.CompanyID]string, people ...person) directory {
	d := directory{people: map[roomkit.UserID]person{}, companies: companies}
	for _, p := range people {
		d.people[p.ID] = p
	}
	return d
}

// person gives somebody; who has no name here is called by the id.
func (d directory) person(id roomkit.UserID) person {
	if p, ok := d.people[id]; ok {
		return p
	}
	return person{ID: id, Name: string(id)}
}

func (d directory) name(id roomkit.UserID) string { return d.person(id).Name }

// colleague gives somebody of a company; of others not more than the id.
func (d directory) colleague(company roomkit.CompanyID, id roomkit.UserID) person {
	if p := d.person(id); p.Company == company {
		return p
	}
	return person{ID: id, Name: string(id)}
}

// company names the company of somebody.
func (d directory) company(id roomkit.UserID) string {
	of := d.person(id).Company
	if of == "" {
		return "Consumer"
	}
	return cmp.Or(d.companies[of], string(of))
}

// all gives everybody by company and name.
func (d directory) all() []person {
	return slices.SortedFunc(maps.Values(d.people), func(a, b person) int {
		if (a.Company == "") != (b.Company == "") { // consumers at the end
			return cmp.Compare(b.Company, a.Company)
		}
		return cmp.Or(cmp.Compare(d.company(a.ID), d.company(b.ID)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// byMail finds who has an address.
func (d directory) byMail(address string) (person, bool) {
	for _, p := range d.people {
		if p.Mail != "" && strings.EqualFold(p.Mail, address) {
			return p, true
		}
	}
	return person{}, false
}

// contacts says which outsiders are in somebody's address book: all who have not kept
// out of it.
func (d directory) contacts(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
	return slices.DeleteFunc(slices.Clone(outsiders), func(id roomkit.UserID) bool {
		p, known := d.people[id]
		return !known || p.NoContact
	}), nil
}
