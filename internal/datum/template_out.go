package datum

import (
	"strconv"
	"strings"
)

var (
	monthsFull = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September",
		"October", "November", "December"}
	daysFull    = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanMonths = [...]string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)

func (t *tplTime) format(template string) (string, error) {
	var b []byte
	for _, n := range parseDateTemplate(template) {
		if n.kind != tplField {
			b = append(b, n.text...)
			continue
		}
		if t.interval {
			switch n.key.field {
			case "A.D.", "AD", "MONTH", "MON", "DAY", "DY", "D", "ID", "TZ", "TZH", "TZM", "OF":
				return "", errTplInterval()
			}
		}
		start := len(b)
		if b = t.word(b, &n); len(b) > start {
			continue
		}
		b = t.number(b, &n)
	}
	return string(b), nil
}

func withCase(s string, c tplCase) string {
	switch c {
	case caseUpper:
		return strings.ToUpper(s)
	case caseLower:
		return strings.ToLower(s)
	}
	return s
}

// padded appends a word, filled up with blanks to a width.
func padded(b []byte, s string, n *dateNode, width int) []byte {
	b = append(b, s...)
	if n.fm || n.tm {
		return b
	}
	for i := len(s); i < width; i++ {
		b = append(b, ' ')
	}
	return b
}

// word appends a field made of letters; nothing when n is none, or the value has no name.
func (t *tplTime) word(b []byte, n *dateNode) []byte {
	const widest = 9
	switch n.key.field {
	case "A.M.", "AM":
		s := "AM"
		if t.hour%24 >= 12 {
			s = "PM"
		}
		return append(b, withCase(dotted(s, n.key.field), n.letters)...)
	case "MONTH", "MON":
		if t.month == 0 {
			return b
		}
		name := monthsFull[(t.month+11)%12]
		if n.key.field == "MON" {
			return append(b, withCase(name[:3], n.letters)...)
		}
		return padded(b, withCase(name, n.letters), n, widest)
	case "RM":
		if t.month == 0 && t.year == 0 {
			return b
		}
		m := t.month
		switch {
		case m == 0 && t.year >= 0:
			m = 12
		case m == 0:
			m = 1
		case m < 0:
			m += 13
		}
		return padded(b, withCase(romanMonths[m-1], n.letters), n, 4)
	}
	switch n.key.field {
	case "A.D.", "AD":
		s := "AD"
		if t.year <= 0 {
			s = "BC"
		}
		return append(b, withCase(dotted(s, n.key.field), n.letters)...)
	case "DAY":
		return padded(b, withCase(daysFull[t.wday], n.letters), n, widest)
	case "DY":
		return append(b, withCase(daysFull[t.wday][:3], n.letters)...)
	case "TZ":
		if n.letters == caseLower {
			return append(b, strings.ToLower(t.zone)...)
		}
		return append(b, t.zone...)
	}
	return b
}

// dotted puts dots after both letters when the field has them.
func dotted(s, field string) string {
	if len(field) == 4 {
		return s[:1] + "." + s[1:] + "."
	}
	return s
}

// fixed appends as C's %0*d with one width for numbers of either sign.
func fixed(b []byte, v int64, width int, n *dateNode) []byte {
	if v < 0 {
		width--
	}
	return zeroPadded(b, v, width, n)
}

// zeroPadded appends as C's %0*d, the width one more for negative numbers, and an ordinal suffix.
func zeroPadded(b []byte, v int64, width int, n *dateNode) []byte {
	start := len(b)
	if n.fm {
		width = 0
	} else if v < 0 {
		width++
	}
	s := strconv.FormatInt(v, 10)
	if v < 0 {
		b = append(b, '-')
		s = s[1:]
		width--
	}
	for i := len(s); i < width; i++ {
		b = append(b, '0')
	}
	b = append(b, s...)
	return ordinal(b, start, n.th)
}

// ordinal appends st, nd, rd or th to the number b[start:].
func ordinal(b []byte, start int, th byte) []byte {
	if th == 0 {
		return b
	}
	s := ordinalSuffix(string(b[start:]))
	if th == 'T' {
		s = strings.ToUpper(s)
	}
	return append(b, s...)
}

func ordinalSuffix(num string) string {
	n := len(num)
	if n == 0 || n > 1 && num[n-2] == '1' {
		return "th"
	}
	switch num[n-1] {
	case '1':
		return "st"
	case '2':
		return "nd"
	case '3':
		return "rd"
	}
	return "th"
}

// shown is the year as people count it: no year zero, BC positive.
func (t *tplTime) shown(year int) int64 {
	if !t.interval && year <= 0 {
		return int64(1 - year)
	}
	return int64(year)
}

// number appends a numeric field.
func (t *tplTime) number(b []byte, n *dateNode) []byte {
	hour12 := t.hour % 12
	if hour12 == 0 {
		hour12 = 12
	}
	switch f := n.key.field; f {
	case "HH12":
		if t.hour < 0 && !n.fm { // the sign of the hour decides the width
			return zeroPadded(b, hour12, 2+boolInt(hour12 > 0), n)
		}
		return zeroPadded(b, hour12, 2, n)
	case "HH24":
		return zeroPadded(b, t.hour, 2, n)
	case "MI":
		return zeroPadded(b, t.min, 2, n)
	case "SS":
		return zeroPadded(b, t.sec, 2, n)
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		digits := int(f[2] - '0')
		return fixedDigits(b, t.micro, digits, n)
	case "MS":
		return fixedDigits(b, t.micro, 3, n)
	case "US":
		return fixedDigits(b, t.micro, 6, n)
	case "SSSS":
		start := len(b)
		return ordinal(strconv.AppendInt(b, t.hour*3600+t.min*60+t.sec, 10), start, n.th)
	case "TZH", "TZM", "OF":
		return t.offset(b, n)
	case "MM":
		return zeroPadded(b, int64(t.month), 2, n)
	case "DDD":
		return fixed(b, int64(t.yday), 3, n)
	case "IDDD":
		return fixed(b, int64(t.isoYday), 3, n)
	case "DD":
		return fixed(b, int64(t.day), 2, n)
	case "D":
		return zeroPadded(b, int64(t.wday+1), 1, n)
	case "ID":
		return zeroPadded(b, int64((t.wday+6)%7+1), 1, n)
	case "WW":
		return fixed(b, int64((t.yday-1)/7+1), 2, n)
	case "IW":
		return fixed(b, int64(t.isoWeek), 2, n)
	case "W":
		return zeroPadded(b, int64((t.day-1)/7+1), 1, n)
	case "Q":
		if t.month == 0 {
			return b
		}
		return zeroPadded(b, int64((t.month-1)/3+1), 1, n)
	case "CC":
		return zeroPadded(b, t.century(), 2, n)
	case "J":
		start := len(b)
		return ordinal(strconv.AppendInt(b, t.julian, 10), start, n.th)
	case "Y,YYY":
		y, start := t.shown(t.year), len(b)
		b = append(strconv.AppendInt(b, y/1000, 10), ',')
		if rest := y % 1000; rest < 0 {
			b = appendPadded(append(b, '-'), int(-rest), 2)
		} else {
			b = appendPadded(b, int(rest), 3)
		}
		return ordinal(b, start, n.th)
	case "YYYY":
		return zeroPadded(b, t.shown(t.year), 4, n)
	case "IYYY":
		return fixed(b, t.shown(t.isoYear), 4+boolInt(t.shown(t.year) < 0), n)
	case "YYY":
		return zeroPadded(b, t.shown(t.year)%1000, 3, n)
	case "IYY":
		return fixed(b, t.shown(t.isoYear)%1000, 3+boolInt(t.shown(t.year) < 0), n)
	case "YY":
		return zeroPadded(b, t.shown(t.year)%100, 2, n)
	case "IY":
		return fixed(b, t.shown(t.isoYear)%100, 2+boolInt(t.shown(t.year) < 0), n)
	case "Y":
		return zeroPadded(b, t.shown(t.year)%10, 1, n)
	case "I":
		return zeroPadded(b, t.shown(t.isoYear)%10, 1, n)
	}
	return b
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fixedDigits appends the first digits of a fraction of a second.
func fixedDigits(b []byte, micro int64, digits int, n *dateNode) []byte {
	v := micro / int64(uint64pow10(6-digits))
	start := len(b)
	if v < 0 {
		b = append(b, '-')
		v = -v
		digits--
	}
	s := strconv.FormatInt(v, 10)
	for i := len(s); i < digits; i++ {
		b = append(b, '0')
	}
	return ordinal(append(b, s...), start, n.th)
}

func (t *tplTime) offset(b []byte, n *dateNode) []byte {
	east, sign := t.east, byte('+')
	if east < 0 {
		east, sign = -east, '-'
	}
	switch n.key.field {
	case "TZH":
		return appendPadded(append(b, sign), east/3600, 2)
	case "TZM":
		return appendPadded(b, east%3600/60, 2)
	}
	b = append(b, sign)
	if n.fm {
		b = strconv.AppendInt(b, int64(east/3600), 10)
	} else {
		b = appendPadded(b, east/3600, 2)
	}
	if east%3600 != 0 {
		b = appendPadded(append(b, ':'), east%3600/60, 2)
	}
	return b
}

func (t *tplTime) century() int64 {
	switch {
	case t.interval:
		return int64(t.year / 100)
	case t.year > 0:
		return int64((t.year-1)/100 + 1)
	}
	return int64(t.year/100 - 1)
}
