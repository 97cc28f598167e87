package parser

import "github.com/meridiandb/meridian/internal/failure"

// ifNotExists takes IF NOT EXISTS.
func (p *parser) ifNotExists() bool {
	if !p.commitIf(kwNot) {
		return false
	}
	p.expect(kwExists)
	return true
}

// ifExists takes IF EXISTS.
func (p *parser) ifExists() bool { return p.commitIf(kwExists) }

// commitIf takes IF and the word after it, unless IF is a name here.
func (p *parser) commitIf(next tokenKind) bool {
	switch k := p.peekToken(1); {
	case !p.is(kwIf):
		return false
	case k.kind != next && (k.kind == tokEOF || k.kind < firstKeyword && k.kind != tokIdent && k.kind != tokString):
		return false
	}
	return p.acceptTwo(kwIf, next)
}

// createTable parses CREATE TABLE after TABLE, and CREATE TABLE AS.
func (p *parser) createTable(pos int, persist Persistence) Statement {
	s := &CreateTableStmt{Pos: pos, Persistence: persist, IfNotExists: p.ifNotExists()}
	s.Relation = p.relation()
	switch {
	case p.accept(kwOf):
		at := p.tok.pos
		s.OfType = &TypeName{Pos: at, Names: p.dottedName()}
		s.Elements = p.typedElements()
	case p.commit(kwPartition, kwOf):
		s.PartitionOf = p.relationPtr()
		s.Elements = p.typedElements()
		s.Bound = p.partitionBound()
	case p.is('('):
		if cols, ok := p.onlyNames(s); ok {
			return p.createTableAs(s, cols)
		}
		p.expect(')')
		if p.accept(kwInherits) {
			p.expect('(')
			s.Inherits = p.relationList()
			p.expect(')')
		}
	default:
		return p.createTableAs(s, nil)
	}
	if p.is(kwPartition) {
		s.PartitionBy = p.partitionSpec()
	}
	p.tableStorage(s)
	return s
}

// onlyNames parses the elements between the parentheses of CREATE TABLE, up to the closing one. When they are bare
// names they are the columns of CREATE TABLE AS; then it takes the parenthesis and returns the names.
func (p *parser) onlyNames(s *CreateTableStmt) ([]string, bool) {
	p.expect('(')
	if p.is(')') {
		return nil, false
	}
	if k := p.peek(1); p.tok.isColID() && (k == ',' || k == ')') {
		names := p.nameList()
		p.expect(')')
		return names, true
	}
	s.Elements = p.tableElements()
	return nil, false
}

// tableStorage parses what follows the elements of CREATE TABLE.
func (p *parser) tableStorage(s *CreateTableStmt) {
	if p.accept(kwUsing) {
		s.AccessMethod = p.colID()
	}
	s.Options = p.optWith()
	s.OnCommit = p.onCommit()
	if p.accept(kwTablespace) {
		s.Tablespace = p.colID()
	}
}

// optWith parses WITH (options) or WITHOUT OIDS.
func (p *parser) optWith() []*DefElem {
	if p.accept(kwWith) {
		return p.relOptions()
	}
	p.commit(kwWithout, kwOids)
	return nil
}

// onCommit parses ON COMMIT.
func (p *parser) onCommit() OnCommitAction {
	if !p.commit(kwOn, kwCommit) {
		return OnCommitNone
	}
	switch {
	case p.accept(kwDrop):
		return OnCommitDrop
	case p.accept(kwDelete):
		p.expect(kwRows)
		return OnCommitDelete
	}
	p.expectAll(kwPreserve, kwRows)
	return OnCommitPreserve
}

// createTableAs turns the start of CREATE TABLE into CREATE TABLE AS.
func (p *parser) createTableAs(s *CreateTableStmt, cols []string) Statement {
	p.tableStorage(s)
	c := &CreateTableAsStmt{Pos: s.Pos, Relation: s.Relation, Persistence: s.Persistence, IfNotExists: s.IfNotExists,
		Columns: cols, AccessMethod: s.AccessMethod, Options: s.Options, OnCommit: s.OnCommit,
		Tablespace: s.Tablespace}
	p.expect(kwAs)
	if p.is(kwExecute) {
		c.Query = p.execute()
	} else {
		c.Query = p.selectOnly()
	}
	c.WithNoData = p.withNoData()
	return c
}

// selectOnly parses a query, with WITH but not INSERT and the like.
func (p *parser) selectOnly() *SelectStmt {
	switch p.tok.kind {
	case kwSelect, kwValues, kwTable, kwWith, '(':
		return p.selectStmt()
	}
	p.syntaxError()
	return nil
}

// withNoData parses WITH [NO] DATA.
func (p *parser) withNoData() bool {
	if !p.accept(kwWith) {
		return false
	}
	no := p.accept(kwNo)
	p.expect(kwData)
	return no
}

// tableElements parses the elements of CREATE TABLE.
func (p *parser) tableElements() []TableElement {
	var list []TableElement
	for {
		list = append(list, p.tableElement())
		if !p.accept(',') {
			return list
		}
	}
}

func (p *parser) tableElement() TableElement {
	switch p.tok.kind {
	case kwLike:
		return p.likeClause()
	case kwConstraint, kwCheck, kwUnique, kwPrimary, kwExclude, kwForeign:
		if p.tok.kind == kwExclude && p.peek(1) != '(' && p.peek(1) != kwUsing {
			break
		}
		return p.tableConstraint()
	}
	return p.columnDef()
}

// typedElements parses the elements of CREATE TABLE OF and PARTITION OF.
func (p *parser) typedElements() []TableElement {
	if !p.accept('(') {
		return nil
	}
	var list []TableElement
	for {
		switch p.tok.kind {
		case kwConstraint, kwCheck, kwUnique, kwPrimary, kwForeign:
			list = append(list, p.tableConstraint())
		case kwExclude:
			if p.peek(1) == '(' || p.peek(1) == kwUsing {
				list = append(list, p.tableConstraint())
				break
			}
			fallthrough
		default:
			c := &ColumnDef{Pos: p.here(), Name: p.colID()}
			p.commit(kwWith, kwOptions)
			p.columnConstraints(c)
			list = append(list, c)
		}
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

// likeClause parses LIKE table INCLUDING ….
func (p *parser) likeClause() TableElement {
	l := &LikeClause{Pos: p.take().pos}
	l.Relation = p.relation()
	for p.is(kwIncluding) || p.is(kwExcluding) {
		o := LikeOption{Exclude: p.take().kind == kwExcluding}
		switch p.tok.kind {
		case kwComments:
			o.Name = "COMMENTS"
		case kwCompression:
			o.Name = "COMPRESSION"
		case kwConstraints:
			o.Name = "CONSTRAINTS"
		case kwDefaults:
			o.Name = "DEFAULTS"
		case kwIdentity:
			o.Name = "IDENTITY"
		case kwGenerated:
			o.Name = "GENERATED"
		case kwIndexes:
			o.Name = "INDEXES"
		case kwStatistics:
			o.Name = "STATISTICS"
		case kwStorage:
			o.Name = "STORAGE"
		case kwAll:
			o.Name = "ALL"
		default:
			p.syntaxError()
		}
		p.advance()
		l.Options = append(l.Options, o)
	}
	return l
}

// columnDef parses a column of CREATE TABLE or ADD COLUMN.
func (p *parser) columnDef() *ColumnDef {
	c := &ColumnDef{Pos: p.here(), Name: p.colID()}
	c.Type = p.typeName()
	if p.accept(kwCompression) {
		if p.accept(kwDefault) {
			c.Compression = "default"
		} else {
			c.Compression = p.colID()
		}
	}
	if p.is(kwOptions) {
		c.FDWOptions = p.genericOptions(false)
	}
	p.columnConstraints(c)
	return c
}

// columnConstraints parses a column's constraints and puts the attributes into the constraints they follow.
func (p *parser) columnConstraints(c *ColumnDef) {
	for {
		pos := p.tok.pos
		switch p.tok.kind {
		case kwCollate:
			p.advance()
			if c.Collation != nil {
				p.failAt(pos, failure.SyntaxError, "multiple COLLATE clauses not allowed")
			}
			c.Collation = p.dottedName()
			continue
		case kwDeferrable, kwInitially:
			p.columnAttribute(c)
			continue
		case kwNot:
			if p.peek(1) == kwDeferrable {
				p.columnAttribute(c)
				continue
			}
		case kwConstraint:
			p.advance()
			name := p.colID()
			k := p.columnConstraint()
			if k == nil {
				p.syntaxError()
			}
			k.Pos, k.Name = pos, name
			c.Constraints = append(c.Constraints, k)
			continue
		}
		k := p.columnConstraint()
		if k == nil {
			return
		}
		c.Constraints = append(c.Constraints, k)
	}
}

// columnAttribute parses one of DEFERRABLE, NOT DEFERRABLE and INITIALLY … into the constraint before it.
func (p *parser) columnAttribute(c *ColumnDef) {
	pos := p.tok.pos
	var last *Constraint
	if n := len(c.Constraints); n > 0 {
		last = c.Constraints[n-1]
	}
	misplaced := func(what string) {
		if last == nil || last.Kind < ConstrPrimary {
			p.failAt(pos, failure.SyntaxError, "misplaced %s clause", what)
		}
	}
	const twice = "multiple %s clauses not allowed"
	switch {
	case p.accept(kwDeferrable):
		misplaced("DEFERRABLE")
		if last.Deferrable && !last.InitDeferred || last.NotDeferrable {
			p.failAt(pos, failure.SyntaxError, twice, "DEFERRABLE/NOT DEFERRABLE")
		}
		last.Deferrable = true
	case p.accept(kwNot):
		p.expect(kwDeferrable)
		misplaced("NOT DEFERRABLE")
		if last.Deferrable && !last.InitDeferred || last.NotDeferrable {
			p.failAt(pos, failure.SyntaxError, twice, "DEFERRABLE/NOT DEFERRABLE")
		}
		last.NotDeferrable = true
		if last.InitDeferred {
			p.failAt(pos, failure.SyntaxError, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
		}
	default:
		p.expect(kwInitially)
		deferred := p.accept(kwDeferred)
		if !deferred {
			p.expect(kwImmediate)
		}
		misplaced(pick(deferred, "INITIALLY DEFERRED", "INITIALLY IMMEDIATE"))
		if last.InitDeferred || last.InitImmediate {
			p.failAt(pos, failure.SyntaxError, twice, "INITIALLY IMMEDIATE/DEFERRED")
		}
		last.InitDeferred, last.InitImmediate = deferred, !deferred
		if deferred && last.NotDeferrable {
			p.failAt(pos, failure.SyntaxError, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
		}
		// Deferred means deferrable.
		last.Deferrable = last.Deferrable || deferred
	}
}

// columnConstraint parses one constraint of a column; nil when there is none.
func (p *parser) columnConstraint() *Constraint {
	k := &Constraint{Pos: p.here()}
	switch p.tok.kind {
	case kwNot:
		p.expectAll(kwNot, kwNull)
		k.Kind = ConstrNotNull
	case kwNull:
		p.advance()
	case kwUnique:
		p.advance()
		k.Kind = ConstrUnique
		_, k.NullsNotDist = p.optNullsDistinct()
		k.Options = p.definition()
		k.IndexSpace = p.indexSpace()
	case kwPrimary:
		p.expectAll(kwPrimary, kwKey)
		k.Kind = ConstrPrimary
		k.Options = p.definition()
		k.IndexSpace = p.indexSpace()
	case kwCheck:
		p.checkConstraint(k)
		if p.commit(kwNo, kwInherit) {
			k.NoInherit = true
		}
	case kwDefault:
		p.advance()
		k.Kind = ConstrDefault
		k.Expr = p.bExpr()
	case kwGenerated:
		p.generated(k)
	case kwReferences:
		k.Kind = ConstrForeign
		p.references(k)
	default:
		return nil
	}
	return k
}

// optNullsDistinct parses NULLS [NOT] DISTINCT and says whether it was there and whether with NOT.
func (p *parser) optNullsDistinct() (written, not bool) {
	if !p.accept(kwNulls) {
		return false, false
	}
	not = p.accept(kwNot)
	p.expect(kwDistinct)
	return true, not
}

// definition parses WITH (name [= value], …) of an index constraint.
func (p *parser) definition() []*DefElem {
	if !p.is(kwWith) || p.peek(1) != '(' {
		return nil
	}
	p.advance()
	return p.relOptions()
}

// indexSpace parses USING INDEX TABLESPACE.
func (p *parser) indexSpace() string {
	if !p.commit(kwUsing, kwIndex) {
		return ""
	}
	p.expect(kwTablespace)
	return p.colID()
}

func (p *parser) checkConstraint(k *Constraint) {
	k.Kind = ConstrCheck
	p.expectAll(kwCheck, '(')
	k.Expr = p.expr()
	p.expect(')')
}

// generated parses GENERATED … AS IDENTITY or AS (expr) STORED.
func (p *parser) generated(k *Constraint) {
	p.expect(kwGenerated)
	pos := p.tok.pos
	if p.accept(kwAlways) {
		k.Always = true
	} else {
		p.expectAll(kwBy, kwDefault)
	}
	p.expect(kwAs)
	if p.accept(kwIdentity) {
		k.Kind = ConstrIdentity
		if p.accept('(') {
			k.Sequence = p.sequenceOptions()
			if len(k.Sequence) == 0 {
				p.syntaxError()
			}
			p.expect(')')
		}
		return
	}
	k.Kind = ConstrGenerated
	p.expect('(')
	k.Expr = p.expr()
	p.expectAll(')', kwStored)
	if !k.Always {
		p.failAt(pos, failure.SyntaxError, "for a generated column, GENERATED ALWAYS must be specified")
	}
}

// references parses REFERENCES up to its actions.
func (p *parser) references(k *Constraint) {
	p.expect(kwReferences)
	k.Ref = p.relationPtr()
	k.RefColumns = p.optParenNames()
	if p.accept(kwMatch) {
		at := p.tok.pos
		switch {
		case p.accept(kwFull):
			k.Match = FKMatchFull
		case p.accept(kwPartial):
			p.failAt(at-len("match "), failure.FeatureNotSupported, "MATCH PARTIAL not yet implemented")
		default:
			p.expect(kwSimple)
		}
	}
	for update, remove := false, false; p.is(kwOn); {
		next := p.peek(1)
		switch {
		case next == kwUpdate && !update:
			update = true
			at := p.tok.pos
			p.expectAll(kwOn, kwUpdate)
			var cols []string
			k.OnUpdate, cols = p.keyAction()
			if cols != nil {
				p.failAt(at, failure.FeatureNotSupported,
					"a column list with %s is only supported for ON DELETE actions",
					pick(k.OnUpdate == FKSetNull, "SET NULL", "SET DEFAULT"))
			}
		case next == kwDelete && !remove:
			remove = true
			p.expectAll(kwOn, kwDelete)
			k.OnDelete, k.OnDeleteColumn = p.keyAction()
		default:
			p.advance()
			p.syntaxError()
		}
	}
}

func (p *parser) keyAction() (FKAction, []string) {
	switch {
	case p.accept(kwRestrict):
		return FKRestrict, nil
	case p.accept(kwCascade):
		return FKCascade, nil
	case p.accept(kwNo):
		p.expect(kwAction)
		return FKNoAction, nil
	}
	p.expect(kwSet)
	action := FKSetNull
	if !p.accept(kwNull) {
		p.expect(kwDefault)
		action = FKSetDefault
	}
	return action, p.optParenNames()
}

// tableConstraint parses a constraint of a table with its attributes.
func (p *parser) tableConstraint() *Constraint {
	pos := p.tok.pos
	name := ""
	if p.accept(kwConstraint) {
		name = p.colID()
	}
	k := &Constraint{Pos: pos, Name: name}
	what := ""
	switch p.tok.kind {
	case kwCheck:
		p.checkConstraint(k)
		what = "CHECK"
	case kwUnique, kwPrimary:
		k.Kind, what = ConstrUnique, "UNIQUE"
		if p.take().kind == kwPrimary {
			p.expect(kwKey)
			k.Kind, what = ConstrPrimary, "PRIMARY KEY"
		} else {
			_, k.NullsNotDist = p.optNullsDistinct()
		}
		if p.commit(kwUsing, kwIndex) {
			k.IndexName = p.colID()
			break
		}
		k.Keys = p.parenNames()
		k.Including = p.includeNames()
		k.Options = p.definition()
		k.IndexSpace = p.indexSpace()
	case kwExclude:
		p.exclusion(k)
		what = "EXCLUDE"
	case kwForeign:
		p.expectAll(kwForeign, kwKey)
		k.Kind, what = ConstrForeign, "FOREIGN KEY"
		k.FKColumns = p.parenNames()
		p.references(k)
	default:
		p.syntaxError()
	}
	p.constraintAttributes(k, what)
	return k
}

// includeNames parses INCLUDE (column, …).
func (p *parser) includeNames() []string {
	if !p.accept(kwInclude) {
		return nil
	}
	return p.parenNames()
}

// exclusion parses EXCLUDE.
func (p *parser) exclusion(k *Constraint) {
	p.expect(kwExclude)
	k.Kind = ConstrExclusion
	if p.accept(kwUsing) {
		k.AccessMethod = p.colID()
	}
	p.expect('(')
	for {
		e := &ExclusionElem{Pos: p.here(), Elem: p.indexElem()}
		p.expect(kwWith)
		if p.is(kwOperator) {
			e.Schema, e.Op = p.qualOp()
		} else {
			e.Schema, e.Op = p.anyOperator()
		}
		k.Exclusions = append(k.Exclusions, e)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	k.Including = p.includeNames()
	k.Options = p.definition()
	k.IndexSpace = p.indexSpace()
	if p.accept(kwWhere) {
		p.expect('(')
		k.Where = p.expr()
		p.expect(')')
	}
}

// constraintAttributes parses the attributes after a table constraint of the kind named by what.
func (p *parser) constraintAttributes(k *Constraint, what string) {
	for {
		at := p.tok.pos
		next := p.peek(1)
		switch {
		case p.accept(kwDeferrable):
			k.Deferrable = true
		case p.is(kwNot) && next == kwDeferrable:
			p.expectAll(kwNot, kwDeferrable)
			k.NotDeferrable = true
		case p.is(kwNot):
			p.expectAll(kwNot, kwValid)
			k.NotValid = true
		case p.is(kwInitially):
			p.advance()
			if p.accept(kwDeferred) {
				k.InitDeferred = true
			} else {
				p.expect(kwImmediate)
				k.InitImmediate = true
			}
		case p.is(kwNo):
			p.expectAll(kwNo, kwInherit)
			k.NoInherit = true
		default:
			refuse := func(attr string) {
				p.fail(failure.New(failure.FeatureNotSupported, "%s constraints cannot be marked %s", what, attr))
			}
			foreign, check := what == "FOREIGN KEY", what == "CHECK"
			switch {
			case check && (k.Deferrable || k.InitDeferred):
				refuse("DEFERRABLE")
			case !foreign && !check && k.NotValid:
				refuse("NOT VALID")
			case !check && k.NoInherit:
				refuse("NO INHERIT")
			}
			if k.InitDeferred {
				k.Deferrable = true
			}
			return
		}
		if k.InitDeferred && k.NotDeferrable {
			p.failAt(at, failure.SyntaxError, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
		}
		if k.Deferrable && k.NotDeferrable || k.InitDeferred && k.InitImmediate {
			p.failAt(at, failure.SyntaxError, "conflicting constraint properties")
		}
	}
}

// partitionSpec parses PARTITION BY strategy (keys).
func (p *parser) partitionSpec() *PartitionSpec {
	s := &PartitionSpec{Pos: p.here()}
	p.expectAll(kwPartition, kwBy)
	s.Strategy = p.colID()
	p.expect('(')
	for {
		e := &IndexElem{Pos: p.here()}
		p.indexKey(e)
		if p.accept(kwCollate) {
			e.Collation = p.dottedName()
		}
		if p.tok.isColID() {
			e.OpClass = p.dottedName()
		}
		s.Elems = append(s.Elems, e)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return s
}

// partitionBound parses FOR VALUES … or DEFAULT.
func (p *parser) partitionBound() *PartitionBound {
	b := &PartitionBound{Pos: p.here()}
	if p.accept(kwDefault) {
		return b
	}
	p.expectAll(kwFor, kwValues)
	switch {
	case p.accept(kwIn):
		b.Kind = PartBoundList
		p.expect('(')
		b.List = p.exprList()
		p.expect(')')
	case p.accept(kwFrom):
		b.Kind = PartBoundRange
		p.expect('(')
		b.List = p.exprList()
		p.expectAll(')', kwTo, '(')
		b.To = p.exprList()
		p.expect(')')
	default:
		p.hashBound(b)
	}
	return b
}

// hashBound parses WITH (MODULUS n, REMAINDER m).
func (p *parser) hashBound(b *PartitionBound) {
	b.Kind = PartBoundHash
	b.Modulus, b.Remainder = -1, -1
	p.expectAll(kwWith, '(')
	for {
		pos := p.tok.pos
		name := p.nonReservedWord()
		n := p.iconst()
		slot := &b.Modulus
		switch name {
		case "modulus":
		case "remainder":
			slot = &b.Remainder
		default:
			p.failAt(pos, failure.SyntaxError, "unrecognized hash partition bound specification \"%s\"", name)
		}
		if *slot != -1 {
			p.failAt(pos, failure.DuplicateObject, "%s for hash partition provided more than once", name)
		}
		*slot = n
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	if b.Modulus == -1 {
		p.fail(failure.New(failure.SyntaxError, "modulus for hash partition must be specified"))
	}
	if b.Remainder == -1 {
		p.fail(failure.New(failure.SyntaxError, "remainder for hash partition must be specified"))
	}
}

// createIndex parses CREATE [UNIQUE] INDEX after INDEX.
func (p *parser) createIndex(pos int, unique bool) Statement {
	s := &CreateIndexStmt{Pos: pos, Unique: unique}
	if p.tok.isWord("async") {
		p.advance()
		s.Async = true
	} else {
		s.Concurrently = p.accept(kwConcurrently)
	}
	if s.IfNotExists = p.ifNotExists(); s.IfNotExists || !p.is(kwOn) {
		s.Name = p.colID()
	}
	p.expect(kwOn)
	s.Table = p.relationExpr()
	if p.accept(kwUsing) {
		s.AccessMethod = p.colID()
	}
	s.Keys = p.indexElems()
	if p.accept(kwInclude) {
		s.Include = p.indexElems()
	}
	var written bool
	written, s.NullsNotDist = p.optNullsDistinct()
	s.NullsDistinct = written && !s.NullsNotDist
	if p.accept(kwWith) {
		s.Options = p.relOptions()
	}
	if p.accept(kwTablespace) {
		s.Tablespace = p.colID()
	}
	s.Where = p.whereClause()
	return s
}

// indexElems parses (key, …).
func (p *parser) indexElems() []*IndexElem {
	p.expect('(')
	list := []*IndexElem{p.indexElem()}
	for p.accept(',') {
		list = append(list, p.indexElem())
	}
	p.expect(')')
	return list
}

// indexKey parses a column, a call, or a parenthesized expression.
func (p *parser) indexKey(e *IndexElem) {
	if p.is('(') {
		p.advance()
		e.Expr = p.expr()
		p.expect(')')
		return
	}
	if k := p.peek(1); p.tok.isColID() && k != '(' && k != '.' {
		e.Name = p.colID()
		return
	}
	e.Expr = p.windowlessFunc()
}

func (p *parser) indexElem() *IndexElem {
	e := &IndexElem{Pos: p.here()}
	p.indexKey(e)
	if p.accept(kwCollate) {
		e.Collation = p.dottedName()
	}
	// NULLS may be an operator class, unless FIRST or LAST follows.
	if next := p.peek(1); p.tok.isColID() && !(p.is(kwNulls) && (next == kwFirst || next == kwLast)) {
		e.OpClass = p.dottedName()
		if p.is('(') {
			e.OpOptions = p.relOptions()
		}
	}
	e.Dir = p.sortDir()
	e.Nulls = p.sortNulls()
	return e
}

// relOptions parses ([namespace.]name [= value], …).
func (p *parser) relOptions() []*DefElem {
	p.expect('(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here(), Name: p.colLabel()}
		if p.accept('.') {
			d.Namespace = d.Name
			d.Name = p.colLabel()
		}
		if p.accept('=') {
			d.Arg = p.defArg()
		}
		list = append(list, d)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

// defArg parses an option's value: a type's name (any word), a reserved word, an operator, a number, a string, NONE.
func (p *parser) defArg() Node {
	pos := p.tok.pos
	switch p.tok.kind {
	case tokString:
		return &Const{Pos: pos, Kind: ConstString, Str: p.sconst()}
	case tokInteger, tokFloat:
		return p.numericOnly()
	case '+', '-':
		if k := p.peek(1); k == tokInteger || k == tokFloat {
			return p.numericOnly()
		}
	case kwNone:
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	case kwOperator:
		schema, op := p.qualOp()
		return &QualifiedName{Pos: pos, Parts: append(schema, op)}
	}
	if p.isOperatorToken() {
		return &QualifiedName{Pos: pos, Parts: []string{p.takeName()}}
	}
	if p.tok.category() == catReserved {
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	}
	t := p.typeName()
	if p.is('%') && len(t.Names) > 1 {
		p.expectAll('%', kwType)
		t.PctType = true
	}
	return t
}

// genericOptions parses OPTIONS (name 'value', …); with alter the options may have a verb.
func (p *parser) genericOptions(alter bool) []*DefElem {
	p.expectAll(kwOptions, '(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here()}
		if next := p.peekToken(1); alter && next.category() != 0 {
			switch p.tok.kind {
			case kwSet:
				d.Action = DefSet
				p.advance()
			case kwAdd:
				d.Action = DefAdd
				p.advance()
			case kwDrop:
				d.Action = DefDrop
				p.advance()
			}
		}
		d.Name = p.colLabel()
		if d.Action != DefDrop {
			d.Arg = &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}
		}
		list = append(list, d)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}
