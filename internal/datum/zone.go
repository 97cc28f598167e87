package datum

import (
	_ "embed"
	"encoding/binary"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones do not depend on the host

	"github.com/meridiandb/meridian/internal/failure"
)

type zoneAbbrev struct {
	name   string
	offset int
	dst    bool
	zone   string
}

//go:embed zonenames.txt
var zoneNames string

// ZoneNames returns the names of the known time zones, sorted.
func ZoneNames() []string { return strings.Fields(zoneNames) }

// Abbrev is one entry of the time zone abbreviations, for pg_timezone_abbrevs.
type Abbrev struct {
	Name   string // upper case
	Offset int    // seconds east of Greenwich
	DST    bool
}

// ZoneAbbrevs returns the known abbreviations as they are at a moment (microseconds since 2000-01-01 UTC).
func ZoneAbbrevs(now int64) []Abbrev {
	out := make([]Abbrev, 0, len(zoneAbbrevs))
	for _, a := range zoneAbbrevs {
		off, dst := a.offset, a.dst
		if a.zone != "" {
			if loc, err := time.LoadLocation(a.zone); err == nil {
				off, dst = abbrevOffset(a.name, loc, floorDiv(now, microsPerSecond)+epochUnix)
			}
		}
		out = append(out, Abbrev{Name: strings.ToUpper(a.name), Offset: off, DST: dst})
	}
	return out
}

func findAbbrev(name string) *zoneAbbrev {
	i := sort.Search(len(zoneAbbrevs), func(i int) bool { return zoneAbbrevs[i].name >= name })
	if i < len(zoneAbbrevs) && zoneAbbrevs[i].name == name {
		return &zoneAbbrevs[i]
	}
	return nil
}

// zoneMemo remembers what LoadZone found; it only ever holds what the pure look-up returns.
var zoneMemo sync.Map // lower-case name to *time.Location

// maxMemoName keeps made-up POSIX specifications from filling the memo.
const maxMemoName = 40

// LoadZone finds a time zone by its name, in any case of letters, or makes one from a POSIX specification
// ("EST5EDT", "<+03>-3"). ok is false when there is none.
func LoadZone(name string) (loc *time.Location, ok bool) {
	key := strings.ToLower(name)
	if v, ok := zoneMemo.Load(key); ok {
		return v.(*time.Location), true
	}
	loc, named := loadNamed(key)
	if named {
		zoneMemo.Store(key, loc)
		return loc, true
	}
	return posixZone(name)
}

func loadNamed(key string) (*time.Location, bool) {
	switch key {
	case "utc":
		return time.UTC, true
	case "localtime":
		return time.UTC, true
	}
	if len(key) > maxMemoName {
		return nil, false
	}
	for n := range strings.SplitSeq(zoneNames, "\n") {
		if strings.EqualFold(n, key) && n != "" {
			loc, err := time.LoadLocation(n)
			return loc, err == nil
		}
	}
	return nil, false
}

// posixZone makes a zone from a POSIX TZ string. Summer time without a rule follows the rules of the United States.
func posixZone(spec string) (*time.Location, bool) {
	std, rest := posixName(strings.ToUpper(spec))
	west, rest, ok := posixOffset(rest)
	if !ok {
		return nil, false
	}
	if rest == "" {
		return time.FixedZone(std, -west), true
	}
	dst, rest := posixName(rest)
	if dst == "" {
		return nil, false
	}
	dstWest := west - 3600
	if rest != "" && rest[0] != ',' {
		if dstWest, rest, ok = posixOffset(rest); !ok {
			return nil, false
		}
	}
	if rest == "" {
		rest = ",M3.2.0,M11.1.0"
	}
	if !posixRule(rest) {
		return nil, false
	}
	rule := "<" + std + ">" + posixSeconds(west) + "<" + dst + ">" + posixSeconds(dstWest) + rest
	return tzifZone(rule, std, -west)
}

// posixRule checks ",start[/time],end[/time]", each day as Mm.w.d, Jn or n.
func posixRule(s string) bool {
	parts := strings.Split(s, ",")
	if len(parts) != 3 || parts[0] != "" {
		return false
	}
	for _, p := range parts[1:] {
		day, at, timed := strings.Cut(p, "/")
		if timed {
			if _, rest, ok := posixOffset(at); !ok || rest != "" {
				return false
			}
		}
		limits := [][2]int{{0, 365}}
		if strings.HasPrefix(day, "M") {
			limits = [][2]int{{1, 12}, {1, 5}, {0, 6}}
		} else if strings.HasPrefix(day, "J") {
			limits = [][2]int{{1, 365}}
		}
		nums := strings.Split(strings.TrimLeft(day, "MJ"), ".")
		if len(nums) != len(limits) {
			return false
		}
		for i, n := range nums {
			if v, err := strconv.Atoi(n); err != nil || v < limits[i][0] || v > limits[i][1] {
				return false
			}
		}
	}
	return true
}

func posixSeconds(west int) string {
	sign := ""
	if west < 0 {
		sign, west = "-", -west
	}
	return sign + strconv.Itoa(west/3600) + ":" + strconv.Itoa(west/60%60) + ":" + strconv.Itoa(west%60)
}

func posixName(s string) (name, rest string) {
	if strings.HasPrefix(s, "<") {
		name, rest, ok := strings.Cut(s[1:], ">")
		if !ok {
			return "", ""
		}
		return name, rest
	}
	i := 0
	for i < len(s) && !isDigit(s[i]) && s[i] != ',' && s[i] != '-' && s[i] != '+' {
		i++
	}
	return s[:i], s[i:]
}

// posixOffset reads [+-]hh[:mm[:ss]], seconds west of Greenwich.
func posixOffset(s string) (west int, rest string, ok bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	unit, limit := 3600, 24*7
	for unit >= 1 {
		i := 0
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || n > limit {
			return 0, "", false
		}
		west += n * unit
		s = s[i:]
		if unit == 1 || !strings.HasPrefix(s, ":") {
			break
		}
		s, unit, limit = s[1:], unit/60, 59
	}
	return sign * west, s, true
}

// tzifZone builds a zone whose only contents is a rule for all time.
func tzifZone(rule, std string, offset int) (*time.Location, bool) {
	header := func(version byte, types, chars uint32) []byte {
		h := append([]byte("TZif"), version)
		h = append(h, make([]byte, 15)...)
		for _, n := range []uint32{0, 0, 0, 0, types, chars} {
			h = binary.BigEndian.AppendUint32(h, n)
		}
		return h
	}
	block := binary.BigEndian.AppendUint32(nil, uint32(int32(offset)))
	block = append(block, 0, 0)
	block = append(block, std...)
	block = append(block, 0)
	data := append(header('2', 1, uint32(len(std)+1)), block...)
	// One transition at the beginning of time makes the rule apply from there on.
	second := append([]byte("TZif2"), make([]byte, 15)...)
	for _, n := range []uint32{0, 0, 0, 1, 1, uint32(len(std) + 1)} {
		second = binary.BigEndian.AppendUint32(second, n)
	}
	second = binary.BigEndian.AppendUint64(second, uint64(1)<<63)
	second = append(second, 0)
	second = append(second, block...)
	data = append(data, second...)
	data = append(data, "\n"+rule+"\n"...)
	loc, err := time.LoadLocationFromTZData(rule, data)
	return loc, err == nil
}

// errZone is the answer to a zone that nobody knows.
func errZone(name string) error {
	return failure.New(failure.InvalidParameterValue, "time zone \"%s\" not recognized", name)
}

// zoneAt returns offset (seconds east) and abbreviation at a moment in Unix seconds.
func zoneAt(loc *time.Location, unix int64) (offset int, abbrev string) {
	if loc == time.UTC {
		return 0, "UTC"
	}
	abbrev, offset = time.Unix(unix, 0).In(loc).Zone()
	return offset, abbrev
}

// ZoneOffset returns the zone's offset, in seconds east of Greenwich, at a timestamptz.
func ZoneOffset(loc *time.Location, us int64) int {
	off, _ := zoneAt(loc, floorDiv(us, microsPerSecond)+epochUnix)
	return off
}

// LocalOffset finds the offset (seconds east) that holds at a local time given as microseconds since 2000-01-01 00:00
// local. A time skipped by a jump forward is taken as before the jump; a time that occurs twice as the later one.
func LocalOffset(loc *time.Location, local int64) int {
	if loc == time.UTC || loc == nil {
		return 0
	}
	sec := floorDiv(local, microsPerSecond) + epochUnix
	prev := time.Unix(sec-86400, 0).In(loc)
	_, before := prev.Zone()
	_, end := prev.ZoneBounds()
	if end.IsZero() {
		return before
	}
	boundary := end.Unix()
	_, after := end.Zone()
	asBefore, asAfter := sec-int64(before), sec-int64(after)
	switch {
	case asBefore < boundary && asAfter < boundary:
		return before
	case asBefore > boundary && asAfter >= boundary:
		return nextOffset(loc, sec, after, end)
	case asBefore > asAfter:
		return before
	}
	return after
}

// nextOffset guards against a second transition within the same day.
func nextOffset(loc *time.Location, sec int64, after int, end time.Time) int {
	_, second := end.ZoneBounds()
	if second.IsZero() || sec-int64(after) < second.Unix() {
		return after
	}
	off, _ := zoneAt(loc, sec-int64(after))
	return off
}

// CivilInZone breaks a finite timestamptz down in a zone.
func CivilInZone(loc *time.Location, us int64) Civil {
	off, name := zoneAt(loc, floorDiv(us, microsPerSecond)+epochUnix)
	c := CivilFromMicros(us + int64(off)*microsPerSecond)
	c.Offset, c.Abbrev = off, name
	return c
}

// abbrevOffset finds what an abbreviation meant in a zone at a moment: its latest use, else its first, else whatever
// offset the zone had.
func abbrevOffset(name string, loc *time.Location, unix int64) (offset int, dst bool) {
	at := time.Unix(unix, 0).In(loc)
	for t := at; ; {
		abbrev, off := t.Zone()
		if strings.EqualFold(abbrev, name) {
			return off, t.IsDST()
		}
		start, _ := t.ZoneBounds()
		if start.IsZero() {
			break
		}
		t = start.Add(-time.Second)
	}
	for t, i := at, 0; i < 400; i++ {
		_, end := t.ZoneBounds()
		if end.IsZero() {
			break
		}
		t = end
		if abbrev, off := t.Zone(); strings.EqualFold(abbrev, name) {
			return off, t.IsDST()
		}
	}
	_, off := at.Zone()
	return off, at.IsDST()
}

// fixedOffset returns the offset of a zone that has never changed it.
func fixedOffset(loc *time.Location) (offset int, fixed bool) {
	t := time.Unix(0, 0).In(loc)
	_, off := t.Zone()
	start, end := t.ZoneBounds()
	return off, start.IsZero() && end.IsZero()
}
