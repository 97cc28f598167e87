package builtin

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// registerFormat registers quoting, concatenation of anything, format(), hashes and binary-to-text codes.
func registerFormat(r *registry) {
	r.text1("quote_ident", QuoteIdent)
	r.text1("quote_literal", QuoteLiteral)
	r.impl["quote_nullable"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.NewText("NULL"), nil
		}
		return datum.NewText(QuoteLiteral(a[0].Text())), nil
	}
	r.bind["quote_literal(anyelement)"] = bindQuote
	r.bind["quote_nullable(anyelement)"] = bindQuote
	r.bind["textanycat(text,anynonarray)"] = bindCat
	r.bind["anytextcat(anynonarray,text)"] = bindCat
	r.bind["text_concat"] = bindConcat
	r.bind["text_concat_ws"] = bindConcatWS
	r.bind["text_format"], r.bind["text_format_nv"] = bindFormat, bindFormat
	r.impl["to_hex32"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(strconv.FormatUint(uint64(uint32(a[0].Int())), 16)), nil
	}
	r.impl["to_hex64"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(strconv.FormatUint(uint64(a[0].Int()), 16)), nil
	}
	r.hashes()
	r.impl["binary_encode"] = encodeBinary
	r.impl["binary_decode"] = decodeBinary
	r.impl["unistr"] = unistr
	r.impl["parse_ident"] = parseIdent
}

// QuoteLiteral quotes a string as an SQL literal: quote_literal.
func QuoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		q = " E" + strings.ReplaceAll(q, `\`, `\\`)
		return q[1:]
	}
	return q
}

func bindQuote(call *Call) (Impl, error) {
	t := call.Args[0]
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.NewText("NULL"), nil
		}
		return datum.NewText(QuoteLiteral(c.outText(t, a[0]))), nil
	}, nil
}

func bindCat(call *Call) (Impl, error) {
	x, y := call.Args[0], call.Args[1]
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		buf := c.out(c.scratch.buf[:0], x, a[0])
		buf = c.out(buf, y, a[1])
		c.scratch.buf = buf
		return datum.NewText(string(buf)), nil
	}, nil
}

// variadicArgs returns the values and types of the arguments from the first-th on, which come as an array when the
// call was marked VARIADIC; ok is false when that array is NULL.
func variadicArgs(call *Call, a []datum.Datum, first int) (vals []datum.Datum, types []datum.Type, ok bool) {
	if !call.Variadic {
		return a[first:], call.Args[first:], true
	}
	if a[first].IsNull() {
		return nil, nil, false
	}
	arr := a[first].Array()
	return arr.Elems, []datum.Type{datum.T(arr.ElemType)}, true
}

// typeAt gives the type of the i-th variadic value: an array has one type for all.
func typeAt(types []datum.Type, call *Call, i int) datum.Type {
	if call.Variadic {
		return types[0]
	}
	return types[i]
}

func checkVariadicArray(call *Call, i int) error {
	if call.Variadic && call.Facts.BaseElementType(call.argType(i)) == 0 {
		return failure.New(failure.DatatypeMismatch, "VARIADIC argument must be an array")
	}
	return nil
}

func bindConcat(call *Call) (Impl, error) {
	if err := checkVariadicArray(call, 0); err != nil {
		return nil, err
	}
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		vals, types, ok := variadicArgs(call, a, 0)
		if !ok {
			return datum.Null, nil
		}
		buf := c.scratch.buf[:0]
		for i, v := range vals {
			if !v.IsNull() {
				buf = c.out(buf, typeAt(types, call, i), v)
			}
		}
		c.scratch.buf = buf
		return datum.NewText(string(buf)), nil
	}, nil
}

func bindConcatWS(call *Call) (Impl, error) {
	if err := checkVariadicArray(call, 1); err != nil {
		return nil, err
	}
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		vals, types, ok := variadicArgs(call, a, 1)
		if !ok {
			return datum.Null, nil
		}
		buf, first := c.scratch.buf[:0], true
		for i, v := range vals {
			if v.IsNull() {
				continue
			}
			if !first {
				buf = append(buf, a[0].Text()...)
			}
			first = false
			buf = c.out(buf, typeAt(types, call, i), v)
		}
		c.scratch.buf = buf
		return datum.NewText(string(buf)), nil
	}, nil
}

// formatSpec is one %-specifier of format().
type formatSpec struct {
	arg      int // from 1; 0: the next
	width    int
	widthArg int // -1: the next, 0: none
	left     bool
	kind     byte
}

func bindFormat(call *Call) (Impl, error) {
	if err := checkVariadicArray(call, 1); err != nil {
		return nil, err
	}
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		f := formatter{call: call, c: c}
		if len(a) > 1 {
			f.vals, f.types, _ = variadicArgs(call, a, 1)
		}
		s, err := f.run(a[0].Text())
		return s, err
	}, nil
}

type formatter struct {
	call  *Call
	c     *Context
	vals  []datum.Datum
	types []datum.Type
	next  int // index of the next sequential argument
}

func (f *formatter) run(s string) (datum.Datum, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i >= len(s) {
			return datum.Null, unterminatedFormat()
		}
		if s[i] == '%' {
			b.WriteByte('%')
			continue
		}
		spec, n, err := parseFormatSpec(s[i:])
		if err != nil {
			return datum.Null, err
		}
		i += n
		if err := f.one(&b, spec); err != nil {
			return datum.Null, err
		}
	}
	return datum.NewText(b.String()), nil
}

func unterminatedFormat() error {
	return failure.New(failure.InvalidParameterValue, "unterminated format() type specifier").
		WithHint(`For a single "%" use "%%".`)
}

// parseFormatSpec reads [n$][-][width|*|*n$]kind; n is the offset of the kind.
func parseFormatSpec(s string) (spec formatSpec, n int, err error) {
	digits := func() (v int, ok bool) {
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			v, ok = v*10+int(s[n]-'0'), true
			if v > 1<<31-1 {
				err = failure.New(failure.NumericValueOutOfRange, "number is out of range")
				return 0, false
			}
			n++
		}
		return v, ok
	}
	if v, ok := digits(); ok {
		if n < len(s) && s[n] == '$' {
			if spec.arg = v; v == 0 {
				return spec, n, formatArgZero()
			}
			n++
		} else {
			spec.width = v
		}
	}
	if err != nil {
		return spec, n, err
	}
	if spec.width == 0 {
		for n < len(s) && s[n] == '-' {
			spec.left = true
			n++
		}
		if n < len(s) && s[n] == '*' {
			n++
			spec.widthArg = -1
			if v, ok := digits(); ok {
				if n >= len(s) || s[n] != '$' {
					return spec, n, failure.New(failure.InvalidParameterValue,
						`width argument position must be ended by "$"`)
				}
				if v == 0 {
					return spec, n, formatArgZero()
				}
				spec.widthArg = v
				n++
			}
		} else {
			spec.width, _ = digits()
		}
	}
	if err != nil {
		return spec, n, err
	}
	if n >= len(s) {
		return spec, n, unterminatedFormat()
	}
	spec.kind = s[n]
	if strings.IndexByte("sIL", spec.kind) < 0 {
		r, _ := utf8.DecodeRuneInString(s[n:])
		return spec, n, failure.New(failure.InvalidParameterValue,
			`unrecognized format() type specifier "%c"`, r).WithHint(`For a single "%" use "%%".`)
	}
	return spec, n, nil
}

func formatArgZero() error {
	return failure.New(failure.InvalidParameterValue,
		"format specifies argument 0, but arguments are numbered from 1")
}

// take returns argument n (from 1), or the next when n is not positive.
func (f *formatter) take(n int) (datum.Datum, datum.Type, error) {
	if n <= 0 {
		n = f.next + 1
	}
	f.next = n
	if n > len(f.vals) {
		return datum.Null, datum.Type{}, failure.New(failure.InvalidParameterValue, "too few arguments for format()")
	}
	return f.vals[n-1], typeAt(f.types, f.call, n-1), nil
}

func (f *formatter) one(b *strings.Builder, spec formatSpec) error {
	width := spec.width
	if spec.widthArg != 0 {
		v, t, err := f.take(spec.widthArg)
		if err != nil {
			return err
		}
		if !v.IsNull() {
			if v.Kind() == datum.KindInt {
				width = int(v.Int())
			} else {
				n, err := strconv.Atoi(f.c.outText(t, v))
				if err != nil {
					return failure.New(failure.InvalidTextRepresentation,
						`invalid input syntax for type integer: "%s"`, f.c.outText(t, v))
				}
				width = n
			}
		}
		if width < 0 {
			spec.left, width = true, -width
		}
	}
	v, t, err := f.take(spec.arg)
	if err != nil {
		return err
	}
	var s string
	switch {
	case !v.IsNull():
		s = f.c.outText(t, v)
		switch spec.kind {
		case 'I':
			s = QuoteIdent(s)
		case 'L':
			s = QuoteLiteral(s)
		}
	case spec.kind == 'I':
		return failure.New(failure.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case spec.kind == 'L':
		s = "NULL"
	}
	fill := width - runeLen(s)
	if fill > maxTextBytes {
		return tooLong()
	}
	if fill > 0 && !spec.left {
		b.WriteString(strings.Repeat(" ", fill))
	}
	b.WriteString(s)
	if fill > 0 && spec.left {
		b.WriteString(strings.Repeat(" ", fill))
	}
	return nil
}

func (r *registry) hashes() {
	md := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		sum := md5.Sum(a[0].Bytes())
		return datum.NewText(hex.EncodeToString(sum[:])), nil
	}
	r.impl["md5_text"], r.impl["md5_bytea"] = md, md
	r.impl["sha224_bytea"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		sum := sha256.Sum224(a[0].Bytes())
		return datum.NewBytes(sum[:]), nil
	}
	r.impl["sha256_bytea"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		sum := sha256.Sum256(a[0].Bytes())
		return datum.NewBytes(sum[:]), nil
	}
	r.impl["sha384_bytea"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		sum := sha512.Sum384(a[0].Bytes())
		return datum.NewBytes(sum[:]), nil
	}
	r.impl["sha512_bytea"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		sum := sha512.Sum512(a[0].Bytes())
		return datum.NewBytes(sum[:]), nil
	}
}

func unknownEncoding(name string) error {
	return failure.New(failure.InvalidParameterValue, `unrecognized encoding: "%s"`, name)
}

func encodeBinary(_ *Context, a []datum.Datum) (datum.Datum, error) {
	b := a[0].Bytes()
	switch strings.ToLower(a[1].Text()) {
	case "hex":
		return datum.NewText(hex.EncodeToString(b)), nil
	case "base64":
		s := base64.StdEncoding.EncodeToString(b)
		var out strings.Builder
		for len(s) > 76 {
			out.WriteString(s[:76] + "\n")
			s = s[76:]
		}
		return datum.NewText(out.String() + s), nil
	case "escape":
		var out strings.Builder
		for _, c := range b {
			switch {
			case c == 0 || c >= utf8.RuneSelf:
				out.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
			case c == '\\':
				out.WriteString(`\\`)
			default:
				out.WriteByte(c)
			}
		}
		return datum.NewText(out.String()), nil
	}
	return datum.Null, unknownEncoding(a[1].Text())
}

func decodeBinary(_ *Context, a []datum.Datum) (datum.Datum, error) {
	s := a[0].Text()
	var b []byte
	var err error
	switch strings.ToLower(a[1].Text()) {
	case "hex":
		b, err = decodeHex(s)
	case "base64":
		b, err = decodeBase64(s)
	case "escape":
		b, err = decodeEscape(s)
	default:
		err = unknownEncoding(a[1].Text())
	}
	if err != nil {
		return datum.Null, err
	}
	return datum.NewBytes(b), nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func decodeHex(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/2)
	nibble := func(c byte) (byte, bool) {
		switch {
		case c >= '0' && c <= '9':
			return c - '0', true
		case c >= 'a' && c <= 'f':
			return c - 'a' + 10, true
		case c >= 'A' && c <= 'F':
			return c - 'A' + 10, true
		}
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if isSpace(s[i]) {
			continue
		}
		hi, ok := nibble(s[i])
		if !ok {
			return nil, badHexDigit(s[i:])
		}
		if i++; i >= len(s) {
			return nil, failure.New(failure.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo, ok := nibble(s[i])
		if !ok {
			return nil, badHexDigit(s[i:])
		}
		out = append(out, hi<<4|lo)
	}
	return out, nil
}

func badHexDigit(s string) error {
	r, _ := utf8.DecodeRuneInString(s)
	return failure.New(failure.InvalidParameterValue, `invalid hexadecimal digit: "%c"`, r)
}

func decodeBase64(s string) ([]byte, error) {
	var out []byte
	var acc uint32
	pos, end := 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		var v uint32
		switch {
		case isSpace(c):
			continue
		case c == '=':
			if end == 0 {
				switch pos {
				case 2:
					end = 1
				case 3:
					end = 2
				default:
					return nil, failure.New(failure.InvalidParameterValue,
						"unexpected \"=\" while decoding base64 sequence")
				}
			}
		case c >= 'A' && c <= 'Z':
			v = uint32(c - 'A')
		case c >= 'a' && c <= 'z':
			v = uint32(c-'a') + 26
		case c >= '0' && c <= '9':
			v = uint32(c-'0') + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		default:
			r, _ := utf8.DecodeRuneInString(s[i:])
			return nil, failure.New(failure.InvalidParameterValue,
				`invalid symbol "%c" found while decoding base64 sequence`, r)
		}
		acc = acc<<6 | v
		if pos++; pos == 4 {
			out = append(out, byte(acc>>16))
			if end == 0 || end > 1 {
				out = append(out, byte(acc>>8))
			}
			if end == 0 || end > 2 {
				out = append(out, byte(acc))
			}
			acc, pos = 0, 0
		}
	}
	if pos != 0 {
		return nil, failure.New(failure.InvalidParameterValue, "invalid base64 end sequence").
			WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
	}
	return out, nil
}

func decodeEscape(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	octal := func(c, top byte) bool { return c >= '0' && c <= top }
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			out = append(out, s[i])
		case i+3 < len(s) && octal(s[i+1], '3') && octal(s[i+2], '7') && octal(s[i+3], '7'):
			out = append(out, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|s[i+3]-'0')
			i += 3
		case i+1 < len(s) && s[i+1] == '\\':
			out = append(out, '\\')
			i++
		default:
			return nil, failure.New(failure.InvalidTextRepresentation, "invalid input syntax for type %s", "bytea")
		}
	}
	return out, nil
}

// unistr decodes \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX.
func unistr(_ *Context, a []datum.Datum) (datum.Datum, error) {
	s := a[0].Text()
	bad := func() (datum.Datum, error) {
		return datum.Null, failure.New(failure.SyntaxError, "invalid Unicode escape").
			WithHint(`Unicode escapes must be \XXXX, \+XXXXXX, \uXXXX, or \UXXXXXXXX.`)
	}
	var b strings.Builder
	var high rune
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 < len(s) && s[i+1] == '\\' {
			if high != 0 {
				return datum.Null, failure.New(failure.SyntaxError, "invalid Unicode surrogate pair")
			}
			b.WriteByte(s[i])
			if s[i] == '\\' {
				i++
			}
			i++
			continue
		}
		from, n := i+1, 4
		if from < len(s) {
			switch s[from] {
			case '+':
				from, n = from+1, 6
			case 'u':
				from, n = from+1, 4
			case 'U':
				from, n = from+1, 8
			}
		}
		if from+n > len(s) {
			return bad()
		}
		v, err := strconv.ParseUint(s[from:from+n], 16, 32)
		if err != nil {
			return bad()
		}
		i = from + n
		r := rune(v)
		switch {
		case v == 0 || v > 0x10ffff:
			return datum.Null, failure.New(failure.InvalidParameterValue, "invalid Unicode code point: %04X", v)
		case high != 0:
			if r < 0xdc00 || r > 0xdfff {
				return datum.Null, failure.New(failure.SyntaxError, "invalid Unicode surrogate pair")
			}
			r, high = 0x10000+(high-0xd800)<<10+(r-0xdc00), 0
		case r >= 0xd800 && r <= 0xdbff:
			high = r
			continue
		case r >= 0xdc00 && r <= 0xdfff:
			return datum.Null, failure.New(failure.SyntaxError, "invalid Unicode surrogate pair")
		}
		b.WriteRune(r)
	}
	if high != 0 {
		return datum.Null, failure.New(failure.SyntaxError, "invalid Unicode surrogate pair")
	}
	return datum.NewText(b.String()), nil
}

// parseIdent splits a qualified name.
func parseIdent(_ *Context, a []datum.Datum) (datum.Datum, error) {
	whole, strict := a[0].Text(), a[1].Bool()
	fail := func(detail string) (datum.Datum, error) {
		e := failure.New(failure.InvalidParameterValue, `string is not a valid identifier: "%s"`, whole)
		if detail != "" {
			e = e.WithDetail("%s", detail)
		}
		return datum.Null, e
	}
	s := strings.TrimLeft(whole, " \t\n\r\f\v")
	var out []datum.Datum
	afterDot := false
	for {
		switch {
		case strings.HasPrefix(s, `"`):
			var b strings.Builder
			i := 1
			for ; i < len(s); i++ {
				if s[i] == '"' {
					if i+1 < len(s) && s[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(s[i])
			}
			if i >= len(s) {
				return fail("String has unclosed double quotes.")
			}
			if b.Len() == 0 {
				return fail("Quoted identifier must not be empty.")
			}
			out = append(out, datum.NewText(b.String()))
			s = s[i+1:]
		case s != "" && isIdentStart(s[0]):
			i := 1
			for i < len(s) && isIdentPart(s[i]) {
				i++
			}
			out = append(out, datum.NewText(lowerASCII(s[:i])))
			s = s[i:]
		case strings.HasPrefix(s, "."):
			return fail(`No valid identifier before ".".`)
		case afterDot:
			return fail(`No valid identifier after ".".`)
		default:
			return fail("")
		}
		s = strings.TrimLeft(s, " \t\n\r\f\v")
		if !strings.HasPrefix(s, ".") {
			break
		}
		afterDot = true
		s = strings.TrimLeft(s[1:], " \t\n\r\f\v")
	}
	if s != "" && strict {
		return fail("")
	}
	return datum.NewArray1(datum.OIDText, out), nil
}

func isIdentStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func isIdentPart(c byte) bool { return isIdentStart(c) || c >= '0' && c <= '9' || c == '$' }
