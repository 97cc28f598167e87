package stub_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/crossbar"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/rpc/stub"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// The fits that wiring relies on.
var (
	_ coordinator.Adjudicator = (*stub.Remote)(nil)
	_ crossbar.Owner          = (*stub.Owner)(nil)
	_ crossbar.Log            = (*stub.Cursor)(nil)
	_ stub.Adjudicator        = (*adjudicator.Adjudicator)(nil)
	_ stub.Log                = (*journal.Journal)(nil)
	_ stub.Storage            = storage.Alone{}
	_ storage.Peers           = (*stub.Storages)(nil)
	_ coordinator.Snapshots   = (*storage.Replica)(nil)
)

// cluster is several nodes in this process that talk over real connections.
type cluster struct {
	t        *testing.T
	journals []txn.JournalID
	voters   []uint64
	delay    func(from, to rpc.NodeID) time.Duration
	nodes    map[rpc.NodeID]*member
}

// member is one node.
type member struct {
	c        *cluster
	id       rpc.NodeID
	fs       *memhost.FS
	addr     string
	net      *faulty
	log      *raftgroup.Log
	js       map[txn.JournalID]*journal.Journal
	adjs     *stub.Adjudicators
	marks    *stub.Watermarks
	feeds    *stub.Feeds
	store    *storage.Replica
	storages *stub.Storages
	db       *coordinator.DB
	stop     func()
}

// faulty is a network that loses requests and answers on demand.
type faulty struct {
	*rpc.Network
	lose atomic.Int32 // one in so many calls to adjudicators, 0 for none
}

func (f *faulty) Call(ctx context.Context, to rpc.NodeID, s rpc.Service, body []byte) ([]byte, error) {
	n := int(f.lose.Load())
	if n == 0 || s != rpc.Adjudicator || rand.IntN(n) > 0 {
		return f.Network.Call(ctx, to, s, body)
	}
	if rand.IntN(2) == 0 {
		return nil, failure.New(failure.CannotConnectNow, "lost on the way").WithCause(rpc.ErrUnreachable)
	}
	_, _ = f.Network.Call(ctx, to, s, body)
	return nil, failure.New(failure.ConnectionFailure, "answer lost").WithCause(rpc.ErrLost)
}

func newCluster(t *testing.T, journals int, delay func(from, to rpc.NodeID) time.Duration) *cluster {
	t.Helper()
	c := &cluster{t: t, voters: []uint64{1, 2, 3}, delay: delay, nodes: map[rpc.NodeID]*member{}}
	for i := range journals {
		c.journals = append(c.journals, txn.JournalID(i+1))
	}
	for id := rpc.NodeID(1); id <= 3; id++ {
		c.nodes[id] = c.listen(id)
	}
	for _, m := range c.nodes {
		m.start()
	}
	t.Cleanup(func() {
		for _, m := range c.nodes {
			m.close()
		}
	})
	return c
}

// listen makes a node that can be talked to.
func (c *cluster) listen(id rpc.NodeID) *member {
	host := oshost.New()
	l, err := host.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	m := &member{c: c, id: id, fs: memhost.New(), addr: l.Addr().String()}
	m.net = &faulty{Network: rpc.New(rpc.Config{Host: host, Self: id, Cluster: "test", Delay: func(to rpc.NodeID) time.Duration {
		if c.delay == nil {
			return 0
		}
		return c.delay(id, to)
	}})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = m.net.Serve(context.Background(), l)
	}()
	m.stop = func() {
		m.net.Close()
		<-served
	}
	for _, o := range c.nodes {
		o.net.SetPeer(id, m.addr)
		m.net.SetPeer(o.id, o.addr)
	}
	return m
}

type transport struct{ net *rpc.Network }

func (t transport) Send(to uint64, batch []raftgroup.Envelope) {
	t.net.Send(rpc.NodeID(to), rpc.Raft, raftgroup.EncodeMessages(nil, batch))
}

// sharedClock hides that the machine's clock can be moved.
type sharedClock struct{ clock.Clock }

// start runs the roles.
func (m *member) start() {
	t, c, host := m.c.t, m.c, oshost.New()
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	clk := sharedClock{clock.New(host, 0)}
	var err error
	m.log, err = raftgroup.OpenLog(m.fs, "log", raftgroup.LogConfig{SegmentBytes: 1 << 20, Transport: transport{m.net.Network}, Time: host, Tick: 10 * time.Millisecond})
	must(err)
	m.net.HandleMessage(rpc.Raft, func(from rpc.NodeID, body []byte) {
		if batch, err := raftgroup.DecodeMessages(body); err == nil {
			m.log.Step(uint64(from), batch)
		}
	})
	m.log.Start()
	m.js = map[txn.JournalID]*journal.Journal{}
	if m.id <= 3 {
		for _, id := range c.journals {
			m.js[id], err = journal.Open(m.log, m.fs, "log", journal.Config{ID: id, Node: uint64(m.id), Voters: c.voters, LocalLearning: true, RecentBytes: 64 << 10})
			must(err)
		}
	}
	voters := func(txn.JournalID) []rpc.NodeID { return []rpc.NodeID{1, 2, 3} }
	m.adjs = stub.NewAdjudicators(stub.AdjudicatorsConfig{Self: m.id, Net: m.net, Time: host, Random: host, Voters: voters,
		Leader: func(j txn.JournalID) (rpc.NodeID, txn.Generation) {
			if m.js[j] == nil {
				return 0, 0
			}
			l := m.js[j].Leadership()
			return rpc.NodeID(l.Leader), txn.Generation(l.Term)
		}})
	m.marks = stub.NewWatermarks(stub.WatermarksConfig{Net: m.net, Time: host, Adjudicators: m.adjs, Journals: func() []txn.JournalID { return c.journals }})
	m.feeds = stub.NewFeeds(stub.FeedsConfig{Self: m.id, Net: m.net, Time: host, Replicas: voters, Local: func(j txn.JournalID) stub.Log {
		if m.js[j] == nil {
			return nil
		}
		return m.js[j]
	}})
	var sources []crossbar.Source
	for _, id := range c.journals {
		sources = append(sources, crossbar.Source{ID: id, Log: m.feeds.Log(id), Owner: m.marks.Owner(id)})
	}
	m.storages = stub.NewStorages(stub.StoragesConfig{Net: m.net, Local: func() stub.Storage {
		if m.store == nil {
			return nil
		}
		return m.store.Alone()
	}, Others: func() (out []rpc.NodeID) {
		for n := rpc.NodeID(1); n <= 3; n++ {
			if n != m.id {
				out = append(out, n)
			}
		}
		return out
	}})
	m.store, err = storage.OpenReplica(storage.ReplicaConfig{Config: storage.Config{
		Store: mvcc.Config{FS: m.fs, Dir: "data/storage", CacheBytes: 4 << 20, HotBytes: 1 << 20, MemTableBytes: 1 << 20},
		Feed:  crossbar.New(sources...), Clock: clk, Time: host,
		Fatal: func(err error) { t.Errorf("storage of node %d: %v", m.id, err) }},
		Peers: m.storages, Note: func(what string, err error) { t.Log("node", m.id, what, err) }})
	must(err)
	m.db = coordinator.New(coordinator.Config{Clock: clk, Time: host, Random: host, Snapshots: m.store, Ranges: ranges{m}, Learn: m,
		Node: uint16(m.id), Elsewhere: stub.OpenElsewhere(m.net, func(id txn.ID) bool { return m.db.Open(id) })})
	ctx, cancel := context.WithCancel(context.Background())
	var leading sync.WaitGroup
	for _, j := range m.js {
		leading.Go(func() { m.lead(ctx, clk, host, j) })
	}
	stopNet := m.stop
	m.stop = func() {
		cancel()
		leading.Wait()
		m.marks.Close()
		_ = m.store.Close()
		_ = m.log.Close()
		stopNet()
	}
}

func (m *member) close() {
	if m.stop != nil {
		m.stop()
		m.stop = nil
	}
}

// lead runs a journal's adjudicator while the journal leads here.
func (m *member) lead(ctx context.Context, clk clock.Clock, host *oshost.Host, j *journal.Journal) {
	l := j.Leadership()
	for ctx.Err() == nil {
		if !l.Leading {
			var err error
			if l, err = j.WatchLeadership(ctx, l); err != nil {
				return
			}
			continue
		}
		a := adjudicator.New(adjudicator.Config{Journal: j.ID(), Ranges: []txn.HashRange{m.c.hashes(j.ID())},
			Lead: func() time.Duration { return m.c.far(m.id) },
			Fate: func(leader txn.JournalID, id txn.ID, ub clock.Timestamp) (clock.Timestamp, txn.Outcome) {
				o, t := m.js[leader].Resolve(id, ub)
				return t, o
			}}, clk, host, j)
		if err := a.Start(ctx); err == nil {
			m.adjs.Set(j.ID(), a)
		}
		for was := l; ctx.Err() == nil && l.Leading && l.Term == was.Term; {
			var err error
			if l, err = j.WatchLeadership(ctx, l); err != nil {
				break
			}
		}
		m.adjs.Set(j.ID(), nil)
		a.Stop()
	}
}

func (c *cluster) hashes(j txn.JournalID) txn.HashRange {
	part := keys.Hash(math.MaxUint64 / uint64(len(c.journals)))
	r := txn.HashRange{First: part * keys.Hash(j-1), Last: part*keys.Hash(j) - 1}
	if int(j) == len(c.journals) {
		r.Last = math.MaxUint64
	}
	return r
}

func (c *cluster) far(id rpc.NodeID) (d time.Duration) {
	for n := rpc.NodeID(1); n <= 2 && c.delay != nil; n++ { // the third stands for a witness
		d = max(d, c.delay(id, n))
	}
	if d > 0 {
		d += 5 * time.Millisecond
	}
	return d
}

type ranges struct{ m *member }

func (r ranges) Ranges() (out []coordinator.Range) {
	for _, j := range r.m.c.journals {
		a := r.m.adjs.Of(j)
		d := coordinator.FarAway
		if a.Owner() == r.m.id {
			d = coordinator.Here
		}
		out = append(out, coordinator.Range{Start: r.m.c.hashes(j).First, Journal: j, Adjudicator: a, Distance: d})
	}
	return out
}
func (ranges) Refresh(context.Context) error { return nil }

// Learn implements coordinator.Learner.
func (m *member) Learn(j txn.JournalID, id txn.ID, f func(txn.Outcome, clock.Timestamp)) (func(), bool) {
	if m.js[j] == nil {
		return nil, false
	}
	return m.js[j].Learn(id, f), true
}

func key(s string) keys.Key { return append(keys.AppendPrefix(nil, 7, keys.PrimaryIndex), s...) }

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// put writes rows in one transaction, repeating it when it did not commit.
func (m *member) put(ctx context.Context, rows ...string) error {
	for notBefore := clock.Timestamp(0); ; {
		tx := m.db.Begin(txn.Options{NotBefore: notBefore})
		for i := 0; i < len(rows); i += 2 {
			if err := tx.Write(ctx, txn.Write{Key: key(rows[i]), Value: []byte(rows[i+1])}); err != nil {
				return err
			}
		}
		_, err := tx.Commit(ctx)
		if !failure.Retryable(err) || ctx.Err() != nil {
			return err
		}
		notBefore = clock.Timestamp(failure.As(err).RetryAfter)
	}
}

func (m *member) get(ctx context.Context, k string) (string, error) {
	tx := m.db.Begin(txn.Options{ReadOnly: true})
	defer tx.Rollback()
	v := make([][]byte, 1)
	err := tx.Get(ctx, []keys.Key{key(k)}, v)
	return string(v[0]), err
}

// add increments counters in one transaction.
func (m *member) add(ctx context.Context, notBefore clock.Timestamp, names ...string) error {
	tx := m.db.Begin(txn.Options{NotBefore: notBefore})
	defer tx.Rollback()
	ks := make([]keys.Key, len(names))
	for i, n := range names {
		ks[i] = key(n)
	}
	v := make([][]byte, len(ks))
	if err := tx.Get(ctx, ks, v); err != nil {
		return err
	}
	for i := range ks {
		n, _ := strconv.Atoi(string(v[i]))
		if err := tx.Write(ctx, txn.Write{Key: ks[i], Value: []byte(strconv.Itoa(n + 1))}); err != nil {
			return err
		}
	}
	_, err := tx.Commit(ctx)
	return err
}

// TestReadYourWritesEverywhere: what one node has acknowledged every other sees at once (I1), whoever leads.
func TestReadYourWritesEverywhere(t *testing.T) {
	c := newCluster(t, 3, nil)
	ctx := within(t)
	for i := range 30 {
		w := c.nodes[rpc.NodeID(i%3+1)]
		v := strconv.Itoa(i)
		if err := w.put(ctx, "a", v, "b", v, "c"+v, v); err != nil {
			t.Fatal(i, err)
		}
		for _, r := range c.nodes {
			for _, k := range []string{"a", "b", "c" + v} {
				if got, err := r.get(ctx, k); err != nil || got != v {
					t.Fatalf("node %d wrote %s=%s, node %d reads %q, %v", w.id, k, v, r.id, got, err)
				}
			}
		}
	}
	c.same(ctx, 1, 2, 3)
}

// same checks that replicas hold the same (I10).
func (c *cluster) same(ctx context.Context, ids ...rpc.NodeID) {
	c.t.Helper()
	now, _ := clock.New(oshost.New(), 0).Now()
	var rows []int64
	var sums []uint64
	for _, id := range ids {
		n, sum, err := c.nodes[id].store.Alone().Checksum(ctx, keys.Span{}, now.Latest)
		if err != nil {
			c.t.Fatal(err)
		}
		rows, sums = append(rows, n), append(sums, sum)
		if n != rows[0] || sum != sums[0] {
			c.t.Fatalf("I10: rows %v, sums %x", rows, sums)
		}
	}
	first := c.nodes[ids[0]].store.Digests()
	for _, id := range ids[1:] {
		there, err := c.nodes[id].storages.Digests(ctx, ids[0])
		if err != nil {
			c.t.Fatal(err)
		}
		for j, list := range c.nodes[id].store.Digests() {
			if len(there[j]) < len(first[j]) {
				c.t.Fatalf("%d digests arrived, %d sent", len(there[j]), len(first[j]))
			}
			if index, differ := txn.Differ(list, there[j]); differ {
				c.t.Fatalf("I10: journal %d differs up to record %d", j, index)
			}
		}
	}
}

// workers increments counters from the living nodes until told to stop, and checks that every increment happened exactly
// once.
type workers struct {
	stop    atomic.Bool
	wait    sync.WaitGroup
	done    sync.Map // counter → *atomic.Int64 successes
	unknown atomic.Int64
	total   atomic.Int64
	retries atomic.Int64
}

func (w *workers) run(c *cluster, n int, ids ...rpc.NodeID) {
	for i := range n {
		m := c.nodes[ids[i%len(ids)]]
		own := fmt.Sprintf("w%d", i)
		count := new(atomic.Int64)
		w.done.Store(own, count)
		w.wait.Go(func() {
			notBefore := clock.Timestamp(0)
			for !w.stop.Load() {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				err := m.add(ctx, notBefore, own, fmt.Sprintf("s%d", i%3))
				cancel()
				switch {
				case err == nil:
					count.Add(1)
					w.total.Add(1)
				case failure.OutcomeUnknown(err):
					w.unknown.Add(1)
					c.t.Log("unknown:", err)
					return
				case failure.Retryable(err):
					w.retries.Add(1)
					notBefore = clock.Timestamp(failure.As(err).RetryAfter)
				default:
					c.t.Log(err)
					w.retries.Add(1)
				}
			}
		})
	}
}

func (w *workers) check(ctx context.Context, m *member) {
	t := m.c.t
	t.Helper()
	sum := int64(0)
	w.done.Range(func(k, v any) bool {
		got, err := m.get(ctx, k.(string))
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.ParseInt(got, 10, 64)
		if want := v.(*atomic.Int64).Load(); n < want || n > want+w.unknown.Load() {
			t.Errorf("I8: %s is %d after %d commits, %d unknown", k, n, want, w.unknown.Load())
		}
		sum += n
		return true
	})
	shared := int64(0)
	for i := range 3 {
		got, err := m.get(ctx, fmt.Sprintf("s%d", i))
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.ParseInt(got, 10, 64)
		shared += n
	}
	if shared != sum {
		t.Errorf("atomicity: own counters add up to %d, shared ones to %d", sum, shared)
	}
	t.Logf("%d commits, %d retries, %d unknown", w.total.Load(), w.retries.Load(), w.unknown.Load())
}

// TestLostAnswers: requests and answers get lost all the time, and nobody notices but by waiting.
func TestLostAnswers(t *testing.T) {
	c := newCluster(t, 2, nil)
	ctx := within(t)
	if err := c.nodes[1].put(ctx, "x", "1"); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.nodes {
		m.net.lose.Store(5)
	}
	var w workers
	w.run(c, 6, 1, 2, 3)
	c.until(ctx, func() bool { return w.total.Load() >= 150 })
	w.stop.Store(true)
	w.wait.Wait()
	for _, m := range c.nodes {
		m.net.lose.Store(0)
	}
	w.check(ctx, c.nodes[2])
	if n := w.unknown.Load(); n > 0 {
		t.Errorf("%d outcomes stayed unknown although everybody lived", n)
	}
	c.same(ctx, 1, 2, 3)
}

// until waits for something that is going to happen.
func (c *cluster) until(ctx context.Context, done func() bool) {
	c.t.Helper()
	host := oshost.New()
	for !done() {
		if err := host.Sleep(ctx, 5*time.Millisecond); err != nil {
			c.t.Fatal("it did not happen")
		}
	}
}

// TestLeaderDies: a node that leads journals dies in the middle of commits; the others resolve what was under way and go
// on.
func TestLeaderDies(t *testing.T) {
	c := newCluster(t, 3, nil)
	ctx := within(t)
	if err := c.nodes[1].put(ctx, "x", "1"); err != nil {
		t.Fatal(err)
	}
	c.until(ctx, func() bool { return c.nodes[1].adjs.Of(1).Owner() != 0 })
	dies := c.nodes[1].adjs.Of(1).Owner()
	var rest []rpc.NodeID
	for id := range c.nodes {
		if id != dies {
			rest = append(rest, id)
		}
	}
	var w workers
	w.run(c, 6, rest...)
	c.until(ctx, func() bool { return w.total.Load() >= 60 })
	c.nodes[dies].close()
	before := w.total.Load()
	c.until(ctx, func() bool { return w.total.Load() >= before+60 })
	w.stop.Store(true)
	w.wait.Wait()
	w.check(ctx, c.nodes[rest[0]])
	c.same(ctx, rest...)
}

// TestRebuild: a node that comes when the journals have been trimmed copies another's storage, and then follows.
func TestRebuild(t *testing.T) {
	c := newCluster(t, 2, nil)
	ctx := within(t)
	big := make([]byte, 4<<10)
	for i := range 900 {
		if err := c.nodes[1].put(ctx, "r"+strconv.Itoa(i), string(big)); err != nil {
			t.Fatal(err)
		}
	}
	c.same(ctx, 1, 2, 3)
	for _, m := range c.nodes {
		if err := m.store.Flush(); err != nil {
			t.Fatal(err)
		}
		for j, n := range m.store.Durable() {
			if err := m.js[j].Trim(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range c.nodes {
		for _, j := range m.js {
			c.until(ctx, func() bool {
				_, _, err := j.Read(1, 1)
				if err == nil {
					_ = j.Trim(m.store.Durable()[j.ID()])
				}
				return failure.CodeOf(err) == failure.SnapshotTooOld
			})
		}
	}
	n := c.listen(4)
	c.nodes[4] = n
	n.start()
	// Until it is ready others answer for it.
	if got, err := n.get(ctx, "r7"); err != nil || got != string(big) {
		t.Fatal(len(got), err)
	}
	c.until(ctx, n.store.Ready)
	if err := n.put(ctx, "after", "1"); err != nil {
		t.Fatal(err)
	}
	if got, err := n.get(ctx, "after"); err != nil || got != "1" {
		t.Fatal(got, err)
	}
	c.same(ctx, 1, 4)
	// What was rebuilt survives a restart.
	n.close()
	fs := n.fs.Crash(nil)
	n = c.listen(4)
	n.fs = fs
	c.nodes[4] = n
	n.start()
	c.until(ctx, n.store.Ready)
	c.same(ctx, 1, 4)
}
