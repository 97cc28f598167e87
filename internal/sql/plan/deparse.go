package plan

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// Deparser prints expressions as PostgreSQL's EXPLAIN does.
type Deparser struct {
	Facts *builtin.Facts
	Env   *datum.Env
	// Column names a column of the input row, Outer a slot; nil prints the expression's own name.
	Column func(c *Column) string
	Outer  func(p *OuterParam) string
	// Sub names the plan of a subquery.
	Sub func(s *SubPlan) string
	// Var names a column that is known by id only.
	Var func(v *Var) string
}

// Expr prints an expression; operators are in parentheses.
func (d *Deparser) Expr(e Expr) string {
	var b strings.Builder
	d.expr(&b, e)
	return b.String()
}

func (d *Deparser) list(b *strings.Builder, list []Expr, sep string) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		d.expr(b, e)
	}
}

func (d *Deparser) expr(b *strings.Builder, e Expr) {
	switch e := e.(type) {
	case nil:
	case *Const:
		b.WriteString(d.constant(e))
	case *Column:
		if d.Column != nil {
			b.WriteString(d.Column(e))
		} else {
			b.WriteString(builtin.QuoteIdent(e.Name))
		}
	case *Var:
		if d.Var != nil {
			b.WriteString(d.Var(e))
		} else {
			b.WriteString(builtin.QuoteIdent(e.Name))
		}
	case *Param:
		b.WriteString("$" + strconv.Itoa(e.Index+1))
	case *OuterParam:
		if d.Outer != nil {
			b.WriteString(d.Outer(e))
		} else {
			b.WriteString(builtin.QuoteIdent(e.Name))
		}
	case *FuncCall:
		d.call(b, e)
	case *Cast:
		d.cast(b, e)
	case *Typmod:
		d.suffixed(b, e.Arg, e.Typ)
	case *And:
		d.chain(b, e.Args, " AND ")
	case *Or:
		d.chain(b, e.Args, " OR ")
	case *Not:
		b.WriteString("(NOT ")
		d.expr(b, e.Arg)
		b.WriteByte(')')
	case *IsNull:
		d.suffix(b, e.Arg, pick(e.Not, " IS NOT NULL", " IS NULL"))
	case *BoolTest:
		d.suffix(b, e.Arg, " IS "+pick(e.Not, "NOT ", "")+[...]string{"TRUE", "FALSE", "UNKNOWN"}[e.Kind])
	case *IsDistinct:
		d.binary(b, e.Left, pick(e.Not, "IS NOT DISTINCT FROM", "IS DISTINCT FROM"), e.Right)
	default:
		d.rare(b, e)
	}
}

func pick(c bool, a, b string) string {
	if c {
		return a
	}
	return b
}

func (d *Deparser) suffix(b *strings.Builder, e Expr, s string) {
	b.WriteByte('(')
	d.expr(b, e)
	b.WriteString(s + ")")
}

func (d *Deparser) binary(b *strings.Builder, l Expr, op string, r Expr) {
	b.WriteByte('(')
	d.expr(b, l)
	b.WriteString(" " + op + " ")
	d.expr(b, r)
	b.WriteByte(')')
}

func (d *Deparser) chain(b *strings.Builder, args []Expr, sep string) {
	b.WriteByte('(')
	d.list(b, args, sep)
	b.WriteByte(')')
}

func (d *Deparser) typeName(t datum.Type) string {
	if d.Facts == nil {
		return datum.FormatType(t)
	}
	if t.Mod < 0 {
		return d.Facts.TypeName(t.OID)
	}
	return d.Facts.FormatType(t)
}

// constant prints a literal with its type where the type does not show.
func (d *Deparser) constant(c *Const) string {
	if c.Val.IsNull() {
		return "NULL::" + d.typeName(c.Typ)
	}
	text := string(datum.AppendText(nil, c.Typ, c.Val, d.Env))
	switch c.Typ.OID {
	case datum.OIDInt4:
		if strings.HasPrefix(text, "-") {
			return "'" + text + "'::integer"
		}
		return text
	case datum.OIDNumeric:
		if !strings.HasPrefix(text, "-") && strings.ContainsRune(text, '.') {
			return text
		}
	case datum.OIDBool:
		return pick(c.Val.Bool(), "true", "false")
	case datum.OIDUnknown:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'::" + d.typeName(c.Typ)
}

func (d *Deparser) call(b *strings.Builder, e *FuncCall) {
	switch {
	case e.Op != "" && len(e.Args) == 2:
		d.binary(b, e.Args[0], e.Op, e.Args[1])
	case e.Op != "" && len(e.Args) == 1:
		b.WriteString("(" + e.Op + " ")
		d.expr(b, e.Args[0])
		b.WriteByte(')')
	default:
		b.WriteString(builtin.QuoteIdent(e.Fn.Name) + "(")
		if e.Variadic {
			d.list(b, e.Args[:len(e.Args)-1], ", ")
			if len(e.Args) > 1 {
				b.WriteString(", ")
			}
			b.WriteString("VARIADIC ")
			d.expr(b, e.Args[len(e.Args)-1])
		} else {
			d.list(b, e.Args, ", ")
		}
		b.WriteByte(')')
	}
}

func (d *Deparser) cast(b *strings.Builder, e *Cast) {
	if e.Implicit && e.Kind != CastRelabel || e.Kind == CastDomain {
		d.expr(b, e.Arg)
		return
	}
	d.suffixed(b, e.Arg, e.Typ)
}

func (d *Deparser) suffixed(b *strings.Builder, e Expr, t datum.Type) {
	switch e.(type) {
	case *Column, *Var, *OuterParam, *Cast, *Typmod:
		b.WriteByte('(')
		d.expr(b, e)
		b.WriteByte(')')
	default:
		d.expr(b, e)
	}
	b.WriteString("::" + d.typeName(t))
}

func (d *Deparser) rare(b *strings.Builder, e Expr) {
	switch e := e.(type) {
	case *Case:
		d.caseExpr(b, e)
	case *CaseArg:
		b.WriteString("CASE_TEST_EXPR")
	case *Coalesce:
		b.WriteString("COALESCE(")
		d.list(b, e.Args, ", ")
		b.WriteByte(')')
	case *NullIf:
		b.WriteString("NULLIF(")
		d.list(b, []Expr{e.EqLeft, e.EqRight}, ", ")
		b.WriteByte(')')
	case *MinMax:
		b.WriteString(pick(e.Least, "LEAST(", "GREATEST("))
		d.list(b, e.Args, ", ")
		b.WriteByte(')')
	case *InList:
		d.inList(b, e)
	case *ScalarArrayOp:
		b.WriteByte('(')
		d.expr(b, e.Left)
		b.WriteString(" " + e.Op + pick(e.All, " ALL (", " ANY ("))
		d.expr(b, e.Array)
		b.WriteString("))")
	case *Row:
		b.WriteString("ROW(")
		d.list(b, e.Args, ", ")
		b.WriteByte(')')
	case *RowCompare:
		b.WriteString("(ROW(")
		d.list(b, e.Left, ", ")
		b.WriteString(") " + [...]string{"<", "<=", ">=", ">"}[e.Kind] + " ROW(")
		d.list(b, e.Right, ", ")
		b.WriteString("))")
	case *ArrayCtor:
		b.WriteString("ARRAY[")
		d.list(b, e.Elems, ", ")
		b.WriteByte(']')
	case *Subscript:
		d.subscript(b, e)
	case *FieldSelect:
		b.WriteByte('(')
		d.expr(b, e.Arg)
		b.WriteString(")." + builtin.QuoteIdent(e.Name))
	case *SubPlan:
		b.WriteString(d.subPlan(e))
	case *Subquery:
		b.WriteString("(SubPlan)")
	case *SQLValue:
		b.WriteString([...]string{"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP",
			"CURRENT_ROLE", "CURRENT_USER", "USER", "SESSION_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA"}[e.Kind])
	case *ArrayAssign:
		d.expr(b, e.Arg)
		b.WriteString(" := ")
		d.expr(b, e.Value)
	case *FieldAssign:
		d.expr(b, e.Value)
	default:
		b.WriteString("?")
	}
}

func (d *Deparser) subPlan(e *SubPlan) string {
	name := e.Name
	if d.Sub != nil {
		name = d.Sub(e)
	}
	if e.Hashed {
		name = "hashed " + name
	}
	return "(" + name + ")"
}

func (d *Deparser) caseExpr(b *strings.Builder, e *Case) {
	b.WriteString("CASE ")
	if e.Arg != nil {
		d.expr(b, e.Arg)
		b.WriteByte(' ')
	}
	for _, w := range e.Whens {
		b.WriteString("WHEN ")
		cond := w.Cond
		if f, ok := cond.(*FuncCall); ok && e.Arg != nil && len(f.Args) == 2 {
			cond = f.Args[1]
		}
		d.expr(b, cond)
		b.WriteString(" THEN ")
		d.expr(b, w.Result)
		b.WriteByte(' ')
	}
	b.WriteString("ELSE ")
	if e.Else != nil {
		d.expr(b, e.Else)
	} else {
		b.WriteString("NULL::" + d.typeName(e.Typ))
	}
	b.WriteString(" END")
}

func (d *Deparser) inList(b *strings.Builder, e *InList) {
	t := e.Arg.Type()
	elems := append([]datum.Datum(nil), e.Vals...)
	if e.HasNull {
		elems = append(elems, datum.Null)
	}
	arr := datum.ArrayOf(t.OID)
	b.WriteByte('(')
	d.expr(b, e.Arg)
	b.WriteString(pick(e.Not, " <> ALL (", " = ANY ("))
	if arr != 0 {
		b.WriteString(d.constant(&Const{Val: datum.NewArray1(t.OID, elems), Typ: datum.T(arr)}))
	} else {
		for i, v := range elems {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(d.constant(&Const{Val: v, Typ: t}))
		}
	}
	b.WriteString("))")
}

func (d *Deparser) subscript(b *strings.Builder, e *Subscript) {
	b.WriteByte('(')
	d.expr(b, e.Arg)
	b.WriteByte(')')
	for i := range e.Upper {
		b.WriteByte('[')
		if e.Slice {
			if e.Lower[i] != nil {
				d.expr(b, e.Lower[i])
			}
			b.WriteByte(':')
		}
		if e.Upper[i] != nil {
			d.expr(b, e.Upper[i])
		}
		b.WriteByte(']')
	}
}
