package datum

import (
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/failure"
)

// numReader reads a number by a template.
type numReader struct {
	*numTemplate
	s         string // what is left of the text
	digits    []byte
	sign      byte // ' ' until one was read
	readPre   int
	readPost  int
	readPoint bool
}

// ParseNumber is to_number(text, text); ok is false for NULL: an empty template.
func ParseNumber(text, template string) (d *apd.Decimal, ok bool, err error) {
	if template == "" {
		return nil, false, nil
	}
	t, err := parseNumTemplate(template)
	if err != nil {
		return nil, false, err
	}
	switch {
	case t.scientific:
		return nil, false, failure.New(failure.FeatureNotSupported, "\"EEEE\" not supported for input")
	case t.roman:
		return nil, false, failure.New(failure.FeatureNotSupported, "\"RN\" not supported for input")
	}
	r := &numReader{numTemplate: t, s: text, sign: ' '}
	for _, n := range t.nodes {
		if r.s == "" {
			break
		}
		if n.key == "" {
			r.skipRune()
			continue
		}
		if r.field(n.key) && r.s != "" {
			r.skipRune()
		}
	}
	num := string(r.sign) + strings.TrimSuffix(string(r.digits), ".")
	v, err := ParseNumeric(num)
	if err != nil {
		return nil, false, err
	}
	scale := r.readPost
	precision := t.pre + t.multi + scale
	if v, err = FitNumeric(v, int32(precision<<16|scale)+4); err != nil {
		return nil, false, err
	}
	if t.isMulti {
		power, err := NumericPower(NumericFromInt(10), NumericFromInt(int64(-t.multi)))
		if err != nil {
			return nil, false, err
		}
		v, err = NumericMul(v, power)
		return v, err == nil, err
	}
	return v, true, nil
}

func (r *numReader) skipRune() {
	_, n := utf8.DecodeRuneInString(r.s)
	r.s = r.s[n:]
}

// skipNoise passes over characters that cannot belong to a number.
func (r *numReader) skipNoise(n int) {
	for ; n > 0 && r.s != "" && strings.IndexByte("0123456789.,+-", r.s[0]) < 0; n-- {
		r.skipRune()
	}
}

// field reads what the text has for a field; true says that one character is still to be passed over.
func (r *numReader) field(key string) bool {
	switch key {
	case "9", "0", ".", "D":
		return r.digit(key)
	case ",", "G":
		return !r.fill && r.s[0] == ','
	case "L":
		r.skipNoise(1)
	case "TH":
		r.skipNoise(2)
	case "MI", "PL", "SG":
		c := r.s[0]
		if c == '-' && key != "PL" || c == '+' && key != "MI" {
			r.sign = c
			return true
		}
		r.skipNoise(1)
	}
	return false
}

func (r *numReader) digit(key string) bool {
	if r.s[0] == ' ' {
		r.s = r.s[1:]
	}
	if r.s == "" {
		return true
	}
	if r.sign == ' ' && key != "." && key != "D" && r.readPre+r.readPost == 0 {
		c := r.s[0]
		switch {
		case c == '-', c == '+':
			r.sign = c
			r.s = r.s[1:]
		case r.bracket && c == '<':
			r.sign = '-'
			r.s = r.s[1:]
		}
	}
	if r.s == "" {
		return true
	}
	read := false
	switch {
	case isDigit(r.s[0]):
		if r.readPoint && r.readPost == r.post {
			return true
		}
		r.digits = append(r.digits, r.s[0])
		if r.readPoint {
			r.readPost++
		} else {
			r.readPre++
		}
		read = true
	case r.decimal && !r.readPoint && r.s[0] == '.':
		r.digits = append(r.digits, '.')
		r.readPoint, read = true, true
	}
	if r.sign == ' ' && r.readPre+r.readPost > 0 {
		r.trailingSign(read)
	}
	return true
}

// trailingSign reads a sign behind the last digit, whose exact place the template cannot tell.
func (r *numReader) trailingSign(read bool) {
	lsign := r.numTemplate.sign != signNone
	switch {
	case lsign && read && len(r.s) > 1 && !isDigit(r.s[1]):
		if c := r.s[1]; c == '-' || c == '+' {
			r.sign = c
			r.s = r.s[1:]
		}
	case !read && !lsign && (r.plus || r.minus):
		if c := r.s[0]; c == '-' || c == '+' {
			r.sign = c
		}
	}
}
