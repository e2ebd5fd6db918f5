package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/store"
)

func (a *app) why(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "USER", "ACTION", "ROOM")
	if err != nil {
		return err
	}
	action, err := roomkit.ParseAction(given[1])
	if err != nil || action == roomkit.ActionNone {
		return usage("%q is no action: give one of %s", given[1], join(actionTexts()))
	}
	room, err := roomArg(given[2])
	if err != nil {
		return err
	}
	user := roomkit.UserID(given[0])
	if !user.Valid() {
		return usage("%q is no id of a user", given[0])
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	answers, err := store.Ask(ctx, o.store, []store.Need{{Room: room, People: []roomkit.UserID{user}}})
	if err != nil {
		return err
	}
	if answers[0].Room.Version == 0 {
		return fmt.Errorf("%w: there is no room %s", roomkit.ErrNotFound, room)
	}
	e := why.Explain(&why.Question{Rules: o.rules, Facts: answers[0], User: user, Action: action})
	return a.tellWhy(e)
}

func actionTexts() (names []string) {
	for _, action := range roomkit.AllActions() {
		names = append(names, action.String())
	}
	return names
}

func (a *app) tellWhy(e *why.Explanation) error {
	refused := error(nil)
	if !e.Allowed {
		refused = errFindings
	}
	if a.output == "json" {
		return errors.Join(a.table().row(e), refused)
	}
	verb := "may"
	if !e.Allowed {
		verb = "may not"
	}
	fmt.Fprintf(a.out, "%s %s %s in %s room %s\n", e.User, verb, e.Action, e.Kind, e.Room)
	if e.Hidden {
		fmt.Fprintf(a.out, "hidden:  the service answers that there is no such room\n")
	}
	if e.Reason != "" {
		fmt.Fprintf(a.out, "because: %s\n", e.Reason)
	}
	fmt.Fprintf(a.out, "rule:    %s %s\nsource:  %s\n", e.Rule, e.Text, e.Source)
	for _, fact := range e.Facts {
		fmt.Fprintf(a.out, "fact:    %s\n", fact)
	}
	turn := "becomes allowed if"
	if e.Allowed {
		turn = "is lost if"
	}
	for _, change := range e.Changes {
		fmt.Fprintf(a.out, "%s %s\n", turn, change)
	}
	if e.Final != "" {
		fmt.Fprintln(a.out, e.Final)
	}
	return refused
}
