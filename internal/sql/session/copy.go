package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/copyio"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// copy runs COPY between a table or query and the client.
func (s *Session) copy(ctx context.Context, stmt *parser.CopyStmt) (*execution, error) {
	if stmt.HasFile || stmt.Program {
		what := "COPY to or from a file on the server"
		if stmt.Program {
			what = "COPY to or from a program"
		}
		return nil, failure.NotSupported("%s", what).
			WithHint("Use COPY ... FROM STDIN or TO STDOUT, or psql's \\copy command.")
	}
	if stmt.From && stmt.Relation == nil {
		return nil, failure.New(failure.SyntaxError, "COPY FROM needs a table")
	}
	if err := s.begun(ctx); err != nil {
		return nil, err
	}
	if stmt.From {
		return s.copyFrom(ctx, stmt)
	}
	return s.copyTo(ctx, stmt)
}

// copyOptions reads the options. names are the columns copied.
func copyOptions(stmt *parser.CopyStmt, names []string) (copyio.Options, error) {
	var o copyio.Options
	seen := map[string]bool{}
	for _, d := range stmt.Options {
		if seen[d.Name] {
			return o, failure.New(failure.SyntaxError, "conflicting or redundant options")
		}
		seen[d.Name] = true
		text := optionText(d)
		var err error
		switch d.Name {
		case "format":
			switch text {
			case "text":
			case "csv":
				o.Format = copyio.CSV
			case "binary":
				o.Format = copyio.Binary
			default:
				err = failure.New(failure.InvalidParameterValue, "COPY format \"%s\" not recognized", text)
			}
		case "delimiter":
			o.DelimiterText = text
		case "null":
			o.Null, o.NullGiven = text, true
		case "header":
			o.Header, err = headerOption(text, stmt.From)
		case "quote":
			o.QuoteText = text
		case "escape":
			o.EscapeText = text
		case "force_quote":
			o.ForceQuote, err = columnFlags(d, names, "FORCE_QUOTE")
		case "force_not_null":
			o.ForceNotNull, err = columnFlags(d, names, "FORCE_NOT_NULL")
		case "force_null":
			o.ForceNull, err = columnFlags(d, names, "FORCE_NULL")
		case "encoding":
			if e := strings.ToLower(strings.ReplaceAll(text, "-", "")); e != "utf8" && e != "unicode" {
				err = failure.NotSupported("COPY encoding \"%s\" is", text)
			}
		case "freeze":
		default:
			err = failure.New(failure.SyntaxError, "option \"%s\" not recognized", d.Name)
		}
		if err != nil {
			return o, err
		}
	}
	return o, o.Finish(stmt.From)
}

func headerOption(text string, from bool) (copyio.Header, error) {
	switch strings.ToLower(text) {
	case "", "true", "on", "1":
		return copyio.HeaderWrite, nil
	case "false", "off", "0":
		return copyio.HeaderNone, nil
	case "match":
		if !from {
			return 0, failure.New(failure.FeatureNotSupported, "cannot use \"%s\" with HEADER in COPY TO", text)
		}
		return copyio.HeaderMatch, nil
	}
	return 0, failure.New(failure.SyntaxError, "header requires a Boolean value or \"match\"")
}

func columnFlags(d *parser.DefElem, names []string, what string) ([]bool, error) {
	flags := make([]bool, len(names))
	if _, all := d.Arg.(*parser.Star); all {
		for i := range flags {
			flags[i] = true
		}
		return flags, nil
	}
	list, ok := d.Arg.(*parser.NameList)
	if !ok {
		return nil, failure.New(failure.InvalidParameterValue, "argument to option \"%s\" must be a list of column names", d.Name)
	}
	for _, n := range list.Names {
		i := slices.Index(names, n)
		if i < 0 {
			return nil, failure.New(failure.InvalidColumnReference, "%s column \"%s\" not referenced by COPY", what, n)
		}
		flags[i] = true
	}
	return flags, nil
}

// copyColumns resolves the column list of COPY; without one, every column that is not generated.
func copyColumns(t *catalog.Table, names []string, from bool) ([]int, error) {
	var out []int
	if len(names) == 0 {
		for i, c := range t.Columns {
			if c.Visible() && !c.Generated {
				out = append(out, i)
			}
		}
		return out, nil
	}
	for _, n := range names {
		c, i := t.ColumnByName(n)
		switch {
		case c == nil || !c.Visible():
			return nil, failure.New(failure.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", n, t.Name)
		case c.Generated:
			return nil, failure.New(failure.InvalidColumnReference, "column \"%s\" is a generated column", n).
				WithDetail("Generated columns cannot be used in COPY.")
		case slices.Contains(out, i):
			return nil, failure.New(failure.DuplicateColumn, "column \"%s\" specified more than once", n)
		}
		out = append(out, i)
	}
	return out, nil
}

// copyTable finds and checks the table of a COPY.
func (s *Session) copyTable(stmt *parser.CopyStmt, want catalog.Privilege) (*catalog.Table, []int, error) {
	snap := s.t.cat.Snapshot()
	n := stmt.Relation
	rel, err := snap.Resolve(s.path(), n.Catalog, n.Schema, n.Name)
	if err != nil {
		return nil, nil, s.located(err, n.Pos)
	}
	t := rel.Table
	if rel.Index != nil || t == nil || t.Kind != catalog.RelTable {
		verb, hint := "from", "Try the COPY (SELECT ...) TO variant."
		if stmt.From {
			verb, hint = "to", ""
		}
		return nil, nil, failure.New(failure.WrongObjectType, "cannot copy %s %s \"%s\"", verb, rel.Kind().Word(), n.Name).WithHint("%s", hint)
	}
	if err := snap.CheckTable(s.userOID(), t, want); err != nil {
		return nil, nil, err
	}
	cols, err := copyColumns(t, stmt.Columns, stmt.From)
	return t, cols, err
}

func (s *Session) copyFrom(ctx context.Context, stmt *parser.CopyStmt) (*execution, error) {
	if s.t.modes.readOnly {
		return nil, readOnlyError("COPY FROM")
	}
	t, cols, err := s.copyTable(stmt, catalog.PrivInsert)
	if err != nil {
		return nil, err
	}
	if t.Virtual {
		return nil, failure.New(failure.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", t.Name)
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = t.Columns[c].Name
	}
	o, err := copyOptions(stmt, names)
	if err != nil {
		return nil, err
	}
	wanted, err := s.copyWhere(ctx, stmt, t, cols)
	if err != nil {
		return nil, err
	}
	src, err := s.sink.CopyIn(len(cols), o.Format == copyio.Binary)
	if err != nil {
		return nil, err
	}
	rows := &copyRows{s: s, r: copyio.NewReader(src, o, names), table: t, cols: cols, binary: o.Format == copyio.Binary}
	next := rows.next
	if wanted != nil {
		next = func() ([]datum.Datum, error) {
			for {
				row, err := rows.next()
				if err != nil || row == nil {
					return nil, err
				}
				if ok, err := wanted(row); err != nil || ok {
					return row, err
				}
			}
		}
	}
	n, err := s.insertCopy(ctx, t, cols, names, next)
	if err != nil {
		err = rows.context(err)
		_, _ = io.Copy(io.Discard, src) // the client sends to the end whatever happens
		return nil, err
	}
	return done(fmt.Sprintf("COPY %d", n), nil)
}

// insertCopy inserts the rows of a COPY: as they are when they name every column that has a default, through INSERT … VALUES
// otherwise.
func (s *Session) insertCopy(ctx context.Context, t *catalog.Table, cols []int, names []string, next func() ([]datum.Datum, error)) (int64, error) {
	for i, c := range t.Columns {
		if c.Visible() && !c.Generated && !slices.Contains(cols, i) && (c.Default != "" || c.Identity != 0 || !builtinType(c.Type)) {
			return s.insertRows(ctx, t, names, next)
		}
	}
	for _, c := range cols {
		if !builtinType(t.Columns[c].Type) { // domains have constraints of their own
			return s.insertRows(ctx, t, names, next)
		}
	}
	st, err := s.insertStatement(ctx, t, names, 1)
	if err != nil {
		return 0, err
	}
	if err := s.useObjects(ctx, st.plan); err != nil {
		return 0, err
	}
	env, err := s.execEnv(ctx, make([]datum.Datum, len(cols)))
	if err != nil {
		return 0, err
	}
	return st.compiled.BulkInsert(ctx, env, newBulkRows(t, cols, next))
}

func builtinType(t datum.Type) bool { return t.OID < catalog.FirstUserOID }

// bulkRows makes batches of table rows of the rows of a COPY.
type bulkRows struct {
	table *catalog.Table
	cols  []int
	next  func() ([]datum.Datum, error)
	rows  [][]datum.Datum
	eof   bool
}

func newBulkRows(t *catalog.Table, cols []int, next func() ([]datum.Datum, error)) *bulkRows {
	b := &bulkRows{table: t, cols: cols, next: next}
	arena := make([]datum.Datum, copyBatch*len(t.Columns))
	for i := range copyBatch {
		b.rows = append(b.rows, arena[i*len(t.Columns):(i+1)*len(t.Columns):(i+1)*len(t.Columns)])
	}
	return b
}

// Next implements exec.RowSource.
func (b *bulkRows) Next(context.Context) ([][]datum.Datum, error) {
	n := 0
	for ; n < len(b.rows) && !b.eof; n++ {
		in, err := b.next()
		if err != nil {
			return nil, err
		}
		if in == nil {
			b.eof = true
			break
		}
		row := b.rows[n]
		clear(row)
		for i, c := range b.cols {
			d := in[i]
			if t := b.table.Columns[c].Type; t.Mod != -1 && !d.IsNull() {
				if d, err = datum.ApplyTypmod(t, d, false); err != nil {
					return nil, err
				}
			}
			row[c] = d
		}
	}
	return b.rows[:n], nil
}

// copyBatch is how many rows of a COPY one INSERT takes: enough that uniqueness is looked up for many keys at once.
const copyBatch = 256

// insertRows inserts rows in batches through INSERT … VALUES with parameters, which fills in defaults and checks
// constraints as for any other INSERT. next returns nil at the end; its row is valid until the next call.
func (s *Session) insertRows(ctx context.Context, t *catalog.Table, names []string, next func() ([]datum.Datum, error)) (int64, error) {
	var full *statement
	params := make([]datum.Datum, 0, copyBatch*len(names))
	most := min(copyBatch, max(1, 65535/max(1, len(names))))
	if len(names) == 0 {
		most = 1 // DEFAULT VALUES makes one row
	}
	var total int64
	for {
		rows := 0
		params = params[:0]
		for rows < most {
			row, err := next()
			if err != nil {
				return total, err
			}
			if row == nil {
				break
			}
			params = append(params, row...)
			rows++
		}
		if rows == 0 {
			return total, nil
		}
		st := full
		if st == nil || rows < most {
			var err error
			if st, err = s.insertStatement(ctx, t, names, rows); err != nil {
				return total, err
			}
			if rows == most {
				full = st
			}
		}
		e, err := s.openPlan(ctx, st, params)
		if err != nil {
			return total, err
		}
		_, err = s.send(ctx, e, nil, 0)
		e.close()
		if err != nil {
			return total, err
		}
		total += int64(rows)
		if rows < most {
			return total, nil
		}
	}
}

// insertStatement plans INSERT INTO t (names) OVERRIDING SYSTEM VALUE VALUES of a number of rows.
func (s *Session) insertStatement(ctx context.Context, t *catalog.Table, names []string, rows int) (*statement, error) {
	var w strings.Builder
	w.WriteString("INSERT INTO " + catalog.QuoteIdent(s.t.cat.Snapshot().SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name) + " (")
	oids := make([]datum.OID, 0, rows*len(names))
	types := make([]datum.OID, len(names))
	for i, n := range names {
		if i > 0 {
			w.WriteString(", ")
		}
		w.WriteString(catalog.QuoteIdent(n))
		c, _ := t.ColumnByName(n)
		types[i] = c.Type.OID
	}
	w.WriteString(") OVERRIDING SYSTEM VALUE VALUES ")
	if len(names) == 0 {
		w.Reset()
		w.WriteString("INSERT INTO " + catalog.QuoteIdent(s.t.cat.Snapshot().SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name) + " DEFAULT VALUES")
		rows = 0
	}
	for r := range rows {
		if r > 0 {
			w.WriteString(", ")
		}
		for i := range names {
			if i == 0 {
				w.WriteByte('(')
			} else {
				w.WriteByte(',')
			}
			w.WriteString("$" + strconv.Itoa(r*len(names)+i+1))
		}
		w.WriteByte(')')
		oids = append(oids, types...)
	}
	stmts, err := parser.Parse(w.String())
	if err != nil {
		return nil, err
	}
	st := &statement{sql: s.sql, raw: stmts[0], oids: oids}
	return st, s.prepare(ctx, st)
}

// copyRows turns COPY data into rows.
type copyRows struct {
	s      *Session
	r      *copyio.Reader
	table  *catalog.Table
	cols   []int
	row    []datum.Datum
	binary bool
	column string // being read, for the error's context
	value  []byte
	inRow  bool
}

// next returns the next row, nil at the end.
func (c *copyRows) next() ([]datum.Datum, error) {
	c.column, c.inRow = "", true
	fields, err := c.r.Next()
	if errors.Is(err, io.EOF) {
		c.inRow = false
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c.row == nil {
		c.row = make([]datum.Datum, 0, len(c.cols)) // nil would be the end
	}
	c.row = c.row[:0]
	for i, f := range fields {
		if f.Null {
			c.row = append(c.row, datum.Null)
			continue
		}
		col := c.table.Columns[c.cols[i]]
		c.column, c.value = col.Name, f.Data
		var d datum.Datum
		if c.binary {
			d, err = datum.ParseBinaryIn(col.Type, f.Data, c.s.datumEnv())
		} else {
			d, err = c.parse(col.Type, f.Data)
		}
		if err != nil {
			return nil, err
		}
		c.row = append(c.row, d)
	}
	c.column = ""
	return c.row, nil
}

// parse reads a text value. The reader's memory is reused, so what would alias it is copied.
func (c *copyRows) parse(t datum.Type, data []byte) (datum.Datum, error) {
	switch t.OID {
	case datum.OIDInt2, datum.OIDInt4, datum.OIDInt8, datum.OIDBool, datum.OIDFloat4, datum.OIDFloat8, datum.OIDNumeric,
		datum.OIDDate, datum.OIDTimestamp, datum.OIDTimestampTZ, datum.OIDTime:
	default:
		data = append(make([]byte, 0, len(data)), data...)
	}
	text := unsafe.String(unsafe.SliceData(data), len(data))
	if !utf8.ValidString(text) {
		return datum.Null, invalidUTF8(text)
	}
	return c.s.parseValue(t, text)
}

// context adds where in the data an error happened.
func (c *copyRows) context(err error) error {
	e := failure.As(err)
	if e == nil || e.Where != "" || e.Severity == failure.SeverityFatal {
		return err
	}
	where := fmt.Sprintf("COPY %s, line %d", c.table.Name, c.r.Line())
	switch {
	case c.column != "" && !c.binary:
		where += fmt.Sprintf(", column %s: %s", c.column, copyio.QuoteContext(c.value))
	case c.column != "":
		where += ", column " + c.column
	case !c.binary && c.inRow && c.r.Line() > 0:
		where += ": " + copyio.QuoteContext(c.r.Raw())
	}
	return e.Edit().WithWhere("%s", where)
}

// copyTo runs COPY … TO STDOUT as a query.
func (s *Session) copyTo(ctx context.Context, stmt *parser.CopyStmt) (*execution, error) {
	st := &statement{sql: s.sql}
	if stmt.Query != nil {
		if !plannable(stmt.Query) {
			return nil, failure.NotSupported("COPY of this kind of query")
		}
		st.raw = parser.RawStmt{Stmt: stmt.Query}
	} else {
		t, cols, err := s.copyTable(stmt, catalog.PrivSelect)
		if err != nil {
			return nil, err
		}
		st.raw, err = selectColumns(s.t.cat.Snapshot(), t, cols)
		if err != nil {
			return nil, err
		}
	}
	if err := s.prepare(ctx, st); err != nil {
		return nil, err
	}
	names := make([]string, len(st.cols))
	for i, c := range st.cols {
		names[i] = c.Name
	}
	o, err := copyOptions(stmt, names)
	if err != nil {
		return nil, err
	}
	if stmt.Query != nil && st.plan.Kind != plan.KindSelect && len(st.cols) == 0 {
		return nil, failure.New(failure.FeatureNotSupported, "COPY query must have a RETURNING clause")
	}
	e, err := s.openPlan(ctx, st, nil)
	if err != nil {
		return nil, err
	}
	defer e.close()
	n, err := s.copyOut(ctx, e, &o, names)
	if err != nil {
		return nil, err
	}
	return done(fmt.Sprintf("COPY %d", n), nil)
}

// selectColumns makes SELECT cols FROM ONLY t.
func selectColumns(snap *catalog.Snapshot, t *catalog.Table, cols []int) (parser.RawStmt, error) {
	var w strings.Builder
	w.WriteString("SELECT ")
	for i, c := range cols {
		if i > 0 {
			w.WriteString(", ")
		}
		w.WriteString(catalog.QuoteIdent(t.Columns[c].Name))
	}
	w.WriteString(" FROM " + catalog.QuoteIdent(snap.SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name))
	stmts, err := parser.Parse(w.String())
	if err != nil {
		return parser.RawStmt{}, err
	}
	return stmts[0], nil
}

func (s *Session) copyOut(ctx context.Context, e *execution, o *copyio.Options, names []string) (int64, error) {
	w, err := s.sink.CopyOut(len(e.cols), o.Format == copyio.Binary)
	if err != nil {
		return 0, err
	}
	var n int64
	buf := o.AppendHeader(nil, names)
	fields := make([]copyio.Field, len(e.cols))
	var values []byte
	env := s.datumEnv()
	for {
		more, err := e.rowsLeft(ctx)
		if err != nil {
			return n, err
		}
		if !more {
			break
		}
		row := e.batch[e.next]
		e.next++
		values = values[:0]
		for i, d := range row {
			if d.IsNull() {
				fields[i] = copyio.Field{Null: true}
				continue
			}
			at := len(values)
			if o.Format == copyio.Binary {
				if values, err = datum.AppendBinaryIn(values, e.cols[i].Type, d, env); err != nil {
					return n, err
				}
			} else {
				values = datum.AppendText(values, e.cols[i].Type, d, env)
			}
			fields[i] = copyio.Field{Data: values[at:len(values):len(values)]}
		}
		buf = o.AppendRow(buf, fields)
		if _, err := w.Write(buf); err != nil {
			return n, err
		}
		buf = buf[:0]
		n++
	}
	buf = o.AppendTrailer(buf)
	if len(buf) > 0 {
		if _, err := w.Write(buf); err != nil {
			return n, err
		}
	}
	s.sink.CopyOutDone()
	return n, nil
}
