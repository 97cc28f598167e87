package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// regexpCache keeps the compiled patterns of a Context that are not constants of a call site.
type regexpCache struct {
	entries map[regexpKey]*pgRegexp
}

type regexpKey struct {
	pattern string
	flags   reFlags
}

const regexpCacheMax = 64

// compile returns a compiled pattern, from the cache when it is there.
func (c *regexpCache) compile(pattern string, flags reFlags) (*pgRegexp, error) {
	if re, ok := c.entries[regexpKey{pattern, flags}]; ok {
		return re, nil
	}
	re, err := compileRegexp(pattern, flags)
	if err != nil {
		return nil, err
	}
	if c.entries == nil || len(c.entries) >= regexpCacheMax {
		c.entries = make(map[regexpKey]*pgRegexp, regexpCacheMax)
	}
	c.entries[regexpKey{strings.Clone(pattern), flags}] = re
	return re, nil
}

// registerRegexp registers the operators ~ and ~* and the regexp_ functions.
func registerRegexp(r *registry) {
	for _, p := range []string{"text", "name"} {
		r.bind[p+"regexeq"], r.bind[p+"regexne"] = bindRegexp(false, false), bindRegexp(true, false)
		r.bind[p+"icregexeq"], r.bind[p+"icregexne"] = bindRegexp(false, true), bindRegexp(true, true)
	}
	r.impl["textregexsubstr"] = regexSubstr
	r.impl["substring(text,text,text)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		p, err := similarToRegexp(a[1].Text(), a[2].Text())
		if err != nil {
			return datum.Null, err
		}
		return regexSubstr(c, []datum.Datum{a[0], datum.NewText(p)})
	}
	r.regexpReplace()
	r.regexpMatch()
	r.regexpSplit()
	r.regexpCount()
}

func bindRegexp(not, fold bool) Bind {
	return func(call *Call) (Impl, error) {
		flags := reFlags{fold: fold}
		if p, ok := call.constant(1); ok && !p.IsNull() {
			re, err := compileRegexp(p.Text(), flags)
			if err != nil {
				// The error is that of a row, not of planning.
				return func(*Context, []datum.Datum) (datum.Datum, error) { return datum.Null, err }, nil
			}
			return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
				ok, err := re.matches(a[0].Text())
				return datum.NewBool(ok != not), err
			}, nil
		}
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			re, err := c.scratch.regexps.compile(a[1].Text(), flags)
			if err != nil {
				return datum.Null, err
			}
			ok, err := re.matches(a[0].Text())
			return datum.NewBool(ok != not), err
		}, nil
	}
}

// regexpFlags reads the flags argument of the regexp_ functions.
func regexpFlags(s string) (reFlags, error) {
	var f reFlags
	for i := 0; i < len(s); i++ {
		if s[i] == 'g' {
			f.global = true
		} else if !f.set(s[i]) {
			r, _ := utf8.DecodeRuneInString(s[i:])
			return f, failure.New(failure.InvalidParameterValue, `invalid regular expression option: "%c"`, r)
		}
	}
	return f, nil
}

// prepared compiles the pattern with the flags in args[flagArg], if there is one; noGlobal names a function that refuses g.
func (c *Context) prepared(a []datum.Datum, flagArg int, noGlobal string) (*pgRegexp, bool, error) {
	var flags reFlags
	if flagArg > 0 && flagArg < len(a) {
		var err error
		if flags, err = regexpFlags(a[flagArg].Text()); err != nil {
			return nil, false, err
		}
	}
	global := flags.global
	if global && noGlobal != "" {
		return nil, false, failure.New(failure.InvalidParameterValue,
			`%s does not support the "global" option`, noGlobal)
	}
	flags.global = false
	re, err := c.scratch.regexps.compile(a[1].Text(), flags)
	return re, global, err
}

func regexSubstr(c *Context, a []datum.Datum) (datum.Datum, error) {
	re, err := c.scratch.regexps.compile(a[1].Text(), reFlags{})
	if err != nil {
		return datum.Null, err
	}
	loc, err := re.find(a[0].Text(), 0)
	if err != nil || loc == nil {
		return datum.Null, err
	}
	if re.groups > 0 {
		return group(a[0].Text(), loc, 1), nil
	}
	return group(a[0].Text(), loc, 0), nil
}

func group(s string, loc []int, n int) datum.Datum {
	if loc[2*n] < 0 {
		return datum.Null
	}
	return datum.NewText(s[loc[2*n]:loc[2*n+1]])
}

func badParameter(name string, v int64) error {
	return failure.New(failure.InvalidParameterValue, `invalid value for parameter "%s": %d`, name, v)
}

func (r *registry) regexpReplace() {
	r.impl["textregexreplace_noopt"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		re, _, err := c.prepared(a, 0, "")
		if err != nil {
			return datum.Null, err
		}
		return re.replace(a[0].Text(), a[2].Text(), 1, 1)
	}
	r.impl["textregexreplace"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if f := a[3].Text(); f != "" && f[0] >= '0' && f[0] <= '9' {
			return datum.Null, failure.New(failure.InvalidParameterValue,
				`invalid regular expression option: "%c"`, f[0]).
				WithHint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.")
		}
		re, global, err := c.prepared(a, 3, "")
		if err != nil {
			return datum.Null, err
		}
		if global {
			return re.replace(a[0].Text(), a[2].Text(), 1, 0)
		}
		return re.replace(a[0].Text(), a[2].Text(), 1, 1)
	}
	extended := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if err := checkPositions(a, 3, 0); err != nil {
			return datum.Null, err
		}
		n := intArg(a, 4, 1)
		if n < 0 {
			return datum.Null, badParameter("n", n)
		}
		re, _, err := c.prepared(a, 5, "")
		if err != nil {
			return datum.Null, err
		}
		return re.replace(a[0].Text(), a[2].Text(), a[3].Int(), n)
	}
	r.impl["textregexreplace_extended"], r.impl["textregexreplace_extended_no_flags"] = extended, extended
	r.impl["textregexreplace_extended_no_n"] = extended
}

// replace replaces the n-th match at or after a character position, or all of them when n is 0.
func (re *pgRegexp) replace(s, with string, start, n int64) (datum.Datum, error) {
	limit := int(n)
	if n == 0 {
		limit = -1
	}
	found, err := re.all(s, skipRunes(s, start-1), limit)
	if err != nil || len(found) == 0 || n > int64(len(found)) {
		return datum.NewText(s), err
	}
	if n > 0 {
		found = found[n-1:]
	}
	var b strings.Builder
	last := 0
	for _, loc := range found {
		b.WriteString(s[last:loc[0]])
		expand(&b, s, with, loc)
		last = loc[1]
	}
	b.WriteString(s[last:])
	return datum.NewText(b.String()), nil
}

// expand writes a replacement with \1 … \9, \& and \\ filled in.
func expand(b *strings.Builder, s, with string, loc []int) {
	for i := 0; i < len(with); i++ {
		if with[i] != '\\' || i+1 == len(with) {
			b.WriteByte(with[i])
			continue
		}
		i++
		switch c := with[i]; {
		case c >= '1' && c <= '9':
			if n := int(c - '0'); 2*n+1 < len(loc) && loc[2*n] >= 0 {
				b.WriteString(s[loc[2*n]:loc[2*n+1]])
			}
		case c == '&':
			b.WriteString(s[loc[0]:loc[1]])
		case c == '\\':
			b.WriteByte('\\')
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
}

// groupsArray returns the captures of a match, or the whole match when there are no groups.
func groupsArray(s string, loc []int) datum.Datum {
	if len(loc) == 2 {
		return datum.NewArray1(datum.OIDText, []datum.Datum{group(s, loc, 0)})
	}
	out := make([]datum.Datum, len(loc)/2-1)
	for i := range out {
		out[i] = group(s, loc, i+1)
	}
	return datum.NewArray1(datum.OIDText, out)
}

func (r *registry) regexpMatch() {
	match := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		re, global, err := c.prepared(a, 2, "")
		if err != nil {
			return datum.Null, err
		}
		if global {
			return datum.Null, failure.New(failure.InvalidParameterValue,
				`regexp_match() does not support the "global" option`).WithHint("Use the regexp_matches function instead.")
		}
		loc, err := re.find(a[0].Text(), 0)
		if err != nil || loc == nil {
			return datum.Null, err
		}
		return groupsArray(a[0].Text(), loc), nil
	}
	r.impl["regexp_match"], r.impl["regexp_match_no_flags"] = match, match
	like := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		re, _, err := c.prepared(a, 2, "regexp_like()")
		if err != nil {
			return datum.Null, err
		}
		ok, err := re.matches(a[0].Text())
		return datum.NewBool(ok), err
	}
	r.impl["regexp_like"], r.impl["regexp_like_no_flags"] = like, like
	matches := func(_ *Call, c *Context, a []datum.Datum) (RowIter, error) {
		re, global, err := c.prepared(a, 2, "")
		if err != nil {
			return nil, err
		}
		limit := 1
		if global {
			limit = -1
		}
		found, err := re.all(a[0].Text(), 0, limit)
		rows := &sliceRows{}
		for _, loc := range found {
			rows.vals = append(rows.vals, groupsArray(a[0].Text(), loc))
		}
		return rows, err
	}
	r.set["regexp_matches"], r.set["regexp_matches_no_flags"] = matches, matches
}

func (r *registry) regexpSplit() {
	split := func(c *Context, a []datum.Datum, name string) ([]datum.Datum, error) {
		re, _, err := c.prepared(a, 2, name)
		if err != nil {
			return nil, err
		}
		s := a[0].Text()
		found, err := re.all(s, 0, -1)
		if err != nil {
			return nil, err
		}
		var out []datum.Datum
		last := 0
		for _, loc := range found {
			// An empty match at either end, or right after the previous match, splits nothing off.
			if loc[0] == loc[1] && (loc[0] >= len(s) || loc[0] == last) {
				continue
			}
			out = append(out, datum.NewText(s[last:loc[0]]))
			last = loc[1]
		}
		return append(out, datum.NewText(s[last:])), nil
	}
	array := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		parts, err := split(c, a, "regexp_split_to_array()")
		return datum.NewArray1(datum.OIDText, parts), err
	}
	r.impl["regexp_split_to_array"], r.impl["regexp_split_to_array_no_flags"] = array, array
	table := func(_ *Call, c *Context, a []datum.Datum) (RowIter, error) {
		parts, err := split(c, a, "regexp_split_to_table()")
		return &sliceRows{vals: parts}, err
	}
	r.set["regexp_split_to_table"], r.set["regexp_split_to_table_no_flags"] = table, table
}

func (r *registry) regexpCount() {
	count := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if err := checkPositions(a, 2, 0); err != nil {
			return datum.Null, err
		}
		re, _, err := c.prepared(a, 3, "regexp_count()")
		if err != nil {
			return datum.Null, err
		}
		start := intArg(a, 2, 1)
		if start > int64(runeLen(a[0].Text()))+1 {
			return datum.NewInt(0), nil
		}
		found, err := re.all(a[0].Text(), skipRunes(a[0].Text(), start-1), -1)
		return datum.NewInt(int64(len(found))), err
	}
	for _, suffix := range []string{"", "_no_flags", "_no_start"} {
		r.impl["regexp_count"+suffix] = count
	}
	for _, suffix := range []string{"", "_no_endoption", "_no_flags", "_no_n", "_no_start", "_no_subexpr"} {
		r.impl["regexp_instr"+suffix] = regexpInstr
	}
	for _, suffix := range []string{"", "_no_flags", "_no_n", "_no_start", "_no_subexpr"} {
		r.impl["regexp_substr"+suffix] = regexpSubstr
	}
}

// intArg returns integer argument i, or a default when the call does not have it.
func intArg(a []datum.Datum, i int, otherwise int64) int64 {
	if i < len(a) {
		return a[i].Int()
	}
	return otherwise
}

// checkPositions checks the arguments start and n (at index 0: not there), which must be positive.
func checkPositions(a []datum.Datum, start, n int) error {
	if v := intArg(a, start, 1); v <= 0 {
		return badParameter("start", v)
	}
	if n > 0 {
		if v := intArg(a, n, 1); v <= 0 {
			return badParameter("n", v)
		}
	}
	return nil
}

// nth finds the n-th match from a start position and the bounds of one of its groups (0, or 1 without groups: the
// whole); ok is false when there is none.
func nth(re *pgRegexp, s string, start, n, sub int64) (from, to int, ok bool, err error) {
	if start > int64(runeLen(s))+1 {
		return 0, 0, false, nil
	}
	found, err := re.all(s, skipRunes(s, start-1), int(n))
	if err != nil || int64(len(found)) < n {
		return 0, 0, false, err
	}
	if re.groups == 0 && sub == 1 {
		sub = 0
	}
	if sub > int64(re.groups) {
		return 0, 0, false, nil
	}
	loc := found[n-1]
	return loc[2*sub], loc[2*sub+1], loc[2*sub] >= 0, nil
}

func regexpInstr(c *Context, a []datum.Datum) (datum.Datum, error) {
	if err := checkPositions(a, 2, 3); err != nil {
		return datum.Null, err
	}
	end, sub := intArg(a, 4, 0), intArg(a, 6, 0)
	if end != 0 && end != 1 {
		return datum.Null, badParameter("endoption", end)
	}
	if sub < 0 {
		return datum.Null, badParameter("subexpr", sub)
	}
	re, _, err := c.prepared(a, 5, "regexp_instr()")
	if err != nil {
		return datum.Null, err
	}
	s := a[0].Text()
	from, to, ok, err := nth(re, s, intArg(a, 2, 1), intArg(a, 3, 1), sub)
	if err != nil || !ok {
		return datum.NewInt(0), err
	}
	if end == 1 {
		from = to
	}
	return datum.NewInt(int64(runeLen(s[:from])) + 1), nil
}

func regexpSubstr(c *Context, a []datum.Datum) (datum.Datum, error) {
	if err := checkPositions(a, 2, 3); err != nil {
		return datum.Null, err
	}
	sub := intArg(a, 5, 0)
	if sub < 0 {
		return datum.Null, badParameter("subexpr", sub)
	}
	re, _, err := c.prepared(a, 4, "regexp_substr()")
	if err != nil {
		return datum.Null, err
	}
	s := a[0].Text()
	from, to, ok, err := nth(re, s, intArg(a, 2, 1), intArg(a, 3, 1), sub)
	if err != nil || !ok {
		return datum.Null, err
	}
	return datum.NewText(s[from:to]), nil
}
