package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// tokenKind is the kind of a token. Single-character tokens are their own byte.
type tokenKind uint16

const (
	tokEOF   tokenKind = 0
	tokIdent tokenKind = iota + 256
	tokString
	tokBits // b'…' and x'…'; the value has the letter before the digits
	tokInteger
	tokFloat
	tokParam
	tokOp
	tokTypecast      // ::
	tokDotDot        // ..
	tokColonEquals   // :=
	tokEqualsGreater // =>
	tokLessEquals    // <=
	tokGreaterEquals // >=
	tokNotEquals     // <> and !=
	tokBad           // the lexer's error is in lexer.err

	firstKeyword
)

// maxIdentLen is the most bytes of a name, PostgreSQL's NAMEDATALEN - 1.
const maxIdentLen = 63

// token is one token. str is the folded name, the decoded string, the digits, or the operator.
type token struct {
	kind   tokenKind
	quoted bool // a name that was written in quotes
	num    int32
	pos    int
	end    int
	str    string
}

// lexer cuts a text into tokens, on demand.
type lexer struct {
	sql    string
	pos    int
	run    opRun
	err    *failure.Error // why the last token was tokBad
	notice func(*failure.Error)
}

// Character classes of identifiers and white space; everything from 0x80 up belongs to identifiers.
const (
	classIdentStart = 1 << iota
	classIdent
	classSpace
	classOp
	classDigit
)

var charClass = buildCharClass()

func buildCharClass() *[256]uint8 {
	var t [256]uint8
	for c := 0; c < 256; c++ {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c >= 0x80:
			t[c] = classIdentStart | classIdent
		case c >= '0' && c <= '9':
			t[c] = classIdent | classDigit
		case c == '$':
			t[c] = classIdent
		case c == ' ', c == '\t', c == '\n', c == '\r', c == '\f':
			t[c] = classSpace
		case strings.IndexByte("~!@#^&|`?+-*/%<>=", byte(c)) >= 0:
			t[c] = classOp
		}
	}
	return &t
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// at returns the byte at offset i, or 0 past the end.
func (l *lexer) at(i int) byte {
	if i < len(l.sql) {
		return l.sql[i]
	}
	return 0
}

// bad makes the error token for the text from start to end.
func (l *lexer) bad(start, end int, err *failure.Error) token {
	if l.err == nil {
		l.err = err.At(CharPosition(l.sql, start))
	}
	return token{kind: tokBad, pos: start, end: end}
}

// badNear is bad with PostgreSQL's "at or near" and the offending text.
func (l *lexer) badNear(start, end int, message string) token {
	return l.bad(start, end, failure.New(failure.SyntaxError, "%s at or near \"%s\"", message, l.sql[start:end]))
}

// skipSpace passes white space and comments. It reports a comment that does not end.
func (l *lexer) skipSpace() (token, bool) {
	for l.pos < len(l.sql) {
		c := l.sql[l.pos]
		switch {
		case charClass[c]&classSpace != 0:
			l.pos++
		case c == '-' && l.at(l.pos+1) == '-':
			l.skipLine()
		case c == '/' && l.at(l.pos+1) == '*':
			start := l.pos
			if !l.skipComment() {
				return l.badNear(start, len(l.sql), "unterminated /* comment"), false
			}
		default:
			return token{}, true
		}
	}
	return token{}, true
}

func (l *lexer) skipLine() {
	for l.pos < len(l.sql) && l.sql[l.pos] != '\n' && l.sql[l.pos] != '\r' {
		l.pos++
	}
}

// skipComment passes a comment, in which comments nest, and says whether it ended.
func (l *lexer) skipComment() bool {
	depth := 0
	for l.pos < len(l.sql) {
		switch {
		case l.sql[l.pos] == '/' && l.at(l.pos+1) == '*':
			depth++
			l.pos += 2
		case l.sql[l.pos] == '*' && l.at(l.pos+1) == '/':
			depth--
			l.pos += 2
			if depth == 0 {
				return true
			}
		default:
			l.pos++
		}
	}
	return false
}

// next returns the next token. After tokBad or tokEOF it keeps returning the same.
func (l *lexer) next() token {
	if l.err != nil {
		return token{kind: tokBad, pos: l.pos, end: l.pos}
	}
	if t, ok := l.skipSpace(); !ok {
		return t
	}
	if l.pos >= len(l.sql) {
		return token{kind: tokEOF, pos: len(l.sql), end: len(l.sql)}
	}
	start := l.pos
	c := l.sql[start]
	class := charClass[c]
	switch {
	case class&classIdentStart != 0:
		if t, ok := l.prefixedString(c); ok {
			return t
		}
		return l.identifier()
	case class&classDigit != 0:
		return l.number()
	case class&classOp != 0:
		return l.operator()
	}
	switch c {
	case '\'':
		return l.plainString(start, start, "unterminated quoted string")
	case '"':
		return l.quotedIdent(start, start)
	case '$':
		return l.dollar()
	case '.':
		if isDigit(l.at(start + 1)) {
			return l.number()
		}
		if l.at(start+1) == '.' {
			return l.fixed(tokDotDot, 2)
		}
	case ':':
		switch l.at(start + 1) {
		case ':':
			return l.fixed(tokTypecast, 2)
		case '=':
			return l.fixed(tokColonEquals, 2)
		}
	}
	return l.fixed(tokenKind(c), 1)
}

// fixed makes a token of n bytes.
func (l *lexer) fixed(kind tokenKind, n int) token {
	start := l.pos
	l.pos += n
	return token{kind: kind, pos: start, end: l.pos, str: l.sql[start:l.pos]}
}

// prefixedString reads a string whose quote comes after a letter: E”, B”, X”, N”, U&” and U&"".
func (l *lexer) prefixedString(c byte) (token, bool) {
	start := l.pos
	switch c {
	case 'e', 'E':
		if l.at(start+1) == '\'' {
			return l.escapeString(start), true
		}
	case 'b', 'B':
		if l.at(start+1) == '\'' {
			t := l.plainString(start, start+1, "unterminated bit string literal")
			return asBits(t, "b"), true
		}
	case 'x', 'X':
		if l.at(start+1) == '\'' {
			t := l.plainString(start, start+1, "unterminated hexadecimal string literal")
			return asBits(t, "x"), true
		}
	case 'n', 'N':
		if l.at(start+1) == '\'' {
			// National strings are NCHAR 'text', as if the word had been written out.
			l.pos++
			return token{kind: kwNchar, pos: start, end: start + 1, str: "nchar"}, true
		}
	case 'u', 'U':
		if l.at(start+1) == '&' {
			switch l.at(start + 2) {
			case '\'':
				return l.unicode(l.plainString(start, start+2, "unterminated quoted string")), true
			case '"':
				return l.unicode(l.quotedIdent(start, start+2)), true
			}
		}
	}
	return token{}, false
}

func asBits(t token, letter string) token {
	if t.kind == tokString {
		t.kind, t.str = tokBits, letter+t.str
	}
	return t
}

// identifier reads a name or keyword.
func (l *lexer) identifier() token {
	start, i := l.pos, l.pos
	upper, high := false, false
	for i < len(l.sql) {
		c := l.sql[i]
		if charClass[c]&classIdent == 0 {
			break
		}
		upper = upper || c-'A' <= 'Z'-'A'
		high = high || c >= 0x80
		i++
	}
	l.pos = i
	word := l.sql[start:i]
	if upper {
		if len(word) <= maxKeywordLen {
			var buf [maxKeywordLen]byte
			low := lowerInto(buf[:0], word)
			if !high {
				if k := lookupKeywordBytes(low); k != tokIdent {
					return token{kind: k, pos: start, end: i, str: keywords[k-firstKeyword].word}
				}
			}
			return token{kind: tokIdent, pos: start, end: i, str: string(low)}
		}
		word = string(lowerInto(nil, word))
	} else if k := lookupKeyword(word); k != tokIdent {
		return token{kind: k, pos: start, end: i, str: word}
	}
	return token{kind: tokIdent, pos: start, end: i, str: l.truncate(word)}
}

// lowerInto appends word with ASCII letters in lower case, as PostgreSQL folds names in UTF8.
func lowerInto(b []byte, word string) []byte {
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c-'A' <= 'Z'-'A' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func lookupKeywordBytes(w []byte) tokenKind { return lookupKeyword(string(w)) }

// truncate cuts a name to PostgreSQL's length, at a character, and gives the notice.
func (l *lexer) truncate(name string) string {
	if len(name) <= maxIdentLen {
		return name
	}
	n := maxIdentLen
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	if l.notice != nil {
		l.notice(failure.New(failure.NameTooLong, "identifier \"%s\" will be truncated to \"%s\"", name, name[:n]).
			WithSeverity(failure.SeverityNotice))
	}
	return name[:n]
}

// number reads an integer or a numeric; a number must not run into letters.
func (l *lexer) number() token {
	start, i := l.pos, l.pos
	for isDigit(l.at(i)) {
		i++
	}
	kind := tokInteger
	// "1..10" is a range: the dots are not the number's.
	if l.at(i) == '.' && l.at(i+1) != '.' {
		kind = tokFloat
		i++
		for isDigit(l.at(i)) {
			i++
		}
	}
	if c := l.at(i); c == 'e' || c == 'E' {
		j := i + 1
		if s := l.at(j); s == '+' || s == '-' {
			j++
		}
		if isDigit(l.at(j)) {
			kind, i = tokFloat, j
			for isDigit(l.at(i)) {
				i++
			}
		} else if j > i+1 {
			l.pos = j
			return l.badNear(start, j, "trailing junk after numeric literal")
		}
	}
	if i < len(l.sql) && charClass[l.sql[i]]&classIdentStart != 0 {
		for i < len(l.sql) && charClass[l.sql[i]]&classIdent != 0 {
			i++
		}
		l.pos = i
		return l.badNear(start, i, "trailing junk after numeric literal")
	}
	l.pos = i
	t := token{kind: kind, pos: start, end: i, str: l.sql[start:i]}
	if kind == tokInteger {
		if n, ok := parseInt32(t.str); ok {
			t.num = n
		} else {
			t.kind = tokFloat
		}
	}
	return t
}

func parseInt32(s string) (int32, bool) {
	var n int64
	for i := 0; i < len(s); i++ {
		n = n*10 + int64(s[i]-'0')
		if n > 1<<31-1 {
			return 0, false
		}
	}
	return int32(n), true
}

// opRun is what is known about the run of operator characters that the lexer is in. It is kept from token to token,
// so that a run like "+ + + …" without the spaces is not read again for each of them.
type opRun struct {
	end     int // where the run, or a comment in it, starts something else
	special int // the last character that lets an operator end in + or -, or -1
	other   int // the last character that is neither + nor -, or -1
}

// scanRun reads the run of operator characters at start.
func (l *lexer) scanRun(start int) {
	r := opRun{special: -1, other: -1}
	i := start
	for i < len(l.sql) && charClass[l.sql[i]]&classOp != 0 {
		c := l.sql[i]
		if i > start && (c == '-' && l.at(i+1) == '-' || c == '/' && l.at(i+1) == '*') {
			break
		}
		switch c {
		case '+', '-':
		case '~', '!', '@', '#', '^', '&', '|', '`', '?', '%':
			r.special, r.other = i, i
		default:
			r.other = i
		}
		i++
	}
	r.end = i
	l.run = r
}

// operator reads the longest operator that PostgreSQL's rules allow: one that ends in + or - needs one of the special
// characters.
func (l *lexer) operator() token {
	start := l.pos
	if start >= l.run.end {
		l.scanRun(start)
	}
	i := l.run.end
	if l.run.special < start {
		i = max(start, l.run.other) + 1
	}
	l.pos = i
	text := l.sql[start:i]
	kind := tokOp
	switch len(text) {
	case 1:
		switch text[0] {
		case '+', '-', '*', '/', '%', '^', '<', '>', '=':
			kind = tokenKind(text[0])
		}
	case 2:
		switch text {
		case "=>":
			kind = tokEqualsGreater
		case ">=":
			kind = tokGreaterEquals
		case "<=":
			kind = tokLessEquals
		case "<>", "!=":
			kind, text = tokNotEquals, "<>"
		}
	}
	if len(text) > maxIdentLen {
		return l.badNear(start, i, "operator too long")
	}
	return token{kind: kind, pos: start, end: i, str: text}
}

// dollar reads a parameter or a dollar-quoted string.
func (l *lexer) dollar() token {
	start := l.pos
	i := start + 1
	if isDigit(l.at(i)) {
		n := 0
		for isDigit(l.at(i)) {
			if n = n*10 + int(l.sql[i]-'0'); n > 1<<30 {
				n = 1 << 30
			}
			i++
		}
		if i < len(l.sql) && charClass[l.sql[i]]&classIdentStart != 0 {
			for i < len(l.sql) && charClass[l.sql[i]]&classIdent != 0 {
				i++
			}
			l.pos = i
			return l.badNear(start, i, "trailing junk after parameter")
		}
		l.pos = i
		return token{kind: tokParam, pos: start, end: i, num: int32(n), str: l.sql[start:i]}
	}
	if i < len(l.sql) && charClass[l.sql[i]]&classIdentStart != 0 {
		for i < len(l.sql) && charClass[l.sql[i]]&classIdent != 0 && l.sql[i] != '$' {
			i++
		}
	}
	if l.at(i) != '$' {
		return l.fixed('$', 1)
	}
	tag := l.sql[start : i+1]
	body := l.sql[i+1:]
	n := strings.Index(body, tag)
	if n < 0 {
		l.pos = len(l.sql)
		return l.badNear(start, len(l.sql), "unterminated dollar-quoted string")
	}
	l.pos = i + 1 + n + len(tag)
	return token{kind: tokString, pos: start, end: l.pos, str: body[:n]}
}
