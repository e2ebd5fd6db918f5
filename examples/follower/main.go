// Follower turns the events of rooms into CloudEvents: it prints each as one line
// of JSON and publishes it with Watermill. The publisher here is Watermill's Go
// channel; one of Kafka, NATS or AMQP takes its place with one line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

const topic = "rooms"

func main() {
	store := storeflag.Begin("follower", "people use a room; its events become CloudEvents")
	if err := run(context.Background(), store, nil, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run lets some people use a room, follows the events, and prints how many of
// them a subscriber got.
func run(ctx context.Context, name string, o *service.Options, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "follower")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, o)
	if err != nil {
		return err
	}
	if err := useARoom(ctx, svc); err != nil {
		return err
	}
	channel := gochannel.NewGoChannel(gochannel.Config{Persistent: true}, watermill.NopLogger{})
	f := forwarder{out: out, publisher: channel}
	// A service leaves Once out and lets Follow run on; any number of processes may.
	if err := svc.Follow(ctx, "cloudevents", f.forward, &service.FollowOptions{Once: true}); err != nil {
		return err
	}
	rooms, err := drain(ctx, channel, f.sent)
	fmt.Fprintf(out, "the subscriber got %d events, %d of them of rooms\n", f.sent, rooms)
	return err
}

// cloudEvent is the JSON form of CloudEvents 1.0.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        time.Time       `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Data        json.RawMessage `json:"data"`
}

type forwarder struct {
	out       io.Writer
	publisher message.Publisher
	sent      int
}

// forward is called at least once per event. Subscribers that must not see one
// twice look at the id, which is the same every time.
func (f *forwarder) forward(ctx context.Context, rec service.Recorded) error {
	e := cloudEvent{
		SpecVersion: "1.0", ID: fmt.Sprintf("%s/%d", rec.Subject, rec.Version), Source: "/rooms",
		Type: "com.example." + rec.Type, Subject: rec.Subject.String(), Time: rec.At,
		ContentType: "application/json", Data: rec.Data,
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	fmt.Fprintf(f.out, "%s\n", line)
	msg := message.NewMessageWithContext(ctx, e.ID, line)
	msg.Metadata.Set("type", e.Type)
	msg.Metadata.Set("partition", e.Subject) // what keeps the order of a room on a partitioned broker
	f.sent++
	return f.publisher.Publish(topic, msg)
}

// drain is a subscriber: it reads n messages and counts those about rooms.
func drain(ctx context.Context, channel *gochannel.GoChannel, n int) (rooms int, err error) {
	messages, err := channel.Subscribe(ctx, topic)
	if err != nil {
		return 0, err
	}
	for range n {
		msg, open := <-messages // until ctx ends
		if !open {
			return rooms, ctx.Err()
		}
		if strings.HasPrefix(msg.Metadata.Get("partition"), "room:") {
			rooms++
		}
		msg.Ack()
	}
	return rooms, channel.Close()
}

func useARoom(ctx context.Context, svc *service.Service) error {
	cmds := []roomkit.Command{roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}}}
	for _, id := range []roomkit.UserID{"ann", "ben", "cat", "dan"} {
		cmds = append(cmds, roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
	for _, cmd := range cmds {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	for _, cmd := range []roomkit.Command{
		roomkit.CreateGroup{Name: "Lunch", Members: []roomkit.UserID{"ben", "cat"}}, roomkit.OpenDirect{With: "dan"},
	} {
		// With a key it is done once, however often the program runs.
		if _, err := svc.Do(ctx, roomkit.By("ann"), cmd, service.Call{Key: roomkit.CommandName(cmd)}); err != nil {
			return err
		}
	}
	return nil
}
