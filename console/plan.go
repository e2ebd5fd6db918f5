package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// mostConsequences is how many rooms a plan lists.
const mostConsequences = 100

type planPage struct {
	As, Command  string // as they were given
	Commands     []commandForm
	Wrong        string // with what was given
	Asked        bool
	Name         string
	Result       *service.Result
	Events       []eventRow
	Refused      *roomkit.Denied
	Against      []refusal
	Invalid      *roomkit.Invalid
	Offered      []roomkit.Offer
	Consequences []service.Consequence
	More         bool // consequences than are listed
}

// refusal is a rule against somebody, or against the command as a whole.
type refusal struct {
	User   roomkit.UserID
	Rule   roomkit.Rule
	Reason string
}

// commandForm is what a command looks like.
type commandForm struct {
	Name   string
	Fields string
}

var commandForms = func() (list []commandForm) {
	for _, name := range roomkit.CommandNames() {
		cmd, err := roomkit.UnmarshalCommand(fmt.Appendf(nil, `{"command":%q}`, name))
		if err != nil {
			continue
		}
		var fields []string
		t := reflect.TypeOf(cmd)
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			fields = append(fields, key)
		}
		list = append(list, commandForm{Name: name, Fields: strings.Join(fields, ", ")})
	}
	return list
}()

func (c *console) plan(r *http.Request) (view, error) {
	q := r.URL.Query()
	p := planPage{As: q.Get("as"), Command: q.Get("command"), Commands: commandForms}
	v := view{page: "plan", Title: "Plan a command"}
	if p.Command == "" {
		v.Data = p
		return v, nil
	}
	cmd, err := roomkit.UnmarshalCommand([]byte(p.Command))
	actor := roomkit.By(roomkit.UserID(p.As))
	switch {
	case err != nil:
		p.Wrong = "This is no command: " + err.Error()
	case p.As == "" || p.As == roomkit.System().String():
		actor = roomkit.System()
	case !actor.User().Valid():
		p.Wrong = "This is no id of a user."
	}
	if p.Wrong != "" {
		v.status, v.Data = http.StatusBadRequest, p
		return v, nil
	}
	p.Asked, p.Name = true, roomkit.CommandName(cmd)
	if err := c.carryOutNothing(r, &p, actor, cmd); err != nil {
		return view{}, err
	}
	v.Data = p
	return v, nil
}

// carryOutNothing asks what a command would do.
func (c *console) carryOutNothing(r *http.Request, p *planPage, actor roomkit.Actor, cmd roomkit.Command) error {
	res, err := c.svc.Plan(r.Context(), actor, cmd)
	if err != nil {
		return p.refuse(err)
	}
	p.Result = &res
	for _, e := range res.Events {
		p.Events = append(p.Events, rowOf(e))
	}
	for cons, err := range c.svc.PlanConsequences(r.Context(), actor, cmd) {
		if err != nil {
			return p.refuse(err)
		}
		if len(p.Consequences) == mostConsequences {
			p.More = true
			break
		}
		p.Consequences = append(p.Consequences, cons)
	}
	return nil
}

// refuse keeps an error that is an answer, and gives back others.
func (p *planPage) refuse(err error) error {
	var offered *roomkit.Offered
	switch {
	case errors.As(err, &p.Refused):
		for _, a := range p.Refused.Against {
			p.Against = append(p.Against, refusal{a.User, a.Rule, a.Reason})
		}
		if len(p.Against) == 0 {
			p.Against = []refusal{{Rule: p.Refused.Rule, Reason: p.Refused.Reason}}
		}
	case errors.As(err, &p.Invalid):
	case errors.As(err, &offered):
		p.Offered = offered.Offers
	case errors.Is(err, roomkit.ErrNotFound):
		p.Wrong = "The actor is told that there is no such room, user or company."
	default:
		return err
	}
	return nil
}

// setting is a field of the policy.
type setting struct{ Name, Value string }

// settingsOf lists the policy as its JSON names it, what is default too.
func settingsOf(policy roomkit.Policy) (list []setting) {
	v := reflect.ValueOf(policy)
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		value := fmt.Sprint(v.Field(i).Interface())
		if data, err := json.Marshal(v.Field(i).Interface()); err == nil && v.Field(i).Kind() == reflect.Array {
			value = string(data)
		}
		list = append(list, setting{Name: strings.ReplaceAll(key, "_", " "), Value: value})
	}
	return list
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// number reads a number of a query.
func number(r *http.Request, key string) (int64, bool) {
	n, err := strconv.ParseInt(r.URL.Query().Get(key), 10, 64)
	return n, err == nil
}
