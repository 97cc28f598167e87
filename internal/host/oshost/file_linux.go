package oshost

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SyncData implements host.File with fdatasync.
func (f File) SyncData() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync "+f.Name(), err)
		}
	}
}

// Preallocate implements host.File. On file systems without fallocate the file is only made longer.
func (f File) Preallocate(off, length int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, off, length)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP):
			return f.extend(off + length)
		default:
			return os.NewSyscallError("fallocate "+f.Name(), err)
		}
	}
}

func (f File) extend(size int64) error {
	have, err := f.Size()
	if err != nil || have >= size {
		return err
	}
	return f.Truncate(size)
}

// preciseSleep asks the kernel itself: the run-time's timers are rounded up to whole milliseconds when every goroutine
// sleeps.
func preciseSleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	for errors.Is(unix.Nanosleep(&ts, &ts), unix.EINTR) {
		continue
	}
}
