// Package memhost is a file system in memory that can crash: what was not synced is lost, kept or torn at the level of
// sectors, as a seed decides. It also runs out of space, fails to sync and rots on request. For tests and simulation.
package memhost

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/meridiandb/meridian/internal/host"
)

// sector is the unit that a disk writes wholly or not at all.
const sector = 512

// ErrCrashed is what open files of a crashed machine answer.
var ErrCrashed = errors.New("memhost: the machine has crashed")

// FS is a file system. Its folders need not be made, but only SyncDir makes names durable.
type FS struct {
	mu      sync.Mutex
	names   map[string]*inode // as running processes see them
	durable map[string]*inode // as a crash would leave them at least
	locks   map[string]bool
	life    int // counts crashes: files opened in an earlier life are dead
	faults  Faults
	stats   Stats
}

// Faults make operations fail from now on.
type Faults struct {
	// SpaceLeft, when not nil, is how many bytes files may still grow; then writes answer host.ErrNoSpace.
	SpaceLeft *int64
	// SyncErr, when not nil, is the answer to every sync, which then makes nothing durable.
	SyncErr error
}

// Stats count operations.
type Stats struct{ Syncs, Writes int }

// inode is a file's content.
type inode struct {
	data    []byte
	synced  []byte  // content at the last sync
	pending []write // since then
}

type write struct {
	off  int64
	data []byte // nil: a change of size to off
}

// New returns an empty file system.
func New() *FS {
	return &FS{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}}
}

var _ host.FS = (*FS)(nil)

// SetFaults replaces the faults.
func (f *FS) SetFaults(faults Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

// Stats returns the counts so far.
func (f *FS) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Crash stops the machine and starts it again: open files are dead, locks are free. Of what was not synced, each sector
// and each change of a name survives or not as the random source decides; with a nil source nothing of it survives.
func (f *FS) Crash(r *rand.Rand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.life++
	f.locks = map[string]bool{}
	f.faults = Faults{}
	after := map[string]*inode{}
	for name, n := range f.durable {
		after[name] = n
	}
	for _, name := range sortedNames(f.names, f.durable) {
		if f.names[name] != f.durable[name] && r != nil && r.IntN(2) == 0 {
			if n := f.names[name]; n != nil {
				after[name] = n
			} else {
				delete(after, name)
			}
		}
	}
	done := map[*inode]bool{}
	for _, name := range sortedNames(after, nil) {
		if n := after[name]; !done[n] {
			done[n] = true
			n.crash(r)
		}
	}
	f.names, f.durable = after, map[string]*inode{}
	for name, n := range after {
		f.durable[name] = n
	}
}

func sortedNames(a, b map[string]*inode) []string {
	var names []string
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// crash keeps a random choice of the sectors written since the last sync.
func (n *inode) crash(r *rand.Rand) {
	data := slices.Clone(n.synced)
	if r != nil {
		for _, w := range n.pending {
			if w.data == nil {
				if r.IntN(2) == 0 {
					data = resize(data, w.off)
				}
				continue
			}
			for from := 0; from < len(w.data); {
				to := min(len(w.data), from+sector-int(w.off+int64(from))%sector)
				if r.IntN(2) == 0 {
					at := w.off + int64(from)
					data = resize(data, max(int64(len(data)), at+int64(to-from)))
					copy(data[at:], w.data[from:to])
				}
				from = to
			}
		}
	}
	n.data, n.synced, n.pending = data, slices.Clone(data), nil
}

func resize(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// Corrupt flips bits of a file's durable content, as a disk that rots.
func (f *FS) Corrupt(name string, off int64, mask byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.names[clean(name)]
	if n == nil || off >= int64(len(n.data)) {
		return fmt.Errorf("corrupt %s at %d: %w", name, off, fs.ErrNotExist)
	}
	n.data[off] ^= mask
	if off < int64(len(n.synced)) {
		n.synced[off] ^= mask
	}
	return nil
}

func clean(name string) string { return path.Clean("/" + name) }

func (f *FS) open(name string, create, truncate bool) (host.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = clean(name)
	n := f.names[name]
	if n == nil {
		if !create {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		n = &inode{}
		f.names[name] = n
	} else if truncate {
		n.data = n.data[:0]
		n.pending = append(n.pending, write{off: 0})
	}
	return &file{fs: f, inode: n, life: f.life, name: name}, nil
}

// Create implements host.FS.
func (f *FS) Create(name string) (host.File, error) { return f.open(name, true, true) }

// Open implements host.FS.
func (f *FS) Open(name string) (host.File, error) { return f.open(name, false, false) }

// OpenReadWrite implements host.FS.
func (f *FS) OpenReadWrite(name string) (host.File, error) { return f.open(name, true, false) }

// Remove implements host.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.names[clean(name)] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(f.names, clean(name))
	return nil
}

// RemoveAll implements host.FS.
func (f *FS) RemoveAll(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := range f.names {
		if n == clean(name) || strings.HasPrefix(n, clean(name)+"/") {
			delete(f.names, n)
		}
	}
	return nil
}

// Rename implements host.FS.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.names[clean(from)]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(f.names, clean(from))
	f.names[clean(to)] = n
	return nil
}

// Link implements host.FS.
func (f *FS) Link(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.names[clean(from)]
	if n == nil {
		return &fs.PathError{Op: "link", Path: from, Err: fs.ErrNotExist}
	}
	if f.names[clean(to)] != nil {
		return &fs.PathError{Op: "link", Path: to, Err: fs.ErrExist}
	}
	f.names[clean(to)] = n
	return nil
}

// MkdirAll implements host.FS. Folders are there as soon as something is in them.
func (f *FS) MkdirAll(string) error { return nil }

// SyncDir implements host.FS.
func (f *FS) SyncDir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.faults.SyncErr != nil {
		return f.faults.SyncErr
	}
	f.stats.Syncs++
	for _, name := range sortedNames(f.names, f.durable) {
		if path.Dir(name) != clean(dir) {
			continue
		}
		if n := f.names[name]; n != nil {
			f.durable[name] = n
		} else {
			delete(f.durable, name)
		}
	}
	return nil
}

// List implements host.FS.
func (f *FS) List(dir string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for name := range f.names {
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(clean(dir), "/")+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(out, first) {
				out = append(out, first)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// Exists implements host.FS.
func (f *FS) Exists(name string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.names[clean(name)] != nil, nil
}

type lock struct {
	fs   *FS
	name string
	life int
}

// Close gives the lock back.
func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.fs.life == l.life {
		delete(l.fs.locks, l.name)
	}
	return nil
}

// Lock implements host.FS.
func (f *FS) Lock(name string) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = clean(name)
	if f.locks[name] {
		return nil, fmt.Errorf("lock %s: held by another process", name)
	}
	f.locks[name] = true
	return &lock{f, name, f.life}, nil
}

// Free implements host.FS.
func (f *FS) Free(string) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.faults.SpaceLeft != nil {
		return uint64(*f.faults.SpaceLeft), nil
	}
	return 1 << 40, nil
}
