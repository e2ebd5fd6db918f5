package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func (c *chat) adminRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/admin", c.asAdmin(c.showMessaging))
	mux.Handle("GET /as/{user}/admin/accounts", c.asAdmin(c.showAccounts))
	mux.Handle("GET /as/{user}/admin/groups", c.asAdmin(c.showGroups))
	mux.Handle("GET /as/{user}/admin/do", c.asAdmin(c.showErrand))
	mux.Handle("POST /as/{user}/admin/do", c.asAdmin(c.runErrand))
	c.adminTeamRoutes(mux)
}

// admin is an administrator with the own company.
type admin struct {
	Me      person
	Company roomkit.Company
	Name    string // of the company
	Done    bool
	Tabs    []link
	Tab     string
	Data    any
	Status  int // of the page, where that is not 200
}

// URL is that of the administrator's pages.
func (a *admin) URL() string { return "/as/" + url.PathEscape(string(a.Me.ID)) + "/admin" }

// administrator lets nobody in whom the library would not let change the company.
func (c *chat) administrator(ctx context.Context, me roomkit.UserID) (*admin, error) {
	user, err := c.svc.User(ctx, me)
	if err != nil {
		return nil, err
	}
	if user.Company == "" {
		return nil, &roomkit.Denied{Rule: "ADM-23", Reason: "a consumer belongs to no company"}
	}
	company, err := c.svc.Company(ctx, user.Company)
	if err != nil {
		return nil, err
	}
	same := roomkit.EditCompany{Company: company.ID, MembersCreateGroups: &company.MembersCreateGroups}
	if _, err := c.svc.Plan(ctx, roomkit.By(me), same); err != nil {
		return nil, err
	}
	a := &admin{Me: c.people.person(me), Company: company, Name: cmp.Or(c.people.companies[company.ID], string(company.ID))}
	a.Tabs = []link{
		{"messaging", "External messaging", a.URL()}, {"accounts", "Accounts", a.URL() + "/accounts"},
		{"teams", "Teams", a.URL() + "/teams"}, {"groups", "Groups", a.URL() + "/groups"},
	}
	return a, nil
}

// asAdmin is the handler of an administrator. Others are told the rule, and whom to ask.
func (c *chat) asAdmin(handle func(w http.ResponseWriter, r *http.Request, a *admin) error) http.Handler {
	return c.as(func(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
		a, err := c.administrator(r.Context(), me)
		if errors.Is(err, roomkit.ErrDenied) {
			p := c.notAdministrator(c.people.person(me), err)
			return c.show(w, r, me, "admin-none", page{Title: "Administration", Status: p.Status, Data: p, Show: "main"})
		}
		if err != nil {
			return err
		}
		a.Done = r.URL.Query().Has("done")
		return handle(w, r, a)
	})
}

// notAdministrator says whom to ask instead.
func (c *chat) notAdministrator(me person, err error) *problem {
	p, names := problemOf(err), []string{}
	for _, other := range c.people.all() {
		if other.Administrator && me.Company != "" && other.Company == me.Company {
			names = append(names, other.Name)
		}
	}
	switch {
	case me.Company == "":
		p.Detail = "You belong to no company, so nobody administers anything for you."
	case len(names) > 0 && errors.Is(err, roomkit.ErrDenied):
		p.Detail, p.Sentence = "Your company is administered by "+joinWords(names)+".", ""
	}
	return p
}

func (c *chat) adminPage(w http.ResponseWriter, r *http.Request, a *admin, pane string, data any) error {
	a.Tab, a.Data = strings.TrimSuffix(pane, "-one"), data
	return c.show(w, r, a.Me.ID, "admin-"+pane, page{Title: "Administration of " + a.Name, Data: a, Status: a.Status, Show: "main"})
}

// account is a member of the company, with what an administrator can do.
type account struct {
	person
	Row       roomkit.User
	Status    string
	Partners  permission
	Consumers permission
	Block     deed // suspend or lift
	End       deed // delete or restore
}

// permission is that of a person to talk with outsiders of a kind.
type permission struct {
	Own    bool // holds it
	Counts bool // may talk with them now
	Switch deed
}

// accountList is a page of the company's people.
type accountList struct {
	People []account
	Next   service.PageToken
}

const accountsPage = 50

func (c *chat) accounts(r *http.Request, a *admin, fill func(one *account)) (list accountList, err error) {
	page, err := c.svc.UsersPage(r.Context(), service.UserList{
		Company: a.Company.ID, Limit: accountsPage, After: service.PageToken(r.URL.Query().Get("after")),
	})
	list.Next = page.Next
	for _, user := range page.Rows {
		one := account{person: c.people.person(user.ID), Row: user, Status: user.Status.String()}
		fill(&one)
		list.People = append(list.People, one)
	}
	return list, err
}

// messaging is the pane of external messaging.
type messaging struct {
	accountList
	Modes []modeOf
}

// modeOf says who of the company may talk with outsiders of a kind.
type modeOf struct {
	With   string
	Label  string
	Rule   roomkit.Rule
	Mode   string
	Choice []link // modes in words
}

var outsiders = []struct {
	with  roomkit.Outsider
	label string
	mode  func(c *roomkit.Company) roomkit.ExternalMode
}{
	{roomkit.OutsiderPartner, "Users of other companies", func(c *roomkit.Company) roomkit.ExternalMode { return c.Partners }},
	{roomkit.OutsiderConsumer, "Consumers", func(c *roomkit.Company) roomkit.ExternalMode { return c.Consumers }},
}

var modes = []link{
	{Name: roomkit.ExternalOff.String(), Label: "Nobody"},
	{Name: roomkit.ExternalSelected.String(), Label: "Those permitted below"},
	{Name: roomkit.ExternalAll.String(), Label: "Everybody"},
}

func (c *chat) showMessaging(w http.ResponseWriter, r *http.Request, a *admin) error {
	var pane messaging
	for _, o := range outsiders {
		pane.Modes = append(pane.Modes, modeOf{With: o.with.String(), Label: o.label, Rule: "ADM-01", Mode: o.mode(&a.Company).String(), Choice: modes})
	}
	list, err := c.accounts(r, a, func(one *account) {
		one.Partners = c.permission(r.Context(), a, one, roomkit.OutsiderPartner, a.Company.Partners, one.Row.Partners)
		one.Consumers = c.permission(r.Context(), a, one, roomkit.OutsiderConsumer, a.Company.Consumers, one.Row.Consumers)
	})
	if err != nil {
		return err
	}
	pane.accountList = list
	return c.adminPage(w, r, a, "messaging", pane)
}

func (c *chat) permission(ctx context.Context, a *admin, one *account, with roomkit.Outsider, mode roomkit.ExternalMode, own bool) permission {
	p := permission{Own: own, Counts: mode == roomkit.ExternalAll || mode == roomkit.ExternalSelected && own}
	// While everybody may, the switch to show is the one that takes it away: it is refused.
	allow := !own && mode != roomkit.ExternalAll
	sign := map[bool]string{true: "Permit…", false: "Withdraw…"}[allow]
	p.Switch = deed{
		Name: with.String() + "-" + string(one.ID), Label: sign + ": " + one.Name, Sign: sign,
		Denied: c.deny(ctx, a.Me.ID, roomkit.SetUserMessaging{User: one.ID, With: with, Allow: &allow}),
		URL:    a.errand("person", "who", string(one.ID), "with", with.String(), "allow", onOff(allow)),
	}
	return p
}

// errand is the address at which something is looked at before it is done.
func (a *admin) errand(do string, fields ...string) string {
	query := url.Values{"do": {do}}
	for pair := range slices.Chunk(fields, 2) {
		query.Set(pair[0], pair[1])
	}
	return a.URL() + "/do?" + query.Encode()
}

func (c *chat) showAccounts(w http.ResponseWriter, r *http.Request, a *admin) error {
	list, err := c.accounts(r, a, func(one *account) {
		way := func(do, label string, cmd roomkit.Command) deed {
			return deed{Name: do + "-" + string(one.ID), Label: label + ": " + one.Name, Sign: label, URL: a.errand(do, "who", string(one.ID)), Denied: c.deny(r.Context(), a.Me.ID, cmd)}
		}
		one.Block = way("suspend", "Suspend…", roomkit.SuspendUser{User: one.ID})
		if one.Row.Status == roomkit.StatusSuspended {
			one.Block = way("lift", "Lift the block…", roomkit.SuspendUser{User: one.ID, Lift: true})
		}
		one.End = way("delete", "Delete…", roomkit.DeleteUser{User: one.ID})
		if one.Row.Status == roomkit.StatusDeleted {
			one.End = way("restore", "Restore…", roomkit.RestoreUser{User: one.ID})
		}
	})
	if err != nil {
		return err
	}
	return c.adminPage(w, r, a, "accounts", list)
}

// groupLine is a group or a team's room that the company owns.
type groupLine struct {
	roomkit.Room
	Label      string // of the kind
	URL        string
	Masterless bool
	Absent     bool // nobody of the owning company takes part
}

// showGroups lists what the company owns, first what nobody manages.
func (c *chat) showGroups(w http.ResponseWriter, r *http.Request, a *admin) error {
	var list []groupLine
	query := store.RoomQuery{Company: a.Company.ID, Kinds: []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam}}
	for page, err := range store.RoomPages(r.Context(), c.store, query) {
		if err != nil {
			return err
		}
		for _, entry := range page {
			room := entry.Room
			list = append(list, groupLine{
				Room: room, Label: kindLabels[room.Kind], URL: "/as/" + url.PathEscape(string(a.Me.ID)) + "/rooms/" + room.ID.String(),
				Masterless: room.Kind != roomkit.KindTeam && room.Masters == 0,
				Absent:     room.Kind == roomkit.KindExternalGroup && room.Participants == room.Partners,
			})
		}
		if len(list) >= roomkit.MaxPage {
			break
		}
	}
	slices.SortFunc(list, func(a, b groupLine) int {
		if a.Masterless != b.Masterless {
			return map[bool]int{true: -1, false: 1}[a.Masterless]
		}
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return c.adminPage(w, r, a, "groups", list)
}

// veto is the rule of the book that the library leaves to the host: whose role is to
// administer loses the role before the account.
func (d directory) veto(actor roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
	var user roomkit.UserID
	switch cmd := cmd.(type) {
	case roomkit.DeleteUser:
		user = cmd.User
	case roomkit.SuspendUser:
		user = cmd.User
	default:
		return nil
	}
	if actor.IsSystem() || !d.person(user).Administrator {
		return nil
	}
	return errors.New("an administrator's account is neither blocked nor deleted before losing the role (ADM-16)")
}
