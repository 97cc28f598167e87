package parser

// alterObject parses RENAME TO, OWNER TO, SET SCHEMA and DEPENDS ON of an object that is no relation.
func (p *parser) alterObject(pos int, object ObjectType, target *Object) Statement {
	switch p.tok.kind {
	case kwRename:
		p.expectAll(kwRename, kwTo)
		return &RenameStmt{Pos: pos, Object: object, Target: target, NewName: p.colID()}
	case kwOwner:
		p.expectAll(kwOwner, kwTo)
		return &AlterOwnerStmt{Pos: pos, Object: object, Target: target, Owner: p.roleSpec()}
	case kwSet:
		p.expectAll(kwSet, kwSchema)
		return &AlterObjectSchemaStmt{Pos: pos, Object: object, Target: target, NewSchema: p.colID()}
	case kwNo, kwDepends:
		s := &AlterObjectDependsStmt{Pos: pos, Object: object, Target: target}
		p.depends(s)
		return s
	}
	p.syntaxError()
	return nil
}

func (p *parser) alterDomain(pos int) Statement {
	p.advance()
	name := p.anyName()
	s := &AlterDomainStmt{Pos: pos, Domain: name}
	target := &Object{Pos: name.Pos, Names: name.Parts, AggOrdered: -1}
	next := p.peek(1)
	switch {
	case p.is(kwRename) && next == kwConstraint:
		p.expectAll(kwRename, kwConstraint)
		r := &RenameStmt{Pos: pos, Object: ObjectDomainConstraint, Target: target, SubName: p.colID()}
		p.expect(kwTo)
		r.NewName = p.colID()
		return r
	case p.is(kwSet) && next != kwSchema:
		p.advance()
		if p.accept(kwNot) {
			p.expect(kwNull)
			s.Kind = ADSetNotNull
			return s
		}
		p.expect(kwDefault)
		s.Kind, s.Expr = ADSetDefault, p.expr()
	case p.is(kwDrop):
		p.advance()
		switch {
		case p.accept(kwDefault):
			s.Kind = ADDropDefault
		case p.accept(kwNot):
			p.expect(kwNull)
			s.Kind = ADDropNotNull
		default:
			p.expect(kwConstraint)
			s.Kind = ADDropConstraint
			s.IfExists = p.ifExists()
			s.Name = p.colID()
			s.Behavior = p.dropBehavior()
		}
	case p.accept(kwAdd):
		s.Kind, s.Constraint = ADAddConstraint, p.tableConstraint()
	case p.is(kwValidate):
		p.expectAll(kwValidate, kwConstraint)
		s.Kind, s.Name = ADValidateConstraint, p.colID()
	default:
		return p.alterObject(pos, ObjectDomain, target)
	}
	return s
}

func (p *parser) alterType(pos int) Statement {
	p.advance()
	name := p.anyName()
	target := &Object{Pos: name.Pos, Names: name.Parts, AggOrdered: -1}
	next := p.peek(1)
	switch {
	case p.is(kwAdd) && next == kwValue:
		return p.addEnumValue(pos, name)
	case p.is(kwRename) && next == kwValue:
		p.expectAll(kwRename, kwValue)
		s := &AlterEnumStmt{Pos: pos, Name: name, HasOld: true, OldValue: p.sconst()}
		p.expect(kwTo)
		s.NewValue = p.sconst()
		return s
	case p.is(kwRename) && next == kwAttribute:
		p.expectAll(kwRename, kwAttribute)
		s := &RenameStmt{Pos: pos, Object: ObjectCompositeAttribute, OfObject: ObjectTypeName}
		s.Relation = &RangeVar{Pos: name.Pos, Relation: p.relationOf(name.Pos, name.Parts)}
		s.SubName = p.colID()
		p.expect(kwTo)
		s.NewName = p.colID()
		s.Behavior = p.dropBehavior()
		return s
	case p.is(kwAdd), p.is(kwDrop), p.is(kwAlter):
		s := &AlterTableStmt{Pos: pos, Object: ObjectTypeName,
			Table: &RangeVar{Pos: name.Pos, Relation: p.relationOf(name.Pos, name.Parts)}}
		for {
			s.Cmds = append(s.Cmds, p.attributeCmd())
			if !p.accept(',') {
				return s
			}
		}
	case p.is(kwSet) && next == '(':
		p.advance()
		return &AlterTypeStmt{Pos: pos, Object: ObjectTypeName, Target: target, Options: p.defineList()}
	}
	return p.alterObject(pos, ObjectTypeName, target)
}

func (p *parser) addEnumValue(pos int, name *QualifiedName) Statement {
	p.expectAll(kwAdd, kwValue)
	s := &AlterEnumStmt{Pos: pos, Name: name, IfNotExists: p.ifNotExists(), NewValue: p.sconst()}
	switch {
	case p.accept(kwBefore):
		s.HasNeighbor, s.Neighbor = true, p.sconst()
	case p.accept(kwAfter):
		s.HasNeighbor, s.After, s.Neighbor = true, true, p.sconst()
	}
	return s
}

// attributeCmd parses ADD, DROP or ALTER ATTRIBUTE.
func (p *parser) attributeCmd() *AlterTableCmd {
	c := &AlterTableCmd{Pos: p.here()}
	kind := p.tok.kind
	if kind != kwAdd && kind != kwDrop && kind != kwAlter {
		p.syntaxError()
	}
	p.advance()
	p.expect(kwAttribute)
	switch kind {
	case kwAdd:
		d := &ColumnDef{Pos: p.here(), Name: p.colID()}
		d.Type = p.typeName()
		if p.accept(kwCollate) {
			d.Collation = p.dottedName()
		}
		c.Kind, c.Column = ATAddAttribute, d
	case kwDrop:
		c.Kind = ATDropAttribute
		c.IfExists = p.ifExists()
		c.Name = p.colID()
	default:
		c.Kind, c.Name = ATAlterAttributeType, p.colID()
		p.commit(kwSet, kwData)
		p.expect(kwType)
		c.Type = p.typeName()
		if p.accept(kwCollate) {
			c.Collation = p.dottedName()
		}
	}
	c.Behavior = p.dropBehavior()
	return c
}

func (p *parser) alterFunction(pos int) Statement {
	object := p.routineWord()
	target := p.functionWithArgs()
	next := p.peek(1)
	switch {
	case p.is(kwRename), p.is(kwOwner), p.is(kwDepends), p.is(kwNo), p.is(kwSet) && next == kwSchema:
		return p.alterObject(pos, object, target)
	}
	s := &AlterFunctionStmt{Pos: pos, Object: object, Target: target}
	for {
		o := p.commonFuncOption()
		if o == nil {
			break
		}
		s.Options = append(s.Options, o)
	}
	if len(s.Options) == 0 {
		p.syntaxError()
	}
	p.accept(kwRestrict)
	return s
}

func (p *parser) alterOperator(pos int) Statement {
	if k := p.peek(1); k == kwClass || k == kwFamily {
		p.advance()
		object := ObjectOperatorFamily
		if p.take().kind == kwClass {
			object = ObjectOperatorClass
		}
		target := p.opClassObject()
		if object == ObjectOperatorFamily && (p.is(kwAdd) || p.is(kwDrop)) {
			p.skipStatement()
			return &OtherStmt{Pos: pos, Name: "AlterOpFamily", Tag: "ALTER OPERATOR FAMILY", Text: p.sql[pos:p.last]}
		}
		return p.alterObject(pos, object, target)
	}
	p.advance()
	target := p.operatorWithArgs()
	if p.is(kwSet) && p.peek(1) == '(' {
		p.advance()
		return &AlterTypeStmt{Pos: pos, Object: ObjectOperator, Target: target, Options: p.operatorOptions()}
	}
	return p.alterObject(pos, ObjectOperator, target)
}

// operatorOptions parses (name = value, …) where NONE takes a value away and gives a nil Arg.
func (p *parser) operatorOptions() []*DefElem {
	p.expect('(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here(), Name: p.colLabel()}
		p.expect('=')
		if !p.accept(kwNone) {
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

func (p *parser) alterDatabase(pos int) Statement {
	p.advance()
	at := p.tok.pos
	name := p.colID()
	target := &Object{Pos: at, Names: []string{name}, AggOrdered: -1}
	switch p.tok.kind {
	case kwRename, kwOwner:
		return p.alterObject(pos, ObjectDatabase, target)
	case kwRefresh:
		p.expectAll(kwRefresh, kwCollation, kwVersion)
		return &DatabaseStmt{Pos: pos, Verb: "REFRESH", Name: name}
	case kwSet:
		if p.peek(1) == kwTablespace {
			p.advance()
			d := &DefElem{Pos: p.take().pos, Name: "tablespace"}
			d.Arg = &Const{Pos: p.here(), Kind: ConstString, Str: p.colID()}
			return &DatabaseStmt{Pos: pos, Verb: "ALTER", Name: name, Options: []*DefElem{d}}
		}
		return &AlterDatabaseSetStmt{Pos: pos, Name: name, Set: p.setOrReset()}
	case kwReset:
		return &AlterDatabaseSetStmt{Pos: pos, Name: name, Set: p.setOrReset()}
	}
	p.accept(kwWith)
	return &DatabaseStmt{Pos: pos, Verb: "ALTER", Name: name, Options: p.databaseOptions()}
}

func (p *parser) alterStatistics(pos int) Statement {
	p.advance()
	ifExists := p.ifExists()
	name := p.anyName()
	if p.is(kwSet) && p.peek(1) == kwStatistics {
		p.expectAll(kwSet, kwStatistics)
		return &AlterStatsStmt{Pos: pos, Name: name, IfExists: ifExists, Target: p.signedIconst()}
	}
	if ifExists {
		p.syntaxError()
	}
	return p.alterObject(pos, ObjectStatistics, &Object{Pos: name.Pos, Names: name.Parts, AggOrdered: -1})
}

// alterOnTable parses ALTER POLICY, RULE and TRIGGER.
func (p *parser) alterOnTable(pos int) Statement {
	kind := p.take().kind
	ifExists := kind == kwPolicy && p.ifExists()
	at := p.tok.pos
	name := p.colID()
	p.expect(kwOn)
	r := p.relation()
	object := map[tokenKind]ObjectType{kwPolicy: ObjectPolicy, kwRule: ObjectRule, kwTrigger: ObjectTrigger}[kind]
	if p.accept(kwRename) {
		p.expect(kwTo)
		return &RenameStmt{Pos: pos, Object: object, IfExists: ifExists, Relation: &RangeVar{Pos: r.Pos, Relation: r},
			SubName: name, NewName: p.colID()}
	}
	switch {
	case kind == kwPolicy && !ifExists:
		s := &PolicyStmt{Pos: pos, Alter: true, Name: name, Relation: r}
		p.policyRest(s)
		return s
	case kind == kwTrigger:
		s := &AlterObjectDependsStmt{Pos: pos, Object: object,
			Target: &Object{Pos: at, Names: append(r.Parts(), name), AggOrdered: -1}}
		p.depends(s)
		return s
	}
	p.syntaxError()
	return nil
}

// alterNamed parses ALTER of the objects with plain names.
func (p *parser) alterNamed(pos int) Statement {
	switch p.tok.kind {
	case kwSubscription:
		return p.alterNamedOr(pos, ObjectSubscription)
	case kwTablespace:
		return p.alterNamedOr(pos, ObjectTablespace)
	case kwLarge:
		p.expectAll(kwLarge, kwObject)
		o := &Object{Pos: p.here(), Names: []string{p.tok.str}, AggOrdered: -1}
		p.numericOnly()
		p.expectAll(kwOwner, kwTo)
		return &AlterOwnerStmt{Pos: pos, Object: ObjectLargeObject, Target: o, Owner: p.roleSpec()}
	}
	return p.alterNamedOr(pos, 0)
}

// alterNamedOr parses the common commands, or takes the statement unread when it has commands of its own.
func (p *parser) alterNamedOr(pos int, object ObjectType) Statement {
	tag := "ALTER " + upper(p.tok.str)
	named := false
	switch object {
	case ObjectSubscription, ObjectTablespace:
		p.advance()
	default:
		t, ok := p.namedKind()
		if !ok {
			t, ok = p.plainKind()
		} else {
			named = true
		}
		if !ok {
			p.syntaxError()
		}
		object = t
		tag = "ALTER " + t.String()
	}
	target := &Object{Pos: p.here(), AggOrdered: -1}
	if named {
		target.Names = p.dottedName()
	} else {
		target.Names = []string{p.colID()}
	}
	name, ok := alterOther[object]
	if p.is(kwRename) || p.is(kwOwner) || p.is(kwSet) && (!ok || p.peek(1) == kwSchema) {
		return p.alterObject(pos, object, target)
	}
	if !ok || p.is(tokEOF) || p.is(';') {
		p.syntaxError()
	}
	p.skipStatement()
	return &OtherStmt{Pos: pos, Name: name, Tag: tag, Text: p.sql[pos:p.last]}
}

// alterOther maps the kinds of objects whose ALTER has commands that are not parsed to PostgreSQL's nodes.
var alterOther = map[ObjectType]string{
	ObjectTablespace:              "AlterTableSpaceOptions",
	ObjectForeignServer:           "AlterForeignServer",
	ObjectPublication:             "AlterPublication",
	ObjectSubscription:            "AlterSubscription",
	ObjectEventTrigger:            "AlterEventTrig",
	ObjectForeignDataWrapper:      "AlterFdw",
	ObjectExtension:               "AlterExtension",
	ObjectCollation:               "AlterCollation",
	ObjectTextSearchDictionary:    "AlterTSDictionary",
	ObjectTextSearchConfiguration: "AlterTSConfiguration",
}
