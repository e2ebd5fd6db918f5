package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
)

// Between the messages stands what happened in the room: who came and went, and what was
// changed. It is read from what the library keeps, where an erased person has no name any
// more, and shown by the same right as the messages.

// happening is a line between the messages.
type happening struct {
	Version roomkit.Version
	Type    string // of the event
	At      time.Time
	Words   sentence
}

// word is a part of a sentence. What people have chosen is Foreign, and stands apart from
// the direction of the text around it.
type word struct {
	Text    string
	Foreign bool
}

type sentence []word

func (s sentence) say(text string) sentence     { return append(s, word{Text: text}) }
func (s sentence) foreign(text string) sentence { return append(s, word{text, true}) }

// String gives the sentence as text.
func (s sentence) String() string {
	var b strings.Builder
	for _, w := range s {
		b.WriteString(w.Text)
	}
	return b.String()
}

// happened gives the events of a room behind a version, up to another one. What was pruned is
// left out.
func (c *chat) happened(ctx context.Context, room roomkit.RoomID, after, last roomkit.Version) (events []roomkit.Event, err error) {
	for after < last {
		records, err := c.store.History(ctx, roomkit.RoomSubject(room), after, int(min(last-after, roomkit.MaxPage)))
		if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) && gone.Version > after {
			after = gone.Version
			continue
		}
		if err != nil || len(records) == 0 {
			return events, err
		}
		for _, r := range records {
			event, err := codec.DecodeRecord(r)
			if err != nil {
				return nil, err
			}
			events = append(events, event)
		}
		after = records[len(records)-1].Version
	}
	return events, nil
}

// tell makes the lines of those events that somebody may know who reads the messages.
func (c *chat) tell(access roomkit.Access, events []roomkit.Event) (lines []happening) {
	for _, e := range events {
		info := e.Info()
		if !access.MayRead(info.Version) {
			continue
		}
		if words := c.sentence(e); len(words) > 0 {
			lines = append(lines, happening{info.Version, e.Type(), info.At, words})
		}
	}
	return lines
}

// mostNamed is how many people a line names.
const mostNamed = 5

func (c *chat) those(s sentence, people []roomkit.Person) sentence {
	named := people
	if len(people) > mostNamed+1 {
		named = people[:mostNamed]
	}
	for i, p := range named {
		switch {
		case i == 0:
		case i == len(people)-1:
			s = s.say(" and ")
		default:
			s = s.say(", ")
		}
		s = c.called(s, p.User)
	}
	if more := len(people) - len(named); more > 0 {
		s = s.say(" and " + strconv.Itoa(more) + " others")
	}
	return s
}

// called gives the name of somebody. Of who was erased the library has a pseudonym, that the
// directory does not know.
func (c *chat) called(s sentence, id roomkit.UserID) sentence {
	if _, known := c.people.people[id]; !known && strings.HasPrefix(string(id), "erased-") {
		return s.say("somebody who was erased")
	}
	return s.foreign(c.people.name(id))
}

// by begins a sentence with who did it.
func (c *chat) by(e roomkit.Event) sentence {
	if id := e.Info().Actor.User(); id != "" {
		return c.called(nil, id)
	}
	return sentence{}.say("The administrator")
}

var nouns = map[roomkit.Kind]string{
	roomkit.KindDirect: "conversation", roomkit.KindGeneral: "room", roomkit.KindGroup: "group",
	roomkit.KindExternalGroup: "group", roomkit.KindTeam: "team room",
}

// sentence says what an event is; nothing where that is nobody's matter.
func (c *chat) sentence(e roomkit.Event) sentence {
	switch e := e.(type) {
	case *roomkit.MemberJoined:
		return c.joined(e)
	case *roomkit.MemberLeft:
		return c.left(e)
	case *roomkit.MasterAppointed:
		return c.appointed(e)
	case *roomkit.MasterDismissed:
		if e.Cause == roomkit.CauseHandedOver {
			return nil // the appointment says it
		}
		return c.those(nil, e.People).say(choose(len(e.People) == 1, " is no longer Group Master", " are no longer Group Masters"))
	case *roomkit.MasterVacated:
		return sentence{}.say("Nobody manages this group any more")
	case *roomkit.RoomConverted:
		return c.by(e).say(" made this " + inKinds[e.Kind])
	default:
		return c.changed(e)
	}
}

func (c *chat) joined(e *roomkit.MemberJoined) sentence {
	noun := nouns[e.Kind]
	switch e.Cause {
	case roomkit.CauseCreated:
		return c.created(e, noun)
	case roomkit.CauseInvited, roomkit.CauseAdded:
		return c.those(c.by(e).say(" invited "), e.People)
	case roomkit.CauseReopened:
		return c.those(nil, e.People).say(choose(len(e.People) == 1, " is", " are") + " in this " + noun + " again")
	case roomkit.CauseOrganisation:
		return c.those(nil, e.People).say(" came in: the organisation chart changed")
	}
	return c.those(nil, e.People).say(" came in")
}

// created is the beginning of a room: with those who are there besides its creator.
func (c *chat) created(e *roomkit.MemberJoined, noun string) sentence {
	if noun == "" {
		return nil // a room of messages to oneself
	}
	actor := e.Actor.User()
	others := slices.DeleteFunc(slices.Clone(e.People), func(p roomkit.Person) bool { return p.User == actor })
	s := c.by(e).say(" opened this " + noun)
	if len(others) == 0 {
		return s
	}
	return c.those(s.say(" with "), others)
}

func (c *chat) left(e *roomkit.MemberLeft) sentence {
	out := choose(len(e.People) == 1, " is out: ", " are out: ")
	switch e.Cause {
	case roomkit.CauseSelf:
		return c.those(nil, e.People).say(" left")
	case roomkit.CauseRemoved:
		return c.removed(e)
	case roomkit.CausePermission:
		return c.those(nil, e.People).say(out + "external messaging was switched off")
	case roomkit.CauseAccount:
		return c.those(nil, e.People).say(out + choose(len(e.People) == 1, "the account was deleted", "the accounts were deleted"))
	case roomkit.CauseOrganisation:
		return c.those(nil, e.People).say(out + "the organisation chart changed")
	case roomkit.CauseConverted:
		return c.those(nil, e.People).say(out + "this has become " + inKinds[e.Kind])
	}
	return c.those(nil, e.People).say(choose(len(e.People) == 1, " is out", " are out"))
}

// removed says it of a Group Master who goes, maybe with others, as of those who leave.
func (c *chat) removed(e *roomkit.MemberLeft) sentence {
	actor := e.Actor.User()
	others := slices.DeleteFunc(slices.Clone(e.People), func(p roomkit.Person) bool { return p.User == actor })
	switch {
	case len(others) == len(e.People):
		return c.those(c.by(e).say(" removed "), others)
	case len(others) == 0:
		return c.by(e).say(" left")
	}
	return c.those(c.by(e).say(" left and removed "), others)
}

func (c *chat) appointed(e *roomkit.MasterAppointed) sentence {
	switch e.Cause {
	case roomkit.CauseCreated:
		return nil
	case roomkit.CauseHandedOver:
		return c.those(c.by(e).say(" handed the role of Group Master over to "), e.People)
	}
	return c.those(nil, e.People).say(choose(len(e.People) == 1, " became Group Master", " became Group Masters"))
}

// changed says what became of a room's settings.
func (c *chat) changed(e roomkit.Event) sentence {
	by := c.by(e)
	switch e := e.(type) {
	case *roomkit.RoomRenamed:
		switch e.To {
		case e.From:
			return nil // another key, or an erasure
		case "":
			return by.say(" took the name away")
		}
		return by.say(" renamed the " + nouns[e.Kind] + " “").foreign(e.To).say("”")
	case *roomkit.PhotoChanged:
		return by.say(" changed the photo")
	case *roomkit.DescriptionChanged:
		return by.say(" changed the description")
	case *roomkit.VisibilityChanged:
		return by.say(" made the group " + choose(e.Public, "public", "private"))
	case *roomkit.HistorySharingChanged:
		return by.say(" lets newcomers read " + choose(e.On, "everything from now on", "from when they join only"))
	case *roomkit.NotificationSwitched:
		return by.say(" switched group notification " + choose(e.Notify, "on", "off"))
	case *roomkit.FeaturesSwitched:
		return by.say(switched(e.From, e.To))
	case *roomkit.FeaturesWithheldChanged:
		return by.say(choose(e.Withheld, " withheld the features from Group Masters", " gave the features back to Group Masters"))
	case *roomkit.MessageSwitchedOff:
		return by.say(" switched message off")
	case *roomkit.MessageSwitchedOn:
		return by.say(" switched message on again" + choose(e.Emptied, ": what was written before is gone", ""))
	case *roomkit.FeatureDataDeleted:
		return by.say(" had all data deleted of: " + featureWords(e.Features))
	default: // not of a room, or said by what came with it
		return nil
	}
}

// switched says which features are on and which are off that were not.
func switched(from, to roomkit.FeatureSet) string {
	var parts []string
	if on := to &^ from; on != 0 {
		parts = append(parts, featureWords(on)+" on")
	}
	if off := from &^ to; off != 0 {
		parts = append(parts, featureWords(off)+" off")
	}
	return " switched " + strings.Join(parts, " and ")
}

func featureWords(set roomkit.FeatureSet) string {
	return strings.ReplaceAll(strings.ReplaceAll(set.String(), "_", " "), ",", ", ")
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
