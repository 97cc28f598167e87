package session

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/txn"
)

// Config is what all sessions of a node share.
type Config struct {
	Host    host.Host
	Log     *slog.Logger
	DB      txn.DB
	Catalog *catalog.Cache
	System  SystemCatalog
	OIDs    *catalog.OIDs
	// Sequences hands out the values of sequences; Jobs runs index builds and the like.
	Sequences Sequences
	Jobs      Jobs
	Facts     *builtin.Facts
	Settings  *setting.Registry
	// Memory bounds each query and says where it may spill.
	Memory spill.Config
	// Version is Meridian's own version, for version().
	Version string
	// Backends reaches other sessions, for pg_cancel_backend and its kin; nil where there is no server.
	Backends Backends
	// Shared says that other processes run sessions on the same store: their temporary objects are left alone.
	Shared bool
	// SpanBytes says about how many bytes on disk a span takes, as far as they have got there; nil knows nothing. ANALYZE
	// looks at samples of tables that are large, and the planner no longer takes them for small.
	SpanBytes func(span keys.Span) (int64, error)
	// MaxRetries bounds how often a lone statement that lost a conflict is run again.
	MaxRetries int
}

// SystemCatalog is package syscat: the virtual tables and the functions over the catalogue. env is the session as
// syscat sees it (syscat.Env).
type SystemCatalog interface {
	Table(t *catalog.Table) *plan.SystemTable
	Function(ctx context.Context, env any, fn *builtin.Func, args []datum.Datum) (datum.Datum, error)
	FunctionRows(ctx context.Context, env any, fn *builtin.Func, args []datum.Datum) ([][]datum.Datum, error)
	RegInput(ctx context.Context, env any, reg datum.OID, text string) (datum.OID, error)
	RegOutput(ctx context.Context, env any, reg, oid datum.OID) (string, error)
}

// Sequences is where sequences take their values from, outside of transactions.
type Sequences interface {
	Next(ctx context.Context, t *catalog.Table) (int64, error)
	Set(ctx context.Context, t *catalog.Table, v int64, called bool) error
	State(ctx context.Context, t *catalog.Table) (last, left int64, called bool, err error)
}

// Jobs runs what schema changes leave to be done.
type Jobs interface {
	// Wait drives a job to its end and returns the error that it failed with.
	Wait(ctx context.Context, id string) error
	// Wake says that there may be new jobs.
	Wake()
}

// Backends signals sessions by their process id. The result says whether there was one.
type Backends interface {
	CancelBackend(pid int32) bool
	TerminateBackend(pid int32) bool
}

// Engine makes sessions and holds what they share. It is safe for concurrent use.
type Engine struct {
	cfg     Config
	started int64
	// rows counts the row ids of tables without a primary key; see rowID.
	rows atomic.Int64
	salt uint32
	// swept says that the temporary objects of earlier processes are gone.
	swept atomic.Bool
	// advisory are the advisory locks of all sessions.
	advisory advisoryLocks
	// changed counts rows changed since the last ANALYZE, by table.
	changed changeCounts

	mu struct {
		sync.Mutex
		sessions map[int32]*Session
	}
}

// NewEngine makes an engine.
func NewEngine(cfg Config) *Engine {
	if cfg.MaxRetries == 0 {
		cfg.MaxRetries = 100
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, salt: uint32(cfg.Host.Uint64())}
	e.mu.sessions = map[int32]*Session{}
	e.started = e.now()
	return e
}

// epoch2000 is 2000-01-01 UTC in Unix microseconds.
const epoch2000 = 946684800 * int64(time.Second/time.Microsecond)

// now is the wall clock in microseconds since 2000.
func (e *Engine) now() int64 { return e.cfg.Host.Now().UnixMicro() - epoch2000 }

// rowID makes an id that no row has: the time at which this process started, its own random number, and a counter. Ids
// of one process increase, so that new rows lie near each other.
func (e *Engine) rowID() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(e.started))
	n := e.rows.Add(1)
	binary.BigEndian.PutUint16(id[8:], uint16(e.salt))
	id[10] = byte(n >> 40)
	id[11] = byte(n >> 32)
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// system is the system catalogue, or one that knows nothing.
func (e *Engine) system() SystemCatalog {
	if e.cfg.System == nil {
		return noSystem{}
	}
	return e.cfg.System
}

// noSystem stands where a process has no system catalogue (tests of parts).
type noSystem struct{}

func (noSystem) Table(*catalog.Table) *plan.SystemTable { return nil }
func (noSystem) Function(_ context.Context, _ any, fn *builtin.Func, _ []datum.Datum) (datum.Datum, error) {
	return datum.Null, failure.NotSupported("function %s", fn.Name)
}
func (noSystem) FunctionRows(_ context.Context, _ any, fn *builtin.Func, _ []datum.Datum) ([][]datum.Datum, error) {
	return nil, failure.NotSupported("function %s", fn.Name)
}
func (noSystem) RegInput(context.Context, any, datum.OID, string) (datum.OID, error) {
	return 0, failure.NotSupported("names of catalogue objects as values")
}
func (noSystem) RegOutput(context.Context, any, datum.OID, datum.OID) (string, error) {
	return "", failure.NotSupported("names of catalogue objects as values")
}

// randomBytes fills b.
func (e *Engine) randomBytes(b []byte) {
	var word [8]byte
	for len(b) > 0 {
		binary.LittleEndian.PutUint64(word[:], e.cfg.Host.Uint64())
		b = b[copy(b, word[:]):]
	}
}

// Role looks a role up for authentication.
func (e *Engine) Role(ctx context.Context, name string) (*catalog.Role, error) {
	tx := e.cfg.DB.Begin(txn.Options{ReadOnly: true})
	defer tx.Rollback()
	snap, err := e.cfg.Catalog.At(ctx, tx)
	if err != nil {
		return nil, err
	}
	return snap.Role(name), nil
}

// Open makes a session for an authenticated user.
func (e *Engine) Open(ctx context.Context, st Startup, sink Sink) (*Session, error) {
	s := e.newSession(st, sink)
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.mu.sessions[st.PID] = s
	e.mu.Unlock()
	return s, nil
}

func (e *Engine) newSession(st Startup, sink Sink) *Session {
	s := &Session{engine: e, sink: sink, startup: st, user: st.User, sessionUser: st.User}
	s.settings = setting.NewSet(e.cfg.Settings)
	s.prepared = map[string]*prepared{}
	s.portals = map[string]*portal{}
	s.plans = newPlanCache(planCacheSize)
	s.temp = e.tempName(st.PID)
	s.bctx = builtin.Context{Facts: e.cfg.Facts, Session: (*hooks)(s), Version: e.cfg.Version, BackendPID: st.PID,
		User: st.User, SessionUser: st.User}
	if end, err := netip.ParseAddrPort(st.ClientAddr); err == nil {
		s.bctx.Client = end
	}
	now := e.now()
	s.activity.mu.a = Activity{PID: st.PID, User: st.User, ClientAddr: st.ClientHost, ClientPort: st.ClientPort, State: "idle", BackendStart: now, StateChange: now}
	return s
}

// connect checks the database and applies the role's and the client's parameters.
func (s *Session) connect(ctx context.Context) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	snap := s.t.cat.Snapshot()
	db := snap.Database()
	if db.Name != s.startup.Database {
		s.abandon()
		return failure.New(failure.InvalidCatalogName, "database \"%s\" does not exist", s.startup.Database).
			WithSeverity(failure.SeverityFatal).
			WithHint("There is one database, \"%s\": connect with dbname=%s.", db.Name, db.Name)
	}
	s.bctx.Database = db.Name
	role := snap.Role(s.user)
	if role == nil {
		s.abandon()
		return failure.New(failure.InvalidAuthorizationSpecification, "role \"%s\" does not exist", s.user).
			WithSeverity(failure.SeverityFatal)
	}
	start := setting.Options{Startup: true, Superuser: role.Superuser}
	force := setting.Options{Startup: true, Force: true}
	superuser := "off"
	if role.Superuser {
		superuser = "on"
	}
	for _, p := range []Parameter{{"session_authorization", s.user}, {"is_superuser", superuser}} {
		if err := s.settings.Assign(p.Name, p.Value, force); err != nil {
			return err
		}
	}
	for _, m := range []catalog.Setting{db.Config, role.Config} {
		for name, value := range m {
			if err := s.settings.Assign(name, value, start); err != nil {
				s.warn(failure.CodeOf(err), "%s", failure.As(err).Message)
			}
		}
	}
	for _, p := range s.startup.Parameters {
		err := s.strictStartup(p.Name)
		if err == nil {
			err = s.settings.Assign(p.Name, p.Value, start)
		}
		if err != nil {
			s.abandon()
			return failure.As(err).Edit().WithSeverity(failure.SeverityFatal)
		}
	}
	s.settings.Changed = s.settings.Changed[:0]
	if err := s.commit(ctx); err != nil {
		return err
	}
	if err := s.sweepTemporary(ctx); err != nil {
		s.engine.cfg.Log.Warn("temporary tables of earlier sessions are left behind", "error", err)
	}
	return nil
}

func (e *Engine) forget(s *Session) {
	e.mu.Lock()
	delete(e.mu.sessions, s.startup.PID)
	e.mu.Unlock()
}

// Activity is a line of pg_stat_activity.
type Activity struct {
	PID               int32
	User, Application string
	ClientAddr        string
	ClientPort        int
	State             string
	Query             string
	BackendStart      int64
	XactStart         int64 // 0 outside a transaction
	QueryStart        int64 // 0 before the first query
	StateChange       int64
}

// Activities lists the sessions.
func (e *Engine) Activities() []Activity {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Activity, 0, len(e.mu.sessions))
	for _, s := range e.mu.sessions {
		out = append(out, s.activity.get())
	}
	return out
}
