package parser

// statement parses any statement.
func (p *parser) statement() Statement {
	switch p.tok.kind {
	case kwSelect, kwValues, kwTable, kwWith, '(', kwInsert, kwUpdate, kwDelete, kwMerge:
		return p.preparable()
	case kwBegin, kwStart, kwCommit, kwEnd, kwRollback, kwAbort, kwSavepoint, kwRelease:
		return p.transaction()
	case kwPrepare:
		if p.peek(1) == kwTransaction {
			return p.transaction()
		}
		return p.prepare()
	case kwSet:
		return p.set()
	case kwReset:
		return p.reset()
	case kwShow:
		return p.show()
	case kwExplain:
		return p.explain()
	case kwCopy:
		return p.copy()
	case kwExecute:
		return p.execute()
	case kwDeallocate:
		return p.deallocate()
	case kwCreate:
		return p.create()
	case kwDrop:
		return p.drop()
	case kwAlter:
		return p.alter()
	}
	if s := p.utility(); s != nil {
		return s
	}
	if p.tok.isWord("aws") {
		return p.awsIAM()
	}
	p.syntaxError()
	return nil
}

// preparable parses SELECT, INSERT, UPDATE, DELETE or MERGE, with or without WITH.
func (p *parser) preparable() Statement {
	if p.is('(') {
		return p.selectStmt()
	}
	p.enter()
	defer p.leave()
	var with *WithClause
	if p.is(kwWith) {
		with = p.withClause()
	}
	switch p.tok.kind {
	case kwInsert:
		return p.insert(with)
	case kwUpdate:
		return p.update(with)
	case kwDelete:
		return p.delete(with)
	case kwMerge:
		return p.merge(with)
	}
	return p.selectRest(p.selectClause(), with)
}

// awsIAM parses AWS IAM GRANT and REVOKE.
func (p *parser) awsIAM() Statement {
	s := &AWSIAMStmt{Pos: p.take().pos}
	if !p.tok.isWord("iam") {
		p.syntaxError()
	}
	p.advance()
	if p.accept(kwRevoke) {
		s.Revoke = true
	} else {
		p.expect(kwGrant)
	}
	s.Role = p.roleSpec()
	if s.Revoke {
		p.expect(kwFrom)
	} else {
		p.expect(kwTo)
	}
	s.ARNPos = p.tok.pos
	s.ARN = p.sconst()
	return s
}

// returning parses RETURNING if it is there.
func (p *parser) returning() []*ResTarget {
	if !p.accept(kwReturning) {
		return nil
	}
	return p.targetList()
}

// insert parses INSERT.
func (p *parser) insert(with *WithClause) Statement {
	s := &InsertStmt{Pos: p.here(), With: with}
	p.expectAll(kwInsert, kwInto)
	s.Relation = p.relation()
	if p.accept(kwAs) {
		s.Alias = p.colID()
	}
	if p.commit(kwDefault, kwValues) {
		s.OnConflict = p.onConflict()
		s.Returning = p.returning()
		return s
	}
	if p.is('(') {
		switch p.peek(1) {
		case kwSelect, kwTable, kwWith, '(':
		case kwValues:
			if p.peek(2) != '(' {
				s.Columns = p.insertColumns()
			}
		default:
			s.Columns = p.insertColumns()
		}
	}
	if p.accept(kwOverriding) {
		s.Overriding = p.overridingKind()
	}
	s.Source = p.selectStmt()
	s.OnConflict = p.onConflict()
	s.Returning = p.returning()
	return s
}

func (p *parser) overridingKind() OverridingKind {
	kind := OverridingUser
	if !p.accept(kwUser) {
		p.expect(kwSystem)
		kind = OverridingSystem
	}
	p.expect(kwValue)
	return kind
}

// insertColumns parses (column, …).
func (p *parser) insertColumns() []*AssignTarget {
	p.expect('(')
	list := []*AssignTarget{p.assignTarget()}
	for p.accept(',') {
		list = append(list, p.assignTarget())
	}
	p.expect(')')
	return list
}

func (p *parser) assignTarget() *AssignTarget {
	t := &AssignTarget{Pos: p.here(), Name: p.colID()}
	if p.is('.') || p.is('[') {
		t.Indirection = p.indirection()
	}
	return t
}

// onConflict parses ON CONFLICT if it is there.
func (p *parser) onConflict() *OnConflict {
	if !p.is(kwOn) {
		return nil
	}
	c := &OnConflict{Pos: p.take().pos}
	p.expect(kwConflict)
	switch {
	case p.is('('):
		c.Elems = p.indexElems()
		c.ElemsWhere = p.whereClause()
	case p.accept(kwOn):
		p.expect(kwConstraint)
		c.Constraint = p.colID()
	}
	p.expect(kwDo)
	if p.accept(kwNothing) {
		return c
	}
	p.expectAll(kwUpdate, kwSet)
	c.DoUpdate = true
	c.Set = p.assignments()
	c.Where = p.whereClause()
	return c
}

// assignments parses SET's list.
func (p *parser) assignments() []*Assignment {
	list := make([]*Assignment, 0, 2)
	for {
		a := &Assignment{Pos: p.here()}
		if p.is('(') {
			a.Multi = true
			a.Targets = p.insertColumns()
		} else {
			a.Targets = []*AssignTarget{p.assignTarget()}
		}
		p.expect('=')
		a.Value = p.expr()
		list = append(list, a)
		if !p.accept(',') {
			return list
		}
	}
}

// dmlTable parses the table of UPDATE, DELETE or MERGE with its alias; SET is never an alias.
func (p *parser) dmlTable() *RangeVar {
	r := p.relationExpr()
	if p.accept(kwAs) || p.tok.isColID() && !p.is(kwSet) {
		r.Alias = &Alias{Pos: p.here(), Name: p.colID()}
	}
	return r
}

// whereOrCurrent parses WHERE, which may be WHERE CURRENT OF cursor.
func (p *parser) whereOrCurrent() Expr {
	if !p.accept(kwWhere) {
		return nil
	}
	if p.is(kwCurrent) && p.peek(1) == kwOf {
		c := &CurrentOf{Pos: p.here()}
		p.expectAll(kwCurrent, kwOf)
		c.Cursor = p.colID()
		return c
	}
	return p.expr()
}

func (p *parser) update(with *WithClause) Statement {
	s := &UpdateStmt{Pos: p.here(), With: with}
	p.expect(kwUpdate)
	s.Table = p.dmlTable()
	p.expect(kwSet)
	s.Set = p.assignments()
	if p.accept(kwFrom) {
		s.From = p.fromList()
	}
	s.Where = p.whereOrCurrent()
	s.Returning = p.returning()
	return s
}

func (p *parser) delete(with *WithClause) Statement {
	s := &DeleteStmt{Pos: p.here(), With: with}
	p.expectAll(kwDelete, kwFrom)
	s.Table = p.dmlTable()
	if p.accept(kwUsing) {
		s.Using = p.fromList()
	}
	s.Where = p.whereOrCurrent()
	s.Returning = p.returning()
	return s
}

func (p *parser) merge(with *WithClause) Statement {
	s := &MergeStmt{Pos: p.here(), With: with}
	p.expectAll(kwMerge, kwInto)
	s.Table = p.dmlTable()
	p.expect(kwUsing)
	s.Source = p.tableExpr()
	p.expect(kwOn)
	s.On = p.expr()
	if !p.is(kwWhen) {
		p.syntaxError()
	}
	for p.is(kwWhen) {
		s.Whens = append(s.Whens, p.mergeWhen())
	}
	return s
}

func (p *parser) mergeWhen() *MergeWhen {
	w := &MergeWhen{Pos: p.take().pos}
	w.Matched = !p.accept(kwNot)
	p.expect(kwMatched)
	if p.accept(kwAnd) {
		w.Cond = p.expr()
	}
	p.expect(kwThen)
	switch {
	case p.is(kwDo):
		p.expectAll(kwDo, kwNothing)
	case w.Matched && p.accept(kwDelete):
		w.Action = MergeDelete
	case w.Matched:
		p.expectAll(kwUpdate, kwSet)
		w.Action = MergeUpdate
		w.Set = p.assignments()
	default:
		p.expect(kwInsert)
		w.Action = MergeInsert
		p.mergeInsert(w)
	}
	return w
}

func (p *parser) mergeInsert(w *MergeWhen) {
	if p.commit(kwDefault, kwValues) {
		return
	}
	if p.is('(') {
		w.Columns = p.insertColumns()
	}
	if p.accept(kwOverriding) {
		w.Overriding = p.overridingKind()
	}
	p.expectAll(kwValues, '(')
	w.Values = p.exprList()
	p.expect(')')
}
