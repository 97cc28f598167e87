package syscat

import (
	"context"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// Env is what one statement sees of the world. The session passes a *Env to the executor for system tables.
type Env struct {
	Snapshot    *catalog.Snapshot
	Path        catalog.Path
	User        catalog.OID
	SessionUser catalog.OID
	// Facts are the built-in types and functions; user-defined ones are taken from Snapshot.
	Facts *builtin.Facts
	// Server answers what is not in the catalogue; it may be nil.
	Server Server
}

// Holder is what carries an Env: a session passes itself to the executor and answers with the Env of the running
// statement.
type Holder interface {
	SystemEnv() *Env
}

// envOf finds the Env in what the session gave the executor: an *Env or a Holder.
func envOf(env any) (*Env, error) {
	switch e := env.(type) {
	case *Env:
		if e != nil {
			return e, nil
		}
	case Holder:
		if v := e.SystemEnv(); v != nil {
			return v, nil
		}
	}
	return nil, failure.New(failure.InternalError, "the system catalogue is read without an environment")
}

// Server is the running server as far as the catalogue shows it.
type Server interface {
	// Settings lists the configuration parameters, by name.
	Settings() []Setting
	// Activity lists the sessions.
	Activity() []Activity
	// Jobs lists the jobs that the statement's transaction sees.
	Jobs(ctx context.Context) ([]Job, error)
	// SequenceState returns a sequence's last value, the number of values reserved after it, and whether it was used.
	SequenceState(ctx context.Context, t *catalog.Table) (last, left int64, called bool, err error)
	// Prepared lists the session's prepared statements.
	Prepared() []Prepared
	// Cursors lists the session's open cursors.
	Cursors() []Cursor
}

// Setting is a row of pg_settings.
type Setting struct {
	Name, Value, Unit, Category, ShortDesc, ExtraDesc string
	Context, VarType, Source                          string
	MinVal, MaxVal                                    string
	EnumVals                                          []string
	BootVal, ResetVal                                 string
}

// Activity is a row of pg_stat_activity. Times are microseconds since 2000-01-01 UTC, 0 for none.
type Activity struct {
	PID                                            int32
	User                                           catalog.OID
	Application, ClientAddr                        string
	ClientPort                                     int32
	BackendStart, XactStart, QueryStart, StateSeen int64
	State, Query, BackendType                      string
}

// Job is a row of sys.jobs. Times are microseconds since 2000-01-01 UTC.
type Job struct {
	ID, Status, Details, Type string
	Object                    catalog.OID
	Name                      string
	Started, Updated          int64
}

// Prepared is a row of pg_prepared_statements.
type Prepared struct {
	Name, Statement string
	PrepareTime     int64
	Params          []catalog.OID
	FromSQL         bool
}

// Cursor is a row of pg_cursors.
type Cursor struct {
	Name, Statement              string
	Holdable, Binary, Scrollable bool
	Created                      int64
}
