package codec

import (
	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/hostid"
)

// The listings below are the stored form: every key once, in order, for both
// directions. What has been released never changes. Anything else, even one more
// key, is a new codec version ("v"), with a golden file of its own, and its
// listing still reads the old forms.

// envelope lists what all events carry after their subject.
func (c *coder) envelope(m *roomkit.Meta) {
	c.version(`,"version":`, &m.Version)
	c.instant(`,"at":`, &m.At)
	c.actor(`,"actor":"`, &m.Actor)
	c.epoch(`,"epoch":[`, &m.Epoch)
	c.uuid(`,"command":"`, (*[16]byte)(&m.Command))
	codeEnum(c, `,"cause":"`, &m.Cause)
	codeEnum(c, `,"kind":"`, &m.Kind)
	c.flag(`,"notify":true`, &m.Notify)
}

// fields visits the keys of an event.
func (c *coder) fields(e roomkit.Event) {
	switch v := e.(type) {
	case *roomkit.CompanyMessagingChanged:
		c.companyMessagingChanged(v)
	case *roomkit.CompanyPut:
		c.companyPut(v)
	case *roomkit.DescriptionChanged:
		c.descriptionChanged(v)
	case *roomkit.FeatureDataDeleted:
		c.featureDataDeleted(v)
	case *roomkit.FeaturesSwitched:
		c.featuresSwitched(v)
	case *roomkit.FeaturesWithheldChanged:
		c.featuresWithheldChanged(v)
	case *roomkit.HistorySharingChanged:
		c.historySharingChanged(v)
	case *roomkit.MasterAppointed:
		c.masterAppointed(v)
	case *roomkit.MasterDismissed:
		c.masterDismissed(v)
	case *roomkit.MasterVacated:
		c.masterVacated(v)
	case *roomkit.MemberJoined:
		c.memberJoined(v)
	case *roomkit.MemberLeft:
		c.memberLeft(v)
	case *roomkit.MembersImported:
		c.membersImported(v)
	case *roomkit.MessageSwitchedOff:
		c.messageSwitchedOff(v)
	case *roomkit.MessageSwitchedOn:
		c.messageSwitchedOn(v)
	case *roomkit.NotificationSwitched:
		c.notificationSwitched(v)
	case *roomkit.PhotoChanged:
		c.photoChanged(v)
	case *roomkit.RoomConverted:
		c.roomConverted(v)
	case *roomkit.RoomCreated:
		c.roomCreated(v)
	case *roomkit.RoomEnded:
		c.roomEnded(v)
	case *roomkit.RoomImported:
		c.roomImported(v)
	case *roomkit.RoomRenamed:
		c.roomRenamed(v)
	case *roomkit.TeamSynced:
		c.teamSynced(v)
	case *roomkit.Unknown:
		// Its bytes are its form: see encodeUnknown.
	case *roomkit.UserMessagingChanged:
		c.userMessagingChanged(v)
	case *roomkit.UserPut:
		c.userPut(v)
	case *roomkit.UserStatusChanged:
		c.userStatusChanged(v)
	case *roomkit.VisibilityChanged:
		c.visibilityChanged(v)
	}
}

func (c *coder) roomCreated(e *roomkit.RoomCreated) {
	c.begin(`{"type":"room.created","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeID(c, `,"company":"`, &e.Company)
	codeID(c, `,"team":"`, &e.Team)
	c.parties(`,"parties":[`, &e.Parties)
	c.text(`,"name":"`, &e.Name)
	c.text(`,"name_key":"`, &e.NameKey)
	c.text(`,"photo":"`, &e.Photo)
	c.lines(`,"description":"`, &e.Description)
	codeEnum(c, `,"origin":"`, &e.Origin)
	c.flag(`,"public":true`, &e.Public)
	c.flag(`,"history_sharing":true`, &e.HistorySharing)
	c.features(`,"features":[`, &e.Features)
}

func (c *coder) roomImported(e *roomkit.RoomImported) {
	c.begin(`{"type":"room.imported","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeEnum(c, `,"state":"`, &e.State)
	codeID(c, `,"company":"`, &e.Company)
	codeID(c, `,"team":"`, &e.Team)
	codeID(c, `,"creator":"`, &e.Creator)
	c.parties(`,"parties":[`, &e.Parties)
	c.text(`,"name":"`, &e.Name)
	c.text(`,"name_key":"`, &e.NameKey)
	c.text(`,"photo":"`, &e.Photo)
	c.lines(`,"description":"`, &e.Description)
	codeEnum(c, `,"origin":"`, &e.Origin)
	c.flag(`,"public":true`, &e.Public)
	c.flag(`,"history_sharing":true`, &e.HistorySharing)
	c.features(`,"features":[`, &e.Features)
	c.flag(`,"features_withheld":true`, &e.FeaturesWithheld)
	c.moment(`,"message_off_since":`, &e.MessageOffSince)
	c.flag(`,"had_consumers":true`, &e.HadConsumers)
	codeCount(c, `,"emptied_at":`, &e.EmptiedAt)
	c.moment(`,"emptied_on":`, &e.EmptiedOn)
	c.moment(`,"created_at":`, &e.CreatedAt)
}

func (c *coder) membersImported(e *roomkit.MembersImported) {
	c.begin(`{"type":"members.imported","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeList(c, `,"rows":[`, &e.Rows, func(c *coder, m *roomkit.Member) {
		if c.reading {
			m.Room = e.Subject.Room
		} else if m.Room != e.Subject.Room {
			c.fail(`,"rows":`, "a row is of another room than the subject")
		}
		codeMember(c, m)
	})
	c.counts(&e.Counts)
	c.flag(`,"void":true`, &e.Void)
}

func codeMember(c *coder, m *roomkit.Member) {
	c.brace()
	codeID(c, `,"user":"`, &m.User)
	codeID(c, `,"company":"`, &m.Company)
	codeEnum(c, `,"kind":"`, &m.Kind)
	c.flag(`,"participant":true`, &m.Participant)
	c.flag(`,"master":true`, &m.Master)
	codeCount(c, `,"period":`, &m.Period)
	codeEnum(c, `,"joined":"`, &m.Joined)
	c.moment(`,"joined_at":`, &m.JoinedAt)
	codeCount(c, `,"joined_version":`, &m.JoinedVersion)
	c.flag(`,"read_all":true`, &m.ReadAll)
	c.epoch(`,"epoch":[`, &m.Epoch)
	c.epoch(`,"master_epoch":[`, &m.MasterEpoch)
	codeEnum(c, `,"left":"`, &m.Left)
	c.moment(`,"left_at":`, &m.LeftAt)
	codeCount(c, `,"left_version":`, &m.LeftVersion)
	c.anyActor(`,"left_by":"`, &m.LeftBy)
	c.unbrace()
	if m.User == "" {
		c.fail(`,"user":`, reasonMissing)
	}
}

// anyActor visits an actor that is left out where there is none.
func (c *coder) anyActor(key string, a *roomkit.Actor) {
	if !c.reading {
		if *a != (roomkit.Actor{}) {
			c.actor(key, a)
		}
		return
	}
	const system = `*system"`
	switch {
	case !c.next(key):
	case c.take(system):
		*a = roomkit.System()
	default:
		*a = roomkit.By(roomkit.UserID(c.readID(key)))
	}
}

func (c *coder) memberJoined(e *roomkit.MemberJoined) {
	c.begin(`{"type":"member.joined","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeList(c, `,"people":[`, &e.People, codePerson)
	c.flag(`,"read_all":true`, &e.ReadAll)
	c.counts(&e.Counts)
}

func (c *coder) memberLeft(e *roomkit.MemberLeft) {
	c.begin(`{"type":"member.left","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeList(c, `,"people":[`, &e.People, codePerson)
	c.flag(`,"roles":true`, &e.Roles)
	c.text(`,"name":"`, &e.Name)
	codeList(c, `,"among":[`, &e.Among, codeItem)
	c.counts(&e.Counts)
}

func (c *coder) masterAppointed(e *roomkit.MasterAppointed) {
	c.begin(`{"type":"master.appointed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeList(c, `,"people":[`, &e.People, codePerson)
	c.counts(&e.Counts)
}

func (c *coder) masterDismissed(e *roomkit.MasterDismissed) {
	c.begin(`{"type":"master.dismissed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeList(c, `,"people":[`, &e.People, codePerson)
	c.counts(&e.Counts)
}

func (c *coder) masterVacated(e *roomkit.MasterVacated) {
	c.begin(`{"type":"master.vacated","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
}

func (c *coder) roomRenamed(e *roomkit.RoomRenamed) {
	c.begin(`{"type":"room.renamed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.text(`,"from":"`, &e.From)
	c.text(`,"to":"`, &e.To)
	c.text(`,"name_key":"`, &e.NameKey)
}

func (c *coder) photoChanged(e *roomkit.PhotoChanged) {
	c.begin(`{"type":"room.photo_changed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.text(`,"from":"`, &e.From)
	c.text(`,"to":"`, &e.To)
}

func (c *coder) descriptionChanged(e *roomkit.DescriptionChanged) {
	c.begin(`{"type":"room.description_changed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.lines(`,"from":"`, &e.From)
	c.lines(`,"to":"`, &e.To)
}

func (c *coder) visibilityChanged(e *roomkit.VisibilityChanged) {
	c.begin(`{"type":"room.visibility_changed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.flag(`,"public":true`, &e.Public)
}

func (c *coder) historySharingChanged(e *roomkit.HistorySharingChanged) {
	c.begin(`{"type":"room.history_sharing_changed","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.flag(`,"on":true`, &e.On)
}

func (c *coder) notificationSwitched(e *roomkit.NotificationSwitched) {
	c.begin(`{"type":"room.notification_switched","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
}

func (c *coder) featuresSwitched(e *roomkit.FeaturesSwitched) {
	c.begin(`{"type":"room.features_switched","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.features(`,"from":[`, &e.From)
	c.features(`,"to":[`, &e.To)
}

func (c *coder) featuresWithheldChanged(e *roomkit.FeaturesWithheldChanged) {
	c.begin(`{"type":"room.features_withheld","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.flag(`,"withheld":true`, &e.Withheld)
}

func (c *coder) messageSwitchedOff(e *roomkit.MessageSwitchedOff) {
	c.begin(`{"type":"room.message_off","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.moment(`,"deadline":`, &e.Deadline)
}

func (c *coder) messageSwitchedOn(e *roomkit.MessageSwitchedOn) {
	c.begin(`{"type":"room.message_on","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.flag(`,"emptied":true`, &e.Emptied)
}

func (c *coder) featureDataDeleted(e *roomkit.FeatureDataDeleted) {
	c.begin(`{"type":"room.feature_data_deleted","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.features(`,"features":[`, &e.Features)
}

func (c *coder) roomConverted(e *roomkit.RoomConverted) {
	c.begin(`{"type":"room.converted","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	codeEnum(c, `,"from":"`, &e.From)
	c.features(`,"features":[`, &e.Features)
	codeList(c, `,"people":[`, &e.People, codePerson)
}

func (c *coder) roomEnded(e *roomkit.RoomEnded) {
	c.begin(`{"type":"room.ended","v":1,"room":"`, roomkit.SubjectRoom, &e.Meta)
	c.flag(`,"deleted":true`, &e.Deleted)
	c.counts(&e.Counts)
}

// The id of a company is the subject; "company" would be the same key again.
func (c *coder) companyPut(e *roomkit.CompanyPut) {
	c.begin(`{"type":"company.put","v":1,"company":"`, roomkit.SubjectCompany, &e.Meta)
	v := &e.Company
	codeSubjectID(c, &e.Subject, &v.ID)
	c.row(`,"tenant":{`)
	codeCount(c, `,"version":`, &v.Version)
	c.flag(`,"licensed":true`, &v.Licensed)
	c.flag(`,"members_create_groups":true`, &v.MembersCreateGroups)
	codeEnum(c, `,"partners":"`, &v.Partners)
	codeEnum(c, `,"consumers":"`, &v.Consumers)
	codeCount(c, `,"max_groups":`, &v.MaxGroups)
	c.duration(`,"recall_window":`, &v.RecallWindow)
	codeCount(c, `,"partners_off":`, &v.PartnersOff)
	codeCount(c, `,"partners_narrowed":`, &v.PartnersNarrowed)
	codeCount(c, `,"groups":`, &v.Groups)
	c.shut()
}

// The id of a user is the subject; "user" would be the same key again.
func (c *coder) userPut(e *roomkit.UserPut) {
	c.begin(`{"type":"user.put","v":1,"user":"`, roomkit.SubjectUser, &e.Meta)
	v := &e.User
	codeSubjectID(c, &e.Subject, &v.ID)
	c.row(`,"account":{`)
	codeCount(c, `,"version":`, &v.Version)
	codeID(c, `,"company":"`, &v.Company)
	codeEnum(c, `,"kind":"`, &v.Kind)
	codeEnum(c, `,"status":"`, &v.Status)
	c.flag(`,"administrator":true`, &v.Administrator)
	c.flag(`,"partners":true`, &v.Partners)
	c.flag(`,"consumers":true`, &v.Consumers)
	codeCount(c, `,"partners_since":`, &v.PartnersSince)
	codeCount(c, `,"partners_lost":`, &v.PartnersLost)
	codeCount(c, `,"ended":`, &v.Ended)
	codeCount(c, `,"groups":`, &v.Groups)
	c.shut()
}

func (c *coder) userStatusChanged(e *roomkit.UserStatusChanged) {
	c.begin(`{"type":"user.status_changed","v":1,"user":"`, roomkit.SubjectUser, &e.Meta)
	codeEnum(c, `,"from":"`, &e.From)
	codeEnum(c, `,"to":"`, &e.To)
}

func (c *coder) companyMessagingChanged(e *roomkit.CompanyMessagingChanged) {
	c.begin(`{"type":"company.messaging_changed","v":1,"company":"`, roomkit.SubjectCompany, &e.Meta)
	codeEnum(c, `,"with":"`, &e.With)
	codeEnum(c, `,"from":"`, &e.From)
	codeEnum(c, `,"to":"`, &e.To)
}

func (c *coder) userMessagingChanged(e *roomkit.UserMessagingChanged) {
	c.begin(`{"type":"user.messaging_changed","v":1,"user":"`, roomkit.SubjectUser, &e.Meta)
	codeEnum(c, `,"with":"`, &e.With)
	c.flag(`,"on":true`, &e.On)
	c.flag(`,"permits":true`, &e.Permits)
	codeCount(c, `,"partners_narrowed":`, &e.PartnersNarrowed)
}

func (c *coder) teamSynced(e *roomkit.TeamSynced) {
	c.begin(`{"type":"team.synced","v":1,"team":"`, roomkit.SubjectTeam, &e.Meta)
	company, _ := roomkit.TeamKey(e.Subject.ID).Split() // the subject says it
	if c.reading {
		e.Company = company
	} else if e.Company != company {
		c.fail(teamCompany, "the team has another company than the subject")
	}
	c.text(`,"name":"`, &e.Name)
	codeID(c, `,"leader":"`, &e.Leader)
	codeList(c, `,"added":[`, &e.Added, codeItem)
	codeList(c, `,"removed":[`, &e.Removed, codeItem)
	c.flag(`,"room_allowed":true`, &e.Room)
	c.flag(`,"features_granted":true`, &e.Features)
	c.flag(`,"photo_granted":true`, &e.Photo)
	c.features(`,"preset":[`, &e.Preset)
	c.flag(`,"preset_notify":true`, &e.Notify)
	c.number(`,"seq":`, &e.Seq)
}

func codePerson(c *coder, v *roomkit.Person) {
	c.brace()
	codeID(c, `,"user":"`, &v.User)
	codeID(c, `,"company":"`, &v.Company)
	codeEnum(c, `,"kind":"`, &v.Kind)
	c.epoch(`,"epoch":[`, &v.Epoch)
	c.unbrace()
	if v.User == "" {
		c.fail(`,"user":`, reasonMissing)
	}
}

func (c *coder) counts(v *roomkit.Counts) {
	const key = `,"counts":{`
	if !c.open(key, *v != roomkit.Counts{}) {
		return
	}
	codeCount(c, `,"participants":`, &v.Participants)
	codeCount(c, `,"masters":`, &v.Masters)
	codeCount(c, `,"partners":`, &v.Partners)
	codeCount(c, `,"consumers":`, &v.Consumers)
	codeCount(c, `,"bots":`, &v.Bots)
	c.shut()
	if *v == (roomkit.Counts{}) {
		c.fail(key, reasonZero)
	}
}

var subjectKeys = [...]string{"", `,"room":"`, `,"user":"`, `,"company":"`, `,"team":"`}

// teamCompany is the key of a team's company, which follows the team's.
const teamCompany = `,"company":"`

func (c *coder) putSubject(s *roomkit.Subject, want roomkit.SubjectType) {
	room := want == roomkit.SubjectRoom
	switch {
	case s.Type != want:
		c.fail(subjectKeys[want], "the subject is of another type")
	case room && s.ID == "" && !s.Room.IsZero():
		c.putUUID("", (*[16]byte)(&s.Room))
	case want == roomkit.SubjectTeam && s.Room.IsZero() && roomkit.TeamKey(s.ID).Valid():
		company, team := roomkit.TeamKey(s.ID).Split()
		c.putID("", string(team))
		c.putID(teamCompany, string(company))
	case want != roomkit.SubjectTeam && !room && s.Room.IsZero() && hostid.Valid(s.ID):
		c.putID("", s.ID)
	default:
		c.fail(subjectKeys[want], reasonNotID)
	}
}

func (c *coder) readSubject(s *roomkit.Subject, t roomkit.SubjectType) {
	if s.Type = t; t == roomkit.SubjectRoom {
		c.readUUID(subjectKeys[t], (*[16]byte)(&s.Room))
	} else {
		s.ID = c.readID(subjectKeys[t])
	}
	if team := roomkit.TeamID(s.ID); t == roomkit.SubjectTeam && c.require(teamCompany) {
		*s = roomkit.TeamSubject(roomkit.CompanyID(c.readID(teamCompany)), team)
	}
}

// anySubject reads the key of a subject, which tells its type, and the subject.
func (c *coder) anySubject(s *roomkit.Subject) {
	for t := roomkit.SubjectRoom; int(t) < len(subjectKeys); t++ {
		if c.next(subjectKeys[t]) {
			c.readSubject(s, t)
			return
		}
	}
	c.fail("subject", reasonMissing)
}

func (c *coder) actor(key string, a *roomkit.Actor) {
	const system = `*system"`
	switch {
	case c.reading:
		if c.require(key) && c.take(system) {
			*a = roomkit.System()
		} else {
			*a = roomkit.By(roomkit.UserID(c.readID(key)))
		}
	case !a.IsSystem():
		c.putID(key, string(a.User()))
	case a.User() != "":
		c.fail(key, "both the system and a user")
	default:
		c.put(key)
		c.put(system)
	}
}

func (c *coder) epoch(key string, v *roomkit.Epoch) {
	switch {
	case c.reading:
		c.readEpoch(key, v)
	case v.User == 0 && v.Company == 0:
	case v.User < 0 || v.Company < 0:
		c.fail(key, reasonNegative)
	default:
		c.put(key)
		c.putInt(int64(v.User))
		c.put(",")
		c.putInt(int64(v.Company))
		c.put("]")
	}
}

func (c *coder) readEpoch(key string, v *roomkit.Epoch) {
	if !c.next(key) {
		return
	}
	v.User = roomkit.Version(c.readInt(key))
	c.expect(key, ",", reasonNotPair)
	v.Company = roomkit.Version(c.readInt(key))
	c.expect(key, "]", reasonNotPair)
	switch {
	case v.User < 0 || v.Company < 0:
		c.fail(key, reasonNegative)
	case v.User == 0 && v.Company == 0:
		c.fail(key, reasonZero)
	}
}

// features visits a set as the list of its names in order. It is left out when
// it is empty.
func (c *coder) features(key string, v *roomkit.FeatureSet) {
	switch {
	case c.reading:
		*v = c.readFeatures(key)
	case *v&^roomkit.AllFeatures != 0:
		c.fail(key, reasonNoName)
	case *v != 0:
		b := append(c.buf, key...)
		for f := range enum.Elements[roomkit.Feature](*v) {
			b = append(b, '"')
			b = append(b, f.String()...)
			b = append(b, '"', ',')
		}
		b[len(b)-1] = ']'
		c.buf = b
	}
}

func (c *coder) readFeatures(key string) (s roomkit.FeatureSet) {
	if !c.next(key) {
		return 0
	}
	for more := true; more; more = c.take(",") {
		c.expect(key, `"`, reasonNoName)
		f, ok := enum.Parse[roomkit.Feature](string(c.word()))
		if !ok || s>>f != 0 {
			c.fail(key, "not names of features, each once and in order")
			return 0
		}
		s |= roomkit.Features(f)
	}
	c.expect(key, "]", reasonNotList)
	return s
}

// parties visits the one or two parties of a room.
func (c *coder) parties(key string, v *[2]roomkit.UserID) {
	if c.reading && !c.next(key) || !c.reading && *v == [2]roomkit.UserID{} {
		return
	}
	if !c.reading {
		c.put(key)
	}
	c.within = key
	codeItem(c, &v[0])
	if c.another(v[1] != "") {
		codeItem(c, &v[1])
	}
	c.within = ""
	c.bracket(key)
}
