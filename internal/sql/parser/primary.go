package parser

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// primary parses an operand (c_expr).
func (p *parser) primary() Expr {
	t := &p.tok
	pos := t.pos
	switch t.kind {
	case tokIdent:
		return p.nameExpr(catUnreserved)
	case tokInteger:
		c := &Const{Pos: pos, Kind: ConstInteger, Int: t.num}
		p.advance()
		return c
	case tokFloat:
		return &Const{Pos: pos, Kind: ConstFloat, Str: p.takeName()}
	case tokString:
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	case tokBits:
		return &Const{Pos: pos, Kind: ConstBitString, Str: p.takeName()}
	case tokParam:
		e := &ParamRef{Pos: pos, Number: int(t.num)}
		p.advance()
		return p.indirected(pos, e)
	case '(':
		return p.parenExpr()
	}
	if t.kind < firstKeyword {
		p.syntaxError()
	}
	cat := keywords[t.kind-firstKeyword].cat
	if e := p.keywordExpr(cat); e != nil {
		return e
	}
	if cat == catReserved {
		p.syntaxError()
	}
	return p.nameExpr(cat)
}

// parenExpr parses what starts with a parenthesis: (expr), a row, or a subquery.
func (p *parser) parenExpr() Expr {
	pos := p.tok.pos
	sel, list := p.parenthesized(true)
	switch {
	case sel != nil:
		return p.indirected(pos, &SubLink{Pos: pos, Kind: SubLinkScalar, Query: sel})
	case len(list) > 1:
		return &RowExpr{Pos: pos, Args: list}
	}
	return p.indirected(pos, list[0])
}

// parenthesized parses (query) or (expr, …) with at least one expression. Which of the two it is can be known only
// after the inner parentheses of "((select 1) …", so both are parsed by the same code. With list unset only one
// expression may stand there.
func (p *parser) parenthesized(list bool) (*SelectStmt, []Expr) {
	p.enter()
	defer p.leave()
	p.expect('(')
	if p.startsSelect() {
		sel := p.selectNoParens()
		p.expect(')')
		return sel, nil
	}
	var first Expr
	if p.is('(') {
		pos := p.tok.pos
		saved := p.height
		p.height = 0
		sel, exprs := p.parenthesized(true)
		switch {
		case sel != nil && p.continuesSelect():
			sel = p.selectRest(sel, nil)
			p.expect(')')
			p.height = max(p.height, saved)
			return sel, nil
		case sel != nil && p.accept(')'):
			p.height = max(p.height, saved)
			return sel, nil
		case sel != nil:
			first = p.indirected(pos, &SubLink{Pos: pos, Kind: SubLinkScalar, Query: sel})
		case len(exprs) > 1:
			row := &RowExpr{Pos: pos, Args: exprs}
			first = row
			if p.is(kwOverlaps) {
				first = p.overlaps(row)
			}
		default:
			first = p.indirected(pos, exprs[0])
		}
		first = p.operators(first, precNone, 0)
		p.height = max(p.height, saved)
	} else {
		first = p.expr()
	}
	exprs := []Expr{first}
	for list && p.accept(',') {
		exprs = append(exprs, p.expr())
	}
	p.expect(')')
	return nil, exprs
}

// startsSelect says whether a query without parentheses starts at the current token.
func (p *parser) startsSelect() bool {
	switch p.tok.kind {
	case kwSelect, kwTable, kwWith:
		return true
	case kwValues:
		return p.peek(1) == '('
	}
	return false
}

// continuesSelect says whether the current token goes on with a query after a parenthesized query.
func (p *parser) continuesSelect() bool {
	switch p.tok.kind {
	case kwUnion, kwIntersect, kwExcept, kwOrder, kwLimit, kwOffset, kwFetch, kwFor:
		return true
	}
	return false
}

// nameExpr parses what starts with a name that may be a column's, a function's or a type's, by its category.
func (p *parser) nameExpr(cat keywordCategory) Expr {
	pos := p.tok.pos
	name := p.takeName()
	funcName := cat != catColName
	switch p.tok.kind {
	case '(':
		if funcName {
			return p.callOrLiteral(pos, []string{name})
		}
	case tokString:
		if funcName {
			return p.typedLiteral(pos, &TypeName{Pos: pos, Names: []string{name}})
		}
	case '.', '[':
		if cat != catTypeFunc {
			return p.dotted(pos, name)
		}
	default:
		if cat != catTypeFunc {
			return newColumnRef(pos, name)
		}
	}
	p.syntaxError()
	return nil
}

// newColumnRef makes a reference of one part with a single allocation.
func newColumnRef(pos int, name string) *ColumnRef {
	c := &struct {
		ref   ColumnRef
		parts [1]string
	}{}
	c.parts[0] = name
	c.ref.Pos = pos
	c.ref.Parts = c.parts[:]
	return &c.ref
}

// dotted parses a name with dots and subscripts after it, up to a call's or literal's start.
func (p *parser) dotted(pos int, name string) Expr {
	ref := &ColumnRef{Pos: pos, Parts: append(make([]string, 0, 2), name)}
	for p.is('.') {
		p.advance()
		if p.accept('*') {
			ref.Star = true
			if p.is('.') || p.is('[') {
				p.indirection()
				p.improperStar()
			}
			return ref
		}
		ref.Parts = append(ref.Parts, p.colLabel())
	}
	switch p.tok.kind {
	case '(':
		return p.callOrLiteral(pos, ref.Parts)
	case tokString:
		return p.typedLiteral(pos, &TypeName{Pos: pos, Names: ref.Parts})
	case '[':
		return p.indirected(pos, ref)
	}
	return ref
}

func (p *parser) improperStar() {
	if p.is(tokEOF) {
		p.failAt(p.tok.pos, failure.SyntaxError, "improper use of \"*\" at end of input")
	}
	p.failAt(p.tok.pos, failure.SyntaxError, "improper use of \"*\" at or near \"%s\"", p.sql[p.tok.pos:p.tok.end])
}

// indirected parses the subscripts and fields after arg.
func (p *parser) indirected(pos int, arg Expr) Expr {
	if !p.is('[') && !p.is('.') {
		return arg
	}
	h := p.height
	elems := p.indirection()
	p.height = p.grow(h, p.height)
	return &Indirection{Pos: pos, Arg: arg, Elems: elems}
}

// indirection parses subscripts and fields.
func (p *parser) indirection() []IndirectionElem {
	var elems []IndirectionElem
	star := false
	for {
		e := IndirectionElem{Pos: p.here()}
		switch p.tok.kind {
		case '.':
			p.advance()
			if p.accept('*') {
				e.Kind = IndirStar
				star = true
				elems = append(elems, e)
				if p.is('.') || p.is('[') {
					continue
				}
				return p.checkStar(elems, star)
			}
			e.Kind = IndirField
			e.Name = p.colLabel()
		case '[':
			p.advance()
			p.subscript(&e)
		default:
			return p.checkStar(elems, star)
		}
		elems = append(elems, e)
	}
}

// checkStar refuses a star that is not the last step.
func (p *parser) checkStar(elems []IndirectionElem, star bool) []IndirectionElem {
	if star {
		for i := range elems[:len(elems)-1] {
			if elems[i].Kind == IndirStar {
				p.improperStar()
			}
		}
	}
	return elems
}

// subscript parses what is between brackets.
func (p *parser) subscript(e *IndirectionElem) {
	if p.accept(':') {
		e.Kind = IndirSlice
	} else {
		e.Kind = IndirIndex
		e.Lower = p.expr()
		if p.accept(':') {
			e.Kind = IndirSlice
		}
	}
	if e.Kind == IndirSlice && !p.is(']') {
		e.Upper = p.expr()
	}
	p.expect(']')
}

// typedLiteral makes Type 'string' from a type's name and the string at the current token.
func (p *parser) typedLiteral(pos int, t *TypeName) Expr {
	c := &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}
	return &TypeCast{Pos: pos, Arg: c, Type: t}
}

// callOrLiteral parses a call, or a literal of a type with modifiers: name(args) 'string'.
func (p *parser) callOrLiteral(pos int, name []string) Expr {
	order := p.tok.pos
	f := p.callArgs(pos, name)
	if !p.is(tokString) || f.Star || f.Distinct || f.Variadic || len(f.Args) == 0 {
		return p.callSuffix(f)
	}
	for _, a := range f.Args {
		if n, ok := a.(*NamedArgExpr); ok {
			p.failAt(n.Pos, failure.SyntaxError, "type modifier cannot have parameter name")
		}
	}
	if f.OrderBy != nil {
		order += strings.LastIndex(strings.ToLower(p.sql[order:f.OrderBy[0].Pos]), "order")
		p.failAt(order, failure.SyntaxError, "type modifier cannot have ORDER BY")
	}
	return p.typedLiteral(pos, &TypeName{Pos: pos, Names: name, Typmods: f.Args})
}

// callArgs parses the parentheses of a call.
func (p *parser) callArgs(pos int, name []string) *FuncCall {
	f := &FuncCall{Pos: pos, Name: name}
	p.expect('(')
	switch p.tok.kind {
	case ')':
		p.advance()
		return f
	case '*':
		p.advance()
		p.expect(')')
		f.Star = true
		return f
	case kwAll:
		p.advance()
		f.Args = append(f.Args, p.funcArg())
	case kwDistinct:
		p.advance()
		f.Distinct = true
		f.Args = append(f.Args, p.funcArg())
	case kwVariadic:
		p.advance()
		f.Variadic = true
		f.Args = append(f.Args, p.funcArg())
	default:
		f.Args = append(f.Args, p.funcArg())
		p.moreArgs(f, true)
		return f
	}
	p.moreArgs(f, false)
	return f
}

// moreArgs parses the arguments after the first, and the call's ORDER BY and parenthesis.
func (p *parser) moreArgs(f *FuncCall, variadic bool) {
	saved := p.height
	for !f.Variadic && p.accept(',') {
		if variadic && p.accept(kwVariadic) {
			f.Variadic = true
		}
		f.Args = append(f.Args, p.funcArg())
	}
	if p.is(kwOrder) {
		f.OrderBy = p.sortClause()
	}
	p.expect(')')
	p.height = p.grow(max(saved, p.height), 0)
}

// funcArg parses an argument, which may be named.
func (p *parser) funcArg() Expr {
	if p.tok.isTypeFuncName() {
		if k := p.peek(1); k == tokEqualsGreater || k == tokColonEquals {
			pos := p.tok.pos
			name := p.takeName()
			p.advance()
			return &NamedArgExpr{Pos: pos, Name: name, Arg: p.expr()}
		}
	}
	return p.expr()
}

// callSuffix parses WITHIN GROUP, FILTER and OVER after a call.
func (p *parser) callSuffix(f *FuncCall) Expr {
	if p.is(kwWithin) {
		pos := p.tok.pos
		p.expectAll(kwWithin, kwGroup, '(')
		order := p.sortClause()
		p.expect(')')
		switch {
		case f.OrderBy != nil:
			p.failAt(pos, failure.SyntaxError, "cannot use multiple ORDER BY clauses with WITHIN GROUP")
		case f.Distinct:
			p.failAt(pos, failure.SyntaxError, "cannot use DISTINCT with WITHIN GROUP")
		case f.Variadic:
			p.failAt(pos, failure.SyntaxError, "cannot use VARIADIC with WITHIN GROUP")
		}
		f.WithinGroup, f.OrderBy = true, order
	}
	if p.accept(kwFilter) {
		p.expectAll('(', kwWhere)
		f.Filter = p.expr()
		p.expect(')')
	}
	if p.accept(kwOver) {
		if p.is('(') {
			f.Over = p.windowSpec()
		} else {
			f.Over = &WindowDef{Pos: p.here(), Name: p.colID()}
		}
	}
	return f
}

// keywordExpr parses an operand with a syntax of its own, by its first keyword. It returns nil when the keyword is a
// plain name here.
func (p *parser) keywordExpr(cat keywordCategory) Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwNull:
		p.advance()
		return &Const{Pos: pos, Kind: ConstNull}
	case kwTrue, kwFalse:
		return &Const{Pos: pos, Kind: ConstBoolean, Bool: p.take().kind == kwTrue}
	case kwCase:
		return p.caseExpr()
	case kwCast:
		p.expectAll(kwCast, '(')
		arg := p.expr()
		p.expect(kwAs)
		t := p.typeName()
		p.expect(')')
		p.height = p.grow(p.height, 0)
		return &TypeCast{Pos: pos, Arg: arg, Type: t}
	case kwArray:
		p.advance()
		if p.is('(') {
			return &SubLink{Pos: pos, Kind: SubLinkArray, Query: p.selectWithParens()}
		}
		a := p.arrayExpr(pos)
		a.Explicit = true
		return a
	case kwRow:
		if p.peek(1) == '(' {
			p.advance()
			p.advance()
			row := &RowExpr{Pos: pos, Explicit: true}
			if !p.is(')') {
				row.Args = p.exprList()
			}
			p.expect(')')
			return row
		}
		return nil
	case kwCurrentDate, kwCurrentTime, kwCurrentTimestamp, kwLocaltime, kwLocaltimestamp, kwCurrentRole, kwCurrentUser,
		kwUser, kwSessionUser, kwCurrentCatalog:
		return p.sqlValue()
	case kwCurrentSchema:
		if k := p.peek(1); k != '(' && k != tokString {
			return p.sqlValue()
		}
		return nil
	case kwCollation:
		if p.peek(1) != kwFor {
			return nil
		}
		p.expectAll(kwCollation, kwFor, '(')
		arg := p.expr()
		p.expect(')')
		return sqlCall(pos, "pg_collation_for", arg)
	case kwInterval:
		return p.intervalLiteral()
	case kwDouble:
		if p.peek(1) != kwPrecision {
			return nil
		}
		return p.constTyped()
	}
	if cat == catColName {
		return p.colNameExpr()
	}
	return nil
}

// colNameExpr parses an operand that starts with a keyword that may be a column's name but not a function's.
func (p *parser) colNameExpr() Expr {
	next := p.peek(1)
	switch p.tok.kind {
	case kwInt, kwInteger, kwSmallint, kwBigint, kwReal, kwBoolean:
		if next == tokString {
			return p.constTyped()
		}
	case kwFloat, kwDecimal, kwDec, kwNumeric:
		if next == tokString || next == '(' {
			return p.constTyped()
		}
	case kwBit, kwCharacter, kwChar, kwNchar:
		if next == tokString || next == '(' || next == kwVarying {
			return p.constTyped()
		}
	case kwVarchar:
		if next == tokString || next == '(' {
			return p.constTyped()
		}
	case kwNational:
		if next == kwCharacter || next == kwChar {
			return p.constTyped()
		}
	case kwTime, kwTimestamp:
		if next == tokString || next == '(' || (next == kwWith || next == kwWithout) && p.peek(2) == kwTime {
			return p.constTyped()
		}
	default:
		if next == '(' {
			return p.specialCall()
		}
	}
	return nil
}

// constTyped parses a literal of a type with a syntax of its own.
func (p *parser) constTyped() Expr {
	pos := p.tok.pos
	t := p.simpleTypeName(true)
	if !p.is(tokString) {
		p.syntaxError()
	}
	return p.typedLiteral(pos, t)
}

// intervalLiteral parses INTERVAL 'text' [fields] or INTERVAL(p) 'text'; nil when INTERVAL is a column here.
func (p *parser) intervalLiteral() Expr {
	pos := p.tok.pos
	t := &TypeName{Pos: pos, Names: []string{"pg_catalog", "interval"}}
	switch p.peek(1) {
	case tokString:
		p.advance()
		e := p.typedLiteral(pos, t)
		t.Typmods = p.intervalFields()
		return e
	case '(':
		p.advance()
		t.Typmods = p.intervalPrecision()
		return p.typedLiteral(pos, t)
	}
	return nil
}

// sqlValue parses CURRENT_DATE and its kin.
func (p *parser) sqlValue() Expr {
	e := &SQLValueFunction{Pos: p.here(), Precision: -1}
	precision := false
	switch p.take().kind {
	case kwCurrentDate:
		e.Kind = SVFCurrentDate
	case kwCurrentTime:
		e.Kind, precision = SVFCurrentTime, true
	case kwCurrentTimestamp:
		e.Kind, precision = SVFCurrentTimestamp, true
	case kwLocaltime:
		e.Kind, precision = SVFLocaltime, true
	case kwLocaltimestamp:
		e.Kind, precision = SVFLocaltimestamp, true
	case kwCurrentRole:
		e.Kind = SVFCurrentRole
	case kwCurrentUser:
		e.Kind = SVFCurrentUser
	case kwUser:
		e.Kind = SVFUser
	case kwSessionUser:
		e.Kind = SVFSessionUser
	case kwCurrentCatalog:
		e.Kind = SVFCurrentCatalog
	case kwCurrentSchema:
		e.Kind = SVFCurrentSchema
	}
	if precision && p.accept('(') {
		e.Precision = p.iconst()
		p.expect(')')
	}
	return e
}

// caseExpr parses CASE.
func (p *parser) caseExpr() Expr {
	c := &CaseExpr{Pos: p.here()}
	p.advance()
	if !p.is(kwWhen) {
		c.Arg = p.expr()
	}
	if !p.is(kwWhen) {
		p.syntaxError()
	}
	for p.is(kwWhen) {
		w := &CaseWhen{Pos: p.take().pos}
		w.Cond = p.expr()
		p.expect(kwThen)
		w.Result = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if p.accept(kwElse) {
		c.Else = p.expr()
	}
	p.expect(kwEnd)
	p.height = p.grow(p.height, 0)
	return c
}

// arrayExpr parses the brackets of ARRAY[…], which may nest.
func (p *parser) arrayExpr(pos int) *ArrayExpr {
	p.enter()
	defer p.leave()
	a := &ArrayExpr{Pos: pos}
	p.expect('[')
	if p.accept(']') {
		return a
	}
	nested := p.is('[')
	for {
		if nested {
			if !p.is('[') {
				p.syntaxError()
			}
			a.Elems = append(a.Elems, p.arrayExpr(p.tok.pos))
		} else {
			a.Elems = append(a.Elems, p.expr())
		}
		if !p.accept(',') {
			break
		}
	}
	p.expect(']')
	p.height = p.grow(p.height, 0)
	return a
}

// sqlCall makes the call that a special syntax stands for.
func sqlCall(pos int, name string, args ...Expr) *FuncCall {
	return &FuncCall{Pos: pos, Name: []string{"pg_catalog", name}, Args: args, SQLSyntax: true}
}
