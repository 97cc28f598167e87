package node

import (
	"context"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/pgwire"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/session"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/sql/syscat"
)

// sqlPlane is everything above txn.DB.
type sqlPlane struct {
	engine   *session.Engine
	jobs     *jobs
	backends backends
}

// startSQL brings the catalogue up and starts the job runner.
func startSQL(ctx context.Context, cfg Config, d *dataPlane) (*sqlPlane, error) {
	if err := catalog.Bootstrap(ctx, d.db); err != nil {
		return nil, fmt.Errorf("preparing the catalogue: %w", err)
	}
	tmp := path.Join(cfg.DataDir, "tmp")
	if err := emptyDir(cfg.Host.FS(), tmp); err != nil {
		return nil, fmt.Errorf("emptying %s: %w", tmp, err)
	}
	p := &sqlPlane{}
	facts := builtin.Load()
	oids := catalog.NewOIDs(d.db)
	system := syscat.New()
	cache := catalog.NewCache(system.Tables())
	p.jobs = newJobs(cfg)
	p.engine = session.NewEngine(session.Config{
		Host: cfg.Host, Log: cfg.Log, DB: d.db, Catalog: cache, System: system, OIDs: oids, Facts: facts, Version: cfg.Version,
		SpanBytes: d.storage.SpanBytes,
		Settings: setting.NewRegistry(setting.Server{MaxConnections: fmt.Sprint(cfg.MaxConnections), Port: portOf(cfg.Listen),
			DataDirectory: cfg.DataDir, Compat: cfg.Compat, AutoAnalyze: cfg.AutoAnalyze,
			AnalyzeThreshold: autoAnalyze().Threshold, AnalyzeScale: autoAnalyze().Scale}),
		Shared: cfg.Cluster != nil, Sequences: ddl.NewSequences(d.db), Jobs: p.jobs, Backends: &p.backends,
		Memory: spill.Config{OperatorLimit: cfg.QueryMemoryBytes / 4, QueryLimit: cfg.QueryMemoryBytes, FS: cfg.Host.FS(), Dir: tmp},
	})
	p.jobs.start(ctx, ddl.NewRunner(ddl.Config{
		DB: d.db, Cache: cache, Engine: p.engine.SchemaEngine(), OIDs: oids, Facts: facts,
		NowMicros: func() int64 { return cfg.Host.Now().UnixMicro() }, DropSpans: true,
	}))
	p.jobs.analyze(ctx, p.engine)
	return p, nil
}

// autoAnalyze says when a table is analysed by itself: PostgreSQL's defaults.
func autoAnalyze() session.AutoAnalyze { return session.AutoAnalyze{Threshold: 50, Scale: 0.1} }

func (p *sqlPlane) stop() { p.jobs.stop() }

// emptyDir makes a folder that holds nothing: temporary files of a process that died are of no use.
func emptyDir(fsys host.FS, dir string) error {
	if err := fsys.RemoveAll(dir); err != nil {
		return err
	}
	return fsys.MkdirAll(dir)
}

// backends is the wire server, once there is one.
type backends struct{ server atomic.Pointer[pgwire.Server] }

func (b *backends) set(s *pgwire.Server) { b.server.Store(s) }

// CancelBackend implements session.Backends.
func (b *backends) CancelBackend(pid int32) bool {
	s := b.server.Load()
	return s != nil && s.CancelBackend(pid)
}

// TerminateBackend implements session.Backends.
func (b *backends) TerminateBackend(pid int32) bool {
	s := b.server.Load()
	return s != nil && s.TerminateBackend(pid)
}

// jobs owns the goroutine that runs background jobs.
type jobs struct {
	cfg    Config
	runner *ddl.Runner
	wake   chan struct{}
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newJobs(cfg Config) *jobs { return &jobs{cfg: cfg, wake: make(chan struct{}, 1)} }

// lookEvery is how often jobs of a node that died would be found; one process finds its own at the start.
const lookEvery = time.Minute

func (j *jobs) start(ctx context.Context, r *ddl.Runner) {
	ctx, j.cancel = context.WithCancel(ctx)
	j.runner = r
	j.wg.Go(func() {
		r.Run(ctx, j.wake, func(err error) { j.cfg.Log.Warn("a background job failed for now", "error", err) })
	})
	j.wg.Go(func() {
		for j.cfg.Host.Sleep(ctx, lookEvery) == nil {
			j.Wake()
		}
	})
}

// analyze looks now and then for tables that have changed much.
func (j *jobs) analyze(ctx context.Context, e *session.Engine) {
	if j.cfg.AutoAnalyze < 0 {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := j.cancel
	j.cancel = func() { stop(); cancel() }
	j.wg.Go(func() {
		for j.cfg.Host.Sleep(ctx, j.cfg.AutoAnalyze) == nil {
			if n, err := e.AutoAnalyze(ctx, autoAnalyze()); err != nil && ctx.Err() == nil {
				j.cfg.Log.Warn("analysing tables failed for now", "error", err)
			} else if n > 0 {
				j.cfg.Log.Debug("analysed tables that had changed", "tables", n)
			}
		}
	})
}

func (j *jobs) stop() {
	if j.cancel != nil {
		j.cancel()
	}
	j.wg.Wait()
}

// Wake implements session.Jobs.
func (j *jobs) Wake() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Wait implements session.Jobs.
func (j *jobs) Wait(ctx context.Context, id string) error {
	job, err := j.runner.Drive(ctx, id)
	if err != nil {
		return err
	}
	return job.Err()
}
