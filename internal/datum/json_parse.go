package datum

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

type jsonToken uint8

const (
	jsonEnd jsonToken = iota
	jsonTokString
	jsonTokNumber
	jsonTokTrue
	jsonTokFalse
	jsonTokNull
	jsonTokOpenArray
	jsonTokCloseArray
	jsonTokOpenObject
	jsonTokCloseObject
	jsonTokComma
	jsonTokColon
)

// maxJSONDepth bounds nesting, as PostgreSQL's stack does.
const maxJSONDepth = 6000

// jsonParser reads JSON text. It checks always, and builds a tree when build is set; only then are escapes decoded.
type jsonParser struct {
	s         string
	build     bool
	tok       jsonToken
	start     int // of the token
	end       int
	line      int
	lineStart int
	text      string // of a string token, decoded
	depth     int
}

// ValidateJSON checks text as the input function of json does.
func ValidateJSON(s string) error {
	p := jsonParser{s: s, line: 1}
	return p.parse(nil)
}

// ParseJSONB builds the tree of a jsonb. Strings may alias s.
func ParseJSONB(s string) (*JSONB, error) {
	p := jsonParser{s: s, line: 1, build: true}
	j := new(JSONB)
	if err := p.parse(j); err != nil {
		return nil, err
	}
	return j, nil
}

func (p *jsonParser) parse(j *JSONB) error {
	if err := p.next(); err != nil {
		return err
	}
	if err := p.value(j); err != nil {
		return err
	}
	if p.tok != jsonEnd {
		return p.unexpected("end of input")
	}
	return nil
}

func (p *jsonParser) fail(detail string) *failure.Error {
	return p.where(failure.New(failure.InvalidTextRepresentation, "invalid input syntax for type json").WithDetail("%s", detail))
}

// where adds the line and an excerpt that ends with the offending token.
func (p *jsonParser) where(e *failure.Error) *failure.Error {
	const excerpt = 50
	from := p.lineStart
	for p.end-from >= excerpt {
		_, n := utf8.DecodeRuneInString(p.s[from:])
		from += n
	}
	if from-p.lineStart <= 3 {
		from = p.lineStart
	}
	prefix, suffix := "", ""
	if from > p.lineStart {
		prefix = "..."
	}
	if p.tok != jsonEnd && p.end < len(p.s) && p.s[p.end] != '\n' && p.s[p.end] != '\r' {
		suffix = "..."
	}
	return e.WithWhere("JSON data, line %d: %s%s%s", p.line, prefix, p.s[from:p.end], suffix)
}

func (p *jsonParser) unexpected(wanted string) error {
	if p.tok == jsonEnd {
		return p.fail("The input string ended unexpectedly.")
	}
	return p.fail("Expected " + wanted + ", but found \"" + p.s[p.start:p.end] + "\".")
}

func (p *jsonParser) invalidToken() error {
	return p.fail("Token \"" + p.s[p.start:p.end] + "\" is invalid.")
}

func isJSONWord(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' || c >= 0x80 }

// next reads a token.
func (p *jsonParser) next() error {
	i := p.end
	for i < len(p.s) && (p.s[i] == ' ' || p.s[i] == '\t' || p.s[i] == '\n' || p.s[i] == '\r') {
		if p.s[i] == '\n' {
			p.line++
			p.lineStart = i + 1
		}
		i++
	}
	p.start = i
	if i == len(p.s) {
		p.tok, p.end = jsonEnd, i
		return nil
	}
	p.end = i + 1
	switch c := p.s[i]; c {
	case '{':
		p.tok = jsonTokOpenObject
	case '}':
		p.tok = jsonTokCloseObject
	case '[':
		p.tok = jsonTokOpenArray
	case ']':
		p.tok = jsonTokCloseArray
	case ',':
		p.tok = jsonTokComma
	case ':':
		p.tok = jsonTokColon
	case '"':
		p.tok = jsonTokString
		return p.str()
	default:
		if c == '-' || isDigit(c) {
			return p.number()
		}
		return p.word()
	}
	return nil
}

func (p *jsonParser) word() error {
	i := p.start
	for i < len(p.s) && isJSONWord(p.s[i]) {
		i++
	}
	p.tok = jsonTokNull
	if i == p.start {
		return p.invalidToken()
	}
	p.end = i
	switch p.s[p.start:i] {
	case "true":
		p.tok = jsonTokTrue
	case "false":
		p.tok = jsonTokFalse
	case "null":
	default:
		return p.invalidToken()
	}
	return nil
}

func (p *jsonParser) number() error {
	p.tok = jsonTokNumber
	i, ok := p.start, true
	digits := func() bool {
		from := i
		for i < len(p.s) && isDigit(p.s[i]) {
			i++
		}
		return i > from
	}
	if p.s[i] == '-' {
		i++
	}
	switch {
	case i < len(p.s) && p.s[i] == '0':
		i++
	default:
		ok = digits()
	}
	if i < len(p.s) && p.s[i] == '.' {
		i++
		ok = digits() && ok
	}
	if i < len(p.s) && lower(p.s[i]) == 'e' {
		i++
		if i < len(p.s) && (p.s[i] == '+' || p.s[i] == '-') {
			i++
		}
		ok = digits() && ok
	}
	for i < len(p.s) && isJSONWord(p.s[i]) {
		i++
		ok = false
	}
	p.end = i
	if !ok {
		return p.invalidToken()
	}
	return nil
}

// str reads a string token; p.start is at the quote.
func (p *jsonParser) str() error {
	s := p.s
	from := p.start + 1
	i := from
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= ' ' {
		i++
	}
	if i < len(s) && s[i] == '"' {
		p.text, p.end = s[from:i], i+1
		return nil
	}
	var buf []byte
	if p.build {
		buf = append(make([]byte, 0, len(s[from:i])+32), s[from:i]...)
	}
	high := rune(-1) // a high surrogate that waits for its other half
	for ; ; i++ {
		if i >= len(s) {
			p.end = len(s)
			return p.invalidToken()
		}
		c := s[i]
		if high >= 0 && (c != '\\' || i+1 >= len(s) || s[i+1] != 'u') {
			p.end = i
			if c == '\\' && i+1 < len(s) {
				p.end = i + 2
			}
			return p.fail("Unicode low surrogate must follow a high surrogate.")
		}
		switch {
		case c == '"':
			p.end = i + 1
			p.text = string(buf)
			return nil
		case c < ' ':
			p.end = i
			return p.fail("Character with value 0x" + hexByte(c) + " must be escaped.")
		case c != '\\':
			if p.build {
				buf = append(buf, c)
			}
			continue
		}
		if i++; i == len(s) {
			p.end = i
			return p.invalidToken()
		}
		if s[i] == 'u' {
			r, err := p.hex4(i)
			if err != nil {
				return err
			}
			i += 4
			if p.build {
				if buf, high, err = p.unicode(buf, r, high, i+1); err != nil {
					return err
				}
			}
			continue
		}
		e := strings.IndexByte(`"\/bfnrt`, s[i])
		if e < 0 {
			_, n := utf8.DecodeRuneInString(s[i:])
			p.end = i + n
			return p.fail("Escape sequence \"\\" + s[i:i+n] + "\" is invalid.")
		}
		if p.build {
			buf = append(buf, "\"\\/\b\f\n\r\t"[e])
		}
	}
}

func hexByte(c byte) string { return string([]byte{hexDigits[c>>4], hexDigits[c&15]}) }

// hex4 reads the four digits after the u at i.
func (p *jsonParser) hex4(i int) (rune, error) {
	r := rune(0)
	for k := i + 1; k <= i+4; k++ {
		if k >= len(p.s) {
			p.end = len(p.s)
			return 0, p.invalidToken()
		}
		d := unhex(p.s[k])
		if d < 0 {
			_, n := utf8.DecodeRuneInString(p.s[k:])
			p.end = k + n
			return 0, p.fail(`"\u" must be followed by four hexadecimal digits.`)
		}
		r = r<<4 | rune(d)
	}
	return r, nil
}

// unicode appends an escaped character, or remembers the first half of a surrogate pair.
func (p *jsonParser) unicode(buf []byte, r, high rune, end int) ([]byte, rune, error) {
	p.end = end
	switch {
	case r >= 0xd800 && r <= 0xdbff:
		if high >= 0 {
			return nil, 0, p.fail("Unicode high surrogate must not follow a high surrogate.")
		}
		return buf, r, nil
	case r >= 0xdc00 && r <= 0xdfff:
		if high < 0 {
			return nil, 0, p.fail("Unicode low surrogate must follow a high surrogate.")
		}
		r = 0x10000 + (high&0x3ff)<<10 + r&0x3ff
	case high >= 0:
		return nil, 0, p.fail("Unicode low surrogate must follow a high surrogate.")
	case r == 0:
		return nil, 0, p.where(failure.New(failure.UntranslatableCharacter, "unsupported Unicode escape sequence").
			WithDetail("%s", `\u0000 cannot be converted to text.`))
	}
	return utf8.AppendRune(buf, r), -1, nil
}

// value reads a value whose first token is current, and moves past it.
func (p *jsonParser) value(j *JSONB) error {
	if !p.build {
		j = nil
	}
	switch p.tok {
	case jsonTokOpenObject, jsonTokOpenArray:
		if p.depth++; p.depth > maxJSONDepth {
			return failure.New(failure.StatementTooComplex, "stack depth limit exceeded").
				WithHint("Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.")
		}
		var err error
		if p.tok == jsonTokOpenObject {
			err = p.object(j)
		} else {
			err = p.array(j)
		}
		p.depth--
		return err
	case jsonTokString:
		if j != nil {
			j.Kind, j.Text = JSONString, p.text
		}
	case jsonTokNumber:
		if j != nil {
			d, err := ParseNumeric(p.s[p.start:p.end])
			if err != nil {
				return err
			}
			j.Kind, j.Num = JSONNumber, d
		}
	case jsonTokTrue, jsonTokFalse:
		if j != nil {
			j.Kind, j.Bool = JSONBool, p.tok == jsonTokTrue
		}
	case jsonTokNull:
		if j != nil {
			j.Kind = JSONNull
		}
	default:
		return p.unexpected("JSON value")
	}
	return p.next()
}

func (p *jsonParser) array(j *JSONB) error {
	if j != nil {
		j.Kind = JSONArray
	}
	if err := p.next(); err != nil {
		return err
	}
	for p.tok != jsonTokCloseArray || j != nil && len(j.Elems) > 0 {
		var e JSONB
		if err := p.value(&e); err != nil {
			return err
		}
		if j != nil {
			j.Elems = append(j.Elems, e)
		}
		if p.tok == jsonTokCloseArray {
			break
		}
		if p.tok != jsonTokComma {
			return p.unexpected(`"," or "]"`)
		}
		if err := p.next(); err != nil {
			return err
		}
		if p.tok == jsonTokCloseArray {
			return p.unexpected("JSON value")
		}
	}
	return p.next()
}

func (p *jsonParser) object(j *JSONB) error {
	if err := p.next(); err != nil {
		return err
	}
	var pairs []JSONPair
	wanted := `string or "}"`
	for p.tok != jsonTokCloseObject || wanted == "string" {
		if p.tok != jsonTokString {
			return p.unexpected(wanted)
		}
		key := p.text
		if err := p.next(); err != nil {
			return err
		}
		if p.tok != jsonTokColon {
			return p.unexpected(`":"`)
		}
		if err := p.next(); err != nil {
			return err
		}
		var v JSONB
		if err := p.value(&v); err != nil {
			return err
		}
		if j != nil {
			pairs = append(pairs, JSONPair{key, v})
		}
		if p.tok == jsonTokCloseObject {
			break
		}
		if p.tok != jsonTokComma {
			return p.unexpected(`"," or "}"`)
		}
		wanted = "string"
		if err := p.next(); err != nil {
			return err
		}
	}
	if j != nil {
		j.Kind, j.Pairs = JSONObject, SortPairs(pairs)
	}
	return p.next()
}

// keyLess is the order of an object's keys.
func keyLess(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// SortPairs puts an object's members in order, in place; of equal keys the last stays.
func SortPairs(pairs []JSONPair) []JSONPair {
	sorted := true
	for i := 1; i < len(pairs); i++ {
		sorted = sorted && keyLess(pairs[i-1].Key, pairs[i].Key)
	}
	if sorted {
		return pairs
	}
	sort.SliceStable(pairs, func(i, k int) bool { return keyLess(pairs[i].Key, pairs[k].Key) })
	out := pairs[:0]
	for i := range pairs {
		if i+1 < len(pairs) && pairs[i].Key == pairs[i+1].Key {
			continue
		}
		out = append(out, pairs[i])
	}
	return out
}

// AppendJSONString appends a quoted JSON string.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// AppendJSONB appends the text of a jsonb on one line.
func AppendJSONB(b []byte, j *JSONB) []byte {
	switch j.Kind {
	case JSONNull:
		return append(b, "null"...)
	case JSONString:
		return AppendJSONString(b, j.Text)
	case JSONNumber:
		return AppendNumeric(b, j.Num)
	case JSONBool:
		return strconv.AppendBool(b, j.Bool)
	case JSONArray:
		b = append(b, '[')
		for i := range j.Elems {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = AppendJSONB(b, &j.Elems[i])
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i := range j.Pairs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(AppendJSONString(b, j.Pairs[i].Key), ": "...)
		b = AppendJSONB(b, &j.Pairs[i].Value)
	}
	return append(b, '}')
}

// AppendJSONBPretty appends the text of a jsonb over several lines, indented by four blanks, as jsonb_pretty does.
func AppendJSONBPretty(b []byte, j *JSONB) []byte { return appendPretty(b, j, 0) }

func appendPretty(b []byte, j *JSONB, level int) []byte {
	indent := func(n int) {
		b = append(b, '\n')
		for range n {
			b = append(b, "    "...)
		}
	}
	switch j.Kind {
	case JSONArray:
		b = append(b, '[')
		for i := range j.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			indent(level + 1)
			b = appendPretty(b, &j.Elems[i], level+1)
		}
		indent(level)
		return append(b, ']')
	case JSONObject:
		b = append(b, '{')
		for i := range j.Pairs {
			if i > 0 {
				b = append(b, ',')
			}
			indent(level + 1)
			b = append(AppendJSONString(b, j.Pairs[i].Key), ": "...)
			b = appendPretty(b, &j.Pairs[i].Value, level+1)
		}
		indent(level)
		return append(b, '}')
	}
	return AppendJSONB(b, j)
}
