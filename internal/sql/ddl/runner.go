package ddl

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn"
)

// Config is what a Runner works with.
type Config struct {
	DB     txn.DB
	Cache  *catalog.Cache
	Engine Engine
	OIDs   *catalog.OIDs
	Facts  *builtin.Facts
	// NowMicros reads the wall clock as Unix microseconds.
	NowMicros func() int64
	// BatchRows is the number of rows that one transaction of a backfill handles; 0 is 500.
	BatchRows int
	// DropSpans says that storage carries out what writes of keys.DropKey tell it. Without, keys are deleted one by one.
	DropSpans bool
}

// Runner carries jobs out, step by step. Every step is a transaction that writes the job's row, so two Runners on the
// same job cannot do harm: one of them loses and looks again.
type Runner struct {
	cfg Config
	// one lets this node work on one job at a time.
	one sync.Mutex
}

// NewRunner makes a Runner.
func NewRunner(cfg Config) *Runner {
	if cfg.BatchRows == 0 {
		cfg.BatchRows = 500
	}
	return &Runner{cfg: cfg}
}

// Run works on all jobs that are not done, then again whenever wake delivers, until ctx ends or wake is closed. Jobs of
// nodes that died are picked up here, so wake should also deliver now and then by itself. Errors of single rounds are
// given to report (which may be nil) and do not end Run.
func (r *Runner) Run(ctx context.Context, wake <-chan struct{}, report func(error)) {
	for {
		if err := r.RunPending(ctx); err != nil && ctx.Err() == nil && report != nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case _, ok := <-wake:
			if !ok {
				return
			}
		}
	}
}

// RunPending works on the jobs that are not done now.
func (r *Runner) RunPending(ctx context.Context) error {
	tx := r.cfg.DB.Begin(txn.Options{ReadOnly: true, Internal: true})
	jobs, err := ListJobs(ctx, tx)
	tx.Rollback()
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Done() {
			if r.cfg.NowMicros()-j.Updated > keepDone {
				if err := r.forget(ctx, j.ID); err != nil {
					return err
				}
			}
			continue
		}
		if _, err := r.Drive(ctx, j.ID); err != nil {
			return err
		}
	}
	return nil
}

// keepDone is how long the row of a finished job stays, in microseconds.
const keepDone = 30 * 60 * 1_000_000

// forget removes the row of a finished job.
func (r *Runner) forget(ctx context.Context, id string) error {
	tx := r.cfg.DB.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	if err := tx.Write(ctx, txn.Write{Key: jobKey(id), Delete: true}); err != nil {
		return err
	}
	_, err := tx.Commit(ctx)
	if failure.Retryable(err) {
		return nil
	}
	return err
}

// Drive works on a job until it is done and returns it; nil when there is no such job. It is also how to wait for one.
func (r *Runner) Drive(ctx context.Context, id string) (*Job, error) {
	r.one.Lock()
	defer r.one.Unlock()
	for {
		j, err := r.Step(ctx, id)
		switch {
		case failure.Retryable(err) && ctx.Err() == nil:
			continue
		case err != nil || j == nil || j.Done():
			return j, err
		}
	}
}

// Step does one transaction's worth of work on a job and returns the job as it then is.
func (r *Runner) Step(ctx context.Context, id string) (*Job, error) {
	tx := r.cfg.DB.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	j, err := ReadJob(ctx, tx, id)
	if err != nil || j == nil || j.Done() {
		return j, err
	}
	cat, err := r.cfg.Cache.Begin(ctx, tx)
	if err != nil {
		return nil, err
	}
	j.Status, j.Updated = JobProcessing, r.cfg.NowMicros()
	if err := r.work(ctx, cat, j); err != nil {
		if failure.Retryable(err) || ctx.Err() != nil {
			return nil, err
		}
		tx.Rollback()
		return r.fail(ctx, id, err)
	}
	if err := writeJob(ctx, tx, j); err != nil {
		return nil, err
	}
	if _, err := tx.Commit(ctx); err != nil {
		return nil, err
	}
	return j, nil
}

func (r *Runner) work(ctx context.Context, cat *catalog.Txn, j *Job) error {
	switch j.Type {
	case JobIndexBuild:
		return r.buildIndex(ctx, cat, j)
	case JobValidate:
		return r.validate(ctx, cat, j)
	case JobAnalyze:
		return r.analyze(ctx, cat, j)
	case JobDrop:
		return r.clear(ctx, cat, j)
	default:
		return failure.New(failure.InternalError, "job of unknown type \"%s\"", j.Type)
	}
}

// env is what statements' helpers need, for a job's transaction.
func (r *Runner) env(cat *catalog.Txn) *Env {
	return &Env{Cat: cat, User: catalog.OIDPostgres, SessionUser: catalog.OIDPostgres, Engine: r.cfg.Engine,
		OIDs: r.cfg.OIDs, Facts: r.cfg.Facts, NowMicros: r.cfg.NowMicros(), InBlock: true}
}

// buildIndex fills in the next batch of entries, or makes the index public when there are none left.
func (r *Runner) buildIndex(ctx context.Context, cat *catalog.Txn, j *Job) error {
	t, x := cat.Snapshot().IndexByOID(j.Object)
	if t == nil {
		j.Status, j.Details = JobCompleted, "relation \""+j.Name+"\" does not exist"
		return nil
	}
	if x.State == catalog.IndexPublic {
		j.Status = JobCompleted
		return nil
	}
	next, rows, err := r.cfg.Engine.Backfill(ctx, cat, t, x, j.Checkpoint, r.cfg.BatchRows)
	if err != nil {
		return r.env(cat).aboutIndex(err, t, x)
	}
	j.Rows += rows
	if next != nil {
		j.Checkpoint = next
		return cat.Use(ctx, t.OID)
	}
	t = t.Clone()
	x = t.IndexByOID(x.OID)
	x.State, x.Job = catalog.IndexPublic, ""
	j.Status, j.Checkpoint = JobCompleted, nil
	return cat.Put(ctx, t)
}

// validate checks the rows that were there before a NOT VALID constraint.
func (r *Runner) validate(ctx context.Context, cat *catalog.Txn, j *Job) error {
	t := cat.Snapshot().TableByOID(j.Table)
	if t == nil {
		j.Status, j.Details = JobCompleted, "Skipped job for nonexistent table."
		return nil
	}
	j.Status = JobCompleted
	return r.env(cat).validateConstraint(ctx, t.Clone(), j.Object)
}

func (r *Runner) analyze(ctx context.Context, cat *catalog.Txn, j *Job) error {
	t := cat.Snapshot().TableByOID(j.Table)
	j.Status = JobCompleted
	if t == nil {
		j.Details = "Skipped job for nonexistent table."
		return nil
	}
	return r.env(cat).analyzeTable(ctx, t, nil)
}

// clear deletes the next batch of what a dropped or truncated table left behind.
func (r *Runner) clear(ctx context.Context, cat *catalog.Txn, j *Job) error {
	tx := cat.Store()
	if r.cfg.DropSpans {
		// Nothing refers to the span any more; the fact travels to every replica like a row.
		span := keys.TableSpan(j.Data)
		j.Status = JobCompleted
		return tx.Write(ctx, txn.Write{Key: keys.DropKey(span), Value: span.End, Blind: true})
	}
	limit := int64(r.cfg.BatchRows)
	scan, err := tx.Scan(ctx, txn.ScanRequest{Span: keys.TableSpan(j.Data), Limit: limit})
	if err != nil {
		return err
	}
	defer scan.Close()
	n := int64(0)
	for n < limit {
		batch, err := scan.Next(ctx)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, kv := range batch {
			n++
			// Nobody writes these keys any more: their table id is in no descriptor.
			w := txn.Write{Key: append(keys.Key(nil), kv.Key...), Delete: true, Blind: true}
			if err := tx.Write(ctx, w); err != nil {
				return err
			}
		}
	}
	j.Rows += n
	if n < limit {
		j.Status = JobCompleted
	}
	return nil
}

// fail marks a job as failed and takes back what it was building.
func (r *Runner) fail(ctx context.Context, id string, cause error) (*Job, error) {
	tx := r.cfg.DB.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	j, err := ReadJob(ctx, tx, id)
	if err != nil || j == nil || j.Done() {
		return j, err
	}
	j.Status, j.Updated, j.Checkpoint, j.Details = JobFailed, r.cfg.NowMicros(), nil, cause.Error()
	if f := failure.As(cause); f != nil {
		j.Details, j.Detail, j.Code = f.Message, f.Detail, f.Code
		j.SchemaField, j.TableField, j.ConstraintField = f.Schema, f.Table, f.Constraint
	}
	if j.Type == JobIndexBuild {
		cat, err := r.cfg.Cache.Begin(ctx, tx)
		if err != nil {
			return nil, err
		}
		if err := r.failIndex(ctx, cat, j); err != nil {
			return nil, err
		}
	}
	if err := writeJob(ctx, tx, j); err != nil {
		return nil, err
	}
	if _, err := tx.Commit(ctx); err != nil {
		return nil, err
	}
	return j, nil
}

func (r *Runner) failIndex(ctx context.Context, cat *catalog.Txn, j *Job) error {
	t, x := cat.Snapshot().IndexByOID(j.Object)
	if t == nil {
		return nil
	}
	t = t.Clone()
	x = t.IndexByOID(x.OID)
	x.Failed, x.Job = true, ""
	if j.DropOnFailure {
		removeIndex(t, x.OID)
	}
	return cat.Put(ctx, t)
}

// Wait drives a job to its end and returns the error that it failed with.
func (r *Runner) Wait(ctx context.Context, id string) error {
	j, err := r.Drive(ctx, id)
	if err != nil {
		return err
	}
	if j == nil {
		return failure.New(failure.UndefinedObject, "job \"%s\" does not exist", id)
	}
	return j.Err()
}
