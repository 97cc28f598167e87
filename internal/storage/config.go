package storage

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Feed is the crossbar as storage sees it.
type Feed interface {
	// Journals returns every journal that may hold records of this storage.
	Journals() []txn.JournalID
	// Subscribe delivers each journal's effective records from an index on, in order, from one goroutine per journal,
	// and calls cut when a journal's deliveries have ended with an error. stop returns when no call is running any more.
	Subscribe(from map[txn.JournalID]uint64,
		deliver func(j txn.JournalID, entries []txn.Entry, next uint64) error,
		cut func(j txn.JournalID, err error)) (stop func())
	// Look returns a watermark of a journal at or above a time when there is one without waiting.
	Look(j txn.JournalID, at clock.Timestamp) (txn.Watermark, bool)
	// Promise returns a watermark of a journal at or above a time, or the context's error.
	Promise(ctx context.Context, j txn.JournalID, at clock.Timestamp) (txn.Watermark, error)
}

// Config of a storage node.
type Config struct {
	Store mvcc.Config
	Feed  Feed
	Clock clock.Clock
	Time  host.Time
	// Retention is how long old versions are kept and can be read. 0 is five minutes.
	Retention time.Duration
	// FlushEvery bounds how much time a restart has to replay, and how long journals are kept for this node, when little
	// is written. Under load a memtable is full earlier, and then its size is the bound. 0 is 30 seconds.
	FlushEvery time.Duration
	// Durable, when set, is told the last index of every journal that this node does not need any more, after every flush
	// and by Close. It is called by one goroutine at a time, and must not call back.
	Durable func(map[txn.JournalID]uint64)
	// Trimmed, when set, is told that a journal cannot be followed because its records have been trimmed; nothing more is
	// applied from it then. It must not call back, and is called instead of Fatal.
	Trimmed func(error)
	// Fatal is told once when this node cannot go on: the disk failed, or a journal cannot be followed any more.
	Fatal func(error)
}

func (c *Config) ensureDefaults() {
	if c.Retention == 0 {
		c.Retention = 5 * time.Minute
	}
	if c.FlushEvery == 0 {
		c.FlushEvery = 30 * time.Second
	}
	if c.Durable == nil {
		c.Durable = func(map[txn.JournalID]uint64) {}
	}
	if c.Fatal == nil {
		c.Fatal = func(error) {}
	}
}
