package parser

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// transaction parses the transaction statements.
func (p *parser) transaction() Statement {
	s := &TransactionStmt{Pos: p.here()}
	switch p.take().kind {
	case kwBegin:
		p.optTransaction()
		s.Modes = p.transactionModes(true)
	case kwStart:
		s.Kind = TransStart
		p.expect(kwTransaction)
		s.Modes = p.transactionModes(true)
	case kwCommit:
		s.Kind = TransCommit
		if p.accept(kwPrepared) {
			s.Kind, s.Name = TransCommitPrepared, p.sconst()
			return s
		}
		p.optTransaction()
		s.Chain = p.chain()
	case kwEnd:
		s.Kind = TransCommit
		p.optTransaction()
		s.Chain = p.chain()
	case kwRollback:
		p.rollback(s)
	case kwAbort:
		s.Kind = TransRollback
		p.optTransaction()
		s.Chain = p.chain()
	case kwSavepoint:
		s.Kind, s.Name = TransSavepoint, p.colID()
	case kwRelease:
		s.Kind = TransRelease
		s.Name = p.savepoint()
	case kwPrepare:
		p.expect(kwTransaction)
		s.Kind, s.Name = TransPrepare, p.sconst()
	}
	return s
}

func (p *parser) rollback(s *TransactionStmt) {
	s.Kind = TransRollback
	if p.accept(kwPrepared) {
		s.Kind, s.Name = TransRollbackPrepared, p.sconst()
		return
	}
	p.optTransaction()
	if p.accept(kwTo) {
		s.Kind, s.Name = TransRollbackTo, p.savepoint()
		return
	}
	s.Chain = p.chain()
}

// savepoint takes [SAVEPOINT] name; the word alone is a name.
func (p *parser) savepoint() string {
	if p.is(kwSavepoint) && p.peekToken(1).isColID() {
		p.advance()
	}
	return p.colID()
}

// optTransaction takes WORK or TRANSACTION.
func (p *parser) optTransaction() {
	if !p.accept(kwWork) {
		p.accept(kwTransaction)
	}
}

// chain parses AND [NO] CHAIN.
func (p *parser) chain() bool {
	if !p.accept(kwAnd) {
		return false
	}
	no := p.accept(kwNo)
	p.expect(kwChain)
	return !no
}

// transactionModes parses transaction modes separated by commas or nothing; optional says that there may be none.
func (p *parser) transactionModes(optional bool) TransactionModes {
	var m TransactionModes
	for n := 0; ; n++ {
		comma := n > 0 && p.accept(',')
		switch p.tok.kind {
		case kwIsolation:
			p.expectAll(kwIsolation, kwLevel)
			m.Isolation = p.isolationLevel()
		case kwRead:
			p.advance()
			m.ReadOnly, m.ReadWrite = false, false
			if p.accept(kwOnly) {
				m.ReadOnly = true
			} else {
				p.expect(kwWrite)
				m.ReadWrite = true
			}
		case kwDeferrable:
			p.advance()
			m.Deferrable, m.NotDeferrable = true, false
		case kwNot:
			p.expectAll(kwNot, kwDeferrable)
			m.Deferrable, m.NotDeferrable = false, true
		default:
			if comma || n == 0 && !optional {
				p.syntaxError()
			}
			return m
		}
	}
}

func (p *parser) isolationLevel() string {
	switch {
	case p.accept(kwSerializable):
		return "serializable"
	case p.accept(kwRepeatable):
		p.expect(kwRead)
		return "repeatable read"
	}
	p.expect(kwRead)
	if p.accept(kwCommitted) {
		return "read committed"
	}
	p.expect(kwUncommitted)
	return "read uncommitted"
}

// set parses SET.
func (p *parser) set() Statement {
	pos := p.take().pos
	if p.is(kwConstraints) {
		return p.setConstraints(pos)
	}
	local := false
	switch {
	case p.is(kwLocal) && !p.endsVariable(p.peek(1)):
		p.advance()
		local = true
	case p.is(kwSession) && p.peek(1) != kwAuthorization && p.peek(1) != kwCharacteristics &&
		!p.endsVariable(p.peek(1)) && p.peek(1) != kwFrom:
		p.advance()
	}
	s := p.setRest(pos)
	s.Local = local
	return s
}

// endsVariable says whether the token after a word shows that the word was the variable's name.
func (p *parser) endsVariable(k tokenKind) bool { return k == kwTo || k == '=' || k == '.' }

// setRest parses what comes after SET [LOCAL | SESSION].
func (p *parser) setRest(pos int) *VariableSetStmt {
	s := &VariableSetStmt{Pos: pos}
	next := p.peek(1)
	if p.is(kwTransaction) && !p.endsVariable(next) && next != kwFrom {
		p.advance()
		if p.accept(kwSnapshot) {
			s.Kind, s.Name = SetSnapshot, "TRANSACTION SNAPSHOT"
			s.Args = []Expr{&Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}}
			return s
		}
		s.Kind, s.Name = SetTransaction, "TRANSACTION"
		s.Modes = p.transactionModes(false)
		return s
	}
	if p.is(kwSession) && next == kwCharacteristics {
		p.expectAll(kwSession, kwCharacteristics, kwAs, kwTransaction)
		s.Kind, s.Name = SetSessionChar, "SESSION CHARACTERISTICS"
		s.Modes = p.transactionModes(false)
		return s
	}
	p.setRestMore(s)
	return s
}

// setRestMore parses what SET, and also a function's SET clause, may set.
func (p *parser) setRestMore(s *VariableSetStmt) {
	next := p.peek(1)
	if !p.endsVariable(next) && next != kwFrom {
		if p.setSpecial(s, next) {
			return
		}
	}
	s.Name = p.variableName()
	switch {
	case p.accept(kwFrom):
		p.expect(kwCurrent)
		s.Kind = SetCurrent
		return
	case p.accept('='):
	default:
		p.expect(kwTo)
	}
	if p.accept(kwDefault) {
		s.Kind = SetDefault
		return
	}
	s.Args = []Expr{p.variableValue()}
	for p.accept(',') {
		s.Args = append(s.Args, p.variableValue())
	}
}

// setSpecial parses the variables with a syntax of their own and says whether it was one.
func (p *parser) setSpecial(s *VariableSetStmt, next tokenKind) bool {
	value := func(e Expr) { s.Args = []Expr{e} }
	text := func() Expr { return &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()} }
	switch p.tok.kind {
	case kwTime:
		p.expectAll(kwTime, kwZone)
		s.Name = "timezone"
		p.zoneValue(s)
	case kwCatalog:
		p.advance()
		at := p.tok.pos
		p.sconst()
		p.failAt(at, failure.FeatureNotSupported, "current database cannot be changed")
	case kwSchema:
		p.advance()
		s.Name = "search_path"
		value(text())
	case kwNames:
		p.advance()
		s.Name = "client_encoding"
		switch {
		case p.is(tokString):
			value(text())
		default:
			p.accept(kwDefault)
			s.Kind = SetDefault
		}
	case kwRole:
		p.advance()
		s.Name = "role"
		value(p.wordOrString())
	case kwSession:
		if next != kwAuthorization {
			return false
		}
		p.expectAll(kwSession, kwAuthorization)
		s.Name = "session_authorization"
		if p.accept(kwDefault) {
			s.Kind = SetDefault
			break
		}
		value(p.wordOrString())
	case kwXml:
		p.expectAll(kwXml, kwOption)
		s.Name = "xmloption"
		value(&Const{Pos: p.here(), Kind: ConstString, Str: pick(p.xmlOption(), "DOCUMENT", "CONTENT")})
	default:
		return false
	}
	return true
}

// wordOrString takes a word that is not reserved, or a string, as a string.
func (p *parser) wordOrString() Expr {
	c := &Const{Pos: p.here(), Kind: ConstString}
	if p.is(tokString) {
		c.Str = p.sconst()
	} else {
		c.Str = p.nonReservedWord()
	}
	return c
}

// zoneValue parses SET TIME ZONE's value.
func (p *parser) zoneValue(s *VariableSetStmt) {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwDefault, kwLocal:
		p.advance()
		s.Kind = SetDefault
		return
	case kwInterval:
		p.advance()
		t := systemType(pos, "interval")
		if p.is('(') {
			t.Typmods = p.intervalPrecision()
			s.Args = []Expr{p.typedLiteral(pos, t)}
			return
		}
		e := p.typedLiteral(pos, t)
		at := p.tok.pos
		t.Typmods = p.intervalFields()
		if len(t.Typmods) > 0 {
			if c := t.Typmods[0].(*Const); c.Int&^(intervalHour|intervalMinute) != 0 {
				p.failAt(at, failure.SyntaxError, "time zone interval must be HOUR or HOUR TO MINUTE")
			}
		}
		s.Args = []Expr{e}
	case tokIdent:
		s.Args = []Expr{&Const{Pos: pos, Kind: ConstString, Str: p.takeName()}}
	case tokString:
		s.Args = []Expr{&Const{Pos: pos, Kind: ConstString, Str: p.sconst()}}
	default:
		s.Args = []Expr{p.numericOnly()}
	}
}

// variableName parses name[.name…].
func (p *parser) variableName() string {
	name := p.colID()
	if !p.is('.') {
		return name
	}
	parts := []string{name}
	for p.accept('.') {
		parts = append(parts, p.colID())
	}
	return strings.Join(parts, ".")
}

// variableValue parses one value of SET: a word, a string or a number.
func (p *parser) variableValue() Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case tokString:
		return &Const{Pos: pos, Kind: ConstString, Str: p.sconst()}
	case kwTrue, kwFalse, kwOn:
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	case tokInteger, tokFloat, '+', '-':
		return p.numericOnly()
	}
	return &Const{Pos: pos, Kind: ConstString, Str: p.nonReservedWord()}
}

// numericOnly parses a number with an optional sign.
func (p *parser) numericOnly() Expr {
	pos := p.tok.pos
	minus := p.is('-')
	if minus || p.is('+') {
		p.advance()
	}
	c := &Const{Pos: pos, Kind: ConstInteger, Int: p.tok.num}
	switch p.tok.kind {
	case tokInteger:
		p.advance()
	case tokFloat:
		c.Kind, c.Int, c.Str = ConstFloat, 0, p.takeName()
	default:
		p.syntaxError()
	}
	if minus {
		return negate(pos, c)
	}
	return c
}

// setConstraints parses SET CONSTRAINTS after SET.
func (p *parser) setConstraints(pos int) Statement {
	p.advance()
	s := &ConstraintsSetStmt{Pos: pos}
	if !p.accept(kwAll) {
		s.Constraints = p.relationList()
	}
	if p.accept(kwDeferred) {
		s.Deferred = true
	} else {
		p.expect(kwImmediate)
	}
	return s
}

// reset parses RESET.
func (p *parser) reset() Statement {
	pos := p.take().pos
	return p.resetRest(pos)
}

func (p *parser) resetRest(pos int) *VariableSetStmt {
	s := &VariableSetStmt{Pos: pos, Kind: SetReset}
	switch {
	case p.accept(kwAll):
		s.Kind = SetResetAll
	default:
		s.Name = p.showName()
	}
	return s
}

// showName parses the variable of SHOW or RESET.
func (p *parser) showName() string {
	switch {
	case p.acceptTwo(kwTime, kwZone):
		return "timezone"
	case p.is(kwTransaction) && p.peek(1) == kwIsolation:
		p.expectAll(kwTransaction, kwIsolation, kwLevel)
		return "transaction_isolation"
	case p.acceptTwo(kwSession, kwAuthorization):
		return "session_authorization"
	}
	return p.variableName()
}

// show parses SHOW.
func (p *parser) show() Statement {
	s := &VariableShowStmt{Pos: p.take().pos}
	if p.accept(kwAll) {
		s.Name = "all"
		return s
	}
	s.Name = p.showName()
	return s
}

// explain parses EXPLAIN.
func (p *parser) explain() Statement {
	s := &ExplainStmt{Pos: p.take().pos}
	if p.is('(') && p.startsExplainOptions() {
		s.Options = p.utilityOptions()
	} else {
		if p.is(kwAnalyze) || p.is(kwAnalyse) {
			s.Options = append(s.Options, &DefElem{Pos: p.take().pos, Name: "analyze"})
		}
		if p.is(kwVerbose) {
			s.Options = append(s.Options, &DefElem{Pos: p.take().pos, Name: "verbose"})
		}
	}
	s.Query = p.explainable()
	return s
}

// startsExplainOptions says whether the parenthesis opens options rather than a query.
func (p *parser) startsExplainOptions() bool {
	switch p.peek(1) {
	case kwSelect, kwValues, kwWith, kwTable, '(':
		return false
	}
	return true
}

// explainable parses the statement of EXPLAIN.
func (p *parser) explainable() Statement {
	switch p.tok.kind {
	case kwSelect, kwValues, kwTable, kwWith, '(', kwInsert, kwUpdate, kwDelete, kwMerge:
		return p.preparable()
	case kwDeclare:
		return p.declareCursor()
	case kwExecute:
		return p.execute()
	case kwRefresh:
		return p.refresh()
	case kwCreate:
		pos := p.tok.pos
		s := p.create()
		switch s.(type) {
		case *CreateTableAsStmt:
			return s
		}
		p.failAt(pos, failure.SyntaxError, "syntax error at or near \"%s\"", p.sql[pos:pos+len("create")])
	}
	p.syntaxError()
	return nil
}

// utilityOptions parses (name [value], …) of EXPLAIN, VACUUM, REINDEX and CLUSTER.
func (p *parser) utilityOptions() []*DefElem {
	p.expect('(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here()}
		switch p.tok.kind {
		case kwAnalyze, kwAnalyse:
			p.advance()
			d.Name = "analyze"
		default:
			d.Name = p.nonReservedWord()
		}
		d.Arg = p.optionValue()
		list = append(list, d)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

// optionValue parses an option's value: a word or string (as a string), a number, or nothing (nil).
func (p *parser) optionValue() Node {
	pos := p.tok.pos
	switch p.tok.kind {
	case tokInteger, tokFloat, '+', '-':
		return p.numericOnly()
	case tokString:
		return &Const{Pos: pos, Kind: ConstString, Str: p.sconst()}
	case kwTrue, kwFalse, kwOn:
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	}
	if c := p.tok.category(); c != 0 && c != catReserved {
		return &Const{Pos: pos, Kind: ConstString, Str: p.takeName()}
	}
	return nil
}

// prepare parses PREPARE.
func (p *parser) prepare() Statement {
	s := &PrepareStmt{Pos: p.take().pos, Name: p.colID()}
	if p.accept('(') {
		s.Types = p.typeList()
		p.expect(')')
	}
	p.expect(kwAs)
	s.Query = p.preparableOnly()
	return s
}

// preparableOnly parses SELECT, INSERT, UPDATE, DELETE or MERGE and refuses anything else.
func (p *parser) preparableOnly() Statement {
	switch p.tok.kind {
	case kwSelect, kwValues, kwTable, kwWith, '(', kwInsert, kwUpdate, kwDelete, kwMerge:
		return p.preparable()
	}
	p.syntaxError()
	return nil
}

func (p *parser) typeList() []*TypeName {
	list := []*TypeName{p.typeName()}
	for p.accept(',') {
		list = append(list, p.typeName())
	}
	return list
}

// execute parses EXECUTE.
func (p *parser) execute() Statement {
	s := &ExecuteStmt{Pos: p.take().pos, Name: p.colID()}
	if p.accept('(') {
		s.Args = p.exprList()
		p.expect(')')
	}
	return s
}

// deallocate parses DEALLOCATE.
func (p *parser) deallocate() Statement {
	s := &DeallocateStmt{Pos: p.take().pos}
	if p.is(kwPrepare) {
		if k := p.peekToken(1); k.kind == kwAll || k.isColID() {
			p.advance()
		}
	}
	if p.accept(kwAll) {
		s.All = true
		return s
	}
	s.Name = p.colID()
	return s
}
