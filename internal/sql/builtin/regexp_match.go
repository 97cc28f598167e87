package builtin

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

// pgRegexp is a compiled PostgreSQL regular expression. Where RE2 finds the same match it does the work, in linear time;
// the rest (constraints, back references, non-greedy quantifiers, captures under alternation) is matched by looking for
// all ends that each part can have, and then cutting the match among the parts by their preferences.
type pgRegexp struct {
	root   *reNode
	flags  reFlags
	groups int
	ids    int
	re2    *regexp.Regexp // nil when RE2 cannot express it
	exact  bool           // RE2 in leftmost-longest mode also gives the right captures
	short  bool           // the whole prefers the shortest match
	// nullable is set when the expression can match the empty text.
	nullable bool
}

// compileRegexp compiles a pattern with its flags.
func compileRegexp(pattern string, flags reFlags) (*pgRegexp, error) {
	root, p, err := parseRegexp(pattern, flags)
	if err != nil {
		return nil, err
	}
	re := &pgRegexp{root: root, flags: p.flags, groups: p.groups, ids: p.ids, short: root.prefer == '<',
		nullable: nullable(root)}
	var b strings.Builder
	alt, lazy := false, false
	if p.emit(&b, root, &alt, &lazy) {
		if compiled, err := regexp.Compile("(?s)" + b.String()); err == nil {
			compiled.Longest()
			re.re2 = compiled
			re.exact = !lazy && (!alt || re.groups == 0)
		}
	}
	return re, nil
}

// emit writes RE2's spelling of a node; false when there is none.
func (p *reParser) emit(b *strings.Builder, n *reNode, alt, lazy *bool) bool {
	switch n.kind {
	case reEmpty:
		b.WriteString("(?:)")
	case reSet:
		emitSet(b, n.set)
	case reConcat:
		for _, s := range n.subs {
			if !p.emit(b, s, alt, lazy) {
				return false
			}
		}
	case reAlt:
		*alt = true
		b.WriteString("(?:")
		for i, s := range n.subs {
			if i > 0 {
				b.WriteByte('|')
			}
			if !p.emit(b, s, alt, lazy) {
				return false
			}
		}
		b.WriteByte(')')
	case reRepeat:
		*lazy = *lazy || n.lazy
		return p.emitRepeat(b, n, alt, lazy)
	case reGroup:
		b.WriteByte('(')
		if n.n == 0 {
			b.WriteString("?:")
		}
		if !p.emit(b, n.subs[0], alt, lazy) {
			return false
		}
		b.WriteByte(')')
	case reBegin:
		b.WriteString(pick2(p.flags.lineEnds, `(?m:^)`, `\A`))
	case reEnd:
		b.WriteString(pick2(p.flags.lineEnds, `(?m:$)`, `\z`))
	case reTextBegin:
		b.WriteString(`\A`)
	case reTextEnd:
		b.WriteString(`\z`)
	case reWordEdge:
		b.WriteString(`\b`)
	case reNotWordEdge:
		b.WriteString(`\B`)
	default:
		return false
	}
	return true
}

func pick2(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

func (p *reParser) emitRepeat(b *strings.Builder, n *reNode, alt, lazy *bool) bool {
	b.WriteString("(?:")
	if !p.emit(b, n.subs[0], alt, lazy) {
		return false
	}
	b.WriteByte(')')
	switch {
	case n.min == 0 && n.max < 0:
		b.WriteByte('*')
	case n.min == 1 && n.max < 0:
		b.WriteByte('+')
	case n.min == 0 && n.max == 1:
		b.WriteByte('?')
	case n.max < 0:
		b.WriteString("{" + strconv.Itoa(n.min) + ",}")
	default:
		b.WriteString("{" + strconv.Itoa(n.min) + "," + strconv.Itoa(n.max) + "}")
	}
	return true
}

func emitSet(b *strings.Builder, c *reClass) {
	if len(c.ranges) == 0 {
		b.WriteString(pick2(c.negate, `.`, `[^\x00-\x{10FFFF}]`))
		return
	}
	b.WriteByte('[')
	if c.negate {
		b.WriteByte('^')
	}
	for i := 0; i < len(c.ranges); i += 2 {
		b.WriteString(`\x{` + strconv.FormatInt(int64(c.ranges[i]), 16) + "}")
		if c.ranges[i+1] != c.ranges[i] {
			b.WriteString(`-\x{` + strconv.FormatInt(int64(c.ranges[i+1]), 16) + "}")
		}
	}
	b.WriteByte(']')
}

// matches says whether the expression matches somewhere in s.
func (re *pgRegexp) matches(s string) (bool, error) {
	if re.re2 != nil {
		return re.re2.MatchString(s), nil
	}
	loc, err := re.find(s, 0)
	return loc != nil, err
}

// find returns the first match at or after byte from: pairs of offsets for the whole and each group, -1 where a group
// took no part; nil when there is none.
func (re *pgRegexp) find(s string, from int) ([]int, error) {
	if re.re2 != nil && from == 0 {
		if re.exact {
			return re.re2.FindStringSubmatchIndex(s), nil
		}
		loc := re.re2.FindStringIndex(s)
		if loc == nil {
			return nil, nil
		}
		m := re.matcher(s)
		if caps := m.at(loc[0]); caps != nil || m.err != nil {
			return caps, m.err
		}
	}
	m := re.matcher(s)
	for i := from; i <= len(s); {
		if caps := m.at(i); caps != nil || m.err != nil {
			return caps, m.err
		}
		if i == len(s) {
			break
		}
		i += charLen(s[i:], false)
	}
	return nil, nil
}

// all returns up to limit matches (all when negative), not overlapping, as PostgreSQL's global functions step: after an
// empty match the search goes on one character later.
func (re *pgRegexp) all(s string, from, limit int) ([][]int, error) {
	if re.re2 != nil && re.exact && from == 0 {
		return re.allRE2(s, limit), nil
	}
	var out [][]int
	for from <= len(s) && limit != 0 {
		loc, err := re.find(s, from)
		if err != nil || loc == nil {
			return out, err
		}
		out = append(out, loc)
		limit--
		if from = loc[1]; loc[1] == loc[0] {
			if from >= len(s) {
				break
			}
			from += charLen(s[from:], false)
		}
	}
	return out, nil
}

// allRE2 adds to regexp's own "all" the empty matches right after other matches, which it leaves out.
func (re *pgRegexp) allRE2(s string, limit int) [][]int {
	if !re.nullable {
		return re.re2.FindAllStringSubmatchIndex(s, limit)
	}
	var out [][]int
	add := func(loc []int) bool {
		if limit >= 0 && len(out) == limit {
			return false
		}
		out = append(out, loc)
		return true
	}
	end := -1 // of a non-empty match just before
	for _, loc := range re.re2.FindAllStringSubmatchIndex(s, -1) {
		if end >= 0 && loc[0] > end {
			if m := re.matcher(s).at(end); m != nil && !add(m) {
				return out
			}
		}
		if !add(loc) {
			return out
		}
		if end = -1; loc[1] > loc[0] {
			end = loc[1]
		}
	}
	if end >= 0 {
		if m := re.matcher(s).at(end); m != nil {
			add(m)
		}
	}
	return out
}

// nullable says whether a node can match the empty text.
func nullable(n *reNode) bool {
	switch n.kind {
	case reSet:
		return false
	case reConcat:
		for _, s := range n.subs {
			if !nullable(s) {
				return false
			}
		}
		return true
	case reAlt:
		for _, s := range n.subs {
			if nullable(s) {
				return true
			}
		}
		return false
	case reRepeat:
		return n.min == 0 || nullable(n.subs[0])
	case reGroup:
		return nullable(n.subs[0])
	}
	return true
}

// reMatcher is the work on one string.
type reMatcher struct {
	re    *pgRegexp
	s     string
	memo  map[int64][]int32
	rest  map[int64][]int32
	caps  []int
	steps int
	err   error
}

// reSteps bounds the work on one string.
const reSteps = 50_000_000

func (re *pgRegexp) matcher(s string) *reMatcher {
	return &reMatcher{re: re, s: s, memo: map[int64][]int32{}, rest: map[int64][]int32{},
		caps: make([]int, 2*re.groups+2)}
}

func (m *reMatcher) tick(n int) bool {
	if m.steps += n; m.steps > reSteps && m.err == nil {
		m.err = failure.New(failure.ProgramLimitExceeded, "regular expression failed: regular expression is too complex")
	}
	return m.err != nil
}

// at matches with the start fixed.
func (m *reMatcher) at(i int) []int {
	ends := m.ends(m.re.root, i)
	for k := range ends {
		e := int(ends[len(ends)-1-k])
		if m.re.short {
			e = int(ends[k])
		}
		for c := range m.caps {
			m.caps[c] = -1
		}
		if m.walk(m.re.root, i, e, func() bool { return true }) {
			m.caps[0], m.caps[1] = i, e
			return slices.Clone(m.caps)
		}
	}
	return nil
}

func (m *reMatcher) key(n *reNode, i int) int64 { return int64(n.id)<<32 | int64(i) }

// ends returns all places, ascending, where a match of n that starts at i can end. A back reference is taken to match
// anything: walk looks closer.
func (m *reMatcher) ends(n *reNode, i int) []int32 {
	one := func(ok bool) []int32 {
		if ok {
			return []int32{int32(i)}
		}
		return nil
	}
	switch n.kind {
	case reEmpty:
		return one(true)
	case reSet:
		if i < len(m.s) {
			r, size := utf8.DecodeRuneInString(m.s[i:])
			if n.set.has(r) {
				return []int32{int32(i + size)}
			}
		}
		return nil
	case reGroup:
		return m.ends(n.subs[0], i)
	case reConcat, reAlt, reRepeat, reBackref:
		k := m.key(n, i)
		e, ok := m.memo[k]
		if !ok {
			e = m.compound(n, i)
			m.memo[k] = e
			m.tick(len(e) + 1)
		}
		return e
	}
	return one(m.constraint(n, i))
}

func (m *reMatcher) compound(n *reNode, i int) []int32 {
	switch n.kind {
	case reConcat:
		return m.concatEnds(n, 0, i)
	case reAlt:
		var out []int32
		for _, s := range n.subs {
			out = union(out, m.ends(s, i))
		}
		return out
	case reRepeat:
		return m.repeatEnds(n, i)
	}
	var out []int32
	for j := i; j <= len(m.s); j++ {
		if j == len(m.s) || utf8.RuneStart(m.s[j]) {
			out = append(out, int32(j))
		}
	}
	return out
}

// concatEnds is ends of the parts from k on.
func (m *reMatcher) concatEnds(n *reNode, k, i int) []int32 {
	if k == len(n.subs)-1 {
		return m.ends(n.subs[k], i)
	}
	key := int64(n.id)<<40 | int64(k)<<32 | int64(i)
	if e, ok := m.rest[key]; ok {
		return e
	}
	var out []int32
	for _, mid := range m.ends(n.subs[k], i) {
		if m.err != nil {
			break
		}
		out = union(out, m.concatEnds(n, k+1, int(mid)))
	}
	m.tick(len(out) + 1)
	m.rest[key] = out
	return out
}

func (m *reMatcher) repeatEnds(n *reNode, i int) []int32 {
	sub := n.subs[0]
	at := []int32{int32(i)}
	var out []int32
	for count := 0; len(at) > 0 && m.err == nil; count++ {
		if count >= n.min {
			grown := union(out, at)
			if len(grown) == len(out) && count > n.min {
				break
			}
			out = grown
		}
		if n.max >= 0 && count >= n.max {
			break
		}
		if count > n.min+len(m.s)+1 {
			break
		}
		var next []int32
		for _, p := range at {
			next = union(next, m.ends(sub, int(p)))
		}
		m.tick(len(next) + 1)
		at = next
	}
	return out
}

func union(a, b []int32) []int32 {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	case a[len(a)-1] < b[0]:
		return append(slices.Clip(a), b...)
	}
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] > b[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func wordAt(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	return s[i] == '_' || isAlnum(rune(s[i]))
}

func (m *reMatcher) constraint(n *reNode, i int) bool {
	s := m.s
	before, after := wordAt(s, i-1), wordAt(s, i)
	switch n.kind {
	case reBegin:
		return i == 0 || m.re.flags.lineEnds && s[i-1] == '\n'
	case reEnd:
		return i == len(s) || m.re.flags.lineEnds && s[i] == '\n'
	case reTextBegin:
		return i == 0
	case reTextEnd:
		return i == len(s)
	case reWordStart:
		return !before && after
	case reWordEnd:
		return before && !after
	case reWordEdge:
		return before != after
	case reNotWordEdge:
		return before == after
	}
	if !n.behind {
		return (len(m.ends(n.subs[0], i)) > 0) != n.negate
	}
	for k := i; k >= 0; k-- {
		if k < len(s) && !utf8.RuneStart(s[k]) {
			continue
		}
		if _, ok := slices.BinarySearch(m.ends(n.subs[0], k), int32(i)); ok {
			return !n.negate
		}
	}
	return n.negate
}

func (m *reMatcher) can(n *reNode, i, j int) bool {
	_, ok := slices.BinarySearch(m.ends(n, i), int32(j))
	return ok
}

// walk cuts [i, j) among the parts of n, which can match it, records captures and goes on with then; when that fails it
// tries the next way.
func (m *reMatcher) walk(n *reNode, i, j int, then func() bool) bool {
	if m.tick(1) || !m.can(n, i, j) {
		return false
	}
	switch n.kind {
	case reGroup:
		if n.n == 0 {
			return m.walk(n.subs[0], i, j, then)
		}
		return m.walk(n.subs[0], i, j, func() bool {
			a, b := m.caps[2*n.n], m.caps[2*n.n+1]
			m.caps[2*n.n], m.caps[2*n.n+1] = i, j
			if then() {
				return true
			}
			m.caps[2*n.n], m.caps[2*n.n+1] = a, b
			return false
		})
	case reAlt:
		for _, s := range n.subs {
			if m.walk(s, i, j, then) {
				return true
			}
		}
		return false
	case reConcat:
		return m.walkConcat(n, 0, i, j, then)
	case reRepeat:
		return m.walkRepeat(n, 0, i, j, then)
	case reBackref:
		a, b := m.caps[2*n.n], m.caps[2*n.n+1]
		if a < 0 {
			return false
		}
		x, y := m.s[a:b], m.s[i:j]
		return (x == y || m.re.flags.fold && lowerASCII(x) == lowerASCII(y)) && then()
	}
	return then()
}

func (m *reMatcher) walkConcat(n *reNode, k, i, j int, then func() bool) bool {
	if k == len(n.subs)-1 {
		return m.walk(n.subs[k], i, j, then)
	}
	mids := m.ends(n.subs[k], i)
	for x := range mids {
		mid := int(mids[len(mids)-1-x])
		if n.subs[k].prefer == '<' {
			mid = int(mids[x])
		}
		if mid > j {
			continue
		}
		if _, ok := slices.BinarySearch(m.concatEnds(n, k+1, mid), int32(j)); !ok {
			continue
		}
		if m.walk(n.subs[k], i, mid, func() bool { return m.walkConcat(n, k+1, mid, j, then) }) {
			return true
		}
		if m.err != nil {
			return false
		}
	}
	return false
}

func (m *reMatcher) walkRepeat(n *reNode, count, i, j int, then func() bool) bool {
	sub := n.subs[0]
	if i == j && count >= n.min && (count > 0 || n.max == 0 || !m.can(sub, i, i)) {
		return then()
	}
	if n.max >= 0 && count >= n.max {
		return false
	}
	saved := slices.Clone(m.caps)
	m.clear(sub)
	mids := m.ends(sub, i)
	for x := range mids {
		mid := int(mids[len(mids)-1-x])
		if sub.prefer == '<' {
			mid = int(mids[x])
		}
		if mid > j || mid == i && j > i && count >= n.min {
			continue
		}
		next := count + 1
		if mid == i && next < n.min {
			next = n.min // empty matches fill up the rest of the minimum
		}
		if m.walk(sub, i, mid, func() bool { return m.walkRepeat(n, next, mid, j, then) }) {
			return true
		}
		if m.err != nil {
			return false
		}
	}
	copy(m.caps, saved)
	return i == j && count >= n.min && then()
}

// clear forgets the captures inside a node: each turn of a repetition starts without them.
func (m *reMatcher) clear(n *reNode) {
	if n.kind == reGroup && n.n > 0 {
		m.caps[2*n.n], m.caps[2*n.n+1] = -1, -1
	}
	for _, s := range n.subs {
		m.clear(s)
	}
}
