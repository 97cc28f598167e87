package parser

import "github.com/meridiandb/meridian/internal/failure"

// alter parses ALTER.
func (p *parser) alter() Statement {
	pos := p.take().pos
	switch p.tok.kind {
	case kwTable, kwIndex, kwSequence, kwView, kwMaterialized:
		return p.alterRelation(pos)
	case kwForeign:
		if p.peek(1) == kwTable {
			return p.alterRelation(pos)
		}
		return p.alterForeign(pos)
	case kwRole, kwUser, kwGroup:
		return p.alterRole(pos)
	case kwDefault:
		return p.alterDefaultPrivileges(pos)
	case kwDomain:
		return p.alterDomain(pos)
	case kwType:
		return p.alterType(pos)
	case kwFunction, kwProcedure, kwRoutine:
		return p.alterFunction(pos)
	case kwAggregate:
		p.advance()
		return p.alterObject(pos, ObjectAggregate, p.aggregateWithArgs())
	case kwOperator:
		return p.alterOperator(pos)
	case kwDatabase:
		return p.alterDatabase(pos)
	case kwSystem:
		p.advance()
		at := p.tok.pos
		s := &AlterSystemStmt{Pos: pos}
		if p.accept(kwReset) {
			s.Set = p.resetGeneric(at)
		} else {
			p.expect(kwSet)
			v := &VariableSetStmt{Pos: at}
			p.genericSet(v)
			s.Set = v
		}
		return s
	case kwStatistics:
		return p.alterStatistics(pos)
	case kwPolicy, kwRule, kwTrigger:
		return p.alterOnTable(pos)
	case kwSchema, kwExtension, kwLanguage, kwProcedural, kwConversion, kwCollation, kwText, kwServer, kwPublication,
		kwSubscription, kwTablespace, kwEvent, kwLarge:
		return p.alterNamed(pos)
	}
	p.syntaxError()
	return nil
}

// genericSet parses name = values of ALTER SYSTEM SET.
func (p *parser) genericSet(s *VariableSetStmt) {
	s.Name = p.variableName()
	if !p.accept('=') {
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

func (p *parser) resetGeneric(pos int) *VariableSetStmt {
	if p.accept(kwAll) {
		return &VariableSetStmt{Pos: pos, Kind: SetResetAll}
	}
	return &VariableSetStmt{Pos: pos, Kind: SetReset, Name: p.variableName()}
}

// asyncTable says whether ASYNC after ALTER TABLE is Aurora DSQL's keyword rather than a table of that name: it is
// when a name follows that does not start a command.
func (p *parser) asyncTable() bool {
	if !p.tok.isWord("async") {
		return false
	}
	next := p.peekToken(1)
	switch next.kind {
	case kwOnly:
		return true
	case kwIf:
		return p.peek(2) == kwExists
	case kwAdd, kwAlter, kwDrop, kwRename, kwSet, kwReset, kwValidate, kwEnable, kwDisable, kwInherit, kwNo, kwOf,
		kwOwner, kwCluster, kwReplica, kwAttach, kwDetach, kwForce, kwOptions:
		return false
	}
	return next.isColID()
}

// alterRelation parses ALTER TABLE and the like.
func (p *parser) alterRelation(pos int) Statement {
	object, _ := p.relationKind()
	async := object == ObjectTable && p.asyncTable()
	if async {
		p.advance()
	}
	if p.is(kwAll) {
		return p.moveAll(pos, object)
	}
	ifExists := p.ifExists()
	var table *RangeVar
	if object == ObjectTable || object == ObjectForeignTable {
		table = p.relationExpr()
	} else {
		r := p.relation()
		table = &RangeVar{Pos: r.Pos, Relation: r}
	}
	next := p.peek(1)
	switch {
	case p.is(kwRename):
		return p.renameRelation(&RenameStmt{Pos: pos, Async: async, Object: object, OfObject: object,
			IfExists: ifExists, Relation: table})
	case p.is(kwSet) && next == kwSchema && object != ObjectIndex:
		p.expectAll(kwSet, kwSchema)
		return &AlterObjectSchemaStmt{Pos: pos, Object: object, IfExists: ifExists, Relation: table,
			NewSchema: p.colID()}
	case p.is(kwDepends) || p.is(kwNo) && next == kwDepends:
		s := &AlterObjectDependsStmt{Pos: pos, Object: object, Relation: table}
		p.depends(s)
		return s
	case object == ObjectSequence:
		if opts := p.sequenceOptions(); opts != nil {
			return &AlterSeqStmt{Pos: pos, Relation: table.Relation, IfExists: ifExists, Options: opts}
		}
	}
	s := &AlterTableStmt{Pos: pos, Object: object, Async: async, IfExists: ifExists, Table: table}
	if c := p.partitionCmd(object); c != nil {
		s.Cmds = []*AlterTableCmd{c}
		return s
	}
	for {
		s.Cmds = append(s.Cmds, p.alterTableCmd())
		if !p.accept(',') {
			return s
		}
	}
}

// depends parses [NO] DEPENDS ON EXTENSION name.
func (p *parser) depends(s *AlterObjectDependsStmt) {
	s.Remove = p.accept(kwNo)
	p.expectAll(kwDepends, kwOn, kwExtension)
	s.Extension = p.colID()
}

// renameRelation parses RENAME TO, RENAME [COLUMN] a TO b and RENAME CONSTRAINT a TO b.
func (p *parser) renameRelation(s *RenameStmt) Statement {
	p.expect(kwRename)
	if p.accept(kwTo) {
		s.OfObject = 0
		s.NewName = p.colID()
		return s
	}
	if s.Object == ObjectIndex || s.Object == ObjectSequence {
		p.syntaxError()
	}
	if p.is(kwConstraint) && s.Object == ObjectTable {
		p.advance()
		s.Object = ObjectTableConstraint
	} else {
		p.accept(kwColumn)
		s.Object = ObjectColumn
	}
	s.SubName = p.colID()
	p.expect(kwTo)
	s.NewName = p.colID()
	return s
}

// moveAll parses ALTER TABLE ALL IN TABLESPACE.
func (p *parser) moveAll(pos int, object ObjectType) Statement {
	p.expectAll(kwAll, kwIn, kwTablespace)
	s := &AlterTableMoveAllStmt{Pos: pos, Object: object, Tablespace: p.colID()}
	if p.commit(kwOwned, kwBy) {
		s.OwnedBy = p.roleList()
	}
	p.expectAll(kwSet, kwTablespace)
	s.New = p.colID()
	s.NoWait = p.accept(kwNowait)
	return s
}

// partitionCmd parses ATTACH and DETACH PARTITION; nil when it is another command.
func (p *parser) partitionCmd(object ObjectType) *AlterTableCmd {
	if object != ObjectTable && object != ObjectIndex {
		return nil
	}
	c := &AlterTableCmd{Pos: p.here()}
	switch {
	case p.commit(kwAttach, kwPartition):
		c.Kind = ATAttachPartition
		c.Relation = p.relationPtr()
		if object == ObjectTable {
			c.Bound = p.partitionBound()
		}
	case object == ObjectTable && p.commit(kwDetach, kwPartition):
		c.Kind = ATDetachPartition
		c.Relation = p.relationPtr()
		if p.accept(kwFinalize) {
			c.Kind = ATDetachFinalize
		} else {
			c.Concurrently = p.accept(kwConcurrently)
		}
	default:
		return nil
	}
	return c
}

// alterTableCmd parses one command of ALTER TABLE.
func (p *parser) alterTableCmd() *AlterTableCmd {
	c := &AlterTableCmd{Pos: p.here()}
	switch p.tok.kind {
	case kwAdd:
		p.addCmd(c)
	case kwAlter:
		p.alterColumnCmd(c)
	case kwDrop:
		p.dropCmd(c)
	case kwValidate:
		p.expectAll(kwValidate, kwConstraint)
		c.Kind, c.Name = ATValidateConstraint, p.colID()
	case kwCluster:
		p.expectAll(kwCluster, kwOn)
		c.Kind, c.Name = ATClusterOn, p.colID()
	case kwSet:
		p.setCmd(c)
	case kwReset:
		p.advance()
		c.Kind, c.Options = ATResetOptions, p.relOptions()
	case kwEnable, kwDisable:
		p.enableCmd(c)
	case kwForce:
		p.advance()
		p.rowSecurity()
		c.Kind = ATForceRowSecurity
	case kwNo:
		p.advance()
		if p.accept(kwForce) {
			p.rowSecurity()
			c.Kind = ATNoForceRowSecurity
			break
		}
		p.expect(kwInherit)
		c.Kind, c.Relation = ATNoInherit, p.relationPtr()
	case kwInherit:
		p.advance()
		c.Kind, c.Relation = ATInherit, p.relationPtr()
	case kwOf:
		at := p.take().pos
		c.Kind, c.Type = ATOf, &TypeName{Pos: at + len("of "), Names: p.dottedName()}
	case kwNot:
		p.expectAll(kwNot, kwOf)
		c.Kind = ATNotOf
	case kwOwner:
		p.expectAll(kwOwner, kwTo)
		c.Kind, c.Owner = ATOwner, p.roleSpec()
	case kwReplica:
		p.replicaIdentity(c)
	case kwOptions:
		c.Kind, c.Options = ATGenericOptions, p.genericOptions(true)
	default:
		p.syntaxError()
	}
	return c
}

func (p *parser) rowSecurity() { p.expectAll(kwRow, kwLevel, kwSecurity) }

func (p *parser) replicaIdentity(c *AlterTableCmd) {
	p.expectAll(kwReplica, kwIdentity)
	c.Kind = ATReplicaIdentity
	switch p.tok.kind {
	case kwNothing, kwFull, kwDefault:
		c.Word = upper(p.takeName())
	default:
		p.expectAll(kwUsing, kwIndex)
		c.Word, c.Name = "INDEX", p.colID()
	}
}

// addCmd parses ADD.
func (p *parser) addCmd(c *AlterTableCmd) {
	p.advance()
	switch p.tok.kind {
	case kwConstraint, kwCheck, kwUnique, kwPrimary, kwForeign:
		c.Kind, c.Constraint = ATAddConstraint, p.tableConstraint()
		return
	case kwExclude:
		if next := p.peek(1); next == '(' || next == kwUsing {
			c.Kind, c.Constraint = ATAddConstraint, p.tableConstraint()
			return
		}
	}
	p.accept(kwColumn)
	c.Kind = ATAddColumn
	c.IfNotExists = p.ifNotExists()
	c.Column = p.columnDef()
}

// dropCmd parses DROP.
func (p *parser) dropCmd(c *AlterTableCmd) {
	p.advance()
	c.Kind = ATDropColumn
	if p.accept(kwConstraint) {
		c.Kind = ATDropConstraint
	} else {
		p.accept(kwColumn)
	}
	c.IfExists = p.ifExists()
	c.Name = p.colID()
	c.Behavior = p.dropBehavior()
}

// setCmd parses SET.
func (p *parser) setCmd(c *AlterTableCmd) {
	p.advance()
	switch p.tok.kind {
	case kwLogged:
		p.advance()
		c.Kind = ATSetLogged
	case kwUnlogged:
		p.advance()
		c.Kind = ATSetUnlogged
	case kwWithout:
		p.advance()
		c.Kind = ATSetWithoutCluster
		if p.accept(kwOids) {
			c.Kind = ATSetWithoutOIDs
		} else {
			p.expect(kwCluster)
		}
	case kwAccess:
		p.expectAll(kwAccess, kwMethod)
		c.Kind, c.Name = ATSetAccessMethod, p.colID()
	case kwTablespace:
		p.advance()
		c.Kind, c.Name = ATSetTablespace, p.colID()
	default:
		c.Kind, c.Options = ATSetOptions, p.relOptions()
	}
}

// enableCmd parses ENABLE and DISABLE.
func (p *parser) enableCmd(c *AlterTableCmd) {
	enable := p.take().kind == kwEnable
	if p.is(kwRow) {
		p.rowSecurity()
		c.Kind = ATDisableRowSecurity
		if enable {
			c.Kind = ATEnableRowSecurity
		}
		return
	}
	always, replica := false, false
	if enable {
		if always = p.accept(kwAlways); !always {
			replica = p.accept(kwReplica)
		}
	}
	rule := p.accept(kwRule)
	if !rule {
		p.expect(kwTrigger)
	}
	if !rule && !always && !replica && (p.is(kwAll) || p.is(kwUser)) {
		c.Word = upper(p.takeName())
	} else {
		c.Name = p.colID()
	}
	switch {
	case rule && always:
		c.Kind = ATEnableAlwaysRule
	case rule && replica:
		c.Kind = ATEnableReplicaRule
	case rule && enable:
		c.Kind = ATEnableRule
	case rule:
		c.Kind = ATDisableRule
	case always:
		c.Kind = ATEnableAlwaysTrigger
	case replica:
		c.Kind = ATEnableReplicaTrigger
	case enable:
		c.Kind = ATEnableTrigger
	default:
		c.Kind = ATDisableTrigger
	}
}

// alterColumnCmd parses ALTER [COLUMN] and ALTER CONSTRAINT.
func (p *parser) alterColumnCmd(c *AlterTableCmd) {
	p.advance()
	if p.accept(kwConstraint) {
		c.Kind = ATAlterConstraint
		k := &Constraint{Pos: p.here(), Kind: ConstrForeign, Name: p.colID()}
		p.constraintAttributes(k, "FOREIGN KEY")
		c.Constraint = k
		return
	}
	p.accept(kwColumn)
	if p.is(tokInteger) {
		at := p.tok.pos
		c.Number = p.iconst()
		p.expectAll(kwSet, kwStatistics)
		c.Kind, c.Value = ATSetStatistics, p.signedIconst()
		if c.Number <= 0 || c.Number > 1<<15-1 {
			p.failAt(at, failure.InvalidParameterValue, "column number must be in range from 1 to %d", 1<<15-1)
		}
		return
	}
	c.Name = p.colID()
	switch p.tok.kind {
	case kwSet:
		p.advance()
		p.alterColumnSet(c)
	case kwDrop:
		p.advance()
		p.alterColumnDrop(c)
	case kwType:
		p.alterColumnType(c)
	case kwAdd:
		k := &Constraint{Pos: p.take().pos}
		if n := p.generatedWords(); p.peek(n) != kwIdentity {
			for range n {
				p.advance()
			}
			p.syntaxError()
		}
		p.generated(k)
		c.Kind, c.Constraint = ATAddIdentity, k
	case kwReset:
		p.advance()
		c.Kind, c.Options = ATResetColumnOptions, p.relOptions()
	case kwOptions:
		c.Kind, c.Options = ATAlterColumnFDW, p.genericOptions(true)
	case kwRestart:
		p.setIdentity(c)
	default:
		p.syntaxError()
	}
}

// generatedWords returns how many words GENERATED … AS has, and fails when they are not there.
func (p *parser) generatedWords() int {
	want := []tokenKind{kwGenerated, kwAlways, kwAs}
	if p.peek(1) == kwBy {
		want = []tokenKind{kwGenerated, kwBy, kwDefault, kwAs}
	}
	for i, k := range want {
		if i == 0 && !p.is(k) || i > 0 && p.peek(i) != k {
			for range i {
				p.advance()
			}
			p.syntaxError()
		}
	}
	return len(want)
}

// alterColumnType parses TYPE type [COLLATE c] [USING expr].
func (p *parser) alterColumnType(c *AlterTableCmd) {
	p.expect(kwType)
	c.Kind, c.Type = ATAlterColumnType, p.typeName()
	if p.accept(kwCollate) {
		c.Collation = p.dottedName()
	}
	if p.accept(kwUsing) {
		c.Expr = p.expr()
	}
}

// alterColumnSet parses what follows ALTER COLUMN name SET.
func (p *parser) alterColumnSet(c *AlterTableCmd) {
	switch p.tok.kind {
	case kwDefault:
		p.advance()
		c.Kind, c.Expr = ATSetDefault, p.expr()
	case kwNot:
		p.expectAll(kwNot, kwNull)
		c.Kind = ATSetNotNull
	case kwStatistics:
		p.advance()
		c.Kind, c.Value = ATSetStatistics, p.signedIconst()
	case kwStorage:
		p.advance()
		c.Kind, c.Word = ATSetStorage, p.colID()
	case kwCompression:
		p.advance()
		c.Kind = ATSetCompression
		if p.accept(kwDefault) {
			c.Word = "default"
		} else {
			c.Word = p.colID()
		}
	case kwData:
		p.advance()
		p.alterColumnType(c)
	case '(':
		c.Kind, c.Options = ATSetColumnOptions, p.relOptions()
	default:
		p.setIdentityAfterSet(c)
	}
}

func (p *parser) alterColumnDrop(c *AlterTableCmd) {
	switch p.tok.kind {
	case kwDefault:
		p.advance()
		c.Kind = ATDropDefault
	case kwNot:
		p.expectAll(kwNot, kwNull)
		c.Kind = ATDropNotNull
	case kwExpression:
		p.advance()
		c.Kind = ATDropExpression
		c.IfExists = p.ifExists()
	default:
		p.expect(kwIdentity)
		c.Kind = ATDropIdentity
		c.IfExists = p.ifExists()
	}
}

// setIdentity parses RESTART … or SET … of an identity column, any number of them.
func (p *parser) setIdentity(c *AlterTableCmd) {
	c.Kind = ATSetIdentity
	for {
		pos := p.tok.pos
		switch {
		case p.accept(kwRestart):
			d := &DefElem{Pos: pos, Name: "restart"}
			with := p.accept(kwWith)
			switch p.tok.kind {
			case tokInteger, tokFloat, '+', '-':
				d.Arg = p.numericOnly()
			default:
				if with {
					p.syntaxError()
				}
			}
			c.Options = append(c.Options, d)
		case p.accept(kwSet):
			p.setIdentityOption(c)
		default:
			return
		}
	}
}

func (p *parser) setIdentityAfterSet(c *AlterTableCmd) {
	p.setIdentityOption(c)
	p.setIdentity(c)
}

// setIdentityOption parses what follows SET: GENERATED …, or one option of a sequence.
func (p *parser) setIdentityOption(c *AlterTableCmd) {
	pos := p.tok.pos
	if p.accept(kwGenerated) {
		always := p.accept(kwAlways)
		if !always {
			p.expectAll(kwBy, kwDefault)
		}
		c.Options = append(c.Options, boolOption(pos, "generated", always))
		return
	}
	opts := p.sequenceOptions()
	if len(opts) == 0 {
		p.syntaxError()
	}
	if len(opts) > 1 && opts[1].Name != "restart" {
		p.failNear(opts[1].Pos)
	}
	for _, o := range opts {
		switch o.Name {
		case "as", "restart", "owned_by":
			if o == opts[0] {
				p.failAt(o.Pos, failure.SyntaxError, "sequence option \"%s\" not supported here", o.Name)
			}
		}
	}
	c.Options = append(c.Options, opts...)
}

// alterForeign parses ALTER FOREIGN DATA WRAPPER.
func (p *parser) alterForeign(pos int) Statement {
	if p.peek(1) == kwData {
		return p.alterNamedOr(pos, ObjectForeignDataWrapper)
	}
	p.advance()
	p.syntaxError()
	return nil
}
