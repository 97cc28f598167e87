package simhost

import (
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// slowFS is a disk whose syncs take time.
type slowFS struct {
	host.FS
	m *Machine
}

type slowFile struct {
	host.File
	m *Machine
}

func (s *slowFS) wrap(f host.File, err error) (host.File, error) {
	if err != nil {
		return nil, err
	}
	return &slowFile{f, s.m}, nil
}

func (s *slowFS) Create(p string) (host.File, error)        { return s.wrap(s.FS.Create(p)) }
func (s *slowFS) Open(p string) (host.File, error)          { return s.wrap(s.FS.Open(p)) }
func (s *slowFS) OpenReadWrite(p string) (host.File, error) { return s.wrap(s.FS.OpenReadWrite(p)) }

func (s *slowFS) SyncDir(p string) error {
	s.m.syncTime()
	return s.FS.SyncDir(p)
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
