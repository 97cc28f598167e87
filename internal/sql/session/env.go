package session

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/bind"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/opt"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/sql/setting"
)

// makeEnv reads how values are printed from the parameters.
func (s *Session) makeEnv() datum.Env {
	s.currentUser()
	get := func(name string) string { v, _ := s.settings.Get(name); return v }
	loc, ok := setting.Location(get("TimeZone"))
	if !ok {
		loc = time.UTC
	}
	digits, err := strconv.Atoi(get("extra_float_digits"))
	if err != nil {
		digits = 1
	}
	style, order, _ := strings.Cut(get("DateStyle"), ", ")
	return datum.Env{
		DateStyle:     map[string]datum.DateStyle{"SQL": datum.DateSQL, "Postgres": datum.DatePostgres, "German": datum.DateGerman}[style],
		DateOrder:     map[string]datum.DateOrder{"DMY": datum.OrderDMY, "YMD": datum.OrderYMD}[order],
		IntervalStyle: map[string]datum.IntervalStyle{"postgres_verbose": datum.IntervalPostgresVerbose, "sql_standard": datum.IntervalSQLStandard, "iso_8601": datum.IntervalISO8601}[get("IntervalStyle")],
		Location:      loc,
		FloatDigits:   min(digits-1, 0),
		ByteaEscape:   get("bytea_output") == "escape",
		RegIn:         (*hooks)(s).RegInput,
		RegOut:        (*hooks)(s).appendReg,
		UserIn:        s.userInput,
		UserBinary:    s.userBinary,
		UserOut:       s.userOutput,
	}
}

func (s *Session) statementTimeout() time.Duration {
	return s.settings.Duration("statement_timeout")
}

// bindEnv is what names mean in the running statement.
func (s *Session) bindEnv() *bind.Env {
	s.datumEnv()
	return &bind.Env{
		Snapshot: s.t.cat.Snapshot(),
		Path:     s.path(),
		Facts:    s.facts(),
		System:   s.engine.systemTable,
		Input:    s.parseValue,
	}
}

// parseValue is a type's input function with the session's settings.
func (s *Session) parseValue(t datum.Type, text string) (datum.Datum, error) {
	return datum.ParseText(t, text, s.datumEnv())
}

func (s *Session) resolveType(n *parser.TypeName) (datum.Type, error) {
	return bind.Type(s.bindEnv(), n, s.sql)
}

// execEnv is what a statement runs in.
func (s *Session) execEnv(ctx context.Context, params []datum.Datum) (*exec.Env, error) {
	s.bctx.Env = s.datumEnv()
	s.bctx.Facts = s.facts()
	s.bctx.StatementTime = s.engine.now()
	if s.t.started == 0 {
		s.t.started = s.bctx.StatementTime
	}
	s.bctx.TransactionTime = s.t.started
	s.bctx.User, s.bctx.SessionUser = s.user, s.sessionUser
	s.env.Now = s.t.started
	s.ctx = ctx
	s.memory = s.engine.cfg.Memory
	s.executions++
	s.memory.Session, s.memory.Query = s.startup.PID, s.executions
	return &exec.Env{
		Txn: s.t.tx, State: &s.t.state, Ctx: &s.bctx, Params: params, Memory: &s.memory,
		System: (*systemEnv)(s), RowID: s.engine.rowID, ReadOnly: s.t.modes.readOnly,
		Catalog: s.t.cat, Changes: s, SchemaName: s.schemaName, Monotonic: s.engine.cfg.Host.Monotonic,
	}, nil
}

// evalExpr computes an expression without columns, such as an argument of EXECUTE.
func (s *Session) evalExpr(ctx context.Context, e parser.Expr, t datum.Type) (datum.Datum, error) {
	bound, err := bind.Expr(s.bindEnv(), e, s.sql, t, bind.PlaceExecuteParam)
	if err != nil {
		return datum.Null, err
	}
	return s.evalBound(ctx, bound)
}

// evalBound computes a bound expression without columns.
func (s *Session) evalBound(ctx context.Context, e plan.Expr) (datum.Datum, error) {
	root := &plan.Result{Exprs: []plan.Expr{e}}
	root.Cols = []plan.ColumnInfo{{Type: e.Type()}}
	value := datum.Null
	_, err := s.runPlan(ctx, &plan.Statement{Root: root, ReadOnly: true}, func(row []datum.Datum) error {
		value = row[0]
		return nil
	})
	return value, err
}

// userOID is the current user's.
func (s *Session) userOID() catalog.OID {
	s.datumEnv()
	if r := s.t.cat.Snapshot().Role(s.user); r != nil {
		return r.OID
	}
	return 0
}

// checkPrivileges checks what a bound statement needs.
func (s *Session) checkPrivileges(needs []plan.Privilege) error {
	snap := s.t.cat.Snapshot()
	me := s.userOID()
	if snap.Superuser(me) {
		return nil
	}
	for _, n := range needs {
		user := me
		if n.CheckAs != 0 {
			user = n.CheckAs
		}
		if f := snap.FunctionByOID(n.Relation); f != nil {
			if !snap.HasFunction(user, f) {
				return catalog.Denied("function", f.Name)
			}
			continue
		}
		t := snap.RelationByOID(n.Relation).Table
		if t == nil || snap.HasTable(user, t, n.Priv) {
			continue
		}
		if n.AnyColumn && len(n.Columns) == 0 {
			if slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return c.Visible() && snap.HasColumn(user, t, c, n.Priv) }) {
				continue
			}
		}
		allowed := len(n.Columns) > 0
		for _, attnum := range n.Columns {
			c := t.ColumnByAttnum(attnum)
			if c == nil || !snap.HasColumn(user, t, c, n.Priv) {
				allowed = false
			}
		}
		if !allowed {
			return snap.CheckTable(user, t, n.Priv)
		}
	}
	return nil
}

// optionText prints an option's value as a word.
func optionText(d *parser.DefElem) string {
	switch a := d.Arg.(type) {
	case nil:
		return ""
	case *parser.Const:
		return constString(a)
	case *parser.TypeName:
		return a.Names[len(a.Names)-1]
	case *parser.QualifiedName:
		return a.Parts[len(a.Parts)-1]
	}
	return ""
}

// systemEnv is the session as system tables see it.
type systemEnv Session

// systemTable finds the producer of a virtual table.
func (e *Engine) systemTable(t *catalog.Table) *plan.SystemTable {
	if e.cfg.System == nil {
		return nil
	}
	return e.cfg.System.Table(t)
}

// planSettings are the parameters that the planner follows.
func (s *Session) planSettings() *opt.Settings {
	off := func(name string) bool { return !s.settings.Bool(name) }
	env := s.bindEnv()
	return &opt.Settings{
		Facts: s.facts(), Snapshot: s.t.cat.Snapshot(), Context: &s.bctx,
		IndexExprs: func(t *catalog.Table, x *catalog.Index, base plan.ColID) ([]plan.Expr, plan.Expr, error) {
			return bind.IndexExprs(env, t, x, base)
		},
		Rules:           func(t *catalog.Table, base plan.ColID) (plan.BoundRules, error) { return bind.Rules(env, t, base) },
		Default:         func(c *catalog.Column) (plan.Expr, error) { return bind.Default(env, c) },
		SpanBytes:       s.engine.cfg.SpanBytes,
		DisableHashJoin: off("enable_hashjoin"), DisableNestLoop: off("enable_nestloop"), DisableMergeJoin: off("enable_mergejoin"),
		DisableIndexScan: off("enable_indexscan"), DisableIndexOnlyScan: off("enable_indexonlyscan"),
		DisableSeqScan: off("enable_seqscan"), DisableSort: off("enable_sort"), DisableHashAgg: off("enable_hashagg"),
	}
}

func (s *Session) schemaName(oid datum.OID) string { return s.t.cat.Snapshot().SchemaName(oid) }
