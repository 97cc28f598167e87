package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// windowCall registers a call over a window and returns its column.
func (b *binder) windowCall(s *scope, e *parser.FuncCall, r *builtin.Resolved, args []plan.Expr, agg bool) plan.Expr {
	name := r.Func.Name
	if p := places[s.kind]; p.noWindow || s.q == nil {
		b.fail(e.Pos, failure.WindowingError, "window functions are not allowed in %s", p.many)
	}
	switch {
	case e.Distinct:
		b.fail(e.Pos, failure.FeatureNotSupported, "DISTINCT is not implemented for window functions")
	case e.WithinGroup || agg && r.Func.Agg != nil && r.Func.Agg.Kind != 'n':
		b.fail(e.Pos, failure.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", name)
	case len(e.OrderBy) > 0:
		b.fail(e.Pos, failure.FeatureNotSupported, "aggregate ORDER BY is not implemented for window functions")
	case !agg && e.Filter != nil:
		b.fail(e.Pos, failure.FeatureNotSupported, "FILTER is not implemented for non-aggregate window functions")
	case agg && !e.Star && len(args) == 0:
		b.fail(e.Pos, failure.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", name)
	}
	call := &plan.WindowCall{Fn: r.Func, Args: args, Star: e.Star, Agg: agg, Typ: datum.T(r.Ret)}
	for i := range call.Args {
		call.Args[i] = b.resolveForAny(call.Args[i], r.Params, i)
	}
	if e.Filter != nil {
		s.in(PlaceFilter, func() { call.Filter = b.coerceBool(b.expr(s, e.Filter), "FILTER", start(e.Filter)) })
	}
	q := s.q
	for _, a := range args {
		plan.Walk(a, func(x plan.Expr) bool {
			if v, ok := x.(*plan.Var); ok && q.isWindow(v.ID) {
				b.fail(int(v.Pos), failure.WindowingError, "window function calls cannot be nested")
			}
			return true
		})
		if returnsSet(a) {
			b.throw(q.setPos, failure.New(failure.FeatureNotSupported,
				"window function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
		}
	}
	w := b.windowFor(s, e.Over)
	id := b.newIDs(1)
	q.make(id)
	w.calls = append(w.calls, plan.RelWindowCall{ID: id, Call: call})
	return &plan.Var{ID: id, Typ: call.Typ, Name: name, Pos: int32(e.Pos)}
}

// windowFor finds or makes the window that an OVER clause means.
func (b *binder) windowFor(s *scope, def *parser.WindowDef) *window {
	q := s.q
	if def.Name != "" {
		for _, w := range q.windows {
			if w.name == def.Name {
				return w
			}
		}
		b.fail(def.Pos, failure.UndefinedObject, "window \"%s\" does not exist", def.Name)
	}
	w := &window{def: def}
	b.bindWindow(q, w)
	for _, old := range q.windows {
		if old.bound && sameWindow(old, w) {
			return old
		}
	}
	q.windows = append(q.windows, w)
	return w
}

func sameWindow(a, b *window) bool {
	if !plan.EqualLists(a.partition, b.partition) || len(a.order) != len(b.order) || a.hasFrame != b.hasFrame {
		return false
	}
	for i := range a.order {
		x, y := a.order[i], b.order[i]
		if x.Desc != y.Desc || x.NullsFirst != y.NullsFirst || !plan.Equal(x.Expr, y.Expr) {
			return false
		}
	}
	f, g := a.frame, b.frame
	return f.Mode == g.Mode && f.Start == g.Start && f.End == g.End && f.Exclude == g.Exclude &&
		plan.Equal(f.StartOffset, g.StartOffset) && plan.Equal(f.EndOffset, g.EndOffset)
}

// defineWindows binds the named windows that nothing has bound yet.
func (b *binder) defineWindows(q *selectState) {
	for _, w := range q.windows {
		b.bindWindow(q, w)
	}
}

// bindWindow binds a window definition, with what it takes over from another.
func (b *binder) bindWindow(q *selectState, w *window) {
	if w.bound {
		return
	}
	w.bound = true
	s, def := q.scope, w.def
	var ref *window
	if def.RefName != "" {
		for _, o := range q.windows {
			if o == w {
				break
			}
			if o.name == def.RefName {
				ref = o
			}
		}
		if ref == nil {
			b.fail(def.Pos, failure.UndefinedObject, "window \"%s\" does not exist", def.RefName)
		}
		b.bindWindow(q, ref)
	}
	s.in(PlaceWindowPartition, func() {
		for _, e := range def.PartitionBy {
			x := b.resolveUnknown(b.expr(s, e))
			b.needOrder(x.Type().OID, start(e))
			w.partition = append(w.partition, x)
		}
	})
	s.in(PlaceWindowOrder, func() { w.order = b.callOrder(s, def.OrderBy) })
	if ref != nil {
		b.copyWindow(w, ref)
	}
	b.frame(s, w)
	b.noNested(q, w)
}

func (b *binder) noNested(q *selectState, w *window) {
	check := func(e plan.Expr) {
		plan.Walk(e, func(x plan.Expr) bool {
			if v, ok := x.(*plan.Var); ok && q.isWindow(v.ID) {
				b.fail(int(v.Pos), failure.WindowingError, "window functions are not allowed in window definitions")
			}
			return true
		})
	}
	for _, e := range w.partition {
		check(e)
	}
	for _, o := range w.order {
		check(o.Expr)
	}
}

func (b *binder) copyWindow(w, ref *window) {
	name, pos := w.def.RefName, w.def.Pos
	if len(w.partition) > 0 {
		b.fail(pos, failure.WindowingError, "cannot override PARTITION BY clause of window \"%s\"", name)
	}
	if len(w.order) > 0 && len(ref.order) > 0 {
		b.fail(pos, failure.WindowingError, "cannot override ORDER BY clause of window \"%s\"", name)
	}
	if ref.hasFrame {
		err := failure.New(failure.WindowingError, "cannot copy window \"%s\" because it has a frame clause", name)
		if w.name == "" && len(w.order) == 0 && w.def.Frame == nil {
			err = err.WithHint("Omit the parentheses in this OVER clause.")
		}
		b.throw(pos, err)
	}
	w.partition = append([]plan.Expr(nil), ref.partition...)
	if len(w.order) == 0 {
		w.order = append([]plan.AggOrder(nil), ref.order...)
	}
}

// frame binds the frame clause.
func (b *binder) frame(s *scope, w *window) {
	w.frame = plan.Frame{Mode: plan.FrameRange, Start: plan.UnboundedPreceding, End: plan.CurrentRow}
	f := w.def.Frame
	if f == nil {
		return
	}
	w.hasFrame = true
	w.frame.Mode = map[parser.WindowFrameMode]plan.FrameMode{parser.FrameRange: plan.FrameRange,
		parser.FrameRows: plan.FrameRows, parser.FrameGroups: plan.FrameGroups}[f.Mode]
	w.frame.Start, w.frame.End = plan.FrameBoundKind(f.Start.Kind), plan.FrameBoundKind(f.End.Kind)
	w.frame.Exclude = plan.FrameExclusion(f.Exclude)
	if f.Mode == parser.FrameGroups && len(w.order) == 0 {
		b.fail(w.def.Pos, failure.WindowingError, "GROUPS mode requires an ORDER BY clause")
	}
	w.frame.StartOffset, w.frame.StartRange = b.frameOffset(s, w, f, f.Start)
	w.frame.EndOffset, w.frame.EndRange = b.frameOffset(s, w, f, f.End)
}

func (b *binder) frameOffset(s *scope, w *window, f *parser.WindowFrame, bound parser.FrameBound) (plan.Expr, *builtin.Func) {
	if bound.Offset == nil {
		return nil, nil
	}
	var x plan.Expr
	s.in(PlaceWindowFrame, func() { x = b.expr(s, bound.Offset) })
	pos := start(bound.Offset)
	name := map[parser.WindowFrameMode]string{parser.FrameRange: "RANGE", parser.FrameRows: "ROWS",
		parser.FrameGroups: "GROUPS"}[f.Mode]
	b.noLocalVars(s, x, name)
	if f.Mode != parser.FrameRange {
		return b.coerceTo(x, datum.OIDInt8, name, pos), nil
	}
	if len(w.order) != 1 {
		b.fail(w.def.Pos, failure.WindowingError,
			"RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
	}
	t := w.order[0].Expr.Type().OID
	off := x.Type().OID
	r, err := b.resolveFuncTypes("pg_catalog", "in_range", []datum.OID{t, t, off, datum.OIDBool, datum.OIDBool})
	if err != nil || r.Func == nil {
		e := failure.New(failure.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s",
			b.facts.TypeName(t), b.facts.TypeName(off))
		if off != datum.OIDUnknown {
			e = e.WithHint("Cast the offset value to an appropriate type.")
		}
		b.throw(pos, e)
	}
	return b.coerceArg(x, r.Params[2], pos), r.Func
}

// buildWindows puts the windows on top of q.rel.
func (b *binder) buildWindows(q *selectState) {
	for i, w := range q.windows {
		if len(w.calls) == 0 {
			continue
		}
		var items []plan.RelColumn
		column := func(e plan.Expr) plan.ColID {
			if v, ok := e.(*plan.Var); ok && q.scope.localVar(v.ID) {
				return v.ID
			}
			for _, it := range items {
				if plan.Equal(it.Expr, e) {
					return it.ID
				}
			}
			id := b.newIDs(1)
			q.make(id)
			items = append(items, plan.RelColumn{ID: id, Expr: e})
			return id
		}
		rw := &plan.RelWindow{Frame: w.frame, Calls: w.calls, Name: w.name}
		if rw.Name == "" {
			rw.Name = "w" + itoa(i+1)
		}
		for _, e := range w.partition {
			rw.Partition = append(rw.Partition, column(e))
		}
		for _, o := range w.order {
			rw.Order = append(rw.Order, plan.RelOrder{ID: column(o.Expr), Desc: o.Desc, NullsFirst: o.NullsFirst})
		}
		rw.Input = q.rel
		if len(items) > 0 {
			rw.Input = &plan.RelProject{Input: q.rel, Items: items}
		}
		q.rel = rw
	}
}
