package builtin

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// CheckUTF8 answers 22021 for a text that is not valid UTF-8 or that has a zero byte.
func CheckUTF8(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return failure.New(failure.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x00`)
	}
	if utf8.ValidString(s) {
		return nil
	}
	i := 0
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		i += n
	}
	var b strings.Builder
	for k := i; k < len(s) && k < i+utf8Want(s[i]); k++ {
		if k > i {
			b.WriteByte(' ')
		}
		b.WriteString("0x" + hexByte(s[k]))
	}
	return failure.New(failure.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": %s`, b.String())
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// utf8Want is the length that a leading byte announces.
func utf8Want(c byte) int {
	switch {
	case c >= 0xf0 && c < 0xf8:
		return 4
	case c >= 0xe0 && c < 0xf0:
		return 3
	case c >= 0xc0 && c < 0xe0:
		return 2
	}
	return 1
}

// sizeUnit is a unit of pg_size_pretty: sizes below limit print in it; halves are kept while shifting.
type sizeUnit struct {
	name  string
	limit int64
	round bool
	shift int // bits of the unit
}

func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"bytes", 10 * 1024, false, 0}, {"kB", 20*1024 - 1, true, 10}, {"MB", 20*1024 - 1, true, 20},
		{"GB", 20*1024 - 1, true, 30}, {"TB", 20*1024 - 1, true, 40}, {"PB", 20*1024 - 1, true, 50},
	}
}

func (r *registry) pgSizes() {
	r.impl["pg_size_pretty"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewText(sizePretty(a[0].Int())), nil
	}
	r.impl["pg_size_pretty_numeric"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return sizePrettyNumeric(a[0].Numeric())
	}
	r.impl["pg_size_bytes"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) { return sizeBytes(a[0].Text()) }
}

func sizePretty(size int64) string {
	units := sizeUnits()
	for i, u := range units {
		if i == len(units)-1 || magnitude(size) < uint64(u.limit) {
			if u.round {
				size = halfRounded(size)
			}
			return itoa(size) + " " + u.name
		}
		// Keep one more bit than the next unit needs, for rounding.
		bits := uint(units[i+1].shift - u.shift)
		if units[i+1].round {
			bits--
		}
		if u.round {
			bits++
		}
		size /= 1 << bits
	}
	return ""
}

func halfRounded(n int64) int64 {
	if n >= 0 {
		return (n + 1) / 2
	}
	return (n - 1) / 2
}

func sizePrettyNumeric(d *apd.Decimal) (datum.Datum, error) {
	if d.Form != apd.Finite {
		return datum.NewText(string(datum.AppendNumeric(nil, d)) + " PB"), nil
	}
	units := sizeUnits()
	v := new(apd.Decimal).Set(d)
	ctx := apd.BaseContext.WithPrecision(60)
	ctx.Rounding = apd.RoundDown
	for i, u := range units {
		limit := apd.New(u.limit, 0)
		if i == len(units)-1 || new(apd.Decimal).Abs(v).Cmp(limit) < 0 {
			if u.round {
				one := apd.New(1, 0)
				if v.Negative {
					one.Negative = true
				}
				if _, err := ctx.Add(v, v, one); err != nil {
					return datum.Null, err
				}
				if _, err := ctx.QuoInteger(v, v, apd.New(2, 0)); err != nil {
					return datum.Null, err
				}
			}
			return datum.NewText(v.Text('f') + " " + u.name), nil
		}
		bits := uint(units[i+1].shift - u.shift)
		if units[i+1].round {
			bits--
		}
		if u.round {
			bits++
		}
		if _, err := ctx.QuoInteger(v, v, apd.New(1<<bits, 0)); err != nil {
			return datum.Null, err
		}
	}
	return datum.Null, nil
}

func sizeBytes(s string) (datum.Datum, error) {
	str := strings.TrimSpace(s)
	i := 0
	if i < len(str) && (str[i] == '+' || str[i] == '-') {
		i++
	}
	start := i
	for i < len(str) && str[i] >= '0' && str[i] <= '9' {
		i++
	}
	digits := i - start
	if i < len(str) && str[i] == '.' {
		i++
		from := i
		for i < len(str) && str[i] >= '0' && str[i] <= '9' {
			i++
		}
		digits += i - from
	}
	bad := func() *failure.Error { return failure.New(failure.InvalidParameterValue, `invalid size: "%s"`, s) }
	if digits == 0 {
		return datum.Null, bad()
	}
	if i < len(str) && (str[i] == 'e' || str[i] == 'E') {
		j := i + 1
		if j < len(str) && (str[j] == '+' || str[j] == '-') {
			j++
		}
		from := j
		for j < len(str) && str[j] >= '0' && str[j] <= '9' {
			j++
		}
		if j > from {
			i = j
		}
	}
	num, _, err := apd.NewFromString(str[:i])
	if err != nil {
		return datum.Null, bad()
	}
	unit := strings.TrimSpace(str[i:])
	shift := -1
	for _, u := range append(sizeUnits(), sizeUnit{name: "B"}) {
		if strings.EqualFold(unit, u.name) {
			shift = u.shift
		}
	}
	if unit == "" {
		shift = 0
	}
	if shift < 0 {
		return datum.Null, bad().WithDetail(`Invalid size unit: "%s".`, unit).
			WithHint(`Valid units are "bytes", "B", "kB", "MB", "GB", "TB", and "PB".`)
	}
	ctx := apd.BaseContext.WithPrecision(100)
	if _, err := ctx.Mul(num, num, apd.New(1<<shift, 0)); err != nil {
		return datum.Null, bad()
	}
	if _, err := ctx.RoundToIntegralValue(num, num); err != nil {
		return datum.Null, bad()
	}
	n, err := strconv.ParseInt(num.Text('f'), 10, 64)
	if err != nil {
		return datum.Null, widthOf(8).outOfRange()
	}
	return datum.NewInt(n), nil
}
