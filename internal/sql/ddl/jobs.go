package ddl

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn"
)

// JobType is a kind of job, as sys.jobs shows it.
type JobType string

// The kinds of jobs.
const (
	JobIndexBuild JobType = "INDEX_BUILD"
	JobValidate   JobType = "VALIDATE_CONSTRAINT"
	JobAnalyze    JobType = "ANALYZE"
	JobDrop       JobType = "DROP"
)

// JobStatus is how far a job is.
type JobStatus string

// The states of a job.
const (
	JobSubmitted  JobStatus = "submitted"
	JobProcessing JobStatus = "processing"
	JobCompleted  JobStatus = "completed"
	JobFailed     JobStatus = "failed"
)

// Job is a row of the jobs table. Times are Unix microseconds.
type Job struct {
	ID     string
	Type   JobType
	Status JobStatus
	// Table is the relation the job works on, Object the index or constraint.
	Table  catalog.OID
	Object catalog.OID `json:",omitempty"`
	// Data is what a JobDrop clears.
	Data keys.TableID `json:",omitempty"`
	// Name is the object's name with its schema, for people.
	Name    string
	Details string       `json:",omitempty"`
	Code    failure.Code `json:",omitempty"` // of the error in Details
	// Detail is the error's second line.
	Detail string `json:",omitempty"`
	// The error's fields that name what it is about.
	SchemaField, TableField, ConstraintField string `json:",omitempty"`
	// Checkpoint is where the work goes on after a restart.
	Checkpoint []byte `json:",omitempty"`
	Rows       int64  `json:",omitempty"`
	// DropOnFailure jobs remove their index when they fail (CREATE INDEX without ASYNC).
	DropOnFailure bool `json:",omitempty"`
	Started       int64
	Updated       int64
}

// Done says whether the job has ended.
func (j *Job) Done() bool { return j.Status == JobCompleted || j.Status == JobFailed }

// Err is the error of a failed job, or nil.
func (j *Job) Err() error {
	if j.Status != JobFailed {
		return nil
	}
	code := j.Code
	if code == "" {
		code = failure.InternalError
	}
	err := failure.New(code, "%s", j.Details)
	if j.Detail != "" {
		err = err.WithDetail("%s", j.Detail)
	}
	return err.WithTable(j.SchemaField, j.TableField).WithConstraint(j.ConstraintField)
}

// jobIDEncoding prints 16 random bytes as 26 lower-case letters and digits.
var jobIDEncoding = base32.StdEncoding.WithPadding(base32.NoPadding) //nolint: immutable

func newJobID(random func([]byte)) string {
	var b [16]byte
	random(b[:])
	return strings.ToLower(jobIDEncoding.EncodeToString(b[:]))
}

// ParseJobID checks a job id that a user wrote.
func ParseJobID(s string) error {
	b, err := jobIDEncoding.DecodeString(strings.ToUpper(s))
	if err != nil || len(b) != 16 {
		return failure.New(failure.InvalidTextRepresentation, "Unable to convert text to UUID")
	}
	return nil
}

func jobKey(id string) keys.Key {
	return append(keys.AppendPrefix(nil, catalog.TableJobs, keys.PrimaryIndex), id...)
}

// jobFormat is the first byte of a stored job; JSON follows.
const jobFormat = 1

func writeJob(ctx context.Context, tx txn.Txn, j *Job) error {
	body, err := json.Marshal(j)
	if err != nil {
		return failure.New(failure.InternalError, "cannot encode job").WithCause(err)
	}
	return tx.Write(ctx, txn.Write{Key: jobKey(j.ID), Value: append([]byte{jobFormat}, body...)})
}

func decodeJob(v []byte) (*Job, error) {
	j := new(Job)
	if len(v) == 0 || v[0] != jobFormat || json.Unmarshal(v[1:], j) != nil {
		return nil, failure.New(failure.DataCorrupted, "row of the jobs table cannot be read")
	}
	return j, nil
}

// ReadJob returns a job, or nil when there is none of that id.
func ReadJob(ctx context.Context, tx txn.Txn, id string) (*Job, error) {
	var v [1][]byte
	if err := tx.Get(ctx, []keys.Key{jobKey(id)}, v[:]); err != nil || v[0] == nil {
		return nil, err
	}
	return decodeJob(v[0])
}

// ListJobs returns all jobs that the transaction sees, by id.
func ListJobs(ctx context.Context, tx txn.Txn) ([]*Job, error) {
	scan, err := tx.Scan(ctx, txn.ScanRequest{Span: keys.IndexSpan(catalog.TableJobs, keys.PrimaryIndex)})
	if err != nil {
		return nil, err
	}
	defer scan.Close()
	var out []*Job
	for {
		batch, err := scan.Next(ctx)
		if err != nil || len(batch) == 0 {
			return out, err
		}
		for _, kv := range batch {
			j, err := decodeJob(kv.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, j)
		}
	}
}

// addJob stores a new job with the transaction; done says that its work is done already.
func (e *Env) addJob(ctx context.Context, j *Job, done bool) (*Job, error) {
	j.ID = newJobID(e.RandomBytes)
	j.Status, j.Started, j.Updated = JobSubmitted, e.NowMicros, e.NowMicros
	e.pending = e.pending || !done
	if done {
		j.Status = JobCompleted
	}
	if j.Name == "" {
		s := e.snap()
		r := s.RelationByOID(j.Object)
		if !r.Found() {
			r = s.RelationByOID(j.Table)
		}
		if r.Found() {
			j.Name = s.SchemaName(r.Table.Schema) + "." + r.Name()
		}
	}
	return j, writeJob(ctx, e.Cat.Store(), j)
}

// dropData leaves the rows of a table id to a job, when there are any.
func (e *Env) dropData(ctx context.Context, t *catalog.Table) error {
	scan, err := e.Cat.Store().Scan(ctx, txn.ScanRequest{Span: keys.TableSpan(t.Data), Limit: 1})
	if err != nil {
		return err
	}
	batch, err := scan.Next(ctx)
	scan.Close()
	if err != nil || len(batch) == 0 {
		return err
	}
	_, err = e.addJob(ctx, &Job{Type: JobDrop, Table: t.OID, Data: t.Data,
		Name: e.snap().SchemaName(t.Schema) + "." + t.Name}, false)
	return err
}
