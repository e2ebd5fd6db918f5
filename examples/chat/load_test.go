package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

var (
	loadPeople = flag.Int("people", 40, "the load connects so many `people`")
	loadRooms  = flag.Int("rooms", 8, "the load talks in so many `rooms`")
	loadFor    = flag.Duration("load", time.Second, "the load writes for so `long`, with and without fetching pages")
)

// loadMembers is the size of a room of the load, its master counted.
const loadMembers = 20

// serveLoad is the process of the server: TestMain becomes it where the variable is set.
const serveLoad = "ROOMKIT_CHAT_LOAD"

// serveProcess serves a chat with people and groups for the load until it is ended.
func serveProcess(size string) error {
	var people, rooms int
	if _, err := fmt.Sscanf(size, "%d %d", &people, &rooms); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "roomkit-chat-load")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	ctx, stop := context.WithCancel(context.Background())
	go func() { // the test ends by closing the input
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return run(ctx, options{
		listen: "127.0.0.1:0", data: folder, people: loadDirectory(people),
		fill:  func(ctx context.Context, c *chat) error { return fillLoad(ctx, c, people, rooms) },
		ready: func(_ *chat, url string) { fmt.Println(url) },
	})
}

func loadID(i int) roomkit.UserID { return roomkit.UserID(fmt.Sprintf("p%d", i)) }

func loadDirectory(people int) directory {
	list := make([]person, people)
	for i := range list {
		list[i] = person{ID: loadID(i), Name: fmt.Sprintf("Person %d", i), Company: "load"}
	}
	return newDirectory(map[roomkit.CompanyID]string{"load": "Load"}, list...)
}

// loadMember is the n-th member of a room; the master is number 0 of them.
func loadMember(room, n, people int) roomkit.UserID {
	return loadID((room*7 + n*(people/loadMembers)) % people)
}

func fillLoad(ctx context.Context, c *chat, people, rooms int) error {
	f := &filler{chat: c, ctx: ctx}
	f.provision()
	for room := range rooms {
		var members []roomkit.UserID
		for n := range loadMembers - 1 {
			members = append(members, loadMember(room, n+1, people))
		}
		f.do(roomkit.By(loadMember(room, 0, people)), roomkit.CreateGroup{Name: fmt.Sprintf("Group %d", room), Members: members})
	}
	return f.err
}

// load is the other side: a test that talks with the process of the server.
type load struct {
	t       *testing.T
	url     string
	process *os.Process
	client  *http.Client
	people  int
	rooms   []roomkit.RoomID
	posted  map[roomkit.RoomID]*atomic.Int64 // when the last message there was sent
	fetch   atomic.Bool                      // streams fetch what they are told of, as pages do
	fetched atomic.Int64

	mu   sync.Mutex
	told []time.Duration // from sending the last message of a room to a stream that tells of the room
}

func newLoad(t *testing.T, people, rooms int) *load {
	t.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", serveLoad, people, rooms))
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	require.NoError(t, err)
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		require.NoError(t, stdin.Close())
		require.NoError(t, server.Wait(), "the server does not stop well")
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	l := &load{
		t: t, url: strings.TrimSpace(line), process: server.Process, people: people,
		posted: map[roomkit.RoomID]*atomic.Int64{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, CheckRedirect: browser.CheckRedirect},
	}
	for room := range rooms {
		l.rooms = append(l.rooms, l.find(loadMember(room, 0, people), room))
		l.posted[l.rooms[room]] = &atomic.Int64{}
	}
	return l
}

var groupLink = regexp.MustCompile(`data-testid="room-([^"]+)"[^>]*>\s*<span class="room-title" dir="auto">Group (\d+)<`)

// find reads the id of a room in the list of its master.
func (l *load) find(master roomkit.UserID, room int) roomkit.RoomID {
	l.t.Helper()
	status, list := l.get("/as/" + string(master) + "/list")
	require.Equal(l.t, http.StatusOK, status)
	for _, found := range groupLink.FindAllStringSubmatch(list, -1) {
		if found[2] == strconv.Itoa(room) {
			id, err := roomkit.ParseRoomID(found[1])
			require.NoError(l.t, err)
			return id
		}
	}
	require.FailNow(l.t, "no group", "%d in the list of %s: %.500s", room, master, list)
	return roomkit.RoomID{}
}

func (l *load) get(path string) (int, string) {
	answer, err := l.client.Get(l.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

func (l *load) submit(path string, form url.Values) (int, string) {
	r, err := http.NewRequest(http.MethodPost, l.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("HX-Request", "true")
	answer, err := l.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

func (l *load) post(who roomkit.UserID, room roomkit.RoomID) int {
	l.posted[room].Store(time.Now().UnixNano())
	status, _ := l.submit(at(who, room), url.Values{"body": {"A message of about the usual length, sent in a hurry."}, "key": {rand.Text()}})
	return status
}

// connect opens the stream of everybody and waits until each has said its first word.
func (l *load) connect() {
	l.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var open, first sync.WaitGroup
	l.t.Cleanup(func() { stop(); open.Wait() })
	places := make(chan struct{}, 64) // of those who connect at a time
	for i := range l.people {
		first.Add(1)
		open.Go(func() {
			places <- struct{}{}
			l.listen(ctx, loadID(i), sync.OnceFunc(func() { <-places; first.Done() }))
		})
	}
	first.Wait()
}

// listen follows one stream until ctx ends.
func (l *load) listen(ctx context.Context, who roomkit.UserID, begun func()) {
	defer begun()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+"/as/"+string(who)+"/live", nil)
	if !assert.NoError(l.t, err) {
		return
	}
	answer, err := l.client.Do(r)
	if !assert.NoError(l.t, err) {
		return
	}
	defer answer.Body.Close()
	assert.Equal(l.t, http.StatusOK, answer.StatusCode)
	event := ""
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			begun()
			l.hear(who, event, strings.TrimSpace(data))
		}
	}
}

func (l *load) hear(who roomkit.UserID, event, data string) {
	if event != "room" {
		if l.fetch.Load() && event == "rooms" {
			l.show("/as/" + string(who) + "/list")
		}
		return
	}
	room, err := roomkit.ParseRoomID(data)
	if !assert.NoError(l.t, err) {
		return
	}
	took := time.Duration(time.Now().UnixNano() - l.posted[room].Load())
	l.mu.Lock()
	l.told = append(l.told, took)
	l.mu.Unlock()
	if l.fetch.Load() {
		l.show(at(who, room) + "/now")
	}
}

func (l *load) show(path string) {
	status, _ := l.get(path)
	assert.Equal(l.t, http.StatusOK, status)
	l.fetched.Add(1)
}

// write lets so many people write at a time, to random rooms, until done; it gives the
// times of the answers.
func (l *load) write(writers int, done <-chan struct{}) []time.Duration {
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			var took []time.Duration
			for {
				select {
				case <-done:
					mu.Lock()
					defer mu.Unlock()
					all = append(all, took...)
					return
				default:
				}
				room, begun := mathrand.IntN(len(l.rooms)), time.Now()
				who := loadMember(room, 2+mathrand.IntN(loadMembers-2), l.people) // number 1 is going to be removed
				if !assert.Equal(l.t, http.StatusOK, l.post(who, l.rooms[room])) {
					return
				}
				took = append(took, time.Since(begun))
			}
		})
	}
	wait.Wait()
	return all
}

// remove removes number 1 of a room, who writes there all the time. It gives the times from
// sending the removal to its answer, and to the answer that refuses a message.
func (l *load) remove(room int) (done, refusal time.Duration) {
	l.t.Helper()
	master, victim, id := loadMember(room, 0, l.people), loadMember(room, 1, l.people), l.rooms[room]
	writes := make(chan struct{})
	refused := make(chan time.Time, 1)
	var answered atomic.Int64
	go func() {
		close(writes)
		for {
			begun := time.Now().UnixNano()
			status := l.post(victim, id)
			if status != http.StatusOK {
				assert.Contains(l.t, []int{http.StatusForbidden, http.StatusNotFound}, status)
				refused <- time.Now()
				return
			}
			if at := answered.Load(); at != 0 {
				assert.Less(l.t, begun, at, "a message that began after the removal was answered is written")
			}
		}
	}()
	<-writes
	begun := time.Now()
	status, body := l.submit(at(master, id)+"/remove", url.Values{"who": {string(victim)}, "key": {rand.Text()}})
	done = time.Since(begun)
	answered.Store(time.Now().UnixNano())
	require.Less(l.t, status, 400, "%.500s", body)
	return done, (<-refused).Sub(begun)
}

func percentile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*percent/100)]
}

// memory is what the server's process holds, in bytes.
func (l *load) memory() int64 {
	l.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		l.t.Skip("memory is read from /proc")
	}
	require.NoError(l.t, err)
	for line := range strings.Lines(string(status)) {
		var kB int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kB); err == nil {
			return kB << 10
		}
	}
	require.FailNow(l.t, "no VmRSS")
	return 0
}

// writeFor writes for the time of the load and gives messages per second and the times of
// their answers, and of the signals.
func (l *load) writeFor(long time.Duration) (perSecond float64, answers, signals []time.Duration) {
	l.mu.Lock()
	l.told = nil
	l.mu.Unlock()
	done := make(chan struct{})
	timer := time.AfterFunc(long, func() { close(done) })
	defer timer.Stop()
	begun := time.Now()
	answers = l.write(8, done)
	perSecond = float64(len(answers)) / time.Since(begun).Seconds()
	l.mu.Lock()
	defer l.mu.Unlock()
	return perSecond, answers, slices.Clone(l.told)
}

// TestLoad connects many people and lets some of them write. Of the figures it demands
// only that nobody who was removed wrote a message that began after the removal.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("a load is long")
	}
	people, rooms := *loadPeople, *loadRooms
	require.Zero(t, people%loadMembers, "people come in twenties")
	l := newLoad(t, people, rooms)
	for range 20 {
		require.Equal(t, http.StatusOK, l.post(loadMember(0, 2, people), l.rooms[0]))
	}
	before := l.memory()
	l.connect()
	perConnection := (l.memory() - before) / int64(people)
	table := []string{"", fmt.Sprintf("| %d people, %d rooms of %d | |", people, rooms, loadMembers), "|---|---|"}
	row := func(what, format string, args ...any) {
		table = append(table, "| "+what+" | "+fmt.Sprintf(format, args...)+" |")
	}
	times := func(list []time.Duration) string {
		return fmt.Sprintf("%v / %v / %v", percentile(list, 50).Round(100*time.Microsecond),
			percentile(list, 99).Round(100*time.Microsecond), percentile(list, 100).Round(100*time.Microsecond))
	}
	row("memory of the server per connection", "%.1f kB", float64(perConnection)/1000)
	for _, fetch := range []bool{false, true} {
		l.fetch.Store(fetch)
		name := map[bool]string{false: "streams only", true: "every page fetches what it is told of"}[fetch]
		perSecond, answers, signals := l.writeFor(*loadFor)
		require.NotEmpty(t, signals)
		row("messages per second, "+name, "%.0f", perSecond)
		row("answer to a message, p50 / p99 / max", "%s", times(answers))
		row("from sending to the signal of the room, p50 / p99 / max", "%s", times(signals))
	}
	l.fetch.Store(false)
	l.removals(row, times)
	row("memory of the server at the end", "%.0f MB", float64(l.memory())/1e6)
	t.Log(strings.Join(table, "\n"))
}

func (l *load) removals(row func(string, string, ...any), times func([]time.Duration) string) {
	l.t.Helper()
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() { l.write(4, done) })
	var answers, refusals []time.Duration
	for room := range l.rooms {
		answer, refusal := l.remove(room)
		answers, refusals = append(answers, answer), append(refusals, refusal)
	}
	close(done)
	wait.Wait()
	row("removals under the load of four writers", "%d", len(answers))
	row("from removal to its answer, p50 / p99 / max", "%s", times(answers))
	row("from removal to the refusal of a message, p50 / p99 / max", "%s", times(refusals))
}
