package builtin

import (
	"strings"
	"unicode/utf8"
)

// escape reads what follows a backslash outside brackets.
func (p *reParser) escape() (*reNode, bool, error) {
	bad := func() (*reNode, bool, error) { return nil, false, reError(`invalid escape \ sequence`) }
	if p.i >= len(p.s) {
		return bad()
	}
	c := p.next()
	constraint := func(kind reKind) (*reNode, bool, error) { return p.node(kind), false, nil }
	switch c {
	case 'A':
		return constraint(reTextBegin)
	case 'Z':
		return constraint(reTextEnd)
	case 'm', '<':
		return constraint(reWordStart)
	case 'M', '>':
		return constraint(reWordEnd)
	case 'y':
		return constraint(reWordEdge)
	case 'Y':
		return constraint(reNotWordEdge)
	case 'd', 's', 'w', 'D', 'S', 'W':
		n := p.node(reSet)
		set := &reClass{negate: c < 'a'}
		set.ranges = append(set.ranges, classRanges(string(c|0x20))...)
		if set.negate && p.flags.lineStops {
			set.ranges = append(set.ranges, '\n', '\n')
		}
		n.set = set.finish()
		return n, true, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if n, ok := p.backref(int(c - '0')); ok {
			return n, true, nil
		}
	}
	r, ok := p.charEscape(c)
	if !ok {
		if isAlnum(c) && c != '0' {
			if c >= '1' && c <= '9' {
				return nil, false, reError("invalid backreference number")
			}
			return bad()
		}
		return bad()
	}
	return p.char(r), true, nil
}

func isAlnum(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// backref reads a back reference: one digit, or more digits as long as so many groups have been opened.
func (p *reParser) backref(n int) (*reNode, bool) {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		n = n*10 + int(p.s[p.i]-'0')
		p.i++
	}
	if n > p.groups {
		p.i = start
		return nil, false
	}
	b := p.node(reBackref)
	b.n = n
	return b, true
}

// charEscape reads an escape that stands for one character; c is what follows the backslash.
func (p *reParser) charEscape(c rune) (rune, bool) {
	if !isAlnum(c) {
		return c, true
	}
	switch c {
	case 'a':
		return 7, true
	case 'b':
		return '\b', true
	case 'B':
		return '\\', true
	case 'e':
		return 27, true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'v':
		return '\v', true
	case 'c':
		if p.i < len(p.s) {
			return p.next() & 31, true
		}
	case 'u':
		return p.hex(4)
	case 'U':
		return p.hex(8)
	case 'x':
		n, digits := rune(0), 0
		for p.i < len(p.s) && hexValue(p.s[p.i]) >= 0 {
			n, digits = n<<4|hexValue(p.s[p.i]), digits+1
			p.i++
		}
		return n, digits > 0 && n <= utf8.MaxRune
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, digits := c-'0', 1
		if c != '0' && (p.peek() < '0' || p.peek() > '7') {
			return 0, false
		}
		for digits < 3 && p.peek() >= '0' && p.peek() <= '7' {
			n, digits = n<<3|rune(p.s[p.i]-'0'), digits+1
			p.i++
		}
		return n, true
	}
	return 0, false
}

func hexValue(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}

func (p *reParser) hex(n int) (rune, bool) {
	if p.i+n > len(p.s) {
		return 0, false
	}
	v := rune(0)
	for k := 0; k < n; k++ {
		h := hexValue(p.s[p.i+k])
		if h < 0 || v > utf8.MaxRune>>4 {
			return 0, false
		}
		v = v<<4 | h
	}
	p.i += n
	return v, v <= utf8.MaxRune
}

// classRanges returns a character class of the C locale, or of \d \s \w by their letters.
func classRanges(name string) []rune {
	switch name {
	case "alpha":
		return []rune{'A', 'Z', 'a', 'z'}
	case "digit", "d":
		return []rune{'0', '9'}
	case "alnum":
		return []rune{'0', '9', 'A', 'Z', 'a', 'z'}
	case "w", "word":
		return []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
	case "upper":
		return []rune{'A', 'Z'}
	case "lower":
		return []rune{'a', 'z'}
	case "space", "s":
		return []rune{'\t', '\r', ' ', ' '}
	case "blank":
		return []rune{'\t', '\t', ' ', ' '}
	case "punct":
		return []rune{'!', '/', ':', '@', '[', '`', '{', '~'}
	case "cntrl":
		return []rune{0, 31, 127, 127}
	case "graph":
		return []rune{'!', '~'}
	case "print":
		return []rune{' ', '~'}
	case "xdigit":
		return []rune{'0', '9', 'A', 'F', 'a', 'f'}
	case "ascii":
		return []rune{0, 127}
	}
	return nil
}

// bracket reads a bracket expression after its [.
func (p *reParser) bracket() (*reNode, error) {
	set := &reClass{}
	if p.peek() == '^' {
		set.negate = true
		p.i++
	}
	for first := true; ; first = false {
		if p.i >= len(p.s) {
			return nil, reError("brackets [] not balanced")
		}
		if p.peek() == ']' && !first {
			p.i++
			break
		}
		lo, isClass, err := p.bracketItem(set, first)
		if err != nil {
			return nil, err
		}
		if isClass {
			if p.peek() == '-' && p.i+1 < len(p.s) && p.s[p.i+1] != ']' {
				return nil, reError("invalid character range")
			}
			continue
		}
		if p.peek() == '-' && p.i+1 < len(p.s) && p.s[p.i+1] != ']' {
			p.i++
			hi, isClass, err := p.bracketItem(set, false)
			if err != nil {
				return nil, err
			}
			if isClass || hi < lo {
				return nil, reError("invalid character range")
			}
			p.add(set, lo, hi)
			continue
		}
		p.add(set, lo, lo)
	}
	if set.negate && p.flags.lineStops {
		set.ranges = append(set.ranges, '\n', '\n')
	}
	n := p.node(reSet)
	n.set = set.finish()
	return n, nil
}

// bracketItem reads one character (or collating element) of a bracket expression, or adds a class to the set.
func (p *reParser) bracketItem(set *reClass, first bool) (r rune, isClass bool, err error) {
	c := p.next()
	switch {
	case c == '[' && (p.peek() == ':' || p.peek() == '.' || p.peek() == '='):
		kind := p.s[p.i]
		end := strings.Index(p.s[p.i+1:], string([]byte{kind, ']'}))
		if end < 0 {
			return 0, false, reError("brackets [] not balanced")
		}
		name := p.s[p.i+1 : p.i+1+end]
		p.i += end + 3
		if kind != ':' {
			r, n := utf8.DecodeRuneInString(name)
			if n == 0 || n != len(name) {
				if r, ok := collatingName(name); ok {
					return r, false, nil
				}
				return 0, false, reError("invalid collating element")
			}
			return r, false, nil
		}
		ranges := classRanges(name)
		if ranges == nil || len(name) == 1 {
			return 0, false, reError("invalid character class")
		}
		if p.flags.fold && (name == "upper" || name == "lower") {
			ranges = classRanges("alpha")
		}
		set.ranges = append(set.ranges, ranges...)
		return 0, true, nil
	case c == '\\' && !p.flags.extended:
		if p.i >= len(p.s) {
			return 0, false, reError(`invalid escape \ sequence`)
		}
		e := p.next()
		switch e {
		case 'd', 's', 'w':
			set.ranges = append(set.ranges, classRanges(string(e))...)
			return 0, true, nil
		case 'D', 'S', 'W':
			set.ranges = append(set.ranges, complement(classRanges(string(e|0x20)))...)
			return 0, true, nil
		}
		r, ok := p.charEscape(e)
		if !ok {
			return 0, false, reError(`invalid escape \ sequence`)
		}
		return r, false, nil
	}
	return c, false, nil
}

func complement(ranges []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] > next {
			out = append(out, next, ranges[i]-1)
		}
		next = ranges[i+1] + 1
	}
	return append(out, next, utf8.MaxRune)
}

// collatingName knows the names of a few ASCII characters that POSIX gives them.
func collatingName(name string) (rune, bool) {
	switch name {
	case "NUL":
		return 0, true
	case "tab":
		return '\t', true
	case "newline":
		return '\n', true
	case "space":
		return ' ', true
	case "hyphen", "hyphen-minus":
		return '-', true
	case "period", "full-stop":
		return '.', true
	case "comma":
		return ',', true
	case "underscore", "low-line":
		return '_', true
	case "slash", "solidus":
		return '/', true
	}
	return 0, false
}
