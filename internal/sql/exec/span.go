package exec

import (
	"bytes"
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// spanEval makes the spans of keys that a plan.KeySpan stands for.
type spanEval struct {
	parts   []keyPart
	lo, hi  *keyBound
	notNull bool
	prefix  evalFn
}

type keyPart struct {
	kind  plan.KeyPartKind
	exprs []evalFn
}

type keyBound struct {
	expr      evalFn
	inclusive bool
}

func (c *compiler) keyParts(ps []plan.KeyPart) []keyPart {
	out := make([]keyPart, len(ps))
	for i, p := range ps {
		out[i] = keyPart{p.Kind, c.exprs(p.Exprs)}
	}
	return out
}

func (c *compiler) keySpan(s *plan.KeySpan) spanEval {
	bound := func(b *plan.KeyBound) *keyBound {
		if b == nil {
			return nil
		}
		return &keyBound{c.expr(b.Expr), b.Inclusive}
	}
	return spanEval{c.keyParts(s.Parts), bound(s.Lo), bound(s.Hi), s.NotNull, c.optional(s.Prefix)}
}

// values returns the values that a part binds its column to; none when nothing can match.
func (p *keyPart) values(ctx context.Context, st *state, buf []datum.Datum) ([]datum.Datum, error) {
	buf = buf[:0]
	if p.kind == plan.KeyIsNull {
		return append(buf, datum.Null), nil
	}
	for _, e := range p.exprs {
		d, err := e(ctx, st, nil)
		if err != nil {
			return nil, err
		}
		if d.IsNull() {
			continue
		}
		if p.kind != plan.KeyArray {
			buf = append(buf, d)
			continue
		}
		for _, el := range d.Array().Elems {
			if !el.IsNull() {
				buf = append(buf, el)
			}
		}
	}
	return buf, nil
}

// prefixes returns the encodings of every combination of the parts' values after the index's prefix.
func prefixes(ctx context.Context, st *state, x *layout.Index, parts []keyPart) ([]keys.Key, error) {
	out := []keys.Key{x.Prefix}
	var buf []datum.Datum
	for i := range parts {
		vals, err := parts[i].values(ctx, st, buf)
		if err != nil || len(vals) == 0 {
			return nil, err
		}
		buf = vals
		next := make([]keys.Key, 0, len(out)*len(vals))
		for _, p := range out {
			for _, v := range vals {
				next = append(next, x.AppendColumn(slices.Clip(p), i, v))
			}
		}
		out = next
	}
	return out, nil
}

// spans appends the spans to out.
func (e *spanEval) spans(ctx context.Context, st *state, x *layout.Index, out []keys.Span) ([]keys.Span, error) {
	ps, err := prefixes(ctx, st, x, e.parts)
	if err != nil || len(ps) == 0 {
		return out, err
	}
	r, ok, err := e.bounds(ctx, st)
	if err != nil || !ok {
		return out, err
	}
	for _, p := range ps {
		s := keys.Span{Start: p, End: keys.PrefixEnd(p)}
		if r != nil {
			s = r.span(x, len(e.parts), p)
		}
		if len(s.End) == 0 || bytes.Compare(s.Start, s.End) < 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// valueRange is a range of values that are not NULL.
type valueRange struct {
	lo, hi       datum.Datum // NULL is unbounded
	loInc, hiInc bool
}

// bounds evaluates the range on the column after the bound ones: nil when there is none, ok false when it is empty.
func (e *spanEval) bounds(ctx context.Context, st *state) (r *valueRange, ok bool, err error) {
	if e.prefix != nil {
		d, err := e.prefix(ctx, st, nil)
		if err != nil || d.IsNull() {
			return nil, false, err
		}
		r = &valueRange{lo: d, loInc: true}
		if end := keys.PrefixEnd(keys.Key(d.Text())); len(d.Text()) > 0 && end != nil {
			r.hi = datum.NewTextBytes(end)
		}
		return r, true, nil
	}
	if e.lo == nil && e.hi == nil {
		if e.notNull {
			return &valueRange{}, true, nil
		}
		return nil, true, nil
	}
	r = &valueRange{}
	if e.lo != nil {
		if r.lo, err = e.lo.expr(ctx, st, nil); err != nil || r.lo.IsNull() {
			return nil, false, err
		}
		r.loInc = e.lo.inclusive
	}
	if e.hi != nil {
		if r.hi, err = e.hi.expr(ctx, st, nil); err != nil || r.hi.IsNull() {
			return nil, false, err
		}
		r.hiInc = e.hi.inclusive
	}
	return r, true, nil
}

// span encodes the range on column i after prefix p.
func (r *valueRange) span(x *layout.Index, i int, p keys.Key) keys.Span {
	c := &x.Cols[i]
	first, last, firstInc, lastInc := r.lo, r.hi, r.loInc, r.hiInc
	if c.Desc {
		first, last, firstInc, lastInc = last, first, lastInc, firstInc
	}
	p = slices.Clip(p)
	s := keys.Span{Start: p, End: keys.PrefixEnd(p)}
	switch {
	case !first.IsNull():
		s.Start = x.AppendColumn(p, i, first)
		if !firstInc {
			s.Start = keys.PrefixEnd(s.Start)
		}
	case c.NullsFirst:
		s.Start = keys.PrefixEnd(keys.AppendNull(p, true))
	}
	switch {
	case !last.IsNull():
		s.End = x.AppendColumn(p, i, last)
		if lastInc {
			s.End = keys.PrefixEnd(s.End)
		}
	case !c.NullsFirst:
		s.End = keys.AppendNull(p, false)
	}
	return s
}

// mergeSpans sorts spans and joins those that overlap or touch.
func mergeSpans(ss []keys.Span) []keys.Span {
	if len(ss) < 2 {
		return ss
	}
	slices.SortFunc(ss, func(a, b keys.Span) int { return bytes.Compare(a.Start, b.Start) })
	out := ss[:1]
	for _, s := range ss[1:] {
		last := &out[len(out)-1]
		if len(last.End) == 0 {
			break
		}
		if bytes.Compare(s.Start, last.End) > 0 {
			out = append(out, s)
		} else if len(s.End) == 0 || bytes.Compare(s.End, last.End) > 0 {
			last.End = s.End
		}
	}
	return out
}
