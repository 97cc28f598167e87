// Package host is everything that is not deterministic: time, randomness, files and the network come from here, so that
// the same roles run on a real machine (host/oshost) and in a simulated world.
package host

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// Host is what a role is given instead of the standard library.
type Host interface {
	Time
	Random
	// FS returns the file system the role may use.
	FS() FS
	Network
}

// Time is wall and monotonic time with timers.
type Time interface {
	// Now is the wall clock. It may step; elapsed time is measured with Monotonic.
	Now() time.Time
	// Monotonic is time since an arbitrary start; it never goes back.
	Monotonic() time.Duration
	// Sleep waits for d, or until ctx ends, whose error it then returns. Waits of under 2 ms are precise to some tens of
	// microseconds, the shortest only yield the processor, and may overlook ctx.
	Sleep(ctx context.Context, d time.Duration) error
	// AfterFunc calls f in its own goroutine after d, unless stop is called first. Stop reports whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Random is the source of randomness; safe for concurrent use.
type Random interface {
	Uint64() uint64
}

// Network opens byte streams.
type Network interface {
	Listen(network, address string) (net.Listener, error)
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// ErrNoSpace is what a simulated file system says when it is full; a real one says ENOSPC.
var ErrNoSpace = errors.New("no space left on device")

// File is an open file. Methods behave like os.File's.
type File interface {
	io.Reader
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes everything durable; SyncData the content and the length needed to read it (fdatasync).
	Sync() error
	SyncData() error
	// Preallocate reserves [off, off+length) on disk as zeros; the file grows to hold it.
	Preallocate(off, length int64) error
	Truncate(size int64) error
	Size() (int64, error)
}

// FS is the part of a file system that Meridian needs. Paths use "/". Errors satisfy errors.Is with io/fs's.
type FS interface {
	Create(path string) (File, error)
	Open(path string) (File, error)
	OpenReadWrite(path string) (File, error) // creates the file when it is missing
	Remove(path string) error
	RemoveAll(path string) error
	Rename(from, to string) error
	Link(from, to string) error
	MkdirAll(path string) error
	// SyncDir makes creations, renames and removals inside the folder durable.
	SyncDir(path string) error
	List(dir string) ([]string, error)
	Exists(path string) (bool, error)
	// Lock takes an exclusive lock on a file (created when missing) and fails at once when another process holds it.
	Lock(path string) (io.Closer, error)
	// Free returns the bytes available to this process on the file system that holds path.
	Free(path string) (uint64, error)
}
