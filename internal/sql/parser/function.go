package parser

import "github.com/meridiandb/meridian/internal/failure"

// createFunction parses CREATE FUNCTION and PROCEDURE.
func (p *parser) createFunction(pos int, replace bool) Statement {
	s := &CreateFunctionStmt{Pos: pos, Replace: replace, Procedure: p.take().kind == kwProcedure}
	at := p.tok.pos
	s.Name = &QualifiedName{Pos: at, Parts: p.funcName()}
	s.Params = p.functionParams(true)
	if !s.Procedure && p.accept(kwReturns) {
		if p.is(kwTable) {
			p.expectAll(kwTable, '(')
			s.ReturnsTable = true
			for {
				c := &FunctionParam{Pos: p.here(), Name: p.typeFuncName(), Mode: ParamTable}
				c.Type = p.funcType()
				s.Params = append(s.Params, c)
				if !p.accept(',') {
					break
				}
			}
			p.expect(')')
		} else {
			s.Returns = p.funcType()
		}
	}
	for {
		o := p.createFuncOption()
		if o == nil {
			break
		}
		s.Options = append(s.Options, o)
	}
	p.routineBody(s)
	return s
}

// routineBody parses RETURN expr or BEGIN ATOMIC … END.
func (p *parser) routineBody(s *CreateFunctionStmt) {
	if p.accept(kwReturn) {
		s.Return = p.expr()
		return
	}
	if !p.is(kwBegin) {
		return
	}
	p.expectAll(kwBegin, kwAtomic)
	s.HasBody = true
	for !p.accept(kwEnd) {
		if p.accept(';') {
			continue
		}
		if pos := p.tok.pos; p.accept(kwReturn) {
			s.Body = append(s.Body, &ReturnStmt{Pos: pos, Value: p.expr()})
		} else {
			s.Body = append(s.Body, p.statement())
		}
		p.expect(';')
	}
}

// functionParams parses (parameter, …); defaults says whether parameters may have one.
func (p *parser) functionParams(defaults bool) []*FunctionParam {
	p.expect('(')
	var list []*FunctionParam
	if p.accept(')') {
		return nil
	}
	for {
		f := p.functionParam()
		if defaults && (p.is(kwDefault) || p.is('=')) {
			p.advance()
			f.Default = p.expr()
		}
		list = append(list, f)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

// paramMode takes a parameter's mode.
func (p *parser) paramMode() ParamMode {
	switch p.tok.kind {
	case kwIn:
		p.advance()
		if p.accept(kwOut) {
			return ParamInOut
		}
		return ParamIn
	case kwOut:
		p.advance()
		return ParamOut
	case kwInout:
		p.advance()
		return ParamInOut
	case kwVariadic:
		p.advance()
		return ParamVariadic
	}
	return ParamDefault
}

// functionParam parses [mode] [name] type; the mode may also follow the name.
func (p *parser) functionParam() *FunctionParam {
	f := &FunctionParam{Pos: p.here()}
	f.Mode = p.paramMode()
	if p.namesParam() {
		f.Name = p.typeFuncName()
		if f.Mode == ParamDefault {
			f.Mode = p.paramMode()
		}
	}
	f.Type = p.funcType()
	return f
}

// namesParam says whether the current token is a parameter's name rather than the start of its type.
func (p *parser) namesParam() bool {
	if !p.tok.isTypeFuncName() {
		return false
	}
	next := p.peekToken(1)
	switch next.kind {
	case '.', '(', ')', ',', '[', '=', '%', kwDefault, tokEOF, kwArray:
		return false
	case kwPrecision:
		return !p.is(kwDouble)
	case kwIn, kwVariadic, kwOut, kwInout, kwSetof:
		return true
	}
	c := next.category()
	return c != 0 && c != catReserved
}

// funcType parses a parameter's or result's type, which may be column%TYPE.
func (p *parser) funcType() *TypeName {
	t := p.typeName()
	if p.is('%') && len(t.Names) > 1 && t.ArrayBounds == nil && t.Typmods == nil {
		p.expectAll('%', kwType)
		t.PctType = true
	}
	return t
}

// commonFuncOption parses an option that ALTER FUNCTION may have too; nil when there is none.
func (p *parser) commonFuncOption() *DefElem {
	d := &DefElem{Pos: p.here()}
	word := func(name, value string) *DefElem {
		p.advance()
		return wordOption(d.Pos, name, value)
	}
	flag := func(name string, value bool) *DefElem {
		p.advance()
		return boolOption(d.Pos, name, value)
	}
	switch p.tok.kind {
	case kwCalled:
		p.expectAll(kwCalled, kwOn, kwNull)
		p.expect(kwInput)
		return boolOption(d.Pos, "strict", false)
	case kwReturns:
		p.expectAll(kwReturns, kwNull, kwOn, kwNull, kwInput)
		return boolOption(d.Pos, "strict", true)
	case kwStrict:
		return flag("strict", true)
	case kwImmutable, kwStable, kwVolatile:
		return word("volatility", p.tok.str)
	case kwExternal, kwSecurity:
		p.accept(kwExternal)
		p.expect(kwSecurity)
		if p.is(kwDefiner) {
			return flag("security", true)
		}
		if !p.is(kwInvoker) {
			p.syntaxError()
		}
		return flag("security", false)
	case kwLeakproof:
		return flag("leakproof", true)
	case kwNot:
		p.advance()
		if !p.is(kwLeakproof) {
			p.syntaxError()
		}
		return flag("leakproof", false)
	case kwCost, kwRows:
		d.Name = p.takeName()
		d.Arg = p.numericOnly()
		return d
	case kwSupport:
		p.advance()
		d.Name, d.Arg = "support", p.anyName()
		return d
	case kwSet:
		pos := p.take().pos
		v := &VariableSetStmt{Pos: pos}
		p.setRestMore(v)
		d.Name, d.Arg = "set", v
		return d
	case kwReset:
		pos := p.take().pos
		d.Name, d.Arg = "set", p.resetRest(pos)
		return d
	case kwParallel:
		p.advance()
		d.Name, d.Arg = "parallel", &Const{Pos: p.here(), Kind: ConstString, Str: p.colID()}
		return d
	}
	return nil
}

// createFuncOption parses an option of CREATE FUNCTION; nil when there is none.
func (p *parser) createFuncOption() *DefElem {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwAs:
		p.advance()
		l := &NameList{Pos: p.here(), Names: []string{p.sconst()}}
		if p.accept(',') {
			l.Names = append(l.Names, p.sconst())
		}
		return &DefElem{Pos: pos, Name: "as", Arg: l}
	case kwLanguage:
		p.advance()
		return &DefElem{Pos: pos, Name: "language", Arg: p.wordOrString()}
	case kwTransform:
		p.advance()
		l := &TypeList{Pos: p.here()}
		for {
			p.expectAll(kwFor, kwType)
			l.Types = append(l.Types, p.typeName())
			if !p.accept(',') {
				break
			}
		}
		return &DefElem{Pos: pos, Name: "transform", Arg: l}
	case kwWindow:
		p.advance()
		return boolOption(pos, "window", true)
	}
	return p.commonFuncOption()
}

// functionWithArgs parses name[(types)].
func (p *parser) functionWithArgs() *Object {
	o := &Object{Pos: p.here(), AggOrdered: -1}
	c := p.tok.category()
	if c == 0 || c == catReserved {
		p.syntaxError()
	}
	o.Names = []string{p.takeName()}
	for c != catTypeFunc && p.accept('.') {
		o.Names = append(o.Names, p.colLabel())
	}
	if p.is('(') {
		if c == catColName && len(o.Names) == 1 {
			p.syntaxError()
		}
		o.HasArgs = true
		o.Args = p.functionParams(false)
	}
	return o
}

// aggregateWithArgs parses name(types), name(*) or name(types ORDER BY types).
func (p *parser) aggregateWithArgs() *Object {
	o := &Object{Pos: p.here(), HasArgs: true, AggOrdered: -1}
	o.Names = p.funcName()
	p.aggregateArgs(o)
	return o
}

func (p *parser) aggregateArgs(o *Object) {
	p.expect('(')
	if p.accept('*') {
		o.AggStar = true
		p.expect(')')
		return
	}
	if !p.is(kwOrder) {
		o.Args = p.paramList()
	}
	if p.accept(kwOrder) {
		p.expect(kwBy)
		o.AggOrdered = len(o.Args)
		ordered := p.paramList()
		if n := len(o.Args); n > 0 && o.Args[n-1].Mode == ParamVariadic {
			if len(ordered) != 1 || ordered[0].Mode != ParamVariadic {
				p.failAt(o.Pos, failure.FeatureNotSupported,
					"an ordered-set aggregate with a VARIADIC direct argument must have one VARIADIC aggregated argument of the same data type")
			}
		}
		o.Args = append(o.Args, ordered...)
	}
	p.expect(')')
}

func (p *parser) paramList() []*FunctionParam {
	list := []*FunctionParam{p.functionParam()}
	for p.accept(',') {
		list = append(list, p.functionParam())
	}
	return list
}

// operatorWithArgs parses op(left, right), where either may be NONE.
func (p *parser) operatorWithArgs() *Object {
	o := &Object{Pos: p.here(), HasArgs: true, AggOrdered: -1}
	schema, op := p.anyOperator()
	o.Names = append(schema, op)
	p.expect('(')
	for i := 0; i < 2; i++ {
		a := &FunctionParam{Pos: p.here()}
		if !p.accept(kwNone) {
			a.Type = p.typeName()
		}
		o.Args = append(o.Args, a)
		if i == 0 {
			if p.is(')') && a.Type != nil {
				p.fail(failure.New(failure.SyntaxError, "missing argument").
					WithHint("Use NONE to denote the missing argument of a unary operator.").
					At(CharPosition(p.sql, p.tok.pos)))
			}
			p.expect(',')
		}
	}
	p.expect(')')
	return o
}

// createAggregate parses CREATE AGGREGATE, with a signature or the old way.
func (p *parser) createAggregate(pos int, replace bool) Statement {
	p.advance()
	s := &DefineStmt{Pos: pos, Object: ObjectAggregate, Replace: replace, HasParens: true}
	at := p.tok.pos
	s.Name = &QualifiedName{Pos: at, Parts: p.funcName()}
	// The old syntax has a definition at once: (name = value, …).
	if p.is('(') && p.peek(1) == tokIdent && p.peek(2) == '=' {
		s.OldStyle = true
		s.Definition = p.defineList()
		return s
	}
	s.Aggregate = &Object{Pos: at, Names: s.Name.Parts, HasArgs: true, AggOrdered: -1}
	p.aggregateArgs(s.Aggregate)
	s.Definition = p.defineList()
	return s
}

// createTrigger parses CREATE TRIGGER after TRIGGER.
func (p *parser) createTrigger(pos int, replace, constraint bool) Statement {
	s := &CreateTriggerStmt{Pos: pos, Replace: replace, Constraint: constraint, Name: p.colID()}
	switch {
	case constraint:
		p.expect(kwAfter)
		s.Timing = "AFTER"
	case p.accept(kwBefore):
		s.Timing = "BEFORE"
	case p.accept(kwAfter):
		s.Timing = "AFTER"
	default:
		p.expectAll(kwInstead, kwOf)
		s.Timing = "INSTEAD OF"
	}
	p.triggerEvents(s)
	p.expect(kwOn)
	s.Relation = p.relation()
	if constraint && p.accept(kwFrom) {
		s.Ref = p.relationPtr()
	}
	if constraint {
		k := &Constraint{}
		p.constraintAttributes(k, "TRIGGER")
		s.Deferrable, s.InitDeferred = k.Deferrable, k.InitDeferred
	} else if p.accept(kwReferencing) {
		for p.is(kwOld) || p.is(kwNew) {
			t := TriggerTransition{New: p.take().kind == kwNew}
			if t.Table = p.accept(kwTable); !t.Table {
				p.expect(kwRow)
			}
			p.accept(kwAs)
			t.Name = p.colID()
			s.Transitions = append(s.Transitions, t)
		}
	}
	if p.accept(kwFor) {
		s.ForEach = true
		p.accept(kwEach)
		if s.Row = p.accept(kwRow); !s.Row {
			p.expect(kwStatement)
		}
	} else if constraint {
		p.syntaxError()
	}
	if p.accept(kwWhen) {
		p.expect('(')
		s.When = p.expr()
		p.expect(')')
	}
	p.triggerFunction(s)
	return s
}

func (p *parser) triggerEvents(s *CreateTriggerStmt) {
	for {
		at := p.tok.pos
		event := ""
		switch p.take().kind {
		case kwInsert:
			event = "INSERT"
		case kwDelete:
			event = "DELETE"
		case kwTruncate:
			event = "TRUNCATE"
		case kwUpdate:
			event = "UPDATE"
			if p.accept(kwOf) {
				s.UpdateColumns = p.nameList()
			}
		default:
			p.failNear(at)
		}
		for _, e := range s.Events {
			if e == event {
				if event == "UPDATE" {
					at = p.tok.pos
				}
				p.failNearMessage(at, "duplicate trigger events specified")
			}
		}
		s.Events = append(s.Events, event)
		if !p.accept(kwOr) {
			return
		}
	}
}

// triggerFunction parses EXECUTE FUNCTION name(arguments).
func (p *parser) triggerFunction(s *CreateTriggerStmt) {
	p.expect(kwExecute)
	if !p.accept(kwFunction) {
		p.expect(kwProcedure)
	}
	s.Function = p.funcName()
	p.expect('(')
	for !p.is(')') {
		switch p.tok.kind {
		case tokInteger, tokFloat, tokString:
			s.Args = append(s.Args, p.takeName())
		default:
			s.Args = append(s.Args, p.colLabel())
		}
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
}

// createRule parses CREATE RULE.
func (p *parser) createRule(pos int, replace bool) Statement {
	p.advance()
	s := &RuleStmt{Pos: pos, Replace: replace, Name: p.colID()}
	p.expectAll(kwAs, kwOn)
	switch p.tok.kind {
	case kwSelect, kwUpdate, kwDelete, kwInsert:
		s.Event = upper(p.takeName())
	default:
		p.syntaxError()
	}
	p.expect(kwTo)
	s.Relation = p.relation()
	s.Where = p.whereClause()
	p.expect(kwDo)
	if s.Instead = p.accept(kwInstead); !s.Instead {
		s.Also = p.accept(kwAlso)
	}
	switch {
	case p.accept(kwNothing):
	case p.is('(') && !p.startsParenSelect():
		p.advance()
		for !p.is(')') {
			if p.accept(';') {
				continue
			}
			s.Actions = append(s.Actions, p.ruleAction())
			if !p.is(')') {
				p.expect(';')
			}
		}
		p.expect(')')
	default:
		s.Actions = []Statement{p.ruleAction()}
	}
	return s
}

// startsParenSelect says whether the parenthesis wraps more parentheses, which only a query does.
func (p *parser) startsParenSelect() bool { return p.peek(1) == '(' }

func (p *parser) ruleAction() Statement {
	if p.is(kwNotify) {
		return p.utility()
	}
	return p.preparableOnly()
}
