package parser

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// fromList parses the items of FROM or USING.
func (p *parser) fromList() []TableExpr {
	list := make([]TableExpr, 0, 1)
	for {
		list = append(list, p.tableExpr())
		if !p.accept(',') {
			return list
		}
	}
}

// tableExpr parses an item of FROM with its joins.
func (p *parser) tableExpr() TableExpr {
	p.enter()
	saved := p.height
	p.height = 0
	t := p.joins(p.tableOperand())
	p.height = max(p.height, saved)
	p.leave()
	return t
}

// joins parses the joins after left.
func (p *parser) joins(left TableExpr) TableExpr {
	h := p.height
	for {
		j := &JoinExpr{Pos: p.here(), Left: left}
		switch p.tok.kind {
		case kwCross:
			p.advance()
			j.Kind = JoinCross
		case kwNatural:
			p.advance()
			j.Natural = true
			j.Kind = p.joinKind()
		case kwJoin, kwInner, kwLeft, kwRight, kwFull:
			j.Kind = p.joinKind()
		default:
			p.height = h
			return left
		}
		p.expect(kwJoin)
		p.height = 0
		if j.Kind == JoinCross || j.Natural {
			j.Right = p.tableOperand()
		} else {
			// "a JOIN b JOIN c ON … ON …": a join that follows before the condition belongs to the right side.
			j.Right = p.tableExpr()
			p.joinCondition(j)
		}
		h = p.grow(h, p.height)
		left = j
	}
}

// joinKind takes the words before JOIN.
func (p *parser) joinKind() JoinKind {
	kind := JoinInner
	switch p.tok.kind {
	case kwInner:
		p.advance()
		return kind
	case kwLeft:
		kind = JoinLeft
	case kwRight:
		kind = JoinRight
	case kwFull:
		kind = JoinFull
	default:
		return kind
	}
	p.advance()
	p.accept(kwOuter)
	return kind
}

// joinCondition parses ON or USING.
func (p *parser) joinCondition(j *JoinExpr) {
	if p.accept(kwOn) {
		j.On = p.expr()
		return
	}
	p.expect(kwUsing)
	j.Using = p.parenNames()
	if p.accept(kwAs) {
		j.UsingAlias = &Alias{Pos: p.here(), Name: p.colID()}
	}
}

// tableOperand parses an item of FROM without joins after it.
func (p *parser) tableOperand() TableExpr {
	pos := p.tok.pos
	switch p.tok.kind {
	case '(':
		return p.tableParens()
	case kwLateral:
		p.advance()
		switch p.tok.kind {
		case '(':
			r := &RangeSubselect{Pos: pos, Lateral: true}
			at := p.tok.pos
			r.Query = p.selectWithParens()
			return p.subselectAlias(r, at)
		case kwXmltable:
			return p.xmlTable(pos, true)
		}
		return p.functionTable(pos, true)
	case kwRows:
		if p.peek(1) == kwFrom && p.peek(2) == '(' {
			return p.functionTable(pos, false)
		}
	case kwXmltable:
		if p.peek(1) == '(' {
			return p.xmlTable(pos, false)
		}
	case kwOnly:
		return p.rangeVar()
	case tokIdent:
		switch p.peek(1) {
		case '(':
			return p.functionTable(pos, false)
		case '.':
		default:
			return p.rangeVarRest(&RangeVar{Pos: pos, Relation: RelationName{Pos: pos, Name: p.takeName()}})
		}
	}
	return p.namedTable(pos)
}

// namedTable parses a relation or a function's call, which can be told apart only after the name.
func (p *parser) namedTable(pos int) TableExpr {
	if p.tok.category() == 0 {
		p.syntaxError()
	}
	if c := p.tok.category(); c == catReserved || c == catTypeFunc || p.peek(1) == '(' {
		// What is no table's name may still be a function: LEFT('x', 1), CURRENT_DATE, COALESCE(…).
		return p.functionTable(pos, false)
	}
	if p.peek(1) != '.' {
		return p.rangeVar()
	}
	name := []string{p.takeName()}
	for p.accept('.') {
		name = append(name, p.colLabel())
	}
	if p.is('(') {
		call := p.callArgs(pos, name)
		return p.functionRest(&RangeFunction{Pos: pos,
			Funcs: []*RangeFunctionItem{{Pos: pos, Func: call}}})
	}
	return p.rangeVarRest(&RangeVar{Pos: pos, Relation: p.relationOf(pos, name)})
}

// relationOf makes a relation's name of its parts.
func (p *parser) relationOf(pos int, parts []string) RelationName {
	r := RelationName{Pos: pos}
	switch len(parts) {
	case 1:
		r.Name = parts[0]
	case 2:
		r.Schema, r.Name = parts[0], parts[1]
	case 3:
		r.Catalog, r.Schema, r.Name = parts[0], parts[1], parts[2]
	default:
		p.failAt(pos, failure.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(parts, "."))
	}
	return r
}

// relationExpr parses a relation with ONLY or *.
func (p *parser) relationExpr() *RangeVar {
	r := &RangeVar{Pos: p.here()}
	if p.accept(kwOnly) {
		r.Only = true
		if p.accept('(') {
			r.Relation = p.relation()
			p.expect(')')
			return r
		}
		r.Relation = p.relation()
		return r
	}
	r.Relation = p.relation()
	p.accept('*')
	return r
}

// rangeVar parses a relation in FROM with its alias and sample.
func (p *parser) rangeVar() TableExpr {
	r := p.relationExpr()
	return p.rangeVarRest(r)
}

func (p *parser) rangeVarRest(r *RangeVar) TableExpr {
	if !r.Only {
		p.accept('*')
	}
	r.Alias = p.optAlias()
	if p.is(kwTablesample) {
		s := &TableSample{Pos: p.take().pos}
		s.Method = p.funcName()
		p.expect('(')
		s.Args = p.exprList()
		p.expect(')')
		if p.accept(kwRepeatable) {
			p.expect('(')
			s.Repeatable = p.expr()
			p.expect(')')
		}
		r.Sample = s
	}
	return r
}

// funcName takes a function's name.
func (p *parser) funcName() []string {
	c := p.tok.category()
	if c == 0 || c == catReserved {
		p.syntaxError()
	}
	name := []string{p.takeName()}
	if !p.is('.') {
		if c == catColName {
			p.syntaxError()
		}
		return name
	}
	if c == catTypeFunc {
		p.syntaxError()
	}
	for p.accept('.') {
		name = append(name, p.colLabel())
	}
	return name
}

// optAlias parses [AS] name [(columns)].
func (p *parser) optAlias() *Alias {
	as := p.accept(kwAs)
	if !p.tok.isColID() {
		if as {
			p.syntaxError()
		}
		return nil
	}
	a := &Alias{Pos: p.here(), Name: p.takeName()}
	a.Columns = p.optParenNames()
	return a
}

// tableParens parses what starts with a parenthesis in FROM: a subquery or a join.
func (p *parser) tableParens() TableExpr {
	pos := p.tok.pos
	sel, join := p.parenthesizedTable()
	if sel != nil {
		return p.subselectAlias(&RangeSubselect{Pos: pos, Query: sel}, pos)
	}
	if a := p.optAlias(); a != nil {
		join.Alias = a
	}
	return join
}

// subselectAlias parses a subquery's alias, which PostgreSQL 15 demands.
func (p *parser) subselectAlias(r *RangeSubselect, pos int) TableExpr {
	if r.Alias = p.optAlias(); r.Alias == nil {
		what, form := "subquery", "SELECT"
		if r.Query.Values != nil {
			what, form = "VALUES", "VALUES"
		}
		p.fail(failure.New(failure.SyntaxError, "%s in FROM must have an alias", what).
			WithHint("For example, FROM (%s ...) [AS] foo.", form).At(CharPosition(p.sql, pos)))
	}
	return r
}

// parenthesizedTable parses (query) or (join). As with expressions, "((" does not tell which.
func (p *parser) parenthesizedTable() (*SelectStmt, *JoinExpr) {
	p.enter()
	defer p.leave()
	p.expect('(')
	if p.startsSelect() {
		sel := p.selectNoParens()
		p.expect(')')
		return sel, nil
	}
	var left TableExpr
	aliased := false // left is a join with an alias, which parentheses alone cannot hold
	if p.is('(') {
		pos := p.tok.pos
		sel, join := p.parenthesizedTable()
		switch {
		case sel != nil && p.continuesSelect():
			sel = p.selectRest(sel, nil)
			p.expect(')')
			return sel, nil
		case sel != nil && p.accept(')'):
			return sel, nil
		case sel != nil:
			left = p.subselectAlias(&RangeSubselect{Pos: pos, Query: sel}, pos)
		default:
			join.Alias = p.optAlias()
			aliased = join.Alias != nil
			left = join
		}
	} else {
		left = p.tableOperand()
	}
	t := p.joins(left)
	join, ok := t.(*JoinExpr)
	if !ok || aliased && t == left {
		p.syntaxError()
	}
	p.expect(')')
	return nil, join
}

// functionTable parses a function, or ROWS FROM, in FROM.
func (p *parser) functionTable(pos int, lateral bool) TableExpr {
	r := &RangeFunction{Pos: pos, Lateral: lateral}
	if p.is(kwRows) && p.peek(1) == kwFrom {
		p.expectAll(kwRows, kwFrom, '(')
		r.RowsFrom = true
		for {
			item := &RangeFunctionItem{Pos: p.here(), Func: p.windowlessFunc()}
			if p.accept(kwAs) {
				item.ColDefs = p.tableFuncElements()
			}
			r.Funcs = append(r.Funcs, item)
			if !p.accept(',') {
				break
			}
		}
		p.expect(')')
	} else {
		r.Funcs = []*RangeFunctionItem{{Pos: p.here(), Func: p.windowlessFunc()}}
	}
	return p.functionRest(r)
}

// windowlessFunc parses a call without FILTER and OVER, or an expression with a function's syntax.
func (p *parser) windowlessFunc() Expr {
	pos := p.tok.pos
	cat := p.tok.category()
	if cat == 0 {
		p.syntaxError()
	}
	switch p.tok.kind {
	case tokIdent, kwCase, kwArray, kwNull, kwTrue, kwFalse, kwExists, kwRow, kwGrouping, kwInt, kwInteger, kwSmallint,
		kwBigint, kwReal, kwBoolean, kwFloat, kwDecimal, kwDec, kwNumeric, kwBit, kwCharacter, kwChar, kwNchar,
		kwVarchar, kwNational, kwTime, kwTimestamp, kwInterval, kwDouble:
	default:
		if e := p.keywordExpr(cat); e != nil {
			return e
		}
	}
	return p.callArgs(pos, p.funcName())
}

// functionRest parses WITH ORDINALITY and the alias after a function in FROM.
func (p *parser) functionRest(r *RangeFunction) TableExpr {
	if p.acceptTwo(kwWith, kwOrdinality) {
		r.Ordinality = true
	}
	if p.is(kwAs) && p.peek(1) == '(' {
		p.advance()
		r.ColDefs = p.tableFuncElements()
		return r
	}
	as := p.accept(kwAs)
	if !p.tok.isColID() {
		if as {
			p.syntaxError()
		}
		return r
	}
	r.Alias = &Alias{Pos: p.here(), Name: p.takeName()}
	if p.is('(') {
		if k := p.peek(2); k == ',' || k == ')' {
			r.Alias.Columns = p.parenNames()
		} else {
			r.ColDefs = p.tableFuncElements()
		}
	}
	return r
}

// tableFuncElements parses (name type [COLLATE c], …).
func (p *parser) tableFuncElements() []*ColumnDef {
	p.expect('(')
	var list []*ColumnDef
	for {
		c := &ColumnDef{Pos: p.here(), Name: p.colID()}
		c.Type = p.typeName()
		if p.accept(kwCollate) {
			c.Collation = p.dottedName()
		}
		list = append(list, c)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

// xmlTable parses XMLTABLE.
func (p *parser) xmlTable(pos int, lateral bool) TableExpr {
	x := &RangeTableFunc{Pos: pos, Lateral: lateral}
	p.open()
	if p.acceptTwo(kwXmlnamespaces, '(') {
		for {
			n := &ResTarget{Pos: p.here()}
			if p.accept(kwDefault) {
				n.Value = p.bExpr()
			} else {
				n.Value = p.bExpr()
				p.expect(kwAs)
				n.Name = p.colLabel()
			}
			x.Namespaces = append(x.Namespaces, n)
			if !p.accept(',') {
				break
			}
		}
		p.expectAll(')', ',')
	}
	x.RowExpr = p.primary()
	x.DocExpr = p.xmlPassing()
	p.expect(kwColumns)
	for {
		x.Columns = append(x.Columns, p.xmlTableColumn())
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	x.Alias = p.optAlias()
	return x
}

func (p *parser) xmlTableColumn() *RangeTableFuncCol {
	c := &RangeTableFuncCol{Pos: p.here(), Name: p.colID()}
	if p.accept(kwFor) {
		p.expect(kwOrdinality)
		c.ForOrdinality = true
		return c
	}
	c.Type = p.typeName()
	for null := false; ; {
		at := p.tok.pos
		switch {
		case p.is(kwDefault):
			if c.Default != nil {
				p.failAt(at, failure.SyntaxError, "only one DEFAULT value is allowed")
			}
			p.advance()
			c.Default = p.bExpr()
		case p.is(tokIdent):
			if p.tok.str != "path" {
				p.failAt(at, failure.SyntaxError, "unrecognized column option \"%s\"", p.tok.str)
			}
			if c.Path != nil {
				p.failAt(at, failure.SyntaxError, "only one PATH value per column is allowed")
			}
			p.advance()
			c.Path = p.bExpr()
		case p.is(kwNot), p.is(kwNull):
			if null {
				p.failAt(at, failure.SyntaxError, "conflicting or redundant NULL / NOT NULL declarations for column \"%s\"",
					c.Name)
			}
			null = true
			c.NotNull = p.accept(kwNot)
			p.expect(kwNull)
		default:
			return c
		}
	}
}
