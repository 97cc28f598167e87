package mvcc

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestDiskFull: the store tells its owner once, refuses everything afterwards, and closing it does not hang.
func TestDiskFull(t *testing.T) {
	full := errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	})}
	fatal := make(chan error, 10)
	s, err := Open(Config{VFS: errorfs.Wrap(vfs.NewMem(), &full), Dir: "data", Fatal: func(err error) { fatal <- err }})
	must(t, err)
	b := s.NewBatch()
	must(t, b.Put(userKey(1), 5, []byte("v")))
	must(t, s.Apply(b))
	full.On()
	if err := s.Flush(); failure.CodeOf(err) != failure.DiskFull {
		t.Fatal(err)
	}
	if err := <-fatal; !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	b = s.NewBatch()
	must(t, b.Put(userKey(2), 6, []byte("v")))
	for i, err := range []error{
		s.Apply(b),
		s.Get(9, []keys.Key{userKey(1)}, make([][]byte, 1)),
		s.Flush(),
		s.Close(),
	} {
		if failure.CodeOf(err) != failure.DiskFull {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if len(fatal) != 0 {
		t.Error("told twice")
	}
}

// FuzzStored: whatever bytes are found on disk, reading them gives an answer or an error.
func FuzzStored(f *testing.F) {
	f.Add(appendKey(nil, userKey(1), 7), []byte{valuePresent, 'v'}, []byte("\x00\x00\x00\x07"), make([]byte, 16))
	f.Add(appendBare(nil, userKey(1)), []byte{}, []byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, key, value, rest, meta []byte) {
		fs := vfs.NewMem()
		s := open(t, fs)
		if k, at, ok := splitKey(key); ok && len(k) > 0 && k[0] > metaPrefix && at > 0 {
			must(t, s.db.Set(key, value, pebble.NoSync))
			_ = s.Get(at, []keys.Key{k}, make([][]byte, 1))
			c, err := s.Scan(at, txn.ScanRequest{Reverse: true})
			must(t, err)
			_, _ = c.Next(context.Background())
			c.Close()
			s.SweepAll()
			_, _ = s.Collect(at, 10)
		}
		for _, kind := range []byte{metaPosition, metaSchema, metaHorizon, metaDrop} {
			must(t, s.db.Set(metaKey(kind, rest...), meta, pebble.NoSync))
		}
		_, _ = s.Positions(false)
		_ = s.Close()
		if s, err := Open(Config{VFS: fs, Dir: "data"}); err == nil {
			_ = s.Close()
		}
	})
}
