package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// rcol is a column of a range table entry. expr is a Var, except for merged columns of full joins and columns of
// expanded expressions.
type rcol struct {
	name  string
	expr  plan.Expr
	table datum.OID // origin, for RowDescription
	attr  int16
	// hidden columns are not part of "*": dropped ones have no name either.
	hidden bool
}

// rte is a range table entry: something in FROM with a name and columns.
type rte struct {
	alias   string
	schema  string // of a table without an alias
	cols    []rcol
	table   *catalog.Table
	scan    *plan.RelScan
	base    plan.ColID
	rowType datum.OID // of a whole-row reference, record when anonymous
	join    bool
	fn      bool // a function: its scalar column is what a whole-row reference means
	pos     int
	// nullable is where an outer join may lack the entry's row, marked that the mark of its presence is among cols.
	nullable *plan.RelProject
	marked   bool

	// What the statement does with the relation, for privileges.
	relOID     datum.OID
	checkAs    datum.OID
	need       catalog.Privilege
	read       bool
	readCols   []bool
	insertCols []bool
	updateCols []bool
}

// columns turns marks by ordinal into attribute numbers.
func (r *rte) columns(marks []bool) []int16 {
	var out []int16
	for i, m := range marks {
		if m && r.table != nil && i < len(r.table.Columns) {
			out = append(out, r.table.Columns[i].Attnum)
		}
	}
	return out
}

// markRead notes that column i (position in cols) is read.
func (r *rte) markRead(i int) {
	if r.table == nil {
		return
	}
	r.read = true
	if r.readCols == nil {
		r.readCols = make([]bool, len(r.cols))
	}
	r.readCols[i] = true
}

// nsItem says how far an entry can be seen.
type nsItem struct {
	rte         *rte
	relVisible  bool // alias.column
	colsVisible bool // column
	lateralOnly bool // only inside LATERAL
	lateralOK   bool // and is it allowed there
}

// scope is one query level.
type scope struct {
	parent        *scope
	ns            []*nsItem
	all           []*rte // every entry of the level, for hints
	lateralActive bool
	kind          Place
	ctes          []*cte
	future        []string // WITH items that are not bound yet
	selfRef       bool     // a recursive query mentions itself in FROM

	// q is the SELECT whose level this is; nil in DML and stand-alone expressions.
	q *selectState
	// value is the expression that VALUE means in a domain's check.
	value plan.Expr
	// named are the arguments of a SQL function's body.
	named []namedArg
}

// namedArg is an argument of a SQL function.
type namedArg struct {
	name string
	expr plan.Expr
}

// localVar says whether a column belongs to this level (and not to an enclosing one).
func (s *scope) localVar(id plan.ColID) bool {
	for _, r := range s.all {
		for i := range r.cols {
			if v, ok := r.cols[i].expr.(*plan.Var); ok && v.ID == id {
				return true
			}
		}
	}
	return s.q != nil && s.q.made[id]
}

// rteOf finds the entry of the level that a column belongs to.
func (s *scope) rteOf(id plan.ColID) (*rte, int) {
	for _, r := range s.all {
		if r.join {
			continue
		}
		for i := range r.cols {
			if v, ok := r.cols[i].expr.(*plan.Var); ok && v.ID == id {
				return r, i
			}
		}
	}
	return nil, -1
}

// columnRef binds a column reference.
func (b *binder) columnRef(s *scope, e *parser.ColumnRef) plan.Expr {
	if e.Star {
		return b.starRow(s, e)
	}
	switch len(e.Parts) {
	case 1:
		return b.bareColumn(s, e)
	case 2:
		return b.tableColumn(s, e, "", e.Parts[0], e.Parts[1])
	case 3:
		return b.tableColumn(s, e, e.Parts[0], e.Parts[1], e.Parts[2])
	case 4:
		if e.Parts[0] != b.env.Snapshot.Database().Name {
			b.fail(e.Pos, failure.FeatureNotSupported, "cross-database references are not implemented: %s", joinDots(e.Parts))
		}
		return b.tableColumn(s, e, e.Parts[1], e.Parts[2], e.Parts[3])
	}
	b.fail(e.Pos, failure.SyntaxError, "improper qualified name (too many dotted names): %s", joinDots(e.Parts))
	return nil
}

// starRow binds "t.*" where it stands for the row as a value, as in t.* IS NULL and f(t.*).
func (b *binder) starRow(s *scope, e *parser.ColumnRef) plan.Expr {
	n := len(e.Parts)
	if n == 0 || n > 2 {
		b.fail(e.Pos, failure.SyntaxError, "row expansion via \"*\" is not supported here")
	}
	schema := ""
	if n == 2 {
		schema = e.Parts[0]
	}
	it := b.findTable(s, schema, e.Parts[n-1], e.Pos)
	if it == nil {
		if n == 1 {
			if x := b.tryColumn(s, e.Parts[0], e.Pos); x != nil {
				return x
			}
		}
		b.missingTable(s, schema, e.Parts[n-1], e.Pos)
	}
	return b.wholeRow(it.rte, e.Pos)
}

// bareColumn binds a name without qualification: a column, or the whole row of a table.
func (b *binder) bareColumn(s *scope, e *parser.ColumnRef) plan.Expr {
	name := e.Parts[0]
	for lv := s; lv != nil; lv = lv.parent {
		if lv.value != nil && name == "value" {
			return lv.value
		}
		var found *rte
		at := -1
		for _, it := range lv.ns {
			if !it.colsVisible || it.lateralOnly && !lv.lateralActive {
				continue
			}
			for i := range it.rte.cols {
				c := &it.rte.cols[i]
				if c.name != name || c.hidden {
					continue
				}
				if found != nil {
					b.fail(e.Pos, failure.AmbiguousColumn, "column reference \"%s\" is ambiguous", name)
				}
				b.checkLateral(it, e.Pos)
				found, at = it.rte, i
			}
		}
		if found != nil {
			return b.columnOf(found, at, e.Pos)
		}
		for i := range lv.named {
			if lv.named[i].name == name {
				return lv.named[i].expr
			}
		}
		if x := b.systemColumn(lv, nil, name, e.Pos); x != nil {
			return x
		}
	}
	if it := b.findTable(s, "", name, e.Pos); it != nil {
		return b.wholeRow(it.rte, e.Pos)
	}
	b.missingColumn(s, "", name, e.Pos)
	return nil
}

func (b *binder) checkLateral(it *nsItem, pos int) {
	if it.lateralOnly && !it.lateralOK {
		b.throw(pos, failure.New(failure.InvalidColumnReference,
			"invalid reference to FROM-clause entry for table \"%s\"", it.rte.alias).
			WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference."))
	}
}

// columnOf is a mention of column i of an entry.
func (b *binder) columnOf(r *rte, i, pos int) plan.Expr {
	r.markRead(i)
	if v, ok := r.cols[i].expr.(*plan.Var); ok {
		if r.join {
			b.markVar(v.ID)
		}
		c := *v
		c.Pos = int32(pos)
		return &c
	}
	for _, u := range b.uses {
		plan.Walk(r.cols[i].expr, func(x plan.Expr) bool {
			if v, ok := x.(*plan.Var); ok {
				u.markID(v.ID)
			}
			return true
		})
	}
	return r.cols[i].expr
}

// markVar notes that a column was read through a join's name.
func (b *binder) markVar(id plan.ColID) {
	for _, u := range b.uses {
		u.markID(id)
	}
}

func (r *rte) markID(id plan.ColID) {
	if i := int(id - r.base); r.table != nil && i >= 0 && i < len(r.cols) {
		r.markRead(i)
	}
}

// findTable looks a table name up as refnameNamespaceItem does; nil when there is none.
func (b *binder) findTable(s *scope, schema, name string, pos int) *nsItem {
	for lv := s; lv != nil; lv = lv.parent {
		var found *nsItem
		for _, it := range lv.ns {
			if !it.relVisible || it.lateralOnly && !lv.lateralActive || it.rte.alias != name {
				continue
			}
			if schema != "" && it.rte.schema != schema {
				continue
			}
			if found != nil {
				b.fail(pos, failure.AmbiguousAlias, "table reference \"%s\" is ambiguous", name)
			}
			b.checkLateral(it, pos)
			found = it
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// tableColumn binds table.column.
func (b *binder) tableColumn(s *scope, e *parser.ColumnRef, schema, table, name string) plan.Expr {
	it := b.findTable(s, schema, table, e.Pos)
	if it == nil {
		if x := b.namedField(s, e, table, name); x != nil {
			return x
		}
		b.missingTable(s, schema, table, e.Pos)
	}
	at := -1
	for i := range it.rte.cols {
		if c := &it.rte.cols[i]; c.name == name && !c.hidden {
			if at >= 0 {
				b.fail(e.Pos, failure.AmbiguousColumn, "column reference \"%s\" is ambiguous", name)
			}
			at = i
		}
	}
	if at >= 0 {
		return b.columnOf(it.rte, at, e.Pos)
	}
	if x := b.systemColumn(nil, it.rte, name, e.Pos); x != nil {
		return x
	}
	// t.f may be the functional notation of f(t).
	if len(b.facts.FuncsByName("", name)) > 0 {
		row := b.wholeRow(it.rte, e.Pos)
		if r, err := b.resolveFuncTypes("", name, []datum.OID{row.Type().OID}); err == nil && r.Func != nil {
			return b.callResolved(s, r, []plan.Expr{row}, e.Pos)
		}
	}
	b.missingColumn(s, table, name, e.Pos)
	return nil
}

// namedField binds function.argument and argument.field inside a SQL function.
func (b *binder) namedField(s *scope, e *parser.ColumnRef, first, second string) plan.Expr {
	for lv := s; lv != nil; lv = lv.parent {
		for i := range lv.named {
			if lv.named[i].name == first {
				return b.field(lv.named[i].expr, second, e.Pos)
			}
		}
	}
	return nil
}

// systemColumn binds tableoid, and refuses the other system columns of a table by name.
func (b *binder) systemColumn(lv *scope, r *rte, name string, pos int) plan.Expr {
	switch name {
	case "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax":
	default:
		return nil
	}
	if r == nil {
		for _, it := range lv.ns {
			if it.rte.table != nil && it.colsVisible {
				if r != nil {
					b.fail(pos, failure.AmbiguousColumn, "column reference \"%s\" is ambiguous", name)
				}
				r = it.rte
			}
		}
	}
	if r == nil || r.table == nil {
		return nil
	}
	if name != "tableoid" {
		b.notSupported(pos, "system column \"%s\"", name)
	}
	return &plan.Const{Val: datum.NewInt(int64(r.table.OID)), Typ: datum.T(datum.OIDOid)}
}

// wholeRow is the row of a table as a value.
func (b *binder) wholeRow(r *rte, pos int) plan.Expr {
	if r.fn && len(r.cols) == 1 {
		return b.columnOf(r, 0, pos)
	}
	row := &plan.Row{Typ: datum.T(r.rowType), Present: b.present(r)}
	for i := range r.cols {
		if r.cols[i].hidden {
			continue
		}
		row.Args = append(row.Args, b.columnOf(r, i, pos))
		row.Names = append(row.Names, r.cols[i].name)
	}
	if r.table != nil {
		r.read = true
	}
	return row
}

// expandStar gives the columns that "*" or "table.*" stands for.
func (b *binder) expandStar(s *scope, e *parser.ColumnRef) []target {
	var out []target
	add := func(r *rte) {
		if r.table != nil {
			r.read = true
		}
		for i := range r.cols {
			c := &r.cols[i]
			if c.hidden {
				continue
			}
			out = append(out, target{expr: b.columnOf(r, i, e.Pos), name: c.name, table: c.table, attr: c.attr, pos: e.Pos})
		}
	}
	if len(e.Parts) == 0 {
		any := false
		for _, it := range s.ns {
			if it.colsVisible && !(it.lateralOnly && !s.lateralActive) {
				add(it.rte)
				any = true
			}
		}
		if !any {
			b.fail(e.Pos, failure.SyntaxError, "SELECT * with no tables specified is not valid")
		}
		return out
	}
	schema, name := "", e.Parts[len(e.Parts)-1]
	if len(e.Parts) > 1 {
		schema = e.Parts[len(e.Parts)-2]
	}
	it := b.findTable(s, schema, name, e.Pos)
	if it == nil {
		if schema == "" {
			if x := b.tryColumn(s, name, e.Pos); x != nil {
				return b.expandRow(x, e.Pos)
			}
		}
		b.missingTable(s, schema, name, e.Pos)
	}
	add(it.rte)
	return out
}

// tryColumn finds a bare column, or returns nil.
func (b *binder) tryColumn(s *scope, name string, pos int) plan.Expr {
	for lv := s; lv != nil; lv = lv.parent {
		for _, it := range lv.ns {
			if !it.colsVisible || it.lateralOnly && !lv.lateralActive {
				continue
			}
			for i := range it.rte.cols {
				if c := &it.rte.cols[i]; c.name == name && !c.hidden {
					return b.columnOf(it.rte, i, pos)
				}
			}
		}
	}
	return nil
}

// missingTable reports a table name that is not in FROM, with PostgreSQL's hints.
func (b *binder) missingTable(s *scope, schema, name string, pos int) {
	text := name
	for lv := s; lv != nil; lv = lv.parent {
		for _, r := range lv.all {
			if r.alias == name {
				err := failure.New(failure.UndefinedTable, "invalid reference to FROM-clause entry for table \"%s\"", text)
				b.throw(pos, err.WithHint(
					"There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", r.alias))
			}
			if r.table != nil && r.table.Name == name && r.alias != name {
				b.throw(pos, failure.New(failure.UndefinedTable,
					"invalid reference to FROM-clause entry for table \"%s\"", text).
					WithHint("Perhaps you meant to reference the table alias \"%s\".", r.alias))
			}
		}
	}
	b.fail(pos, failure.UndefinedTable, "missing FROM-clause entry for table \"%s\"", text)
}

// missingColumn reports a column that does not exist, with the nearest names as hints.
func (b *binder) missingColumn(s *scope, table, name string, pos int) {
	var err *failure.Error
	if table != "" {
		err = failure.New(failure.UndefinedColumn, "column %s.%s does not exist", table, name)
	} else {
		err = failure.New(failure.UndefinedColumn, "column \"%s\" does not exist", name)
	}
	f := fuzzy{distance: maxFuzzy + 1}
	for lv := s; lv != nil; lv = lv.parent {
		for _, r := range lv.all {
			if r.join {
				continue
			}
			penalty := 0
			if table != "" {
				penalty = levenshtein(table, r.alias)
			}
			for i := range r.cols {
				if r.cols[i].hidden {
					continue
				}
				if r.cols[i].name == name && penalty == 0 {
					b.throw(pos, err.WithHint("There is a column named \"%s\" in table \"%s\", but it cannot be referenced from this part of the query.", name, r.alias))
				}
				f.consider(r, i, name, penalty)
			}
		}
	}
	switch {
	case f.first != nil && f.second != nil:
		err = err.WithHint("Perhaps you meant to reference the column \"%s.%s\" or the column \"%s.%s\".",
			f.first.alias, f.first.cols[f.firstCol].name, f.second.alias, f.second.cols[f.secondCol].name)
	case f.first != nil:
		err = err.WithHint("Perhaps you meant to reference the column \"%s.%s\".", f.first.alias,
			f.first.cols[f.firstCol].name)
	}
	b.throw(pos, err)
}

const maxFuzzy = 3

// fuzzy remembers the closest one or two names.
type fuzzy struct {
	distance            int
	first, second       *rte
	firstCol, secondCol int
}

func (f *fuzzy) consider(r *rte, col int, name string, penalty int) {
	if penalty > f.distance {
		return
	}
	d := levenshtein(name, r.cols[col].name)
	if d > len(name)/2 || d+penalty > f.distance {
		return
	}
	d += penalty
	switch {
	case d < f.distance:
		f.distance, f.first, f.firstCol, f.second = d, r, col, nil
	case f.second != nil:
		f.first, f.second, f.distance = nil, nil, d-1
	case f.first != nil:
		f.second, f.secondCol = r, col
	default:
		f.first, f.firstCol = r, col
	}
}

// levenshtein is the edit distance of two names, in bytes.
func levenshtein(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	cur := make([]int, len(b)+1)
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}

func joinDots(parts []string) string {
	s := ""
	for i, p := range parts {
		if i > 0 {
			s += "."
		}
		s += p
	}
	return s
}
