// Package userlist reads a directory of users from a file: lines of user id,
// company, mail address and flags, separated by tabs. Flags are separated by commas:
// admin, works (may talk with other companies) and suspended. Empty lines and those
// that begin with # do not count.
package userlist

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// List is what the file says. It is a [service.Directory]: the service asks it for the users
// whom a command concerns, so that a list of any length costs a command nothing.
type List struct {
	users  map[roomkit.UserID]roomkit.User
	byMail map[string]roomkit.UserID // by address in lower case
}

var _ service.Directory = (*List)(nil)

// Knows reports whether a user is in the list.
func (l *List) Knows(id roomkit.UserID) bool {
	_, ok := l.users[id]
	return ok
}

// ByMail gives the user with a mail address, in whatever case.
func (l *List) ByMail(address string) (roomkit.UserID, bool) {
	id, ok := l.byMail[strings.ToLower(address)]
	return id, ok
}

// Users gives those of the users who are in the list, and their companies.
func (l *List) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	var users []roomkit.User
	companies := map[roomkit.CompanyID]roomkit.Company{}
	for _, id := range ids {
		if user, ok := l.users[id]; ok {
			users = append(users, user)
			companies[user.Company] = roomkit.Company{
				ID: user.Company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected,
			}
		}
	}
	return users, slices.Collect(maps.Values(companies)), nil
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
	l := &List{users: map[roomkit.UserID]roomkit.User{}, byMail: map[string]roomkit.UserID{}}
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
	if len(l.users) == 0 {
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
	case l.byMail[mail] != "":
		return fmt.Errorf("mail address %s twice", mail)
	}
	if len(columns) == 4 {
		if err := setFlags(&user, columns[3]); err != nil {
			return err
		}
	}
	l.users[user.ID] = user
	l.byMail[mail] = user.ID
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
