// Package office is the administrator of the example nightlysync, who decides by day.
package office

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Part is a part of the story.
type Part struct {
	Title string
	List  string // the file of a night; none: a day
}

// Week gives the parts in order.
func Week() []Part {
	const monday, tuesday, wednesday = "testdata/monday.jsonl", "testdata/tuesday.jsonl", "testdata/wednesday.jsonl"
	return []Part{
		{"Monday night", monday},
		{"The same list again", monday},
		{"By day an administrator decides", ""},
		{"Monday's list once more", monday},
		{"Tuesday night, with half a file", tuesday},
		{"Wednesday night", wednesday},
		{"And again", wednesday},
	}
}

// Day makes adm administrator, who then suspends, deletes, permits and grants.
func Day(ctx context.Context, svc *service.Service, title string, out io.Writer) error {
	fmt.Fprintf(out, "# %s\n", title)
	for _, step := range []struct {
		actor roomkit.Actor
		cmd   roomkit.Command
	}{
		{roomkit.System(), roomkit.EditUser{User: "adm", Administrator: new(true)}},
		{roomkit.By("adm"), roomkit.SuspendUser{User: "ann"}},
		{roomkit.By("adm"), roomkit.DeleteUser{User: "cat"}},
		{roomkit.By("adm"), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)}},
		{roomkit.By("adm"), roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(true)}},
		{roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(true)}},
	} {
		if _, err := svc.Do(ctx, step.actor, step.cmd); err != nil {
			return err
		}
		text, err := roomkit.MarshalCommand(step.cmd)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s: %s\n", step.actor, text)
	}
	return nil
}

// Decided shows what has become of it.
func Decided(ctx context.Context, svc *service.Service, out io.Writer) error {
	fmt.Fprintln(out, "# In the end")
	company, err := svc.Company(ctx, "acme")
	if err != nil {
		return err
	}
	team, err := svc.Team(ctx, "acme", "sales")
	if err != nil {
		return err
	}
	rows := []any{company, team}
	for _, id := range []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "fay"} {
		user, err := svc.User(ctx, id)
		if err != nil {
			return err
		}
		rows = append(rows, user)
	}
	for _, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s\n", text)
	}
	return nil
}
