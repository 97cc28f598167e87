package storage

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

const (
	// tick is how often the background work looks whether there is something to do.
	tick = time.Second
	// collectBudget is how many versions are looked at between two pauses.
	collectBudget = 4000
	collectPause  = 20 * time.Millisecond
	// collectAfter is how long after the start collection begins: it has to look at everything once, and a node that has
	// just come up has better uses for the disk.
	collectAfter = 15 * time.Second
)

func (s *Storage) startBackground() {
	ctx, cancel := context.WithCancel(context.Background())
	s.background.cancel = cancel
	s.background.running.Go(func() { s.tend(ctx) })
	s.background.running.Go(func() { s.releaseFlushed(ctx) })
}

// releaseFlushed tells the journals after every flush that Pebble makes by itself, and flushes when that is asked for,
// until the context ends.
func (s *Storage) releaseFlushed(ctx context.Context) {
	for {
		var err error
		select {
		case <-s.flushed:
			err = s.release()
		case <-s.flushSoon:
			err = s.Flush()
		case <-ctx.Done():
			return
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// tend collects old versions and flushes, until the context ends.
func (s *Storage) tend(ctx context.Context) {
	began := s.cfg.Time.Monotonic()
	flushed := began
	var last uint64
	for s.cfg.Time.Sleep(ctx, tick) == nil {
		if s.cfg.Time.Monotonic()-began > collectAfter {
			if err := s.collect(ctx); err != nil {
				s.fail(err)
				return
			}
		}
		if s.cfg.Time.Monotonic()-flushed < s.cfg.FlushEvery {
			continue
		}
		flushed = s.cfg.Time.Monotonic()
		applied := uint64(0)
		for _, f := range s.journals {
			applied += f.applied.Load()
		}
		if applied == last {
			continue // nothing new
		}
		last = applied
		if err := s.Flush(); err != nil {
			s.fail(err)
			return
		}
	}
}

// Flush makes everything applied so far durable here and tells the journals how much of them is not needed any more.
func (s *Storage) Flush() error {
	if err := s.store.Flush(); err != nil {
		return err
	}
	return s.release()
}

// release tells the journals how much of them is durable here.
func (s *Storage) release() error {
	s.releasing.Lock()
	defer s.releasing.Unlock()
	positions, err := s.store.Positions(true)
	if err != nil {
		return err
	}
	durable := make(map[txn.JournalID]uint64, len(positions))
	for id, p := range positions {
		durable[id] = p.Index
	}
	s.cfg.Durable(durable)
	return nil
}

// collect removes what no read inside the retention window can see.
func (s *Storage) collect(ctx context.Context) error {
	now, ok := s.cfg.Clock.Now()
	if !ok {
		return nil
	}
	horizon := now.Earliest.Add(-s.cfg.Retention)
	// A tombstone may only go when nothing older than it can be applied any more, be it for the first time or again
	// after a restart.
	if s.waitComplete(ctx, horizon) != nil {
		return nil
	}
	for _, f := range s.journals {
		horizon = min(horizon, clock.Timestamp(f.held.Load()))
	}
	for {
		more, err := s.store.Collect(horizon, collectBudget)
		if err != nil || !more {
			return err
		}
		if s.cfg.Time.Sleep(ctx, collectPause) != nil {
			return nil
		}
	}
}
