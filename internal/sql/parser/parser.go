package parser

import (
	"github.com/meridiandb/meridian/internal/failure"
)

// Limits that keep every recursion over a tree small. A chain of 10,000 left-associative operators passes.
const (
	maxNesting = 4000  // constructs open at the same place: parentheses, subqueries, CASE, …
	maxHeight  = 12000 // nodes from the root of an expression, a join or a set operation to its deepest leaf
)

// parser is a recursive-descent parser over a lexer. Functions parse from the current token and leave the token
// after what they took; an error unwinds to the entry point as a bailout.
type parser struct {
	lexer
	tok    token
	ahead  [4]token
	nahead int
	last   int // end of the token before tok
	depth  int
	height int // of the highest tree that was completed since the enclosing construct began
}

// bailout carries an error from deep inside the parser to its entry point.
type bailout struct{ err error }

// Parse parses a query string of any number of statements. An empty string has none.
func Parse(sql string) ([]RawStmt, error) { return ParseNotify(sql, nil) }

// ParseNotify is Parse that hands notices (names that are too long and get truncated) to notice.
func ParseNotify(sql string, notice func(*failure.Error)) (stmts []RawStmt, err error) {
	p := parser{lexer: lexer{sql: sql, notice: notice}}
	defer p.recover(&err)
	p.advance()
	for {
		for p.accept(';') {
		}
		if p.tok.kind == tokEOF {
			return stmts, nil
		}
		start := p.tok.pos
		s := p.statement()
		if p.tok.kind != ';' && p.tok.kind != tokEOF {
			p.syntaxError()
		}
		stmts = append(stmts, RawStmt{Stmt: s, Start: start, Len: p.last - start})
	}
}

// ParseOne parses a string of at most one statement, as the extended protocol wants it. The Stmt is nil when the
// string is empty.
func ParseOne(sql string) (RawStmt, error) {
	stmts, err := Parse(sql)
	switch {
	case err != nil:
		return RawStmt{}, err
	case len(stmts) == 0:
		return RawStmt{}, nil
	case len(stmts) > 1:
		return RawStmt{}, failure.New(failure.SyntaxError,
			"cannot insert multiple commands into a prepared statement")
	}
	return stmts[0], nil
}

// ParseExpr parses a single value expression.
func ParseExpr(sql string) (e Expr, err error) {
	p := parser{lexer: lexer{sql: sql}}
	defer p.recover(&err)
	p.advance()
	e = p.expr()
	p.end()
	return e, nil
}

// ParseTypeName parses the name of a type, as in a cast.
func ParseTypeName(sql string) (t *TypeName, err error) {
	p := parser{lexer: lexer{sql: sql}}
	defer p.recover(&err)
	p.advance()
	t = p.typeName()
	p.end()
	return t, nil
}

// recover turns a bailout into *err.
func (p *parser) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case bailout:
		*err = r.err
	default:
		panic(r)
	}
}

func (p *parser) end() {
	if p.tok.kind != tokEOF {
		p.syntaxError()
	}
}

// advance moves to the next token.
func (p *parser) advance() {
	p.last = p.tok.end
	if p.nahead == 0 {
		p.tok = p.next()
		return
	}
	p.tok = p.ahead[0]
	copy(p.ahead[:], p.ahead[1:p.nahead])
	p.nahead--
}

// take returns the current token and moves on.
func (p *parser) take() token {
	t := p.tok
	p.advance()
	return t
}

// peek returns the kind of the n-th token after the current one, n from 1 to 4.
func (p *parser) peek(n int) tokenKind { return p.peekToken(n).kind }

func (p *parser) peekToken(n int) *token {
	for p.nahead < n {
		p.ahead[p.nahead] = p.next()
		p.nahead++
	}
	return &p.ahead[n-1]
}

// is says whether the current token is of kind k.
func (p *parser) is(k tokenKind) bool { return p.tok.kind == k }

// accept takes the current token if it is of kind k.
func (p *parser) accept(k tokenKind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// acceptTwo takes the current token and the next if they are of kinds a and b.
func (p *parser) acceptTwo(a, b tokenKind) bool {
	if p.tok.kind != a || p.peek(1) != b {
		return false
	}
	p.advance()
	p.advance()
	return true
}

// commit takes tokens of kinds a and b if the current one is an a; then b must follow.
func (p *parser) commit(a, b tokenKind) bool {
	if p.tok.kind != a {
		return false
	}
	p.advance()
	p.expect(b)
	return true
}

// here returns the position of the current token. In composite literals it must be called, not read: Go does not say
// whether a variable is read before or after the calls that advance the parser.
func (p *parser) here() int { return p.tok.pos }

// expect takes a token of kind k, or fails.
func (p *parser) expect(k tokenKind) token {
	if p.tok.kind != k {
		p.syntaxError()
	}
	return p.take()
}

// expectAll takes tokens of the kinds in turn.
func (p *parser) expectAll(kinds ...tokenKind) {
	for _, k := range kinds {
		p.expect(k)
	}
}

// fail unwinds with err.
func (p *parser) fail(err *failure.Error) { panic(bailout{err}) }

// failAt unwinds with a syntax error at a byte offset.
func (p *parser) failAt(pos int, code failure.Code, format string, args ...any) {
	p.fail(failure.New(code, format, args...).At(CharPosition(p.sql, pos)))
}

// syntaxError unwinds with PostgreSQL's "syntax error at or near", at the current token.
func (p *parser) syntaxError() {
	switch {
	case p.tok.kind == tokBad:
		p.fail(p.err)
	case p.tok.kind == tokEOF:
		p.failAt(p.tok.pos, failure.SyntaxError, "syntax error at end of input")
	default:
		p.failAt(p.tok.pos, failure.SyntaxError, "syntax error at or near \"%s\"", p.sql[p.tok.pos:p.tok.end])
	}
}

// enter counts a construct that opens and must be paired with leave.
func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.tooDeep()
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) tooDeep() {
	p.fail(failure.New(failure.StatementTooComplex, "stack depth limit exceeded").
		WithHint("Write the statement with less nesting: long chains of operators can become lists or arrays."))
}

// grow returns the height of a node over children of heights a and b.
func (p *parser) grow(a, b int) int {
	h := max(a, b) + 1
	if h > maxHeight {
		p.tooDeep()
	}
	return h
}

// category returns the keyword category of a token, 0 for a token that is no word. A plain name counts as an
// unreserved word.
func (t *token) category() keywordCategory {
	switch {
	case t.kind == tokIdent:
		return catUnreserved
	case t.kind >= firstKeyword:
		return keywords[t.kind-firstKeyword].cat
	}
	return 0
}

// isColID says whether the token may name a column or table.
func (t *token) isColID() bool {
	c := t.category()
	return c == catUnreserved || c == catColName
}

// isTypeFuncName says whether the token may name a type or function.
func (t *token) isTypeFuncName() bool {
	c := t.category()
	return c == catUnreserved || c == catTypeFunc
}

// colID takes a name of a column, table and the like.
func (p *parser) colID() string {
	if !p.tok.isColID() {
		p.syntaxError()
	}
	return p.takeName()
}

// typeFuncName takes a name of a type or function.
func (p *parser) typeFuncName() string {
	if !p.tok.isTypeFuncName() {
		p.syntaxError()
	}
	return p.takeName()
}

// colLabel takes any word.
func (p *parser) colLabel() string {
	if p.tok.category() == 0 {
		p.syntaxError()
	}
	return p.takeName()
}

// nonReservedWord takes any word that is not reserved.
func (p *parser) nonReservedWord() string {
	if c := p.tok.category(); c == 0 || c == catReserved {
		p.syntaxError()
	}
	return p.takeName()
}

func (p *parser) takeName() string {
	s := p.tok.str
	p.advance()
	return s
}

// isBareLabel says whether the token may be a column's label without AS.
func (t *token) isBareLabel() bool {
	return t.kind == tokIdent || t.kind >= firstKeyword && keywords[t.kind-firstKeyword].bare
}

// isWord says whether the token is the unquoted name w, for words that are no keywords.
func (t *token) isWord(w string) bool { return t.kind == tokIdent && !t.quoted && t.str == w }

// str takes a string literal.
func (p *parser) sconst() string { return p.expect(tokString).str }

// iconst takes an integer literal.
func (p *parser) iconst() int { return int(p.expect(tokInteger).num) }

// signedIconst takes an integer literal with an optional sign.
func (p *parser) signedIconst() int {
	if p.accept('-') {
		return -p.iconst()
	}
	p.accept('+')
	return p.iconst()
}

// nameList takes names separated by commas.
func (p *parser) nameList() []string {
	names := []string{p.colID()}
	for p.accept(',') {
		names = append(names, p.colID())
	}
	return names
}

// parenNames takes (name, …).
func (p *parser) parenNames() []string {
	p.expect('(')
	names := p.nameList()
	p.expect(')')
	return names
}

// optParenNames takes (name, …) if there is a parenthesis.
func (p *parser) optParenNames() []string {
	if !p.is('(') {
		return nil
	}
	return p.parenNames()
}

// dottedName takes name[.name…]; the parts after the first may be any words.
func (p *parser) dottedName() []string {
	names := []string{p.colID()}
	for p.accept('.') {
		names = append(names, p.colLabel())
	}
	return names
}

// anyName is dottedName with its position.
func (p *parser) anyName() *QualifiedName {
	pos := p.tok.pos
	return &QualifiedName{Pos: pos, Parts: p.dottedName()}
}

// relation takes the name of a relation.
func (p *parser) relation() RelationName {
	r := RelationName{Pos: p.here(), Name: p.colID()}
	if !p.is('.') {
		return r
	}
	parts := append(make([]string, 0, 3), r.Name)
	for p.accept('.') {
		parts = append(parts, p.colLabel())
	}
	return p.relationOf(r.Pos, parts)
}

func (p *parser) relationPtr() *RelationName {
	r := p.relation()
	return &r
}

// relationList takes relations separated by commas.
func (p *parser) relationList() []*RelationName {
	list := []*RelationName{p.relationPtr()}
	for p.accept(',') {
		list = append(list, p.relationPtr())
	}
	return list
}
