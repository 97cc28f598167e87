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

// FS is a file system as the processes of one life of the machine see it. Its folders need not be made, but only SyncDir
// makes names durable. Once the machine has crashed everything that is asked of it answers ErrCrashed: a process does not
// outlive its machine, and what it is told afterwards must not be taken for an answer of the disk. The next life has an FS
// of its own, which Crash and Kill return.
type FS struct {
	*disk
	life int
}

// disk is what all lives of the machine share.
type disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as running processes see them
	durable map[string]*inode // as a crash would leave them at least
	renamed map[*inode]bool   // renamed since the last crash: the old name goes when the new one comes, or neither
	locks   map[string]bool
	now     int // the life that runs
	faults  Faults
	stats   Stats
	left    int    // operations until the planned end, 0 for none
	end     func() // the planned end; the caller holds mu
}

// Faults make operations fail from now on.
type Faults struct {
	// SpaceLeft, when not nil, is how many bytes files may still grow; then writes answer host.ErrNoSpace.
	SpaceLeft *int64
	// SyncErr, when not nil, is the answer to every sync, which then makes nothing durable.
	SyncErr error
	// LoseData and LoseNames make syncs of files and of folders answer success and make nothing durable: planted bugs, which
	// show that a test of durability can fail.
	LoseData, LoseNames bool
}

// Stats count operations. Changes are those that a planned end can come before: writes, syncs, changes of names.
type Stats struct{ Syncs, Writes, Changes int }

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
	return &FS{disk: &disk{names: map[string]*inode{}, durable: map[string]*inode{}, renamed: map[*inode]bool{},
		locks: map[string]bool{}}}
}

var _ host.FS = (*FS)(nil)

// SetFaults replaces the faults.
func (f *disk) SetFaults(faults Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

// Stats returns the counts so far.
func (f *disk) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Crash stops the machine and starts it again: this FS and its open files are dead, locks are free. Of what was not
// synced, each sector and each change of a name survives or not as the random source decides; with a nil source nothing
// of it survives. Crash returns the file system of the next life. It does nothing but that when this life is over already.
func (f *FS) Crash(r *rand.Rand) *FS { return f.endNow(func() { f.crash(r) }) }

// Kill ends the processes but not the machine, as kill -9 does: this FS and its open files are dead, and what was not
// synced is still there, and still not durable. Like Crash it returns the file system of the next life.
func (f *FS) Kill() *FS { return f.endNow(f.kill) }

// Part is Crash (or Kill, without power) after which this life goes on by itself, on a disk that nobody else will ever see:
// for processes whose goroutines must be ended in good order although their machine has gone.
func (f *FS) Part(power bool, r *rand.Rand) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := &FS{disk: f.cloneLocked(), life: f.now}
	next.mu.Lock()
	defer next.mu.Unlock()
	if power {
		next.crash(r)
	} else {
		next.kill()
	}
	next.life = next.now
	return next
}

// cloneLocked copies the disk with everything on it.
func (f *disk) cloneLocked() *disk {
	c := &disk{names: map[string]*inode{}, durable: map[string]*inode{}, renamed: map[*inode]bool{}, locks: map[string]bool{}, now: f.now,
		faults: f.faults, stats: f.stats}
	copies := map[*inode]*inode{nil: nil}
	of := func(n *inode) *inode {
		k, done := copies[n]
		if !done {
			// Contents are changed in place, pending writes are not.
			k = &inode{data: slices.Clone(n.data), synced: slices.Clone(n.synced), pending: slices.Clone(n.pending)}
			copies[n] = k
		}
		return k
	}
	for name, n := range f.names {
		c.names[name] = of(n)
	}
	for name, n := range f.durable {
		c.durable[name] = of(n)
	}
	for n := range f.renamed {
		c.renamed[of(n)] = true
	}
	return c
}

func (f *FS) endNow(end func()) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.life == f.now {
		end()
	}
	return &FS{disk: f.disk, life: f.now}
}

// CrashAt plans a Crash right before the n-th change from now, counted as Stats counts them; KillAt plans a Kill.
func (f *FS) CrashAt(n int, r *rand.Rand) { f.endAt(n, func() { f.crash(r) }) }

// KillAt is like CrashAt.
func (f *FS) KillAt(n int) { f.endAt(n, f.kill) }

func (f *FS) endAt(n int, end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.end = n, end
}

// Dead says that this life is over.
func (f *FS) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.alive() != nil
}

func (f *FS) alive() error {
	if f.life != f.now {
		return ErrCrashed
	}
	return nil
}

// change begins an operation that changes something.
func (f *FS) change() error {
	if err := f.alive(); err != nil {
		return err
	}
	f.stats.Changes++
	if f.left > 0 {
		if f.left--; f.left == 0 {
			f.end()
		}
	}
	return f.alive()
}

func (f *disk) kill() {
	f.now++
	f.left, f.end = 0, nil
	f.locks = map[string]bool{}
	f.faults = Faults{}
}

func (f *disk) crash(r *rand.Rand) {
	f.kill()
	after := map[string]*inode{}
	for name, n := range f.durable {
		after[name] = n
	}
	coins := map[*inode]bool{}
	for _, name := range sortedNames(f.names, f.durable) {
		if f.names[name] != f.durable[name] && r != nil && f.survives(name, r, coins) {
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
	f.names, f.durable, f.renamed = after, map[string]*inode{}, map[*inode]bool{}
	for name, n := range after {
		f.durable[name] = n
	}
}

// survives decides about one change of a name. The two of a rename share their fate, as file systems promise.
func (f *disk) survives(name string, r *rand.Rand, coins map[*inode]bool) bool {
	n := f.names[name]
	if n == nil {
		n = f.durable[name]
	}
	if !f.renamed[n] {
		return r.IntN(2) == 0
	}
	coin, tossed := coins[n]
	if !tossed {
		coin = r.IntN(2) == 0
		coins[n] = coin
	}
	return coin
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
func (f *disk) Corrupt(name string, off int64, mask byte) error {
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
	usable := f.alive
	if create && (truncate || f.names[name] == nil) {
		usable = f.change
	}
	if err := usable(); err != nil {
		return nil, err
	}
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
	return &file{fs: f, inode: n, name: name}, nil
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
	if err := f.change(); err != nil {
		return err
	}
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
	if err := f.change(); err != nil {
		return err
	}
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
	if err := f.change(); err != nil {
		return err
	}
	n := f.names[clean(from)]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(f.names, clean(from))
	f.names[clean(to)] = n
	f.renamed[n] = true
	return nil
}

// Link implements host.FS.
func (f *FS) Link(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change(); err != nil {
		return err
	}
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
	if err := f.change(); err != nil {
		return err
	}
	if f.faults.SyncErr != nil {
		return f.faults.SyncErr
	}
	f.stats.Syncs++
	if f.faults.LoseNames {
		return nil
	}
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
	if err := f.alive(); err != nil {
		return nil, err
	}
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
	if err := f.alive(); err != nil {
		return false, err
	}
	return f.names[clean(name)] != nil, nil
}

type lock struct {
	fs   *FS
	name string
}

// Close gives the lock back.
func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.fs.alive() == nil {
		delete(l.fs.locks, l.name)
	}
	return nil
}

// Lock implements host.FS.
func (f *FS) Lock(name string) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.alive(); err != nil {
		return nil, err
	}
	name = clean(name)
	if f.locks[name] {
		return nil, fmt.Errorf("lock %s: held by another process", name)
	}
	f.locks[name] = true
	return &lock{f, name}, nil
}

// Free implements host.FS.
func (f *FS) Free(string) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.alive(); err != nil {
		return 0, err
	}
	if f.faults.SpaceLeft != nil {
		return uint64(*f.faults.SpaceLeft), nil
	}
	return 1 << 40, nil
}
