// Package bind gives meaning to syntax trees: it resolves names, types, functions and operators as PostgreSQL does and
// makes logical queries (package plan) of statements, or PostgreSQL's errors with their positions and hints.
//
// Inside the package an error is thrown (binder.fail) and caught at the entry points: resolution is a deep recursion
// whose every step can fail, and no step ever recovers.
package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// Env is what names mean: the catalogue as one statement sees it.
type Env struct {
	Snapshot *catalog.Snapshot
	Path     catalog.Path
	// Facts are the built-in functions and types together with the users'.
	Facts *builtin.Facts
	// System returns what produces the rows of a virtual table, or nil.
	System func(t *catalog.Table) *plan.SystemTable
	// Input reads a literal: the type's input function, with the session's DateStyle and TimeZone. The modifier of the
	// type counts for interval only.
	Input func(t datum.Type, text string) (datum.Datum, error)
	// Args are the arguments of the function whose body is bound: they are the parameters too.
	Args []Arg
}

// Arg is an argument of a function.
type Arg struct {
	Name string
	Type datum.Type
}

// bodyScope is the scope around the statements of a function's body; nil elsewhere.
func (b *binder) bodyScope() *scope {
	if b.env.Args == nil {
		return nil
	}
	s := &scope{kind: PlaceSelectTarget, named: make([]namedArg, len(b.env.Args))}
	for i, a := range b.env.Args {
		s.named[i] = namedArg{name: a.Name, expr: &plan.Param{Index: i, Typ: a.Type}}
		b.params.types = append(b.params.types, a.Type)
	}
	return s
}

// Statement binds a SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE. sql is the text that the tree was parsed from,
// for error positions. params are the types of $1 … as the client gave them, 0 where it left them open; all types are
// in the result's Params. Params that are empty but not nil say that there are none (the simple protocol).
func Statement(env *Env, stmt parser.Statement, sql string, params []datum.OID) (bound *plan.BoundStmt, err error) {
	b := newBinder(env, sql)
	b.params.set(params)
	b.params.none = params != nil && len(params) == 0
	defer b.recover(&err)
	bound = b.statement(stmt)
	b.finish(bound)
	return bound, nil
}

// Expr binds a stand-alone expression without columns, such as a DEFAULT or an argument of EXECUTE, and coerces it to
// typ by assignment unless typ.OID is 0. what names the place in errors, such as "DEFAULT expressions".
func Expr(env *Env, e parser.Expr, sql string, typ datum.Type, what Place) (out plan.Expr, err error) {
	b := newBinder(env, sql)
	defer b.recover(&err)
	s := &scope{kind: what}
	out = b.expr(s, e)
	if typ.OID != 0 {
		out = b.coerceAssign(out, typ, "", start(e))
	} else {
		out = b.resolveUnknown(out)
	}
	b.checkParams()
	return out, nil
}

// TableExpr binds an expression on the columns of one table (CHECK, index expression, generated column); column i of
// Table.Columns becomes Column{Index: i}.
func TableExpr(env *Env, t *catalog.Table, e parser.Expr, sql string, typ datum.Type, what Place) (out plan.Expr, err error) {
	b := newBinder(env, sql)
	defer b.recover(&err)
	s := &scope{kind: what}
	s.ns = []*nsItem{{rte: b.tableRTE(t, t.Name, nil), relVisible: true, colsVisible: true}}
	out = b.expr(s, e)
	switch {
	case typ.OID == datum.OIDBool:
		out = b.coerceBool(out, what.boolContext(), start(e))
	case typ.OID != 0:
		out = b.coerceAssign(out, typ, "", start(e))
	default:
		out = b.resolveUnknown(out)
	}
	base := s.ns[0].rte.base
	return plan.MapVars(out, func(v *plan.Var) plan.Expr {
		return &plan.Column{Index: int(v.ID - base), Typ: v.Typ, Name: v.Name}
	}), nil
}

// DomainExpr binds the CHECK of a domain over base: VALUE becomes Column{Index: 0}.
func DomainExpr(env *Env, base datum.Type, e parser.Expr, sql string) (out plan.Expr, err error) {
	b := newBinder(env, sql)
	defer b.recover(&err)
	s := &scope{kind: PlaceDomainCheck, value: &plan.Column{Index: 0, Typ: base, Name: "VALUE"}}
	return b.coerceBool(b.expr(s, e), PlaceDomainCheck.boolContext(), e.Position()), nil
}

// Type resolves the name of a type with its modifiers.
func Type(env *Env, t *parser.TypeName, sql string) (typ datum.Type, err error) {
	b := newBinder(env, sql)
	defer b.recover(&err)
	return b.typeName(t), nil
}

// binder is the state of binding one statement.
type binder struct {
	env     *Env
	facts   *builtin.Facts
	sql     string
	params  params
	nextCol plan.ColID
	nextCTE int
	uses    []*rte // relations, for privileges
	objects []datum.OID
	// checkAs is the owner of the view being expanded, 0 outside views.
	checkAs datum.OID
	// views are the views being expanded, against recursion.
	views    []datum.OID
	writes   bool
	noPos    int // positions are not those of the statement's text
	defaults map[string]parser.Expr
	// records are the fields of subqueries' columns of type record.
	records map[plan.ColID]recordFields
}

type recordFields struct {
	names []string
	types []datum.Type
}

func newBinder(env *Env, sql string) *binder {
	return &binder{env: env, facts: env.Facts, sql: sql, nextCol: 1}
}

// thrown carries an error to the entry point.
type thrown struct{ err *failure.Error }

func (b *binder) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case thrown:
		*err = r.err
	default:
		panic(r)
	}
}

// fail ends binding with an error at a position (a byte offset, or parser.NoPos).
func (b *binder) fail(pos int, code failure.Code, format string, args ...any) {
	b.throw(pos, failure.New(code, format, args...))
}

func (b *binder) throw(pos int, err *failure.Error) {
	if pos >= 0 && b.noPos == 0 {
		err = err.At(parser.CharPosition(b.sql, pos))
	}
	panic(thrown{err})
}

// must ends binding when err is not nil.
func (b *binder) must(pos int, err error) {
	if err == nil {
		return
	}
	if e := failure.As(err); e != nil {
		b.throw(pos, e.Edit())
	}
	b.throw(pos, failure.New(failure.InternalError, "%s", err.Error()).WithCause(err))
}

func (b *binder) notSupported(pos int, what string, args ...any) {
	b.throw(pos, failure.NotSupported(what, args...))
}

// newIDs reserves n column ids.
func (b *binder) newIDs(n int) plan.ColID {
	id := b.nextCol
	b.nextCol += plan.ColID(n)
	return id
}

func (b *binder) useObject(oid datum.OID) { b.objects = append(b.objects, oid) }

func (b *binder) statement(stmt parser.Statement) *plan.BoundStmt {
	switch stmt := stmt.(type) {
	case *parser.SelectStmt:
		if stmt.Into != nil {
			b.notSupported(stmt.Into.Pos, "SELECT ... INTO here")
		}
		return &plan.BoundStmt{Kind: plan.KindSelect, Query: b.query(b.bodyScope(), stmt, true)}
	case *parser.InsertStmt:
		return b.insert(b.bodyScope(), stmt)
	case *parser.UpdateStmt:
		return b.update(b.bodyScope(), stmt)
	case *parser.DeleteStmt:
		return b.delete(b.bodyScope(), stmt)
	case *parser.MergeStmt:
		return b.merge(b.bodyScope(), stmt)
	}
	b.notSupported(stmt.Position(), "%T as a query", stmt)
	return nil
}

// finish fills in what is known only at the end.
func (b *binder) finish(s *plan.BoundStmt) {
	b.checkParams()
	s.Params = b.params.types
	s.Privileges = b.privileges()
	slices.Sort(b.objects)
	s.Objects = slices.Compact(b.objects)
	s.NextCol = b.nextCol
	s.NextCTE = b.nextCTE
	s.ReadOnly = !b.writes && s.Kind == plan.KindSelect
	for _, oid := range s.Objects {
		if b.env.Snapshot.FunctionByOID(oid) != nil {
			s.Privileges = append(s.Privileges, plan.Privilege{Relation: oid, Priv: catalog.PrivExecute})
		}
	}
}

// privileges collects what the statement needs of each relation.
func (b *binder) privileges() []plan.Privilege {
	out := make([]plan.Privilege, 0, len(b.uses))
	for _, r := range b.uses {
		if r.need == 0 && !r.read {
			continue
		}
		add := func(p catalog.Privilege, cols []int16) {
			out = append(out, plan.Privilege{Relation: r.relOID, Priv: p, Columns: cols, CheckAs: r.checkAs})
		}
		if r.read {
			add(catalog.PrivSelect, r.columns(r.readCols))
			out[len(out)-1].AnyColumn = r.scan != nil
		}
		if r.need&catalog.PrivInsert != 0 {
			add(catalog.PrivInsert, r.columns(r.insertCols))
		}
		if r.need&catalog.PrivUpdate != 0 {
			add(catalog.PrivUpdate, r.columns(r.updateCols))
		}
		if r.need&catalog.PrivDelete != 0 {
			add(catalog.PrivDelete, nil)
		}
	}
	return out
}

// params are the types of $1 … as far as they are known.
type params struct {
	types []datum.Type
	fixed int // how many the client declared (also the open ones)
	none  bool
}

func (p *params) set(oids []datum.OID) {
	p.types = make([]datum.Type, len(oids))
	for i, o := range oids {
		if o == 0 {
			o = datum.OIDUnknown
		}
		p.types[i] = datum.T(o)
	}
	p.fixed = len(oids)
}

// param binds $n, which has type unknown until something decides.
func (b *binder) param(e *parser.ParamRef) plan.Expr {
	if e.Number < 1 || e.Number > 65535 || b.params.none {
		b.fail(e.Pos, failure.UndefinedParameter, "there is no parameter $%d", e.Number)
	}
	for len(b.params.types) < e.Number {
		b.params.types = append(b.params.types, datum.T(datum.OIDUnknown))
	}
	return &plan.Param{Index: e.Number - 1, Typ: b.params.types[e.Number-1]}
}

// decide gives a parameter of unknown type its type.
func (b *binder) decide(p *plan.Param, t datum.OID, pos int) plan.Expr {
	cur := b.params.types[p.Index]
	switch {
	case cur.OID == datum.OIDUnknown:
		b.params.types[p.Index] = datum.T(t)
	case cur.OID != t:
		b.throw(pos, failure.New(failure.AmbiguousParameter, "inconsistent types deduced for parameter $%d", p.Index+1).
			WithDetail("%s versus %s", b.facts.TypeName(cur.OID), b.facts.TypeName(t)))
	}
	return &plan.Param{Index: p.Index, Typ: datum.T(t)}
}

// checkParams makes sure that every parameter has got a type.
func (b *binder) checkParams() {
	for i, t := range b.params.types {
		if t.OID == datum.OIDUnknown {
			b.fail(parser.NoPos, failure.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
	}
}
