// Package userlist reads a directory of users from a file: lines of user id,
// company, mail address and flags, separated by tabs. Flags are separated by commas:
// admin, works (may talk with other companies) and suspended. Empty lines and those
// that begin with # do not count.
package userlist

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// List is what the file says.
type List struct {
	Companies []roomkit.Company
	Users     []roomkit.User
	ByMail    map[string]roomkit.UserID // by address in lower case
}

// Knows reports whether a user is in the list.
func (l *List) Knows(id roomkit.UserID) bool {
	return slices.ContainsFunc(l.Users, func(u roomkit.User) bool { return u.ID == id })
}

// Read reads a file.
func Read(path string) (*List, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parse(path, file)
}

func parse(name string, in io.Reader) (*List, error) {
	l := &List{ByMail: map[string]roomkit.UserID{}}
	lines := bufio.NewScanner(in)
	number := 1
	for ; lines.Scan(); number++ {
		line := strings.TrimRight(strings.TrimPrefix(lines.Text(), "\ufeff"), "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := l.add(strings.Split(line, "\t")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, number, err)
	}
	if len(l.Users) == 0 {
		return nil, fmt.Errorf("%s: no users in it", name)
	}
	return l, nil
}

func (l *List) add(columns []string) error {
	if len(columns) != 3 && len(columns) != 4 {
		return fmt.Errorf("%d columns instead of user id, company, mail address and flags", len(columns))
	}
	user := roomkit.User{
		ID: roomkit.UserID(columns[0]), Company: roomkit.CompanyID(columns[1]),
		Kind: roomkit.UserMember, Status: roomkit.StatusActive,
	}
	mail := strings.ToLower(strings.TrimSpace(columns[2]))
	switch {
	case !user.ID.Valid():
		return fmt.Errorf("%q is not a user id", columns[0])
	case !user.Company.Valid():
		return fmt.Errorf("%q is not a company id", columns[1])
	case !strings.Contains(mail, "@"):
		return fmt.Errorf("%q is not a mail address", columns[2])
	case l.Knows(user.ID):
		return fmt.Errorf("user %s twice", user.ID)
	case l.ByMail[mail] != "":
		return fmt.Errorf("mail address %s twice", mail)
	}
	if len(columns) == 4 {
		if err := setFlags(&user, columns[3]); err != nil {
			return err
		}
	}
	l.Users = append(l.Users, user)
	l.ByMail[mail] = user.ID
	if !slices.ContainsFunc(l.Companies, func(c roomkit.Company) bool { return c.ID == user.Company }) {
		l.Companies = append(l.Companies, roomkit.Company{
			ID: user.Company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected,
		})
	}
	return nil
}

func setFlags(user *roomkit.User, flags string) error {
	for flag := range strings.SplitSeq(flags, ",") {
		switch strings.TrimSpace(flag) {
		case "":
		case "admin":
			user.Administrator = true
		case "works":
			user.Partners = true
		case "suspended":
			user.Status = roomkit.StatusSuspended
		default:
			return fmt.Errorf("unknown flag %q", flag)
		}
	}
	return nil
}
