package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/crossbar"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// dataPlane is every role below SQL, wired by direct calls.
type dataPlane struct {
	cfg          Config
	clock        clock.Clock
	cluster      *cluster // nil in a process alone; then the following three are its roles
	log          *raftgroup.Log
	journals     []*journal.Journal
	adjudicators []*adjudicator.Adjudicator
	storage      store
	db           *coordinator.DB
}

// store is a storage, alone or as one replica of several.
type store interface {
	coordinator.Snapshots
	SpanBytes(span keys.Span) (int64, error)
	Close() error
}

// Compile-time proofs that the roles fit each other.
var (
	_ crossbar.Log            = (*journal.Journal)(nil)
	_ crossbar.Owner          = (*adjudicator.Adjudicator)(nil)
	_ storage.Feed            = (*crossbar.Crossbar)(nil)
	_ coordinator.Snapshots   = (*storage.Storage)(nil)
	_ adjudicator.Journal     = (*journal.Journal)(nil)
	_ coordinator.Adjudicator = localAdjudicator{}
)

// localAdjudicator is an adjudicator in this process: the two packages' requests have the same fields.
type localAdjudicator struct{ *adjudicator.Adjudicator }

func (a localAdjudicator) Commit(ctx context.Context, r *coordinator.CommitRequest) (coordinator.Result, error) {
	res, err := a.Adjudicator.Commit(ctx, (*adjudicator.CommitRequest)(r))
	return coordinator.Result(res), err
}

func (a localAdjudicator) Prepare(ctx context.Context, r *coordinator.PrepareRequest) (txn.Vote, error) {
	return a.Adjudicator.Prepare(ctx, (*adjudicator.PrepareRequest)(r))
}

// fixedRanges is the directory of one process: equal parts of the hash space, for good.
type fixedRanges []coordinator.Range

func (r fixedRanges) Ranges() []coordinator.Range   { return r }
func (r fixedRanges) Refresh(context.Context) error { return nil }

// rangeStart is where part i of n of the hash space begins.
func rangeStart(i, n int) keys.Hash {
	return keys.Hash(uint64(math.MaxUint64/uint64(n)) * uint64(i))
}

// startDataPlane opens the log, the journals and the storage and starts the roles. fatal is called, possibly more than
// once, when the node cannot go on.
func startDataPlane(ctx context.Context, cfg Config, id identity, fatal func(error)) (*dataPlane, error) {
	// Nobody compares this clock with another: it has no error, and may be told how far time had come before a crash.
	d := &dataPlane{cfg: cfg, clock: clock.New(cfg.Host, 0)}
	if err := d.open(ctx, id, fatal); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

func (d *dataPlane) open(ctx context.Context, id identity, fatal func(error)) error {
	fsys := d.cfg.Host.FS()
	dir := path.Join(d.cfg.DataDir, "journal")
	var err error
	d.log, err = raftgroup.OpenLog(fsys, dir, raftgroup.LogConfig{SegmentBytes: d.cfg.LogSegmentBytes, Stopped: func(err error) { fatal(fmt.Errorf("the journal's log: %w", err)) }})
	if err != nil {
		return fmt.Errorf("opening the journal's log: %w", err)
	}
	for i := range id.ConflictRanges {
		j, err := journal.Open(d.log, fsys, dir, journal.Config{ID: txn.JournalID(i + 1)})
		if err != nil {
			return fmt.Errorf("opening journal %d: %w", i+1, err)
		}
		d.journals = append(d.journals, j)
	}
	// From here on the journals replay their records, storage applies them as they come, and the adjudicators wait for
	// the end of it.
	d.log.Start()
	ranges, sources := d.makeAdjudicators()
	hot := d.cfg.CacheBytes / 4
	alone, err := storage.Open(storage.Config{
		Store: mvcc.Config{FS: fsys, Dir: path.Join(d.cfg.DataDir, "storage"), CacheBytes: d.cfg.CacheBytes - hot, HotBytes: hot,
			Fatal: func(err error) { fatal(fmt.Errorf("storage: %w", err)) }},
		Feed: crossbar.New(sources...), Clock: d.clock, Time: d.cfg.Host, Retention: d.cfg.Retention,
		Durable: d.trim, Fatal: func(err error) { fatal(fmt.Errorf("storage: %w", err)) },
	})
	if err != nil {
		return fmt.Errorf("opening the storage: %w", err)
	}
	d.storage = alone
	if err := d.startAdjudicators(ctx); err != nil {
		return fmt.Errorf("starting the adjudicators: %w", err)
	}
	d.db = coordinator.New(coordinator.Config{
		Clock: d.clock, Time: d.cfg.Host, Random: d.cfg.Host, Snapshots: d.storage, Ranges: ranges, HashSeed: id.HashSeed, Node: 1,
		Limits: coordinator.Limits{Rows: d.cfg.TransactionRows, Bytes: d.cfg.TransactionBytes, Age: d.cfg.TransactionAge},
	})
	return nil
}

// makeAdjudicators makes one adjudicator for each journal.
func (d *dataPlane) makeAdjudicators() (fixedRanges, []crossbar.Source) {
	n := len(d.journals)
	ranges := make(fixedRanges, n)
	sources := make([]crossbar.Source, n)
	for i, j := range d.journals {
		a := adjudicator.New(adjudicator.Config{Journal: j.ID(), Ranges: []txn.HashRange{{First: rangeStart(i, n), Last: rangeEnd(i, n)}}}, d.clock, d.cfg.Host, j)
		d.adjudicators = append(d.adjudicators, a)
		ranges[i] = coordinator.Range{Start: rangeStart(i, n), Journal: j.ID(), Adjudicator: localAdjudicator{a}}
		sources[i] = crossbar.Source{ID: j.ID(), Log: j, Owner: a}
	}
	return ranges, sources
}

// startAdjudicators starts them all at once: each may have to wait for a lease to run out.
func (d *dataPlane) startAdjudicators(ctx context.Context) error {
	errs := make([]error, len(d.adjudicators))
	var wg sync.WaitGroup
	for i, a := range d.adjudicators {
		wg.Go(func() { errs[i] = a.Start(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// rangeEnd is the last hash of part i of n.
func rangeEnd(i, n int) keys.Hash {
	if i == n-1 {
		return math.MaxUint64
	}
	return rangeStart(i+1, n) - 1
}

// trim lets go of what storage has made durable by itself.
func (d *dataPlane) trim(applied map[txn.JournalID]uint64) {
	for _, j := range d.journals {
		if index, ok := applied[j.ID()]; ok {
			if err := j.Trim(index); err != nil {
				d.cfg.Log.Warn("trimming a journal failed", "journal", j.ID(), "error", err)
			}
		}
	}
}

// stop ends the roles in the reverse of their order.
func (d *dataPlane) stop() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, a := range d.adjudicators {
		errs = append(errs, a.Close(ctx))
	}
	if d.storage != nil {
		errs = append(errs, d.storage.Close())
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.stop())
	}
	return errors.Join(errs...)
}
