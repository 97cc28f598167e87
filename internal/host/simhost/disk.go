package simhost

import (
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// slowFS is a disk on which syncs of some files take time. Not of all: a bubble's time stands still while a goroutine waits for
// a mutex, so nobody may wait for a disk that holds one, as Pebble does.
type slowFS struct {
	host.FS
	m *Machine
}

type slowFile struct {
	host.File
	m *Machine
}

func (s *slowFS) wrap(path string, f host.File, err error) (host.File, error) {
	if err != nil || s.m.w.cfg.SlowSync == nil || !s.m.w.cfg.SlowSync(path) {
		return f, err
	}
	return &slowFile{f, s.m}, nil
}

func (s *slowFS) Create(p string) (host.File, error) {
	f, err := s.FS.Create(p)
	return s.wrap(p, f, err)
}

func (s *slowFS) OpenReadWrite(p string) (host.File, error) {
	f, err := s.FS.OpenReadWrite(p)
	return s.wrap(p, f, err)
}

func (f *slowFile) Sync() error {
	f.m.syncTime()
	return f.File.Sync()
}

func (f *slowFile) SyncData() error {
	f.m.syncTime()
	return f.File.SyncData()
}

// syncTime waits as long as a sync takes, and through a pause of the machine.
func (m *Machine) syncTime() {
	w := m.w
	w.mu.Lock()
	d := w.instantLocked(w.cfg.SyncTime + time.Duration(w.rng.Int64N(int64(w.cfg.SyncTime)+1)))
	w.mu.Unlock()
	done := make(chan struct{})
	time.AfterFunc(d, func() { m.gate(-1, func() { close(done) }) })
	<-done
}
