package mvcc

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/txn"
)

func open(t testing.TB, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(Config{VFS: fs, Dir: "data", CacheBytes: 8 << 20, HotBytes: 64 << 10, MemTableBytes: 1 << 20,
		Fatal: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func userKey(i int) keys.Key { return keys.Key(fmt.Sprintf("\x10key%02d", i)) }

type modelVersion struct {
	at    clock.Timestamp
	value []byte // nil for a tombstone
}

// model is the simplest store: every version in a map.
type model map[string][]modelVersion

func (m model) put(k keys.Key, at clock.Timestamp, v []byte) {
	vs := m[string(k)]
	i := sort.Search(len(vs), func(i int) bool { return vs[i].at >= at })
	vs = append(vs, modelVersion{})
	copy(vs[i+1:], vs[i:])
	vs[i] = modelVersion{at, v}
	m[string(k)] = vs
}

func (m model) get(k string, at clock.Timestamp) []byte {
	vs := m[k]
	for i := len(vs) - 1; i >= 0; i-- {
		if vs[i].at <= at {
			return vs[i].value
		}
	}
	return nil
}

func (m model) scan(req txn.ScanRequest, at clock.Timestamp) []txn.KV {
	var out []txn.KV
	for k := range m {
		if v := m.get(k, at); v != nil && req.Span.Contains(keys.Key(k)) {
			if req.Program != nil {
				v = nil
			}
			out = append(out, txn.KV{Key: keys.Key(k), Value: v})
		}
	}
	sort.Slice(out, func(i, j int) bool { return (bytes.Compare(out[i].Key, out[j].Key) < 0) != req.Reverse })
	if req.Limit > 0 && int64(len(out)) > req.Limit {
		out = out[:req.Limit]
	}
	return out
}

func drain(t interface{ Fatal(...any) }, s *Store, at clock.Timestamp, req txn.ScanRequest) []txn.KV {
	c, err := s.Scan(at, req)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out []txn.KV
	for {
		kvs, err := c.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(kvs) == 0 {
			return out
		}
		for _, kv := range kvs {
			out = append(out, txn.KV{Key: bytes.Clone(kv.Key), Value: bytes.Clone(kv.Value)})
		}
	}
}

func equal(a, b []txn.KV) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].Key, b[i].Key) || !bytes.Equal(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}

// TestModel runs random histories against the simple model: versions in any order of time, reads at any kept time,
// collections, flushes and restarts.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := vfs.NewMem()
		s := openRapid(t, fs)
		m := model{}
		var horizon, newest clock.Timestamp
		used := map[string]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "action") {
			case 0, 1, 2, 3:
				b := s.NewBatch()
				for range rapid.IntRange(1, 12).Draw(t, "versions") {
					k := userKey(rapid.IntRange(0, 12).Draw(t, "key"))
					at := horizon + clock.Timestamp(rapid.IntRange(1, 40).Draw(t, "at"))
					if id := fmt.Sprint(k, at); used[id] {
						continue // a key has one version at a time
					} else {
						used[id] = true
					}
					newest = max(newest, at)
					if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
						m.put(k, at, nil)
						must(t, b.Delete(k, at))
					} else {
						v := []byte(fmt.Sprintf("%d", at))
						m.put(k, at, v)
						must(t, b.Put(k, at, v))
					}
				}
				must(t, s.Apply(b))
			case 4, 5:
				at := horizon + clock.Timestamp(rapid.IntRange(0, 45).Draw(t, "at"))
				for i := range 13 {
					v := make([][]byte, 1)
					must(t, s.Get(at, []keys.Key{userKey(i)}, v))
					if want := m.get(string(userKey(i)), at); !bytes.Equal(v[0], want) || (v[0] == nil) != (want == nil) {
						t.Fatalf("get %d at %d: %q, want %q", i, at, v[0], want)
					}
				}
			case 6, 7:
				at := horizon + clock.Timestamp(rapid.IntRange(0, 45).Draw(t, "at"))
				lo, hi := rapid.IntRange(0, 12).Draw(t, "lo"), rapid.IntRange(0, 13).Draw(t, "hi")
				req := txn.ScanRequest{Span: keys.Span{Start: userKey(lo), End: userKey(hi)},
					Reverse: rapid.Bool().Draw(t, "reverse"), Limit: int64(rapid.IntRange(0, 5).Draw(t, "limit"))}
				if rapid.Bool().Draw(t, "keys only") {
					req.Program = &pushdown.Program{KeysOnly: true}
				}
				if got, want := drain(t, s, at, req), m.scan(req, at); !equal(got, want) {
					t.Fatalf("scan %v at %d:\n%q, want\n%q", req, at, got, want)
				}
			case 8:
				horizon = max(horizon, min(newest, horizon+clock.Timestamp(rapid.IntRange(0, 20).Draw(t, "ahead"))))
				if rapid.Bool().Draw(t, "all") {
					s.SweepAll()
				}
				for more := true; more; {
					var err error
					more, err = s.Collect(horizon, rapid.IntRange(1, 50).Draw(t, "budget"))
					must(t, err)
				}
				if horizon > 0 {
					if err := s.Get(horizon-1, []keys.Key{userKey(0)}, make([][]byte, 1)); failure.CodeOf(err) != failure.SnapshotTooOld {
						t.Fatalf("read below the horizon: %v", err)
					}
				}
			case 9:
				if rapid.Bool().Draw(t, "restart") {
					must(t, s.Close())
					s = openRapid(t, fs)
				} else {
					must(t, s.Flush())
				}
			}
		}
		must(t, s.Close())
	})
}

func openRapid(t *rapid.T, fs vfs.FS) *Store {
	s, err := Open(Config{VFS: fs, Dir: "data", CacheBytes: 1 << 20, HotBytes: 64 * 1024, MemTableBytes: 64 << 10})
	must(t, err)
	return s
}

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// TestCrash: after a crash the store is what it was at some batch, and its positions name that batch.
func TestCrash(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		fs := vfs.NewCrashableMem()
		s := open(t, fs)
		n := 1 + rng.IntN(200)
		for i := 1; i <= n; i++ {
			b := s.NewBatch()
			for k := range 3 {
				must(t, b.Put(userKey(k), clock.Timestamp(i), fmt.Appendf(nil, "%d", i)))
			}
			must(t, b.SetPosition(7, Position{Index: uint64(i)}))
			must(t, s.Apply(b))
			if rng.IntN(40) == 0 {
				must(t, s.Flush())
			}
		}
		durable, err := s.Positions(true)
		must(t, err)
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		must(t, s.Close())
		s = open(t, crashed)
		got, err := s.Positions(false)
		must(t, err)
		p := got[7].Index
		if p < durable[7].Index {
			t.Fatalf("seed %d: position %d was durable, after the crash it is %d", seed, durable[7].Index, p)
		}
		for k := range 3 {
			v := make([][]byte, 1)
			must(t, s.Get(clock.MaxTimestamp-1, []keys.Key{userKey(k)}, v))
			want := fmt.Sprint(p)
			if p == 0 {
				want = ""
			}
			if string(v[0]) != want {
				t.Fatalf("seed %d: position %d but key %d is %q", seed, p, k, v[0])
			}
		}
		must(t, s.Close())
	}
}

func TestComparerIsPinned(t *testing.T) {
	if comparerName() != "cockroach_comparator" {
		t.Fatal(comparerName())
	}
	a, b := appendKey(nil, keys.Key("k"), 2), appendKey(nil, keys.Key("k"), 1)
	if got := fmt.Sprintf("%x", a); got != "6b00000000000000000209" {
		t.Fatal(got)
	}
	s := open(t, vfs.NewMem())
	defer s.Close()
	if c := s.options().Comparer.Compare(a, b); c >= 0 {
		t.Fatal("newer versions must sort first")
	}
}

func TestSchemaTimes(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	b := s.NewBatch()
	for _, at := range []clock.Timestamp{30, 10, 20} {
		must(t, b.SchemaChange(at))
	}
	must(t, s.Apply(b))
	check := func() {
		t.Helper()
		for at, want := range map[clock.Timestamp]clock.Timestamp{5: 0, 10: 10, 15: 10, 25: 20, 99: 30} {
			if got := s.SchemaTimeAt(at); got != want {
				t.Fatalf("schema time at %d is %d, want %d", at, got, want)
			}
		}
	}
	check()
	must(t, s.Close())
	s = open(t, fs)
	defer s.Close()
	check()
}

func TestDropSpan(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	b := s.NewBatch()
	for i := range 10 {
		must(t, b.Put(userKey(i), 5, []byte("v")))
	}
	must(t, b.DropSpan(keys.Span{Start: userKey(2), End: userKey(8)}, 50))
	must(t, s.Apply(b))
	must(t, s.Close())
	s = open(t, fs)
	defer s.Close()
	all := txn.ScanRequest{Span: keys.Span{Start: userKey(0), End: userKey(99)}}
	_, err := s.Collect(40, 1000)
	must(t, err)
	if n := len(drain(t, s, 100, all)); n != 10 {
		t.Fatalf("dropped before its time: %d rows", n)
	}
	_, err = s.Collect(50, 1000)
	must(t, err)
	if n := len(drain(t, s, 100, all)); n != 4 {
		t.Fatalf("%d rows", n)
	}
}
