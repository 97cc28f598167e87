package session

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/setting"
)

// Session is one client's session. One goroutine uses it.
type Session struct {
	engine      *Engine
	sink        Sink
	startup     Startup
	user        string // current_user
	sessionUser string
	settings    *setting.Set
	t           transaction
	// catalogStart is the catalogue as it was when the transaction began.
	catalogStart               catalog.Mark
	changedTransactionSettings bool

	prepared map[string]*prepared
	portals  map[string]*portal
	plans    *planCache
	normal   normalized
	bctx     builtin.Context
	search   searchPath
	env      datum.Env
	envAt    uint64          // settings version of env, plus one
	sql      string          // of the running statement, for error positions
	ctx      context.Context //nolint: see hooks: the builtin callbacks have no context of their own
	// resume is where a retry of the extended protocol's lone statement starts its output, and what to run again.
	resume struct {
		portal *portal
		at     int64
		count  int
	}
	sequences sequenceState
	advisory  []advisoryHeld // locks that outlive the transaction
	// calls is how deep calls of SQL functions are nested.
	calls int
	// temp names the schema of the session's temporary objects, temporary says that it may be there.
	temp       string
	temporary  bool
	memory     spill.Config
	executions int64
	activity   activity
	compat     compatState
}

// searchPath caches the resolved search_path, for as long as catalogue and settings are the same.
type searchPath struct {
	snap *catalog.Snapshot
	at   uint64
	path catalog.Path
	// facts are made when they are asked for.
	facts *builtin.Facts
}

// path resolves search_path against the catalogue as the transaction sees it now.
func (s *Session) path() catalog.Path {
	snap := s.t.cat.Snapshot()
	if s.search.snap != snap || s.search.at != s.settings.Version() {
		text, _ := s.settings.Get("search_path")
		s.search = searchPath{snap: snap, at: s.settings.Version(), path: snap.WithTemp(snap.Path(s.pathWords(text), s.currentUser()), s.temp)}
	}
	return s.search.path
}

// pathWords splits search_path, with pg_temp as the name of the session's own schema.
func (s *Session) pathWords(text string) []string {
	words := splitPath(text)
	for i, w := range words {
		if w == "pg_temp" {
			words[i] = s.temp
		}
	}
	return words
}

// splitPath splits a list of identifiers, as search_path holds them.
func splitPath(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		for i < len(text) && (text[i] == ' ' || text[i] == ',' || text[i] == '\t') {
			i++
		}
		if i >= len(text) {
			break
		}
		var w strings.Builder
		if text[i] == '"' {
			i++
			for i < len(text) {
				if text[i] == '"' {
					if i+1 < len(text) && text[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				w.WriteByte(text[i])
				i++
			}
			i++
		} else {
			for i < len(text) && text[i] != ',' {
				w.WriteByte(text[i])
				i++
			}
		}
		word := strings.TrimSpace(w.String())
		if i > 0 && i <= len(text) && !strings.HasSuffix(text[:i], `"`) {
			word = strings.ToLower(word)
		}
		if word != "" {
			out = append(out, word)
		}
	}
	return out
}

// Close ends the session, rolling back what is open.
func (s *Session) Close() {
	s.abandon()
	s.closeTemporary()
	s.advisory = s.releaseAdvisory(s.advisory, 0)
	s.engine.forget(s)
}

// Greeting implements the wire server's Session.
func (s *Session) Greeting() []Parameter {
	var out []Parameter
	for _, d := range s.settings.Reported() {
		v, _ := s.settings.Get(d.Name)
		out = append(out, Parameter{d.Name, v})
	}
	return out
}

// Failed notes an error that is about to be sent: an explicit transaction block waits for ROLLBACK from now on, an
// implicit transaction is rolled back.
func (s *Session) Failed(error) {
	s.fail()
	s.reportChanges()
	s.activity.done(s.Status(), s.engine.now())
}

// notice sends a notice, unless client_min_messages hides it.
func (s *Session) notice(n *failure.Error) {
	least, _ := s.settings.Get("client_min_messages")
	rank := map[string]int{"debug5": 0, "debug4": 0, "debug3": 0, "debug2": 0, "debug1": 0, "log": 1, "notice": 3, "warning": 4, "error": 5}
	have := map[failure.Severity]int{failure.SeverityNotice: 3, failure.SeverityWarning: 4, failure.SeverityInfo: 9, failure.SeverityLog: 1}
	if n.Code == "" {
		n.Code = failure.SuccessfulCompletion
	}
	if have[n.Severity] >= rank[least] {
		s.sink.Notice(n)
	}
}

// reportChanges sends ParameterStatus for what has changed.
func (s *Session) reportChanges() {
	if len(s.settings.Changed) == 0 {
		return
	}
	sent := map[string]bool{}
	for _, name := range s.settings.Changed {
		if !sent[name] {
			sent[name] = true
			v, _ := s.settings.Get(name)
			s.sink.ParameterStatus(name, v)
		}
	}
	s.settings.Changed = s.settings.Changed[:0]
}

// datumEnv is how values are read and printed now.
func (s *Session) datumEnv() *datum.Env {
	if s.envAt != s.settings.Version()+1 {
		s.env = s.makeEnv()
		s.envAt = s.settings.Version() + 1
	}
	return &s.env
}

// located gives an error the position of a node of the running statement, as byte offsets become characters.
func (s *Session) located(err error, offset int) error {
	if e := failure.As(err); e != nil && e.Position == 0 && offset >= 0 {
		return e.Edit().At(parser.CharPosition(s.sql, offset))
	}
	return err
}

// guard turns a broken connection's or a cancelled context's error into what the client is told.
func guard(ctx context.Context, err error) error {
	if err == nil || failure.As(err) != nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if cause := failure.As(context.Cause(ctx)); cause != nil {
			return cause
		}
	}
	return err
}

// activity is what pg_stat_activity shows. Other sessions read it.
type activity struct {
	mu struct {
		sync.Mutex
		a Activity
	}
}

func (a *activity) begin(query string, now int64) {
	a.mu.Lock()
	a.mu.a.State, a.mu.a.Query, a.mu.a.QueryStart, a.mu.a.StateChange = "active", query, now, now
	a.mu.Unlock()
}

func (a *activity) done(status byte, now int64) {
	a.mu.Lock()
	switch status {
	case 'T':
		a.mu.a.State = "idle in transaction"
	case 'E':
		a.mu.a.State = "idle in transaction (aborted)"
	default:
		a.mu.a.State = "idle"
	}
	a.mu.a.StateChange = now
	a.mu.Unlock()
}

func (a *activity) get() Activity {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.a
}
