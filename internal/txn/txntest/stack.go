package txntest

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/crossbar"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Stack is the whole data plane on one file system: journals, adjudicators, crossbar, storage, coordinator, in real time.
type Stack struct {
	txn.DB
	Storage *storage.Storage

	log          *raftgroup.Log
	adjudicators []*adjudicator.Adjudicator
	failed       chan error
}

// StackConfig of a stack. Zero values mean defaults.
type StackConfig struct {
	// FS holds the files, under "log" and "storage"; memhost.New() for tests.
	FS host.FS
	// Ranges is the number of conflict ranges, each with a journal of its own. 0 is one.
	Ranges int
	// SegmentBytes is the size of a file of the log. 0 is 8 MiB, enough for transactions of a few MiB.
	SegmentBytes int64
	// Limits of transactions.
	Limits coordinator.Limits
	// Adjudicator, when not nil, stands before each adjudicator: tests lose messages there.
	Adjudicator func(coordinator.Adjudicator) coordinator.Adjudicator
	// Storage is what to change of storage's configuration.
	Storage func(*storage.Config)
}

// OpenStack opens what is on the file system, or makes it.
func OpenStack(ctx context.Context, cfg StackConfig) (*Stack, error) {
	s := &Stack{failed: make(chan error, 16)}
	if err := s.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

func (s *Stack) open(ctx context.Context, cfg StackConfig) error {
	machine := oshost.New()
	clk := clock.New(machine, 0)
	var err error
	if cfg.SegmentBytes == 0 {
		cfg.SegmentBytes = 8 << 20
	}
	if s.log, err = raftgroup.OpenLog(cfg.FS, "log", raftgroup.LogConfig{SegmentBytes: cfg.SegmentBytes}); err != nil {
		return err
	}
	n := max(cfg.Ranges, 1)
	journals := make(map[txn.JournalID]*journal.Journal)
	for i := range n {
		j, err := journal.Open(s.log, cfg.FS, "log", journal.Config{ID: txn.JournalID(i + 1)})
		if err != nil {
			return err
		}
		journals[j.ID()] = j
	}
	s.log.Start()
	var ranges fixedRanges
	var sources []crossbar.Source
	for i := range n {
		j := journals[txn.JournalID(i+1)]
		part := keys.Hash(math.MaxUint64 / uint64(n))
		own := txn.HashRange{First: part * keys.Hash(i), Last: part*keys.Hash(i+1) - 1}
		if i == n-1 {
			own.Last = math.MaxUint64
		}
		a := adjudicator.New(adjudicator.Config{Journal: j.ID(), Ranges: []txn.HashRange{own}}, clk, machine, j)
		s.adjudicators = append(s.adjudicators, a)
		if err := a.Start(ctx); err != nil {
			return err
		}
		var judge coordinator.Adjudicator = local{a}
		if cfg.Adjudicator != nil {
			judge = cfg.Adjudicator(judge)
		}
		ranges = append(ranges, coordinator.Range{Start: own.First, Journal: j.ID(), Adjudicator: judge})
		sources = append(sources, crossbar.Source{ID: j.ID(), Log: j, Owner: a})
	}
	sc := storage.Config{
		Store: mvcc.Config{FS: cfg.FS, Dir: "storage", CacheBytes: 16 << 20, HotBytes: 4 << 20, MemTableBytes: 8 << 20},
		Feed:  crossbar.New(sources...), Clock: clk, Time: machine,
		Durable: func(m map[txn.JournalID]uint64) {
			for id, index := range m {
				if err := journals[id].Trim(index); err != nil {
					s.report(fmt.Errorf("trim: %w", err))
				}
			}
		},
		Fatal: s.report,
	}
	if cfg.Storage != nil {
		cfg.Storage(&sc)
	}
	if s.Storage, err = storage.Open(sc); err != nil {
		return err
	}
	s.DB = coordinator.New(coordinator.Config{Clock: clk, Time: machine, Random: machine, Snapshots: s.Storage, Ranges: ranges, Limits: cfg.Limits})
	return nil
}

// report keeps the first few errors for Close.
func (s *Stack) report(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Close ends the roles in the reverse of their order, and reports what failed while they ran.
func (s *Stack) Close(ctx context.Context) error {
	var errs []error
	for _, a := range s.adjudicators {
		errs = append(errs, a.Close(ctx))
	}
	if s.Storage != nil {
		errs = append(errs, s.Storage.Close())
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	for {
		select {
		case err := <-s.failed:
			errs = append(errs, err)
		default:
			return errors.Join(errs...)
		}
	}
}

// Abandon ends the goroutines without any of the courtesies of a shutdown: what the file system has then is what a crash
// leaves, if the caller crashes it first.
func (s *Stack) Abandon() {
	_ = s.Storage.Close()
	_ = s.log.Close()
}

// local is an adjudicator in this process: the two packages' requests have the same fields.
type local struct{ *adjudicator.Adjudicator }

func (a local) Commit(ctx context.Context, r *coordinator.CommitRequest) (coordinator.Result, error) {
	res, err := a.Adjudicator.Commit(ctx, (*adjudicator.CommitRequest)(r))
	return coordinator.Result(res), err
}

func (a local) Prepare(ctx context.Context, r *coordinator.PrepareRequest) (txn.Vote, error) {
	return a.Adjudicator.Prepare(ctx, (*adjudicator.PrepareRequest)(r))
}

type fixedRanges []coordinator.Range

func (r fixedRanges) Ranges() []coordinator.Range   { return r }
func (r fixedRanges) Refresh(context.Context) error { return nil }
