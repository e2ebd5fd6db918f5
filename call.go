package roomkit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// newCall checks the form of a command and gives it its ids.
func (s *Service) newCall(ctx context.Context, actor Actor, cmd Command, opts []CallOption) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, _ := s.calls.Get().(*call)
	if c == nil {
		c = new(call)
	}
	c.ctx, c.actor, c.cmd, c.decider.space = ctx, actor, cmd, &c.space
	for _, o := range opts {
		o(&c.opts)
	}
	if err := checkCommand(actor, cmd); err != nil {
		return nil, err
	}
	for i, id := range c.opts.contacts {
		if err := checkUser(fmt.Sprintf("WithContacts[%d]", i), id); err != nil {
			return nil, err
		}
	}
	if opensRoom(cmd) {
		c.newRoom = RoomID(s.o.NewID())
	}
	c.id = CommandID(s.o.NewID())
	if c.opts.hasKey {
		if err := c.keyed(); err != nil {
			return nil, err
		}
	}
	c.contacts = c.opts.contacts
	c.asks.People = c.people[:0]
	fillNeed(actor, cmd, &c.asks)
	c.asksFor()
	if c.opts.hasIfVer && c.asks.Room.IsZero() {
		return nil, invalid("IfVersion", "the command names no room")
	}
	return c, nil
}

// release makes a call usable again, unless somebody may still be writing to it.
func (s *Service) release(c *call) {
	if !c.abandoned {
		*c = call{}
		s.calls.Put(c)
	}
}

// opensRoom reports whether a command may open a room that has no derived id.
func opensRoom(cmd Command) bool {
	switch cmd.(type) {
	case CreateRoom, CreateGroup, CreateExternalGroup, Invite:
		return true
	default:
		return false
	}
}

func (c *call) keyed() error {
	if len(c.opts.key) == 0 || len(c.opts.key) > MaxKeyBytes {
		return invalid("WithKey", fmt.Sprintf("not 1 to %d bytes", MaxKeyBytes))
	}
	payload, err := json.Marshal(c.cmd)
	if err != nil {
		return invalid("Command", err.Error())
	}
	c.digest = sha256.Sum256(append([]byte(c.cmd.name()+"\x00"), payload...))
	c.id = keyID(c.actor, c.opts.key)
	return nil
}

func keyID(actor Actor, key string) (id CommandID) {
	sum := sha256.Sum256([]byte("roomkit command\x00" + actor.String() + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

// numbered gives each command of one Each an id of its own under the same key.
func (c *call) numbered(i int) {
	if c.opts.hasKey {
		c.id = keyID(c.actor, fmt.Sprintf("%s\x00%d", c.opts.key, i))
		c.asks.Command = c.id
	}
}
