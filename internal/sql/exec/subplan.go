package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// subPlan is a subquery in an expression with what its last run gave.
type subPlan struct {
	node *plan.SubPlan
	op   operator
	args []evalFn
	test evalFn
	// inputs are the values of args and deps for which the kept result holds; run marks the execution it belongs to.
	inputs []datum.Datum
	now    []datum.Datum
	run    uint64

	value datum.Datum
	// rows are kept by SubAny and SubAll.
	rows  [][]datum.Datum
	arena spill.Arena
	acct  spill.Account
	// A hashed subplan has its rows in table, and whether there are any with a NULL apart.
	table   *spill.Table
	left    []evalFn
	key     []datum.Datum
	hasher  *hasher
	anyNull bool
}

func (c *compiler) subPlan(e *plan.SubPlan) evalFn {
	s := &subPlan{node: e, op: c.node(e.Plan), args: c.exprs(e.Args)}
	s.inputs = make([]datum.Datum, len(e.Args)+len(e.Deps))
	s.now = make([]datum.Datum, len(s.inputs))
	if e.Test != nil {
		s.test = c.expr(e.Test)
	}
	if e.Hashed && e.Kind == plan.SubAny && len(e.HashLeft) > 0 {
		s.left = c.exprs(e.HashLeft)
		s.key = make([]datum.Datum, len(s.left))
		s.hasher = c.hasher(typesOf(e.HashLeft))
	}
	return func(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
		if err := s.refresh(ctx, st, row); err != nil {
			return datum.Null, err
		}
		switch {
		case s.left != nil:
			return s.probe(ctx, st, row)
		case s.node.Kind == plan.SubAny || s.node.Kind == plan.SubAll:
			return s.quantify(ctx, st, row)
		}
		return s.value, nil
	}
}

// refresh runs the plan unless its last result still holds.
func (s *subPlan) refresh(ctx context.Context, st *state, row []datum.Datum) error {
	n := s.node
	fresh := s.run != st.run
	for i, a := range s.args {
		v, err := a(ctx, st, row)
		if err != nil {
			return err
		}
		s.now[i] = v
	}
	for i, slot := range n.Deps {
		s.now[len(s.args)+i] = st.slots[slot]
	}
	if !fresh {
		same := true
		for i := range s.now {
			if !identical(s.now[i], s.inputs[i]) {
				same = false
				break
			}
		}
		if same {
			return nil
		}
	}
	for i, slot := range n.ArgSlots {
		st.slots[slot] = s.now[i]
	}
	// Until the run succeeds there is no result to keep.
	s.run = 0
	if err := s.execute(ctx, st); err != nil {
		return err
	}
	copy(s.inputs, s.now)
	s.run = st.run
	return nil
}

// identical is a cheap equality that may say no to equal values.
func identical(a, b datum.Datum) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case datum.KindNumeric, datum.KindArray, datum.KindRecord, datum.KindJSONB, datum.KindInterval, datum.KindTimeTZ,
		datum.KindRange:
		return a == b
	}
	return datum.Equal(a, b)
}

func (s *subPlan) execute(ctx context.Context, st *state) (err error) {
	defer s.op.close(st)
	if err := s.op.open(ctx, st); err != nil {
		return err
	}
	switch s.node.Kind {
	case plan.SubExists:
		b, err := s.op.next(ctx, st)
		s.value = datum.NewBool(len(b) > 0)
		return err
	case plan.SubScalar, plan.SubRow:
		return s.single(ctx, st)
	case plan.SubArray:
		return s.array(ctx, st)
	default:
		return s.keep(ctx, st)
	}
}

// single takes the one row.
func (s *subPlan) single(ctx context.Context, st *state) error {
	s.value = datum.Null
	n := 0
	for {
		b, err := s.op.next(ctx, st)
		if err != nil || len(b) == 0 {
			return err
		}
		if n += len(b); n > 1 {
			return failure.New(failure.CardinalityViolation, "more than one row returned by a subquery used as an expression")
		}
		if s.node.Kind == plan.SubScalar {
			s.value = b[0][0]
			continue
		}
		cols := s.node.Plan.Columns()
		types := make([]datum.Type, len(cols))
		for i := range cols {
			types[i] = cols[i].Type
		}
		vals := append([]datum.Datum(nil), b[0]...)
		s.value = datum.NewRecord(&datum.Record{Types: types, Values: vals})
	}
}

func (s *subPlan) array(ctx context.Context, st *state) error {
	a := &datum.Array{ElemType: st.facts.BaseElementType(s.node.Typ.OID)}
	err := drain(ctx, st, s.op, func(row []datum.Datum) error {
		a.Elems = append(a.Elems, row[0])
		return nil
	})
	if err != nil {
		return err
	}
	cols := s.node.Plan.Columns()
	if len(cols) == 1 && st.facts.BaseElementType(cols[0].Type.OID) != 0 && len(a.Elems) > 0 {
		v, err := stackArrays(a)
		s.value = v
		return err
	}
	if len(a.Elems) > 0 {
		a.Dims = []datum.ArrayDim{{Len: int32(len(a.Elems)), Lower: 1}}
	}
	s.value = datum.NewArray(a)
	return nil
}

// stackArrays makes an array of arrays into one with a dimension more.
func stackArrays(a *datum.Array) (datum.Datum, error) {
	fs := make([]evalFn, len(a.Elems))
	for i := range fs {
		fs[i] = constant(a.Elems[i])
	}
	return nestedArray(fs, a.ElemType)(context.Background(), nil, nil)
}

// keep stores the rows for SubAny and SubAll.
func (s *subPlan) keep(ctx context.Context, st *state) error {
	if s.acct.Memory() == nil {
		s.acct = st.mem().Account()
		st.kept = append(st.kept, s)
	}
	s.acct.Clear()
	s.rows, s.arena, s.anyNull = s.rows[:0], spill.Arena{}, false
	if s.left != nil {
		s.table = spill.NewTable(&s.acct)
	}
	return drain(ctx, st, s.op, func(row []datum.Datum) error {
		if err := s.acct.Grow(spill.RowSize(row)); err != nil {
			return err
		}
		if s.left == nil {
			s.rows = append(s.rows, s.arena.Copy(row))
			return nil
		}
		row = row[:len(s.left)]
		if hasNull(row) {
			s.anyNull = true
			s.rows = append(s.rows, s.arena.Copy(row))
			return nil
		}
		h := s.hasher.hash(row)
		if s.find(h, row) < 0 {
			s.table.Add(h, row)
		}
		return nil
	})
}

// release empties what was kept for the execution.
func (s *subPlan) release() {
	s.rows, s.table, s.arena, s.acct, s.run = nil, nil, spill.Arena{}, spill.Account{}, 0
}

func hasNull(row []datum.Datum) bool {
	for i := range row {
		if row[i].IsNull() {
			return true
		}
	}
	return false
}

func (s *subPlan) find(h uint64, key []datum.Datum) int {
	for i := s.table.First(h); i >= 0; i = s.table.Next(i) {
		if s.hasher.equal(s.table.Row(i), key) {
			return i
		}
	}
	return -1
}

// probe is SubAny over the hash table.
func (s *subPlan) probe(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
	null := false
	for i, f := range s.left {
		v, err := f(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		s.key[i] = v
		null = null || v.IsNull()
	}
	if !null {
		if s.find(s.hasher.hash(s.key), s.key) >= 0 {
			return datum.NewBool(true), nil
		}
		if !s.anyNull {
			return datum.NewBool(false), nil
		}
	}
	if len(s.rows) == 0 && s.table.Len() == 0 {
		return datum.NewBool(false), nil
	}
	// With a NULL on either side the result is NULL if the columns that are not NULL all match in some row.
	if s.partialMatch(s.rows) {
		return datum.Null, nil
	}
	if null {
		for i := range s.table.Len() {
			if s.couldMatch(s.table.Row(i)) {
				return datum.Null, nil
			}
		}
	}
	return datum.NewBool(false), nil
}

func (s *subPlan) partialMatch(rows [][]datum.Datum) bool {
	for _, r := range rows {
		if s.couldMatch(r) {
			return true
		}
	}
	return false
}

func (s *subPlan) couldMatch(r []datum.Datum) bool {
	for i := range r {
		if !r[i].IsNull() && !s.key[i].IsNull() && s.hasher.cmps[i](r[i], s.key[i]) != 0 {
			return false
		}
	}
	return true
}

// quantify evaluates the test for each kept row.
func (s *subPlan) quantify(ctx context.Context, st *state, row []datum.Datum) (datum.Datum, error) {
	all := s.node.Kind == plan.SubAll
	null := false
	for _, r := range s.rows {
		for i, slot := range s.node.TestSlots {
			st.slots[slot] = r[i]
		}
		d, err := s.test(ctx, st, row)
		if err != nil {
			return datum.Null, err
		}
		if d.IsNull() {
			null = true
		} else if d.Bool() != all {
			return datum.NewBool(!all), nil
		}
	}
	if null {
		return datum.Null, nil
	}
	return datum.NewBool(all), nil
}
