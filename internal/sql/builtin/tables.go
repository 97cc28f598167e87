package builtin

import (
	"embed"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/invariant"
)

//go:embed facts/*.tsv
var files embed.FS

// Catalog is one of PostgreSQL's system catalogues as recorded: column names and rows in text form.
type Catalog struct {
	Columns []string
	text    string
	rows    int
}

// ReadCatalog returns a recorded catalogue by its name, such as "pg_am", "pg_settings" or "pg_views", or false when
// there is none. Columns that are the same in every row (owners, access lists) are not recorded.
func ReadCatalog(name string) (Catalog, bool) {
	b, err := files.ReadFile("facts/" + name + ".tsv")
	if err != nil {
		return Catalog{}, false
	}
	text := string(b)
	header, body, _ := strings.Cut(text, "\n")
	return Catalog{Columns: strings.Split(header, "\t"), text: body, rows: strings.Count(body, "\n")}, true
}

// Len is the number of rows.
func (c Catalog) Len() int { return c.rows }

// Each calls f for every row, in the order of the first column. The row is reused: keep its fields (IsNull, or text
// through Field), not the slice.
func (c Catalog) Each(f func(row []string)) {
	row := make([]string, len(c.Columns))
	rest := c.text
	for len(rest) > 0 {
		line, tail, _ := strings.Cut(rest, "\n")
		rest = tail
		for i := range row {
			field, more, _ := strings.Cut(line, "\t")
			row[i], line = field, more
		}
		f(row)
	}
}

// IsNull says whether a field of a Catalog's row is NULL.
func IsNull(field string) bool { return field == `\N` }

// Field undoes COPY's escapes; NULL comes out empty.
func Field(field string) string {
	if strings.IndexByte(field, '\\') < 0 {
		return field
	}
	if IsNull(field) {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' || i+1 == len(field) {
			b.WriteByte(field[i])
			continue
		}
		i++
		switch field[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		default:
			b.WriteByte(field[i])
		}
	}
	return b.String()
}

// fieldReader reads a row's fields one after the other.
type fieldReader struct {
	row []string
	i   int
}

func (r *fieldReader) raw() string {
	s := r.row[r.i]
	r.i++
	return s
}

func (r *fieldReader) str() string { return Field(r.raw()) }

func (r *fieldReader) skip(n int) { r.i += n }

func (r *fieldReader) bool() bool { return r.raw() == "t" }

func (r *fieldReader) char() byte {
	s := r.raw()
	if s == "" || IsNull(s) {
		return 0
	}
	return s[0]
}

func (r *fieldReader) int() int {
	s := r.raw()
	if IsNull(s) {
		return 0
	}
	n, err := strconv.Atoi(s)
	invariant.Check(err == nil, "embedded catalogue: not a number: %q", s)
	return n
}

func (r *fieldReader) float() float32 {
	f, err := strconv.ParseFloat(r.raw(), 32)
	invariant.Check(err == nil, "embedded catalogue: not a float")
	return float32(f)
}

func (r *fieldReader) oid() datum.OID { return parseOID(r.raw()) }

func parseOID(s string) datum.OID {
	var n uint32
	for i := 0; i < len(s); i++ {
		n = n*10 + uint32(s[i]-'0')
	}
	return datum.OID(n)
}

// oids reads an oidvector ("1 2 3") or an oid array ("{1,2,3}").
func (r *fieldReader) oids() []datum.OID {
	s := r.raw()
	if s == "" || IsNull(s) {
		return nil
	}
	s = strings.Trim(s, "{}")
	n := 1
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == ',' {
			n++
		}
	}
	out := make([]datum.OID, 0, n)
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == ' ' || s[i] == ',' {
			out = append(out, parseOID(s[start:i]))
			start = i + 1
		}
	}
	return out
}

// words reads a text array whose elements have no commas; quotes stand only around empty elements.
func (r *fieldReader) words() []string {
	s := r.raw()
	if IsNull(s) {
		return nil
	}
	out := strings.Split(strings.Trim(s, "{}"), ",")
	for i, w := range out {
		out[i] = strings.Trim(w, `"`)
	}
	return out
}
