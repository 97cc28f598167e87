package parser

import "github.com/meridiandb/meridian/internal/failure"

// specialCall parses a function with a syntax of its own; its name is the current token and a parenthesis follows.
func (p *parser) specialCall() Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwExists:
		p.advance()
		return &SubLink{Pos: pos, Kind: SubLinkExists, Query: p.selectWithParens()}
	case kwCoalesce:
		return &CoalesceExpr{Pos: pos, Args: p.specialArgs()}
	case kwGreatest:
		return &MinMaxExpr{Pos: pos, Args: p.specialArgs()}
	case kwLeast:
		return &MinMaxExpr{Pos: pos, Least: true, Args: p.specialArgs()}
	case kwGrouping:
		return &GroupingFunc{Pos: pos, Args: p.specialArgs()}
	case kwNullif:
		p.open()
		e := &NullIfExpr{Pos: pos, Left: p.expr()}
		p.expect(',')
		e.Right = p.expr()
		p.closeCall()
		return e
	case kwExtract:
		return p.extract(pos)
	case kwNormalize:
		p.open()
		args := []Expr{p.expr()}
		if p.accept(',') {
			args = append(args, p.normalForm())
		}
		p.closeCall()
		return sqlCall(pos, "normalize", args...)
	case kwOverlay:
		return p.overlay(pos)
	case kwPosition:
		p.open()
		needle := p.bExpr()
		p.expect(kwIn)
		hay := p.bExpr()
		p.closeCall()
		return sqlCall(pos, "position", hay, needle)
	case kwSubstring:
		return p.substring(pos)
	case kwTreat:
		p.open()
		arg := p.expr()
		p.expect(kwAs)
		t := p.typeName()
		p.closeCall()
		return &FuncCall{Pos: pos, Name: []string{"pg_catalog", t.Names[len(t.Names)-1]}, Args: []Expr{arg}}
	case kwTrim:
		return p.trim(pos)
	case kwXmlconcat, kwXmlelement, kwXmlforest, kwXmlparse, kwXmlpi, kwXmlroot, kwXmlserialize, kwXmlexists:
		return p.xml(pos)
	}
	p.advance()
	p.syntaxError()
	return nil
}

// open takes a function's name and its parenthesis.
func (p *parser) open() {
	p.advance()
	p.expect('(')
}

// closeCall takes the parenthesis that ends a function's arguments and counts the node.
func (p *parser) closeCall() {
	p.expect(')')
	p.height = p.grow(p.height, 0)
}

// specialArgs takes a function's name and its list of one or more plain arguments.
func (p *parser) specialArgs() []Expr {
	p.open()
	args := p.exprList()
	p.closeCall()
	return args
}

// extract parses EXTRACT(field FROM source).
func (p *parser) extract(pos int) Expr {
	p.open()
	field := &Const{Pos: p.here(), Kind: ConstString, Str: p.tok.str}
	switch p.tok.kind {
	case tokIdent, tokString, kwYear, kwMonth, kwDay, kwHour, kwMinute, kwSecond:
		p.advance()
	default:
		p.syntaxError()
	}
	p.expect(kwFrom)
	src := p.expr()
	p.closeCall()
	return sqlCall(pos, "extract", field, src)
}

// overlay parses OVERLAY(a PLACING b FROM c [FOR d]) or a plain call.
func (p *parser) overlay(pos int) Expr {
	p.open()
	first, plain := p.firstArg(pos, "overlay")
	if plain != nil {
		return plain
	}
	if !p.accept(kwPlacing) {
		return p.plainCall(pos, "overlay", first)
	}
	args := []Expr{first, p.expr()}
	p.expect(kwFrom)
	args = append(args, p.expr())
	if p.accept(kwFor) {
		args = append(args, p.expr())
	}
	p.closeCall()
	return sqlCall(pos, "overlay", args...)
}

// firstArg parses the first argument of a function that can also be called plainly; plain is the finished call when
// there are no arguments.
func (p *parser) firstArg(pos int, name string) (first Expr, plain Expr) {
	if p.accept(')') {
		return nil, &FuncCall{Pos: pos, Name: []string{name}}
	}
	return p.funcArg(), nil
}

// plainCall finishes a plain call after its first argument.
func (p *parser) plainCall(pos int, name string, first Expr) Expr {
	args := []Expr{first}
	for p.accept(',') {
		args = append(args, p.funcArg())
	}
	p.closeCall()
	return &FuncCall{Pos: pos, Name: []string{name}, Args: args}
}

// substring parses SUBSTRING in all its forms.
func (p *parser) substring(pos int) Expr {
	p.open()
	first, plain := p.firstArg(pos, "substring")
	if plain != nil {
		return plain
	}
	if _, named := first.(*NamedArgExpr); named {
		return p.plainCall(pos, "substring", first)
	}
	args := []Expr{first}
	switch p.tok.kind {
	case kwFrom:
		p.advance()
		args = append(args, p.expr())
		if p.accept(kwFor) {
			args = append(args, p.expr())
		}
	case kwFor:
		p.advance()
		count := p.expr()
		if p.accept(kwFrom) {
			args = append(args, p.expr(), count)
			break
		}
		// Without a start PostgreSQL casts the length, so that substring(text, int, int) is what is found.
		args = append(args, &Const{Pos: NoPos, Kind: ConstInteger, Int: 1},
			&TypeCast{Pos: NoPos, Arg: count, Type: &TypeName{Pos: NoPos, Names: []string{"pg_catalog", "int4"}}})
	case kwSimilar:
		p.advance()
		args = append(args, p.expr())
		p.expect(kwEscape)
		args = append(args, p.expr())
		p.closeCall()
		f := sqlCall(pos, "substring", args...)
		f.SQLSimilar = true
		return f
	default:
		return p.plainCall(pos, "substring", first)
	}
	p.closeCall()
	return sqlCall(pos, "substring", args...)
}

// trim parses TRIM.
func (p *parser) trim(pos int) Expr {
	p.open()
	name := "btrim"
	switch p.tok.kind {
	case kwBoth:
		p.advance()
	case kwLeading:
		name = "ltrim"
		p.advance()
	case kwTrailing:
		name = "rtrim"
		p.advance()
	}
	if p.accept(kwFrom) {
		args := p.exprList()
		p.closeCall()
		return sqlCall(pos, name, args...)
	}
	first := p.expr()
	if p.accept(kwFrom) {
		args := append(p.exprList(), first)
		p.closeCall()
		return sqlCall(pos, name, args...)
	}
	args := []Expr{first}
	for p.accept(',') {
		args = append(args, p.expr())
	}
	p.closeCall()
	return sqlCall(pos, name, args...)
}

// xml parses the XML functions.
func (p *parser) xml(pos int) Expr {
	e := &XMLExpr{Pos: pos}
	kind := p.tok.kind
	p.open()
	switch kind {
	case kwXmlconcat:
		e.Op, e.Args = XMLConcat, p.exprList()
	case kwXmlelement:
		e.Op = XMLElement
		p.expect(kwName)
		e.Name = p.colLabel()
		if p.accept(',') {
			if p.is(kwXmlattributes) && p.peek(1) == '(' {
				p.open()
				e.Named = p.xmlAttributes()
				p.expect(')')
				if p.accept(',') {
					e.Args = p.exprList()
				}
			} else {
				e.Args = p.exprList()
			}
		}
	case kwXmlexists:
		needle := p.primary()
		hay := p.xmlPassing()
		p.closeCall()
		return sqlCall(pos, "xmlexists", needle, hay)
	case kwXmlforest:
		e.Op, e.Named = XMLForest, p.xmlAttributes()
	case kwXmlparse:
		e.Op, e.Document = XMLParse, p.xmlOption()
		e.Args = []Expr{p.expr()}
		if p.commit(kwPreserve, kwWhitespace) {
			e.Preserve = true
		} else {
			p.commit(kwStrip, kwWhitespace)
		}
	case kwXmlpi:
		e.Op = XMLPI
		p.expect(kwName)
		e.Name = p.colLabel()
		if p.accept(',') {
			e.Args = []Expr{p.expr()}
		}
	case kwXmlroot:
		p.xmlRoot(e)
	case kwXmlserialize:
		e.Op, e.Document = XMLSerialize, p.xmlOption()
		e.Args = []Expr{p.expr()}
		p.expect(kwAs)
		e.Type = p.simpleTypeName(false)
	}
	p.closeCall()
	return e
}

func (p *parser) xmlRoot(e *XMLExpr) {
	e.Op = XMLRoot
	e.Args = []Expr{p.expr()}
	p.expectAll(',', kwVersion)
	if p.acceptTwo(kwNo, kwValue) {
		e.Args = append(e.Args, &Const{Pos: NoPos})
	} else {
		e.Args = append(e.Args, p.expr())
	}
	if !p.accept(',') {
		return
	}
	p.expect(kwStandalone)
	switch {
	case p.accept(kwYes):
		e.Standalone = 1
	case p.acceptTwo(kwNo, kwValue):
		e.Standalone = 3
	default:
		p.expect(kwNo)
		e.Standalone = 2
	}
}

// xmlOption takes DOCUMENT or CONTENT and says whether it was the first.
func (p *parser) xmlOption() bool {
	if p.accept(kwDocument) {
		return true
	}
	p.expect(kwContent)
	return false
}

// xmlAttributes parses "expr [AS label]", ….
func (p *parser) xmlAttributes() []*ResTarget {
	var list []*ResTarget
	for {
		t := &ResTarget{Pos: p.here(), Value: p.expr()}
		if p.accept(kwAs) {
			t.Name = p.colLabel()
		}
		list = append(list, t)
		if !p.accept(',') {
			return list
		}
	}
}

// xmlPassing parses PASSING [BY REF] expr [BY REF].
func (p *parser) xmlPassing() Expr {
	p.expect(kwPassing)
	p.xmlMechanism()
	e := p.primary()
	p.xmlMechanism()
	return e
}

func (p *parser) xmlMechanism() {
	if !p.accept(kwBy) {
		return
	}
	if !p.accept(kwRef) {
		p.expect(kwValue)
	}
}

// typeName parses a type's name with SETOF and array bounds.
func (p *parser) typeName() *TypeName {
	pos := p.tok.pos
	setof := p.is(kwSetof)
	if setof {
		p.advance()
	}
	t := p.simpleTypeName(false)
	t.Pos, t.SetOf = pos, setof
	p.arrayBounds(t)
	return t
}

// arrayBounds parses [n][]… or ARRAY [n] after a type.
func (p *parser) arrayBounds(t *TypeName) {
	if p.accept(kwArray) {
		bound := -1
		if p.accept('[') {
			bound = p.iconst()
			p.expect(']')
		}
		t.ArrayBounds = []int{bound}
		return
	}
	for p.accept('[') {
		bound := -1
		if !p.is(']') {
			bound = p.iconst()
		}
		p.expect(']')
		t.ArrayBounds = append(t.ArrayBounds, bound)
	}
}

// systemType makes the name of a built-in type.
func systemType(pos int, name string) *TypeName {
	return &TypeName{Pos: pos, Names: []string{"pg_catalog", name}}
}

// simpleTypeName parses a type's name without array bounds. For a literal (constant) character and bit types have no
// length unless one is written; elsewhere it is 1.
func (p *parser) simpleTypeName(literal bool) *TypeName {
	pos := p.tok.pos
	kind := p.tok.kind
	switch kind {
	case kwInt, kwInteger:
		p.advance()
		return systemType(pos, "int4")
	case kwSmallint:
		p.advance()
		return systemType(pos, "int2")
	case kwBigint:
		p.advance()
		return systemType(pos, "int8")
	case kwReal:
		p.advance()
		return systemType(pos, "float4")
	case kwBoolean:
		p.advance()
		return systemType(pos, "bool")
	case kwFloat:
		p.advance()
		return p.floatType(pos)
	case kwDecimal, kwDec, kwNumeric:
		p.advance()
		t := systemType(pos, "numeric")
		t.Typmods = p.typmods()
		return t
	case kwBit:
		return p.bitType(pos, literal)
	case kwCharacter, kwChar, kwNchar, kwVarchar, kwNational:
		return p.charType(pos, literal)
	case kwTime, kwTimestamp:
		return p.timeType(pos)
	case kwInterval:
		p.advance()
		t := systemType(pos, "interval")
		if p.is('(') {
			t.Typmods = p.intervalPrecision()
		} else if !literal {
			t.Typmods = p.intervalFields()
		}
		return t
	case kwDouble:
		if p.acceptTwo(kwDouble, kwPrecision) {
			return systemType(pos, "float8")
		}
	}
	t := &TypeName{Pos: pos, Names: []string{p.typeFuncName()}}
	for p.accept('.') {
		t.Names = append(t.Names, p.colLabel())
	}
	t.Typmods = p.typmods()
	return t
}

// typmods parses the modifiers of a type, if any.
func (p *parser) typmods() []Expr {
	if !p.accept('(') {
		return nil
	}
	list := p.exprList()
	p.expect(')')
	return list
}

// intMod makes an integer type modifier.
func intMod(pos, n int) Expr { return &Const{Pos: pos, Kind: ConstInteger, Int: int32(n)} }

// parenInt takes (n) if there is a parenthesis, as a list of one modifier.
func (p *parser) parenInt() []Expr {
	if !p.accept('(') {
		return nil
	}
	pos := p.tok.pos
	n := p.iconst()
	p.expect(')')
	return []Expr{intMod(pos, n)}
}

func (p *parser) floatType(pos int) *TypeName {
	if !p.accept('(') {
		return systemType(pos, "float8")
	}
	at := p.tok.pos
	n := p.iconst()
	p.expect(')')
	switch {
	case n < 1:
		p.failAt(at, failure.InvalidParameterValue, "precision for type float must be at least 1 bit")
	case n <= 24:
		return systemType(pos, "float4")
	case n > 53:
		p.failAt(at, failure.InvalidParameterValue, "precision for type float must be less than 54 bits")
	}
	return systemType(pos, "float8")
}

func (p *parser) bitType(pos int, literal bool) *TypeName {
	p.advance()
	t := systemType(pos, "bit")
	if p.accept(kwVarying) {
		t.Names[1] = "varbit"
	}
	t.Typmods = p.typmods()
	if t.Typmods == nil && t.Names[1] == "bit" && !literal {
		t.Typmods = []Expr{intMod(NoPos, 1)}
	}
	return t
}

func (p *parser) charType(pos int, literal bool) *TypeName {
	t := systemType(pos, "bpchar")
	switch p.take().kind {
	case kwVarchar:
		t.Names[1] = "varchar"
	case kwNational:
		if !p.accept(kwCharacter) {
			p.expect(kwChar)
		}
	}
	if t.Names[1] != "varchar" && p.accept(kwVarying) {
		t.Names[1] = "varchar"
	}
	t.Typmods = p.parenInt()
	if t.Typmods == nil && t.Names[1] == "bpchar" && !literal {
		t.Typmods = []Expr{intMod(NoPos, 1)}
	}
	return t
}

func (p *parser) timeType(pos int) *TypeName {
	name := "time"
	if p.take().kind == kwTimestamp {
		name = "timestamp"
	}
	t := systemType(pos, name)
	t.Typmods = p.parenInt()
	if (p.is(kwWith) || p.is(kwWithout)) && p.peek(1) == kwTime {
		if p.take().kind == kwWith {
			t.Names[1] = name + "tz"
		}
		p.expectAll(kwTime, kwZone)
	}
	return t
}

// The bits of interval fields in the type modifier, and the mask that stands for all of them.
const (
	intervalMonth  = 1 << 1
	intervalYear   = 1 << 2
	intervalDay    = 1 << 3
	intervalHour   = 1 << 10
	intervalMinute = 1 << 11
	intervalSecond = 1 << 12
	intervalFull   = 0x7FFF
)

// intervalPrecision parses (p) after INTERVAL.
func (p *parser) intervalPrecision() []Expr {
	return append([]Expr{intMod(NoPos, intervalFull)}, p.parenInt()...)
}

// intervalFields parses YEAR, DAY TO SECOND(3) and the like; nil when there are none.
func (p *parser) intervalFields() []Expr {
	pos := p.tok.pos
	first := p.intervalField()
	if first == 0 {
		return nil
	}
	mask := first
	if first != intervalSecond && first != intervalMonth && p.is(kwTo) {
		p.advance()
		last := p.tok.kind
		ok := false
		switch first {
		case intervalYear:
			ok = last == kwMonth
			mask |= intervalMonth
		case intervalDay:
			ok = last == kwHour || last == kwMinute || last == kwSecond
			mask |= intervalHour
		case intervalHour:
			ok = last == kwMinute || last == kwSecond
		case intervalMinute:
			ok = last == kwSecond
		}
		if !ok {
			p.syntaxError()
		}
		if last == kwMinute || last == kwSecond {
			mask |= intervalMinute
		}
		if last == kwSecond {
			mask |= intervalSecond
		}
		p.advance()
	}
	mods := []Expr{intMod(pos, mask)}
	if mask&intervalSecond != 0 {
		mods = append(mods, p.parenInt()...)
	}
	return mods
}

// intervalField takes one field's name and returns its bit, or 0.
func (p *parser) intervalField() int {
	bit := 0
	switch p.tok.kind {
	case kwYear:
		bit = intervalYear
	case kwMonth:
		bit = intervalMonth
	case kwDay:
		bit = intervalDay
	case kwHour:
		bit = intervalHour
	case kwMinute:
		bit = intervalMinute
	case kwSecond:
		bit = intervalSecond
	default:
		return 0
	}
	p.advance()
	return bit
}
