package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// logs are journals in memory whose delivery the test controls.
type logs struct {
	mu       sync.Mutex
	entries  map[txn.JournalID][]txn.Entry
	next     map[txn.JournalID]uint64 // what is delivered next
	deliver  func(txn.JournalID, []txn.Entry, uint64) error
	promised map[txn.JournalID]clock.Timestamp
}

func newLogs(ids ...txn.JournalID) *logs {
	l := &logs{entries: map[txn.JournalID][]txn.Entry{}, next: map[txn.JournalID]uint64{}, promised: map[txn.JournalID]clock.Timestamp{}}
	for _, id := range ids {
		l.entries[id], l.next[id] = nil, 1
	}
	return l
}

func (l *logs) Journals() []txn.JournalID { return slices.Sorted(maps.Keys(l.entries)) }

func (l *logs) Subscribe(from map[txn.JournalID]uint64, deliver func(txn.JournalID, []txn.Entry, uint64) error, _ func(txn.JournalID, error)) func() {
	l.deliver = deliver
	for id := range l.entries {
		l.next[id] = max(1, from[id])
	}
	return func() {}
}

func (l *logs) Promise(_ context.Context, j txn.JournalID, at clock.Timestamp) (txn.Watermark, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promised[j] = max(l.promised[j], at)
	return txn.Watermark{Journal: j, Index: uint64(len(l.entries[j])), Time: at}, nil
}

func (l *logs) Look(txn.JournalID, clock.Timestamp) (w txn.Watermark, ok bool) { return w, false }

func (l *logs) append(j txn.JournalID, r txn.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, _, err := txn.ParseRecord(r.AppendTo(nil))
	if err != nil {
		panic(err)
	}
	l.entries[j] = append(l.entries[j], txn.Entry{Index: uint64(len(l.entries[j]) + 1), Record: v})
}

// run delivers up to n records of a journal.
func (l *logs) run(j txn.JournalID, n int) error {
	from := l.next[j]
	to := min(from+uint64(n), uint64(len(l.entries[j])+1))
	if from == to {
		return nil
	}
	l.next[j] = to
	return l.deliver(j, l.entries[j][from-1:to-1], to)
}

func testKey(s string) keys.Key { return append(keys.AppendPrefix(nil, 3, keys.PrimaryIndex), s...) }

func images(words []string) (out []txn.Image) {
	for _, w := range words {
		if k, ok := strings.CutPrefix(w, "-"); ok {
			out = append(out, txn.Image{Key: testKey(k), Delete: true})
		} else {
			k, v, _ := strings.Cut(w, "=")
			out = append(out, txn.Image{Key: testKey(k), Value: []byte(v)})
		}
	}
	return out
}

// still is a host whose time does not pass: nothing happens in the background.
type still struct{}

func (still) Now() time.Time                                     { return time.Time{} }
func (still) Monotonic() time.Duration                           { return 0 }
func (still) AfterFunc(time.Duration, func()) (stop func() bool) { return func() bool { return false } }
func (still) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// handClock shows what the test sets.
type handClock struct{ now clock.Timestamp }

func (c *handClock) Now() (clock.Interval, bool) {
	return clock.Interval{Earliest: c.now, Latest: c.now}, true
}
func (c *handClock) WaitPast(clock.Timestamp, <-chan struct{}) bool { return true }

// story is the state of one data-driven test.
type story struct {
	t     *testing.T
	fs    *vfs.MemFS
	logs  *logs
	clock handClock
	s     *Storage
	ids   map[string]txn.ID
	trim  atomic.Pointer[map[txn.JournalID]uint64] // told by a background goroutine, too
}

func (y *story) open() {
	s, err := Open(Config{
		Store: mvcc.Config{VFS: y.fs, Dir: "data", CacheBytes: 1 << 20, HotBytes: 1 << 20, MemTableBytes: 256 << 10},
		Feed:  y.logs, Clock: &y.clock, Time: still{}, Retention: 100 * time.Microsecond,
		Durable: func(m map[txn.JournalID]uint64) { y.trim.Store(&m) },
		Fatal:   func(err error) { y.t.Error(err) },
	})
	if err != nil {
		y.t.Fatal(err)
	}
	y.s = s
}

func ts(t *testing.T, s string) clock.Timestamp {
	n, err := strconv.ParseUint(s, 10, 40)
	if err != nil {
		t.Fatal(err)
	}
	return clock.Timestamp(n << clock.FractionBits)
}

func (y *story) record(words []string) txn.Record {
	id := func(name string) txn.ID {
		if _, ok := y.ids[name]; !ok {
			y.ids[name] = txn.ID{0: 0x10, 15: byte(len(y.ids) + 1)}
		}
		return y.ids[name]
	}
	switch words[0] {
	case "own":
		return txn.Record{Kind: txn.RecordOwn, Time: ts(y.t, words[1])}
	case "bulk":
		n, _ := strconv.Atoi(words[2])
		return txn.Record{Kind: txn.RecordBulk, ID: id(words[1]), Chunks: uint32(n), Images: images(words[3:])}
	case "tombstone":
		return txn.Record{Kind: txn.RecordTombstone, ID: id(words[1])}
	case "schema":
		return txn.Record{Kind: txn.RecordTx, ID: txn.ID{1: 1}, Time: ts(y.t, words[1]), Conflicts: txn.Conflicts{SchemaWrites: []keys.Hash{1}}}
	case "tx":
		r := txn.Record{Kind: txn.RecordTx, Time: ts(y.t, words[1]), ID: txn.ID{2: 1}}
		rest := words[2:]
		if len(rest) > 0 && strings.HasPrefix(rest[0], "@") { // @name/chunks
			name, n, _ := strings.Cut(rest[0][1:], "/")
			chunks, _ := strconv.Atoi(n)
			r.ID, r.Chunks, rest = id(name), uint32(chunks), rest[1:]
		}
		r.Images = images(rest)
		return r
	}
	y.t.Fatalf("unknown record %q", words[0])
	return txn.Record{}
}

// run executes one command; testdata/follow.txt explains them by example.
func (y *story) run(d *datadriven.TestData) string {
	arg := func(name string) int {
		n := 1
		if d.HasArg(name) {
			d.ScanArgs(y.t, name, &n)
		}
		return n
	}
	switch d.Cmd {
	case "append":
		for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
			y.logs.append(txn.JournalID(arg("journal")), y.record(strings.Fields(line)))
		}
		return ""
	case "deliver":
		n := 1 << 20
		if d.HasArg("n") {
			n = arg("n")
		}
		if err := y.logs.run(txn.JournalID(arg("journal")), n); err != nil {
			return err.Error()
		}
		return ""
	case "get":
		return y.get(clock.Timestamp(arg("at"))<<clock.FractionBits, strings.Fields(d.Input))
	case "schema-time":
		at, err := y.s.SchemaTimeAt(y.ended(), clock.Timestamp(arg("at"))<<clock.FractionBits)
		return fmt.Sprint(uint64(at)>>clock.FractionBits, " ", err)
	case "flush":
		if err := y.s.Flush(); err != nil {
			return err.Error()
		}
		return fmt.Sprint("may trim: ", *y.trim.Load())
	case "crash":
		clone := y.fs.CrashClone(vfs.CrashCloneCfg{})
		_ = y.s.Close()
		y.fs = clone
		y.open()
		return fmt.Sprint("replays from: ", y.logs.next)
	case "restart":
		if err := y.s.Close(); err != nil {
			return err.Error()
		}
		y.open()
		return fmt.Sprint("replays from: ", y.logs.next)
	case "collect":
		y.clock.now = clock.Timestamp(arg("now")) << clock.FractionBits
		err := y.s.collect(y.ended())
		return fmt.Sprint("horizon ", uint64(y.s.store.Horizon())>>clock.FractionBits, " ", err)
	}
	return "unknown command"
}

// ended is a context that is over: whoever would wait returns at once.
func (y *story) ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func (y *story) get(at clock.Timestamp, names []string) string {
	ks, values := []keys.Key{}, make([][]byte, len(names))
	for _, n := range names {
		ks = append(ks, testKey(n))
	}
	err := y.s.Get(y.ended(), at, ks, values)
	switch {
	case errors.Is(err, context.Canceled):
		return "waits"
	case err != nil:
		return err.Error()
	}
	var b strings.Builder
	for i, n := range names {
		if values[i] == nil {
			fmt.Fprintf(&b, "%s is absent\n", n)
		} else {
			fmt.Fprintf(&b, "%s=%s\n", n, values[i])
		}
	}
	return b.String()
}

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		y := &story{t: t, fs: vfs.NewCrashableMem(), logs: newLogs(1, 2), ids: map[string]txn.ID{}}
		y.open()
		defer func() { _ = y.s.Close() }()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			y.t = t
			return y.run(d)
		})
	})
}

// TestWaitersWake: a reader that waits for an index goes on when it is applied, and not before.
func TestWaitersWake(t *testing.T) {
	y := &story{t: t, fs: vfs.NewCrashableMem(), logs: newLogs(1), ids: map[string]txn.ID{}}
	y.open()
	defer func() { _ = y.s.Close() }()
	const readers = 20
	for i := 1; i <= readers; i++ {
		y.logs.append(1, y.record([]string{"tx", fmt.Sprint(10 * i), fmt.Sprintf("a=%d", i)}))
	}
	var done sync.WaitGroup
	for i := 1; i <= readers; i++ {
		done.Go(func() {
			v := make([][]byte, 1)
			at := clock.Timestamp(10*i+5) << clock.FractionBits
			if err := y.s.Get(t.Context(), at, []keys.Key{testKey("a")}, v); err != nil || string(v[0]) != fmt.Sprint(i) {
				t.Errorf("at %d: %q, %v", at, v[0], err)
			}
		})
	}
	for range readers {
		if err := y.logs.run(1, 1); err != nil {
			t.Fatal(err)
		}
	}
	done.Wait()
}

// TestBrokenPromise: a record at or below a watermark that was believed stops the node (I4).
func TestBrokenPromise(t *testing.T) {
	y := &story{t: t, fs: vfs.NewCrashableMem(), logs: newLogs(1), ids: map[string]txn.ID{}}
	y.open()
	defer func() { _ = y.s.Close() }()
	if got := y.get(ts(t, "50"), []string{"a"}); got != "a is absent\n" {
		t.Fatal(got)
	}
	y.logs.append(1, y.record([]string{"tx", "40", "a=1"}))
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "I4") {
			t.Fatalf("recovered %v", r)
		}
	}()
	_ = y.logs.run(1, 1)
}

// TestCrashes: whatever was lost in a crash comes back by replay, chunks of large transactions included.
func TestCrashes(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 7))
		y := &story{t: t, fs: vfs.NewCrashableMem(), logs: newLogs(1, 2), ids: map[string]txn.ID{}}
		y.open()
		want := map[string]string{}
		now := 0
		for step := range 120 {
			j := txn.JournalID(1 + rng.IntN(2))
			switch rng.IntN(8) {
			case 0:
				name := fmt.Sprintf("t%d", step)
				y.logs.append(j, y.record([]string{"bulk", name, "0", fmt.Sprintf("k%d=b%d", rng.IntN(9), step)}))
				if rng.IntN(2) == 0 {
					now++
					k := fmt.Sprintf("c%d", rng.IntN(9))
					want[k] = fmt.Sprint(step)
					b := y.logs.entries[j][len(y.logs.entries[j])-1].Record.Image(0)
					want[string(b.Key[keys.PrefixLen:])] = string(b.Value)
					y.logs.append(j, y.record([]string{"tx", fmt.Sprint(now), "@" + name + "/1", k + "=" + want[k]}))
				}
			case 1:
				if err := y.s.Flush(); err != nil {
					t.Fatal(err)
				}
			case 2:
				clone := y.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
				_ = y.s.Close()
				y.fs = clone
				y.open()
			case 3:
				if err := y.logs.run(j, 1+rng.IntN(5)); err != nil {
					t.Fatal(err)
				}
			default:
				now++
				k := fmt.Sprintf("k%d", rng.IntN(9))
				want[k] = fmt.Sprint(step)
				y.logs.append(j, y.record([]string{"tx", fmt.Sprint(now), k + "=" + want[k]}))
			}
		}
		for _, j := range y.logs.Journals() {
			if err := y.logs.run(j, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		for k, v := range want {
			if got := y.get(clock.Timestamp(now)<<clock.FractionBits, []string{k}); got != k+"="+v+"\n" {
				t.Fatalf("seed %d: got %q, want %s=%s", seed, got, k, v)
			}
		}
		_ = y.s.Close()
	}
}

func TestClosedStorageRefuses(t *testing.T) {
	y := &story{t: t, fs: vfs.NewCrashableMem(), logs: newLogs(1), ids: map[string]txn.ID{}}
	y.open()
	_ = y.s.Close()
	err := y.s.Get(t.Context(), 5, []keys.Key{testKey("a")}, make([][]byte, 1))
	if failure.CodeOf(err) != failure.AdminShutdown {
		t.Fatal(err)
	}
}
