package proof

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// given are the ports of servers of this process, also while these are down.
var given sync.Map

// FreePort gives a port of this machine on which nobody listens, for a server that will be stopped
// and started again. It is none that is given to whoever asks for any, as proxies do and all that
// connect to something: these are 32,768 and above on Linux, and would take it meanwhile.
func FreePort() (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(10_000) //nolint:gosec // of tests
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		if _, taken := given.LoadOrStore(port, true); !taken {
			return port, nil
		}
	}
	return 0, errors.New("no free port from 10000 to 19999")
}
