package datum

import "sort"

// fieldType is what a piece of date or time text looks like, before its meaning is known.
type fieldType uint8

const (
	fieldNumber  fieldType = iota
	fieldString            // letters
	fieldDate              // digits or letters with - / . inside
	fieldTime              // digits with colons
	fieldTZ                // sign and digits
	fieldSpecial           // sign and letters
)

type dtField struct {
	typ  fieldType
	text string
}

// maxDateFields bounds the number of pieces.
const maxDateFields = 25

// splitDateTime cuts text into fields; letters come out in lower case. ok is false for text that cannot be a date.
func splitDateTime(s string) (fields []dtField, ok bool) {
	buf := make([]byte, len(s))
	for i := range buf {
		buf[i] = lower(s[i])
	}
	s = string(buf)
	fields = make([]dtField, 0, 8)
	for i := 0; i < len(s); {
		c := s[i]
		if isSpace(c) {
			i++
			continue
		}
		if len(fields) >= maxDateFields {
			return nil, false
		}
		start := i
		var typ fieldType
		switch {
		case isDigit(c):
			typ, i = scanNumeral(s, i)
		case c == '.':
			typ = fieldNumber
			for i++; i < len(s) && isDigit(s[i]); i++ {
			}
		case isAlpha(c):
			typ, i = scanWord(s, i)
		case c == '+' || c == '-':
			for i++; i < len(s) && isSpace(s[i]); i++ {
			}
			switch {
			case i < len(s) && isDigit(s[i]):
				typ = fieldTZ
				from := i
				for ; i < len(s) && (isDigit(s[i]) || s[i] == ':' || s[i] == '.' || s[i] == '-'); i++ {
				}
				fields = append(fields, dtField{typ, string(c) + s[from:i]})
				continue
			case i < len(s) && isAlpha(s[i]):
				from := i
				for ; i < len(s) && isAlpha(s[i]); i++ {
				}
				fields = append(fields, dtField{fieldSpecial, string(c) + s[from:i]})
				continue
			}
			return nil, false
		case c > ' ' && c < 0x7f: // other punctuation is ignored
			i++
			continue
		default:
			return nil, false
		}
		fields = append(fields, dtField{typ, s[start:i]})
	}
	return fields, true
}

// scanNumeral reads what starts with a digit: a time, a date or a number.
func scanNumeral(s string, i int) (fieldType, int) {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == len(s) {
		return fieldNumber, i
	}
	switch delim := s[i]; delim {
	case ':':
		for i < len(s) && (isDigit(s[i]) || s[i] == ':' || s[i] == '.') {
			i++
		}
		return fieldTime, i
	case '-', '/', '.':
		typ := fieldDate
		i++
		if i < len(s) && isDigit(s[i]) {
			if delim == '.' {
				typ = fieldNumber
			}
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			if i < len(s) && s[i] == delim { // a second delimiter makes it a date
				typ = fieldDate
				for i++; i < len(s) && (isDigit(s[i]) || s[i] == delim); i++ {
				}
			}
			return typ, i
		}
		for i < len(s) && (isDigit(s[i]) || isAlpha(s[i]) || s[i] == delim) {
			i++
		}
		return fieldDate, i
	}
	return fieldNumber, i
}

// scanWord reads what starts with a letter: a word, a date such as jan-01-2000 or a zone such as europe/berlin.
func scanWord(s string, i int) (fieldType, int) {
	start := i
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	date := false
	if i < len(s) {
		switch c := s[i]; {
		case c == '-' || c == '/' || c == '.':
			date = true
		case c == '+' || isDigit(c):
			date = lookupWord(dateWords[:], s[start:i]) == nil
		}
	}
	if !date {
		return fieldString, i
	}
	for i < len(s) {
		c := s[i]
		if !isDigit(c) && !isAlpha(c) && c != '+' && c != '-' && c != '/' && c != '_' && c != '.' && c != ':' {
			break
		}
		i++
	}
	return fieldDate, i
}

// wordType is what kind of thing a word stands for.
type wordType uint8

const (
	wordUnknown wordType = iota
	wordIgnore
	wordReserved // now, today, epoch …
	wordMonth
	wordWeekday
	wordAMPM
	wordEra
	wordUnits
	wordISOTime
	wordDST // modifier
	wordAgo
)

// unit is a field of a date or interval; also the value of reserved words.
type unit int

const (
	unitNone unit = iota
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitJulian
	unitTime
	unitDow
	unitDoy
	unitISODow
	unitISOYear
	unitTZ
	unitTZHour
	unitTZMinute
	unitEpoch

	resNow
	resToday
	resTomorrow
	resYesterday
	resZulu
	resEpoch
	resEarly
	resLate
)

const (
	am = iota
	pm
	noMeridiem
)

type dateWord struct {
	word  string
	typ   wordType
	value int
}

// maxWord is how many letters of a word count.
const maxWord = 10

func lookupWord(table []dateWord, word string) *dateWord {
	if len(word) > maxWord {
		word = word[:maxWord]
	}
	i := sort.Search(len(table), func(i int) bool { return table[i].word >= word })
	if i < len(table) && table[i].word == word {
		return &table[i]
	}
	return nil
}

// dateWords are the words of dates and times, sorted.
var dateWords = [...]dateWord{
	{"-infinity", wordReserved, int(resEarly)},
	{"ad", wordEra, 0},
	{"allballs", wordReserved, int(resZulu)},
	{"am", wordAMPM, am},
	{"apr", wordMonth, 4},
	{"april", wordMonth, 4},
	{"at", wordIgnore, 0},
	{"aug", wordMonth, 8},
	{"august", wordMonth, 8},
	{"bc", wordEra, 1},
	{"d", wordUnits, int(unitDay)},
	{"dec", wordMonth, 12},
	{"december", wordMonth, 12},
	{"dow", wordUnits, int(unitDow)},
	{"doy", wordUnits, int(unitDoy)},
	{"dst", wordDST, 3600},
	{"epoch", wordReserved, int(resEpoch)},
	{"feb", wordMonth, 2},
	{"february", wordMonth, 2},
	{"fri", wordWeekday, 5},
	{"friday", wordWeekday, 5},
	{"h", wordUnits, int(unitHour)},
	{"infinity", wordReserved, int(resLate)},
	{"isodow", wordUnits, int(unitISODow)},
	{"isoyear", wordUnits, int(unitISOYear)},
	{"j", wordUnits, int(unitJulian)},
	{"jan", wordMonth, 1},
	{"january", wordMonth, 1},
	{"jd", wordUnits, int(unitJulian)},
	{"jul", wordMonth, 7},
	{"julian", wordUnits, int(unitJulian)},
	{"july", wordMonth, 7},
	{"jun", wordMonth, 6},
	{"june", wordMonth, 6},
	{"m", wordUnits, int(unitMonth)},
	{"mar", wordMonth, 3},
	{"march", wordMonth, 3},
	{"may", wordMonth, 5},
	{"mm", wordUnits, int(unitMinute)},
	{"mon", wordWeekday, 1},
	{"monday", wordWeekday, 1},
	{"nov", wordMonth, 11},
	{"november", wordMonth, 11},
	{"now", wordReserved, int(resNow)},
	{"oct", wordMonth, 10},
	{"october", wordMonth, 10},
	{"on", wordIgnore, 0},
	{"pm", wordAMPM, pm},
	{"s", wordUnits, int(unitSecond)},
	{"sat", wordWeekday, 6},
	{"saturday", wordWeekday, 6},
	{"sep", wordMonth, 9},
	{"sept", wordMonth, 9},
	{"september", wordMonth, 9},
	{"sun", wordWeekday, 0},
	{"sunday", wordWeekday, 0},
	{"t", wordISOTime, int(unitTime)},
	{"thu", wordWeekday, 4},
	{"thur", wordWeekday, 4},
	{"thurs", wordWeekday, 4},
	{"thursday", wordWeekday, 4},
	{"today", wordReserved, int(resToday)},
	{"tomorrow", wordReserved, int(resTomorrow)},
	{"tue", wordWeekday, 2},
	{"tues", wordWeekday, 2},
	{"tuesday", wordWeekday, 2},
	{"wed", wordWeekday, 3},
	{"wednesday", wordWeekday, 3},
	{"weds", wordWeekday, 3},
	{"y", wordUnits, int(unitYear)},
	{"yesterday", wordReserved, int(resYesterday)},
}

// unitWords are the words of intervals, sorted.
var unitWords = [...]dateWord{
	{"@", wordIgnore, 0},
	{"ago", wordAgo, 0},
	{"c", wordUnits, int(unitCentury)},
	{"cent", wordUnits, int(unitCentury)},
	{"centuries", wordUnits, int(unitCentury)},
	{"century", wordUnits, int(unitCentury)},
	{"d", wordUnits, int(unitDay)},
	{"day", wordUnits, int(unitDay)},
	{"days", wordUnits, int(unitDay)},
	{"dec", wordUnits, int(unitDecade)},
	{"decade", wordUnits, int(unitDecade)},
	{"decades", wordUnits, int(unitDecade)},
	{"decs", wordUnits, int(unitDecade)},
	{"h", wordUnits, int(unitHour)},
	{"hour", wordUnits, int(unitHour)},
	{"hours", wordUnits, int(unitHour)},
	{"hr", wordUnits, int(unitHour)},
	{"hrs", wordUnits, int(unitHour)},
	{"m", wordUnits, int(unitMinute)},
	{"microsecon", wordUnits, int(unitMicrosecond)},
	{"mil", wordUnits, int(unitMillennium)},
	{"millennia", wordUnits, int(unitMillennium)},
	{"millennium", wordUnits, int(unitMillennium)},
	{"millisecon", wordUnits, int(unitMillisecond)},
	{"mils", wordUnits, int(unitMillennium)},
	{"min", wordUnits, int(unitMinute)},
	{"mins", wordUnits, int(unitMinute)},
	{"minute", wordUnits, int(unitMinute)},
	{"minutes", wordUnits, int(unitMinute)},
	{"mon", wordUnits, int(unitMonth)},
	{"mons", wordUnits, int(unitMonth)},
	{"month", wordUnits, int(unitMonth)},
	{"months", wordUnits, int(unitMonth)},
	{"ms", wordUnits, int(unitMillisecond)},
	{"msec", wordUnits, int(unitMillisecond)},
	{"msecond", wordUnits, int(unitMillisecond)},
	{"mseconds", wordUnits, int(unitMillisecond)},
	{"msecs", wordUnits, int(unitMillisecond)},
	{"qtr", wordUnits, int(unitQuarter)},
	{"quarter", wordUnits, int(unitQuarter)},
	{"s", wordUnits, int(unitSecond)},
	{"sec", wordUnits, int(unitSecond)},
	{"second", wordUnits, int(unitSecond)},
	{"seconds", wordUnits, int(unitSecond)},
	{"secs", wordUnits, int(unitSecond)},
	{"timezone", wordUnits, int(unitTZ)},
	{"timezone_h", wordUnits, int(unitTZHour)},
	{"timezone_m", wordUnits, int(unitTZMinute)},
	{"us", wordUnits, int(unitMicrosecond)},
	{"usec", wordUnits, int(unitMicrosecond)},
	{"usecond", wordUnits, int(unitMicrosecond)},
	{"useconds", wordUnits, int(unitMicrosecond)},
	{"usecs", wordUnits, int(unitMicrosecond)},
	{"w", wordUnits, int(unitWeek)},
	{"week", wordUnits, int(unitWeek)},
	{"weeks", wordUnits, int(unitWeek)},
	{"y", wordUnits, int(unitYear)},
	{"year", wordUnits, int(unitYear)},
	{"years", wordUnits, int(unitYear)},
	{"yr", wordUnits, int(unitYear)},
	{"yrs", wordUnits, int(unitYear)},
}
