package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerLike registers LIKE, ILIKE and the helpers of their ESCAPE clauses.
func registerLike(r *registry) {
	for _, p := range []string{"text", "name", "bytea"} {
		bytes := p == "bytea"
		r.bind[p+"like"], r.bind[p+"nlike"] = bindLike(false, false, bytes), bindLike(true, false, bytes)
		if !bytes {
			r.bind[p+"iclike"], r.bind[p+"icnlike"] = bindLike(false, true, false), bindLike(true, true, false)
		}
	}
	r.impl["like_escape"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := likeEscape(a[0].Text(), a[1].Text())
		return datum.NewText(s), err
	}
	r.impl["like_escape_bytea"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := likeEscape(a[0].Text(), a[1].Text())
		return datum.NewBytes([]byte(s)), err
	}
}

func badLikeEscape() error {
	return failure.New(failure.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
}

func bindLike(not, fold, bytes bool) Bind {
	return func(call *Call) (Impl, error) {
		if p, ok := call.constant(1); ok && !p.IsNull() && !fold {
			if test := simpleLike(p.Text()); test != nil {
				return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
					return datum.NewBool(test(a[0].Text()) != not), nil
				}, nil
			}
		}
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			s, p := a[0].Text(), a[1].Text()
			if fold {
				s, p = lowerASCII(s), lowerASCII(p)
			}
			ok, err := like(s, p, bytes)
			return datum.NewBool(ok != not), err
		}, nil
	}
}

// simpleLike recognises patterns without _ and escapes whose % stand only at the ends.
func simpleLike(p string) func(s string) bool {
	if strings.ContainsAny(p, `_\`) {
		return nil
	}
	core := strings.Trim(p, "%")
	if strings.Contains(core, "%") {
		return nil
	}
	head, tail := strings.HasPrefix(p, "%"), strings.HasSuffix(p, "%")
	switch {
	case core == "" && p != "":
		return func(string) bool { return true }
	case head && tail:
		return func(s string) bool { return strings.Contains(s, core) }
	case head:
		return func(s string) bool { return strings.HasSuffix(s, core) }
	case tail:
		return func(s string) bool { return strings.HasPrefix(s, core) }
	}
	return func(s string) bool { return s == core }
}

// like matches s with a pattern of % (anything), _ (one character, or one byte) and backslash escapes. It goes back to
// the last % only, which is enough.
func like(s, p string, bytes bool) (bool, error) {
	si, pi := 0, 0
	backS, backP := -1, 0
	for si < len(s) {
		if pi < len(p) {
			switch c := p[pi]; {
			case c == '%':
				pi++
				backS, backP = si, pi
				continue
			case c == '_':
				pi++
				si += charLen(s[si:], bytes)
				continue
			case c == '\\':
				if pi+1 >= len(p) {
					return false, badLikeEscape()
				}
				if p[pi+1] == s[si] {
					pi, si = pi+2, si+1
					continue
				}
			case c == s[si]:
				pi, si = pi+1, si+1
				continue
			}
		}
		if backS < 0 {
			return false, danglingEscape(p[pi:])
		}
		backS += charLen(s[backS:], bytes)
		si, pi = backS, backP
	}
	for pi < len(p) && p[pi] == '%' {
		pi++
	}
	return pi >= len(p), nil
}

// danglingEscape reports an escape at the end of what PostgreSQL would still have read of the pattern.
func danglingEscape(p string) error {
	if p == `\` {
		return badLikeEscape()
	}
	return nil
}

func charLen(s string, bytes bool) int {
	if bytes || s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// likeEscape rewrites a pattern with another escape character (or none) into one with backslashes.
func likeEscape(p, esc string) (string, error) {
	if runeLen(esc) > 1 {
		return "", failure.New(failure.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	if esc == `\` {
		return p, nil
	}
	var b strings.Builder
	for i := 0; i < len(p); {
		switch {
		case esc != "" && strings.HasPrefix(p[i:], esc):
			// The escape itself becomes a backslash; what follows is literal whatever it is.
			i += len(esc)
			b.WriteByte('\\')
			if i < len(p) {
				n := charLen(p[i:], false)
				b.WriteString(p[i : i+n])
				i += n
			}
		case p[i] == '\\':
			b.WriteString(`\\`)
			i++
		default:
			b.WriteByte(p[i])
			i++
		}
	}
	return b.String(), nil
}
