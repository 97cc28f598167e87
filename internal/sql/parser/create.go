package parser

import "github.com/meridiandb/meridian/internal/failure"

// create parses CREATE.
func (p *parser) create() Statement {
	pos := p.take().pos
	if p.commit(kwOr, kwReplace) {
		return p.createReplace(pos)
	}
	if p.is(kwLocal) || p.is(kwGlobal) {
		p.advance()
		if !p.is(kwTemp) && !p.is(kwTemporary) {
			p.syntaxError()
		}
	}
	switch persist := p.optTemp(true); {
	case persist != PersistPermanent || p.is(kwTable) || p.is(kwSequence):
		return p.createPersistent(pos, persist)
	}
	switch p.tok.kind {
	case kwView, kwRecursive, kwFunction, kwProcedure, kwTrigger, kwRule, kwAggregate, kwLanguage, kwTrusted,
		kwProcedural, kwTransform:
		return p.createReplaceable(pos, false)
	case kwConstraint:
		p.expectAll(kwConstraint, kwTrigger)
		return p.createTrigger(pos, false, true)
	case kwUnique:
		p.expectAll(kwUnique, kwIndex)
		return p.createIndex(pos, true)
	case kwIndex:
		p.advance()
		return p.createIndex(pos, false)
	case kwMaterialized:
		p.expectAll(kwMaterialized, kwView)
		return p.createMatView(pos, PersistPermanent)
	case kwSchema:
		return p.createSchema(pos)
	case kwRole, kwUser, kwGroup:
		return p.createRole(pos)
	case kwDomain:
		return p.createDomain(pos)
	case kwType:
		return p.createType(pos)
	case kwOperator:
		return p.createOperator(pos)
	case kwText, kwCollation:
		return p.createOther(pos)
	case kwStatistics:
		return p.createStats(pos)
	case kwPolicy:
		return p.createPolicy(pos)
	case kwCast:
		return p.createCast(pos)
	case kwExtension:
		return p.createExtension(pos)
	case kwDatabase:
		return p.createDatabase(pos)
	case kwForeign:
		if p.peek(1) != kwData {
			p.expectAll(kwForeign, kwTable)
			return p.createForeignTable(pos)
		}
		return p.other(pos, "CREATE")
	case kwTablespace, kwServer, kwPublication, kwSubscription, kwEvent, kwAccess, kwConversion, kwDefault:
		return p.other(pos, "CREATE")
	}
	p.syntaxError()
	return nil
}

// createReplace parses CREATE OR REPLACE.
func (p *parser) createReplace(pos int) Statement {
	if persist := p.optTemp(true); persist != PersistPermanent || p.is(kwView) || p.is(kwRecursive) {
		return p.createView(pos, true, persist)
	}
	return p.createReplaceable(pos, true)
}

// createReplaceable parses the objects that OR REPLACE may be said of.
func (p *parser) createReplaceable(pos int, replace bool) Statement {
	switch p.tok.kind {
	case kwView, kwRecursive:
		return p.createView(pos, replace, PersistPermanent)
	case kwFunction, kwProcedure:
		return p.createFunction(pos, replace)
	case kwTrigger:
		p.advance()
		return p.createTrigger(pos, replace, false)
	case kwConstraint:
		p.expectAll(kwConstraint, kwTrigger)
		return p.createTrigger(pos, replace, true)
	case kwRule:
		return p.createRule(pos, replace)
	case kwAggregate:
		return p.createAggregate(pos, replace)
	case kwLanguage, kwTrusted, kwProcedural, kwTransform:
		return p.other(pos, "CREATE")
	}
	p.syntaxError()
	return nil
}

// createPersistent parses what can be temporary or unlogged.
func (p *parser) createPersistent(pos int, persist Persistence) Statement {
	switch p.tok.kind {
	case kwTable:
		p.advance()
		return p.createTable(pos, persist)
	case kwSequence:
		p.advance()
		s := &CreateSeqStmt{Pos: pos, Persistence: persist, IfNotExists: p.ifNotExists()}
		s.Relation = p.relation()
		s.Options = p.sequenceOptions()
		return s
	case kwView, kwRecursive:
		return p.createView(pos, false, persist)
	case kwMaterialized:
		if persist == PersistUnlogged {
			p.expectAll(kwMaterialized, kwView)
			return p.createMatView(pos, persist)
		}
	}
	p.syntaxError()
	return nil
}

func (p *parser) createView(pos int, replace bool, persist Persistence) Statement {
	s := &ViewStmt{Pos: pos, Replace: replace, Persistence: persist}
	s.Recursive = p.accept(kwRecursive)
	p.expect(kwView)
	s.Relation = p.relation()
	if s.Recursive {
		s.Columns = p.parenNames()
	} else {
		s.Columns = p.optParenNames()
	}
	if p.accept(kwWith) {
		s.Options = p.relOptions()
	}
	p.expect(kwAs)
	s.Query = p.selectOnly()
	if at := p.tok.pos; p.accept(kwWith) {
		s.Check = ViewCheckCascaded
		if p.accept(kwLocal) {
			s.Check = ViewCheckLocal
		} else {
			p.accept(kwCascaded)
		}
		p.expectAll(kwCheck, kwOption)
		if s.Recursive {
			p.failAt(at, failure.FeatureNotSupported, "WITH CHECK OPTION not supported on recursive views")
		}
	}
	return s
}

func (p *parser) createMatView(pos int, persist Persistence) Statement {
	c := &CreateTableAsStmt{Pos: pos, Materialized: true, Persistence: persist, IfNotExists: p.ifNotExists()}
	c.Relation = p.relation()
	c.Columns = p.optParenNames()
	if p.accept(kwUsing) {
		c.AccessMethod = p.colID()
	}
	if p.accept(kwWith) {
		c.Options = p.relOptions()
	}
	if p.accept(kwTablespace) {
		c.Tablespace = p.colID()
	}
	p.expect(kwAs)
	c.Query = p.selectOnly()
	c.WithNoData = p.withNoData()
	return c
}

// refresh parses REFRESH MATERIALIZED VIEW.
func (p *parser) refresh() Statement {
	s := &RefreshMatViewStmt{Pos: p.take().pos}
	p.expectAll(kwMaterialized, kwView)
	s.Concurrently = p.accept(kwConcurrently)
	s.Relation = p.relation()
	s.WithNoData = p.withNoData()
	return s
}

func (p *parser) createSchema(pos int) Statement {
	p.advance()
	s := &CreateSchemaStmt{Pos: pos, IfNotExists: p.ifNotExists()}
	if !p.is(kwAuthorization) {
		s.Name = p.colID()
	}
	if s.Name == "" || p.is(kwAuthorization) {
		p.expect(kwAuthorization)
		s.Owner = p.roleSpec()
	}
	for {
		at := p.tok.pos
		switch p.tok.kind {
		case kwCreate:
			e := p.create()
			switch e.(type) {
			case *CreateTableStmt, *CreateIndexStmt, *CreateSeqStmt, *CreateTriggerStmt, *ViewStmt:
			default:
				p.failAt(at, failure.SyntaxError, "syntax error at or near \"%s\"", p.sql[at:at+len("create")])
			}
			s.Elements = append(s.Elements, e)
		case kwGrant:
			s.Elements = append(s.Elements, p.grant())
		default:
			if len(s.Elements) > 0 && s.IfNotExists {
				p.failAt(s.Elements[0].Position(), failure.FeatureNotSupported,
					"CREATE SCHEMA IF NOT EXISTS cannot include schema elements")
			}
			return s
		}
	}
}

// sequenceOptions parses the options of a sequence.
func (p *parser) sequenceOptions() []*DefElem {
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here()}
		switch p.tok.kind {
		case kwAs:
			p.advance()
			d.Name, d.Arg = "as", p.simpleTypeName(false)
		case kwCache:
			p.advance()
			d.Name, d.Arg = "cache", p.numericOnly()
		case kwCycle:
			p.advance()
			d.Name, d.Arg = "cycle", &Const{Pos: d.Pos, Kind: ConstBoolean, Bool: true}
		case kwNo:
			p.advance()
			switch p.take().kind {
			case kwCycle:
				d.Name, d.Arg = "cycle", &Const{Pos: d.Pos, Kind: ConstBoolean}
			case kwMaxvalue:
				d.Name = "maxvalue"
			case kwMinvalue:
				d.Name = "minvalue"
			default:
				p.failNear(d.Pos + len("no"))
			}
		case kwIncrement:
			p.advance()
			p.accept(kwBy)
			d.Name, d.Arg = "increment", p.numericOnly()
		case kwMaxvalue:
			p.advance()
			d.Name, d.Arg = "maxvalue", p.numericOnly()
		case kwMinvalue:
			p.advance()
			d.Name, d.Arg = "minvalue", p.numericOnly()
		case kwOwned:
			p.expectAll(kwOwned, kwBy)
			d.Name, d.Arg = "owned_by", p.anyName()
		case kwSequence:
			p.expectAll(kwSequence, kwName)
			d.Name, d.Arg = "sequence_name", p.anyName()
		case kwStart:
			p.advance()
			p.accept(kwWith)
			d.Name, d.Arg = "start", p.numericOnly()
		case kwRestart:
			p.advance()
			d.Name = "restart"
			with := p.accept(kwWith)
			switch p.tok.kind {
			case tokInteger, tokFloat, '+', '-':
				d.Arg = p.numericOnly()
			default:
				if with {
					p.syntaxError()
				}
			}
		default:
			return list
		}
		list = append(list, d)
	}
}

// failNear reports a syntax error at the first token from a byte offset on; for the rare place where the token was
// taken already.
func (p *parser) failNear(offset int) { p.failNearMessage(offset, "syntax error") }

// failNearMessage is failNear with another message.
func (p *parser) failNearMessage(offset int, message string) {
	l := lexer{sql: p.sql, pos: offset}
	p.tok = l.next()
	p.err = l.err
	if p.is(tokEOF) || p.is(tokBad) {
		p.syntaxError()
	}
	p.failAt(p.tok.pos, failure.SyntaxError, "%s at or near \"%s\"", message, p.sql[p.tok.pos:p.tok.end])
}

func (p *parser) createDomain(pos int) Statement {
	p.advance()
	s := &CreateDomainStmt{Pos: pos, Name: p.anyName()}
	p.accept(kwAs)
	s.Type = p.typeName()
	c := &ColumnDef{}
	p.columnConstraints(c)
	s.Collation, s.Constraints = c.Collation, c.Constraints
	return s
}

func (p *parser) createType(pos int) Statement {
	p.advance()
	name := p.anyName()
	if p.is('(') {
		return &DefineStmt{Pos: pos, Object: ObjectTypeName, Name: name, HasParens: true, Definition: p.defineList()}
	}
	if !p.accept(kwAs) {
		return &DefineStmt{Pos: pos, Object: ObjectTypeName, Name: name}
	}
	switch p.tok.kind {
	case kwEnum:
		p.expectAll(kwEnum, '(')
		s := &CreateEnumStmt{Pos: pos, Name: name}
		for !p.is(')') {
			s.Values = append(s.Values, p.sconst())
			if !p.is(')') {
				p.expect(',')
				if p.is(')') {
					p.syntaxError()
				}
			}
		}
		p.expect(')')
		return s
	case kwRange:
		p.advance()
		return &CreateRangeStmt{Pos: pos, Name: name, Options: p.defineList()}
	}
	s := &CompositeTypeStmt{Pos: pos, Name: name}
	if p.peek(1) == ')' {
		p.expectAll('(', ')')
		return s
	}
	s.Columns = p.tableFuncElements()
	return s
}

// defineList parses (name [= value], …) of CREATE TYPE, AGGREGATE and the like.
func (p *parser) defineList() []*DefElem {
	p.expect('(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here(), Name: p.colLabel()}
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

func (p *parser) createOperator(pos int) Statement {
	if k := p.peek(1); k == kwClass || k == kwFamily {
		return p.other(pos, "CREATE")
	}
	p.advance()
	at := p.tok.pos
	schema, op := p.anyOperator()
	return &DefineStmt{Pos: pos, Object: ObjectOperator, Name: &QualifiedName{Pos: at, Parts: append(schema, op)},
		HasParens: true, Definition: p.defineList()}
}

// createOther parses CREATE TEXT SEARCH and CREATE COLLATION.
func (p *parser) createOther(pos int) Statement {
	s := &DefineStmt{Pos: pos, HasParens: true}
	if p.accept(kwCollation) {
		s.Object = ObjectCollation
		s.IfNotExists = p.ifNotExists()
		s.Name = p.anyName()
		if p.accept(kwFrom) {
			s.HasParens = false
			s.From = p.dottedName()
			return s
		}
	} else {
		s.Object = p.textSearchObject()
		s.Name = p.anyName()
	}
	s.Definition = p.defineList()
	return s
}

// textSearchObject takes TEXT SEARCH and a kind of object.
func (p *parser) textSearchObject() ObjectType {
	p.expectAll(kwText, kwSearch)
	switch p.tok.kind {
	case kwParser:
		p.advance()
		return ObjectTextSearchParser
	case kwDictionary:
		p.advance()
		return ObjectTextSearchDictionary
	case kwTemplate:
		p.advance()
		return ObjectTextSearchTemplate
	}
	p.expect(kwConfiguration)
	return ObjectTextSearchConfiguration
}

func (p *parser) createStats(pos int) Statement {
	p.advance()
	s := &CreateStatsStmt{Pos: pos, IfNotExists: p.ifNotExists()}
	// PostgreSQL 15 demands the name; 16 does not.
	s.Name = p.anyName()
	if p.is('(') {
		s.Kinds = p.parenNames()
	}
	p.expect(kwOn)
	for {
		e := &IndexElem{Pos: p.here()}
		p.indexKey(e)
		s.Exprs = append(s.Exprs, e)
		if !p.accept(',') {
			break
		}
	}
	p.expect(kwFrom)
	s.From = p.fromList()
	return s
}

func (p *parser) createForeignTable(pos int) Statement {
	s := &CreateTableStmt{Pos: pos, IfNotExists: p.ifNotExists()}
	s.Relation = p.relation()
	if p.commit(kwPartition, kwOf) {
		s.PartitionOf = p.relationPtr()
		s.Elements = p.typedElements()
		s.Bound = p.partitionBound()
	} else {
		p.expect('(')
		if !p.is(')') {
			s.Elements = p.tableElements()
		}
		p.expect(')')
		if p.accept(kwInherits) {
			p.expect('(')
			s.Inherits = p.relationList()
			p.expect(')')
		}
	}
	p.expect(kwServer)
	s.Server = p.colID()
	if p.is(kwOptions) {
		s.FDWOptions = p.genericOptions(false)
	}
	return s
}

func (p *parser) createExtension(pos int) Statement {
	p.advance()
	s := &CreateExtensionStmt{Pos: pos, IfNotExists: p.ifNotExists(), Name: p.colID()}
	p.accept(kwWith)
	for {
		d := &DefElem{Pos: p.here()}
		switch p.tok.kind {
		case kwSchema:
			p.advance()
			d.Name, d.Arg = "schema", &Const{Pos: p.here(), Kind: ConstString, Str: p.colID()}
		case kwVersion:
			p.advance()
			d.Name, d.Arg = "new_version", p.wordOrString()
		case kwCascade:
			p.advance()
			d.Name, d.Arg = "cascade", &Const{Pos: d.Pos, Kind: ConstBoolean, Bool: true}
		case kwFrom:
			p.advance()
			p.wordOrString()
			p.failAt(d.Pos, failure.FeatureNotSupported, "CREATE EXTENSION ... FROM is no longer supported")
		default:
			return s
		}
		s.Options = append(s.Options, d)
	}
}

func (p *parser) createDatabase(pos int) Statement {
	p.advance()
	s := &DatabaseStmt{Pos: pos, Verb: "CREATE", Name: p.colID()}
	p.accept(kwWith)
	s.Options = p.databaseOptions()
	return s
}

// databaseOptions parses name [=] value ….
func (p *parser) databaseOptions() []*DefElem {
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here()}
		switch {
		case p.commit(kwConnection, kwLimit):
			d.Name = "connection_limit"
		case p.is(tokIdent), p.is(kwEncoding), p.is(kwOwner), p.is(kwTablespace), p.is(kwTemplate), p.is(kwLocation):
			d.Name = p.takeName()
		default:
			return list
		}
		p.accept('=')
		if !p.accept(kwDefault) {
			if d.Arg = p.optionValue(); d.Arg == nil {
				p.syntaxError()
			}
		}
		list = append(list, d)
	}
}

func (p *parser) createCast(pos int) Statement {
	p.expectAll(kwCast, '(')
	s := &CreateCastStmt{Pos: pos, Source: p.typeName()}
	p.expect(kwAs)
	s.Target = p.typeName()
	p.expect(')')
	if p.accept(kwWithout) {
		p.expect(kwFunction)
	} else {
		p.expect(kwWith)
		if p.accept(kwInout) {
			s.InOut = true
		} else {
			p.expect(kwFunction)
			s.Function = p.functionWithArgs()
		}
	}
	if p.accept(kwAs) {
		if p.accept(kwImplicit) {
			s.Context = "IMPLICIT"
		} else {
			p.expect(kwAssignment)
			s.Context = "ASSIGNMENT"
		}
	}
	return s
}

func (p *parser) createPolicy(pos int) Statement {
	p.advance()
	s := &PolicyStmt{Pos: pos, Name: p.colID()}
	p.expect(kwOn)
	s.Relation = p.relation()
	if p.accept(kwAs) {
		at := p.tok
		if at.kind != tokIdent {
			p.syntaxError()
		}
		if s.Permissive = p.takeName(); s.Permissive != "permissive" && s.Permissive != "restrictive" {
			p.fail(failure.New(failure.SyntaxError, "unrecognized row security option \"%s\"", at.str).
				WithHint("Only PERMISSIVE or RESTRICTIVE policies are supported currently.").
				At(CharPosition(p.sql, at.pos)))
		}
	}
	if p.accept(kwFor) {
		switch p.tok.kind {
		case kwAll, kwSelect, kwInsert, kwUpdate, kwDelete:
			s.Command = p.takeName()
		default:
			p.syntaxError()
		}
	}
	p.policyRest(s)
	return s
}

// policyRest parses TO, USING and WITH CHECK.
func (p *parser) policyRest(s *PolicyStmt) {
	if p.accept(kwTo) {
		s.Roles = p.roleList()
	}
	if p.accept(kwUsing) {
		p.expect('(')
		s.Using = p.expr()
		p.expect(')')
	}
	if p.accept(kwWith) {
		p.expectAll(kwCheck, '(')
		s.Check = p.expr()
		p.expect(')')
	}
}

// other takes the rest of an administrative statement unread and keeps what it takes to refuse it by name. The verb
// was taken already.
func (p *parser) other(pos int, verb string) Statement {
	s := &OtherStmt{Pos: pos}
	words := ""
	for i := 0; i < 4; i++ {
		w := p.tok.str
		if p.tok.kind < firstKeyword {
			break
		}
		if n, ok := otherNames[verb+" "+joinWords(words, w)]; ok {
			s.Name = n
			s.Tag = upper(verb + " " + joinWords(words, w))
		}
		if w != "trusted" && w != "procedural" {
			words = joinWords(words, w)
		}
		p.advance()
	}
	if s.Name == "" || p.is(tokEOF) || p.is(';') {
		p.syntaxError()
	}
	p.skipStatement()
	s.Text = p.sql[pos:p.last]
	return s
}

func joinWords(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// skipStatement takes tokens up to the end of the statement.
func (p *parser) skipStatement() {
	for depth := 0; !p.is(tokEOF) && (depth > 0 || !p.is(';')); {
		switch p.tok.kind {
		case '(':
			depth++
		case ')':
			depth--
		case tokBad:
			p.syntaxError()
		}
		p.advance()
	}
}

// otherNames maps the first words of the statements that are not parsed to PostgreSQL's names of their nodes.
var otherNames = map[string]string{
	"CREATE tablespace":           "CreateTableSpace",
	"CREATE server":               "CreateForeignServer",
	"CREATE publication":          "CreatePublication",
	"CREATE subscription":         "CreateSubscription",
	"CREATE event trigger":        "CreateEventTrig",
	"CREATE access method":        "CreateAm",
	"CREATE conversion":           "CreateConversion",
	"CREATE default conversion":   "CreateConversion",
	"CREATE foreign data wrapper": "CreateFdw",
	"CREATE user mapping":         "CreateUserMapping",
	"CREATE operator class":       "CreateOpClass",
	"CREATE operator family":      "CreateOpFamily",
	"CREATE language":             "CreatePLang",
	"CREATE transform":            "CreateTransform",
	"ALTER tablespace":            "AlterTableSpaceOptions",
	"ALTER server":                "AlterForeignServer",
	"ALTER publication":           "AlterPublication",
	"ALTER subscription":          "AlterSubscription",
	"ALTER event trigger":         "AlterEventTrig",
	"ALTER foreign data wrapper":  "AlterFdw",
	"ALTER user mapping":          "AlterUserMapping",
	"ALTER operator family":       "AlterOpFamily",
	"ALTER extension":             "AlterExtension",
	"ALTER collation":             "AlterCollation",
	"ALTER text search":           "AlterTSConfiguration",
	"DROP tablespace":             "DropTableSpace",
	"DROP subscription":           "DropSubscription",
	"DROP user mapping":           "DropUserMapping",
	"IMPORT foreign schema":       "ImportForeignSchema",
}
