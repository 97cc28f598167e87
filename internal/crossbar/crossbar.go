package crossbar

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// Log is a replica of a journal.
type Log interface {
	// Read returns effective records with from ≤ Index < next, about maxBytes of them, and next, which is above from
	// when any record at or above from is committed. An error means that the place is gone or unreadable.
	Read(from uint64, maxBytes int) (entries []txn.Entry, next uint64, err error)
	// Wait returns when a record above index is committed, or with the context's error.
	Wait(ctx context.Context, index uint64) (uint64, error)
}

// Owner is the adjudicator of a journal.
type Owner interface {
	// Promise returns a watermark at or above the time when that costs nothing but a look.
	Promise(atLeast clock.Timestamp) (txn.Watermark, bool)
	// PromiseWait does so whatever it takes.
	PromiseWait(ctx context.Context, atLeast clock.Timestamp) (txn.Watermark, error)
}

// Source is one journal with its owner.
type Source struct {
	ID    txn.JournalID
	Log   Log
	Owner Owner
}

// readBytes is about how much one delivery holds.
const readBytes = 4 << 20

// Crossbar connects journals and subscribers. It is safe for concurrent use.
type Crossbar struct {
	sources map[txn.JournalID]Source
	ids     []txn.JournalID
}

// New makes a crossbar over all journals.
func New(sources ...Source) *Crossbar {
	c := &Crossbar{sources: make(map[txn.JournalID]Source)}
	for _, s := range sources {
		c.sources[s.ID] = s
		c.ids = append(c.ids, s.ID)
	}
	return c
}

// Journals returns the journals that a subscriber must follow to be complete.
func (c *Crossbar) Journals() []txn.JournalID { return c.ids }

// Look returns a watermark of a journal at or above a time when that costs nothing but a look.
func (c *Crossbar) Look(j txn.JournalID, at clock.Timestamp) (txn.Watermark, bool) {
	return c.sources[j].Owner.Promise(at)
}

// Promise asks the owner of a journal for a watermark at or above a time.
func (c *Crossbar) Promise(ctx context.Context, j txn.JournalID, at clock.Timestamp) (txn.Watermark, error) {
	o := c.sources[j].Owner
	if w, ok := o.Promise(at); ok {
		return w, nil
	}
	return o.PromiseWait(ctx, at)
}

// Subscribe delivers the records of every journal from the given indexes on (missing ones from 1). deliver is called
// from one goroutine per journal with entries below next; every record below next has then been delivered or is without
// effect. Entries stay valid for ever. When deliver fails or a journal cannot be read any more, that journal's deliveries
// end and cut is called with the error. stop ends the subscription and returns when no call is running.
func (c *Crossbar) Subscribe(
	from map[txn.JournalID]uint64,
	deliver func(j txn.JournalID, entries []txn.Entry, next uint64) error,
	cut func(j txn.JournalID, err error),
) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, id := range c.ids {
		running.Go(func() {
			err := follow(ctx, c.sources[id].Log, max(from[id], 1), func(entries []txn.Entry, next uint64) error {
				return deliver(id, entries, next)
			})
			if ctx.Err() == nil {
				cut(id, err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// follow is the life of one cursor.
func follow(ctx context.Context, log Log, next uint64, deliver func([]txn.Entry, uint64) error) error {
	for {
		entries, after, err := log.Read(next, readBytes)
		if err != nil {
			return err
		}
		if after < next {
			return failure.New(failure.InternalError, "journal went back from record %d to %d", next, after)
		}
		if after > next {
			if err := deliver(entries, after); err != nil {
				return err
			}
			next = after
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		if _, err := log.Wait(ctx, next-1); err != nil {
			return err
		}
	}
}
