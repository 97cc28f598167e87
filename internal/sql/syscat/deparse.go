package syscat

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// deparser prints a stored expression as pg_get_expr does: types of literals written out, names of relations as short
// as the search path allows, parentheses everywhere or (pretty) where they are needed. Types are inferred from the
// columns of t; what cannot be inferred is printed as it is stored.
type deparser struct {
	e      *Env
	t      *catalog.Table
	value  datum.Type // of VALUE in a domain's CHECK
	pretty bool
	b      []byte
	// scope is what names stand for in a query, nil in an expression over the columns of t.
	scope *scope
	// indent is where lines begin.
	indent int
}

// String is what was printed.
func (d *deparser) String() string { return string(d.b) }

// exprText prints a stored expression whose result is assigned to type want.
func (e *Env) exprText(text string, t *catalog.Table, want datum.Type) string {
	return e.exprPretty(text, t, want, false)
}

func (e *Env) exprPretty(text string, t *catalog.Table, want datum.Type, pretty bool) string {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return text
	}
	d := &deparser{e: e, t: t, pretty: pretty}
	d.top(x, want.OID)
	return d.String()
}

// top prints an expression without the implicit cast to what it is assigned to.
func (d *deparser) top(x parser.Expr, want catalog.OID) {
	if c, ok := x.(*parser.Const); ok && want != 0 {
		d.constant(c, want, true)
		return
	}
	d.expr(x)
}

func (d *deparser) s(texts ...string) {
	for _, t := range texts {
		d.b = append(d.b, t...)
	}
}

func (d *deparser) typeName(oid catalog.OID) string {
	if u := d.e.userType(oid); u != nil {
		return d.e.userTypeName(u)
	}
	return d.e.Facts.FormatType(datum.T(oid))
}

// constant prints a literal as a value of type want (0: its own). assigned literals show their type only when they are
// strings.
func (d *deparser) constant(c *parser.Const, want catalog.OID, assigned bool) {
	switch c.Kind {
	case parser.ConstNull:
		d.s("NULL")
		if want != 0 && want != datum.OIDUnknown {
			d.s("::", d.typeName(want))
		}
	case parser.ConstInteger, parser.ConstFloat:
		d.number(c, want, assigned)
	case parser.ConstString:
		if want == 0 || want == datum.OIDUnknown {
			want = datum.OIDText
		}
		text := c.Str
		if v, err := datum.ParseText(datum.T(want), text, nil); err == nil && want < catalog.FirstUserOID {
			text = datum.Text(datum.T(want), v, nil)
		}
		d.typed(text, want)
	case parser.ConstBoolean:
		d.s(strconv.FormatBool(c.Bool))
	case parser.ConstBitString:
		if bits, err := datum.ParseText(datum.T(datum.OIDBit), c.Str, nil); err == nil {
			d.s(literal(datum.Text(datum.T(datum.OIDBit), bits, nil)), `::`, d.typeName(datum.OIDBit))
			return
		}
		d.s(parser.Format(c))
	default:
		d.s(parser.Format(c))
	}
}

// typed prints a value of a type, without the type where the value shows it.
func (d *deparser) typed(text string, t catalog.OID) {
	plain := text != "" && text[0] >= '0' && text[0] <= '9'
	switch {
	case t == datum.OIDInt4 && plain, t == datum.OIDNumeric && plain && strings.ContainsAny(text, "eE."):
		d.s(text)
	case t == datum.OIDBool && text == "t":
		d.s("true")
	case t == datum.OIDBool && text == "f":
		d.s("false")
	case t == datum.OIDAny:
		d.s(literal(text))
	default:
		d.s(literal(text), "::", d.typeName(t))
	}
}

// quoted prints a string as a value of a type, without its type.
func (d *deparser) quoted(text string, t catalog.OID) string {
	if t == datum.OIDNumeric && text != "" && text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, "eE.") {
		return text
	}
	return literal(text)
}

// literal quotes a string as is right while standard_conforming_strings is on.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (d *deparser) number(c *parser.Const, want catalog.OID, assigned bool) {
	text, own := numberOf(c)
	cast := want != 0 && want != own && !assigned
	switch {
	case quotedNumber(text, own) && !cast:
		d.s("'", text, "'::", d.typeName(own))
	case quotedNumber(text, own):
		d.s("('", text, "'::", d.typeName(own), ")::", d.typeName(want))
	case cast && d.pretty:
		d.s(text, "::", d.typeName(want))
	case cast:
		d.s("(", text, ")::", d.typeName(want))
	default:
		d.s(text)
	}
}

// quotedNumber says whether a number would be read as something else without quotes and its type.
func quotedNumber(text string, t catalog.OID) bool {
	return text[0] == '-' || t == datum.OIDInt8 || t == datum.OIDNumeric && !strings.ContainsAny(text, "eE.")
}

// numberOf returns a numeric literal's text and type.
func numberOf(c *parser.Const) (string, catalog.OID) {
	if c.Kind == parser.ConstInteger {
		return strconv.Itoa(int(c.Int)), datum.OIDInt4
	}
	if _, err := strconv.ParseInt(c.Str, 10, 64); err == nil {
		return c.Str, datum.OIDInt8
	}
	if strings.ContainsAny(c.Str, "eE") {
		if v, err := datum.ParseText(datum.T(datum.OIDNumeric), c.Str, nil); err == nil {
			return datum.Text(datum.T(datum.OIDNumeric), v, nil), datum.OIDNumeric
		}
	}
	return c.Str, datum.OIDNumeric
}

// typeOf infers the type of an expression, 0 when it cannot, OIDUnknown for an untyped literal.
func (d *deparser) typeOf(x parser.Expr) catalog.OID {
	switch x := x.(type) {
	case *parser.Const:
		switch x.Kind {
		case parser.ConstInteger, parser.ConstFloat:
			_, t := numberOf(x)
			return t
		case parser.ConstBoolean:
			return datum.OIDBool
		}
		return datum.OIDUnknown
	case *parser.ColumnRef:
		return d.columnType(x)
	case *parser.TypeCast:
		return d.castType(x.Type)
	case *parser.OpExpr:
		op, ok := d.operator(x)
		if ok {
			return op.Ret
		}
	case *parser.FuncCall:
		if r := d.function(x); r != nil {
			if r.Coercion != 0 {
				return r.Coercion
			}
			return r.Ret
		}
	case *parser.BoolExpr, *parser.NullTest, *parser.BooleanTest, *parser.InExpr, *parser.LikeExpr, *parser.BetweenExpr,
		*parser.DistinctExpr:
		return datum.OIDBool
	case *parser.CoalesceExpr:
		return d.common(x.Args)
	case *parser.CaseExpr:
		var all []parser.Expr
		for _, w := range x.Whens {
			all = append(all, w.Result)
		}
		if x.Else != nil {
			all = append(all, x.Else)
		}
		return d.common(all)
	case *parser.MinMaxExpr:
		return d.common(x.Args)
	case *parser.CollateExpr:
		return d.typeOf(x.Arg)
	case *parser.SQLValueFunction:
		return sqlValueType(x.Kind)
	case *parser.NullIfExpr:
		return d.typeOf(x.Left)
	}
	return d.typeOfMore(x)
}

func sqlValueType(k parser.SQLValueKind) catalog.OID {
	switch k {
	case parser.SVFCurrentDate:
		return datum.OIDDate
	case parser.SVFCurrentTime:
		return datum.OIDTimeTZ
	case parser.SVFCurrentTimestamp:
		return datum.OIDTimestampTZ
	case parser.SVFLocaltime:
		return datum.OIDTime
	case parser.SVFLocaltimestamp:
		return datum.OIDTimestamp
	default:
		return datum.OIDName
	}
}

func (d *deparser) common(xs []parser.Expr) catalog.OID {
	types := make([]catalog.OID, len(xs))
	for i, x := range xs {
		if types[i] = d.typeOf(x); types[i] == 0 {
			return 0
		}
	}
	t, _, err := d.e.Facts.SelectCommonType("CASE", types)
	if err != nil {
		return 0
	}
	return t
}

func (d *deparser) castType(t *parser.TypeName) catalog.OID {
	schema, name := "", t.Names[len(t.Names)-1]
	if len(t.Names) > 1 {
		schema = t.Names[len(t.Names)-2]
	}
	var ti *builtin.TypeInfo
	if schema == "" || schema == "pg_catalog" {
		ti = builtin.Load().TypeByName(name)
	}
	if ti == nil {
		ti = UserTypes{d.e.Snapshot, d.e.Path}.TypeByName(schema, name)
	}
	switch {
	case ti == nil:
		return 0
	case len(t.ArrayBounds) > 0:
		return ti.Array
	}
	return ti.OID
}

// operator resolves an operator call; ok is false when an operand's type is not known.
func (d *deparser) operator(x *parser.OpExpr) (builtin.ResolvedOp, bool) {
	left := catalog.OID(0)
	if x.Left != nil {
		if left = d.typeOf(x.Left); left == 0 {
			return builtin.ResolvedOp{}, false
		}
	}
	right := d.typeOf(x.Right)
	if right == 0 {
		return builtin.ResolvedOp{}, false
	}
	op, err := d.e.Facts.ResolveOperator("", x.Op, left, right)
	return op, err == nil
}

// operand prints an expression where a value of type want is needed, with the cast that makes it one.
func (d *deparser) operand(x parser.Expr, want catalog.OID, parens bool) {
	if c, ok := x.(*parser.Const); ok && want == datum.OIDAny && c.Kind == parser.ConstString {
		d.typed(c.Str, want)
		return
	}
	if want == datum.OIDAnyElement || want == datum.OIDAny || want == datum.OIDAnyArray {
		want = 0
	}
	if c, ok := x.(*parser.Const); ok {
		d.constant(c, want, false)
		return
	}
	if a, ok := x.(*parser.ArrayExpr); ok {
		d.array(a, d.e.Facts.ElementType(want))
		return
	}
	own := d.typeOf(x)
	if want != 0 && own != 0 && own != want {
		if c, ok := x.(*parser.CollateExpr); ok {
			d.s("(")
			d.operand(c.Arg, want, false)
			d.s(" COLLATE ", catalog.QuoteIdent(c.Collation[len(c.Collation)-1]), ")")
			return
		}
		d.cast(x, want, -1)
		return
	}
	if parens {
		d.s("(")
		d.expr(x)
		d.s(")")
		return
	}
	d.expr(x)
}

// cast prints x::t.
func (d *deparser) cast(x parser.Expr, t catalog.OID, mod int32) {
	simple := d.pretty
	switch x.(type) {
	case *parser.OpExpr, *parser.BoolExpr, *parser.NullTest, *parser.LikeExpr, *parser.InExpr, *parser.BetweenExpr:
		simple = false
	}
	if ref, ok := x.(*parser.ColumnRef); ok && ref.Star {
		simple = true
	}
	name := d.typeName(t)
	if mod >= 0 {
		name = d.e.Facts.FormatType(datum.Type{OID: t, Mod: mod})
	}
	d.s(suffix(!simple, "("))
	d.expr(x)
	d.s(suffix(!simple, ")"))
	d.s("::", name)
}

// open and close print the parentheses of an operator, which pretty leaves out.
func (d *deparser) open() {
	if !d.pretty {
		d.s("(")
	}
}

func (d *deparser) close() {
	if !d.pretty {
		d.s(")")
	}
}

func (d *deparser) expr(x parser.Expr) {
	switch x := x.(type) {
	case *parser.Const:
		d.constant(x, 0, false)
	case *parser.ColumnRef:
		d.column(x)
	case *parser.OpExpr:
		d.opExpr(x)
	case *parser.BoolExpr:
		d.boolExpr(x)
	case *parser.NullTest:
		d.test(x.Arg, " IS ", x.Not, "NULL")
	case *parser.BooleanTest:
		d.test(x.Arg, " IS ", x.Not, [...]string{"TRUE", "FALSE", "UNKNOWN"}[x.Kind])
	case *parser.TypeCast:
		d.typeCast(x)
	case *parser.FuncCall:
		d.funcCall(x)
	case *parser.InExpr:
		d.in(x)
	case *parser.LikeExpr:
		d.like(x)
	case *parser.BetweenExpr:
		d.between(x)
	case *parser.CaseExpr:
		d.caseExpr(x)
	case *parser.CoalesceExpr:
		d.list("COALESCE", x.Args)
	case *parser.MinMaxExpr:
		name := "GREATEST"
		if x.Least {
			name = "LEAST"
		}
		d.list(name, x.Args)
	case *parser.AnyAllExpr:
		d.anyAll(x)
	case *parser.ArrayExpr:
		d.array(x, 0)
	case *parser.SQLValueFunction:
		d.s(parser.Format(x))
	default:
		d.exprMore(x)
	}
}

func (d *deparser) opExpr(x *parser.OpExpr) {
	if l, ok := x.Left.(*parser.RowExpr); ok {
		if r, ok := x.Right.(*parser.RowExpr); ok && len(l.Args) == len(r.Args) && len(l.Args) > 1 && (x.Op == "=" || x.Op == "<>") {
			d.rowEqual(x.Op, l.Args, r.Args)
			return
		}
	}
	op, _ := d.operator(x)
	d.open()
	if x.Left != nil {
		d.operand(x.Left, op.Left, d.nested(x, x.Left, true))
		d.s(" ")
	}
	d.s(x.Op, " ")
	d.operand(x.Right, op.Right, d.nested(x, x.Right, false))
	d.close()
}

// rowEqual prints a comparison of rows as those of their fields.
func (d *deparser) rowEqual(op string, l, r []parser.Expr) {
	all := &parser.BoolExpr{Op: parser.BoolAnd}
	if op == "<>" {
		all.Op = parser.BoolOr
	}
	for i := range l {
		all.Args = append(all.Args, &parser.OpExpr{Op: op, Left: l[i], Right: r[i]})
	}
	d.boolExpr(all)
}

// nested says whether an operand needs parentheses when they are left out where possible.
func (d *deparser) nested(parent *parser.OpExpr, x parser.Expr, left bool) bool {
	if !d.pretty {
		return false
	}
	switch c := x.(type) {
	case *parser.OpExpr:
		if c.Left == nil || parent.Left == nil {
			return true
		}
		p, q := arithmetic(parent.Op), arithmetic(c.Op)
		return !(p > 0 && q > 0 && (q > p || q == p && left))
	case *parser.BoolExpr, *parser.NullTest, *parser.BooleanTest, *parser.InExpr, *parser.LikeExpr, *parser.BetweenExpr,
		*parser.AnyAllExpr, *parser.SubLink, *parser.CollateExpr, *parser.DistinctExpr:
		return true
	}
	return false
}

// arithmetic ranks the operators whose precedence is common knowledge; 0 for the others.
func arithmetic(op string) int {
	switch op {
	case "+", "-":
		return 1
	case "*", "/", "%":
		return 2
	}
	return 0
}

func (d *deparser) boolExpr(x *parser.BoolExpr) {
	d.open()
	if x.Op == parser.BoolNot {
		d.s("NOT ")
		_, nested := x.Args[0].(*parser.BoolExpr)
		d.operand(x.Args[0], 0, d.pretty && nested)
		d.close()
		return
	}
	word := " AND "
	if x.Op == parser.BoolOr {
		word = " OR "
	}
	for i, a := range x.Args {
		if i > 0 {
			d.s(word)
		}
		parens := false
		switch a := a.(type) {
		case *parser.BoolExpr:
			parens = a.Op != parser.BoolNot && !(x.Op == parser.BoolOr && a.Op == parser.BoolAnd)
		case *parser.InExpr:
			parens = len(a.List) > 1
		case *parser.AnyAllExpr:
			parens = true
		}
		d.operand(a, datum.OIDBool, d.pretty && parens)
	}
	d.close()
}

func (d *deparser) test(arg parser.Expr, is string, not bool, what string) {
	d.open()
	switch arg.(type) {
	case *parser.OpExpr, *parser.BoolExpr:
		d.operand(arg, 0, d.pretty)
	default:
		d.expr(arg)
	}
	d.s(is)
	if not {
		d.s("NOT ")
	}
	d.s(what)
	d.close()
}

func (d *deparser) typeCast(x *parser.TypeCast) {
	t := d.castType(x.Type)
	c, isConst := x.Arg.(*parser.Const)
	switch {
	case t == datum.OIDRegclass && isConst && c.Kind == parser.ConstString:
		d.s(literal(d.e.regclassText(c.Str)), "::regclass")
		return
	case t == 0:
		d.s(parser.Format(x))
		return
	case isConst && c.Kind == parser.ConstString && len(x.Type.Typmods) > 0 && t != datum.OIDInterval:
		d.s(d.quoted(c.Str, t), "::", d.e.Facts.FormatType(datum.Type{OID: t, Mod: modOf(t, x.Type.Typmods)}))
		return
	case isConst && c.Kind == parser.ConstString:
		d.constant(c, t, false)
		return
	case isConst && c.Kind == parser.ConstNull:
		d.s("NULL::", d.typeName(t))
		return
	}
	if isConst && len(x.Type.Typmods) > 0 && c.Kind == parser.ConstFloat && t == datum.OIDNumeric {
		text, _ := numberOf(c)
		d.s(d.quoted(text, t), "::", d.e.Facts.FormatType(datum.Type{OID: t, Mod: modOf(t, x.Type.Typmods)}))
		return
	}
	if isConst {
		if _, own := numberOf(c); c.Kind != parser.ConstBoolean && own == t {
			d.constant(c, t, false)
			return
		}
	}
	mod := int32(-1)
	if len(x.Type.Typmods) > 0 {
		mod = modOf(t, x.Type.Typmods)
	}
	d.cast(x.Arg, t, mod)
}

// modOf reads the modifiers of the types that have lengths.
func modOf(t catalog.OID, mods []parser.Expr) int32 {
	var n []int32
	for _, m := range mods {
		c, ok := m.(*parser.Const)
		if !ok {
			return -1
		}
		n = append(n, c.Int)
	}
	switch {
	case t == datum.OIDVarchar || t == datum.OIDBpchar:
		return n[0] + 4
	case t == datum.OIDNumeric && len(n) == 2:
		return (n[0]<<16 | n[1]&0x7ff) + 4
	case t == datum.OIDNumeric:
		return n[0]<<16 + 4
	case len(n) == 1:
		return n[0]
	}
	return -1
}

// regclassText is the shortest name of a relation that a stored regclass constant names by number.
func (e *Env) regclassText(s string) string {
	oid, ok := oidOf(s)
	if !ok {
		return s
	}
	r := e.Snapshot.RelationByOID(oid)
	if !r.Found() {
		return s
	}
	return e.Snapshot.QualifiedIfHidden(e.Path, r)
}

func oidOf(s string) (catalog.OID, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return catalog.OID(n), err == nil
}

func (d *deparser) list(name string, args []parser.Expr) {
	common := d.common(args)
	d.s(name, "(")
	for i, a := range args {
		if i > 0 {
			d.s(", ")
		}
		d.operand(a, common, false)
	}
	d.s(")")
}

// in prints x IN (list) as x = ANY (ARRAY[list]).
func (d *deparser) in(x *parser.InExpr) {
	op, word := "=", " ANY "
	if x.Not {
		op, word = "<>", " ALL "
	}
	if len(x.List) == 1 {
		d.opExpr(&parser.OpExpr{Op: op, Left: x.Left, Right: x.List[0]})
		return
	}
	common := d.common(append([]parser.Expr{x.Left}, x.List...))
	compared := common
	if common == datum.OIDVarchar {
		compared = datum.OIDText
	}
	d.open()
	d.operand(x.Left, compared, d.pretty && isOp(x.Left))
	d.s(" ", op, word, "(", suffix(common != compared && !d.pretty, "("), "ARRAY[")
	for i, a := range x.List {
		if i > 0 {
			d.s(", ")
		}
		d.operand(a, common, false)
	}
	d.s("]")
	if common != compared {
		d.s(suffix(!d.pretty, ")"), "::text[]")
	}
	d.s(")")
	d.close()
}

func isOp(x parser.Expr) bool {
	_, ok := x.(*parser.OpExpr)
	return ok
}

func (d *deparser) anyAll(x *parser.AnyAllExpr) {
	left := d.typeOf(x.Left)
	if left == datum.OIDVarchar {
		left = datum.OIDText
	}
	d.open()
	d.operand(x.Left, left, d.pretty && isOp(x.Left))
	word := " ANY ("
	if x.All {
		word = " ALL ("
	}
	d.s(" ", x.Op, word)
	if a, ok := x.Right.(*parser.ArrayExpr); ok {
		d.array(a, left)
	} else {
		d.operand(x.Right, d.arrayOf(left), false)
	}
	d.s(")")
	d.close()
}

func (d *deparser) array(x *parser.ArrayExpr, elem catalog.OID) {
	if elem == 0 {
		if elem = d.common(x.Elems); elem == datum.OIDUnknown {
			elem = datum.OIDText
		}
	}
	d.s("ARRAY[")
	for i, a := range x.Elems {
		if i > 0 {
			d.s(", ")
		}
		d.operand(a, elem, false)
	}
	d.s("]")
}

func (d *deparser) like(x *parser.LikeExpr) {
	op := [...]string{parser.LikeLike: "~~", parser.LikeILike: "~~*", parser.LikeSimilar: "~"}[x.Kind]
	if x.Not {
		op = "!" + op
	}
	if x.Kind == parser.LikeSimilar || x.Escape != nil {
		d.s(parser.Format(x))
		return
	}
	d.opExpr(&parser.OpExpr{Op: op, Left: x.Left, Right: x.Pattern})
}

// between prints BETWEEN as the two comparisons that it stands for.
func (d *deparser) between(x *parser.BetweenExpr) {
	if x.Symmetric {
		d.s(parser.Format(x))
		return
	}
	low, high, word := ">=", "<=", parser.BoolAnd
	if x.Not {
		low, high, word = "<", ">", parser.BoolOr
	}
	d.boolExpr(&parser.BoolExpr{Op: word, Args: []parser.Expr{
		&parser.OpExpr{Op: low, Left: x.Arg, Right: x.Low}, &parser.OpExpr{Op: high, Left: x.Arg, Right: x.High}}})
}

// caseExpr prints CASE over several lines, as PostgreSQL does.
func (d *deparser) caseExpr(x *parser.CaseExpr) {
	common := d.typeOf(x)
	d.keyword("CASE", 0, indentVar, 0)
	arg := catalog.OID(0)
	if x.Arg != nil {
		d.s(" ")
		d.expr(x.Arg)
		arg = d.typeOf(x.Arg)
	}
	for _, w := range x.Whens {
		d.keyword("WHEN ", 0, 0, 0)
		if c, ok := w.Cond.(*parser.Const); ok && arg != 0 && c.Kind == parser.ConstString {
			d.constant(c, arg, false)
		} else {
			d.expr(w.Cond)
		}
		d.s(" THEN ")
		d.operand(w.Result, common, false)
	}
	d.keyword("ELSE ", 0, 0, 0)
	if x.Else != nil {
		d.operand(x.Else, common, false)
	} else {
		d.constant(&parser.Const{Kind: parser.ConstNull}, common, false)
	}
	d.keyword("END", -indentVar, 0, 0)
}
