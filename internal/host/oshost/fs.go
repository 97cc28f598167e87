package oshost

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/meridiandb/meridian/internal/host"
)

// FS is the operating system's file system.
type FS struct{}

// File is a file of the operating system.
type File struct{ *os.File }

func wrap(f *os.File, err error) (host.File, error) {
	if err != nil {
		return nil, err
	}
	return File{f}, nil
}

// Create implements host.FS.
func (FS) Create(path string) (host.File, error) {
	return wrap(os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600))
}

// Open implements host.FS.
func (FS) Open(path string) (host.File, error) { return wrap(os.Open(path)) }

// OpenReadWrite implements host.FS.
func (FS) OpenReadWrite(path string) (host.File, error) {
	return wrap(os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600))
}

// Remove implements host.FS.
func (FS) Remove(path string) error { return os.Remove(path) }

// RemoveAll implements host.FS.
func (FS) RemoveAll(path string) error { return os.RemoveAll(path) }

// Rename implements host.FS.
func (FS) Rename(from, to string) error { return os.Rename(from, to) }

// Link implements host.FS.
func (FS) Link(from, to string) error { return os.Link(from, to) }

// MkdirAll implements host.FS. The entries of new folders are made durable with SyncDir of their parents by the caller.
func (FS) MkdirAll(path string) error { return os.MkdirAll(path, 0o700) }

// SyncDir implements host.FS.
func (FS) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// List implements host.FS; names are sorted.
func (FS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// Exists implements host.FS.
func (FS) Exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Lock implements host.FS with a lock that the kernel drops when the process ends, however it ends.
func (FS) Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", filepath.ToSlash(path), err)
	}
	return f, nil
}

// Free implements host.FS.
func (FS) Free(path string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}

// Size implements host.File.
func (f File) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
