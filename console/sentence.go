package console

import (
	"fmt"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
)

// word is a part of a sentence. What comes from data is Foreign, and stands apart from the
// direction of the text around it.
type word struct {
	Text    string
	Link    string
	Foreign bool
	User    roomkit.UserID // whom it names
}

// line is a sentence.
type line []word

func (l line) say(format string, args ...any) line {
	return append(l, word{Text: fmt.Sprintf(format, args...)})
}

func (l line) foreign(text string) line { return append(l, word{Text: text, Foreign: true}) }

func (l line) user(id roomkit.UserID) line {
	return append(l, aboutUser(id))
}

func aboutUser(id roomkit.UserID) word {
	return word{Text: string(id), Link: to("user", "id", string(id)), Foreign: true, User: id}
}

func (l line) company(id roomkit.CompanyID) line {
	return append(l, word{Text: string(id), Link: to("company", "id", string(id)), Foreign: true})
}

func (l line) rule(id roomkit.Rule) line {
	return append(l, word{Text: string(id), Link: "rules#" + string(id)})
}

func (l line) actor(a roomkit.Actor) line {
	switch {
	case a.IsSystem():
		return l.say("The system")
	case a.User() == "":
		return l.say("Somebody")
	}
	return l.user(a.User())
}

// mostNamed is how many people a sentence names.
const mostNamed = 12

func (l line) ids(ids []roomkit.UserID) line {
	for i, id := range ids {
		switch {
		case i == mostNamed:
			return l.say(" and %d others", len(ids)-mostNamed)
		case i > 0 && i == len(ids)-1:
			l = l.say(" and ")
		case i > 0:
			l = l.say(", ")
		}
		l = l.user(id)
	}
	if len(ids) == 0 {
		l = l.say("nobody")
	}
	return l
}

func (l line) people(people []roomkit.Person) line { return l.ids(idsOf(people)) }

func idsOf(people []roomkit.Person) []roomkit.UserID {
	ids := make([]roomkit.UserID, len(people))
	for i := range people {
		ids[i] = people[i].User
	}
	return ids
}

// named says a name, if there is one.
func (l line) named(name string) line {
	if name == "" {
		return l
	}
	return l.say(" “").foreign(name).say("”")
}

func text(v fmt.Stringer) string {
	return orNone(strings.ReplaceAll(strings.ReplaceAll(v.String(), "_", " "), ",", ", "))
}

// String gives the sentence without its links.
func (l line) String() string {
	var b strings.Builder
	for _, w := range l {
		b.WriteString(w.Text)
	}
	return b.String()
}

// sentence says what an event is.
func sentence(e roomkit.Event) line {
	l := line{}
	by := l.actor(e.Info().Actor)
	switch e := e.(type) {
	case *roomkit.RoomCreated:
		return by.say(" created the %s room", text(e.Kind)).named(e.Name).say("%s.", origins[e.Origin])
	case *roomkit.RoomImported:
		return by.say(" brought in the %s room", text(e.Kind)).named(e.Name).say(" from elsewhere, where it had had %d events.", e.Version-1)
	case *roomkit.MembersImported:
		return by.say(" brought in the rows of %d %s, as they were elsewhere.", len(e.Rows), choose(len(e.Rows) == 1, "person", "people"))
	case *roomkit.MemberJoined:
		return joined(by, e)
	case *roomkit.MemberLeft:
		return left(by, e)
	case *roomkit.MasterAppointed, *roomkit.MasterDismissed, *roomkit.MasterVacated:
		return ofMasters(by, e)
	case *roomkit.RoomConverted:
		return by.say(" made the %s room one of kind %s, in which ", text(e.From), text(e.Kind)).people(e.People).say(" %s.", choose(len(e.People) == 1, "stays", "stay"))
	case *roomkit.RoomEnded:
		if e.Deleted {
			return by.say(" deleted the room, with %d who took part.", e.Counts.Participants)
		}
		return l.say("The room was dissolved: nobody was left in it (").rule("COM-09").say("). The last command was by ").actor(e.Actor).say(".")
	case *roomkit.CompanyPut, *roomkit.UserPut, *roomkit.UserStatusChanged, *roomkit.CompanyMessagingChanged, *roomkit.UserMessagingChanged, *roomkit.TeamSynced:
		return ofDirectory(by, e)
	case *roomkit.Unknown:
		return by.say(" did something that this version does not know: ").foreign(e.Name).say(".")
	default:
		return ofSettings(by, e)
	}
}

var origins = map[roomkit.Origin]string{
	roomkit.OriginEvent: " from a calendar event", roomkit.OriginMail: " from a mail", roomkit.OriginRoom: " from the members of another room",
	roomkit.OriginContacts: " from the contacts", roomkit.OriginInvite: " for people whom another room could not take in",
}

func joined(by line, e *roomkit.MemberJoined) line {
	l := line{}
	switch e.Cause {
	case roomkit.CauseCreated:
		l = l.people(e.People).say(" took part from the beginning")
	case roomkit.CauseInvited:
		l = by.say(" invited ").people(e.People)
	case roomkit.CauseAdded:
		l = by.say(" added ").people(e.People)
	case roomkit.CauseReopened:
		l = l.people(e.People).say(" took part again: the room was opened anew")
	case roomkit.CauseOrganisation:
		l = l.people(e.People).say(" came in: the organisation chart changed")
	default:
		l = l.people(e.People).say(" came in (%s)", text(e.Cause))
	}
	if e.ReadAll {
		l = l.say(", and may read from the beginning")
	}
	return l.say(".")
}

func left(by line, e *roomkit.MemberLeft) line {
	l := line{}
	switch e.Cause {
	case roomkit.CauseSelf:
		l = l.people(e.People).say(" left")
	case roomkit.CauseRemoved:
		l = by.say(" removed ").people(e.People)
	case roomkit.CausePermission:
		l = l.people(e.People).say(" had to leave: the permission for partners was withdrawn (").rule("EXT-22").say(")")
	case roomkit.CauseAccount:
		l = l.people(e.People).say(" had to leave: the account was deleted (").rule("ADM-13").say(")")
	case roomkit.CauseOrganisation:
		l = l.people(e.People).say(" went out: the organisation chart changed")
	case roomkit.CauseConverted:
		l = l.people(e.People).say(" stayed behind: the room became another kind")
	default:
		l = l.people(e.People).say(" went out (%s)", text(e.Cause))
	}
	if e.Roles {
		l = l.say(", and %s no Group Master any more", are(e.People))
	}
	return l.say(".")
}

func ofMasters(by line, e roomkit.Event) line {
	l := line{}
	switch e := e.(type) {
	case *roomkit.MasterAppointed:
		if e.Cause == roomkit.CauseCreated {
			return l.people(e.People).say(" became Group Master with the creation.")
		}
		if e.Cause == roomkit.CauseHandedOver {
			return by.say(" handed the role of Group Master over to ").people(e.People).say(".")
		}
		return by.say(" appointed ").people(e.People).say(" Group Master.")
	case *roomkit.MasterDismissed:
		switch e.Cause {
		case roomkit.CauseRemoved:
			return by.say(" dismissed ").people(e.People).say(" as Group Master.")
		case roomkit.CausePermission:
			return l.people(e.People).say(" %s no Group Master any more: the permission for partners was withdrawn (", are(e.People)).rule("EXT-22").say(").")
		}
		return l.people(e.People).say(" %s no Group Master any more (%s).", are(e.People), text(e.Cause))
	default:
		return l.say("Nobody is left to manage the group: an administrator has to appoint a Group Master (").rule("ADM-19").say(").")
	}
}

func ofSettings(by line, e roomkit.Event) line {
	switch e := e.(type) {
	case *roomkit.RoomRenamed:
		return changed(by, "name", e.From, e.To)
	case *roomkit.PhotoChanged:
		return changed(by, "photo", e.From, e.To)
	case *roomkit.DescriptionChanged:
		return changed(by, "description", e.From, e.To)
	case *roomkit.VisibilityChanged:
		return by.say(" made the group %s.", choose(e.Public, "public", "private"))
	case *roomkit.HistorySharingChanged:
		return by.say(" let newcomers read %s.", choose(e.On, "from the beginning", "only from when they join"))
	case *roomkit.NotificationSwitched:
		return by.say(" switched group notification %s.", choose(e.Notify, "on", "off"))
	case *roomkit.FeaturesSwitched:
		return by.say(" switched features: now on %s, before %s.", text(e.To), text(e.From))
	case *roomkit.FeaturesWithheldChanged:
		return by.say(" %s the right over features.", choose(e.Withheld, "withheld from the Group Masters", "gave back to the Group Masters"))
	case *roomkit.MessageSwitchedOff:
		return by.say(" switched message off. What the room holds is due for deletion on %s UTC (", at(e.Deadline)).rule("GRP-38").say(").")
	case *roomkit.MessageSwitchedOn:
		if e.Emptied {
			return by.say(" switched message on again, after the deadline: what was written before is gone (").rule("GRP-39").say(").")
		}
		return by.say(" switched message on again.")
	case *roomkit.FeatureDataDeleted:
		return by.say(" ordered the data of %s to be deleted for good.", text(e.Features))
	default:
		return nil
	}
}

func are(people []roomkit.Person) string { return choose(len(people) == 1, "is", "are") }

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func changed(by line, what, from, to string) line {
	switch {
	case to == "":
		return by.say(" took the %s away, which was", what).named(from).say(".")
	case from == "":
		return by.say(" gave the %s", what).named(to).say(".")
	case from == to:
		return by.say(" kept the %s", what).named(to).say(", of which only the key is another.")
	}
	return by.say(" changed the %s from", what).named(from).say(" to").named(to).say(".")
}

func ofDirectory(by line, e roomkit.Event) line {
	id := e.Info().Subject.ID
	switch e := e.(type) {
	case *roomkit.CompanyPut:
		return by.say(" put down company ").company(roomkit.CompanyID(id)).
			say(": %s, groups created by %s.", choose(e.Company.Licensed, "licensed", "without a licence"), choose(e.Company.MembersCreateGroups, "all members", "administrators"))
	case *roomkit.UserPut:
		l := by.say(" put down the %s ", choose(e.User.Administrator, "administrator", e.User.Kind.String())).user(roomkit.UserID(id))
		if e.User.Company != "" {
			l = l.say(" of ").company(e.User.Company)
		}
		return l.say(", %s.", text(e.User.Status))
	case *roomkit.UserStatusChanged:
		return by.say(" made the account of ").user(roomkit.UserID(id)).say(" %s, which was %s.", text(e.To), text(e.From))
	case *roomkit.CompanyMessagingChanged:
		return by.say(" set who of ").company(roomkit.CompanyID(id)).say(" may talk with %ss: %s, before %s.", text(e.With), modes[e.To], modes[e.From])
	case *roomkit.UserMessagingChanged:
		return by.say(" %s ", choose(e.On, "gave", "took from")).user(roomkit.UserID(id)).say(" the permission for %ss.", text(e.With))
	case *roomkit.TeamSynced:
		company, team := roomkit.TeamKey(id).Split()
		l := by.say(" brought team ").foreign(string(team)).named(e.Name).say(" of ").company(company).say(" in line")
		if e.Leader != "" {
			l = l.say(", led by ").user(e.Leader)
		}
		if len(e.Added) > 0 {
			l = l.say("; in came ").ids(e.Added)
		}
		if len(e.Removed) > 0 {
			l = l.say("; out went ").ids(e.Removed)
		}
		return l.say("; team room %s.", choose(e.Room, "allowed", "not allowed"))
	default:
		return nil
	}
}

var modes = map[roomkit.ExternalMode]string{
	roomkit.ExternalOff: "nobody", roomkit.ExternalSelected: "those with a permission of their own", roomkit.ExternalAll: "everybody",
}

// subject gives a link to what an event is about.
func subject(of roomkit.Subject) word {
	switch of.Type {
	case roomkit.SubjectRoom:
		return word{Text: of.Room.String(), Link: to("room", "id", of.Room.String())}
	case roomkit.SubjectUser:
		return aboutUser(roomkit.UserID(of.ID))
	case roomkit.SubjectCompany:
		return word{Text: of.ID, Link: to("company", "id", of.ID), Foreign: true}
	}
	return word{Text: of.ID, Link: to("history", "of", of.String()), Foreign: true}
}

// eventRow is an event in a table.
type eventRow struct {
	Meta    *roomkit.Meta
	Type    string
	Subject word
	Said    line
	Cursor  roomkit.Cursor
}

// AsLine gives what the event is about, as a line.
func (r eventRow) AsLine() line { return line{r.Subject} }

func rowOf(e roomkit.Event) eventRow {
	return eventRow{Meta: e.Info(), Type: e.Type(), Subject: subject(e.Info().Subject), Said: sentence(e)}
}

// ruleOf gives a rule of the book, for pages; one that hosts have made, such as VETO, has
// its id alone.
func ruleOf(id roomkit.Rule) why.Rule {
	r, ok := why.Find(id)
	if !ok {
		r.ID = id
	}
	return r
}
