package raftgroup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
)

// recorder is a machine that proposes numbered payloads and remembers what was applied.
type recorder struct {
	mu      sync.Mutex
	cond    *sync.Cond
	queue   [][]byte
	applied []string
	index   uint64
	leads   bool
	stopped error
}

func newRecorder() *recorder {
	r := &recorder{}
	r.cond = sync.NewCond(&r.mu)
	return r
}

func (r *recorder) Gather() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil
	}
	b := r.queue[0]
	r.queue = r.queue[1:]
	return b
}

func (r *recorder) Apply(index, _ uint64, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.index = index
	if data != nil {
		r.applied = append(r.applied, string(data))
	}
}

func (r *recorder) Applied() { r.cond.Broadcast() }

func (r *recorder) Lead(uint64) {
	r.mu.Lock()
	r.leads = true
	r.mu.Unlock()
	r.cond.Broadcast()
}

func (r *recorder) Follow() {}

func (r *recorder) Stopped(err error) {
	r.mu.Lock()
	r.stopped = err
	r.mu.Unlock()
	r.cond.Broadcast()
}

// bench is a log with groups on a file system that can crash.
type bench struct {
	t      testing.TB
	fs     host.FS
	log    *Log
	groups []*Group
	recs   []*recorder
}

func open(t testing.TB, fs host.FS, groups int, cfg LogConfig) (*bench, error) {
	t.Helper()
	if cfg.SegmentBytes == 0 {
		cfg.SegmentBytes = 64 << 10
	}
	log, err := OpenLog(fs, "log", cfg)
	if err != nil {
		return nil, err
	}
	b := &bench{t: t, fs: fs, log: log}
	for i := range groups {
		r := newRecorder()
		g, err := log.Group(GroupConfig{ID: GroupID(i + 1)}, func(checkpoint []byte) (Machine, error) {
			if checkpoint != nil {
				r.applied = strings.Split(string(checkpoint), "\n")
			}
			return r, nil
		})
		if err != nil {
			return nil, err
		}
		b.groups = append(b.groups, g)
		b.recs = append(b.recs, r)
	}
	log.Start()
	for _, r := range b.recs {
		r.mu.Lock()
		for !r.leads && r.stopped == nil {
			r.cond.Wait()
		}
		r.mu.Unlock()
	}
	return b, nil
}

func mustOpen(t testing.TB, fs host.FS, groups int, cfg LogConfig) *bench {
	t.Helper()
	b, err := open(t, fs, groups, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put proposes payloads to a group and waits until they are applied, or the log stops.
func (b *bench) put(g int, payloads ...string) error {
	r := b.recs[g]
	r.mu.Lock()
	want := len(r.applied) + len(payloads)
	for _, p := range payloads {
		r.queue = append(r.queue, []byte(p))
	}
	r.mu.Unlock()
	for range payloads {
		r.mu.Lock()
		n := len(r.queue) // before the wake: whatever is gathered from here on is progress
		r.mu.Unlock()
		b.groups[g].Wake()
		r.mu.Lock()
		for len(r.queue) == n && n > 0 && r.stopped == nil && len(r.applied) < want {
			r.cond.Wait()
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.applied) < want && r.stopped == nil {
		r.cond.Wait()
	}
	if r.stopped != nil {
		return r.stopped
	}
	return nil
}

func (b *bench) mustPut(g int, payloads ...string) {
	b.t.Helper()
	for _, p := range payloads {
		if err := b.put(g, p); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) applied(g int) []string {
	r := b.recs[g]
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.applied...)
}

func equal(t testing.TB, got, want []string) {
	t.Helper()
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Fatalf("applied %d entries, want %d\n got %.200q\nwant %.200q", len(got), len(want), got, want)
	}
}

func payloads(from, n, size int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%d%s", from+i, strings.Repeat("x", size)))
	}
	return out
}

func TestReopen(t *testing.T) {
	fs := memhost.New()
	var want []string
	for round := range 4 {
		b := mustOpen(t, fs, 2, LogConfig{})
		equal(t, b.applied(0), want)
		more := payloads(100*round, 100, 700) // over one segment a round
		b.mustPut(0, more...)
		b.mustPut(1, "other")
		want = append(want, more...)
		equal(t, b.applied(0), want)
		if err := b.log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyOneProcess(t *testing.T) {
	fs := memhost.New()
	b := mustOpen(t, fs, 1, LogConfig{})
	defer b.log.Close()
	if _, err := OpenLog(fs, "log", LogConfig{}); failure.CodeOf(err) != failure.LockFileExists {
		t.Fatal(err)
	}
}

// TestCrash crashes at random moments: what was acknowledged must be there again, in order, and nothing may be made up.
func TestCrash(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			fs := memhost.New()
			var acked [2][]string
			next := 0
			for range 6 {
				b := mustOpen(t, fs, 2, LogConfig{SegmentBytes: 16 << 10})
				for g := range acked {
					got := b.applied(g)
					if len(got) < len(acked[g]) {
						t.Fatalf("I7: group %d lost entries: %d of %d", g, len(got), len(acked[g]))
					}
					equal(t, got[:len(acked[g])], acked[g])
					acked[g] = got
				}
				for range r.IntN(40) {
					g := r.IntN(2)
					p := payloads(next, 1, r.IntN(2000))
					next++
					b.mustPut(g, p...)
					acked[g] = append(acked[g], p...)
				}
				fs = crashDuringWrites(b, r, fs, &next)
			}
		})
	}
}

// crashDuringWrites crashes the machine while the log writer is at work.
func crashDuringWrites(b *bench, r *rand.Rand, fs *memhost.FS, next *int) *memhost.FS {
	for g := range b.groups {
		rec := b.recs[g]
		rec.mu.Lock()
		for range r.IntN(4) {
			rec.queue = append(rec.queue, []byte(payloads(*next, 1, r.IntN(3000))[0]))
			*next++
		}
		rec.mu.Unlock()
		b.groups[g].Wake()
	}
	fs = fs.Crash(r)
	_ = b.log.Close()
	return fs
}

// TestTornTail cuts the last frame at every sector of it.
func TestTornTail(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		fs := memhost.New()
		b := mustOpen(t, fs, 1, LogConfig{})
		b.mustPut(0, payloads(0, 5, 100)...)
		stopSyncs(fs)
		_ = b.put(0, payloads(5, 1, 5000)...)
		_ = b.log.Close()
		fs = fs.Crash(rand.New(rand.NewPCG(seed, 2)))
		b = mustOpen(t, fs, 1, LogConfig{})
		if got := b.applied(0); len(got) != 5 && len(got) != 6 {
			t.Fatalf("%d entries", len(got))
		}
		b.mustPut(0, "after")
		_ = b.log.Close()
	}
}

func stopSyncs(fs *memhost.FS) {
	fs.SetFaults(memhost.Faults{SyncErr: errors.New("input/output error")})
}

func TestSyncErrorStops(t *testing.T) {
	fs := memhost.New()
	var told error
	b := mustOpen(t, fs, 1, LogConfig{Stopped: func(err error) { told = err }})
	b.mustPut(0, "a")
	stopSyncs(fs)
	err := b.put(0, "b")
	if failure.CodeOf(err) != failure.IOError || !strings.Contains(err.Error(), `could not write journal file "0000000000000001.log": input/output error`) {
		t.Fatal(err)
	}
	<-b.log.Failed()
	if b.log.Close(); !errors.Is(b.log.Err(), err) || told == nil {
		t.Fatal(b.log.Err(), told)
	}
	equal(t, b.applied(0), []string{"a"})
}

func TestNoSpaceStops(t *testing.T) {
	fs := memhost.New()
	b := mustOpen(t, fs, 1, LogConfig{})
	none := int64(0)
	fs.SetFaults(memhost.Faults{SpaceLeft: &none})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = b.put(0, payloads(n, 1, 1000)...)
	}
	if failure.CodeOf(err) != failure.DiskFull || n < 50 {
		t.Fatalf("after %d: %v", n, err)
	}
	_ = b.log.Close()
	fs.SetFaults(memhost.Faults{})
	b = mustOpen(t, fs, 1, LogConfig{})
	if got := b.applied(0); len(got) < n-1 {
		t.Fatalf("I7: %d of %d entries after the disk was full", len(got), n-1)
	}
	_ = b.log.Close()
}

// TestDamage flips every 97th byte of the used part of the log, one at a time: damage must be named, unless it hit the
// last frame, which cannot be told from a torn one.
func TestDamage(t *testing.T) {
	fs := memhost.New()
	b := mustOpen(t, fs, 1, LogConfig{SegmentBytes: 8 << 10})
	b.mustPut(0, payloads(0, 30, 500)...)
	all := b.applied(0)
	segs := len(b.log.mu.segments)
	last := b.log.mu.segments[segs-1]
	lastAt := tailFrame(t, b.log, last)
	_ = b.log.Close()
	if segs < 3 {
		t.Fatalf("only %d segments", segs)
	}
	step := int64(97)
	if testing.Short() {
		step = 997
	}
	for n := 1; n <= segs; n++ {
		name := path.Join("log", segmentName(uint64(n)))
		end := int64(8 << 10)
		if n == segs {
			end = lastAt
		}
		for off := int64(0); off < end; off += step {
			check := checkDamage(t, fs, name, off, all)
			if check == 0 && n == segs && off < lastAt {
				t.Fatalf("damage at %d of %s went unnoticed", off, name)
			}
		}
	}
}

// checkDamage opens the log with one byte flipped. It returns the number of entries lost.
func checkDamage(t *testing.T, fs *memhost.FS, name string, off int64, all []string) int {
	t.Helper()
	if err := fs.Corrupt(name, off, 0x40); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fs.Corrupt(name, off, 0x40) }()
	log, err := OpenLog(fs, "log", LogConfig{SegmentBytes: 8 << 10})
	if err == nil {
		// Bytes behind the last frame of a file belong to nobody.
		if last := log.restored[1].mu.last; last != uint64(len(all))+2 {
			t.Fatalf("damage at %d of %s cut the log to %d entries", off, name, last)
		}
		_ = log.Close()
		return 0
	}
	if failure.CodeOf(err) != failure.DataCorrupted || !strings.Contains(err.Error(), ".log\" is damaged at offset") {
		t.Fatalf("damage at %d of %s: %v", off, name, err)
	}
	return 1
}

// tailFrame returns where the last frame of a segment starts.
func tailFrame(t *testing.T, l *Log, seg *segment) int64 {
	r := frameReader{file: seg.file, segment: seg.number, off: segmentHeader, end: seg.end}
	at := r.off
	for {
		before := r.off
		_, _, ok, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return at
		}
		at = before
	}
}

func TestMissingFile(t *testing.T) {
	fs := memhost.New()
	b := mustOpen(t, fs, 1, LogConfig{SegmentBytes: 8 << 10})
	b.mustPut(0, payloads(0, 40, 500)...)
	_ = b.log.Close()
	_ = fs.Remove("log/" + segmentName(2))
	if _, err := OpenLog(fs, "log", LogConfig{}); err == nil || !strings.Contains(err.Error(), `"0000000000000002.log" is missing`) {
		t.Fatal(err)
	}
}

// TestTrim trims one group, then the other: files go only when both have let go, and the log opens afterwards.
func TestTrim(t *testing.T) {
	fs := memhost.New()
	cfg := LogConfig{SegmentBytes: 8 << 10, SpareFiles: 1}
	b := mustOpen(t, fs, 2, cfg)
	var want []string
	trim := func(g int) {
		b.recs[g].mu.Lock()
		at, data := b.recs[g].index, strings.Join(b.recs[g].applied, "\n")
		b.recs[g].mu.Unlock()
		if err := b.groups[g].Checkpoint(at, []byte(data)); err != nil {
			t.Fatal(err)
		}
		b.groups[g].Trim(at)
	}
	for i := range 60 {
		p := payloads(i, 1, 400)
		b.mustPut(i%2, p...)
		if i%2 == 0 {
			want = append(want, p...)
		}
	}
	full := segmentCount(t, fs)
	trim(0)
	b.mustPut(0, "x")
	want = append(want, "x")
	if n := segmentCount(t, fs); n != full {
		t.Fatalf("%d of %d files left, though group 2 needs them", n, full)
	}
	trim(1)
	b.mustPut(0, "y")
	want = append(want, "y")
	if n := segmentCount(t, fs); n > 2 || full < 4 {
		t.Fatalf("%d of %d files left", n, full)
	}
	if _, err := b.groups[0].Read(3, 5, 1<<20); failure.CodeOf(err) != failure.SnapshotTooOld {
		t.Fatal(err)
	}
	for i := range 60 { // reuses a spare
		p := payloads(100+i, 1, 400)
		b.mustPut(0, p...)
		want = append(want, p...)
	}
	equal(t, b.applied(0), want)
	fs = fs.Crash(nil)
	_ = b.log.Close()
	b = mustOpen(t, fs, 2, cfg)
	equal(t, b.applied(0), want)
	_ = b.log.Close()
}

func segmentCount(t *testing.T, fs *memhost.FS) (n int) {
	t.Helper()
	names, err := fs.List("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "0") && strings.HasSuffix(name, ".log") {
			n++
		}
	}
	return n
}

// TestReadOld reads entries that have left memory.
func TestReadOld(t *testing.T) {
	b := mustOpen(t, memhost.New(), 1, LogConfig{SegmentBytes: 1 << 20})
	defer b.log.Close()
	want := payloads(0, 300, 3000)
	b.mustPut(0, want...)
	var got []string
	for at, end := uint64(2), b.recs[0].index+1; at < end; {
		entries, err := b.groups[0].Read(at, end, 50_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Index != at {
				t.Fatalf("entry %d, want %d", e.Index, at)
			}
			if e.Data != nil {
				got = append(got, string(e.Data))
			}
			at++
		}
	}
	equal(t, got, want)
}

// TestOneSyncForAll checks group commit: while a sync is under way, everything else gathers for the next.
func TestOneSyncForAll(t *testing.T) {
	fs := memhost.New()
	b := mustOpen(t, fs, 4, LogConfig{})
	defer b.log.Close()
	before := fs.Stats().Syncs
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_ = b.put(g, payloads(0, 50, 10)...)
		}()
	}
	wg.Wait()
	if n := fs.Stats().Syncs - before; n > 4*50 {
		t.Fatalf("%d syncs", n)
	}
}

func FuzzFrame(f *testing.F) {
	var fr frame
	fr.reset()
	fr.addHard(1, 2, 3, 4)
	f.Add(fr.b[segmentHeader+frameHeader:])
	f.Add(binary.LittleEndian.AppendUint32([]byte{itemEntries, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 1<<31))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			it, rest, err := nextItem(b)
			if err != nil {
				return
			}
			entries := it.entriesBytes
			for range it.count {
				_, entries, _ = cutEntry(entries)
			}
			if len(rest) >= len(b) {
				t.Fatal("no progress")
			}
			b = rest
		}
	})
}

// FuzzOpen opens a log whose file holds anything: it may refuse, it may not panic, and what it accepts it can go on from.
func FuzzOpen(f *testing.F) {
	fs := memhost.New()
	b := mustOpen(f, fs, 1, LogConfig{SegmentBytes: 4 << 10})
	b.mustPut(0, "a", "b")
	_ = b.log.Close()
	file, _ := fs.Open("log/" + segmentName(1))
	whole := make([]byte, 1024)
	_, _ = file.ReadAt(whole, 0)
	f.Add(whole, uint16(0), byte(0))
	f.Add(whole, uint16(100), byte(1))
	f.Add(bytes.Repeat([]byte{0}, 64), uint16(3), byte(1))
	f.Fuzz(func(t *testing.T, content []byte, at uint16, mask byte) {
		if len(content) == 0 {
			return
		}
		content[int(at)%len(content)] ^= mask
		fs := memhost.New()
		file, _ := fs.OpenReadWrite("log/" + segmentName(1))
		_, _ = file.WriteAt(content, 0)
		b, err := open(t, fs, 1, LogConfig{SegmentBytes: 64 << 10})
		if err != nil {
			return
		}
		_ = b.put(0, "more")
		_ = b.log.Close()
	})
}

// TestKilledThenPowerFailure: the last frame fills its file up and was written, but not synced, when the process was
// killed. The next process finds it, and goes on in a new file; what it has shown must survive a power failure.
func TestKilledThenPowerFailure(t *testing.T) {
	const segment = 8 << 10
	found := 0
	step := frameAlign
	if testing.Short() {
		step = 5 * frameAlign
	}
	for size := segment - 700; size < segment-100; size += step {
		fs := memhost.New()
		b := mustOpen(t, fs, 1, LogConfig{SegmentBytes: segment})
		fs.KillAt(2) // the write happens, its sync does not
		_ = b.put(0, payloads(0, 1, size)...)
		_ = b.log.Close()
		fs = fs.Kill()
		b = mustOpen(t, fs, 1, LogConfig{SegmentBytes: segment})
		shown := b.applied(0)
		_ = b.log.Close()
		fs = fs.Crash(nil)
		b = mustOpen(t, fs, 1, LogConfig{SegmentBytes: segment})
		equal(t, b.applied(0), shown)
		_ = b.log.Close()
		found += len(shown)
	}
	if found == 0 {
		t.Fatal("no frame was ever found again: the test proves nothing")
	}
}
