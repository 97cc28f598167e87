package ddl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// maxName is PostgreSQL's NAMEDATALEN - 1: names are cut to this many bytes.
const maxName = 63

// objectName joins the names that an object is made from and a label, cutting the longer of the names first until
// the whole fits.
func objectName(name1, name2, label string) string {
	over := len(label)
	if name2 != "" {
		over++
	}
	if label != "" {
		over++
	}
	n1, n2 := len(name1), len(name2)
	for n1+n2+over > maxName {
		if n1 > n2 {
			n1--
		} else {
			n2--
		}
	}
	var b strings.Builder
	b.WriteString(clip(name1, n1))
	if name2 != "" {
		b.WriteString("_" + clip(name2, n2))
	}
	if label != "" {
		b.WriteString("_" + label)
	}
	return b.String()
}

// clip cuts s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// chooseName returns the first of name_label, name_label1, name_label2 … that is not taken.
func chooseName(name1, name2, label string, taken func(string) bool) string {
	name := objectName(name1, name2, label)
	for i := 1; taken(name); i++ {
		name = objectName(name1, name2, label+strconv.Itoa(i))
	}
	return name
}

// relationName chooses a name that no relation of the schema has, nor any of also.
func (e *Env) relationName(schema catalog.OID, also func(string) bool, name1, name2, label string) string {
	s := e.snap()
	return chooseName(name1, name2, label, func(n string) bool {
		return s.Relation(schema, n).Found() || also != nil && also(n)
	})
}

// joinNames joins column names as they appear in the names of indexes, cutting early as PostgreSQL does.
func joinNames(names []string) string {
	s := strings.Join(names, "_")
	if len(s) > 2*maxName {
		return clip(s, 2*maxName)
	}
	return s
}
