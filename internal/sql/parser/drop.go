package parser

// relationKind takes the words for a kind of relation, if the current token starts one.
func (p *parser) relationKind() (ObjectType, bool) {
	switch p.tok.kind {
	case kwTable:
		p.advance()
		return ObjectTable, true
	case kwSequence:
		p.advance()
		return ObjectSequence, true
	case kwView:
		p.advance()
		return ObjectView, true
	case kwIndex:
		p.advance()
		return ObjectIndex, true
	case kwMaterialized:
		p.expectAll(kwMaterialized, kwView)
		return ObjectMatView, true
	case kwForeign:
		if p.peek(1) == kwTable {
			p.expectAll(kwForeign, kwTable)
			return ObjectForeignTable, true
		}
	}
	return 0, false
}

// namedKind takes the words for a kind of object with a possibly qualified name.
func (p *parser) namedKind() (ObjectType, bool) {
	switch p.tok.kind {
	case kwCollation:
		p.advance()
		return ObjectCollation, true
	case kwConversion:
		p.advance()
		return ObjectConversion, true
	case kwStatistics:
		p.advance()
		return ObjectStatistics, true
	case kwText:
		return p.textSearchObject(), true
	}
	return 0, false
}

// plainKind takes the words for a kind of object with an unqualified name.
func (p *parser) plainKind() (ObjectType, bool) {
	switch p.tok.kind {
	case kwAccess:
		p.expectAll(kwAccess, kwMethod)
		return ObjectAccessMethod, true
	case kwEvent:
		p.expectAll(kwEvent, kwTrigger)
		return ObjectEventTrigger, true
	case kwExtension:
		p.advance()
		return ObjectExtension, true
	case kwForeign:
		p.expectAll(kwForeign, kwData, kwWrapper)
		return ObjectForeignDataWrapper, true
	case kwPublication:
		p.advance()
		return ObjectPublication, true
	case kwSchema:
		p.advance()
		return ObjectSchema, true
	case kwServer:
		p.advance()
		return ObjectForeignServer, true
	case kwProcedural, kwLanguage:
		p.accept(kwProcedural)
		p.expect(kwLanguage)
		return ObjectLanguage, true
	}
	return 0, false
}

// drop parses DROP.
func (p *parser) drop() Statement {
	pos := p.take().pos
	s := &DropStmt{Pos: pos}
	if t, ok := p.relationKind(); ok {
		s.Object = t
		if t == ObjectIndex {
			s.Concurrently = p.accept(kwConcurrently)
		}
		s.IfExists = p.ifExists()
		p.dropNames(s)
		return s
	}
	if t, ok := p.namedKind(); ok {
		s.Object = t
		s.IfExists = p.ifExists()
		p.dropNames(s)
		return s
	}
	switch p.tok.kind {
	case kwType, kwDomain:
		s.Object = ObjectDomain
		if p.take().kind == kwType {
			s.Object = ObjectTypeName
		}
		s.IfExists = p.ifExists()
		for {
			t := p.typeName()
			s.Objects = append(s.Objects, &Object{Pos: t.Pos, Type: t, AggOrdered: -1})
			if !p.accept(',') {
				break
			}
		}
		s.Behavior = p.dropBehavior()
		return s
	case kwRole, kwUser, kwGroup:
		return p.dropRole(pos)
	case kwFunction, kwProcedure, kwRoutine:
		s.Object = p.routineWord()
		p.dropSignatures(s, p.functionWithArgs)
		return s
	case kwAggregate:
		p.advance()
		s.Object = ObjectAggregate
		p.dropSignatures(s, p.aggregateWithArgs)
		return s
	case kwOperator:
		return p.dropOperator(s)
	case kwTrigger, kwRule, kwPolicy:
		return p.dropOnTable(s)
	case kwCast:
		p.advance()
		s.Object = ObjectCast
		s.IfExists = p.ifExists()
		s.Objects = []*Object{p.castObject()}
		s.Behavior = p.dropBehavior()
		return s
	case kwTransform:
		p.advance()
		s.Object = ObjectTransform
		s.IfExists = p.ifExists()
		s.Objects = []*Object{p.transformObject()}
		s.Behavior = p.dropBehavior()
		return s
	case kwOwned:
		p.expectAll(kwOwned, kwBy)
		o := &OwnedStmt{Pos: pos, Roles: p.roleList()}
		o.Behavior = p.dropBehavior()
		return o
	case kwDatabase:
		return p.dropDatabase(pos)
	case kwTablespace, kwSubscription:
		return p.other(pos, "DROP")
	}
	if t, ok := p.plainKind(); ok {
		s.Object = t
		s.IfExists = p.ifExists()
		for {
			at := p.tok.pos
			s.Objects = append(s.Objects, &Object{Pos: at, Names: []string{p.colID()}, AggOrdered: -1})
			if !p.accept(',') {
				break
			}
		}
		s.Behavior = p.dropBehavior()
		return s
	}
	p.syntaxError()
	return nil
}

func (p *parser) dropNames(s *DropStmt) {
	for {
		n := p.anyName()
		s.Objects = append(s.Objects, &Object{Pos: n.Pos, Names: n.Parts, AggOrdered: -1})
		if !p.accept(',') {
			break
		}
	}
	s.Behavior = p.dropBehavior()
}

func (p *parser) dropSignatures(s *DropStmt, parse func() *Object) {
	s.IfExists = p.ifExists()
	for {
		s.Objects = append(s.Objects, parse())
		if !p.accept(',') {
			break
		}
	}
	s.Behavior = p.dropBehavior()
}

func (p *parser) dropOperator(s *DropStmt) Statement {
	p.advance()
	if p.is(kwClass) || p.is(kwFamily) {
		s.Object = ObjectOperatorFamily
		if p.take().kind == kwClass {
			s.Object = ObjectOperatorClass
		}
		s.IfExists = p.ifExists()
		s.Objects = []*Object{p.opClassObject()}
		s.Behavior = p.dropBehavior()
		return s
	}
	s.Object = ObjectOperator
	p.dropSignatures(s, p.operatorWithArgs)
	return s
}

// opClassObject parses name USING method.
func (p *parser) opClassObject() *Object {
	n := p.anyName()
	p.expect(kwUsing)
	return &Object{Pos: n.Pos, Names: n.Parts, Using: p.colID(), AggOrdered: -1}
}

// dropOnTable parses DROP TRIGGER, RULE and POLICY.
func (p *parser) dropOnTable(s *DropStmt) Statement {
	switch p.take().kind {
	case kwTrigger:
		s.Object = ObjectTrigger
	case kwRule:
		s.Object = ObjectRule
	default:
		s.Object = ObjectPolicy
	}
	s.IfExists = p.ifExists()
	s.Objects = []*Object{p.objectOnTable()}
	s.Behavior = p.dropBehavior()
	return s
}

// objectOnTable parses name ON relation; Names is the relation's parts and then the name.
func (p *parser) objectOnTable() *Object {
	o := &Object{Pos: p.here(), AggOrdered: -1}
	name := p.colID()
	p.expect(kwOn)
	o.Names = append(p.dottedName(), name)
	return o
}

func (p *parser) castObject() *Object {
	o := &Object{Pos: p.here(), AggOrdered: -1}
	p.expect('(')
	o.Type = p.typeName()
	p.expect(kwAs)
	o.Right = p.typeName()
	p.expect(')')
	return o
}

func (p *parser) transformObject() *Object {
	o := &Object{Pos: p.here(), AggOrdered: -1}
	p.expect(kwFor)
	o.Type = p.typeName()
	p.expect(kwLanguage)
	o.Names = []string{p.colID()}
	return o
}

func (p *parser) dropRole(pos int) Statement {
	if p.is(kwUser) && p.peek(1) == kwMapping {
		return p.other(pos, "DROP")
	}
	s := &DropRoleStmt{Pos: pos, Kind: p.roleKind()}
	s.IfExists = p.ifExists()
	s.Roles = p.roleList()
	return s
}

func (p *parser) dropDatabase(pos int) Statement {
	p.advance()
	s := &DatabaseStmt{Pos: pos, Verb: "DROP", IfExists: p.ifExists()}
	s.Name = p.colID()
	if p.accept(kwWith) || p.is('(') {
		p.expect('(')
		for {
			s.Options = append(s.Options, &DefElem{Pos: p.here(), Name: "force"})
			p.expect(kwForce)
			if !p.accept(',') {
				break
			}
		}
		p.expect(')')
	}
	return s
}

// commentTarget parses the object of COMMENT and SECURITY LABEL.
func (p *parser) commentTarget() (ObjectType, *Object) {
	if p.is(kwForeign) && p.peek(1) == kwTable || p.is(kwMaterialized) || p.is(kwTable) || p.is(kwSequence) ||
		p.is(kwView) || p.is(kwIndex) {
		t, _ := p.relationKind()
		return t, p.namedObject()
	}
	if t, ok := p.namedKind(); ok {
		return t, p.namedObject()
	}
	switch p.tok.kind {
	case kwColumn:
		p.advance()
		return ObjectColumn, p.namedObject()
	case kwType, kwDomain:
		t := ObjectDomain
		if p.take().kind == kwType {
			t = ObjectTypeName
		}
		n := p.typeName()
		return t, &Object{Pos: n.Pos, Type: n, AggOrdered: -1}
	case kwFunction, kwProcedure, kwRoutine:
		t := p.routineWord()
		return t, p.functionWithArgs()
	case kwAggregate:
		p.advance()
		return ObjectAggregate, p.aggregateWithArgs()
	case kwOperator:
		p.advance()
		if p.is(kwClass) || p.is(kwFamily) {
			t := ObjectOperatorFamily
			if p.take().kind == kwClass {
				t = ObjectOperatorClass
			}
			return t, p.opClassObject()
		}
		return ObjectOperator, p.operatorWithArgs()
	case kwConstraint:
		return p.commentConstraint()
	case kwTrigger, kwRule, kwPolicy:
		t := map[tokenKind]ObjectType{kwTrigger: ObjectTrigger, kwRule: ObjectRule, kwPolicy: ObjectPolicy}[p.take().kind]
		return t, p.objectOnTable()
	case kwCast:
		p.advance()
		return ObjectCast, p.castObject()
	case kwTransform:
		p.advance()
		return ObjectTransform, p.transformObject()
	case kwLarge:
		p.expectAll(kwLarge, kwObject)
		o := &Object{Pos: p.here(), Names: []string{p.tok.str}, AggOrdered: -1}
		p.numericOnly()
		return ObjectLargeObject, o
	}
	t, ok := p.plainKind()
	if !ok {
		switch p.tok.kind {
		case kwDatabase:
			t = ObjectDatabase
		case kwRole:
			t = ObjectRole
		case kwSubscription:
			t = ObjectSubscription
		case kwTablespace:
			t = ObjectTablespace
		default:
			p.syntaxError()
		}
		p.advance()
	}
	at := p.tok.pos
	return t, &Object{Pos: at, Names: []string{p.colID()}, AggOrdered: -1}
}

func (p *parser) namedObject() *Object {
	n := p.anyName()
	return &Object{Pos: n.Pos, Names: n.Parts, AggOrdered: -1}
}

// commentConstraint parses CONSTRAINT name ON [DOMAIN] owner.
func (p *parser) commentConstraint() (ObjectType, *Object) {
	p.advance()
	o := &Object{Pos: p.here(), AggOrdered: -1}
	name := p.colID()
	p.expect(kwOn)
	if next := p.peekToken(1); p.is(kwDomain) && next.category() != 0 && next.kind != kwIs {
		p.advance()
		at := p.tok.pos
		o.Type = &TypeName{Pos: at, Names: p.dottedName()}
		o.Names = []string{name}
		return ObjectDomainConstraint, o
	}
	o.Names = append(p.dottedName(), name)
	return ObjectTableConstraint, o
}

// comment parses COMMENT ON.
func (p *parser) comment() Statement {
	s := &CommentStmt{Pos: p.take().pos}
	p.expect(kwOn)
	s.Object, s.Target = p.commentTarget()
	p.expect(kwIs)
	if s.IsNull = p.accept(kwNull); !s.IsNull {
		s.Comment = p.sconst()
	}
	return s
}

// secLabel parses SECURITY LABEL.
func (p *parser) secLabel() Statement {
	s := &SecLabelStmt{Pos: p.take().pos}
	p.expect(kwLabel)
	if p.accept(kwFor) {
		if p.is(tokString) {
			s.Provider = p.sconst()
		} else {
			s.Provider = p.nonReservedWord()
		}
	}
	p.expect(kwOn)
	s.Object, s.Target = p.commentTarget()
	p.expect(kwIs)
	if s.IsNull = p.accept(kwNull); !s.IsNull {
		s.Label = p.sconst()
	}
	return s
}

// utility parses the statements that have nothing to do with the schema; nil when it is none of them.
func (p *parser) utility() Statement {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwGrant, kwRevoke:
		return p.grant()
	case kwComment:
		return p.comment()
	case kwSecurity:
		return p.secLabel()
	case kwTruncate:
		return p.truncate()
	case kwVacuum, kwAnalyze, kwAnalyse:
		return p.vacuum()
	case kwDeclare:
		return p.declareCursor()
	case kwFetch, kwMove:
		return p.fetch()
	case kwClose:
		s := &ClosePortalStmt{Pos: p.take().pos}
		if s.All = p.accept(kwAll); !s.All {
			s.Name = p.colID()
		}
		return s
	case kwListen:
		p.advance()
		return &ListenStmt{Pos: pos, Channel: p.colID()}
	case kwUnlisten:
		s := &UnlistenStmt{Pos: p.take().pos}
		if s.All = p.accept('*'); !s.All {
			s.Channel = p.colID()
		}
		return s
	case kwNotify:
		s := &NotifyStmt{Pos: p.take().pos, Channel: p.colID()}
		if s.HasPayload = p.accept(','); s.HasPayload {
			s.Payload = p.sconst()
		}
		return s
	case kwLock:
		return p.lock()
	case kwCall:
		p.advance()
		at := p.tok.pos
		return &CallStmt{Pos: pos, Call: p.callArgs(at, p.funcName())}
	case kwDo:
		return p.doBlock()
	case kwDiscard:
		return p.discard()
	case kwRefresh:
		return p.refresh()
	case kwCluster:
		return p.cluster()
	case kwReindex:
		return p.reindex()
	case kwCheckpoint:
		p.advance()
		return &CheckPointStmt{Pos: pos}
	case kwLoad:
		p.advance()
		return &LoadStmt{Pos: pos, File: p.sconst()}
	case kwReassign:
		p.expectAll(kwReassign, kwOwned, kwBy)
		s := &OwnedStmt{Pos: pos, Roles: p.roleList()}
		p.expect(kwTo)
		s.New = p.roleSpec()
		return s
	case kwImport:
		p.advance()
		return p.other(pos, "IMPORT")
	}
	return nil
}

func (p *parser) truncate() Statement {
	s := &TruncateStmt{Pos: p.take().pos}
	p.accept(kwTable)
	for {
		s.Tables = append(s.Tables, p.relationExpr())
		if !p.accept(',') {
			break
		}
	}
	if p.commit(kwRestart, kwIdentity) {
		s.RestartSeqs = true
	} else {
		p.commit(kwContinue, kwIdentity)
	}
	s.Behavior = p.dropBehavior()
	return s
}

// vacuum parses VACUUM and ANALYZE.
func (p *parser) vacuum() Statement {
	s := &VacuumStmt{Pos: p.here()}
	s.Analyze = p.take().kind != kwVacuum
	word := func(k tokenKind, name string) {
		if p.is(k) {
			s.Options = append(s.Options, &DefElem{Pos: p.take().pos, Name: name})
		}
	}
	switch {
	case p.is('('):
		s.Options = p.utilityOptions()
	case s.Analyze:
		word(kwVerbose, "verbose")
	default:
		word(kwFull, "full")
		word(kwFreeze, "freeze")
		word(kwVerbose, "verbose")
		if !p.is(kwAnalyse) {
			word(kwAnalyze, "analyze")
		} else {
			word(kwAnalyse, "analyze")
		}
	}
	if !p.tok.isColID() {
		return s
	}
	for {
		t := &VacuumTarget{Pos: p.here(), Relation: p.relation()}
		t.Columns = p.optParenNames()
		s.Targets = append(s.Targets, t)
		if !p.accept(',') {
			return s
		}
	}
}

// declareCursor parses DECLARE … CURSOR.
func (p *parser) declareCursor() Statement {
	s := &DeclareCursorStmt{Pos: p.take().pos, Name: p.colID()}
	for !p.accept(kwCursor) {
		switch p.tok.kind {
		case kwNo:
			p.expectAll(kwNo, kwScroll)
			s.Options |= CursorNoScroll
			continue
		case kwScroll:
			s.Options |= CursorScroll
		case kwBinary:
			s.Options |= CursorBinary
		case kwAsensitive:
			s.Options |= CursorAsensitive
		case kwInsensitive:
			s.Options |= CursorInsensitive
		default:
			p.syntaxError()
		}
		p.advance()
	}
	if p.accept(kwWith) {
		p.expect(kwHold)
		s.Options |= CursorHold
	} else if p.accept(kwWithout) {
		p.expect(kwHold)
	}
	p.expect(kwFor)
	s.Query = p.selectOnly()
	return s
}

// fetch parses FETCH and MOVE.
func (p *parser) fetch() Statement {
	s := &FetchStmt{Pos: p.here(), Count: 1}
	s.Move = p.take().kind == kwMove
	count := func() int64 { return int64(p.signedIconst()) }
	// A direction's word is a cursor's name when nothing but the end follows.
	if next := p.peek(1); p.tok.isColID() && (next == tokEOF || next == ';') {
		s.Cursor = p.colID()
		return s
	}
	switch p.tok.kind {
	case kwNext:
		p.advance()
	case kwPrior:
		p.advance()
		s.Direction = FetchBackward
	case kwFirst:
		p.advance()
		s.Direction = FetchAbsolute
	case kwLast:
		p.advance()
		s.Direction, s.Count = FetchAbsolute, -1
	case kwAbsolute:
		p.advance()
		s.Direction, s.Count = FetchAbsolute, count()
	case kwRelative:
		p.advance()
		s.Direction, s.Count = FetchRelative, count()
	case tokInteger, '+', '-':
		s.Count = count()
	case kwAll:
		p.advance()
		s.Count = FetchAll
	case kwForward, kwBackward:
		if p.take().kind == kwBackward {
			s.Direction = FetchBackward
		}
		switch p.tok.kind {
		case kwAll:
			p.advance()
			s.Count = FetchAll
		case tokInteger, '+', '-':
			s.Count = count()
		}
	}
	if !p.accept(kwFrom) {
		p.accept(kwIn)
	}
	s.Cursor = p.colID()
	return s
}

func (p *parser) lock() Statement {
	s := &LockStmt{Pos: p.take().pos, Mode: "ACCESS EXCLUSIVE"}
	p.accept(kwTable)
	for {
		s.Tables = append(s.Tables, p.relationExpr())
		if !p.accept(',') {
			break
		}
	}
	if p.accept(kwIn) {
		switch {
		case p.accept(kwAccess):
			if p.accept(kwShare) {
				s.Mode = "ACCESS SHARE"
			} else {
				p.expect(kwExclusive)
			}
		case p.accept(kwRow):
			s.Mode = "ROW EXCLUSIVE"
			if p.accept(kwShare) {
				s.Mode = "ROW SHARE"
			} else {
				p.expect(kwExclusive)
			}
		case p.accept(kwShare):
			s.Mode = "SHARE"
			if p.accept(kwUpdate) {
				p.expect(kwExclusive)
				s.Mode = "SHARE UPDATE EXCLUSIVE"
			} else if p.accept(kwRow) {
				p.expect(kwExclusive)
				s.Mode = "SHARE ROW EXCLUSIVE"
			}
		default:
			p.expect(kwExclusive)
			s.Mode = "EXCLUSIVE"
		}
		p.expect(kwMode)
	}
	s.NoWait = p.accept(kwNowait)
	return s
}

func (p *parser) doBlock() Statement {
	s := &DoStmt{Pos: p.take().pos}
	for {
		pos := p.tok.pos
		switch p.tok.kind {
		case tokString:
			s.Options = append(s.Options, &DefElem{Pos: pos, Name: "as",
				Arg: &Const{Pos: pos, Kind: ConstString, Str: p.sconst()}})
		case kwLanguage:
			p.advance()
			s.Options = append(s.Options, &DefElem{Pos: pos, Name: "language", Arg: p.wordOrString()})
		default:
			if len(s.Options) == 0 {
				p.syntaxError()
			}
			return s
		}
	}
}

func (p *parser) discard() Statement {
	s := &DiscardStmt{Pos: p.take().pos}
	switch p.tok.kind {
	case kwAll:
		s.Target = "ALL"
	case kwTemp, kwTemporary:
		s.Target = "TEMP"
	case kwPlans:
		s.Target = "PLANS"
	case kwSequences:
		s.Target = "SEQUENCES"
	default:
		p.syntaxError()
	}
	p.advance()
	return s
}

func (p *parser) cluster() Statement {
	s := &ClusterStmt{Pos: p.take().pos}
	if p.is('(') {
		s.Options = p.utilityOptions()
	} else if p.is(kwVerbose) {
		s.Options = []*DefElem{{Pos: p.take().pos, Name: "verbose"}}
	}
	if !p.tok.isColID() {
		return s
	}
	// CLUSTER index ON table is the oldest syntax.
	if p.peek(1) == kwOn {
		s.Index = p.colID()
		p.expect(kwOn)
		s.Relation = p.relationPtr()
		return s
	}
	s.Relation = p.relationPtr()
	if p.accept(kwUsing) {
		s.Index = p.colID()
	}
	return s
}

func (p *parser) reindex() Statement {
	s := &ReindexStmt{Pos: p.take().pos}
	if p.is('(') {
		s.Options = p.utilityOptions()
	}
	switch p.tok.kind {
	case kwIndex, kwTable, kwSchema, kwSystem, kwDatabase:
		s.Target = upper(p.takeName())
	default:
		p.syntaxError()
	}
	s.Concurrently = p.accept(kwConcurrently)
	if s.Target == "INDEX" || s.Target == "TABLE" {
		s.Relation = p.relationPtr()
	} else {
		s.Name = p.colID()
	}
	return s
}
