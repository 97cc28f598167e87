package pushdown

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/row"
)

// truth is SQL's three-valued logic.
type truth uint8

const (
	no truth = iota
	yes
	unknown
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// Evaluator runs the filter of a program on encoded rows. It has scratch memory: one goroutine uses it at a time.
type Evaluator struct {
	root   *node
	key    []KeyColumn // the key columns up to the last one needed
	keyTo  []int       // where each goes in vals, -1 for nowhere
	value  *row.Decoder
	vals   []datum.Datum
	blanks []bool // by column: character(n), whose trailing blanks do not count
}

// node is a checked expression with what can be known of it before the first row.
type node struct {
	op     Op
	col    int         // OpColumn, and comparisons of a column with a constant: the column
	con    datum.Datum // OpConst, and comparisons of a column with a constant: the constant
	simple bool        // column against constant
	blanks bool        // compare as character(n)
	args   []*node
	list   []datum.Datum // OpIn against constants: in order, without NULLs
	listed bool
	null   bool // OpIn: a NULL is among the constants
}

// NewEvaluator prepares a program for running. It refuses a malformed one before any row is read.
func NewEvaluator(p *Program) (*Evaluator, error) {
	e := &Evaluator{}
	if p.Filter == nil {
		return e, nil
	}
	e.vals = make([]datum.Datum, len(p.Columns))
	e.blanks = make([]bool, len(p.Columns))
	e.keyTo = make([]int, len(p.KeyColumns))
	for i := range e.keyTo {
		e.keyTo[i] = -1
	}
	var want []row.Column
	var slots []int
	var missing []datum.Datum
	last := -1
	for i, c := range p.Columns {
		e.blanks[i] = c.Type.OID == datum.OIDBpchar
		switch {
		case c.KeyPos < 0:
			want, slots, missing = append(want, row.Column{ID: c.ID, Type: c.Type}), append(slots, i), append(missing, c.Missing)
		case c.KeyPos >= len(p.KeyColumns) || e.keyTo[c.KeyPos] >= 0:
			return nil, malformed("key column")
		default:
			e.keyTo[c.KeyPos] = i
			last = max(last, c.KeyPos)
		}
	}
	e.key = p.KeyColumns[:last+1]
	if len(want) > 0 {
		e.value = row.NewDecoderAt(want, slots, missing)
	}
	var err error
	e.root, err = e.compile(p.Filter, 0)
	return e, err
}

func malformed(what string) error {
	return failure.New(failure.InternalError, "malformed push-down program: %s", what)
}

// maxDepth bounds the nesting of a filter.
const maxDepth = 1000

func (e *Evaluator) compile(x *Expr, depth int) (*node, error) {
	if x == nil || depth > maxDepth {
		return nil, malformed("expression")
	}
	n := &node{op: x.Op, con: x.Const}
	for _, a := range x.Args {
		c, err := e.compile(a, depth+1)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, c)
	}
	arity := func(want int) error {
		if len(n.args) != want {
			return malformed("number of arguments")
		}
		return nil
	}
	switch x.Op {
	case OpColumn:
		if n.col = x.Arg; x.Arg < 0 || x.Arg >= len(e.vals) {
			return nil, malformed("column")
		}
		return n, arity(0)
	case OpConst:
		return n, arity(0)
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		if err := arity(2); err != nil {
			return nil, err
		}
		return e.compileCompare(n), nil
	case OpAnd, OpOr:
		return n, nil
	case OpNot, OpIsNull, OpIsNotNull:
		return n, arity(1)
	case OpIn:
		if len(n.args) == 0 {
			return nil, malformed("number of arguments")
		}
		return e.compileIn(n), nil
	case OpLikePrefix:
		return n, arity(2)
	}
	return nil, malformed("operator")
}

func (e *Evaluator) isBlanks(n *node) bool { return n.op == OpColumn && e.blanks[n.col] }

// compileCompare puts a lone constant on the right, where the quick path looks for it.
func (e *Evaluator) compileCompare(n *node) *node {
	a, b := n.args[0], n.args[1]
	n.blanks = e.isBlanks(a) || e.isBlanks(b)
	if a.op == OpConst && b.op == OpColumn {
		a, b = b, a
		switch n.op {
		case OpLt:
			n.op = OpGt
		case OpLe:
			n.op = OpGe
		case OpGt:
			n.op = OpLt
		case OpGe:
			n.op = OpLe
		}
		n.args[0], n.args[1] = a, b
	}
	if a.op == OpColumn && b.op == OpConst {
		n.simple, n.col, n.con = true, a.col, b.con
	}
	return n
}

// compileIn sorts a list of constants.
func (e *Evaluator) compileIn(n *node) *node {
	for _, a := range n.args {
		n.blanks = n.blanks || e.isBlanks(a)
	}
	for _, a := range n.args[1:] {
		if a.op != OpConst {
			n.list, n.null = nil, false
			return n
		}
		if a.con.IsNull() {
			n.null = true
		} else {
			n.list = append(n.list, a.con)
		}
	}
	n.listed = true
	slices.SortFunc(n.list, n.compare)
	return n
}

// compare orders two values that are not NULL.
func (n *node) compare(a, b datum.Datum) int {
	if n.blanks && a.Kind() == datum.KindText && b.Kind() == datum.KindText {
		return datum.CompareBpchar(a.Text(), b.Text())
	}
	return datum.Compare(a, b)
}

// Match says whether the filter is true for a row. The row's memory is not used after the call.
func (e *Evaluator) Match(key, value []byte) (bool, error) {
	if e.root == nil {
		return true, nil
	}
	if len(e.key) > 0 {
		if len(key) < keys.PrefixLen {
			return false, failure.New(failure.DataCorrupted, "row key is too short")
		}
		rest := key[keys.PrefixLen:]
		for i := range e.key {
			var err error
			if to := e.keyTo[i]; to >= 0 {
				e.vals[to], rest, err = row.DecodeKeyDatum(rest, e.key[i].Type, e.key[i].Desc, e.key[i].Desc)
			} else {
				rest, err = row.SkipKeyDatum(rest, e.key[i].Type, e.key[i].Desc, e.key[i].Desc)
			}
			if err != nil {
				return false, err
			}
		}
	}
	if e.value != nil {
		if err := e.value.Decode(value, e.vals); err != nil {
			return false, err
		}
	}
	return e.truth(e.root) == yes, nil
}

// operand returns the value of a column, a constant or a condition.
func (e *Evaluator) operand(n *node) datum.Datum {
	switch n.op {
	case OpColumn:
		return e.vals[n.col]
	case OpConst:
		return n.con
	}
	if t := e.truth(n); t != unknown {
		return datum.NewBool(t == yes)
	}
	return datum.Null
}

func (e *Evaluator) truth(n *node) truth {
	switch n.op {
	case OpColumn, OpConst:
		d := e.operand(n)
		if d.IsNull() {
			return unknown
		}
		return truthOf(d.IsTrue())
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		if n.simple {
			return n.relate(e.vals[n.col], n.con)
		}
		return n.relate(e.operand(n.args[0]), e.operand(n.args[1]))
	case OpAnd:
		return e.fold(n.args, no, yes)
	case OpOr:
		return e.fold(n.args, yes, no)
	case OpNot:
		switch e.truth(n.args[0]) {
		case yes:
			return no
		case no:
			return yes
		}
		return unknown
	case OpIsNull:
		return truthOf(e.operand(n.args[0]).IsNull())
	case OpIsNotNull:
		return truthOf(!e.operand(n.args[0]).IsNull())
	case OpIn:
		return e.in(n)
	case OpLikePrefix:
		s, p := e.operand(n.args[0]), e.operand(n.args[1])
		if s.IsNull() || p.IsNull() {
			return unknown
		}
		return truthOf(s.Kind() == datum.KindText && p.Kind() == datum.KindText && strings.HasPrefix(s.Text(), p.Text()))
	}
	return unknown
}

// fold is AND and OR: one decisive argument settles it, else one unknown does.
func (e *Evaluator) fold(args []*node, decisive, otherwise truth) truth {
	result := otherwise
	for _, a := range args {
		switch e.truth(a) {
		case decisive:
			return decisive
		case unknown:
			result = unknown
		}
	}
	return result
}

// relate compares two values by the node's operator.
func (n *node) relate(a, b datum.Datum) truth {
	if a.IsNull() || b.IsNull() {
		return unknown
	}
	var c int
	if a.Kind() == datum.KindInt && b.Kind() == datum.KindInt {
		x, y := a.Int(), b.Int()
		switch {
		case x < y:
			c = -1
		case x > y:
			c = 1
		}
	} else {
		c = n.compare(a, b)
	}
	switch n.op {
	case OpEq:
		return truthOf(c == 0)
	case OpNe:
		return truthOf(c != 0)
	case OpLt:
		return truthOf(c < 0)
	case OpLe:
		return truthOf(c <= 0)
	case OpGt:
		return truthOf(c > 0)
	}
	return truthOf(c >= 0)
}

func (e *Evaluator) in(n *node) truth {
	d := e.operand(n.args[0])
	if d.IsNull() {
		if len(n.args) == 1 {
			return no
		}
		return unknown
	}
	if n.listed {
		_, found := slices.BinarySearchFunc(n.list, d, n.compare)
		if !found && n.null {
			return unknown
		}
		return truthOf(found)
	}
	result := no
	for _, a := range n.args[1:] {
		v := e.operand(a)
		if v.IsNull() {
			result = unknown
		} else if n.compare(d, v) == 0 {
			return yes
		}
	}
	return result
}
