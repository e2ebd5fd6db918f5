package pgstore

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReaderIsJudged(t *testing.T) {
	at := mark{lsn: 100, incarnation: incarnation{timeline: 2}}
	for name, tt := range map[string]struct {
		says        proof
		want, stale error
	}{
		"all applied":        {says: proof{true, 100, 2}},
		"more applied":       {says: proof{true, 101, 2}},
		"behind":             {says: proof{true, 99, 2}, want: ErrReaderBehind},
		"receives nothing":   {says: proof{true, 100, 0}, want: ErrReaderCutOff},
		"of an older branch": {says: proof{true, 200, 1}, want: ErrReaderCutOff},
		"of a newer branch":  {says: proof{true, 200, 3}, want: ErrReaderCutOff},
		"promoted":           {says: proof{false, 100, 0}, want: ErrReaderPromoted, stale: ErrReaderPromoted},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, tt.says.judge(at, false), tt.want)
			require.ErrorIs(t, tt.says.judge(at, true), tt.stale)
		})
	}
}

func TestReaderMustBeWaitedFor(t *testing.T) {
	for setting, want := range map[string]bool{
		`a`: true, `FIRST 2 (a, b)`: true, `any 2 (b,a)`: true, `2 (a, b)`: true, ` FIRST 1 ( "A" ) `: true, `"a"`: true, `FIRST 2 ("*", a)`: true,
		``: false, `*`: false, `FIRST 1 (*)`: false, `a, b`: false, `FIRST 1 (a, b)`: false, `ANY 1 (a, b)`: false, `FIRST 2 (b, c)`: false,
		`FIRST 2 (a)`: false, `FIRST 2 (a, *)`: true, `"a b"`: false, `"a""b"`: false, `FIRST 99999999999999999999 (a)`: false, `FIRST 0 (a)`: false,
	} {
		err := mustWaitFor("a", mark{incarnation: incarnation{standbys: setting, commits: "remote_apply"}})
		if want {
			require.NoError(t, err, setting)
		} else {
			require.ErrorIs(t, err, ErrReader, setting)
		}
	}
	for _, commits := range []string{"on", "remote_write", "local", "off"} {
		require.ErrorIs(t, mustWaitFor("a", mark{incarnation: incarnation{standbys: "a", commits: commits}}), ErrReader)
	}
	_, names := syncStandbys(`FIRST 2 ("a ""b""", c,d)`)
	require.Equal(t, []string{`a "b"`, "c", "d"}, names)
}

func TestNameOfReader(t *testing.T) {
	for info, want := range map[string]string{
		`user=postgres passfile=/x dbname=replication host=h port=1 application_name=x fallback_application_name=y sslmode=disable`: "x",
		`fallback_application_name=walreceiver user=postgres`:                                                                       "walreceiver",
		`application_name='my \'stand\\by\'' host=h`:                                                                                `my 'stand\by'`,
		`host='application_name=z' user=u`:                                                                                          "",
		"host = h\n application_name = 'y'":                                                                                         "y",
		`postgresql://u@h:1,i:2/?a=b&application_name=my%20name`:                                                                    "my name",
		`postgres://u@h`: "",
		`host=h`:         "",
	} {
		require.Equal(t, want, applicationName(info), info)
	}
}

// A mark is of a moment after the call, and who waits at the same time shares one.
func TestMarksAreShared(t *testing.T) {
	first, goOn := make(chan struct{}), make(chan struct{})
	var asked int64
	m := marks{ask: func(context.Context) (mark, error) {
		if asked++; asked == 1 {
			close(first)
			<-goOn
		}
		return mark{lsn: asked}, nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = m.next(t.Context()) })
	<-first
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // they wait for the same one, and give up
		_, err := m.next(ended)
		require.ErrorIs(t, err, context.Canceled)
	}
	wg.Go(func() { close(goOn) })
	at, err := m.next(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, at.lsn, int64(2), "not the one that was on its way")
	wg.Wait()
	require.LessOrEqual(t, at.lsn, int64(3), "those who gave up have shared one")

	fails := errors.New("no primary")
	m = marks{ask: func(context.Context) (mark, error) { return mark{}, fails }}
	_, err = m.next(t.Context())
	require.ErrorIs(t, err, fails)
}
