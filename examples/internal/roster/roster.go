// Package roster reads what a host's directory says at night: a file of JSON lines, each
// a company, a user or a team in the library's own form:
//
//	{"company":{"id":"acme","licensed":true}}
//	{"user":{"id":"ann","company":"acme","kind":"member","status":"active"}}
//	{"team":{"id":"sales","company":"acme","name":"Sales","leader":"ann","members":["ann"]}}
//
// A team that is no more stays in the list, without members.
package roster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/go-roomkit/roomkit"
)

// maxLine is how long a line can be: a team of MaxTeamMembers with long ids fits.
const maxLine = 1 << 20

// List is what the file says.
type List struct {
	Companies []roomkit.Company
	Users     []roomkit.User
	Teams     []roomkit.Team
	Bad       []error // the lines that say nothing
}

// Read reads a file. Lines that cannot be read are in Bad; a file that cannot be read to
// its end is an error.
func Read(files fs.FS, name string) (*List, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parse(name, file)
}

func parse(name string, in io.Reader) (*List, error) {
	l := &List{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	number := 1
	for ; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := l.add(line); err != nil {
			l.Bad = append(l.Bad, fmt.Errorf("%s:%d: %w", name, number, err))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, number, err)
	}
	return l, nil
}

func (l *List) add(line []byte) error {
	var row struct {
		Company *roomkit.Company
		User    *roomkit.User
		Team    *roomkit.Team
	}
	strict := json.NewDecoder(bytes.NewReader(line))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&row); err != nil {
		return err
	}
	if _, err := strict.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one row in a line")
	}
	switch {
	case row.Company != nil && row.User == nil && row.Team == nil:
		l.Companies = append(l.Companies, *row.Company)
	case row.Company == nil && row.User != nil && row.Team == nil:
		l.Users = append(l.Users, *row.User)
	case row.Company == nil && row.User == nil && row.Team != nil:
		l.Teams = append(l.Teams, *row.Team)
	default:
		return errors.New("not one of company, user and team")
	}
	return nil
}

// MadeUp is a list of one company, with teams of 50.
func MadeUp(people int) *List {
	l := &List{Companies: []roomkit.Company{{ID: "acme", Licensed: true, MembersCreateGroups: true}}}
	for i := range people {
		id := roomkit.UserID(fmt.Sprint("person-", i))
		l.Users = append(l.Users, roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive})
		if i%50 == 0 {
			team := fmt.Sprint("team-", i/50)
			l.Teams = append(l.Teams, roomkit.Team{ID: roomkit.TeamID(team), Company: "acme", Name: team, Leader: id})
		}
		last := &l.Teams[len(l.Teams)-1]
		last.Members = append(last.Members, id)
	}
	return l
}
