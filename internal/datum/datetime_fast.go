package datum

// isoTime is a date and time in the one form that programs write: 2024-02-29 13:14:15.678+02.
type isoTime struct {
	Civil
	east    int
	hasZone bool
}

// twoDigits reads two digits at i; -1 when there are none.
func twoDigits(s string, i int) int {
	if i+2 > len(s) || !isDigit(s[i]) || !isDigit(s[i+1]) {
		return -1
	}
	return int(s[i]-'0')*10 + int(s[i+1]-'0')
}

// parse reads s when it is wholly of this form and valid; everything else, and every error, is the full parser's.
func (t *isoTime) parse(s string) bool {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	hi, lo := twoDigits(s, 0), twoDigits(s, 2)
	t.Year, t.Month, t.Day = hi*100+lo, twoDigits(s, 5), twoDigits(s, 8)
	if hi < 0 || lo < 0 || t.Year < 1 || t.Month < 1 || t.Month > 12 || t.Day < 1 || t.Day > DaysInMonth(t.Year, t.Month) {
		return false
	}
	if len(s) == 10 {
		return true
	}
	if len(s) < 19 || s[10] != ' ' && s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return false
	}
	t.Hour, t.Min, t.Sec = twoDigits(s, 11), twoDigits(s, 14), twoDigits(s, 17)
	if t.Hour < 0 || t.Hour > 23 || t.Min < 0 || t.Min > 59 || t.Sec < 0 || t.Sec > 59 {
		return false
	}
	i := 19
	if i < len(s) && s[i] == '.' {
		scale := microsPerSecond
		for i++; i < len(s) && isDigit(s[i]); i++ {
			if scale /= 10; scale == 0 {
				return false // rounding is the full parser's
			}
			t.Micro += int(s[i]-'0') * scale
		}
		if scale == microsPerSecond {
			return false
		}
	}
	return i == len(s) || t.zone(s[i:])
}

// zone reads ±hh and ±hh:mm.
func (t *isoTime) zone(s string) bool {
	if s == "Z" {
		t.hasZone = true
		return true
	}
	h, m := twoDigits(s, 1), 0
	if s[0] != '+' && s[0] != '-' || h < 0 || h > 15 {
		return false
	}
	if len(s) != 3 {
		if m = twoDigits(s, 4); len(s) != 6 || s[3] != ':' || m < 0 || m > 59 {
			return false
		}
	}
	t.east, t.hasZone = h*3600+m*60, true
	if s[0] == '-' {
		t.east = -t.east
	}
	return true
}
