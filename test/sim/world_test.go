package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/internal/host/simhost"
	"github.com/meridiandb/meridian/internal/node"
	"github.com/meridiandb/meridian/internal/sim/load"
	"github.com/meridiandb/meridian/internal/txn"
)

// place is where a node stands.
type place struct {
	region, zone string
	witness      bool
}

// options of one run.
type options struct {
	seed   uint64
	places []place
	// trouble is how long faults are made; none when 0.
	trouble time.Duration
	loads   func(now load.Clock) []load.Load
	clients int // on each node
	// faults are the kinds of trouble to choose from; nil is machines and their network.
	faults []fault
	// sabotage plants a bug.
	sabotage *sabotage
	log      bool
	record   func(at time.Duration, what string)
}

// world is a simulated cluster with its clients.
type world struct {
	*simhost.World
	t     *testing.T
	o     options
	rng   *rand.Rand
	mu    sync.Mutex
	nodes []*member
	loads []load.Load
	wrong []error
	// sick are the machines whose disk has been broken, with the news that their node has stopped itself.
	sick map[int]chan struct{}
}

// patience is how much time of its own a world may take: something hangs in one that takes longer.
const patience = 15 * time.Minute

// member is a node that runs, or does not.
type member struct {
	id   int
	life *simhost.Life
	data *node.Data
	// gone is closed when the node has been stopped or has crashed.
	gone chan struct{}
}

// simulate runs one world and returns what is wrong with it, and its trace.
func simulate(t *testing.T, o options) (trace, events uint64, wrong error) {
	cryptotest.SetGlobalRandom(t, o.seed) // Raft takes its election timeouts from there
	synctest.Test(t, func(t *testing.T) {
		w := &world{World: simhost.New(len(o.places), simhost.Config{Seed: o.seed, Link: o.link, SlowSync: isLog, Record: o.record}), t: t, o: o,
			rng: rand.New(rand.NewPCG(o.seed, 77)), nodes: make([]*member, len(o.places)), sick: map[int]chan struct{}{}}
		// It stays wound up to the bubble's end, which must not be waited for without end either.
		time.AfterFunc(patience, func() { w.hung("the run has not ended") })
		w.run()
		wrong = errors.Join(w.wrong...)
		trace, events = w.Trace()
	})
	return trace, events, wrong
}

// isLog says whether a file belongs to the journals' log, whose syncs are on the path of commits.
func isLog(p string) bool { return strings.Contains(p, "/journal/") && strings.HasSuffix(p, ".log") }

// link is the weather: near in a region, far between regions.
func (o options) link(from, to int) simhost.Link {
	if o.places[from].region != o.places[to].region {
		return simhost.Link{Latency: 10 * time.Millisecond, Jitter: 2 * time.Millisecond, Tail: 5}
	}
	return simhost.Link{Latency: 100 * time.Microsecond, Jitter: 200 * time.Microsecond, Tail: 10}
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Errorf(format, args...))
}

func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.wrong) > 0
}

// hung ends the process: goroutines that do not end cannot be got rid of. Those of clients are shown first.
func (w *world) hung(what string) {
	b := make([]byte, 4<<20)
	b = b[:runtime.Stack(b, true)]
	var clients, others []string
	for _, g := range strings.Split(string(b), "\n\n") {
		switch {
		case !strings.Contains(g, "synctest"):
		case strings.Contains(g, "internal/sim/load"):
			clients = append(clients, g)
		default:
			others = append(others, g)
		}
	}
	text := strings.Join(append(clients, others...), "\n\n")
	panic(fmt.Sprintf("seed %d: liveness: after %v %s\n%v\n\n%s", w.o.seed, w.Elapsed(), what, errors.Join(w.wrong...), text[:min(len(text), 1<<16)]))
}

// within waits for something that must end.
func (w *world) within(d time.Duration, what string, done func()) {
	late := time.AfterFunc(d, func() { w.hung(what) })
	defer late.Stop()
	done()
}

// run is a world's life.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer w.end()
	defer cancel()
	w.startAll(ctx)
	if w.failed() {
		return
	}
	w.loads = w.o.loads(w.Elapsed)
	for _, l := range w.loads {
		if err := l.Setup(ctx, w.db(0)); err != nil {
			w.fail("setting %s up: %w", l.Name(), err)
			return
		}
	}
	work, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for n := range w.nodes {
		if w.o.places[n].witness {
			continue
		}
		for _, l := range w.loads {
			for c := range w.o.clients {
				rng := rand.New(rand.NewPCG(w.o.seed, uint64(n)<<16|uint64(c)<<8|uint64(len(l.Name()))))
				clients.Go(func() { w.client(work, n, l, rng) })
			}
		}
	}
	w.trouble(ctx)
	w.settle(ctx)
	stop()
	w.within(time.Minute, "a transaction that was cancelled does not end", clients.Wait)
	w.judge(ctx)
}

// startAll starts every node at once and waits until all are members.
func (w *world) startAll(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range w.nodes {
		wg.Go(func() {
			if err := w.start(ctx, i); err != nil {
				w.fail("node %d does not start: %w", i, err)
			}
		})
	}
	wg.Wait()
}

// start boots a machine and its node.
func (w *world) start(ctx context.Context, i int) error {
	life := w.Machine(i).Boot()
	w.o.sabotage.before(w, i)
	join := make([]string, len(w.nodes))
	for k := range join {
		join[k] = simhost.Address(k, 7432)
	}
	m := &member{id: i, life: life, gone: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	if w.o.log {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", i+1)
	}
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p := w.o.places[i]
	data, err := node.StartData(starting, node.Config{
		Host: life, Log: log, Version: "sim", DataDir: "data", CacheBytes: 4 << 20, LogSegmentBytes: 2 << 20, Listen: simhost.Address(i, 5432),
		Tamper:  w.o.sabotage.parts(),
		Cluster: &node.ClusterConfig{Join: join, Listen: join[i], Region: p.region, Zone: p.zone, Witness: p.witness, Journals: 2},
	}, func(err error) { w.nodeFailed(i, life, err) })
	if err != nil {
		return err
	}
	w.o.sabotage.after(w, i)
	w.mu.Lock()
	m.data = data
	w.nodes[i] = m
	w.mu.Unlock()
	return nil
}

// nodeFailed hears that a node cannot go on, which is wrong unless its machine has crashed or its disk is broken.
func (w *world) nodeFailed(i int, life *simhost.Life, err error) {
	if life.Ended() {
		return
	}
	w.mu.Lock()
	stopped := w.sick[i]
	if stopped != nil {
		select {
		case <-stopped:
		default:
			close(stopped)
		}
	}
	w.mu.Unlock()
	if stopped == nil {
		w.fail("node %d stopped itself: %w", i+1, err)
	}
}

// db is the database at a node, nil while it does not run.
func (w *world) db(i int) txn.DB {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.nodes[i]; m != nil {
		return m.data.DB()
	}
	return nil
}

// client makes transactions at a node until the end. A transaction whose node dies is cut off, as its connection would be.
func (w *world) client(ctx context.Context, n int, l load.Load, rng *rand.Rand) {
	for ctx.Err() == nil {
		w.mu.Lock()
		m := w.nodes[n]
		w.mu.Unlock()
		if m == nil {
			w.pause(ctx, 50*time.Millisecond)
			continue
		}
		one, cancel := context.WithTimeout(ctx, 20*time.Second)
		go func() {
			select {
			case <-m.gone:
				cancel()
			case <-one.Done():
			}
		}()
		l.Step(one, m.data.DB(), rng)
		cancel()
		w.pause(ctx, time.Duration(1+rng.IntN(80))*time.Millisecond)
	}
}

func (w *world) pause(ctx context.Context, d time.Duration) {
	select {
	case <-w.After(d):
	case <-ctx.Done():
	}
}

// crash ends a machine's life and its node's goroutines.
func (w *world) crash(i int, power bool) {
	w.mu.Lock()
	m := w.nodes[i]
	w.nodes[i] = nil
	w.mu.Unlock()
	w.Machine(i).Crash(power)
	if m != nil {
		close(m.gone)
		m.data.Abandon()
	}
}

// settle ends the faults and asks for progress: every load must commit something again.
func (w *world) settle(ctx context.Context) {
	w.HealAll()
	before := make([]int, len(w.loads))
	for i, l := range w.loads {
		before[i] = l.Committed()
	}
	last := ""
	for range 100 {
		w.pause(ctx, 200*time.Millisecond)
		idle := []string{}
		for i, l := range w.loads {
			if l.Committed() <= before[i] {
				idle = append(idle, l.Name())
			}
		}
		if len(idle) == 0 {
			return
		}
		if w.failed() {
			return
		}
		last = strings.Join(idle, ", ")
	}
	w.fail("liveness: in 20 s after the last fault nothing was committed by %s", last)
}

// judge verifies every load at every node.
func (w *world) judge(ctx context.Context) {
	look, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for i := range w.nodes {
		db := w.db(i)
		if db == nil {
			continue
		}
		for _, l := range w.loads {
			if err := l.Verify(look, db); err != nil {
				w.fail("%s at node %d: %w", l.Name(), i+1, err)
			}
		}
	}
}

// end stops what runs.
func (w *world) end() {
	for i, m := range w.nodes {
		if m != nil {
			close(m.gone)
			if err := m.data.Stop(); err != nil && !w.failed() {
				w.fail("node %d does not stop in good order: %w", i+1, err)
			}
		}
	}
	w.Sleep(2 * time.Minute) // streams end, timers of dead lives ring
}
