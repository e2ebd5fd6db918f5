package cluster

import (
	"io"
	"net"
	"sync"
	"time"
)

// Link is the way between two nodes, in both directions.
type Link struct {
	a, b *Node
	ways []*Proxy
}

// Cut ends what is connected, and refuses more.
func (l *Link) Cut() { l.each(func(p *Proxy) { p.Cut() }) }

// Hold lets connections be, and nothing through: neither side is told.
func (l *Link) Hold() { l.each(func(p *Proxy) { p.Hold(true, true) }) }

// Slow lets everything through so much later.
func (l *Link) Slow(by time.Duration) { l.each(func(p *Proxy) { p.Slow(by) }) }

// Heal undoes all that.
func (l *Link) Heal() { l.each((*Proxy).Heal) }

// OneWay holds what node a has to say to node b, while b is heard by a.
func (l *Link) OneWay(from *Node) {
	for i, p := range l.ways {
		dialledByA := i == 0
		p.Hold(dialledByA == (from == l.a), dialledByA != (from == l.a))
	}
}

func (l *Link) each(do func(*Proxy)) {
	for _, p := range l.ways {
		do(p)
	}
}

// Proxy passes connections on to an address.
type Proxy struct {
	listener net.Listener
	target   string
	all      sync.WaitGroup

	mu     sync.Mutex
	change *sync.Cond
	open   map[net.Conn]struct{}
	state  state
}

type state struct {
	closed, cut bool
	there, back bool // held: what dialling clients say, and what they hear
	slow        time.Duration
}

// NewProxy listens on a port of its own for connections to an address.
func NewProxy(target string) (*Proxy, error) { return listen(target) }

func listen(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, open: map[net.Conn]struct{}{}}
	p.change = sync.NewCond(&p.mu)
	p.all.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.set(func(s *state) { s.closed = true })
	p.reset()
	p.all.Wait()
	return err
}

// Cut ends all connections at once, and refuses more.
func (p *Proxy) Cut() {
	p.set(func(s *state) { s.cut = true })
	p.reset()
}

// Hold lets connections be, and nothing through: of what clients say, or of what they hear.
func (p *Proxy) Hold(there, back bool) {
	p.set(func(s *state) { s.there, s.back = there, back })
}

// Slow lets everything through so much later.
func (p *Proxy) Slow(by time.Duration) { p.set(func(s *state) { s.slow = by }) }

// Heal undoes Cut, Hold and Slow. What was held arrives.
func (p *Proxy) Heal() { p.set(func(s *state) { *s = state{closed: s.closed} }) }

func (p *Proxy) set(do func(*state)) {
	p.mu.Lock()
	do(&p.state)
	p.mu.Unlock()
	p.change.Broadcast()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.add(client, server) {
		_ = client.Close() // refused
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, func(s *state) bool { return s.there }) })
	both.Go(func() { p.pass(client, server, func(s *state) bool { return s.back }) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

func (p *Proxy) add(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.cut || p.state.closed {
		_ = server.Close()
		return false
	}
	p.open[client], p.open[server] = struct{}{}, struct{}{}
	return true
}

// reset ends all connections; what is on its way is lost.
func (p *Proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// piece is what was read, and when it may go on.
type piece struct {
	data []byte
	due  time.Time
}

// inFlight bounds how many pieces one direction holds.
const inFlight = 4096

// pass passes one direction on.
func (p *Proxy) pass(to io.WriteCloser, from io.ReadCloser, held func(*state) bool) {
	pieces := make(chan piece, inFlight)
	var writer sync.WaitGroup
	writer.Go(func() {
		for piece := range pieces {
			p.wait(piece.due, held)
			if _, err := to.Write(piece.data); err != nil {
				break
			}
		}
		_ = to.Close() // the other direction ends as well
		_ = from.Close()
		for range pieces {
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.mu.Lock()
			slow := p.state.slow
			p.mu.Unlock()
			pieces <- piece{append([]byte(nil), buf[:n]...), time.Now().Add(slow)}
		}
		if err != nil {
			break
		}
	}
	close(pieces)
	writer.Wait()
}

// wait waits until a piece is due and its direction is not held.
func (p *Proxy) wait(due time.Time, held func(*state) bool) {
	if d := time.Until(due); d > 0 {
		<-time.After(d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for held(&p.state) && !p.state.cut && !p.state.closed {
		p.change.Wait()
	}
}
