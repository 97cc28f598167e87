package mvcc

import (
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/host"
)

// hostFS gives Pebble the files of a host. Pebble's hints (prefetch, partial sync) are not passed on.
type hostFS struct {
	fs host.FS
	s  *Store
}

func (h hostFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := h.fs.Create(name)
	if err != nil {
		h.s.rest()
	}
	return h.file(name)(f, err)
}

// rest never returns once the store has failed. Pebble repeats a flush that fails at once and for ever, and a node that
// is stopping has better uses for the processor. Nobody waits for the goroutine: see Close.
func (s *Store) rest() {
	if s.err.Load() != nil {
		select {}
	}
}

func (h hostFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := h.file(name)(h.fs.Open(name))
	if err == nil {
		for _, o := range opts {
			o.Apply(f)
		}
	}
	return f, err
}

func (h hostFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return h.file(name)(h.fs.OpenReadWrite(name))
}

func (h hostFS) file(name string) func(host.File, error) (vfs.File, error) {
	return func(f host.File, err error) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		return hostFile{File: f, name: name}, nil
	}
}

func (h hostFS) OpenDir(name string) (vfs.File, error)    { return hostDir{h.fs, name, h.s}, nil }
func (h hostFS) Link(from, to string) error               { return h.fs.Link(from, to) }
func (h hostFS) Remove(name string) error                 { return h.fs.Remove(name) }
func (h hostFS) RemoveAll(name string) error              { return h.fs.RemoveAll(name) }
func (h hostFS) Rename(from, to string) error             { return h.fs.Rename(from, to) }
func (h hostFS) MkdirAll(dir string, _ os.FileMode) error { return h.fs.MkdirAll(dir) }
func (h hostFS) Lock(name string) (io.Closer, error)      { return h.fs.Lock(name) }
func (h hostFS) List(dir string) ([]string, error)        { return h.fs.List(dir) }
func (h hostFS) PathBase(p string) string                 { return path.Base(p) }
func (h hostFS) PathJoin(elem ...string) string           { return path.Join(elem...) }
func (h hostFS) PathDir(p string) string                  { return path.Dir(p) }
func (h hostFS) Unwrap() vfs.FS                           { return nil }
func (h hostFS) GetDiskUsage(p string) (vfs.DiskUsage, error) {
	free, err := h.fs.Free(p)
	return vfs.DiskUsage{AvailBytes: free, TotalBytes: free}, err
}

// ReuseForWrite does not reuse: only write-ahead logs are, and there are none.
func (h hostFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := h.fs.Remove(from); err != nil {
		return nil, err
	}
	return h.Create(to, c)
}

func (h hostFS) Stat(name string) (vfs.FileInfo, error) {
	f, err := h.fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	return hostInfo{name: path.Base(name), size: size}, err
}

// hostFile is a host's file with what Pebble wants besides.
type hostFile struct {
	host.File
	name string
}

func (f hostFile) Stat() (vfs.FileInfo, error) {
	size, err := f.Size()
	return hostInfo{name: path.Base(f.name), size: size}, err
}

// Preallocate is a hint that Pebble gives for tables, whose size it does not know; holding space is not worth the write.
func (hostFile) Preallocate(int64, int64) error { return nil }

func (hostFile) SyncTo(int64) (bool, error)  { return false, nil }
func (hostFile) Prefetch(int64, int64) error { return nil }
func (hostFile) Fd() uintptr                 { return vfs.InvalidFd }

// hostDir is a folder opened to be synced.
type hostDir struct {
	fs   host.FS
	name string
	s    *Store
}

func (d hostDir) SyncData() error                  { return d.Sync() }
func (hostDir) Close() error                       { return nil }
func (hostDir) Read([]byte) (int, error)           { return 0, fs.ErrInvalid }
func (hostDir) ReadAt([]byte, int64) (int, error)  { return 0, fs.ErrInvalid }
func (hostDir) Write([]byte) (int, error)          { return 0, fs.ErrInvalid }
func (hostDir) WriteAt([]byte, int64) (int, error) { return 0, fs.ErrInvalid }
func (hostDir) Preallocate(int64, int64) error     { return nil }
func (hostDir) SyncTo(int64) (bool, error)         { return false, nil }
func (hostDir) Prefetch(int64, int64) error        { return nil }
func (hostDir) Fd() uintptr                        { return vfs.InvalidFd }
func (d hostDir) Stat() (vfs.FileInfo, error) {
	return hostInfo{name: path.Base(d.name), dir: true}, nil
}

type hostInfo struct {
	name string
	size int64
	dir  bool
}

func (i hostInfo) Name() string           { return i.name }
func (i hostInfo) Size() int64            { return i.size }
func (i hostInfo) IsDir() bool            { return i.dir }
func (i hostInfo) ModTime() time.Time     { return time.Time{} }
func (i hostInfo) Sys() any               { return nil }
func (i hostInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
func (i hostInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// Sync does not return when it fails: Pebble would panic, and the node is to stop in good order.
func (d hostDir) Sync() error {
	if err := d.fs.SyncDir(d.name); err != nil {
		logger{d.s}.Fatalf("sync folder %s: %w", d.name, err)
	}
	return nil
}
