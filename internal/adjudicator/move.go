package adjudicator

import (
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// A range of conflict hashes moves from one adjudicator to another by a record in each journal (protocol.md 2.10): the old
// owner stops voting on it and records Cede with a fence above everything it has let pass; once that is durable, the new
// owner records Adopt and judges the range above the fence. In between nobody owns it. Who owns a hash at a time is thus a
// function of the two logs; directories of ranges are hints. The caller carries the fence from one to the other; when it
// stops half-way, Journal.Moves shows the Cede without its Adopt, and both calls may be made again.

// owned is a range that this adjudicator owns, for snapshots at or above a fence.
type owned struct {
	txn.HashRange
	fence clock.Timestamp
}

// mover is a Journal that knows of moves.
type mover interface{ Moves() []txn.Move }

// setRanges works out what is owned: what the configuration says, changed by the moves in the log.
func (c *core) setRanges(moves []txn.Move) {
	ranges := make([]owned, 0, len(c.cfg.Ranges)+len(moves))
	for _, r := range c.cfg.Ranges {
		ranges = append(ranges, owned{HashRange: r})
	}
	for _, m := range moves {
		ranges = subtract(ranges, m.Range)
		if m.Owned {
			ranges = append(ranges, owned{m.Range, m.Fence})
		}
	}
	c.ranges = ranges
}

// subtract cuts a range out of others.
func subtract(ranges []owned, cut txn.HashRange) []owned {
	out := make([]owned, 0, len(ranges)+1)
	for _, r := range ranges {
		if r.Last < cut.First || r.First > cut.Last {
			out = append(out, r)
			continue
		}
		if r.First < cut.First {
			out = append(out, owned{txn.HashRange{First: r.First, Last: cut.First - 1}, r.fence})
		}
		if r.Last > cut.Last {
			out = append(out, owned{txn.HashRange{First: cut.Last + 1, Last: r.Last}, r.fence})
		}
	}
	return out
}

// covers says whether all of a range is owned.
func (c *core) covers(r txn.HashRange) bool {
	rest := []owned{{HashRange: r}}
	for _, o := range c.ranges {
		rest = subtract(rest, o.HashRange)
	}
	return len(rest) == 0
}

// overlaps says whether any of a range is owned.
func (c *core) overlaps(r txn.HashRange) bool {
	for _, o := range c.ranges {
		if o.First <= r.Last && r.First <= o.Last {
			return true
		}
	}
	return false
}

// Cede gives a range away to the owner of another journal and returns the fence, which Adopt there needs. From now on
// transactions on the range are refused here; it is nobody's until it is adopted. A range that was given to the same journal
// already is no error.
func (a *Adjudicator) Cede(_ context.Context, r txn.HashRange, to txn.JournalID) (fence clock.Timestamp, err error) {
	t := a.ticket()
	a.mu.Lock()
	if err := a.usableLocked(); err != nil {
		a.mu.Unlock()
		return 0, err
	}
	c := a.mu.core
	if !c.covers(r) {
		defer a.mu.Unlock()
		if m, ok := a.moved(r, false, to); ok && !c.overlaps(r) {
			return m.Fence, nil
		}
		return 0, failure.New(failure.ObjectNotInPrerequisiteState, "journal %d does not own the hashes %016x to %016x", a.cfg.Journal, uint64(r.First), uint64(r.Last))
	}
	fence = c.end()
	rec := txn.Record{Kind: txn.RecordCede, Gen: c.gen, Time: fence, Range: r, Peer: to}
	if _, err := a.appendLocked(rec.AppendTo(nil), t); err != nil {
		a.mu.Unlock()
		return 0, err
	}
	c.ranges = subtract(c.ranges, r) // before anybody else is judged
	a.mu.Unlock()
	return fence, a.moveTookEffect(<-t.ready)
}

// Adopt takes a range over that the owner of another journal has given to this one, with the fence that Cede returned.
// Snapshots from before the fence are refused for keys of the range. A range that was taken over already is no error.
func (a *Adjudicator) Adopt(_ context.Context, r txn.HashRange, from txn.JournalID, fence clock.Timestamp) error {
	now, err := a.now()
	if err != nil {
		return err
	}
	t := a.ticket()
	a.mu.Lock()
	if err := a.usableLocked(); err != nil {
		a.mu.Unlock()
		return err
	}
	c := a.mu.core
	if c.overlaps(r) {
		defer a.mu.Unlock()
		if m, ok := a.moved(r, true, from); ok && m.Fence == fence && c.covers(r) {
			return nil
		}
		return failure.New(failure.ObjectInUse, "journal %d owns some of the hashes %016x to %016x already", a.cfg.Journal, uint64(r.First), uint64(r.Last))
	}
	if err := a.renewLocked(now, fence); err != nil { // the fence has to lie inside the interval
		a.mu.Unlock()
		return err
	}
	rec := txn.Record{Kind: txn.RecordAdopt, Gen: c.gen, Time: fence, Range: r, Peer: from}
	if _, err := a.appendLocked(rec.AppendTo(nil), t); err != nil {
		a.mu.Unlock()
		return err
	}
	a.mu.Unlock()
	if err := a.moveTookEffect(<-t.ready); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return err
	}
	if !c.overlaps(r) { // a second call may have been on its way
		c.ranges = append(c.ranges, owned{r, fence})
	}
	return nil
}

// moved returns what the log says of exactly this range.
func (a *Adjudicator) moved(r txn.HashRange, owned bool, peer txn.JournalID) (txn.Move, bool) {
	if j, ok := a.journal.(mover); ok {
		for _, m := range j.Moves() {
			if m.Range == r && m.Owned == owned && m.Peer == peer {
				return m, true
			}
		}
	}
	return txn.Move{}, false
}

// moveTookEffect turns the fate of a Cede or Adopt into an error. One that was settled before is as good; whatever else
// happened, the log has to be read again before this journal's ranges are known, so the owner steps down.
func (a *Adjudicator) moveTookEffect(fate txn.Fate) error {
	switch fate {
	case txn.FateEffective, txn.FateSettled:
		return nil
	}
	a.stepDown()
	return a.broken.Load()
}
