package parser

import "github.com/meridiandb/meridian/internal/failure"

// selectStmt parses a query that may be wrapped in parentheses.
func (p *parser) selectStmt() *SelectStmt {
	if p.is('(') {
		return p.selectRest(p.selectWithParens(), nil)
	}
	return p.selectNoParens()
}

// selectWithParens parses (query), with any number of parentheses.
func (p *parser) selectWithParens() *SelectStmt {
	p.enter()
	saved := p.height
	p.height = 0
	p.expect('(')
	s := p.selectStmt()
	p.expect(')')
	p.height = p.grow(max(p.height, saved), 0)
	p.leave()
	return s
}

// selectNoParens parses a query that does not start with a parenthesis.
func (p *parser) selectNoParens() *SelectStmt {
	p.enter()
	var with *WithClause
	if p.is(kwWith) {
		with = p.withClause()
	}
	s := p.selectRest(p.selectClause(), with)
	p.leave()
	return s
}

// selectClause parses one operand of a set operation.
func (p *parser) selectClause() *SelectStmt {
	switch p.tok.kind {
	case kwSelect:
		return p.simpleSelect()
	case kwValues:
		return p.valuesClause()
	case kwTable:
		pos := p.take().pos
		star := &ResTarget{Pos: pos, Value: &ColumnRef{Pos: NoPos, Star: true}}
		return &SelectStmt{Pos: pos, Targets: []*ResTarget{star}, From: []TableExpr{p.relationExpr()}}
	case '(':
		return p.selectWithParens()
	}
	p.syntaxError()
	return nil
}

// selectRest parses what follows the first operand of a query: set operations, ORDER BY, LIMIT, locking.
func (p *parser) selectRest(first *SelectStmt, with *WithClause) *SelectStmt {
	s := p.setOperations(first, 1)
	o := selectOptions{limitPos: NoPos}
	if p.is(kwOrder) {
		o.orderBy = p.sortClause()
	}
	if p.is(kwFor) {
		o.locking = p.lockingClauses()
		p.limitClauses(&o)
	} else if p.is(kwLimit) || p.is(kwOffset) || p.is(kwFetch) {
		p.limitClauses(&o)
		if p.is(kwFor) {
			o.locking = p.lockingClauses()
		}
	}
	if o.any || o.orderBy != nil || o.locking != nil || with != nil {
		p.insertOptions(s, &o, with)
	}
	return s
}

// setOperations parses UNION, INTERSECT and EXCEPT after left, those that bind at least as tightly as min: 1 for
// UNION and EXCEPT, 2 for INTERSECT.
func (p *parser) setOperations(left *SelectStmt, min int) *SelectStmt {
	h := p.height
	for {
		op, prec := SetOpNone, 1
		switch p.tok.kind {
		case kwUnion:
			op = SetOpUnion
		case kwExcept:
			op = SetOpExcept
		case kwIntersect:
			op, prec = SetOpIntersect, 2
		}
		if op == SetOpNone || prec < min {
			p.height = h
			return left
		}
		s := &SelectStmt{Pos: left.Pos, Op: op, Left: left}
		p.advance()
		if p.accept(kwAll) {
			s.All = true
		} else {
			p.accept(kwDistinct)
		}
		p.height = 0
		s.Right = p.setOperations(p.selectClause(), prec+1)
		h = p.grow(h, p.height)
		left = s
	}
}

// selectOptions are the clauses that belong to a whole query.
type selectOptions struct {
	any       bool // one of the limit clauses was there
	orderBy   []*SortBy
	locking   []*LockingClause
	limit     Expr
	limitAll  bool
	limitPos  int
	offset    Expr
	offsetPos int
	withTies  bool
}

// insertOptions puts the clauses of a whole query into s, which may be a parenthesized query that has some already.
func (p *parser) insertOptions(s *SelectStmt, o *selectOptions, with *WithClause) {
	if o.orderBy != nil {
		if s.OrderBy != nil {
			p.failAt(o.orderBy[0].Pos, failure.SyntaxError, "multiple ORDER BY clauses not allowed")
		}
		s.OrderBy = o.orderBy
	}
	s.Locking = append(s.Locking, o.locking...)
	if o.offset != nil {
		if s.Offset != nil {
			p.failAt(o.offsetPos, failure.SyntaxError, "multiple OFFSET clauses not allowed")
		}
		s.Offset = o.offset
	}
	if o.limit != nil || o.limitAll {
		if s.Limit != nil || s.LimitAll {
			p.failAt(o.limitPos, failure.SyntaxError, "multiple LIMIT clauses not allowed")
		}
		s.Limit, s.LimitAll = o.limit, o.limitAll
	}
	if o.withTies {
		if s.OrderBy == nil {
			p.fail(failure.New(failure.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause"))
		}
		for _, l := range s.Locking {
			if l.Wait == LockWaitSkip {
				p.fail(failure.New(failure.SyntaxError,
					"SKIP LOCKED and WITH TIES options cannot be used together"))
			}
		}
		s.WithTies = true
	}
	if with != nil {
		if s.With != nil {
			p.failAt(with.Pos, failure.SyntaxError, "multiple WITH clauses not allowed")
		}
		s.With = with
	}
}

// simpleSelect parses SELECT up to its WINDOW clause.
func (p *parser) simpleSelect() *SelectStmt {
	s := &SelectStmt{Pos: p.here()}
	p.expect(kwSelect)
	switch p.tok.kind {
	case kwAll:
		p.advance()
	case kwDistinct:
		p.advance()
		s.Distinct = true
		if p.accept(kwOn) {
			p.expect('(')
			s.DistinctOn = p.exprList()
			p.expect(')')
		}
		s.Targets = p.targetList()
	}
	if s.Targets == nil && !endsTarget(p.tok.kind) {
		s.Targets = p.targetList()
	}
	if p.is(kwInto) {
		s.Into = p.intoClause()
	}
	if p.accept(kwFrom) {
		s.From = p.fromList()
	}
	s.Where = p.whereClause()
	if p.is(kwGroup) {
		p.groupClause(s)
	}
	if p.accept(kwHaving) {
		s.Having = p.expr()
	}
	if p.accept(kwWindow) {
		for {
			name := p.colID()
			p.expect(kwAs)
			w := p.windowSpec()
			w.Name = name
			s.Windows = append(s.Windows, w)
			if !p.accept(',') {
				break
			}
		}
	}
	return s
}

// whereClause parses WHERE if it is there.
func (p *parser) whereClause() Expr {
	if !p.accept(kwWhere) {
		return nil
	}
	return p.expr()
}

// targetList parses the items of SELECT or RETURNING.
func (p *parser) targetList() []*ResTarget {
	list := make([]*ResTarget, 0, 4)
	for {
		list = append(list, p.target())
		if !p.accept(',') {
			return list
		}
	}
}

func (p *parser) target() *ResTarget {
	t := &ResTarget{Pos: p.here()}
	if p.is('*') {
		t.Value = &ColumnRef{Pos: p.take().pos, Star: true}
		return t
	}
	t.Value = p.exprPrec(precNone, modeTarget)
	if p.accept(kwAs) {
		t.Name = p.colLabel()
	} else if p.tok.isBareLabel() {
		t.Name = p.takeName()
	}
	return t
}

// intoClause parses SELECT INTO's target.
func (p *parser) intoClause() *IntoClause {
	c := &IntoClause{Pos: p.take().pos}
	// TEMP, UNLOGGED and LOCAL may also be the table's name.
	if next := p.peekToken(1); next.kind == kwTable || next.isColID() {
		c.Persistence = p.optTemp(true)
	}
	p.accept(kwTable)
	c.Relation = p.relation()
	return c
}

// optTemp parses [LOCAL | GLOBAL] TEMP[ORARY], or UNLOGGED where it may stand.
func (p *parser) optTemp(unlogged bool) Persistence {
	switch p.tok.kind {
	case kwTemp, kwTemporary:
	case kwLocal, kwGlobal:
		if k := p.peek(1); k != kwTemp && k != kwTemporary {
			return PersistPermanent
		}
		p.advance()
	case kwUnlogged:
		if unlogged {
			p.advance()
			return PersistUnlogged
		}
		return PersistPermanent
	default:
		return PersistPermanent
	}
	p.advance()
	return PersistTemp
}

// groupClause parses GROUP BY.
func (p *parser) groupClause(s *SelectStmt) {
	p.expectAll(kwGroup, kwBy)
	if p.accept(kwDistinct) {
		s.GroupDistinct = true
	} else {
		p.accept(kwAll)
	}
	s.GroupBy = p.groupList()
}

func (p *parser) groupList() []Expr {
	list := []Expr{p.groupItem()}
	for p.accept(',') {
		list = append(list, p.groupItem())
	}
	return list
}

func (p *parser) groupItem() Expr {
	g := &GroupingSet{Pos: p.here()}
	next := p.peek(1)
	switch {
	case p.is('(') && next == ')':
		p.advance()
		p.advance()
		return g
	case p.is(kwRollup) && next == '(', p.is(kwCube) && next == '(':
		g.Kind = GroupingRollup
		if p.take().kind == kwCube {
			g.Kind = GroupingCube
		}
		p.expect('(')
		g.Items = p.exprList()
		p.expect(')')
		return g
	case p.is(kwGrouping) && next == kwSets:
		p.enter()
		p.expectAll(kwGrouping, kwSets, '(')
		g.Kind = GroupingSets
		g.Items = p.groupList()
		p.expect(')')
		p.leave()
		return g
	}
	return p.expr()
}

// windowSpec parses a window's parentheses.
func (p *parser) windowSpec() *WindowDef {
	w := &WindowDef{Pos: p.here()}
	p.expect('(')
	switch p.tok.kind {
	case kwPartition, kwRange, kwRows, kwGroups:
	default:
		if p.tok.isColID() {
			w.RefName = p.takeName()
		}
	}
	if p.accept(kwPartition) {
		p.expect(kwBy)
		w.PartitionBy = p.exprList()
	}
	if p.is(kwOrder) {
		w.OrderBy = p.sortClause()
	}
	switch p.tok.kind {
	case kwRange, kwRows, kwGroups:
		w.Frame = p.frame()
	}
	p.expect(')')
	return w
}

// frame parses a frame clause.
func (p *parser) frame() *WindowFrame {
	f := &WindowFrame{Pos: p.here()}
	switch p.take().kind {
	case kwRange:
		f.Mode = FrameRange
	case kwRows:
		f.Mode = FrameRows
	default:
		f.Mode = FrameGroups
	}
	pos := p.tok.pos
	if p.accept(kwBetween) {
		f.Between = true
		pos = p.tok.pos
		f.Start = p.frameBound()
		p.expect(kwAnd)
		end := p.tok.pos
		f.End = p.frameBound()
		p.checkFrame(f, pos, end)
	} else {
		f.Start = p.frameBound()
		f.End = FrameBound{Kind: BoundCurrentRow}
		switch f.Start.Kind {
		case BoundUnboundedFollowing:
			p.failAt(pos, failure.WindowingError, "frame start cannot be UNBOUNDED FOLLOWING")
		case BoundOffsetFollowing:
			p.failAt(pos, failure.WindowingError, "frame starting from following row cannot end with current row")
		}
	}
	if p.accept(kwExclude) {
		switch {
		case p.commit(kwCurrent, kwRow):
			f.Exclude = ExcludeCurrentRow
		case p.accept(kwGroup):
			f.Exclude = ExcludeGroup
		case p.accept(kwTies):
			f.Exclude = ExcludeTies
		default:
			p.expectAll(kwNo, kwOthers)
		}
	}
	return f
}

// checkFrame refuses frames that end before they start.
func (p *parser) checkFrame(f *WindowFrame, start, end int) {
	switch {
	case f.Start.Kind == BoundUnboundedFollowing:
		p.failAt(start, failure.WindowingError, "frame start cannot be UNBOUNDED FOLLOWING")
	case f.End.Kind == BoundUnboundedPreceding:
		p.failAt(end, failure.WindowingError, "frame end cannot be UNBOUNDED PRECEDING")
	case f.Start.Kind == BoundCurrentRow && f.End.Kind == BoundOffsetPreceding:
		p.failAt(end, failure.WindowingError, "frame starting from current row cannot have preceding rows")
	case f.Start.Kind == BoundOffsetFollowing && f.End.Kind == BoundOffsetPreceding,
		f.Start.Kind == BoundOffsetFollowing && f.End.Kind == BoundCurrentRow:
		p.failAt(end, failure.WindowingError, "frame starting from following row cannot have preceding rows")
	}
}

func (p *parser) frameBound() FrameBound {
	next := p.peek(1)
	switch {
	case p.is(kwUnbounded) && next == kwPreceding:
		p.advance()
		p.advance()
		return FrameBound{Kind: BoundUnboundedPreceding}
	case p.is(kwUnbounded) && next == kwFollowing:
		p.advance()
		p.advance()
		return FrameBound{Kind: BoundUnboundedFollowing}
	case p.is(kwCurrent) && next == kwRow:
		p.advance()
		p.advance()
		return FrameBound{Kind: BoundCurrentRow}
	}
	b := FrameBound{Kind: BoundOffsetPreceding, Offset: p.expr()}
	if !p.accept(kwPreceding) {
		p.expect(kwFollowing)
		b.Kind = BoundOffsetFollowing
	}
	return b
}

// sortClause parses ORDER BY.
func (p *parser) sortClause() []*SortBy {
	p.expectAll(kwOrder, kwBy)
	list := []*SortBy{p.sortBy()}
	for p.accept(',') {
		list = append(list, p.sortBy())
	}
	return list
}

func (p *parser) sortBy() *SortBy {
	s := &SortBy{Pos: p.here(), Expr: p.expr()}
	if p.accept(kwUsing) {
		s.Dir = SortUsing
		if p.is(kwOperator) {
			s.UsingSchema, s.UsingOp = p.qualOp()
		} else if p.isOperatorToken() {
			s.UsingOp = p.takeName()
		} else {
			p.syntaxError()
		}
	} else {
		s.Dir = p.sortDir()
	}
	s.Nulls = p.sortNulls()
	return s
}

func (p *parser) sortDir() SortDir {
	switch {
	case p.accept(kwAsc):
		return SortAsc
	case p.accept(kwDesc):
		return SortDesc
	}
	return SortDefault
}

func (p *parser) sortNulls() SortNulls {
	switch {
	case p.acceptTwo(kwNulls, kwFirst):
		return NullsFirst
	case p.acceptTwo(kwNulls, kwLast):
		return NullsLast
	}
	return NullsDefault
}

// limitClauses parses LIMIT or FETCH, and OFFSET, in either order.
func (p *parser) limitClauses(o *selectOptions) {
	for limit, offset := false, false; ; {
		switch {
		case p.is(kwLimit) && !limit:
			limit = true
			p.limitClause(o)
		case p.is(kwFetch) && !limit:
			limit = true
			p.fetchClause(o)
		case p.is(kwOffset) && !offset:
			offset = true
			p.advance()
			o.offsetPos = p.tok.pos
			o.offset = p.offsetValue()
		default:
			return
		}
		o.any = true
	}
}

// offsetValue parses OFFSET's value: any expression, or an operand and ROWS.
func (p *parser) offsetValue() Expr {
	rows := func(k tokenKind) bool { return k == kwRow || k == kwRows }
	if p.is('+') || p.is('-') {
		if k := p.peek(1); (k == tokInteger || k == tokFloat) && rows(p.peek(2)) {
			e := p.fetchCount()
			p.advance()
			return e
		}
		return p.expr()
	}
	if p.is(kwNot) || p.is(tokOp) {
		return p.expr()
	}
	e := p.prefix(0)
	if rows(p.tok.kind) {
		p.advance()
		return e
	}
	return p.operators(e, precNone, 0)
}

func (p *parser) limitClause(o *selectOptions) {
	pos := p.take().pos
	o.limitPos = p.tok.pos
	if p.accept(kwAll) {
		o.limitAll = true
	} else {
		o.limit = p.expr()
	}
	if p.accept(',') {
		p.expr()
		p.fail(failure.New(failure.SyntaxError, "LIMIT #,# syntax is not supported").
			WithHint("Use separate LIMIT and OFFSET clauses.").At(CharPosition(p.sql, pos)))
	}
}

func (p *parser) fetchClause(o *selectOptions) {
	p.advance()
	if !p.accept(kwFirst) {
		p.expect(kwNext)
	}
	o.limitPos = p.tok.pos
	if next := p.peek(1); (p.is(kwRow) || p.is(kwRows)) && (next == kwOnly || next == kwWith) {
		o.limit = &Const{Pos: NoPos, Kind: ConstInteger, Int: 1}
	} else {
		o.limit = p.fetchCount()
	}
	if !p.accept(kwRow) {
		p.expect(kwRows)
	}
	if p.accept(kwWith) {
		p.expect(kwTies)
		o.withTies = true
		return
	}
	p.expect(kwOnly)
}

// fetchCount parses FETCH's count: an operand, or a signed number.
func (p *parser) fetchCount() Expr {
	pos := p.tok.pos
	sign := p.tok.kind
	if sign != '+' && sign != '-' {
		return p.primary()
	}
	p.advance()
	if !p.is(tokInteger) && !p.is(tokFloat) {
		p.syntaxError()
	}
	n := p.primary()
	if sign == '-' {
		return negate(pos, n)
	}
	return &OpExpr{Pos: pos, Op: "+", Right: n}
}

// lockingClauses parses FOR UPDATE and its kin; FOR READ ONLY means none.
func (p *parser) lockingClauses() []*LockingClause {
	var list []*LockingClause
	for p.is(kwFor) {
		l := &LockingClause{Pos: p.take().pos}
		switch {
		case p.accept(kwRead):
			p.expect(kwOnly)
			return list
		case p.accept(kwUpdate):
			l.Strength = LockForUpdate
		case p.accept(kwNo):
			p.expectAll(kwKey, kwUpdate)
			l.Strength = LockForNoKeyUpdate
		case p.accept(kwShare):
			l.Strength = LockForShare
		case p.accept(kwKey):
			p.expect(kwShare)
			l.Strength = LockForKeyShare
		default:
			p.syntaxError()
		}
		if p.accept(kwOf) {
			l.Of = p.relationList()
		}
		if p.accept(kwNowait) {
			l.Wait = LockWaitError
		} else if p.accept(kwSkip) {
			p.expect(kwLocked)
			l.Wait = LockWaitSkip
		}
		list = append(list, l)
	}
	return list
}

// valuesClause parses VALUES (…), ….
func (p *parser) valuesClause() *SelectStmt {
	s := &SelectStmt{Pos: p.here()}
	p.expect(kwValues)
	for {
		p.expect('(')
		row := make([]Expr, 0, 4)
		for {
			row = append(row, p.expr())
			if !p.accept(',') {
				break
			}
		}
		p.expect(')')
		s.Values = append(s.Values, row)
		if !p.accept(',') {
			return s
		}
	}
}

// withClause parses WITH.
func (p *parser) withClause() *WithClause {
	w := &WithClause{Pos: p.take().pos}
	if k := p.peek(1); k != '(' && k != kwAs {
		w.Recursive = p.accept(kwRecursive)
	}
	for {
		w.CTEs = append(w.CTEs, p.commonTableExpr())
		if !p.accept(',') {
			return w
		}
	}
}

func (p *parser) commonTableExpr() *CommonTableExpr {
	c := &CommonTableExpr{Pos: p.here(), Name: p.colID()}
	c.Columns = p.optParenNames()
	p.expect(kwAs)
	switch {
	case p.accept(kwMaterialized):
		c.Materialized = MaterializeAlways
	case p.is(kwNot):
		p.expectAll(kwNot, kwMaterialized)
		c.Materialized = MaterializeNever
	}
	p.enter()
	p.expect('(')
	c.Query = p.preparable()
	p.expect(')')
	p.leave()
	if p.is(kwSearch) {
		s := &CTESearch{Pos: p.take().pos}
		if p.accept(kwBreadth) {
			s.BreadthFirst = true
		} else {
			p.expect(kwDepth)
		}
		p.expectAll(kwFirst, kwBy)
		s.Columns = p.nameList()
		p.expect(kwSet)
		s.SetColumn = p.colID()
		c.Search = s
	}
	if p.is(kwCycle) {
		c.Cycle = p.cteCycle()
	}
	return c
}

func (p *parser) cteCycle() *CTECycle {
	y := &CTECycle{Pos: p.take().pos}
	y.Columns = p.nameList()
	p.expect(kwSet)
	y.MarkColumn = p.colID()
	if p.accept(kwTo) {
		y.MarkValue = p.constExpr()
		p.expect(kwDefault)
		y.MarkDefault = p.constExpr()
	}
	p.expect(kwUsing)
	y.PathColumn = p.colID()
	return y
}

// constExpr parses a literal, possibly of a named type.
func (p *parser) constExpr() Expr {
	if p.is(tokParam) || p.is('(') {
		p.syntaxError()
	}
	at := p.tok
	e := p.primary()
	switch c := e.(type) {
	case *Const:
		return e
	case *TypeCast:
		if _, ok := c.Arg.(*Const); ok && at.kind != kwCast {
			return e
		}
	}
	p.failAt(at.pos, failure.SyntaxError, "syntax error at or near \"%s\"", p.sql[at.pos:at.end])
	return nil
}
