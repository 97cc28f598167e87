package memhost

import (
	"io"
	"io/fs"
	"slices"

	"github.com/meridiandb/meridian/internal/host"
)

// file is an open file.
type file struct {
	fs     *FS
	inode  *inode
	name   string
	pos    int64
	closed bool
}

func (f *file) usable() error {
	if f.closed {
		return fs.ErrClosed
	}
	return f.fs.alive()
}

// change begins an operation that changes something.
func (f *file) change() error {
	if f.closed {
		return fs.ErrClosed
	}
	return f.fs.change()
}

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.usable(); err != nil {
		return 0, err
	}
	if off >= int64(len(f.inode.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.change(); err != nil {
		return 0, err
	}
	if err := f.growLocked(off + int64(len(p))); err != nil {
		return 0, err
	}
	f.fs.stats.Writes++
	copy(f.inode.data[off:], p)
	f.inode.pending = append(f.inode.pending, write{off, slices.Clone(p)})
	return len(p), nil
}

func (f *file) growLocked(size int64) error {
	more := size - int64(len(f.inode.data))
	if more <= 0 {
		return nil
	}
	if left := f.fs.faults.SpaceLeft; left != nil {
		if *left < more {
			return &fs.PathError{Op: "write", Path: f.name, Err: host.ErrNoSpace}
		}
		*left -= more
	}
	f.inode.data = resize(f.inode.data, size)
	return nil
}

// Close implements io.Closer.
func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.usable(); err != nil {
		return err
	}
	f.closed = true
	return nil
}

// Sync implements host.File.
func (f *file) Sync() error { return f.SyncData() }

// SyncData implements host.File.
func (f *file) SyncData() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.change(); err != nil {
		return err
	}
	if f.fs.faults.SyncErr != nil {
		return f.fs.faults.SyncErr
	}
	f.fs.stats.Syncs++
	if f.fs.faults.LoseData {
		return nil
	}
	n := f.inode
	for _, w := range n.pending {
		if w.data == nil {
			n.synced = resize(n.synced, w.off)
			continue
		}
		n.synced = resize(n.synced, max(int64(len(n.synced)), w.off+int64(len(w.data))))
		copy(n.synced[w.off:], w.data)
	}
	n.pending = nil
	return nil
}

// Preallocate implements host.File.
func (f *file) Preallocate(off, length int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.change(); err != nil {
		return err
	}
	if int64(len(f.inode.data)) >= off+length {
		return nil
	}
	if err := f.growLocked(off + length); err != nil {
		return err
	}
	f.inode.pending = append(f.inode.pending, write{off: off + length})
	return nil
}

// Truncate implements host.File.
func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.change(); err != nil {
		return err
	}
	f.inode.data = resize(f.inode.data, size)
	f.inode.pending = append(f.inode.pending, write{off: size})
	return nil
}

// Size implements host.File.
func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.usable(); err != nil {
		return 0, err
	}
	return int64(len(f.inode.data)), nil
}
