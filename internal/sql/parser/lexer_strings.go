package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// plainString reads a string without escapes, whose quote is at quote, and the strings that continue it on later
// lines. start is where the token starts.
func (l *lexer) plainString(start, quote int, unterminated string) token {
	i := quote + 1
	from := i
	var parts []byte
	joined := false
	for {
		n := strings.IndexByte(l.sql[i:], '\'')
		if n < 0 {
			l.pos = len(l.sql)
			return l.badNear(start, len(l.sql), unterminated)
		}
		i += n
		if l.at(i+1) == '\'' {
			parts = append(parts, l.sql[from:i+1]...)
			joined = true
			i += 2
			from = i
			continue
		}
		if next, ok := l.continued(i + 1); ok {
			parts = append(parts, l.sql[from:i]...)
			joined = true
			i = next
			from = i
			continue
		}
		break
	}
	l.pos = i + 1
	t := token{kind: tokString, pos: start, end: l.pos}
	if joined {
		t.str = string(append(parts, l.sql[from:i]...))
	} else {
		t.str = l.sql[from:i]
	}
	return t
}

// continued says whether the string that ended before i goes on after white space with a line end in it, and where.
func (l *lexer) continued(i int) (int, bool) {
	newline := false
	for i < len(l.sql) {
		switch c := l.sql[i]; {
		case c == '\n' || c == '\r':
			newline = true
			i++
		case charClass[c]&classSpace != 0:
			i++
		case c == '-' && l.at(i+1) == '-':
			for i < len(l.sql) && l.sql[i] != '\n' && l.sql[i] != '\r' {
				i++
			}
		case c == '\'' && newline:
			return i + 1, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// quotedIdent reads a name in double quotes.
func (l *lexer) quotedIdent(start, quote int) token {
	i := quote + 1
	from := i
	var parts []byte
	joined := false
	for {
		n := strings.IndexByte(l.sql[i:], '"')
		if n < 0 {
			l.pos = len(l.sql)
			return l.badNear(start, len(l.sql), "unterminated quoted identifier")
		}
		i += n
		if l.at(i+1) != '"' {
			break
		}
		parts = append(parts, l.sql[from:i+1]...)
		joined = true
		i += 2
		from = i
	}
	l.pos = i + 1
	name := l.sql[from:i]
	if joined {
		name = string(append(parts, name...))
	}
	if name == "" {
		return l.badNear(start, l.pos, "zero-length delimited identifier")
	}
	t := token{kind: tokIdent, quoted: true, pos: start, end: l.pos, str: name}
	if quote == start {
		t.str = l.truncate(name)
	}
	return t
}

// escapeString reads E'…', in which a backslash escapes.
func (l *lexer) escapeString(start int) token {
	i := start + 2
	var out []byte
	high := rune(0) // a surrogate that waits for its second half
	checked := false
	for {
		if i >= len(l.sql) {
			l.pos = len(l.sql)
			return l.badNear(start, len(l.sql), "unterminated quoted string")
		}
		c := l.sql[i]
		if high != 0 && !(c == '\\' && (l.at(i+1) == 'u' || l.at(i+1) == 'U')) {
			return l.surrogateError(i)
		}
		switch {
		case c == '\'' && l.at(i+1) == '\'':
			out = append(out, '\'')
			i += 2
		case c == '\'':
			if next, ok := l.continued(i + 1); ok {
				i = next
				continue
			}
			l.pos = i + 1
			if checked {
				if t, ok := l.checkUTF8(out); !ok {
					return t
				}
			}
			return token{kind: tokString, pos: start, end: l.pos, str: string(out)}
		case c != '\\':
			out = append(out, c)
			i++
		case i+1 >= len(l.sql):
			i++
		case l.sql[i+1] == 'u' || l.sql[i+1] == 'U':
			t, next, ok := l.unicodeEscape(i, &out, &high)
			if !ok {
				return t
			}
			i = next
		default:
			var raw bool
			out, i, raw = l.byteEscape(out, i+1)
			checked = checked || raw
		}
	}
}

// byteEscape reads the escape whose letter is at i and says whether it gave a byte by number.
func (l *lexer) byteEscape(out []byte, i int) ([]byte, int, bool) {
	c := l.sql[i]
	switch c {
	case 'b':
		return append(out, '\b'), i + 1, false
	case 'f':
		return append(out, '\f'), i + 1, false
	case 'n':
		return append(out, '\n'), i + 1, false
	case 'r':
		return append(out, '\r'), i + 1, false
	case 't':
		return append(out, '\t'), i + 1, false
	case 'v':
		return append(out, '\v'), i + 1, false
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := 0
		for k := 0; k < 3 && l.at(i)-'0' <= 7; k++ {
			n = n*8 + int(l.sql[i]-'0')
			i++
		}
		return append(out, byte(n)), i, true
	case 'x':
		n, k := 0, 0
		for k < 2 && hexDigit(l.at(i+1+k)) >= 0 {
			n = n*16 + hexDigit(l.sql[i+1+k])
			k++
		}
		if k > 0 {
			return append(out, byte(n)), i + 1 + k, true
		}
	}
	return append(out, c), i + 1, false
}

// unicodeEscape reads \uXXXX or \UXXXXXXXX at i and returns where it ends.
func (l *lexer) unicodeEscape(i int, out *[]byte, high *rune) (token, int, bool) {
	digits := 4
	if l.sql[i+1] == 'U' {
		digits = 8
	}
	v, ok := l.hex(l.sql, i+2, digits)
	if !ok {
		return l.bad(i, i, failure.New(failure.InvalidEscapeSequence, "invalid Unicode escape").
			WithHint(`Unicode escapes must be \uXXXX or \UXXXXXXXX.`)), 0, false
	}
	end := i + 2 + digits
	switch {
	case *high != 0 && v&^0x3FF == 0xDC00:
		v = (*high-0xD800)<<10 + (v - 0xDC00) + 0x10000
		*high = 0
	case *high != 0, v&^0x3FF == 0xDC00:
		return l.badNear(i, end, "invalid Unicode surrogate pair"), 0, false
	case v&^0x3FF == 0xD800:
		*high = v
		return token{}, end, true
	case v == 0 || v > utf8.MaxRune:
		return l.badNear(i, end, "invalid Unicode escape value"), 0, false
	}
	*out = utf8.AppendRune(*out, v)
	return token{}, end, true
}

// surrogateError reports half of a surrogate pair that is followed by the character at i.
func (l *lexer) surrogateError(i int) token {
	_, n := utf8.DecodeRuneInString(l.sql[i:])
	return l.badNear(i, i+n, "invalid Unicode surrogate pair")
}

// hex reads exactly n hexadecimal digits of s at i. Values over 1<<30 are cut off: they are no characters anyway.
func (l *lexer) hex(s string, i, n int) (rune, bool) {
	v := int64(0)
	for k := 0; k < n; k++ {
		if i+k >= len(s) {
			return 0, false
		}
		d := hexDigit(s[i+k])
		if d < 0 {
			return 0, false
		}
		v = v<<4 | int64(d)
	}
	return rune(min(v, 1<<30)), true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// checkUTF8 verifies a string into which bytes were written by number.
func (l *lexer) checkUTF8(b []byte) (token, bool) {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 || b[i] == 0 {
			l.err = failure.New(failure.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s",
				hexBytes(b[i:]))
			return token{kind: tokBad, pos: l.pos, end: l.pos}, false
		}
		i += n
	}
	return token{}, true
}

// hexBytes lists the bytes of the broken character at the start of b, as many as its first byte promises.
func hexBytes(b []byte) string {
	n := 1
	switch {
	case b[0]&0xE0 == 0xC0:
		n = 2
	case b[0]&0xF0 == 0xE0:
		n = 3
	case b[0]&0xF8 == 0xF0:
		n = 4
	}
	const digits = "0123456789abcdef"
	var out []byte
	for i := 0; i < n && i < len(b); i++ {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, '0', 'x', digits[b[i]>>4], digits[b[i]&15])
	}
	return string(out)
}

// unicode decodes the escapes of a U& token, with the UESCAPE that may follow it.
func (l *lexer) unicode(t token) token {
	if t.kind == tokBad {
		return t
	}
	escape := byte('\\')
	after := l.pos
	if s, ok := l.skipSpace(); !ok {
		return s
	}
	if word := l.at(l.pos); word == 'u' || word == 'U' {
		if n := l.identifier(); n.kind == kwUescape {
			t2, ok := l.uescape(&escape)
			if !ok {
				return t2
			}
			t.end = t2.end
			after = l.pos
		}
	}
	l.pos = after
	text, bad, ok := l.decodeUnicode(t, escape)
	if !ok {
		return bad
	}
	t.str = text
	if t.kind == tokIdent {
		t.str = l.truncate(text)
	}
	return t
}

// uescape reads the escape character after UESCAPE.
func (l *lexer) uescape(escape *byte) (token, bool) {
	t := l.next()
	if t.kind == tokBad {
		return t, false
	}
	if t.kind != tokString {
		if t.kind == tokEOF {
			return l.bad(t.pos, t.pos, failure.New(failure.SyntaxError,
				"UESCAPE must be followed by a simple string literal at end of input")), false
		}
		return l.badNear(t.pos, t.end, "UESCAPE must be followed by a simple string literal"), false
	}
	c := t.str
	if len(c) != 1 || hexDigit(c[0]) >= 0 || strings.Contains("+'\"", c) || charClass[c[0]]&classSpace != 0 {
		return l.badNear(t.pos, t.end, "invalid Unicode escape character"), false
	}
	*escape = c[0]
	return t, true
}

// decodeUnicode replaces the escapes in the value of a U& token.
func (l *lexer) decodeUnicode(t token, escape byte) (string, token, bool) {
	s := t.str
	if strings.IndexByte(s, escape) < 0 {
		return s, token{}, true
	}
	fail := func(i int, code failure.Code, message string) (string, token, bool) {
		// Three bytes, U&', come before the value.
		err := failure.New(code, "%s", message)
		if message == "invalid Unicode escape" {
			err.WithHint(`Unicode escapes must be \XXXX or \+XXXXXX.`)
		}
		return "", l.bad(t.pos+3+i, t.end, err), false
	}
	var out []byte
	high := rune(0)
	for i := 0; i < len(s); {
		var v rune
		ok, at := false, i
		switch {
		case s[i] != escape || i+1 < len(s) && s[i+1] == escape:
			if high != 0 {
				return fail(i, failure.SyntaxError, "invalid Unicode surrogate pair")
			}
			out = append(out, s[i])
			if s[i] == escape {
				i++
			}
			i++
			continue
		case i+1 < len(s) && s[i+1] == '+':
			v, ok = l.hex(s, i+2, 6)
			i += 8
		default:
			v, ok = l.hex(s, i+1, 4)
			i += 5
		}
		switch {
		case !ok:
			return fail(at, failure.SyntaxError, "invalid Unicode escape")
		case v == 0 || v > utf8.MaxRune:
			return fail(at, failure.SyntaxError, "invalid Unicode escape value")
		case high != 0 && v&^0x3FF == 0xDC00:
			v = (high-0xD800)<<10 + (v - 0xDC00) + 0x10000
			high = 0
		case high != 0 || v&^0x3FF == 0xDC00:
			return fail(at, failure.SyntaxError, "invalid Unicode surrogate pair")
		case v&^0x3FF == 0xD800:
			high = v
			continue
		}
		out = utf8.AppendRune(out, v)
	}
	if high != 0 {
		return fail(len(s), failure.SyntaxError, "invalid Unicode surrogate pair")
	}
	return string(out), token{}, true
}
