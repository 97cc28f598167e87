package parser

import "github.com/meridiandb/meridian/internal/failure"

// The precedences of operators, loosest first.
const (
	precNone = iota
	precOr
	precAnd
	precNot
	precIs      // IS, ISNULL, NOTNULL
	precCompare // < > = <= >= <>
	precLike    // BETWEEN, IN, LIKE, ILIKE, SIMILAR
	precEscape
	precOp // every other operator
	precAdd
	precMul
	precPower
	precAt
	precCollate
	precUnary
	precCast
)

// exprMode tells where an expression stands.
type exprMode uint8

const (
	// modeB is PostgreSQL's b_expr: no AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL, COLLATE.
	modeB exprMode = 1 << iota
	// modeTarget is an item of a target list, where a keyword that is an operator may also be the label.
	modeTarget
)

// expr parses a value expression (a_expr).
func (p *parser) expr() Expr { return p.exprPrec(precNone, 0) }

// bExpr parses a restricted expression (b_expr).
func (p *parser) bExpr() Expr { return p.exprPrec(precNone, modeB) }

// exprPrec parses an expression of operators that bind at least as tightly as min.
func (p *parser) exprPrec(min int, mode exprMode) Expr {
	p.enter()
	saved := p.height
	p.height = 0
	if min != precNone {
		// Inside an operator's operand a keyword that is an operator is never a label.
		mode &^= modeTarget
	}
	e := p.operators(p.prefix(mode), min, mode)
	p.height = max(p.height, saved)
	p.leave()
	return e
}

// exprList parses expressions separated by commas.
func (p *parser) exprList() []Expr {
	list := []Expr{p.expr()}
	for p.accept(',') {
		list = append(list, p.expr())
	}
	return list
}

// prefix parses an operand with the prefix operators before it.
func (p *parser) prefix(mode exprMode) Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case tokIdent, tokInteger, tokString, tokParam:
		return p.primary()
	case kwNot:
		if mode&modeB != 0 {
			p.syntaxError()
		}
		p.advance()
		arg := p.exprPrec(precNot, mode)
		p.height = p.grow(p.height, 0)
		return &BoolExpr{Pos: pos, Op: BoolNot, Args: []Expr{arg}}
	case '+':
		p.advance()
		arg := p.exprPrec(precUnary, mode)
		p.height = p.grow(p.height, 0)
		return &OpExpr{Pos: pos, Op: "+", Right: arg}
	case '-':
		p.advance()
		arg := p.exprPrec(precUnary, mode)
		p.height = p.grow(p.height, 0)
		return negate(pos, arg)
	case tokOp, kwOperator:
		if p.tok.kind == kwOperator && p.peek(1) != '(' {
			break
		}
		schema, op := p.qualOp()
		arg := p.exprPrec(precOp+1, mode)
		p.height = p.grow(p.height, 0)
		return &OpExpr{Pos: pos, Schema: schema, Op: op, Right: arg}
	case kwDefault:
		if mode&modeB == 0 {
			p.advance()
			return &SetToDefault{Pos: pos}
		}
	case kwUnique:
		if mode&modeB == 0 {
			p.advance()
			p.optNullsDistinct()
			p.selectWithParens()
			p.failAt(pos, failure.FeatureNotSupported, "UNIQUE predicate is not yet implemented")
		}
	}
	e := p.primary()
	if p.is(kwOverlaps) {
		if row, ok := e.(*RowExpr); ok && mode&modeB == 0 {
			return p.overlaps(row)
		}
	}
	return e
}

// negate puts a minus before e; a literal takes it in.
func negate(pos int, e Expr) Expr {
	if c, ok := e.(*Const); ok {
		switch c.Kind {
		case ConstInteger:
			return &Const{Pos: pos, Kind: ConstInteger, Int: -c.Int}
		case ConstFloat:
			if c.Str[0] == '-' {
				return &Const{Pos: pos, Kind: ConstFloat, Str: c.Str[1:]}
			}
			return &Const{Pos: pos, Kind: ConstFloat, Str: "-" + c.Str}
		}
	}
	return &OpExpr{Pos: pos, Op: "-", Right: e}
}

// overlaps parses OVERLAPS and the row after it.
func (p *parser) overlaps(left *RowExpr) Expr {
	pos := p.take().pos
	at := p.tok.pos
	if !p.is('(') && !p.is(kwRow) {
		p.syntaxError()
	}
	right, ok := p.primary().(*RowExpr)
	switch {
	case !ok:
		p.syntaxError()
	case len(left.Args) != 2:
		p.failAt(left.Pos, failure.SyntaxError, "wrong number of parameters on left side of OVERLAPS expression")
	case len(right.Args) != 2:
		p.failAt(at, failure.SyntaxError, "wrong number of parameters on right side of OVERLAPS expression")
	}
	args := append(append(make([]Expr, 0, 4), left.Args...), right.Args...)
	return &FuncCall{Pos: pos, Name: []string{"pg_catalog", "overlaps"}, Args: args, SQLSyntax: true}
}

// infix returns the precedence of the current token as an infix or postfix operator, or precNone.
func (p *parser) infix(mode exprMode) int {
	switch p.tok.kind {
	case tokEOF, ',', ')', ';', kwFrom, tokIdent:
		return precNone
	case '<', '>', '=', tokLessEquals, tokGreaterEquals, tokNotEquals:
		return precCompare
	case tokOp:
		return precOp
	case '+', '-':
		return precAdd
	case '*', '/', '%':
		return precMul
	case '^':
		return precPower
	case tokTypecast:
		return precCast
	case kwOperator:
		if p.peek(1) == '(' {
			return precOp
		}
		return precNone
	}
	if p.tok.kind < firstKeyword {
		return precNone
	}
	return p.infixKeyword(mode)
}

func (p *parser) infixKeyword(mode exprMode) int {
	prec := precNone
	switch p.tok.kind {
	case kwOr:
		prec = precOr
	case kwAnd:
		prec = precAnd
	case kwIs, kwIsnull, kwNotnull:
		prec = precIs
	case kwBetween, kwIn, kwLike, kwIlike:
		prec = precLike
	case kwSimilar:
		if p.peek(1) == kwTo {
			prec = precLike
		}
	case kwNot:
		if p.startsNotLike() {
			prec = precLike
		}
	case kwAt:
		prec = precAt
	case kwCollate:
		prec = precCollate
	}
	if prec == precNone || mode == 0 {
		return prec
	}
	if mode&modeB != 0 {
		if p.tok.kind != kwIs {
			return precNone
		}
		n := 1
		if p.peek(1) == kwNot {
			n = 2
		}
		if k := p.peek(n); k != kwDistinct && k != kwDocument {
			return precNone
		}
		return prec
	}
	if endsTarget(p.peek(1)) && keywords[p.tok.kind-firstKeyword].bare {
		return precNone
	}
	return prec
}

// startsNotLike says whether the NOT at the current token belongs to the operator after it.
func (p *parser) startsNotLike() bool {
	switch p.peek(1) {
	case kwBetween, kwIn, kwLike, kwIlike, kwSimilar:
		return true
	}
	return false
}

// endsTarget says whether a target list or one of its items ends before a token, so that a keyword before that
// token is a label.
func endsTarget(k tokenKind) bool {
	switch k {
	case tokEOF, ',', ')', ';', kwFrom, kwInto, kwWhere, kwGroup, kwHaving, kwWindow, kwUnion, kwIntersect, kwExcept,
		kwOrder, kwLimit, kwOffset, kwFetch, kwFor, kwOn, kwReturning, kwWith,
		kwCreate, kwGrant:
		return true
	}
	return false
}

// operators parses the operators after left that bind at least as tightly as min. p.height is left's height, and in
// the end the result's.
func (p *parser) operators(left Expr, min int, mode exprMode) Expr {
	h := p.height
	open := precNone // the non-associative level whose right operand was parsed last
	for {
		prec := p.infix(mode)
		if prec == precNone || prec < min {
			if open != precNone && p.infix(mode&^modeTarget) == open {
				p.syntaxError() // a label is no way out of what does not associate
			}
			p.height = h
			return left
		}
		if prec == open {
			p.syntaxError()
		}
		open = precNone
		p.height = 0
		pos := p.tok.pos
		switch prec {
		case precOr, precAnd:
			p.advance()
			right := p.exprPrec(prec+1, mode)
			left = appendBool(pos, prec, left, right)
			h = max(h, p.grow(p.height, 0))
			continue
		case precIs:
			left, open = p.isOperator(left, mode)
		case precLike:
			left, open = p.likeOperator(left, mode)
		case precAt:
			p.expectAll(kwAt, kwTime, kwZone)
			zone := p.exprPrec(precAt+1, mode)
			left = &FuncCall{Pos: pos, Name: []string{"pg_catalog", "timezone"}, Args: []Expr{zone, left},
				SQLSyntax: true}
		case precCollate:
			p.advance()
			left = &CollateExpr{Pos: pos, Arg: left, Collation: p.dottedName()}
		case precCast:
			p.advance()
			left = &TypeCast{Pos: pos, Arg: left, Type: p.typeName()}
		default:
			left, open = p.binary(left, prec, mode)
		}
		h = p.grow(h, p.height)
	}
}

// appendBool makes left AND/OR right, flattening to the left.
func appendBool(pos, prec int, left, right Expr) Expr {
	op := BoolAnd
	if prec == precOr {
		op = BoolOr
	}
	if b, ok := left.(*BoolExpr); ok && b.Op == op {
		b.Args = append(b.Args, right)
		return b
	}
	return &BoolExpr{Pos: pos, Op: op, Args: []Expr{left, right}}
}

// binary parses an operator and its right operand, which may be ANY or ALL of something.
func (p *parser) binary(left Expr, prec int, mode exprMode) (Expr, int) {
	pos := p.tok.pos
	schema, op := p.qualOp()
	if mode&modeB == 0 && p.isAnyAll() {
		return p.anyAll(left, pos, schema, op), precNone
	}
	right := p.exprPrec(prec+1, mode)
	open := precNone
	if prec == precCompare {
		open = prec
	}
	return &OpExpr{Pos: pos, Schema: schema, Op: op, Left: left, Right: right}, open
}

// isAnyAll says whether ANY, SOME or ALL stands after an operator.
func (p *parser) isAnyAll() bool { return p.is(kwAny) || p.is(kwSome) || p.is(kwAll) }

// anyAll parses ANY (…) or ALL (…).
func (p *parser) anyAll(left Expr, pos int, schema []string, op string) Expr {
	all := p.take().kind == kwAll
	sel, list := p.parenthesized(false)
	if sel != nil {
		kind := SubLinkAny
		if all {
			kind = SubLinkAll
		}
		return &SubLink{Pos: pos, Kind: kind, Test: left, Schema: schema, Op: op, Query: sel}
	}
	return &AnyAllExpr{Pos: pos, All: all, Schema: schema, Op: op, Left: left, Right: list[0]}
}

// qualOp takes an operator or OPERATOR(schema.op).
func (p *parser) qualOp() (schema []string, op string) {
	if !p.is(kwOperator) {
		return nil, p.takeName()
	}
	p.advance()
	p.expect('(')
	schema, op = p.anyOperator()
	p.expect(')')
	return schema, op
}

// anyOperator takes [schema.…]op.
func (p *parser) anyOperator() (schema []string, op string) {
	for p.tok.isColID() {
		schema = append(schema, p.takeName())
		p.expect('.')
	}
	if !p.isOperatorToken() {
		p.syntaxError()
	}
	return schema, p.takeName()
}

// isOperatorToken says whether the current token is any operator.
func (p *parser) isOperatorToken() bool {
	switch p.tok.kind {
	case tokOp, '+', '-', '*', '/', '%', '^', '<', '>', '=', tokLessEquals, tokGreaterEquals, tokNotEquals:
		return true
	}
	return false
}

// likeOperator parses [NOT] BETWEEN, IN, LIKE, ILIKE and SIMILAR TO after left.
func (p *parser) likeOperator(left Expr, mode exprMode) (Expr, int) {
	pos := p.tok.pos
	not := p.accept(kwNot)
	kind := LikeLike
	switch p.take().kind {
	case kwBetween:
		b := &BetweenExpr{Pos: pos, Not: not, Arg: left}
		if p.accept(kwSymmetric) {
			b.Symmetric = true
		} else {
			p.accept(kwAsymmetric)
		}
		b.Low = p.bExpr()
		p.expect(kwAnd)
		b.High = p.exprPrec(precLike+1, mode)
		return b, precLike
	case kwIn:
		return p.in(left, pos, not), precNone
	case kwLike:
		if p.isAnyAll() {
			return p.anyAll(left, pos, nil, pick(not, "!~~", "~~")), precNone
		}
	case kwIlike:
		if p.isAnyAll() {
			return p.anyAll(left, pos, nil, pick(not, "!~~*", "~~*")), precNone
		}
		kind = LikeILike
	case kwSimilar:
		p.expect(kwTo)
		kind = LikeSimilar
	}
	e := &LikeExpr{Pos: pos, Kind: kind, Not: not, Left: left, Pattern: p.exprPrec(precLike+1, mode)}
	if p.accept(kwEscape) {
		e.Escape = p.exprPrec(precLike+1, mode)
	}
	return e, precLike
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

// in parses the parentheses of IN.
func (p *parser) in(left Expr, pos int, not bool) Expr {
	sel, list := p.parenthesized(true)
	if sel == nil {
		return &InExpr{Pos: pos, Not: not, Left: left, List: list}
	}
	link := &SubLink{Pos: pos, Kind: SubLinkAny, Test: left, Query: sel}
	if not {
		return &BoolExpr{Pos: pos, Op: BoolNot, Args: []Expr{link}}
	}
	return link
}

// isOperator parses IS …, ISNULL and NOTNULL after left.
func (p *parser) isOperator(left Expr, mode exprMode) (Expr, int) {
	pos := p.tok.pos
	switch p.take().kind {
	case kwIsnull:
		return &NullTest{Pos: pos, Arg: left}, precNone
	case kwNotnull:
		return &NullTest{Pos: pos, Not: true, Arg: left}, precNone
	}
	if p.is(kwNot) && p.startsNotLike() {
		p.syntaxError()
	}
	not := p.accept(kwNot)
	negated := func(e Expr) Expr {
		if not {
			return &BoolExpr{Pos: pos, Op: BoolNot, Args: []Expr{e}}
		}
		return e
	}
	kind := p.tok.kind
	switch kind {
	case kwNull:
		p.advance()
		return &NullTest{Pos: pos, Not: not, Arg: left}, precNone
	case kwTrue:
		p.advance()
		return &BooleanTest{Pos: pos, Not: not, Kind: TestTrue, Arg: left}, precNone
	case kwFalse:
		p.advance()
		return &BooleanTest{Pos: pos, Not: not, Kind: TestFalse, Arg: left}, precNone
	case kwUnknown:
		p.advance()
		return &BooleanTest{Pos: pos, Not: not, Kind: TestUnknown, Arg: left}, precNone
	case kwDistinct:
		p.advance()
		p.expect(kwFrom)
		return &DistinctExpr{Pos: pos, Not: not, Left: left, Right: p.exprPrec(precIs+1, mode)}, precIs
	case kwDocument:
		p.advance()
		return negated(&XMLExpr{Pos: pos, Op: XMLIsDocument, Args: []Expr{left}}), precNone
	case kwNfc, kwNfd, kwNfkc, kwNfkd, kwNormalized:
		args := []Expr{left}
		if kind != kwNormalized {
			args = append(args, p.normalForm())
		}
		p.expect(kwNormalized)
		return negated(&FuncCall{Pos: pos, Name: []string{"pg_catalog", "is_normalized"}, Args: args,
			SQLSyntax: true}), precNone
	}
	p.syntaxError()
	return nil, precNone
}

// normalForm takes the name of a Unicode normal form, as a string.
func (p *parser) normalForm() Expr {
	pos := p.tok.pos
	s := ""
	switch p.tok.kind {
	case kwNfc:
		s = "NFC"
	case kwNfd:
		s = "NFD"
	case kwNfkc:
		s = "NFKC"
	case kwNfkd:
		s = "NFKD"
	default:
		p.syntaxError()
	}
	p.advance()
	return &Const{Pos: pos, Kind: ConstString, Str: s}
}
