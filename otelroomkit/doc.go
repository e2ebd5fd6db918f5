// Package otelroomkit makes OpenTelemetry spans and metrics of what a service of roomkit
// does.
//
//	observer, err := otelroomkit.Observer(nil) // the global providers
//	rooms, err := otelroomkit.Store(st, nil)   // spans and times of store calls, too
//	svc, err := service.New(rooms, &service.Options{Observer: observer})
//	_, err = otelroomkit.ObserveFollowers(svc, nil)
//
// # Spans
//
// A command, a question, a batch of a follower and a step of Enforce are a span each,
// named for instance "roomkit Invite", "roomkit Check" or "roomkit batch mails". Store calls
// ("roomkit.store Commit", of [Store]) and what functions of the host begin are inside of
// them. Commands that wait at the same time share store calls: those are in the span of
// the first of them, and the spans of the others have a link to it.
//
// The status of a span is Error where a server would answer with 5xx. A refusal is an
// answer: it has roomkit.outcome and roomkit.rule, and no status.
//
// # Metrics
//
//	roomkit.command.duration         s            roomkit.command, roomkit.outcome, error.type
//	roomkit.command.attempts         {attempt}    roomkit.command
//	roomkit.command.refusals         {refusal}    roomkit.command, roomkit.rule
//	roomkit.group.duration           s            error.type
//	roomkit.group.size               {command}    of one commit
//	roomkit.group.conflicts          {command}    that run again because others were faster
//	roomkit.read.duration            s            roomkit.read, roomkit.outcome, error.type
//	roomkit.follower.batch.duration  s            roomkit.follower, error.type
//	roomkit.follower.handling.time   s            roomkit.follower: in the handler, a counter
//	roomkit.follower.events          {event}      roomkit.follower
//	roomkit.follower.behind          {event}      roomkit.follower: still to be handled
//	roomkit.follower.lag             s            roomkit.follower: how late events are handled
//	roomkit.follower.poisoned        {stop}       roomkit.follower: it has stopped at an event
//	roomkit.follower.stored.behind   {event}      the same as stored, of ObserveFollowers
//	roomkit.follower.stored.age      s            of the first event that is not handled
//	roomkit.enforce.step.duration    s            error.type
//	roomkit.enforce.people           {person}     who were taken out of rooms
//	roomkit.enforce.rooms            {room}       that somebody left
//	roomkit.enforce.open             {change}     of users and companies, still to be carried out
//	roomkit.enforce.lag              s            of the change that is carried out
//	roomkit.store.duration           s            roomkit.store.call, error.type; of Store
//
// roomkit.outcome is "ok" or the text of the error's category, as service.CategoryOf gives
// it; error.type is the same, and only there for what is no answer: canceled, unavailable,
// unknown_outcome, unsupported, internal; of a store, for every error.
//
// No attribute has the id of a person, a company or a room, unless [Options] asks for it in
// spans. So the number of time series is bounded by commands, methods, rules and the names
// that the host gives its followers.
//
// Times are those of service.Options.Clock, but for store calls. What all this costs stands
// in README.md.
package otelroomkit
