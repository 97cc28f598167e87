//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridiandb/meridian/test/check"
	"github.com/meridiandb/meridian/test/workload"
)

// zones are three nodes of one region.
func zones() []workload.Place {
	return []workload.Place{{Region: "here", Zone: "a"}, {Region: "here", Zone: "b"}, {Region: "here", Zone: "c"}}
}

func cluster(t *testing.T, places []workload.Place, args ...string) *workload.Cluster {
	t.Helper()
	binary := os.Getenv("MERIDIAN_BINARY")
	if binary == "" {
		t.Skip("MERIDIAN_BINARY is not set: run `make e2e`, which builds the binary and names it")
	}
	c, err := workload.NewCluster(binary, t.TempDir(), places, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Logs())
		}
	})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// faults is the number of faults in TestClusterFaults: a few here, more with MERIDIAN_FAULTS=100.
func faults() int {
	if n, err := strconv.Atoi(os.Getenv("MERIDIAN_FAULTS")); err == nil {
		return n
	}
	return 6
}

// load is the bank and list-append workloads on every endpoint of a cluster, which connect again when a node dies.
type load struct {
	bank   *workload.Bank
	lists  *workload.Append
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func startLoad(t *testing.T, urls []string, seed uint64) *load {
	t.Helper()
	l := &load{bank: &workload.Bank{URL: urls[0], Accounts: 30, Balance: 1000}, lists: &workload.Append{URL: urls[0], Keys: 8}}
	if err := l.bank.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.lists.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.cancel = cancel
	for i, url := range urls {
		for w := range 2 {
			n := uint64(i*10 + w)
			l.wg.Go(func() {
				next, rng := int64(n+1)*100_000_000, rand.New(rand.NewPCG(seed, n))
				for ctx.Err() == nil {
					next, _ = l.bank.RunAt(ctx, url, next, rng)
					pauseFor(ctx, 20*time.Millisecond)
				}
			})
			l.wg.Go(func() {
				rng := rand.New(rand.NewPCG(seed, 1_000_000+n))
				for ctx.Err() == nil {
					_ = l.lists.RunAt(ctx, url, rng)
					pauseFor(ctx, 20*time.Millisecond)
				}
			})
		}
	}
	return l
}

func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

// verify checks the bank at every endpoint and the whole history.
func (l *load) verify(t *testing.T, urls []string) {
	t.Helper()
	for i, url := range urls {
		if err := l.bank.VerifyAt(t.Context(), url); err != nil {
			t.Errorf("at endpoint %d: %v", i+1, err)
		}
	}
	if a := check.Append(l.lists.History(), check.Options{RealTime: true}); a != nil {
		t.Error(a)
	}
	committed, aborted, unknown := l.bank.Counts()
	lists := 0
	for _, h := range l.lists.History() {
		if h.Status == check.Committed {
			lists++
		}
	}
	t.Logf("transfers: %d committed, %d refused, %d unknown; lists: %d of %d committed", committed, aborted, unknown, lists, len(l.lists.History()))
	if committed < 50 || lists < 50 {
		t.Errorf("too little was committed: the test proves nothing")
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// TestClusterReads shows that what is committed through one endpoint is read through every other at once.
func TestClusterReads(t *testing.T) {
	c := cluster(t, zones())
	conns := make([]*pgx.Conn, 0, 3)
	for _, url := range c.URLs() {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		conns = append(conns, conn)
	}
	if _, err := conns[0].Exec(t.Context(), "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)"); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 300; i++ {
		if _, err := conns[i%3].Exec(t.Context(), "UPDATE t SET v = $1 WHERE id = 1", i); err != nil {
			t.Fatal(err)
		}
		for n, conn := range conns {
			var v int
			if err := conn.QueryRow(t.Context(), "SELECT v FROM t WHERE id = 1").Scan(&v); err != nil {
				t.Fatal(err)
			}
			if v != i {
				t.Fatalf("I1: endpoint %d reads %d after %d was acknowledged", n+1, v, i)
			}
		}
	}
}

// TestClusterFaults kills, pauses and restarts nodes under load and checks that nothing acknowledged is lost, nothing
// refused appears and no read is stale on any endpoint. It reports the longest outage of every kind of fault.
func TestClusterFaults(t *testing.T) {
	c := cluster(t, zones())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	l := startLoad(t, c.URLs(), seed)
	pulses := startPulses(t, c)
	for i := range faults() {
		victim := rng.IntN(len(c.Nodes))
		kind := []string{"kill", "pause"}[i%2]
		began := time.Now()
		s := c.Nodes[victim]
		if kind == "kill" {
			s.Kill()
		} else {
			s.Pause()
		}
		pauseFor(t.Context(), 4*time.Second)
		ended := time.Now()
		if kind == "kill" {
			if err := s.Start(t.Context()); err != nil {
				t.Fatalf("restarting node %d: %v", victim+1, err)
			}
		} else {
			s.Continue()
		}
		write, read := pulses.gaps(began, ended, victim)
		t.Logf("fault %d: %s of node %d: longest gap of writes %v, of reads %v", i+1, kind, victim+1, write, read)
		pauseFor(t.Context(), 2*time.Second)
	}
	l.stop()
	pulses.stop()
	l.verify(t, c.URLs())
}

// pulses are a reader and a writer on every endpoint.
type pulses struct {
	at     []*workload.Pulse
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func startPulses(t *testing.T, c *workload.Cluster) *pulses {
	t.Helper()
	urls := c.URLs()
	if err := workload.SetupPulse(t.Context(), urls[0], "pulse", len(urls)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := &pulses{cancel: cancel}
	for i, url := range urls {
		w := &workload.Pulse{URL: url, Table: "pulse", Row: i}
		p.at = append(p.at, w)
		p.wg.Go(func() { w.Run(ctx, true) })
		p.wg.Go(func() { w.Run(ctx, false) })
	}
	return p
}

func (p *pulses) stop() {
	p.cancel()
	p.wg.Wait()
}

// gaps is the longest outage on the endpoints but one.
func (p *pulses) gaps(from, to time.Time, but int) (write, read time.Duration) {
	for i, w := range p.at {
		if i != but {
			a, b := w.Gaps(from, to)
			write, read = max(write, a), max(read, b)
		}
	}
	return write.Round(time.Millisecond), read.Round(time.Millisecond)
}

// TestClusterRegions measures commits and reads from both data regions of a cluster with a witness.
func TestClusterRegions(t *testing.T) {
	const rtt = 20 * time.Millisecond
	c := cluster(t, []workload.Place{{Region: "east", Zone: "a"}, {Region: "west", Zone: "a"}, {Region: "middle", Zone: "a", Witness: true}},
		"--inject-rtt", rtt.String())
	for i, url := range c.URLs() {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		table := fmt.Sprintf("r%d", i)
		if _, err := conn.Exec(t.Context(), fmt.Sprintf("CREATE TABLE %s (id int PRIMARY KEY, n int); INSERT INTO %s SELECT g, 0 FROM generate_series(0, 63) g", table, table)); err != nil {
			t.Fatal(err)
		}
		var writes, reads []time.Duration
		for k := range 200 {
			began := time.Now()
			if _, err := conn.Exec(t.Context(), "UPDATE "+table+" SET n = n + 1 WHERE id = $1", k%64); err != nil {
				t.Fatal(err)
			}
			writes = append(writes, time.Since(began))
			began = time.Now()
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT n FROM "+table+" WHERE id = $1", k%64).Scan(&n); err != nil {
				t.Fatal(err)
			}
			reads = append(reads, time.Since(began))
		}
		t.Logf("region %s: commit p50 %v p99 %v, read p50 %v p99 %v at %v between regions", c.Places[i].Region,
			quantile(writes, 50), quantile(writes, 99), quantile(reads, 50), quantile(reads, 99), rtt)
	}
}

func quantile(d []time.Duration, percent int) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)-1, len(d)*percent/100)].Round(10 * time.Microsecond)
}
