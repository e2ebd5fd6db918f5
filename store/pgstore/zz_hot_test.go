package pgstore_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func BenchmarkZZHot(b *testing.B) {
	c := newCrowd(b, 1, 30_000)
	var groups, cmds, conflicts, took atomic.Int64
	o := roomkit.Options{}
	o.Observer.Group = func(r roomkit.GroupReport) {
		groups.Add(1)
		cmds.Add(int64(r.Commands))
		conflicts.Add(int64(r.Conflicts))
		took.Add(int64(r.Took))
	}
	var err error
	c.service, err = roomkit.New(c.store, &o)
	require.NoError(b, err)
	cpu := func() (t float64) {
		rows, _ := c.pool.Query(b.Context(), "select pid from pg_stat_activity where backend_type='client backend'")
		for rows.Next() {
			var pid int
			rows.Scan(&pid)
			f, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
			if x := strings.Fields(string(f)); len(x) > 0 {
				n, _ := strconv.ParseFloat(x[0], 64)
				t += n / 1e3
			}
		}
		return t
	}
	next := c.taker()
	for range 10 {
		groups.Store(0); cmds.Store(0); conflicts.Store(0); took.Store(0)
		c0, t0 := cpu(), time.Now()
		require.NoError(b, callers(32, 1024, func() error {
			room, who := next()
			return c.invite(b.Context(), room, who)
		}))
		d := time.Since(t0)
		b.Logf("%v per cmd, groups %d, cmds %d, conflicts %d, took/group %v, server cpu/cmd %.0f", d/1024, groups.Load(), cmds.Load(), conflicts.Load(), time.Duration(took.Load()/groups.Load()), (cpu()-c0)/1024)
	}
}
