package cluster

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/logger"
	"github.com/nats-io/nats-server/v2/server"
)

// config is what a node is started with.
type config struct {
	Name, Dir       string
	Port, RoutePort int
	Routes          []string
	Lazy            bool
	MaxPayload      int32
	MaxStore        int64
}

func (c *config) routeAddress() string { return fmt.Sprintf("127.0.0.1:%d", c.RoutePort) }

func (c *config) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: c.Port, NoSigs: true, LogFile: filepath.Join(c.Dir, "log"),
		JetStream: true, StoreDir: c.Dir, JetStreamMaxStore: c.MaxStore, SyncAlways: !c.Lazy, MaxPayload: c.MaxPayload,
		WriteDeadline: 10 * time.Second,
		Cluster: server.ClusterOpts{
			Name: "roomkit", Host: "127.0.0.1", Port: c.RoutePort,
			// Nodes tell each other this address of a third one: nobody is there, so that all goes through the links.
			Advertise: "127.0.0.1:1", NoAdvertise: true,
			PingInterval: time.Second, MaxPingsOut: 2,
		},
	}
	if o.JetStreamMaxStore == 0 {
		o.JetStreamMaxStore = 8 << 30
	}
	for _, r := range c.Routes {
		u, err := url.Parse(r)
		if err != nil {
			return nil, err
		}
		o.Routes = append(o.Routes, u)
	}
	return o, nil
}

const startPatience = 20 * time.Second

// embedded is a server in the process.
type embedded struct{ *server.Server }

// fatal says why the process ends: a server that cannot go on ends it, with a line in its log.
type fatal struct {
	*logger.Logger
	node string
}

func (f fatal) Fatalf(format string, v ...any) {
	fmt.Fprintf(os.Stderr, "cluster: node %s: %s\n", f.node, fmt.Sprintf(format, v...))
	f.Logger.Fatalf(format, v...)
}

func embed(c config) (running, error) {
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.SetLogger(fatal{logger.NewFileLogger(o.LogFile, true, false, false, true), c.Name}, false, false)
	s.Start()
	if !s.ReadyForConnections(startPatience) {
		s.Shutdown()
		return nil, fmt.Errorf("cluster: node %s does not start; its log is %s", c.Name, o.LogFile)
	}
	return embedded{s}, nil
}

func (e embedded) stop() error {
	e.Shutdown()
	e.WaitForShutdown()
	return nil
}

func (e embedded) kill() error { return e.stop() }

// environment names the variable that makes a process a node.
const environment = "ROOMKIT_NATS_NODE"

// ready is what a node says when it takes connections.
const ready = "ready\n"

// Main makes the process a node if it was started as one, and returns only if it was not.
// TestMain calls it first.
func Main() {
	text := os.Getenv(environment)
	if text == "" {
		return
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs a node until its input ends, which it does with the process that has started it.
func serve(text string) error {
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	r, err := embed(c)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(ready); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, r.stop())
}

// spawned is a server that is a process.
type spawned struct {
	cmd   *exec.Cmd
	input io.Closer
}

// Again starts this program as a process of its own, which finds a configuration in a variable
// of its environment.
func Again(variable string, configuration any) (cmd *exec.Cmd, input io.WriteCloser, output io.ReadCloser, err error) {
	text, err := json.Marshal(configuration)
	if err != nil {
		return nil, nil, nil, err
	}
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	cmd.Stderr = os.Stderr
	if input, err = cmd.StdinPipe(); err != nil {
		return nil, nil, nil, err
	}
	if output, err = cmd.StdoutPipe(); err != nil {
		return nil, nil, nil, err
	}
	return cmd, input, output, cmd.Start()
}

func spawn(c config) (running, error) {
	cmd, input, output, err := Again(environment, c)
	if err != nil {
		return nil, err
	}
	s := &spawned{cmd, input}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != ready {
		return nil, errors.Join(fmt.Errorf("cluster: node %s does not start: %q %w", c.Name, line, err), s.kill())
	}
	return s, nil
}

func (s *spawned) stop() error { return errors.Join(s.input.Close(), s.cmd.Wait()) }

// kill does not ask how the process has ended: it was killed.
func (s *spawned) kill() error {
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	if errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("cluster: a node has ended by itself: %s", s.cmd.ProcessState)
	}
	return err
}
