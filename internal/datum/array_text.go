package datum

import (
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

func errArray(s, detail string) error {
	return failure.New(failure.InvalidTextRepresentation, "malformed array literal: \"%s\"", s).WithDetail("%s", detail)
}

// The states of the array reader: what came last.
type arrayState uint8

const (
	arrayNothing arrayState = iota
	arrayLevelStarted
	arrayElemStarted
	arrayQuotedStarted
	arrayQuotedDone
	arrayElemDelimited
	arrayLevelDone
	arrayLevelDelimited
)

// arrayReader reads one array literal in a single pass.
type arrayReader struct {
	s     string
	i     int
	state arrayState
	level int
	ndim  int
	count [MaxDims]int // elements or sub-arrays so far, by level
	dims  [MaxDims]int // of the first completed sub-array, by level; 0 before
	elem  []byte       // the element being read
	keep  int          // length of elem that is not trailing white space
	plain bool         // no quote or backslash in elem
	elems []arrayElem
}

// arrayElem is the text of an element; a quoted one is never NULL.
type arrayElem struct {
	text   string
	quoted bool
}

func parseArray(t Type, s string, env *Env) (Datum, error) {
	return parseArrayOf(Type{OID: ElemOf(t.OID), Mod: t.Mod}, s, env)
}

func parseArrayOf(elemType Type, s string, env *Env) (Datum, error) {
	a := &Array{ElemType: elemType.OID}
	body, dims, err := arrayBounds(s)
	if err != nil {
		return Null, err
	}
	r := arrayReader{s: body}
	if err := r.read(); err != nil {
		return Null, err
	}
	a.Elems = make([]Datum, len(r.elems))
	for i, e := range r.elems {
		if !e.quoted && strings.EqualFold(e.text, "null") {
			continue
		}
		if a.Elems[i], err = ParseText(elemType, e.text, env); err != nil {
			return Null, err
		}
	}
	if len(a.Elems) == 0 {
		r.ndim = 0
	}
	if dims != nil {
		if len(dims) != r.ndim {
			return Null, errArray(s, "Specified array dimensions do not match array contents.")
		}
		for i := range dims {
			if int(dims[i].Len) != r.dims[i] {
				return Null, errArray(s, "Specified array dimensions do not match array contents.")
			}
		}
		a.Dims = dims
		return NewArray(a), nil
	}
	for i := range r.ndim {
		a.Dims = append(a.Dims, ArrayDim{Len: int32(r.dims[i]), Lower: 1})
	}
	return NewArray(a), nil
}

// arrayBounds reads "[l:u]…=" before the braces and returns the rest, which starts with a brace.
func arrayBounds(s string) (body string, dims []ArrayDim, err error) {
	rest := s
	skip := func() {
		for rest != "" && isSpace(rest[0]) {
			rest = rest[1:]
		}
	}
	for {
		skip()
		if !strings.HasPrefix(rest, "[") {
			break
		}
		if len(dims) >= MaxDims {
			return "", nil, errTooManyDims(len(dims) + 1)
		}
		lower := int64(1)
		rest = rest[1:]
		v, after, ok := arrayBound(rest)
		if !ok {
			return "", nil, errArray(s, "\"[\" must introduce explicitly-specified array dimensions.")
		}
		upper := v
		if strings.HasPrefix(after, ":") {
			lower = v
			if upper, after, ok = arrayBound(after[1:]); !ok {
				return "", nil, errArray(s, "Missing array dimension value.")
			}
		}
		if !strings.HasPrefix(after, "]") {
			return "", nil, errArray(s, "Missing \"]\" after array dimensions.")
		}
		rest = after[1:]
		if upper < lower {
			return "", nil, failure.New(failure.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		if upper-lower+1 > 1<<27 || lower != int64(int32(lower)) || upper != int64(int32(upper)) {
			return "", nil, failure.New(failure.ProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)")
		}
		dims = append(dims, ArrayDim{Len: int32(upper - lower + 1), Lower: int32(lower)})
	}
	if dims == nil {
		if !strings.HasPrefix(rest, "{") {
			return "", nil, errArray(s, "Array value must start with \"{\" or dimension information.")
		}
		return rest, nil, nil
	}
	if !strings.HasPrefix(rest, "=") {
		return "", nil, errArray(s, "Missing \"=\" after array dimensions.")
	}
	rest = rest[1:]
	skip()
	if !strings.HasPrefix(rest, "{") {
		return "", nil, errArray(s, "Array contents must start with \"{\".")
	}
	return rest, dims, nil
}

func arrayBound(s string) (v int64, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	v, err := strconv.ParseInt(s[:i], 10, 64)
	return v, s[i:], err == nil
}

func errTooManyDims(n int) error {
	return failure.New(failure.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, MaxDims)
}

func (r *arrayReader) bad(detail string) error { return errArray(r.s, detail) }

func (r *arrayReader) unexpected(c byte) error {
	return r.bad("Unexpected \"" + string(c) + "\" character.")
}

func (r *arrayReader) read() error {
	for ; r.i < len(r.s); r.i++ {
		var err error
		switch c := r.s[r.i]; {
		case r.state == arrayQuotedStarted && c != '"' && c != '\\':
			r.push(c)
		case c == '\\':
			err = r.escape()
		case c == '"':
			err = r.quote()
		case c == '{':
			err = r.open()
		case c == '}':
			if err = r.close(); err == nil && r.level == 0 {
				return r.tail()
			}
		case c == ',':
			err = r.delimiter()
		case isSpace(c):
			if r.state == arrayElemStarted {
				r.elem = append(r.elem, c)
			}
		default:
			if r.state != arrayLevelStarted && r.state != arrayElemStarted && r.state != arrayElemDelimited {
				return r.bad("Unexpected array element.")
			}
			r.startElem()
			r.state = arrayElemStarted
			r.push(c)
		}
		if err != nil {
			return err
		}
	}
	return r.bad("Unexpected end of input.")
}

func (r *arrayReader) tail() error {
	for r.i++; r.i < len(r.s); r.i++ {
		if !isSpace(r.s[r.i]) {
			return r.bad("Junk after closing right brace.")
		}
	}
	return nil
}

func (r *arrayReader) startElem() {
	if r.state != arrayElemStarted {
		r.elem, r.keep, r.plain = nil, 0, true
	}
}

func (r *arrayReader) push(c byte) {
	r.elem = append(r.elem, c)
	r.keep = len(r.elem)
}

func (r *arrayReader) escape() error {
	switch r.state {
	case arrayLevelStarted, arrayElemStarted, arrayElemDelimited:
		r.startElem()
		r.state = arrayElemStarted
	case arrayQuotedStarted:
	default:
		return r.unexpected('\\')
	}
	if r.i++; r.i == len(r.s) {
		return r.bad("Unexpected end of input.")
	}
	r.plain = false
	r.push(r.s[r.i])
	return nil
}

func (r *arrayReader) quote() error {
	switch r.state {
	case arrayQuotedStarted:
		r.state = arrayQuotedDone
	case arrayLevelStarted, arrayElemDelimited:
		r.startElem()
		r.plain = false
		r.state = arrayQuotedStarted
	default:
		return r.bad("Unexpected array element.")
	}
	return nil
}

func (r *arrayReader) open() error {
	if r.state != arrayNothing && r.state != arrayLevelStarted && r.state != arrayLevelDelimited {
		return r.unexpected('{')
	}
	if r.level >= MaxDims {
		return errTooManyDims(r.level + 1)
	}
	r.state = arrayLevelStarted
	r.count[r.level] = 0
	r.level++
	r.ndim = max(r.ndim, r.level)
	return nil
}

// endElem hands a completed element on.
func (r *arrayReader) endElem() error {
	if r.state != arrayElemStarted && r.state != arrayQuotedDone {
		return nil
	}
	if r.level != r.ndim {
		return r.bad("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	r.count[r.level-1]++
	r.elems = append(r.elems, arrayElem{string(r.elem[:r.keep]), !r.plain})
	return nil
}

func (r *arrayReader) close() error {
	switch r.state {
	case arrayElemStarted, arrayQuotedDone, arrayLevelDone:
	case arrayLevelStarted:
		if r.level != 1 {
			return r.unexpected('}')
		}
	default:
		return r.unexpected('}')
	}
	if err := r.endElem(); err != nil {
		return err
	}
	r.state = arrayLevelDone
	r.level--
	n := r.count[r.level]
	if r.dims[r.level] != 0 && r.dims[r.level] != n {
		return r.bad("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	r.dims[r.level] = n
	if r.level > 0 {
		r.count[r.level-1]++
	}
	return nil
}

func (r *arrayReader) delimiter() error {
	switch r.state {
	case arrayLevelDone:
		r.state = arrayLevelDelimited
		return nil
	case arrayElemStarted, arrayQuotedDone:
		if err := r.endElem(); err != nil {
			return err
		}
		r.state = arrayElemDelimited
		return nil
	}
	return r.unexpected(',')
}

func appendArray(b []byte, t OID, a *Array, env *Env) []byte {
	if t == OIDInt2Vector || t == OIDOidVector {
		for i, e := range a.Elems {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendIntText(b, a.ElemType, e.Int(), env)
		}
		return b
	}
	if len(a.Elems) == 0 {
		return append(b, "{}"...)
	}
	for _, d := range a.Dims {
		if d.Lower != 1 {
			b = appendBounds(b, a.Dims)
			break
		}
	}
	b, _ = appendLevel(b, a, 0, 0, env)
	return b
}

func appendBounds(b []byte, dims []ArrayDim) []byte {
	for _, d := range dims {
		b = strconv.AppendInt(append(b, '['), int64(d.Lower), 10)
		b = strconv.AppendInt(append(b, ':'), int64(d.Lower)+int64(d.Len)-1, 10)
		b = append(b, ']')
	}
	return append(b, '=')
}

// appendLevel prints the sub-array of one dimension whose first element is next.
func appendLevel(b []byte, a *Array, dim, next int, env *Env) ([]byte, int) {
	b = append(b, '{')
	for i := range int(a.Dims[dim].Len) {
		if i > 0 {
			b = append(b, ',')
		}
		if dim+1 < len(a.Dims) {
			b, next = appendLevel(b, a, dim+1, next, env)
			continue
		}
		if e := a.Elems[next]; e.IsNull() {
			b = append(b, "NULL"...)
		} else {
			start := len(b)
			b = quoteArrayElem(AppendText(b, T(a.ElemType), e, env), start)
		}
		next++
	}
	return append(b, '}'), next
}

// quoteArrayElem puts quotes around b[start:] when it needs them.
func quoteArrayElem(b []byte, start int) []byte {
	text := b[start:]
	quote := len(text) == 0 || len(text) == 4 && strings.EqualFold(string(text), "null")
	for _, c := range text {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || isSpace(c) {
			quote = true
			break
		}
	}
	if !quote {
		return b
	}
	raw := string(text)
	b = append(b[:start], '"')
	for i := 0; i < len(raw); i++ {
		if raw[i] == '"' || raw[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, raw[i])
	}
	return append(b, '"')
}

func parseVector(t OID, s string) (Datum, error) {
	a := &Array{ElemType: ElemOf(t)}
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < 128 && isSpace(byte(r)) }) {
		var d Datum
		var err error
		if t == OIDInt2Vector {
			d, err = parseInt(f, 16, "smallint")
		} else {
			d, err = parseOid(f, "oid")
		}
		if err != nil {
			return Null, err
		}
		a.Elems = append(a.Elems, d)
	}
	if len(a.Elems) > 0 {
		a.Dims = []ArrayDim{{Len: int32(len(a.Elems)), Lower: 0}}
	}
	return NewArray(a), nil
}

func appendRecord(b []byte, r *Record, env *Env) []byte {
	b = append(b, '(')
	for i, v := range r.Values {
		if i > 0 {
			b = append(b, ',')
		}
		if v.IsNull() {
			continue
		}
		t := T(OIDText)
		if i < len(r.Types) {
			t = r.Types[i]
		}
		start := len(b)
		b = quoteField(AppendText(b, t, v, env), start)
	}
	return append(b, ')')
}

// quoteField puts quotes around b[start:] when a row's or range's text needs them.
func quoteField(b []byte, start int) []byte {
	text := b[start:]
	quote := len(text) == 0
	for _, c := range text {
		if c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || isSpace(c) {
			quote = true
			break
		}
	}
	if !quote {
		return b
	}
	return doubleQuote(b, start)
}

func doubleQuote(b []byte, start int) []byte {
	raw := string(b[start:])
	b = append(b[:start], '"')
	for i := 0; i < len(raw); i++ {
		if raw[i] == '"' || raw[i] == '\\' {
			b = append(b, raw[i])
		}
		b = append(b, raw[i])
	}
	return append(b, '"')
}

func errRecord(s, detail string) error {
	return failure.New(failure.InvalidTextRepresentation, "malformed record literal: \"%s\"", s).WithDetail("%s", detail)
}

// ParseRecord reads a row value whose columns have the given types.
func ParseRecord(types []Type, s string, env *Env) (Datum, error) {
	v := s
	for v != "" && isSpace(v[0]) {
		v = v[1:]
	}
	if !strings.HasPrefix(v, "(") {
		return Null, errRecord(s, "Missing left parenthesis.")
	}
	v = v[1:]
	rec := &Record{Types: types, Values: make([]Datum, len(types))}
	for i, t := range types {
		if i > 0 {
			if !strings.HasPrefix(v, ",") {
				return Null, errRecord(s, "Too few columns.")
			}
			v = v[1:]
		}
		if v != "" && (v[0] == ',' || v[0] == ')') {
			continue
		}
		field, rest, ok := scanQuoted(v, ",)")
		if !ok {
			return Null, errRecord(s, "Unexpected end of input.")
		}
		v = rest
		d, err := ParseText(t, field, env)
		if err != nil {
			return Null, err
		}
		rec.Values[i] = d
	}
	if !strings.HasPrefix(v, ")") {
		return Null, errRecord(s, "Too many columns.")
	}
	if !onlySpace(v[1:]) {
		return Null, errRecord(s, "Junk after right parenthesis.")
	}
	return NewRecord(rec), nil
}

func onlySpace(s string) bool { return trimSpace(s) == "" }

// scanQuoted reads up to one of the stops outside quotes; quotes and backslashes are taken away.
func scanQuoted(s, stops string) (field, rest string, ok bool) {
	var b []byte
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case !quoted && strings.IndexByte(stops, c) >= 0:
			return string(b), s[i:], true
		case c == '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			b = append(b, s[i])
		case c == '"':
			if quoted && i+1 < len(s) && s[i+1] == '"' {
				b = append(b, '"')
				i++
			} else {
				quoted = !quoted
			}
		default:
			b = append(b, c)
		}
	}
	return "", "", false
}
