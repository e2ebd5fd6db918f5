package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
)

// problem says what went wrong, and by which rule, in the form of RFC 9457.
type problem struct {
	Title    string           `json:"title"`
	Status   int              `json:"status"`
	Detail   string           `json:"detail,omitempty"`
	Category service.Category `json:"category"`
	Rule     roomkit.Rule     `json:"rule,omitempty"`
	Sentence string           `json:"sentence,omitempty"` // of the rule book
	Source   string           `json:"source,omitempty"`   // where the rule comes from
	Field    string           `json:"field,omitempty"`
	People   []against        `json:"people,omitempty"` // because of whom
	Offers   []roomkit.Offer  `json:"offers,omitempty"`
	Told     bool             `json:"-"` // what others have done, and no fault of who reads it
	Mine     bool             `json:"-"` // what the person has done
}

// against is a rule against one person.
type against struct {
	User   roomkit.UserID `json:"user"`
	Rule   roomkit.Rule   `json:"rule"`
	Reason string         `json:"reason"`
}

var titles = map[service.Category]string{
	service.CategoryInvalid:        "Something is not filled in right",
	service.CategoryUnknownActor:   "Nobody has this name here",
	service.CategoryDenied:         "A rule forbids this",
	service.CategoryNotFound:       "There is no such room for you",
	service.CategoryOffered:        "These people share rooms already",
	service.CategoryConflict:       "Somebody was faster",
	service.CategoryReused:         "This was sent before with something else",
	service.CategoryUnavailable:    "The chat is busy",
	service.CategoryCanceled:       "The chat is busy",
	service.CategoryUnknownOutcome: "It is not known whether this was done",
}

// problemOf makes a problem of any error. What is nobody's matter is logged and not told.
func problemOf(err error) *problem {
	if given := (*problem)(nil); errors.As(err, &given) {
		return given
	}
	category := service.CategoryOf(err)
	p := &problem{Category: category, Status: category.HTTPStatus(), Title: titles[category]}
	denied, invalid, offered := (*roomkit.Denied)(nil), (*roomkit.Invalid)(nil), (*roomkit.Offered)(nil)
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		p.Status, p.Category, p.Title = http.StatusRequestEntityTooLarge, service.CategoryInvalid, "This is too large"
	case errors.As(err, &denied):
		p.Rule, p.Detail = denied.Rule, denied.Reason
		for _, r := range denied.Against {
			p.People = append(p.People, against(r))
		}
	case errors.As(err, &invalid):
		p.Rule, p.Field, p.Detail = invalid.Rule, invalid.Field, invalid.Reason
	case errors.As(err, &offered):
		p.Offers = offered.Offers
	case category == service.CategoryConflict:
		p.Detail = "It was changed since this page was shown. Look at it as it is now, and decide again. Nothing was done."
	case category == service.CategoryReused:
		p.Detail = "A form is for one thing. Load the page again for another."
	case category == service.CategoryUnknownOutcome:
		p.Detail = "Send it again: it will not be done twice."
	case p.Title == "":
		slog.Error("chat", "err", err)
		p.Title = "The chat has made a mistake"
	}
	return p.cite()
}

// maxDetail is how much of what somebody has sent an error repeats, in characters.
const maxDetail = 300

func cut(text string) string {
	if utf8.RuneCountInString(text) > maxDetail {
		return string([]rune(text)[:maxDetail]) + " …"
	}
	return text
}

// cite adds what the rule book says.
func (p *problem) cite() *problem {
	p.Detail = cut(p.Detail)
	line, _ := why.Find(p.Rule)
	p.Sentence, p.Source = line.Text, line.Source
	return p
}

// denial says why somebody may not do something in a room, or nil. It is the call that
// decides, so what a page shows greyed is what would be refused.
func (c *chat) denial(ctx context.Context, me roomkit.UserID, action roomkit.Action, room roomkit.RoomID) *problem {
	if err := c.svc.Check(ctx, me, action, room); err != nil {
		return c.problemOf(ctx, err)
	}
	return nil
}

// deny says why a command would be refused, or nil, by the same decision.
func (c *chat) deny(ctx context.Context, me roomkit.UserID, cmd roomkit.Command) *problem {
	if _, err := c.svc.Plan(ctx, roomkit.By(me), cmd); err != nil {
		return c.problemOf(ctx, err)
	}
	return nil
}
