package builtin

import (
	"net/netip"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// Context is what functions may know of their surroundings. One goroutine uses a Context at a time; parallel workers
// have one each.
type Context struct {
	// Times in microseconds since 2000-01-01 UTC, as in timestamptz.
	StatementTime   int64
	TransactionTime int64

	User        string // current_user
	SessionUser string
	Database    string
	BackendPID  int32
	Version     string // Meridian's version, for version()
	// FullVersion is what version() answers when it is not empty.
	FullVersion string

	Client, Server netip.AddrPort // the ends of the connection, when it has them

	Env     *datum.Env // zone, date style and other settings of text forms; nil means the defaults
	Facts   *Facts     // required
	Session Session    // nil where there is none (defaults evaluated in DDL, tests): its functions answer 0A000

	scratch scratch
}

// scratch is working memory that implementations reuse between rows.
type scratch struct {
	buf      []byte
	random   *randomState
	regexps  regexpCache
	path     *datum.JSONPath
	pathText string
}

// Session is what functions ask of the session and of the catalogue. All methods run inside the statement: they may
// read through its transaction.
type Session interface {
	// Now is the wall clock in microseconds since 2000-01-01 UTC.
	Now() int64
	// Sleep waits, or returns 57014 when the statement is cancelled first.
	Sleep(microseconds int64) error
	// RandomBytes fills b with unpredictable bytes.
	RandomBytes(b []byte)
	// Setting returns a setting's text; ok is false when there is no such setting.
	Setting(name string) (value string, ok bool)
	// SetSetting changes a setting, for the transaction only when local, and returns the new text.
	SetSetting(name, value string, local bool) (string, error)
	// NextVal, CurrVal, SetVal and LastVal are the sequence functions; the sequence is given by its OID (regclass).
	NextVal(sequence OID) (int64, error)
	CurrVal(sequence OID) (int64, error)
	SetVal(sequence OID, value int64, called bool) (int64, error)
	LastVal() (int64, error)
	// TransactionID returns the transaction's id, or 0 when assign is false and it has none yet.
	TransactionID(assign bool) (uint64, error)
	// SearchPath returns current_schemas: existing schemas on the path, with pg_catalog when implicit.
	SearchPath(implicit bool) ([]string, error)
	// SystemFunction computes a function over the catalogue or the server's state: pg_get_*, has_*_privilege,
	// pg_*_is_visible, to_reg*, obj_description, pg_relation_size, pg_cancel_backend, inet_client_addr and the like,
	// by its pg_proc row. It answers failure.NotSupported for what it does not know.
	SystemFunction(fn *Func, args []datum.Datum) (datum.Datum, error)
	// SystemRows is SystemFunction for set-returning functions (pg_stat_get_activity, pg_lock_status …).
	SystemRows(fn *Func, args []datum.Datum) ([][]datum.Datum, error)
}

// session returns the session, or the error of a function that cannot do without one.
func (c *Context) session(what string) (Session, error) {
	if c.Session == nil {
		return nil, failure.NotSupported("%s outside a session", what)
	}
	return c.Session, nil
}
