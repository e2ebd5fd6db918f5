package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// directory is what the file of users says.
type directory struct {
	companies []roomkit.Company
	users     []roomkit.User
	byMail    map[string]roomkit.UserID // by address in lower case
}

func (d *directory) knows(id roomkit.UserID) bool {
	return slices.ContainsFunc(d.users, func(u roomkit.User) bool { return u.ID == id })
}

// readDirectory reads lines of user id, company, mail address and flags,
// separated by tabs. Flags are separated by commas: admin, works (may talk with
// other companies) and suspended. Empty lines and those that begin with # do not
// count.
func readDirectory(path string) (*directory, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseDirectory(path, file)
}

func parseDirectory(name string, in io.Reader) (*directory, error) {
	d := &directory{byMail: map[string]roomkit.UserID{}}
	lines := bufio.NewScanner(in)
	number := 1
	for ; lines.Scan(); number++ {
		line := strings.TrimRight(strings.TrimPrefix(lines.Text(), "\ufeff"), "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := d.add(strings.Split(line, "\t")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, number, err)
	}
	if len(d.users) == 0 {
		return nil, fmt.Errorf("%s: no users in it", name)
	}
	return d, nil
}

func (d *directory) add(columns []string) error {
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
	case d.knows(user.ID):
		return fmt.Errorf("user %s twice", user.ID)
	case d.byMail[mail] != "":
		return fmt.Errorf("mail address %s twice", mail)
	}
	if len(columns) == 4 {
		if err := setFlags(&user, columns[3]); err != nil {
			return err
		}
	}
	d.users = append(d.users, user)
	d.byMail[mail] = user.ID
	if !slices.ContainsFunc(d.companies, func(c roomkit.Company) bool { return c.ID == user.Company }) {
		d.companies = append(d.companies, roomkit.Company{
			ID: user.Company, Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected,
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
			user.Works = true
		case "suspended":
			user.Status = roomkit.StatusSuspended
		default:
			return fmt.Errorf("unknown flag %q", flag)
		}
	}
	return nil
}
