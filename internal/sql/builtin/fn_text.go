package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// maxTextBytes is the largest text that a function makes: PostgreSQL's limit on one allocation.
const maxTextBytes = 1<<30 - 1

func tooLong() error {
	return failure.New(failure.ProgramLimitExceeded, "requested length too large")
}

// registerText registers functions on character strings. Meridian has the C collation: case and classes are ASCII's.
func registerText(r *registry) {
	r.textBasics()
	r.textParts()
	r.textTrim()
	r.textPad()
	r.textCasts()
}

// text1 registers a function from text to text.
func (r *registry) text1(name string, f func(s string) string) {
	r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return datum.NewText(f(a[0].Text())), nil }
}

// count1 registers a function from text to a number.
func (r *registry) count1(name string, f func(s string) int) {
	r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(f(a[0].Text()))), nil
	}
}

func trimBlanks(s string) string { return strings.TrimRight(s, " ") }

// runeLen counts characters, quickly for ASCII.
func runeLen(s string) int { return utf8.RuneCountInString(s) }

func (r *registry) textBasics() {
	r.count1("textlen", runeLen)
	r.count1("bpcharlen", func(s string) int { return runeLen(trimBlanks(s)) })
	bytes := func(s string) int { return len(s) }
	r.count1("textoctetlen", bytes)
	r.count1("bpcharoctetlen", bytes)
	r.count1("byteaoctetlen", bytes)
	r.count1("bit_length(text)", func(s string) int { return 8 * len(s) })
	r.count1("bit_length(bytea)", func(s string) int { return 8 * len(s) })
	r.impl["textcat"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Text(), a[1].Text()
		if len(x)+len(y) > maxTextBytes {
			return datum.Null, tooLong()
		}
		return datum.NewText(x + y), nil
	}
	r.text1("lower", lowerASCII)
	r.text1("upper", upperASCII)
	r.text1("initcap", initcap)
	r.text1("text_reverse", reverse)
	r.count1("ascii", func(s string) int {
		if s == "" {
			return 0
		}
		c, _ := utf8.DecodeRuneInString(s)
		return int(c)
	})
	r.impl["chr"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return chr(a[0].Int()) }
	r.impl["repeat"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, n := a[0].Text(), max(a[1].Int(), 0)
		if int64(len(s))*n > maxTextBytes {
			return datum.Null, tooLong()
		}
		return datum.NewText(strings.Repeat(s, int(n))), nil
	}
	r.impl["text_starts_with"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBool(strings.HasPrefix(a[0].Text(), a[1].Text())), nil
	}
	r.impl["replace_text"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, from := a[0].Text(), a[1].Text()
		if s == "" || from == "" || !strings.Contains(s, from) {
			return a[0], nil
		}
		return datum.NewText(strings.ReplaceAll(s, from, a[2].Text())), nil
	}
	r.impl["translate"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(translate(a[0].Text(), a[1].Text(), a[2].Text())), nil
	}
}

func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func upperASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'a' && s[i] <= 'z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'a' && b[i] <= 'z' {
					b[i] -= 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func initcap(s string) string {
	b := []byte(lowerASCII(s))
	inWord := false
	for i, c := range b {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !inWord && c >= 'a' && c <= 'z' {
			b[i] -= 'a' - 'A'
		}
		inWord = alnum
	}
	return string(b)
}

func reverse(s string) string {
	b := make([]byte, len(s))
	n := len(s)
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		copy(b[n-i-size:], s[i:i+size])
		i += size
	}
	return string(b)
}

func chr(n int64) (datum.Datum, error) {
	switch {
	case n == 0:
		return datum.Null, failure.New(failure.ProgramLimitExceeded, "null character not permitted")
	case n < 0:
		return datum.Null, failure.New(failure.InvalidParameterValue, "character number must be positive")
	case n > 0x10ffff:
		return datum.Null, failure.New(failure.ProgramLimitExceeded, "requested character too large for encoding: %d", n)
	case n >= 0xd800 && n <= 0xdfff:
		return datum.Null, failure.New(failure.ProgramLimitExceeded,
			"requested character not valid for encoding: %d", n)
	}
	return datum.NewText(string(rune(n))), nil
}

func translate(s, from, to string) string {
	var b strings.Builder
	target := []rune(to)
	for _, c := range s {
		i, n := 0, -1
		for _, f := range from {
			if f == c {
				n = i
				break
			}
			i++
		}
		switch {
		case n < 0:
			b.WriteRune(c)
		case n < len(target):
			b.WriteRune(target[n])
		}
	}
	return b.String()
}

func (r *registry) textParts() {
	r.impl["text_substr"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[2].Int() < 0 {
			return datum.Null, failure.New(failure.SubstringError, "negative substring length not allowed")
		}
		return datum.NewText(substr(a[0].Text(), a[1].Int(), a[2].Int())), nil
	}
	r.impl["text_substr_no_len"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(substr(a[0].Text(), a[1].Int(), 1<<32)), nil
	}
	r.impl["textpos"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		i := strings.Index(a[0].Text(), a[1].Text())
		if i < 0 {
			return datum.NewInt(0), nil
		}
		return datum.NewInt(int64(runeLen(a[0].Text()[:i]) + 1)), nil
	}
	r.impl["text_left"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, n := a[0].Text(), a[1].Int()
		if n < 0 {
			n = max(int64(runeLen(s))+n, 0)
		}
		return datum.NewText(substr(s, 1, n)), nil
	}
	r.impl["text_right"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, n := a[0].Text(), a[1].Int()
		if n >= 0 {
			n = max(int64(runeLen(s))-n, 0)
		} else if n = -n; n > 1<<31-1 { // PostgreSQL negates in 32 bits
			n = 0
		}
		return datum.NewText(substr(s, n+1, 1<<32)), nil
	}
	r.impl["textoverlay"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return overlay(a[0].Text(), a[1].Text(), a[2].Int(), a[3].Int())
	}
	r.impl["textoverlay_no_len"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return overlay(a[0].Text(), a[1].Text(), a[2].Int(), int64(runeLen(a[1].Text())))
	}
	r.impl["split_part"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return splitPart(a[0].Text(), a[1].Text(), a[2].Int())
	}
}

// substr returns up to n characters from the start-th (from 1); a start below 1 eats into n.
func substr(s string, start, n int64) string {
	end := start + n // callers pass at most 1<<32 for n
	start = max(start, 1)
	if end <= start {
		return ""
	}
	from := skipRunes(s, start-1)
	return s[from : from+skipRunes(s[from:], end-start)]
}

// skipRunes returns the offset of the n-th character, len(s) when there are fewer.
func skipRunes(s string, n int64) int {
	if n >= int64(len(s)) {
		return len(s)
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i
}

func overlay(s, with string, start, n int64) (datum.Datum, error) {
	if start <= 0 {
		return datum.Null, failure.New(failure.SubstringError, "negative substring length not allowed")
	}
	if start+n > 1<<31-1 {
		return datum.Null, widthOf(4).outOfRange()
	}
	return datum.NewText(substr(s, 1, start-1) + with + substr(s, start+n, 1<<32)), nil
}

func splitPart(s, sep string, n int64) (datum.Datum, error) {
	if n == 0 {
		return datum.Null, failure.New(failure.InvalidParameterValue, "field position must not be zero")
	}
	if s == "" {
		return datum.NewText(""), nil
	}
	if sep == "" {
		if n == 1 || n == -1 {
			return datum.NewText(s), nil
		}
		return datum.NewText(""), nil
	}
	if n < 0 {
		if n = int64(strings.Count(s, sep)) + 2 + n; n <= 0 {
			return datum.NewText(""), nil
		}
	}
	for ; n > 1; n-- {
		_, after, ok := strings.Cut(s, sep)
		if !ok {
			return datum.NewText(""), nil
		}
		s = after
	}
	part, _, _ := strings.Cut(s, sep)
	return datum.NewText(part), nil
}

func (r *registry) textTrim() {
	trim := func(name string, f func(s, set string) string) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewText(f(a[0].Text(), a[1].Text())), nil
		}
		r.impl[name+"1"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewText(f(a[0].Text(), " ")), nil
		}
	}
	trim("btrim", strings.Trim)
	trim("ltrim", strings.TrimLeft)
	trim("rtrim", strings.TrimRight)
	trimBytes := func(name string, left, right bool) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			b, set := a[0].Text(), a[1].Text()
			for left && b != "" && strings.IndexByte(set, b[0]) >= 0 {
				b = b[1:]
			}
			for right && b != "" && strings.IndexByte(set, b[len(b)-1]) >= 0 {
				b = b[:len(b)-1]
			}
			return datum.NewBytes([]byte(b)), nil
		}
	}
	trimBytes("byteatrim", true, true)
	trimBytes("bytealtrim", true, false)
	trimBytes("byteartrim", false, true)
}

func (r *registry) textPad() {
	for _, left := range []bool{true, false} {
		name := "rpad"
		if left {
			name = "lpad"
		}
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return pad(a[0].Text(), a[1].Int(), a[2].Text(), left)
		}
		r.impl[name+"(text,int4)"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return pad(a[0].Text(), a[1].Int(), " ", left)
		}
	}
}

func pad(s string, n int64, fill string, left bool) (datum.Datum, error) {
	n = max(n, 0)
	have := int64(runeLen(s))
	if have >= n || fill == "" {
		return datum.NewText(substr(s, 1, n)), nil
	}
	if n*4 > maxTextBytes {
		return datum.Null, tooLong()
	}
	missing := n - have
	fillLen := int64(runeLen(fill))
	p := strings.Repeat(fill, int(missing/fillLen)) + substr(fill, 1, missing%fillLen)
	if left {
		return datum.NewText(p + s), nil
	}
	return datum.NewText(s + p), nil
}

// nameBytes is the longest name: NAMEDATALEN-1.
const nameBytes = 63

// truncateName cuts a name at a character boundary.
func truncateName(s string) string {
	if len(s) <= nameBytes {
		return s
	}
	n := nameBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (r *registry) textCasts() {
	r.impl["name_text"] = identity
	r.impl["text_name"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(truncateName(a[0].Text())), nil
	}
	r.impl["name_bpchar"] = identity
	r.impl["bpchar_name"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(trimBlanks(truncateName(a[0].Text()))), nil
	}
	r.impl["nameconcatoid"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		suffix := "_" + itoa(a[1].Int())
		s := a[0].Text()
		if len(s)+len(suffix) > nameBytes {
			s = s[:skipBytes(s, nameBytes-len(suffix))]
		}
		return datum.NewText(s + suffix), nil
	}
	r.impl["booltext"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Bool() {
			return datum.NewText("true"), nil
		}
		return datum.NewText("false"), nil
	}
	r.impl["varchar"] = castVarchar
	r.impl["bpchar"] = castBpchar
	first := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s := a[0].Text()
		if s != "" && s[0] < utf8.RuneSelf {
			s = s[:1]
		}
		return datum.NewText(s), nil
	}
	r.impl["text_char"], r.impl["char_text"], r.impl["char_bpchar"] = first, identity, identity
	r.impl["chartoi4"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if s := a[0].Text(); s != "" {
			return datum.NewInt(int64(int8(s[0]))), nil
		}
		return datum.NewInt(0), nil
	}
	r.impl["i4tochar"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		n := a[0].Int()
		if n < -128 || n > 127 {
			return datum.Null, failure.New(failure.NumericValueOutOfRange, `"char" out of range`)
		}
		if n == 0 {
			return datum.NewText(""), nil
		}
		return datum.NewText(string([]byte{byte(n)})), nil
	}
}

func skipBytes(s string, n int) int {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return min(n, len(s))
}

// castVarchar fits a value to varchar(n): (value, typmod, explicit). Only blanks may be lost without an explicit cast.
func castVarchar(_ *Context, a []datum.Datum) (datum.Datum, error) {
	s, n := a[0].Text(), a[1].Int()-4
	if n < 0 || int64(len(s)) <= n {
		return a[0], nil
	}
	at := skipRunes(s, n)
	if at == len(s) {
		return a[0], nil
	}
	if !a[2].Bool() && strings.Trim(s[at:], " ") != "" {
		return datum.Null, failure.New(failure.StringDataRightTruncation,
			"value too long for type character varying(%d)", n)
	}
	return datum.NewText(s[:at]), nil
}

// maxCharLen is the greatest n of character(n).
const maxCharLen = 10485760

// castBpchar fits a value to character(n), padding with blanks.
func castBpchar(_ *Context, a []datum.Datum) (datum.Datum, error) {
	s, n := a[0].Text(), a[1].Int()-4
	if n < 0 {
		return a[0], nil
	}
	have := int64(runeLen(s))
	if have <= n {
		if have == n {
			return a[0], nil
		}
		if n > maxCharLen {
			return datum.Null, failure.New(failure.InvalidParameterValue, "length for type char cannot exceed %d", maxCharLen)
		}
		return datum.NewText(s + strings.Repeat(" ", int(n-have))), nil
	}
	at := skipRunes(s, n)
	if !a[2].Bool() && strings.Trim(s[at:], " ") != "" {
		return datum.Null, failure.New(failure.StringDataRightTruncation, "value too long for type character(%d)", n)
	}
	return datum.NewText(s[:at]), nil
}
