package txntest

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/txn"
)

// countedFeed counts the bytes of images that storage is given.
type countedFeed struct {
	storage.Feed
	bytes *atomic.Int64
}

func (f countedFeed) Subscribe(from map[txn.JournalID]uint64, deliver func(txn.JournalID, []txn.Entry, uint64) error,
	cut func(txn.JournalID, error)) func() {
	return f.Feed.Subscribe(from, func(j txn.JournalID, entries []txn.Entry, next uint64) error {
		for _, e := range entries {
			for i := range e.Record.Images() {
				f.bytes.Add(int64(len(e.Record.Image(i).Value)))
			}
		}
		return deliver(j, entries, next)
	}, cut)
}

// replayStack opens a stack with small files that flushes when a memtable is full, not by time, and counts what it replays.
func replayStack(t *testing.T, fs *memhost.FS) (s *Stack, applied *atomic.Int64) {
	t.Helper()
	applied = &atomic.Int64{}
	s, err := OpenStack(context.Background(), StackConfig{FS: fs, Ranges: 2, SegmentBytes: 256 << 10,
		Storage: func(c *storage.Config) {
			c.Store.MemTableBytes, c.Store.CacheBytes, c.Store.HotBytes = 1<<20, 1<<20, 1<<20
			c.FlushEvery = 1 << 62
			c.Feed = countedFeed{c.Feed, applied}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return s, applied
}

// rewrite writes one row anew, so that one journal gets everything and the other next to nothing, and reads it back,
// which waits until storage has applied it.
func rewrite(t *testing.T, s *Stack, value string) {
	t.Helper()
	x := s.Begin(txn.Options{})
	if err := x.Write(context.Background(), put("row", value)); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	v := make([][]byte, 1)
	if err := s.Begin(txn.Options{}).Get(context.Background(), []keys.Key{key("row")}, v); err != nil || string(v[0]) != value {
		t.Fatalf("read %.10q: %v", v[0], err)
	}
}

func logFiles(t *testing.T, fs *memhost.FS) (n int) {
	t.Helper()
	names, err := fs.List("log")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "0") {
			n++
		}
	}
	return n
}

// TestReplayIsBounded writes much more than memtables hold. A restart has to replay what they hold at most, and the log is
// trimmed to that, although one of its journals is all but idle; after a shutdown in good order there is nothing to replay.
func TestReplayIsBounded(t *testing.T) {
	const rows, size = 1000, 20 << 10
	fs := memhost.New()
	s, _ := replayStack(t, fs)
	for i := range rows {
		rewrite(t, s, strings.Repeat(string(rune('a'+i%26)), size))
	}
	const most = 5 << 20 // four memtables, and what was written while the journals were told
	for n := 0; logFiles(t, fs) > most/(256<<10); n++ {
		if n == 1000 {
			t.Fatalf("%d files are left of a log of %d bytes", logFiles(t, fs), rows*size)
		}
		rewrite(t, s, "soon") // trimming goes on in the background
	}
	crashed := fs.Crash(nil)
	s.Abandon()

	s, applied := replayStack(t, crashed)
	rewrite(t, s, "after the crash")
	t.Logf("%d of %d bytes replayed after a crash", applied.Load(), rows*size)
	if applied.Load() > most {
		t.Errorf("%d bytes were replayed after a crash, %d are the most", applied.Load(), most)
	}
	for range rows / 4 {
		rewrite(t, s, strings.Repeat("z", size))
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := logFiles(t, crashed); n > 2 {
		t.Errorf("%d files of the log are left after a shutdown in good order", n)
	}
	s, applied = replayStack(t, crashed)
	rewrite(t, s, "after the shutdown")
	if applied.Load() > size {
		t.Errorf("%d bytes were replayed after a shutdown in good order", applied.Load())
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
