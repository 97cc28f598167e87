package journal

import (
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/txn"
)

// core is the state that the log alone determines. Every replica that has applied the same records holds the same.
type core struct {
	lease txn.Lease
	seq   uint64 // records applied, effective or not
	ids   outcomes
	moves []txn.Move // replaced, never changed
}

// apply judges the next record (protocol.md 2.2) and takes over what it says when it is effective.
func (c *core) apply(v txn.RecordView) txn.Fate {
	c.seq++
	l := &c.lease
	if v.Kind() == txn.RecordOwn {
		// I3: the new interval starts where all earlier ones end.
		if v.Gen() <= l.Gen || v.Time() < l.Hi {
			return txn.FateRefused
		}
		*l = txn.Lease{Gen: v.Gen(), Lo: v.Time(), Hi: v.Time(), Last: max(l.Last, v.Time())}
		return txn.FateEffective
	}
	// I2: only the current generation's entries take effect.
	if v.Gen() != l.Gen || l.Retired {
		return txn.FateRefused
	}
	switch v.Kind() {
	case txn.RecordGrant:
		if v.Time() <= l.Hi {
			return txn.FateRefused
		}
		l.Hi = v.Time()
	case txn.RecordTx:
		return c.applyTx(v)
	case txn.RecordBulk:
	case txn.RecordTombstone:
		if !c.ids.add(v.ID(), l.Last, true, l.Last) {
			return txn.FateSettled
		}
	case txn.RecordCede, txn.RecordAdopt:
		return c.applyMove(v)
	case txn.RecordRetire:
		if v.Time() < l.Last || v.Time() > l.Hi {
			return txn.FateRefused
		}
		l.Hi, l.Retired = v.Time(), true
	}
	return txn.FateEffective
}

func (c *core) applyTx(v txn.RecordView) txn.Fate {
	l := &c.lease
	t := v.Time()
	// I2: commit times strictly increase; I3: and lie inside the interval.
	if t <= l.Last || t > l.Hi || t <= v.Start() {
		return txn.FateRefused
	}
	// I8: an id is settled once.
	if !c.ids.add(v.ID(), t, false, l.Last) {
		return txn.FateSettled
	}
	l.Last = t
	return txn.FateEffective
}

// movesMax bounds the moves that a journal remembers.
const movesMax = 1 << 15

// applyMove judges a Cede or an Adopt. The fence of a Cede lies at or above everything that the journal has committed, and
// nobody has promised more than hi. What is given away, or taken over, already is so only once: the record is settled then.
func (c *core) applyMove(v txn.RecordView) txn.Fate {
	r, peer := v.Transfer()
	m := txn.Move{Range: r, Owned: v.Kind() == txn.RecordAdopt, Fence: v.Time(), Peer: peer}
	if m.Fence > c.lease.Hi || !m.Owned && m.Fence < c.lease.Last || r.First > r.Last || len(c.moves) > movesMax {
		return txn.FateRefused
	}
	for _, o := range c.moves {
		if o.Owned == m.Owned && o.Range.First <= r.Last && r.First <= o.Range.Last {
			return txn.FateSettled
		}
	}
	c.moves = m.Apply(c.moves)
	return txn.FateEffective
}

// outcome looks an id up.
func (c *core) outcome(id txn.ID) (txn.Outcome, clock.Timestamp) {
	t, tombstone, found := c.ids.get(id)
	switch {
	case found && tombstone:
		return txn.OutcomeAborted, 0
	case found:
		return txn.OutcomeCommitted, t
	case c.ids.forgotten(id):
		return txn.OutcomeUnknown, 0
	default:
		return txn.OutcomeInProgress, 0
	}
}
