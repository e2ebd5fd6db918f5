package pgstore_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy passes connections on to a server, until they are cut.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	refuse bool

	pooler    atomic.Bool // makes up the numbers of processes, as poolers do
	noCancels atomic.Bool // requests to cancel a statement get lost

	cuts  atomic.Int64 // connections that were cut
	trips atomic.Int64 // times that the client has spoken after the server

	refused atomic.Int64 // connections that were not taken
}

func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	p.wg.Go(p.accept)
	tb.Cleanup(func() {
		listener.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		if !p.add(client, server) {
			continue
		}
		var clientSpoke atomic.Bool
		p.wg.Go(func() {
			if p.begin(server, client) != nil {
				p.end(server, client)
				return
			}
			p.pass(server, client, func() { // what the client says
				if !clientSpoke.Swap(true) {
					p.trips.Add(1)
				}
			})
		})
		p.wg.Go(func() {
			if p.pooler.Load() && forge(client, server) != nil {
				p.end(client, server)
				return
			}
			p.pass(client, server, func() { clientSpoke.Store(false) })
		})
	}
}

// begin passes the first message of a client on.
func (p *proxy) begin(server, client net.Conn) error {
	head := make([]byte, 8) // the length, and what it is
	if _, err := io.ReadFull(client, head); err != nil {
		return err
	}
	const cancelRequest = 80877102
	if p.noCancels.Load() && binary.BigEndian.Uint32(head[4:]) == cancelRequest {
		return io.EOF
	}
	_, err := server.Write(head)
	return err
}

// forge passes messages of the server on until the one that tells the number of
// its process, and puts another one there.
func forge(client, server net.Conn) error {
	for {
		message := make([]byte, 5) // its type and its length
		if _, err := io.ReadFull(server, message); err != nil {
			return err
		}
		const keyData = 'K'
		body := make([]byte, binary.BigEndian.Uint32(message[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return err
		}
		if message[0] == keyData {
			binary.BigEndian.PutUint32(body, binary.BigEndian.Uint32(body)+1_000_000)
		}
		if _, err := client.Write(append(message, body...)); err != nil || message[0] == keyData {
			return err
		}
	}
}

func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.refuse {
			p.refused.Add(1)
			c.Close()
		} else {
			p.open[c] = struct{}{}
		}
	}
	return !p.refuse
}

func (p *proxy) pass(to, from net.Conn, heard func()) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			heard()
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	p.end(to, from)
}

func (p *proxy) end(conns ...net.Conn) {
	for _, c := range conns {
		c.Close()
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
	}
}

// cut ends all connections at once.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // what is on its way is lost
		}
		c.Close()
		p.cuts.Add(1)
	}
}

// setRefuse lets the proxy take no new connections, or take them again.
func (p *proxy) setRefuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}
