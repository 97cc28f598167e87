package datum

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// pathParser reads a jsonpath by recursive descent.
type pathParser struct {
	s     string
	i     int // after the current token
	tok   string
	text  string // of an identifier or string
	kind  byte   // e end, i identifier, s string, n number, p punctuation, v variable
	depth int
	// inFilter and inSubscript allow @ and last.
	inFilter, inSubscript int
}

const maxPathDepth = 500

// ParseJSONPath parses the text of a jsonpath.
func ParseJSONPath(s string) (*JSONPath, error) {
	p := &pathParser{s: s}
	if trimSpace(s) == "" {
		return nil, errSyntax("jsonpath", s)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	path := &JSONPath{}
	if p.kind == 'i' && (p.text == "strict" || p.text == "lax") {
		path.Strict = p.text == "strict"
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.kind != 'e' {
		return nil, p.unexpected()
	}
	path.Expr = n
	return path, nil
}

func (p *pathParser) unexpected() error {
	if p.kind == 'e' {
		return failure.New(failure.SyntaxError, "syntax error at end of jsonpath input")
	}
	return failure.New(failure.SyntaxError, "syntax error at or near \"%s\" of jsonpath input", p.tok)
}

const pathSpecial = "?%$.[]{}()|&!=<>@#,*:-+/"

// next reads a token.
func (p *pathParser) next() error {
	for p.i < len(p.s) && (isSpace(p.s[p.i]) || strings.HasPrefix(p.s[p.i:], "/*")) {
		if p.s[p.i] == '/' {
			end := strings.Index(p.s[p.i+2:], "*/")
			if end < 0 {
				return failure.New(failure.SyntaxError, "unexpected end of comment at end of jsonpath input")
			}
			p.i += end + 4
			continue
		}
		p.i++
	}
	start := p.i
	if p.i >= len(p.s) {
		p.kind, p.tok = 'e', ""
		return nil
	}
	c := p.s[p.i]
	switch {
	case c == '"':
		return p.quoted('s')
	case c == '$' && p.i+1 < len(p.s) && p.s[p.i+1] == '"':
		p.i++
		return p.quoted('v')
	case c == '$' && p.i+1 < len(p.s) && isPathIdent(p.s[p.i+1]):
		p.i++
		p.ident()
		p.kind, p.tok = 'v', p.s[start:p.i]
		return nil
	case isDigit(c) || c == '.' && p.i+1 < len(p.s) && isDigit(p.s[p.i+1]):
		return p.number()
	case isPathIdent(c):
		p.ident()
		p.kind, p.tok = 'i', p.s[start:p.i]
		if lower := strings.ToLower(p.text); lower != p.text && (lower == "strict" || lower == "lax" || lower == "to" || lower == "last" ||
			lower == "exists" || lower == "is" || lower == "unknown" || lower == "starts" || lower == "with" || lower == "like_regex" || lower == "flag") {
			p.text = lower
		}
		return nil
	}
	p.kind = 'p'
	for _, two := range []string{"&&", "||", "**", "==", "!=", "<>", "<=", ">="} {
		if strings.HasPrefix(p.s[p.i:], two) {
			p.tok = two
			p.i += 2
			return nil
		}
	}
	p.tok = p.s[p.i : p.i+1]
	p.i++
	return nil
}

func isPathIdent(c byte) bool {
	return c > ' ' && c != '"' && c != '\\' && strings.IndexByte(pathSpecial, c) < 0 || c == '\\'
}

func (p *pathParser) ident() {
	start := p.i
	for p.i < len(p.s) && isPathIdent(p.s[p.i]) {
		if p.s[p.i] == '\\' {
			p.i++
		}
		p.i++
	}
	p.i = min(p.i, len(p.s))
	p.text = p.s[start:p.i]
	if strings.Contains(p.text, `\`) {
		if j, err := ParseJSONB(`"` + p.text + `"`); err == nil {
			p.text = j.Text
		}
	}
}

func (p *pathParser) quoted(kind byte) error {
	start := p.i
	for p.i++; p.i < len(p.s) && p.s[p.i] != '"'; p.i++ {
		if p.s[p.i] == '\\' {
			p.i++
		}
	}
	if p.i >= len(p.s) {
		p.i = len(p.s)
		return failure.New(failure.SyntaxError, "unexpected end of quoted string at end of jsonpath input")
	}
	p.i++
	p.kind, p.tok = kind, p.s[start:p.i]
	raw := p.tok
	for _, quote := range []string{`\'`, `\v`} { // JavaScript's escapes that JSON lacks
		if strings.Contains(raw, quote) {
			raw = strings.ReplaceAll(raw, quote, map[string]string{`\'`: `'`, `\v`: `\u000b`}[quote])
		}
	}
	j, err := ParseJSONB(raw)
	if err != nil {
		return failure.New(failure.SyntaxError, "invalid escape sequence at or near \"%s\" of jsonpath input", p.tok)
	}
	p.text = j.Text
	return nil
}

func (p *pathParser) number() error {
	start := p.i
	digits := func() {
		for p.i < len(p.s) && isDigit(p.s[p.i]) {
			p.i++
		}
	}
	digits()
	if p.i < len(p.s) && p.s[p.i] == '.' && !strings.HasPrefix(p.s[p.i:], ".**") {
		if p.i+1 >= len(p.s) || !isPathIdent(p.s[p.i+1]) || isDigit(p.s[p.i+1]) || lower(p.s[p.i+1]) == 'e' {
			p.i++
			digits()
		}
	}
	if p.i < len(p.s) && lower(p.s[p.i]) == 'e' {
		j := p.i + 1
		if j < len(p.s) && (p.s[j] == '+' || p.s[j] == '-') {
			j++
		}
		if j < len(p.s) && isDigit(p.s[j]) {
			p.i = j
			digits()
		}
	}
	if p.i < len(p.s) && isPathIdent(p.s[p.i]) {
		_, n := utf8.DecodeRuneInString(p.s[p.i:])
		return failure.New(failure.SyntaxError, "trailing junk after numeric literal at or near \"%s\" of jsonpath input", p.s[start:p.i+n])
	}
	p.kind, p.tok = 'n', p.s[start:p.i]
	return nil
}

func (p *pathParser) punct(s string) bool { return p.kind == 'p' && p.tok == s }

func (p *pathParser) word(s string) bool { return p.kind == 'i' && p.text == s }

// done passes over the current token and returns a node that was made of it.
func (p *pathParser) done(n *PathNode) (*PathNode, error) { return n, p.next() }

func (p *pathParser) expect(s string) error {
	if !p.punct(s) {
		return p.unexpected()
	}
	return p.next()
}

// predicate says whether a node is a condition rather than a value.
func (n *PathNode) predicate() bool {
	if n.Next != nil {
		return false
	}
	switch n.Kind {
	case PathNot, PathIsUnknown, PathExists, PathStartsWith, PathLikeRegex:
		return true
	case PathBinary:
		return pathPriority(n) <= 2
	}
	return false
}

func (p *pathParser) or() (*PathNode, error) { return p.connective("||", p.and) }

func (p *pathParser) and() (*PathNode, error) { return p.connective("&&", p.comparison) }

func (p *pathParser) connective(op string, sub func() (*PathNode, error)) (*PathNode, error) {
	left, err := sub()
	for err == nil && p.punct(op) {
		if !left.predicate() {
			return nil, p.unexpected()
		}
		if err = p.next(); err != nil {
			break
		}
		var right *PathNode
		if right, err = sub(); err == nil {
			if !right.predicate() {
				return nil, p.unexpected()
			}
			left = &PathNode{Kind: PathBinary, Text: op, Args: []*PathNode{left, right}}
		}
	}
	return left, err
}

func (p *pathParser) comparison() (*PathNode, error) {
	if p.depth++; p.depth > maxPathDepth {
		return nil, failure.New(failure.StatementTooComplex, "stack depth limit exceeded")
	}
	defer func() { p.depth-- }()
	if p.punct("!") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if !p.punct("(") && !p.word("exists") {
			return nil, p.unexpected()
		}
		n, err := p.unary()
		if err != nil {
			return nil, err
		}
		if !n.predicate() {
			return nil, p.unexpected()
		}
		return &PathNode{Kind: PathNot, Args: []*PathNode{n}}, nil
	}
	left, err := p.additive()
	if err != nil || left.predicate() {
		return left, err
	}
	switch {
	case p.kind == 'p' && (p.tok == "==" || p.tok == "=" || p.tok == "!=" || p.tok == "<>" || p.tok == "<" || p.tok == ">" ||
		p.tok == "<=" || p.tok == ">="):
		op := p.tok
		switch op {
		case "=":
			op = "=="
		case "<>":
			op = "!="
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := p.additive()
		if err != nil {
			return nil, err
		}
		if right.predicate() {
			return nil, p.unexpected()
		}
		return &PathNode{Kind: PathBinary, Text: op, Args: []*PathNode{left, right}}, nil
	case p.word("starts"):
		return p.startsWith(left)
	case p.word("like_regex"):
		return p.likeRegex(left)
	}
	return left, nil
}

func (p *pathParser) startsWith(left *PathNode) (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.word("with") {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	n := &PathNode{Text: p.text}
	switch p.kind {
	case 's':
		n.Kind = PathString
	case 'v':
		n.Kind = PathVariable
	default:
		return nil, p.unexpected()
	}
	return p.done(&PathNode{Kind: PathStartsWith, Args: []*PathNode{left, n}})
}

func (p *pathParser) likeRegex(left *PathNode) (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind != 's' {
		return nil, p.unexpected()
	}
	n := &PathNode{Kind: PathLikeRegex, Text: p.text, Args: []*PathNode{left}}
	if err := p.next(); err != nil || !p.word("flag") {
		return n, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind != 's' {
		return nil, p.unexpected()
	}
	for _, c := range p.text {
		switch c {
		case 'i', 's', 'm', 'q':
		case 'x':
			return nil, failure.New(failure.FeatureNotSupported,
				"XQuery \"x\" flag (expanded regular expressions) is not implemented")
		default:
			return nil, failure.New(failure.SyntaxError, "invalid input syntax for type %s", "jsonpath").
				WithDetail("Unrecognized flag character \"%c\" in LIKE_REGEX predicate.", c)
		}
	}
	n.Flags = canonicalFlags(p.text)
	return p.done(n)
}

func (p *pathParser) additive() (*PathNode, error) {
	return p.arithmetic(func() bool { return p.punct("+") || p.punct("-") }, func() (*PathNode, error) {
		return p.arithmetic(func() bool { return p.punct("*") || p.punct("/") || p.punct("%") }, p.unary)
	})
}

func (p *pathParser) arithmetic(isOp func() bool, sub func() (*PathNode, error)) (*PathNode, error) {
	left, err := sub()
	for err == nil && !left.predicate() && isOp() {
		op := p.tok
		if err = p.next(); err != nil {
			break
		}
		var right *PathNode
		if right, err = sub(); err == nil {
			if right.predicate() {
				return nil, p.unexpected()
			}
			left = &PathNode{Kind: PathBinary, Text: op, Args: []*PathNode{left, right}}
		}
	}
	return left, err
}

func (p *pathParser) unary() (*PathNode, error) {
	if p.punct("+") || p.punct("-") {
		op := p.tok
		if err := p.next(); err != nil {
			return nil, err
		}
		n, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &PathNode{Kind: PathUnary, Text: op, Args: []*PathNode{n}}, nil
	}
	return p.accessors()
}

// accessors reads a primary and what follows it.
func (p *pathParser) accessors() (*PathNode, error) {
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	if n.Kind == PathExists || n.Kind == PathIsUnknown {
		return n, nil
	}
	last := n
	for last.Next != nil {
		last = last.Next
	}
	for {
		next, err := p.accessor()
		if err != nil || next == nil {
			return n, err
		}
		last.Next = next
		last = next
	}
}

func (p *pathParser) primary() (*PathNode, error) {
	switch {
	case p.kind == 's':
		return p.done(&PathNode{Kind: PathString, Text: p.text})
	case p.kind == 'v':
		return p.done(&PathNode{Kind: PathVariable, Text: p.text})
	case p.kind == 'n':
		d, err := ParseNumeric(p.tok)
		if err != nil {
			return nil, err
		}
		return p.done(&PathNode{Kind: PathNumber, Num: d})
	case p.punct("$"):
		return p.done(&PathNode{Kind: PathRoot})
	case p.punct("@"):
		if p.inFilter == 0 {
			return nil, failure.New(failure.SyntaxError, "@ is not allowed in root expressions")
		}
		return p.done(&PathNode{Kind: PathCurrent})
	case p.word("last"):
		if p.inSubscript == 0 {
			return nil, failure.New(failure.SyntaxError, "LAST is allowed only in array subscripts")
		}
		return p.done(&PathNode{Kind: PathLast})
	case p.word("null"):
		return p.done(&PathNode{Kind: PathNull})
	case p.word("true"), p.word("false"):
		return p.done(&PathNode{Kind: PathBool, Bool: p.text == "true"})
	case p.word("exists"):
		if err := p.next(); err != nil {
			return nil, err
		}
		if err := p.expect("("); err != nil {
			return nil, err
		}
		n, err := p.additive()
		if err != nil {
			return nil, err
		}
		return &PathNode{Kind: PathExists, Args: []*PathNode{n}}, p.expect(")")
	case p.punct("("):
		return p.parenthesised()
	}
	if p.kind == 'i' {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return nil, p.unexpected()
}

func (p *pathParser) parenthesised() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if n.predicate() && p.word("is") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if !p.word("unknown") {
			return nil, p.unexpected()
		}
		return p.done(&PathNode{Kind: PathIsUnknown, Args: []*PathNode{n}})
	}
	return n, nil
}

// accessor reads one accessor, or returns nil.
func (p *pathParser) accessor() (*PathNode, error) {
	switch {
	case p.punct("["):
		return p.subscript()
	case p.punct("?"):
		if err := p.next(); err != nil {
			return nil, err
		}
		if err := p.expect("("); err != nil {
			return nil, err
		}
		p.inFilter++
		n, err := p.or()
		p.inFilter--
		if err != nil {
			return nil, err
		}
		if !n.predicate() {
			return nil, p.unexpected()
		}
		return &PathNode{Kind: PathFilter, Args: []*PathNode{n}}, p.expect(")")
	case !p.punct("."):
		return nil, nil
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	switch {
	case p.punct("*"):
		return p.done(&PathNode{Kind: PathAnyKey})
	case p.punct("**"):
		return p.anyLevels()
	case p.kind == 's':
		return p.done(&PathNode{Kind: PathKey, Text: p.text})
	case p.kind == 'i':
		return p.keyOrMethod()
	}
	return nil, p.unexpected()
}

func (p *pathParser) keyOrMethod() (*PathNode, error) {
	name := p.s[p.i-len(p.tok) : p.i]
	text := p.text
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.punct("(") {
		return &PathNode{Kind: PathKey, Text: text}, nil
	}
	switch strings.ToLower(name) {
	case "type", "size", "double", "ceiling", "floor", "abs", "keyvalue":
		if err := p.next(); err != nil {
			return nil, err
		}
		return &PathNode{Kind: PathMethod, Text: strings.ToLower(name)}, p.expect(")")
	case "datetime":
		if err := p.next(); err != nil {
			return nil, err
		}
		n := &PathNode{Kind: PathMethod, Text: "datetime"}
		if p.kind == 's' {
			n.Args = []*PathNode{{Kind: PathString, Text: p.text}}
			if err := p.next(); err != nil {
				return nil, err
			}
		}
		return n, p.expect(")")
	}
	return nil, p.unexpected()
}

func (p *pathParser) subscript() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.punct("*") {
		if err := p.next(); err != nil {
			return nil, err
		}
		return &PathNode{Kind: PathAnyElement}, p.expect("]")
	}
	p.inSubscript++
	defer func() { p.inSubscript-- }()
	n := &PathNode{Kind: PathSubscript}
	for {
		from, err := p.additive()
		if err != nil {
			return nil, err
		}
		var to *PathNode
		if p.word("to") {
			if err := p.next(); err != nil {
				return nil, err
			}
			if to, err = p.additive(); err != nil {
				return nil, err
			}
		}
		n.Args = append(n.Args, from, to)
		if !p.punct(",") {
			return n, p.expect("]")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

func (p *pathParser) anyLevels() (*PathNode, error) {
	n := &PathNode{Kind: PathAny, Max: PathUnbounded}
	if err := p.next(); err != nil || !p.punct("{") {
		return n, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	level := func() (int, error) {
		if p.word("last") {
			return PathUnbounded, p.next()
		}
		v, err := parseInt(p.tok, 32, "integer")
		if p.kind != 'n' || err != nil {
			return 0, p.unexpected()
		}
		return int(v.Int()), p.next()
	}
	var err error
	if n.Min, err = level(); err != nil {
		return nil, err
	}
	n.Max = n.Min
	if p.word("to") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if n.Max, err = level(); err != nil {
			return nil, err
		}
	}
	return n, p.expect("}")
}
