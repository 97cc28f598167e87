package builtin

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerSimilar registers the translation of SIMILAR TO patterns into regular expressions.
func registerSimilar(r *registry) {
	two := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		esc := `\`
		if len(a) > 1 && !a[1].IsNull() {
			esc = a[1].Text()
		}
		s, err := similarToRegexp(a[0].Text(), esc)
		return datum.NewText(s), err
	}
	r.impl["similar_to_escape_1"], r.impl["similar_to_escape_2"], r.impl["similar_escape"] = two, two, two
}

func badSimilarEscape() error {
	return failure.New(failure.InvalidUseOfEscapeCharacter,
		"SQL regular expression may not contain more than two escape-double-quote separators")
}

// similarToRegexp translates an SQL regular expression. Two escaped double quotes cut the pattern in three, of which
// SUBSTRING returns the middle.
func similarToRegexp(p, esc string) (string, error) {
	if runeLen(esc) > 1 {
		return "", failure.New(failure.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	var b strings.Builder
	b.WriteString("^(?:")
	escaped, class, quotes := false, false, 0
	for i := 0; i < len(p); {
		n := charLen(p[i:], false)
		c := p[i : i+n]
		i += n
		switch {
		case escaped:
			if c == `"` && !class {
				switch quotes {
				case 0:
					b.WriteString("){1,1}?(")
				case 1:
					b.WriteString("){1,1}(?:")
				default:
					return "", badSimilarEscape()
				}
				quotes++
			} else {
				b.WriteString(`\` + c)
			}
			escaped = false
		case esc != "" && c == esc:
			escaped = true
		case class:
			if c == `\` {
				b.WriteByte('\\')
			}
			b.WriteString(c)
			class = c != "]"
		case c == "[":
			b.WriteString(c)
			class = true
		case c == "%":
			b.WriteString(".*")
		case c == "_":
			b.WriteByte('.')
		case c == "(":
			b.WriteString("(?:")
		case c == `\` || c == "." || c == "^" || c == "$":
			b.WriteString(`\` + c)
		default:
			b.WriteString(c)
		}
	}
	b.WriteString(")$")
	return b.String(), nil
}
