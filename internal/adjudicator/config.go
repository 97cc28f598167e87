package adjudicator

import (
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator/conflict"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// Config of an adjudicator. Zero values mean defaults.
type Config struct {
	// Journal is the journal it owns.
	Journal txn.JournalID
	// Ranges are the conflict hashes it owns. Empty means all.
	Ranges []txn.HashRange
	// Grant is how far ahead of the clock the leased interval is raised. 0 means 1 s. It must exceed twice Promise.
	Grant time.Duration
	// Promise is how long a vote holds. 0 means 20 ms.
	Promise time.Duration
	// LeadMin and LeadMax bound the lead, which otherwise follows the time that an append takes. LeadMax 0 means 2 ms; a
	// negative LeadMax means no lead at all.
	LeadMin, LeadMax time.Duration
	// Lead, when not nil, is the least lead at the moment, and counts beyond LeadMax: in a cluster the one-way delay to the
	// farthest region where data is read, the period of watermarks, and some slack. Promises and grants grow with it
	// (protocol.md 2.15). It is called a few times a second.
	Lead  func() time.Duration
	least *atomic.Int64 // what it said last, in nanoseconds
	// KeepAlive is how long after the last use the lease is renewed ahead of time; after that the next use waits for an
	// append. 0 means 3 s.
	KeepAlive time.Duration
	// Window sizes the memory of recent writes.
	Window conflict.Config
	// WindowAge is how old a snapshot may be that still commits a write. 0 means 10 minutes.
	WindowAge time.Duration
	// Fate, when not nil, tells exactly what became of a transaction once the journal of its leader has passed ub, from a
	// feed. It must not block nor call back.
	Fate func(leader txn.JournalID, id txn.ID, ub clock.Timestamp) (c clock.Timestamp, outcome txn.Outcome)
}

func (c *Config) ensureDefaults() {
	c.least = &atomic.Int64{}
	if len(c.Ranges) == 0 {
		c.Ranges = []txn.HashRange{txn.AllHashes()}
	}
	if c.Grant == 0 {
		c.Grant = time.Second
	}
	if c.Promise == 0 {
		c.Promise = 20 * time.Millisecond
	}
	if c.LeadMax == 0 {
		c.LeadMax = 2 * time.Millisecond
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 3 * time.Second
	}
	if c.WindowAge == 0 {
		c.WindowAge = 10 * time.Minute
	}
}

// promiseFor is how long a vote on so many keys holds. Judging them takes all participants its time, and the leader
// decides last of all: without an allowance, votes on a large transaction would always have run out by then.
func (c *Config) promiseFor(k *txn.Conflicts) time.Duration {
	n := len(k.Exclusive) + len(k.Shared) + len(k.Schema) + len(k.SchemaWrites) + len(k.Marks)
	promise := c.promise()
	return min(promise+time.Duration(n/64)*promisePer64, max(promise, c.grant()))
}

// lead is the least lead, as of the last look.
func (c *Config) lead() time.Duration {
	if c.least == nil {
		return 0
	}
	return time.Duration(c.least.Load())
}

// look asks for the least lead.
func (c *Config) look() {
	if c.Lead != nil {
		c.least.Store(int64(max(0, c.Lead())))
	}
}

// promise is how long a vote on few keys holds: the leader's commit time lies a lead ahead of its clock, and its clock is
// read after the votes have crossed over to it, which takes up to two leads, or twice that when it has to be asked again.
func (c *Config) promise() time.Duration { return c.Promise + 6*c.lead() }

// grant is how far ahead the interval is raised: half of it is left at least when a vote or a commit time is given out of
// it.
func (c *Config) grant() time.Duration { return max(c.Grant, 3*c.promise()) }

// promisePer64 is about ten times what judging 64 keys takes.
const promisePer64 = 200 * time.Microsecond
