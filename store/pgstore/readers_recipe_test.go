package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// blocksOf gives the texts of a language in a section of a document.
func blocksOf(t *testing.T, document, section, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "\n## "+section)
	require.True(t, ok, section)
	rest, _, _ = strings.Cut(rest, "\n## ")
	for _, block := range strings.Split(rest, "```"+language+"\n")[1:] {
		block, _, ok = strings.Cut(block, "```")
		require.True(t, ok)
		blocks = append(blocks, block)
	}
	return blocks
}

// as gives a pool to a database of the cluster.
func (c *cluster) as(t *testing.T, role, database string) *pgxpool.Pool {
	t.Helper()
	return poolOf(t, fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", role, c.address(), database))
}

// carryOut runs the statements of a recipe, each of a line.
func carryOut(t *testing.T, pool *pgxpool.Pool, block string) {
	t.Helper()
	for line := range strings.Lines(block) {
		mustExec(t, pool, line)
	}
}

// eventually gives a store as soon as New takes the readers.
func eventually(t *testing.T, pool *pgxpool.Pool, readers ...*pgxpool.Pool) *pgstore.Store {
	t.Helper()
	var s *pgstore.Store
	var err error
	require.Eventually(t, func() bool {
		s, err = pgstore.New(t.Context(), pool, &pgstore.Options{Readers: readers})
		return err == nil
	}, time.Minute, 50*time.Millisecond, "%v", &err)
	return s
}

func serviceOf(t *testing.T, s *pgstore.Store) *service.Service {
	t.Helper()
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	return svc
}

func renamed(room roomkit.RoomID, name string) roomkit.Edit {
	return roomkit.Edit{Room: room, Name: &name}
}

// isAsked waits until a reader answers.
func isAsked(t *testing.T, s *pgstore.Store, room roomkit.RoomID, number int) {
	t.Helper()
	svc, before := serviceOf(t, s), s.ReaderReports()[number].Answered
	end := time.After(time.Minute)
	for s.ReaderReports()[number].Answered == before {
		require.NoError(t, svc.Check(t.Context(), "u1", roomkit.ActionPost, room))
		select {
		case <-end:
			require.NoError(t, s.ReaderReports()[number].Err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// What docs/operations-postgres.md says of readers, in its order: two standbys that have their
// names from cluster_name alone, one that is down, and a fail-over.
func TestReadersRecipe(t *testing.T) {
	recipe := blocksOf(t, "../../docs/operations-postgres.md", "Standbys that answer", "sql")
	require.Len(t, recipe, 4)
	primary := newCluster(t)
	primary.start(t)
	root := primary.as(t, "postgres", "postgres")
	require.Eventually(t, func() bool { return root.Ping(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	mustExec(t, root, `CREATE ROLE service LOGIN`)
	mustExec(t, root, `CREATE DATABASE rooms OWNER service`)
	pool := primary.as(t, "service", "rooms")
	require.NoError(t, pgstore.Migrate(t.Context(), pool, nil))
	standbys := map[string]*cluster{}
	for _, name := range []string{"x", "y"} {
		standbys[name] = primary.backup(t, "-R")
		standbys[name].configure(t, "cluster_name", name)
		standbys[name].start(t, "wal_receiver_status_interval=1", "wal_retrieve_retry_interval=100")
	}
	x, y := standbys["x"], standbys["y"]
	ofX, ofY := x.as(t, "service", "rooms"), y.as(t, "service", "rooms")
	require.Eventually(t, func() bool {
		return slices.Equal([]string{"x", "y"}, linesOf(t, root, `SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1`))
	}, time.Minute, 10*time.Millisecond)

	carryOut(t, root, recipe[0])
	_, err := pgstore.New(t.Context(), pool, &pgstore.Options{Readers: []*pgxpool.Pool{ofX, ofY}})
	require.ErrorIs(t, err, pgstore.ErrReader, "an older connection")
	pool.Reset()
	s := eventually(t, pool, ofX, ofY)
	w := &world{pool: pool, store: s, service: serviceOf(t, s)}
	settle(t, w.service, 4)
	room := team(t, w.service, "Group")

	y.kill()
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	brief := serviceOf(t, openStore(t, pool, &pgstore.Options{Patience: 100 * time.Millisecond}))
	_, err = brief.Do(short, roomkit.By("u1"), renamed(room, "Waits"))
	require.ErrorIs(t, err, roomkit.ErrUnknownOutcome, "every commit waits")
	carryOut(t, root, recipe[1])
	do(t, w.service, roomkit.By("u1"), renamed(room, "Goes on"))
	isAsked(t, s, room, 0)
	y.start(t, "wal_retrieve_retry_interval=100")
	carryOut(t, root, recipe[0])
	isAsked(t, s, room, 1)

	primary.kill()
	carryOut(t, x.as(t, "postgres", "postgres"), recipe[2])
	x.run(t, "pg_ctl", "promote", "-D", x.data(), "-w")
	carryOut(t, y.as(t, "postgres", "postgres"), strings.Replace(recipe[3], "host=x", fmt.Sprintf("host=127.0.0.1 port=%d", x.port), 1))
	over := eventually(t, ofX, ofY)
	svc := serviceOf(t, over)
	do(t, svc, roomkit.By("u1"), renamed(room, "After the fail-over"))
	isAsked(t, over, room, 0)
}
