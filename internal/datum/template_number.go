package datum

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// numKeys are the fields of number templates; longer names come before their prefixes.
var numKeys = [...]string{
	"EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", ",", ".", "0", "9", "B", "C", "D", "G", "L", "S", "V",
}

// numNode is a field (key) or a literal (text) of a number template.
type numNode struct {
	key   string
	lower bool
	text  string
}

// numTemplate is what the fields of a template say together.
type numTemplate struct {
	nodes []numNode

	pre, post int // digits before and after the decimal point
	multi     int // digits after V
	zeroStart int // positions of the first 0 and of the last one
	zeroEnd   int
	preSign   int // digits before S

	decimal, localDecimal, zero, blank, fill, bracket, minus, plus, roman, scientific, isMulti bool
	sign                                                                                       signPlace
}

type signPlace uint8

const (
	signNone signPlace = iota
	signBefore
	signAfter
)

func numFail(format string, args ...any) *failure.Error {
	return failure.New(failure.SyntaxError, format, args...)
}

func parseNumTemplate(f string) (*numTemplate, error) {
	t := &numTemplate{}
	for f != "" {
		if key, low := matchNum(f); key != "" {
			f = f[len(key):]
			if err := t.add(key); err != nil {
				return nil, err
			}
			t.nodes = append(t.nodes, numNode{key: key, lower: low})
			continue
		}
		if f[0] == '"' {
			var lits []dateNode
			lits, f = quotedLiteral(f[1:])
			for _, l := range lits {
				t.nodes = append(t.nodes, numNode{text: l.text})
			}
			continue
		}
		if f[0] == '\\' && len(f) > 1 && f[1] == '"' {
			f = f[1:]
		}
		_, n := utf8.DecodeRuneInString(f)
		t.nodes = append(t.nodes, numNode{text: f[:n]})
		f = f[n:]
	}
	return t, nil
}

func matchNum(f string) (key string, low bool) {
	for _, k := range numKeys {
		switch {
		case strings.HasPrefix(f, k):
			return k, false
		case strings.HasPrefix(f, strings.ToLower(k)):
			return k, true
		}
	}
	return "", false
}

// add notes what a field says about the whole template.
func (t *numTemplate) add(key string) error {
	if t.scientific && key != "EEEE" {
		return numFail("\"EEEE\" must be the last pattern used")
	}
	switch key {
	case "9", "0":
		if t.bracket {
			return numFail("\"%s\" must be ahead of \"PR\"", key)
		}
		t.addDigit(key)
	case "B":
		if t.pre == 0 && t.post == 0 && !t.zero {
			t.blank = true
		}
	case "D", ".":
		t.localDecimal = t.localDecimal || key == "D"
		if t.decimal {
			return numFail("multiple decimal points")
		}
		if t.isMulti {
			return numFail("cannot use \"V\" and decimal point together")
		}
		t.decimal = true
	case "FM":
		t.fill = true
	case "S":
		if t.sign != signNone {
			return numFail("cannot use \"S\" twice")
		}
		if t.plus || t.minus || t.bracket {
			return numFail("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together")
		}
		t.sign = signAfter
		if !t.decimal {
			t.sign, t.preSign = signBefore, t.pre
		}
	case "MI", "PL", "SG":
		if t.sign != signNone {
			return numFail("cannot use \"S\" and \"%s\" together", key)
		}
		t.minus = t.minus || key != "PL"
		t.plus = t.plus || key != "MI"
	case "PR":
		if t.sign != signNone || t.plus || t.minus {
			return numFail("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together")
		}
		t.bracket = true
	case "RN":
		t.roman = true
	case "V":
		if t.decimal {
			return numFail("cannot use \"V\" and decimal point together")
		}
		t.isMulti = true
	case "EEEE":
		if t.scientific {
			return numFail("cannot use \"EEEE\" twice")
		}
		if t.blank || t.fill || t.sign != signNone || t.bracket || t.minus || t.plus || t.roman || t.isMulti {
			return numFail("\"EEEE\" is incompatible with other formats").
				WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.")
		}
		t.scientific = true
	}
	return nil
}

func (t *numTemplate) addDigit(key string) {
	if key == "9" {
		switch {
		case t.isMulti:
			t.multi++
		case t.decimal:
			t.post++
		default:
			t.pre++
		}
		return
	}
	if !t.zero && !t.decimal {
		t.zero = true
		t.zeroStart = t.pre
	}
	if t.decimal {
		t.post++
	} else {
		t.pre++
	}
	t.zeroEnd = t.pre + t.post
}

// FormatNumeric is to_char(numeric, text); ok is false for NULL: an empty template.
func FormatNumeric(d *apd.Decimal, template string) (s string, ok bool, err error) {
	if template == "" {
		return "", false, nil
	}
	t, err := parseNumTemplate(template)
	if err != nil {
		return "", false, err
	}
	switch {
	case t.roman:
		n, err := NumericToInt(d, 32)
		if err != nil {
			return "", false, err
		}
		return t.out(toRoman(n), '+', 0), true, nil
	case t.scientific:
		if d.Form != apd.Finite {
			return t.hashes(), true, nil
		}
		return signSpace(scientific(d, t.post)), true, nil
	}
	v := d
	if t.isMulti {
		power, err := NumericPower(NumericFromInt(10), NumericFromInt(int64(t.multi)))
		if err != nil {
			return "", false, err
		}
		if v, err = NumericMul(v, power); err != nil {
			return "", false, err
		}
		t.pre += t.multi
	}
	if v, err = NumericRound(v, t.post); err != nil {
		return "", false, err
	}
	text := string(AppendNumeric(nil, v))
	sign := byte('+')
	if strings.HasPrefix(text, "-") {
		sign, text = '-', text[1:]
	}
	s, err = t.checked(t.fit(text, sign))
	return s, err == nil, err
}

// checked refuses an ordinal suffix on what is no number.
func (t *numTemplate) checked(s string) (string, error) {
	if !strings.Contains(s, "NaN") && !strings.Contains(s, "Infinity") {
		return s, nil
	}
	for _, n := range t.nodes {
		if n.key == "TH" && !t.decimal {
			return "", failure.New(failure.InvalidTextRepresentation, "\"%s\" is not a number", strings.Trim(s, " +-<>thTH"))
		}
	}
	return s, nil
}

// FormatInt is to_char(integer (bits 32) or bigint (bits 64), text).
func FormatInt(i int64, bits int, template string) (s string, ok bool, err error) {
	t, err := parseNumTemplate(template)
	if err != nil || template == "" {
		return "", false, err
	}
	if t.scientific && bits == 32 {
		return signSpace(strconv.FormatFloat(float64(i), 'e', t.post, 64)), true, nil
	}
	return FormatNumeric(NumericFromInt(i), template)
}

// FormatFloat is to_char(real (bits 32) or double precision (bits 64), text).
func FormatFloat(f float64, bits int, template string) (s string, ok bool, err error) {
	if template == "" {
		return "", false, nil
	}
	t, err := parseNumTemplate(template)
	if err != nil {
		return "", false, err
	}
	digits := 15
	if bits == 32 {
		digits = 6
	}
	special := f != f || math.IsInf(f, 0)
	switch {
	case t.roman:
		if special || math.Abs(f) > math.MaxInt32 {
			f = 0
		}
		return t.out(toRoman(int64(math.RoundToEven(f))), '+', 0), true, nil
	case t.scientific:
		if special {
			return t.hashes(), true, nil
		}
		return signSpace(strconv.FormatFloat(f, 'e', t.post, 64)), true, nil
	}
	if t.isMulti {
		f *= math.Pow(10, float64(t.multi))
		t.pre += t.multi
	}
	sign := byte('+')
	if math.Signbit(f) && f == f {
		sign = '-'
		f = -f
	}
	text := strconv.FormatFloat(f, 'f', 0, 64)
	if special {
		if text = "Infinity"; f != f {
			text, sign = "NaN", '+'
		}
	}
	if len(text) >= digits {
		t.post = 0
	} else if len(text)+t.post > digits {
		t.post = digits - len(text)
	}
	if !special {
		text = strconv.FormatFloat(f, 'f', t.post, 64)
	}
	s, err = t.checked(t.fit(text, sign))
	return s, err == nil, err
}

// signSpace puts a blank before a number without sign.
func signSpace(s string) string {
	if strings.HasPrefix(s, "-") {
		return s
	}
	return " " + s
}

// hashes is what EEEE prints for NaN and infinities.
func (t *numTemplate) hashes() string {
	b := []byte(strings.Repeat("#", t.pre+t.post+6))
	b[0] = ' '
	if t.pre+1 < len(b) {
		b[t.pre+1] = '.'
	}
	return string(b)
}

// scientific prints with one digit before the point and scale after it.
func scientific(d *apd.Decimal, scale int) string {
	exp := 0
	v := new(apd.Decimal)
	if d.Coeff.Sign() != 0 {
		exp = int(d.NumDigits()) - 1 + int(d.Exponent)
		v.Set(d)
		v.Exponent -= int32(exp)
		v = toScale(v, scale) // 9.99 may become 10.0: PostgreSQL prints that
	} else {
		v.Exponent = int32(-scale)
	}
	b := append(AppendNumeric(nil, v), 'e')
	if exp < 0 {
		b = append(b, '-')
		exp = -exp
	} else {
		b = append(b, '+')
	}
	return string(appendPadded(b, exp, 2))
}

// fit pads the digits before the point to the template, or shows that they do not fit.
func (t *numTemplate) fit(num string, sign byte) string {
	pre := strings.IndexByte(num, '.')
	if pre < 0 {
		pre = len(num)
	}
	if pre > t.pre {
		b := []byte(strings.Repeat("#", t.pre+t.post+1))
		b[t.pre] = '.'
		return t.out(string(b), sign, 0)
	}
	return t.out(num, sign, t.pre-pre)
}

func toRoman(n int64) string {
	if n > 3999 || n < 1 {
		return strings.Repeat("#", 15)
	}
	values := [...]int64{1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1}
	letters := [...]string{"M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"}
	s := ""
	for i, v := range values {
		for ; n >= v; n -= v {
			s += letters[i]
		}
	}
	return s
}

// numWriter prints one number by a template.
type numWriter struct {
	*numTemplate
	b         []byte
	num       string
	at        int // in num
	sign      byte
	signDone  bool
	place     signPlace
	blanks    int // positions before the first digit
	current   int // position of the next digit field
	count     int
	last      int // the last digit of num that must show, in fill mode; -1 when all
	cut       int // where the output ends, because the number ran out of digits; 0 when it did not
	started   bool
	bracketed bool
}

func (t *numTemplate) out(num string, sign byte, blanks int) string {
	w := &numWriter{numTemplate: t, num: num, sign: sign, blanks: blanks, last: -1, place: t.sign, bracketed: t.bracket}
	if t.roman {
		plain := &numTemplate{nodes: t.nodes, fill: t.fill, roman: true}
		w = &numWriter{numTemplate: plain, num: num, last: -1}
	}
	w.prepare()
	for _, n := range t.nodes {
		if n.key == "" {
			w.b = append(w.b, n.text...)
			continue
		}
		w.field(n)
	}
	if w.cut > 0 {
		return string(w.b[:w.cut-1])
	}
	return string(w.b)
}

func (w *numWriter) prepare() {
	if w.plus || w.minus {
		w.signDone = !w.plus || w.minus
	} else {
		if w.sign != '-' && w.fill {
			w.bracketed = false
		}
		w.signDone = w.sign == '+' && w.fill && w.place == signNone
		if w.place == signBefore && w.pre == w.preSign {
			w.place = signAfter
		}
	}
	w.count = w.post + w.pre - 1
	if w.fill && w.decimal {
		w.last = lastRelevant(w.num)
		if w.last >= 0 && w.zeroEnd > w.blanks {
			w.last = max(w.last, min(len(w.num)-1, w.zeroEnd-w.blanks))
		}
	}
	if !w.signDone && w.blanks == 0 {
		w.count++
	}
}

// lastRelevant is the position of the last digit that is not a trailing zero, or of the point; -1 without a point.
func lastRelevant(num string) int {
	p := strings.IndexByte(num, '.')
	if p < 0 {
		return -1
	}
	last := p
	for i := p + 1; i < len(num); i++ {
		if num[i] != '0' {
			last = i
		}
	}
	return last
}

func (w *numWriter) field(n numNode) {
	switch n.key {
	case "9", "0", ".", "D":
		w.digit(n.key)
	case ",", "G":
		switch {
		case w.started:
			w.b = append(w.b, ',')
		case !w.fill:
			w.b = append(w.b, ' ')
		}
	case "L":
		w.b = append(w.b, ' ')
	case "RN":
		s := w.num
		if n.lower {
			s = strings.ToLower(s)
		}
		if !w.fill {
			s = strings.Repeat(" ", max(15-len(s), 0)) + s
		}
		w.b = append(w.b, s...)
	case "TH":
		if w.roman || strings.HasPrefix(w.num, "#") || w.sign == '-' || w.decimal {
			return
		}
		s := ordinalSuffix(w.num)
		if !n.lower {
			s = strings.ToUpper(s)
		}
		w.b = append(w.b, s...)
	case "MI", "PL":
		want := byte('-')
		if n.key == "PL" {
			want = '+'
		}
		if w.sign == want {
			w.b = append(w.b, want)
		} else if !w.fill {
			w.b = append(w.b, ' ')
		}
	case "SG":
		w.b = append(w.b, w.sign)
	}
}

// blankZero says whether the digit that is next is the zero of "0.x", which a 9 leaves away.
func (w *numWriter) blankZero() bool {
	return !w.zero && w.at == 0 && strings.HasPrefix(w.num, "0") && w.post != 0
}

func (w *numWriter) lastIsPoint() bool { return w.last >= 0 && w.num[w.last] == '.' }

func (w *numWriter) digit(key string) {
	if w.roman {
		return
	}
	w.started = false
	if !w.signDone && (w.current >= w.blanks || w.zero && w.zeroStart == w.current) && (!w.blankZero() || w.lastIsPoint()) {
		w.leadingSign()
	}
	switch {
	case w.current < w.blanks && (w.zeroStart > w.current || !w.zero):
		if !w.fill {
			w.b = append(w.b, ' ')
		}
	case w.zero && w.current < w.blanks:
		w.b = append(w.b, '0')
		w.started = true
	default:
		w.character(key)
	}
	end := w.count + boolInt(w.blanks > 0) + boolInt(w.decimal)
	if w.last >= 0 && w.last == w.at {
		end = w.current
	}
	if w.current+1 == end {
		if w.signDone && w.bracketed {
			w.b = append(w.b, bracketOf(w.sign, '>'))
		} else if w.place == signAfter {
			w.b = append(w.b, w.sign)
		}
	}
	w.current++
}

func bracketOf(sign, bracket byte) byte {
	if sign == '+' {
		return ' '
	}
	return bracket
}

func (w *numWriter) leadingSign() {
	switch {
	case w.place != signNone:
		if w.place == signBefore {
			w.b = append(w.b, w.sign)
			w.signDone = true
		}
		return
	case w.bracketed:
		w.b = append(w.b, bracketOf(w.sign, '<'))
	case w.sign == '+':
		if !w.fill {
			w.b = append(w.b, ' ')
		}
	case w.sign == '-':
		w.b = append(w.b, '-')
	}
	w.signDone = true
}

// character prints the next character of the number.
func (w *numWriter) character(key string) {
	c := byte(0)
	if w.at < len(w.num) {
		c = w.num[w.at]
	}
	switch {
	case c == '.':
		if !w.lastIsPoint() || w.fill {
			w.b = append(w.b, '.')
		}
	case w.last >= 0 && w.at > w.last && key != "0":
	case w.blankZero():
		if !w.fill {
			w.b = append(w.b, ' ')
		} else if w.lastIsPoint() {
			w.b = append(w.b, '0')
		}
	case c != 0:
		w.b = append(w.b, c)
		w.started = true
	case w.cut == 0:
		w.cut = len(w.b) + 1
	}
	if c != 0 {
		w.at++
	}
}
