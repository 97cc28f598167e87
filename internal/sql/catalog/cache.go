package catalog

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// keepVersions is the number of recent Snapshots that a Cache holds: transactions on older snapshots load their own.
const keepVersions = 8

// Cache hands out the Snapshot that fits a transaction. It is safe for concurrent use.
type Cache struct {
	system *Snapshot
	latest atomic.Pointer[loaded]

	mu struct {
		sync.Mutex
		recent []*loaded // newest first
	}
}

// loaded is a Snapshot with the stored form of its descriptors, for reuse by the next load.
type loaded struct {
	snapshot *Snapshot
	rows     map[string]row
}

type row struct {
	value []byte
	d     Descriptor
}

// NewCache makes a Cache. The system tables (virtual relations of pg_catalog and its like) are part of every Snapshot.
func NewCache(system []*Table) *Cache {
	base := newSnapshot(nil)
	for _, d := range systemObjects() {
		base.add(d)
	}
	for _, t := range system {
		base.add(t)
	}
	return &Cache{system: base}
}

// At returns the descriptors at the transaction's snapshot, without its own changes. It must be called before the
// transaction's first schema change, as Begin does. It costs nanoseconds unless the schema has changed.
func (c *Cache) At(ctx context.Context, tx txn.Txn) (*Snapshot, error) {
	at, err := tx.SchemaTime(ctx)
	if err != nil {
		return nil, err
	}
	if l := c.latest.Load(); l != nil && l.snapshot.version.Time == at {
		return l.snapshot, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.mu.recent {
		if l.snapshot.version.Time == at {
			return l.snapshot, nil
		}
	}
	l, err := c.loadLocked(ctx, tx, at)
	if err != nil {
		return nil, err
	}
	c.keepLocked(l)
	return l.snapshot, nil
}

func (c *Cache) keepLocked(l *loaded) {
	at := l.snapshot.version.Time
	i := 0
	for i < len(c.mu.recent) && c.mu.recent[i].snapshot.version.Time > at {
		i++
	}
	c.mu.recent = slices.Insert(c.mu.recent, i, l)
	if len(c.mu.recent) > keepVersions {
		c.mu.recent = c.mu.recent[:keepVersions]
	}
	if i == 0 {
		c.latest.Store(l)
	}
}

// loadLocked reads all descriptors, decoding only those that changed since a Snapshot that is still known.
func (c *Cache) loadLocked(ctx context.Context, tx txn.Txn, at clock.Timestamp) (*loaded, error) {
	var before map[string]row
	if len(c.mu.recent) > 0 {
		before = c.mu.recent[0].rows
	}
	l := &loaded{snapshot: newSnapshot(nil), rows: make(map[string]row, len(before)+8)}
	l.snapshot.version.Time = at
	for _, d := range c.system.objects {
		l.snapshot.add(d)
	}
	scan, err := tx.Scan(ctx, txn.ScanRequest{Span: keys.IndexSpan(TableDescriptors, keys.PrimaryIndex)})
	if err != nil {
		return nil, err
	}
	defer scan.Close()
	for {
		batch, err := scan.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(batch) == 0 {
			break
		}
		for _, kv := range batch {
			r, known := before[string(kv.Key)]
			if !known || !bytes.Equal(r.value, kv.Value) {
				d, err := Decode(kv.Value)
				if err != nil {
					return nil, err
				}
				r = row{value: bytes.Clone(kv.Value), d: d}
			}
			l.rows[string(kv.Key)] = r
			l.snapshot.add(r.d)
		}
	}
	if l.snapshot.Database() == nil {
		return nil, failure.New(failure.InternalError, "the catalogue has not been initialised")
	}
	return l, nil
}
