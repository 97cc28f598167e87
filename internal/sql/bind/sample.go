package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// sample is TABLESAMPLE as a condition on each row. There are no pages that rows could be taken by: SYSTEM takes them one
// by one, as BERNOULLI does. With REPEATABLE the choice depends on the seed and the row's key.
func (b *binder) sample(s *scope, t *parser.RangeVar, tab *catalog.Table, r *rte, rel plan.Rel) plan.Rel {
	x := t.Sample
	if tab.Kind != catalog.RelTable && tab.Kind != catalog.RelMatView {
		b.fail(t.Pos, failure.FeatureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views")
	}
	method := x.Method[len(x.Method)-1]
	if method != "bernoulli" && method != "system" {
		b.fail(x.Pos, failure.UndefinedObject, "tablesample method %s does not exist", method)
	}
	if len(x.Args) != 1 {
		b.fail(x.Pos, failure.InvalidTablesampleArgument, "tablesample method %s requires %d argument, not %d", method, 1, len(x.Args))
	}
	old := s.kind
	s.kind = PlaceFromFunction
	percent := b.sampleArg(s, x.Args[0], datum.OIDFloat4, failure.InvalidTablesampleArgument, "TABLESAMPLE parameter cannot be null")
	if c, ok := percent.(*plan.Const); ok {
		if f := c.Val.Float(); !(f >= 0 && f <= 100) {
			b.fail(-1, failure.InvalidTablesampleArgument, "sample percentage must be between 0 and 100")
		}
	}
	var draw plan.Expr
	if x.Repeatable != nil {
		if tab.Virtual {
			b.notSupported(x.Pos, "REPEATABLE on a system table")
		}
		seed := b.sampleArg(s, x.Repeatable, datum.OIDFloat8, failure.InvalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null")
		draw = b.keyDraw(tab, r, seed)
	} else {
		draw = b.op("", "*", b.call("random"), float(100), -1)
	}
	s.kind = old
	return filter(rel, b.op("", "<", draw, percent, -1))
}

func float(f float64) plan.Expr {
	return &plan.Const{Val: datum.NewFloat(f), Typ: datum.T(datum.OIDFloat8)}
}

func (b *binder) sampleArg(s *scope, e parser.Expr, t datum.OID, code failure.Code, null string) plan.Expr {
	x := b.coerce(b.expr(s, e), datum.T(t), builtin.CastAssignment, start(e))
	if x == nil {
		b.fail(start(e), failure.DatatypeMismatch, "argument of TABLESAMPLE must be type %s", b.facts.TypeName(t))
	}
	for { // '10' and 10 are constants after all
		cast, ok := x.(*plan.Cast)
		if !ok {
			break
		}
		c, ok := cast.Arg.(*plan.Const)
		if !ok || c.Val.IsNull() {
			break
		}
		switch c.Typ.OID {
		case datum.OIDInt4, datum.OIDInt8:
			x = &plan.Const{Val: datum.NewFloat(float64(c.Val.Int())), Typ: datum.T(t)}
		case datum.OIDNumeric:
			f, err := c.Val.Numeric().Float64()
			if err != nil {
				return x
			}
			x = &plan.Const{Val: datum.NewFloat(f), Typ: datum.T(t)}
		default:
			return x
		}
	}
	if isNullConst(x) {
		b.fail(-1, code, "%s", null)
	}
	return x
}

// call makes a call of a function of pg_catalog.
func (b *binder) call(name string, args ...plan.Expr) plan.Expr {
	types := make([]datum.OID, len(args))
	for i, a := range args {
		types[i] = a.Type().OID
	}
	r, err := b.facts.ResolveFunc(builtin.FuncCall{Schema: "pg_catalog", Name: name, Args: types})
	b.must(-1, err)
	return &plan.FuncCall{Fn: r.Func, Args: args, Typ: datum.T(r.Ret)}
}

// keyDraw makes a number from 0 to 100 of a row's key and a seed.
func (b *binder) keyDraw(tab *catalog.Table, r *rte, seed plan.Expr) plan.Expr {
	row := &plan.Row{Typ: datum.T(datum.OIDRecord)}
	for _, k := range tab.Indexes[0].Key {
		if c, i := tab.ColumnByID(k.Column); c != nil {
			row.Args = append(row.Args, r.cols[i].expr)
		}
	}
	seedText := b.cast(seed, datum.T(datum.OIDText), -1)
	text := b.op("", "||", b.cast(row, datum.T(datum.OIDText), -1), seedText, -1)
	hash := b.call("hashtextextended", text, &plan.Const{Val: datum.NewInt(0), Typ: datum.T(datum.OIDInt8)})
	low := b.op("", "&", hash, &plan.Const{Val: datum.NewInt(1<<53 - 1), Typ: datum.T(datum.OIDInt8)}, -1)
	return b.op("", "*", b.cast(low, datum.T(datum.OIDFloat8), -1), float(100.0/(1<<53)), -1)
}
