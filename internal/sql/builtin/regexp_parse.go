package builtin

import (
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// reKind is the kind of a node of a regular expression.
type reKind uint8

const (
	reEmpty       reKind = iota
	reSet                // one character of a set
	reConcat             // subs in a row
	reAlt                // one of subs
	reRepeat             // subs[0], min to max times (max -1: any number)
	reGroup              // subs[0], captured as number n when n > 0
	reBackref            // the text of group n
	reBegin              // ^
	reEnd                // $
	reTextBegin          // \A
	reTextEnd            // \Z
	reWordStart          // \m
	reWordEnd            // \M
	reWordEdge           // \y
	reNotWordEdge        // \Y
	reLook               // lookahead or lookbehind constraint: subs[0]
)

// reNode is a node of a regular expression's tree.
type reNode struct {
	kind     reKind
	subs     []*reNode
	set      *reClass
	min, max int
	lazy     bool // of a quantifier: prefers fewer
	fixed    bool // of a quantifier: spelled {m}
	n        int
	behind   bool // of reLook
	negate   bool // of reLook
	// prefer is what the node as a whole prefers: '>' longest, '<' shortest, 0 no preference.
	prefer  byte
	backref bool
	id      int
}

// reClass is a set of characters.
type reClass struct {
	ranges []rune // pairs, inclusive
	negate bool
	ascii  [2]uint64 // bitmap for quick answers, negation included
}

func (c *reClass) slow(r rune) bool {
	for i := 0; i < len(c.ranges); i += 2 {
		if r >= c.ranges[i] && r <= c.ranges[i+1] {
			return !c.negate
		}
	}
	return c.negate
}

func (c *reClass) finish() *reClass {
	for r := rune(0); r < 128; r++ {
		if c.slow(r) {
			c.ascii[r>>6] |= 1 << (r & 63)
		}
	}
	return c
}

func (c *reClass) has(r rune) bool {
	if r < 128 {
		return c.ascii[r>>6]&(1<<(r&63)) != 0
	}
	return c.slow(r)
}

// reFlags are the options of a regular expression.
type reFlags struct {
	fold      bool // i
	expanded  bool // x
	lineStops bool // n, p: . and [^…] do not match a newline
	lineEnds  bool // n, w: ^ and $ match at newlines
	literal   bool // q
	extended  bool // e: no escapes of the advanced kind
	basic     bool // b
	global    bool // g, of the functions that know it
}

// reParser reads PostgreSQL's advanced regular expressions.
type reParser struct {
	s      string
	i      int
	flags  reFlags
	groups int
	depth  int
	ids    int
}

func reError(what string) error {
	return failure.New(failure.InvalidRegularExpression, "invalid regular expression: %s", what)
}

const (
	reMaxRepeat = 255
	reMaxDepth  = 200
)

// parseRegexp parses a pattern; flags may be changed by the pattern's own prefix.
func parseRegexp(pattern string, flags reFlags) (*reNode, *reParser, error) {
	p := &reParser{s: pattern, flags: flags}
	if err := p.prefix(); err != nil {
		return nil, nil, err
	}
	if p.flags.basic {
		return nil, nil, failure.NotSupported("basic regular expressions (option b)")
	}
	if p.flags.literal {
		node := p.node(reConcat)
		for p.i < len(p.s) {
			node.subs = append(node.subs, p.char(p.next()))
		}
		p.finish(node)
		return node, p, nil
	}
	node, err := p.alternation()
	if err != nil {
		return nil, nil, err
	}
	if p.i < len(p.s) {
		return nil, nil, reError("parentheses () not balanced")
	}
	p.finish(node)
	return node, p, nil
}

func (p *reParser) node(kind reKind, subs ...*reNode) *reNode {
	p.ids++
	return &reNode{kind: kind, subs: subs, id: p.ids - 1}
}

func (p *reParser) next() rune {
	r, n := utf8.DecodeRuneInString(p.s[p.i:])
	p.i += n
	return r
}

func (p *reParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// prefix reads ***: ***= and (?flags).
func (p *reParser) prefix() error {
	if p.flags.literal {
		return nil
	}
	if len(p.s) >= 4 && p.s[:3] == "***" {
		switch p.s[3] {
		case '=':
			p.flags.literal = true
			p.i = 4
			return nil
		case ':':
			p.i = 4
		default:
			return reError("quantifier operand invalid")
		}
	}
	if len(p.s) > p.i+2 && p.s[p.i] == '(' && p.s[p.i+1] == '?' && isLetter(p.s[p.i+2]) {
		j := p.i + 2
		for ; j < len(p.s) && isLetter(p.s[j]); j++ {
			if !p.flags.set(p.s[j]) {
				return reError("invalid embedded option")
			}
		}
		if j >= len(p.s) || p.s[j] != ')' {
			return reError("invalid embedded option")
		}
		p.i = j + 1
	}
	return nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// set applies an option letter.
func (f *reFlags) set(c byte) bool {
	switch c {
	case 'b':
		f.basic = true
	case 'c':
		f.fold = false
	case 'e':
		f.extended = true
	case 'i':
		f.fold = true
	case 'm', 'n':
		f.lineStops, f.lineEnds = true, true
	case 'p':
		f.lineStops, f.lineEnds = true, false
	case 'q':
		f.literal = true
	case 's':
		f.lineStops, f.lineEnds = false, false
	case 't':
		f.expanded = false
	case 'w':
		f.lineStops, f.lineEnds = false, true
	case 'x':
		f.expanded = true
	default:
		return false
	}
	return true
}

// skip passes over white space and comments of the expanded syntax, and over (?#…) comments.
func (p *reParser) skip() {
	for {
		start := p.i
		if p.flags.expanded {
			for p.i < len(p.s) && (isSpace(p.s[p.i]) || p.s[p.i] == '\f' || p.s[p.i] == '\v') {
				p.i++
			}
			if p.peek() == '#' {
				for p.i < len(p.s) && p.s[p.i] != '\n' {
					p.i++
				}
			}
		}
		if len(p.s) > p.i+2 && p.s[p.i:p.i+3] == "(?#" {
			for p.i < len(p.s) && p.s[p.i] != ')' {
				p.i++
			}
			if p.i < len(p.s) {
				p.i++
			}
		}
		if p.i == start {
			return
		}
	}
}

func (p *reParser) alternation() (*reNode, error) {
	if p.depth++; p.depth > reMaxDepth {
		return nil, reError("regular expression is too complex")
	}
	defer func() { p.depth-- }()
	first, err := p.branch()
	if err != nil {
		return nil, err
	}
	p.skip()
	if p.peek() != '|' {
		return first, nil
	}
	alt := p.node(reAlt, first)
	for p.peek() == '|' {
		p.i++
		b, err := p.branch()
		if err != nil {
			return nil, err
		}
		alt.subs = append(alt.subs, b)
		p.skip()
	}
	return alt, nil
}

func (p *reParser) branch() (*reNode, error) {
	cat := p.node(reConcat)
	for {
		p.skip()
		if c := p.peek(); p.i >= len(p.s) || c == '|' || c == ')' && p.depth > 1 {
			break
		}
		atom, quantifiable, err := p.atom()
		if err != nil {
			return nil, err
		}
		p.skip()
		if atom, err = p.quantifier(atom, quantifiable); err != nil {
			return nil, err
		}
		cat.subs = append(cat.subs, atom)
	}
	switch len(cat.subs) {
	case 0:
		return p.node(reEmpty), nil
	case 1:
		return cat.subs[0], nil
	}
	return cat, nil
}

// quantifier reads * + ? {m,n} and their non-greedy forms after an atom.
func (p *reParser) quantifier(atom *reNode, quantifiable bool) (*reNode, error) {
	lo, hi, fixed := 1, 1, false
	switch c := p.peek(); {
	case c == '*':
		lo, hi = 0, -1
		p.i++
	case c == '+':
		lo, hi = 1, -1
		p.i++
	case c == '?':
		lo, hi = 0, 1
		p.i++
	case c == '{' && p.i+1 < len(p.s) && p.s[p.i+1] >= '0' && p.s[p.i+1] <= '9':
		p.i++
		var err error
		if lo, hi, fixed, err = p.bounds(); err != nil {
			return nil, err
		}
	default:
		return atom, nil
	}
	if !quantifiable {
		return nil, reError("quantifier operand invalid")
	}
	q := p.node(reRepeat, atom)
	q.min, q.max, q.fixed = lo, hi, fixed
	if p.peek() == '?' && !p.flags.extended {
		q.lazy = true
		p.i++
	}
	p.skip()
	switch c := p.peek(); {
	case c == '*' || c == '+' || c == '?':
		return nil, reError("quantifier operand invalid")
	}
	return q, nil
}

func (p *reParser) bounds() (lo, hi int, fixed bool, err error) {
	num := func() (int, bool) {
		n, some := 0, false
		for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
			n, some = min(n*10+int(p.s[p.i]-'0'), 10000), true
			p.i++
		}
		return n, some
	}
	lo, _ = num()
	hi, fixed = lo, true
	if p.peek() == ',' {
		p.i++
		fixed = false
		if n, ok := num(); ok {
			hi = n
		} else {
			hi = -1
		}
	}
	if p.peek() != '}' {
		return 0, 0, false, reError("invalid repetition count(s)")
	}
	p.i++
	if lo > reMaxRepeat || hi > reMaxRepeat || hi >= 0 && hi < lo {
		return 0, 0, false, reError("invalid repetition count(s)")
	}
	return lo, hi, fixed, nil
}

// atom reads one atom or constraint; constraints take no quantifier.
func (p *reParser) atom() (n *reNode, quantifiable bool, err error) {
	c := p.next()
	switch c {
	case '(':
		return p.group()
	case '[':
		if len(p.s) >= p.i+6 && (p.s[p.i:p.i+6] == "[:<:]]" || p.s[p.i:p.i+6] == "[:>:]]") {
			kind := reWordStart
			if p.s[p.i+2] == '>' {
				kind = reWordEnd
			}
			p.i += 6
			return p.node(kind), false, nil
		}
		n, err = p.bracket()
		return n, true, err
	case '.':
		set := &reClass{negate: true}
		if p.flags.lineStops {
			set.ranges = []rune{'\n', '\n'}
		}
		n = p.node(reSet)
		n.set = set.finish()
		return n, true, nil
	case '^':
		return p.node(reBegin), false, nil
	case '$':
		return p.node(reEnd), false, nil
	case '*', '+', '?':
		return nil, false, reError("quantifier operand invalid")
	case '{':
		if c := p.peek(); c >= '0' && c <= '9' {
			return nil, false, reError("quantifier operand invalid")
		}
	case '\\':
		if p.flags.extended {
			if p.i >= len(p.s) {
				return nil, false, reError(`invalid escape \ sequence`)
			}
			return p.char(p.next()), true, nil
		}
		return p.escape()
	}
	return p.char(c), true, nil
}

func (p *reParser) group() (*reNode, bool, error) {
	capture := 0
	var look *reNode
	if p.peek() == '?' && !p.flags.extended {
		rest := p.s[p.i:]
		has := func(s string) bool { return len(rest) >= len(s) && rest[:len(s)] == s }
		switch {
		case has("?:"):
			p.i += 2
		case has("?="), has("?!"):
			look = p.node(reLook)
			look.negate = rest[1] == '!'
			p.i += 2
		case has("?<="), has("?<!"):
			look = p.node(reLook)
			look.behind, look.negate = true, rest[2] == '!'
			p.i += 3
		default:
			return nil, false, reError("quantifier operand invalid")
		}
	} else {
		p.groups++
		capture = p.groups
	}
	before := p.groups
	sub, err := p.alternation()
	if err != nil {
		return nil, false, err
	}
	if p.peek() != ')' {
		return nil, false, reError("parentheses () not balanced")
	}
	p.i++
	if look != nil {
		p.groups = before // parentheses inside a constraint do not capture
		stripGroups(sub)
		look.subs = []*reNode{sub}
		return look, false, nil
	}
	g := p.node(reGroup, sub)
	g.n = capture
	return g, true, nil
}

func stripGroups(n *reNode) {
	if n.kind == reGroup {
		n.n = 0
	}
	for _, s := range n.subs {
		stripGroups(s)
	}
}

// char makes the node of one literal character.
func (p *reParser) char(c rune) *reNode {
	n := p.node(reSet)
	set := &reClass{}
	p.add(set, c, c)
	n.set = set.finish()
	return n
}

// add puts a range into a set, both cases of ASCII letters when case is ignored.
func (p *reParser) add(set *reClass, lo, hi rune) {
	set.ranges = append(set.ranges, lo, hi)
	if !p.flags.fold {
		return
	}
	fold := func(from, to, delta rune) {
		if l, h := max(lo, from), min(hi, to); l <= h {
			set.ranges = append(set.ranges, l+delta, h+delta)
		}
	}
	fold('a', 'z', 'A'-'a')
	fold('A', 'Z', 'a'-'A')
}

// finish works out what each node prefers, as the rules of "9.7.3.5 Regular Expression Matching Rules" have it.
func (p *reParser) finish(n *reNode) {
	for _, s := range n.subs {
		p.finish(s)
		n.backref = n.backref || s.backref
	}
	switch n.kind {
	case reBackref:
		n.backref = true
	case reAlt:
		n.prefer = '>'
	case reRepeat:
		if n.fixed {
			n.prefer = n.subs[0].prefer
			return
		}
		if n.prefer = '>'; n.lazy {
			n.prefer = '<'
		}
	case reGroup:
		n.prefer = n.subs[0].prefer
	case reConcat:
		for _, s := range n.subs {
			if n.prefer = s.prefer; n.prefer != 0 {
				break
			}
		}
	}
}
