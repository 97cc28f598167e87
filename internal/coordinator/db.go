package coordinator

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// DB opens transactions. It implements txn.DB and is safe for concurrent use.
type DB struct {
	cfg Config
	ids atomic.Uint64 // random start, then counting: the lower 48 bits make ids of this process unique

	// named are the open transactions whose id somebody was told: only about those can anybody ask.
	named struct {
		sync.Mutex
		open map[txn.ID]struct{}
	}
}

// New makes a DB over the roles named in the configuration.
func New(cfg Config) *DB {
	cfg.ensureDefaults()
	d := &DB{cfg: cfg}
	d.ids.Store(cfg.Random.Uint64())
	d.named.open = make(map[txn.ID]struct{})
	return d
}

// Begin opens a transaction; see txn.DB.
func (d *DB) Begin(o txn.Options) txn.Txn {
	if o.AsOf != 0 {
		o.ReadOnly = true
	}
	return &Txn{db: d, opts: o}
}

// Outcome says what became of a transaction; see txn.DB. Nobody's name is known for the journal that holds it, so all
// are asked. One that is found nowhere is settled as aborted everywhere.
func (d *DB) Outcome(ctx context.Context, id txn.ID) (txn.Outcome, error) {
	if d.Open(id) {
		return txn.OutcomeInProgress, nil
	}
	if node := binary.BigEndian.Uint16(id[8:]); node != d.cfg.Node && d.cfg.Elsewhere != nil {
		// A node that cannot be asked has lost its transactions.
		if open, err := d.cfg.Elsewhere(ctx, node, id); err == nil && open {
			return txn.OutcomeInProgress, nil
		}
	}
	now, ok := d.cfg.Clock.Now()
	if !ok {
		return txn.OutcomeUnknown, errNoClock()
	}
	started := clock.Timestamp(binary.BigEndian.Uint64(id[:8]))
	if started.Add(d.cfg.OutcomeWindow) < now.Latest || started > now.Latest {
		return txn.OutcomeUnknown, nil
	}
	for _, p := range participants(d.cfg.Ranges.Ranges()) {
		o, _, err := p.Adjudicator.Resolve(ctx, id, clock.MaxTimestamp)
		if err != nil {
			return txn.OutcomeUnknown, err
		}
		if o == txn.OutcomeCommitted {
			return o, nil
		}
	}
	return txn.OutcomeAborted, nil
}

// Open says whether a transaction that somebody was told the name of is open here.
func (d *DB) Open(id txn.ID) bool {
	d.named.Lock()
	defer d.named.Unlock()
	_, open := d.named.open[id]
	return open
}

// newID makes a transaction id: 8 bytes of start time, 2 of node, 6 that differ.
func (d *DB) newID(at clock.Timestamp) txn.ID {
	var id txn.ID
	binary.BigEndian.PutUint64(id[:8], uint64(at))
	binary.BigEndian.PutUint64(id[8:], uint64(d.cfg.Node)<<48|d.ids.Add(1)&(1<<48-1))
	return id
}

func (d *DB) nameOpen(id txn.ID) {
	d.named.Lock()
	d.named.open[id] = struct{}{}
	d.named.Unlock()
}

func (d *DB) nameClosed(id txn.ID) {
	d.named.Lock()
	delete(d.named.open, id)
	d.named.Unlock()
}

// participants returns one range of every journal.
func participants(ranges []Range) []Range {
	var out []Range
next:
	for _, r := range ranges {
		for _, o := range out {
			if o.Journal == r.Journal {
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

func errNoClock() error {
	return failure.New(failure.CannotConnectNow, "clock error bound is unknown or too large").
		WithHint("Check the time synchronisation of this node.")
}

func errReadOnly() error {
	return failure.New(failure.ReadOnlySQLTransaction, "cannot write in a read-only transaction")
}

// hashOf is the conflict hash of a part of a key.
func (d *DB) hashOf(k keys.Key, part keys.Part) keys.Hash {
	return keys.ConflictHash(d.cfg.HashSeed, k, part)
}
