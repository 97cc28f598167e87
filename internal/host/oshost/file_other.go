//go:build !linux

package oshost

import "time"

// SyncData implements host.File; this system has no fdatasync that the standard library reaches.
func (f File) SyncData() error { return f.Sync() }

// Preallocate implements host.File by making the file longer.
func (f File) Preallocate(off, length int64) error {
	have, err := f.Size()
	if err != nil || have >= off+length {
		return err
	}
	return f.Truncate(off + length)
}

func preciseSleep(d time.Duration) { time.Sleep(d) }
