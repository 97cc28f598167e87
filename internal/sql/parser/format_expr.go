package parser

import "strconv"

// precPrimary is the precedence of what needs no parentheses anywhere.
const precPrimary = precCast + 1

// precedence returns how tightly the text of e holds together.
func precedence(e Expr) int {
	switch e := e.(type) {
	case *BoolExpr:
		return [...]int{BoolAnd: precAnd, BoolOr: precOr, BoolNot: precNot}[e.Op]
	case *NullTest, *BooleanTest, *DistinctExpr:
		return precIs
	case *InExpr, *LikeExpr, *BetweenExpr:
		return precLike
	case *OpExpr:
		if e.Left == nil {
			if e.Schema == nil && (e.Op == "-" || e.Op == "+") {
				return precUnary
			}
			return precOp
		}
		return opPrecedence(e.Schema, e.Op)
	case *AnyAllExpr:
		return anyPrecedence(e.Schema, e.Op)
	case *SubLink:
		switch {
		case e.Kind == SubLinkAny && e.Op == "":
			return precLike
		case e.Kind == SubLinkAny, e.Kind == SubLinkAll:
			return anyPrecedence(e.Schema, e.Op)
		}
	case *TypeCast:
		return precCast
	case *CollateExpr:
		return precCollate
	case *XMLExpr:
		if e.Op == XMLIsDocument {
			return precIs
		}
	case *Const:
		if e.Kind == ConstInteger && e.Int < 0 || e.Kind == ConstFloat && e.Str[0] == '-' {
			return precUnary
		}
	case *FuncCall:
		if e.SQLSyntax {
			switch e.Name[len(e.Name)-1] {
			case "timezone":
				return precAt
			case "is_normalized":
				return precIs
			case "overlaps":
				return precNone
			}
		}
	case *SetToDefault:
		return precNone
	}
	return precPrimary
}

func opPrecedence(schema []string, op string) int {
	if schema != nil {
		return precOp
	}
	switch op {
	case "<", ">", "=", "<=", ">=", "<>":
		return precCompare
	case "+", "-":
		return precAdd
	case "*", "/", "%":
		return precMul
	case "^":
		return precPower
	}
	return precOp
}

// anyPrecedence is opPrecedence for ANY and ALL, where LIKE hides behind the operators of its own.
func anyPrecedence(schema []string, op string) int {
	if schema == nil && likeWord(op) != "" {
		return precLike
	}
	return opPrecedence(schema, op)
}

// likeWord returns how an operator of ANY and ALL is spelled with LIKE.
func likeWord(op string) string {
	switch op {
	case "~~":
		return "LIKE"
	case "!~~":
		return "NOT LIKE"
	case "~~*":
		return "ILIKE"
	case "!~~*":
		return "NOT ILIKE"
	}
	return ""
}

func (p *printer) exprs(list []Expr) {
	for i, e := range list {
		if i > 0 {
			p.s(", ")
		}
		p.expr(e, precNone)
	}
}

// expr prints e, in parentheses when it binds less tightly than min.
func (p *printer) expr(e Expr, min int) {
	if precedence(e) < min {
		p.s("(")
		p.bare(e)
		p.s(")")
		return
	}
	p.bare(e)
}

// bExpr prints e where only a restricted expression may stand.
func (p *printer) bExpr(e Expr) {
	if c, ok := e.(*TypeCast); ok && precedence(c.Arg) == precPrimary {
		p.bare(e)
		return
	}
	if _, ok := e.(*Const); ok {
		p.bare(e)
		return
	}
	p.operand(e)
}

// operand prints e where only an operand (c_expr) may stand.
func (p *printer) operand(e Expr) { p.expr(e, precPrimary) }

// bare prints e without parentheses around it.
func (p *printer) bare(e Expr) {
	switch e := e.(type) {
	case *Const:
		p.constant(e)
	case *ParamRef:
		p.s("$")
		p.int(e.Number)
	case *ColumnRef:
		p.dotted(e.Parts)
		if e.Star {
			p.s(pick(len(e.Parts) > 0, ".*", "*"))
		}
	case *OpExpr:
		p.opExpr(e)
	case *BoolExpr:
		p.boolExpr(e)
	case *FuncCall:
		p.funcCall(e)
	case *TypeCast:
		p.expr(e.Arg, precCast)
		p.s("::")
		p.typeName(e.Type)
	case *NullTest:
		p.expr(e.Arg, precIs+1)
		p.s(pick(e.Not, " IS NOT NULL", " IS NULL"))
	case *BooleanTest:
		p.expr(e.Arg, precIs+1)
		p.s(pick(e.Not, " IS NOT ", " IS "), [...]string{"TRUE", "FALSE", "UNKNOWN"}[e.Kind])
	case *DistinctExpr:
		p.expr(e.Left, precIs+1)
		p.s(pick(e.Not, " IS NOT DISTINCT FROM ", " IS DISTINCT FROM "))
		p.expr(e.Right, precIs+1)
	case *InExpr:
		p.expr(e.Left, precLike+1)
		p.s(pick(e.Not, " NOT IN (", " IN ("))
		p.exprs(e.List)
		p.s(")")
	case *LikeExpr:
		p.likeExpr(e)
	case *BetweenExpr:
		p.expr(e.Arg, precLike+1)
		p.s(pick(e.Not, " NOT BETWEEN ", " BETWEEN "))
		p.opt(e.Symmetric, "SYMMETRIC ")
		p.bExpr(e.Low)
		p.s(" AND ")
		p.expr(e.High, precLike+1)
	case *AnyAllExpr:
		p.anyAll(e.Left, e.Schema, e.Op, e.All)
		p.s("(")
		p.expr(e.Right, precNone)
		p.s(")")
	case *SubLink:
		p.subLink(e)
	case *CollateExpr:
		p.expr(e.Arg, precCollate)
		p.collate(e.Collation)
	case *Indirection:
		p.indirectionExpr(e)
	default:
		p.special(e)
	}
}

// special prints the expressions with a function's or keyword's syntax.
func (p *printer) special(e Expr) {
	switch e := e.(type) {
	case *NamedArgExpr:
		p.ident(e.Name)
		p.s(" => ")
		p.expr(e.Arg, precNone)
	case *NullIfExpr:
		p.call("NULLIF", e.Left, e.Right)
	case *CoalesceExpr:
		p.call("COALESCE", e.Args...)
	case *MinMaxExpr:
		p.call(pick(e.Least, "LEAST", "GREATEST"), e.Args...)
	case *GroupingFunc:
		p.call("GROUPING", e.Args...)
	case *CaseExpr:
		p.caseExpr(e)
	case *ArrayExpr:
		p.s("ARRAY")
		p.arrayElems(e)
	case *RowExpr:
		p.call(pick(e.Explicit, "ROW", ""), e.Args...)
	case *CurrentOf:
		p.s("CURRENT OF ")
		p.ident(e.Cursor)
	case *SetToDefault:
		p.s("DEFAULT")
	case *SQLValueFunction:
		p.s(sqlValueNames[e.Kind])
		if e.Precision >= 0 {
			p.s("(")
			p.int(e.Precision)
			p.s(")")
		}
	case *GroupingSet:
		p.groupItem(e)
	case *XMLExpr:
		p.xmlExpr(e)
	}
}

var sqlValueNames = [...]string{
	SVFCurrentDate: "CURRENT_DATE", SVFCurrentTime: "CURRENT_TIME", SVFCurrentTimestamp: "CURRENT_TIMESTAMP",
	SVFLocaltime: "LOCALTIME", SVFLocaltimestamp: "LOCALTIMESTAMP", SVFCurrentRole: "CURRENT_ROLE",
	SVFCurrentUser: "CURRENT_USER", SVFUser: "USER", SVFSessionUser: "SESSION_USER",
	SVFCurrentCatalog: "CURRENT_CATALOG", SVFCurrentSchema: "CURRENT_SCHEMA",
}

// call prints name(args).
func (p *printer) call(name string, args ...Expr) {
	p.s(name, "(")
	p.exprs(args)
	p.s(")")
}

func (p *printer) constant(c *Const) {
	switch c.Kind {
	case ConstNull:
		p.s("NULL")
	case ConstInteger:
		p.b = strconv.AppendInt(p.b, int64(c.Int), 10)
	case ConstFloat:
		p.s(c.Str)
	case ConstString:
		p.str(c.Str)
	case ConstBitString:
		p.s(c.Str[:1])
		p.s("'", c.Str[1:], "'")
	case ConstBoolean:
		p.s(pick(c.Bool, "TRUE", "FALSE"))
	}
}

// operator prints an operator, qualified where it is.
func (p *printer) operator(schema []string, op string) {
	if schema == nil {
		p.s(op)
		return
	}
	p.s("OPERATOR(")
	p.dotted(schema)
	p.s(".", op, ")")
}

func (p *printer) opExpr(e *OpExpr) {
	prec := precedence(e)
	if e.Left == nil {
		p.operator(e.Schema, e.Op)
		p.s(" ")
		if prec == precOp {
			prec++
		}
		p.expr(e.Right, prec)
		return
	}
	left := prec
	if prec == precCompare {
		left++
	}
	p.expr(e.Left, left)
	p.s(" ")
	p.operator(e.Schema, e.Op)
	p.s(" ")
	p.expr(e.Right, prec+1)
}

func (p *printer) boolExpr(e *BoolExpr) {
	if e.Op == BoolNot {
		p.s("NOT ")
		p.expr(e.Args[0], precNot)
		return
	}
	prec, word := precAnd, " AND "
	if e.Op == BoolOr {
		prec, word = precOr, " OR "
	}
	for i, a := range e.Args {
		if i > 0 {
			p.s(word)
		}
		p.expr(a, prec+1)
	}
}

func (p *printer) likeExpr(e *LikeExpr) {
	p.expr(e.Left, precLike+1)
	p.opt(e.Not, " NOT")
	p.s([...]string{" LIKE ", " ILIKE ", " SIMILAR TO "}[e.Kind])
	p.expr(e.Pattern, precEscape+1)
	if e.Escape != nil {
		p.s(" ESCAPE ")
		p.expr(e.Escape, precEscape+1)
	}
}

// anyAll prints up to the parenthesis of ANY or ALL.
func (p *printer) anyAll(left Expr, schema []string, op string, all bool) {
	p.expr(left, anyPrecedence(schema, op)+1)
	p.s(" ")
	if w := likeWord(op); w != "" && schema == nil {
		p.s(w)
	} else {
		p.operator(schema, op)
	}
	p.s(pick(all, " ALL ", " ANY "))
}

func (p *printer) subLink(e *SubLink) {
	switch e.Kind {
	case SubLinkExists:
		p.s("EXISTS ")
	case SubLinkArray:
		p.s("ARRAY")
	case SubLinkAll:
		p.anyAll(e.Test, e.Schema, e.Op, true)
	case SubLinkAny:
		if e.Op == "" {
			p.expr(e.Test, precLike+1)
			p.s(" IN ")
		} else {
			p.anyAll(e.Test, e.Schema, e.Op, false)
		}
	}
	p.s("(")
	p.query(e.Query)
	p.s(")")
}

func (p *printer) indirectionExpr(e *Indirection) {
	paren := true
	switch a := e.Arg.(type) {
	case *ParamRef:
		paren = false
	case *SubLink:
		paren = a.Kind != SubLinkScalar
	case *ColumnRef:
		k := e.Elems[0].Kind
		paren = a.Star || k == IndirField || k == IndirStar
	}
	p.opt(paren, "(")
	p.bare(e.Arg)
	p.opt(paren, ")")
	p.indirection(e.Elems)
}

func (p *printer) indirection(elems []IndirectionElem) {
	for i := range elems {
		e := &elems[i]
		switch e.Kind {
		case IndirField:
			p.s(".")
			p.ident(e.Name)
		case IndirStar:
			p.s(".*")
		default:
			p.s("[")
			if e.Lower != nil {
				p.expr(e.Lower, precNone)
			}
			if e.Kind == IndirSlice {
				p.s(":")
				if e.Upper != nil {
					p.expr(e.Upper, precNone)
				}
			}
			p.s("]")
		}
	}
}

func (p *printer) caseExpr(e *CaseExpr) {
	p.s("CASE")
	if e.Arg != nil {
		p.s(" ")
		p.expr(e.Arg, precNone)
	}
	for _, w := range e.Whens {
		p.s(" WHEN ")
		p.expr(w.Cond, precNone)
		p.s(" THEN ")
		p.expr(w.Result, precNone)
	}
	if e.Else != nil {
		p.s(" ELSE ")
		p.expr(e.Else, precNone)
	}
	p.s(" END")
}

func (p *printer) arrayElems(e *ArrayExpr) {
	p.s("[")
	for i, x := range e.Elems {
		if i > 0 {
			p.s(", ")
		}
		// Inner brackets have no ARRAY, but an explicit ARRAY inside is another element.
		if a, ok := x.(*ArrayExpr); ok && !a.Explicit {
			p.arrayElems(a)
		} else {
			p.expr(x, precNone)
		}
	}
	p.s("]")
}

func (p *printer) funcCall(e *FuncCall) {
	if e.SQLSyntax {
		p.sqlFunc(e)
		return
	}
	// CUBE and ROLLUP would be grouping sets in GROUP BY.
	if len(e.Name) == 1 && (e.Name[0] == "cube" || e.Name[0] == "rollup") {
		p.word(e.Name[0])
	} else {
		p.dotted(e.Name)
	}
	p.s("(")
	p.opt(e.Star, "*")
	p.opt(e.Distinct, "DISTINCT ")
	for i, a := range e.Args {
		if i > 0 {
			p.s(", ")
		}
		p.opt(e.Variadic && i == len(e.Args)-1, "VARIADIC ")
		p.expr(a, precNone)
	}
	if e.OrderBy != nil && !e.WithinGroup {
		p.s(" ORDER BY ")
		list(p, e.OrderBy, p.sortBy)
	}
	p.s(")")
	if e.WithinGroup {
		p.s(" WITHIN GROUP (ORDER BY ")
		list(p, e.OrderBy, p.sortBy)
		p.s(")")
	}
	if e.Filter != nil {
		p.s(" FILTER (WHERE ")
		p.expr(e.Filter, precNone)
		p.s(")")
	}
	if e.Over != nil {
		p.s(" OVER ")
		p.window(e.Over)
	}
}

// sqlFunc prints a call in the syntax it was written in.
func (p *printer) sqlFunc(e *FuncCall) {
	a := e.Args
	infix := func(words ...any) {
		for _, w := range words {
			switch w := w.(type) {
			case string:
				p.s(w)
			case Expr:
				p.expr(w, precNone)
			}
		}
	}
	switch name := e.Name[len(e.Name)-1]; name {
	case "timezone":
		p.expr(a[1], precAt)
		p.s(" AT TIME ZONE ")
		p.expr(a[0], precAt+1)
	case "is_normalized":
		p.expr(a[0], precIs+1)
		p.s(" IS ")
		if len(a) > 1 {
			p.s(a[1].(*Const).Str, " ")
		}
		p.s("NORMALIZED")
	case "overlaps":
		infix("(", a[0], ", ", a[1], ") OVERLAPS (", a[2], ", ", a[3], ")")
	case "extract":
		infix("EXTRACT(", a[0], " FROM ", a[1], ")")
	case "normalize":
		infix("NORMALIZE(", a[0])
		if len(a) > 1 {
			p.s(", ", a[1].(*Const).Str)
		}
		p.s(")")
	case "overlay":
		infix("OVERLAY(", a[0], " PLACING ", a[1], " FROM ", a[2])
		if len(a) > 3 {
			infix(" FOR ", a[3])
		}
		p.s(")")
	case "position":
		p.s("POSITION(")
		p.bExpr(a[1])
		p.s(" IN ")
		p.bExpr(a[0])
		p.s(")")
	case "substring":
		if e.SQLSimilar {
			infix("SUBSTRING(", a[0], " SIMILAR ", a[1], " ESCAPE ", a[2], ")")
			break
		}
		infix("SUBSTRING(", a[0], " FROM ", a[1])
		if len(a) > 2 {
			infix(" FOR ", a[2])
		}
		p.s(")")
	case "btrim", "ltrim", "rtrim":
		p.s("TRIM(", map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name], " FROM ")
		p.exprs(a)
		p.s(")")
	case "xmlexists":
		p.s("XMLEXISTS(")
		p.operand(a[0])
		p.s(" PASSING ")
		p.operand(a[1])
		p.s(")")
	case "pg_collation_for":
		infix("COLLATION FOR (", a[0], ")")
	}
}

func (p *printer) xmlExpr(e *XMLExpr) {
	attrs := func() {
		list(p, e.Named, p.target)
	}
	switch e.Op {
	case XMLConcat:
		p.call("XMLCONCAT", e.Args...)
	case XMLElement:
		p.s("XMLELEMENT(NAME ")
		p.ident(e.Name)
		if e.Named != nil {
			p.s(", XMLATTRIBUTES(")
			attrs()
			p.s(")")
		}
		if e.Args != nil {
			p.s(", ")
			p.exprs(e.Args)
		}
		p.s(")")
	case XMLForest:
		p.s("XMLFOREST(")
		attrs()
		p.s(")")
	case XMLParse:
		p.s("XMLPARSE(", pick(e.Document, "DOCUMENT ", "CONTENT "))
		p.exprs(e.Args)
		p.s(pick(e.Preserve, " PRESERVE WHITESPACE)", ")"))
	case XMLPI:
		p.s("XMLPI(NAME ")
		p.ident(e.Name)
		if e.Args != nil {
			p.s(", ")
			p.exprs(e.Args)
		}
		p.s(")")
	case XMLRoot:
		p.s("XMLROOT(")
		p.expr(e.Args[0], precNone)
		p.s(", VERSION ")
		if c, ok := e.Args[1].(*Const); ok && c.Kind == ConstNull && c.Pos == NoPos {
			p.s("NO VALUE")
		} else {
			p.expr(e.Args[1], precNone)
		}
		p.s([...]string{"", ", STANDALONE YES", ", STANDALONE NO", ", STANDALONE NO VALUE"}[e.Standalone], ")")
	case XMLIsDocument:
		p.expr(e.Args[0], precIs+1)
		p.s(" IS DOCUMENT")
	case XMLSerialize:
		p.s("XMLSERIALIZE(", pick(e.Document, "DOCUMENT ", "CONTENT "))
		p.exprs(e.Args)
		p.s(" AS ")
		p.typeName(e.Type)
		p.s(")")
	}
}

// typeName prints a type.
func (p *printer) typeName(t *TypeName) {
	p.opt(t.SetOf, "SETOF ")
	if !p.systemType(t) {
		p.dotted(t.Names)
		p.opt(t.PctType, "%TYPE")
		p.typmods(t.Typmods)
	}
	for _, b := range t.ArrayBounds {
		p.s("[")
		if b >= 0 {
			p.int(b)
		}
		p.s("]")
	}
}

func (p *printer) typmods(mods []Expr) {
	if mods != nil {
		p.s("(")
		p.exprs(mods)
		p.s(")")
	}
}

// systemType prints a built-in type as SQL names it, and says whether it could.
func (p *printer) systemType(t *TypeName) bool {
	if len(t.Names) != 2 || t.Names[0] != "pg_catalog" || t.PctType {
		return false
	}
	name := t.Names[1]
	if plain, ok := plainTypes[name]; ok && t.Typmods == nil {
		p.s(plain)
		return true
	}
	switch name {
	case "numeric":
		p.s("numeric")
		p.typmods(t.Typmods)
	case "bit":
		if t.Typmods == nil {
			return false
		}
		p.s("bit")
		p.typmods(t.Typmods)
	case "varbit":
		p.s("bit varying")
		p.typmods(t.Typmods)
	case "bpchar":
		if !oneInt(t.Typmods) {
			return false
		}
		p.s("character")
		p.typmods(t.Typmods)
	case "varchar":
		if t.Typmods != nil && !oneInt(t.Typmods) {
			return false
		}
		p.s("character varying")
		p.typmods(t.Typmods)
	case "time", "timestamp", "timetz", "timestamptz":
		if t.Typmods != nil && !oneInt(t.Typmods) {
			return false
		}
		zone := name[len(name)-1] == 'z'
		if zone {
			name = name[:len(name)-2]
		}
		p.s(name)
		p.typmods(t.Typmods)
		p.s(pick(zone, " with time zone", " without time zone"))
	case "interval":
		return p.intervalType(t)
	default:
		return false
	}
	return true
}

var plainTypes = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
	"bool": "boolean",
}

// oneInt says whether the modifiers are a single literal number.
func oneInt(mods []Expr) bool {
	if len(mods) != 1 {
		return false
	}
	c, ok := mods[0].(*Const)
	return ok && c.Kind == ConstInteger && c.Int >= 0
}

// maskOf returns an interval's field mask, 0 when the first modifier is no literal.
func maskOf(mods []Expr) int {
	if len(mods) > 0 && oneInt(mods[:1]) {
		return int(mods[0].(*Const).Int)
	}
	return 0
}

func (p *printer) intervalType(t *TypeName) bool {
	mask := maskOf(t.Typmods)
	switch {
	case t.Typmods == nil:
		p.s("interval")
	case mask == intervalFull && len(t.Typmods) == 2 && oneInt(t.Typmods[1:]):
		p.s("interval")
		p.typmods(t.Typmods[1:])
	case intervalFieldNames(mask) != "" && (len(t.Typmods) == 1 ||
		len(t.Typmods) == 2 && mask&intervalSecond != 0 && oneInt(t.Typmods[1:])):
		p.s("interval", intervalFieldNames(mask))
		p.intervalSeconds(t.Typmods)
	default:
		return false
	}
	return true
}

// intervalSeconds prints the precision of seconds.
func (p *printer) intervalSeconds(mods []Expr) {
	if len(mods) > 1 {
		p.typmods(mods[1:])
	}
}

func intervalFieldNames(mask int) string {
	const dayHour = intervalDay | intervalHour
	switch mask {
	case intervalYear:
		return " year"
	case intervalMonth:
		return " month"
	case intervalDay:
		return " day"
	case intervalHour:
		return " hour"
	case intervalMinute:
		return " minute"
	case intervalSecond:
		return " second"
	case intervalYear | intervalMonth:
		return " year to month"
	case dayHour:
		return " day to hour"
	case dayHour | intervalMinute:
		return " day to minute"
	case dayHour | intervalMinute | intervalSecond:
		return " day to second"
	case intervalHour | intervalMinute:
		return " hour to minute"
	case intervalHour | intervalMinute | intervalSecond:
		return " hour to second"
	case intervalMinute | intervalSecond:
		return " minute to second"
	}
	return ""
}
