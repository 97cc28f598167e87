package bind

import (
	"reflect"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// recursionContext says why a recursive reference would be wrong at the present place; empty where it is right.
type recursionContext string

// The wrong places, as PostgreSQL words them.
const (
	recursionOK        recursionContext = ""
	recursionLeft      recursionContext = "must not appear within its non-recursive term"
	recursionSubquery  recursionContext = "must not appear within a subquery"
	recursionOuter     recursionContext = "must not appear within an outer join"
	recursionIntersect recursionContext = "must not appear within INTERSECT"
	recursionExcept    recursionContext = "must not appear within EXCEPT"
)

// recursionCheck looks for the references of a recursive query to itself in its syntax tree.
type recursionCheck struct {
	b       *binder
	name    string
	context recursionContext
	// inner are the names of WITH items inside the query, which hide the query's own.
	inner []string
	count int
}

// checkRecursion refuses a recursive query whose references to itself stand where the rounds of the recursion would not
// mean anything.
func (b *binder) checkRecursion(c *parser.CommonTableExpr, sel *parser.SelectStmt) {
	if sel.Op != parser.SetOpUnion {
		b.fail(c.Pos, failure.InvalidRecursion,
			"recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", c.Name)
	}
	k := &recursionCheck{b: b, name: c.Name}
	if sel.With != nil {
		k.context = recursionSubquery
		for _, x := range sel.With.CTEs {
			k.walk(reflect.ValueOf(x.Query))
		}
	}
	k.context = recursionLeft
	k.walk(reflect.ValueOf(sel.Left))
	k.context, k.count = recursionOK, 0
	k.walk(reflect.ValueOf(sel.Right))
	if len(sel.OrderBy) > 0 {
		b.notSupportedExact(sel.OrderBy[0].Pos, "ORDER BY in a recursive query is not implemented")
	}
	if sel.Offset != nil {
		b.notSupportedExact(start(sel.Offset), "OFFSET in a recursive query is not implemented")
	}
	if sel.Limit != nil {
		b.notSupportedExact(start(sel.Limit), "LIMIT in a recursive query is not implemented")
	}
	if len(sel.Locking) > 0 {
		b.notSupportedExact(-1, "FOR UPDATE/SHARE in a recursive query is not implemented")
	}
}

// in walks v in a context, which a wrong one further out overrides where keep is set.
func (k *recursionCheck) in(c recursionContext, keep bool, v any) {
	old := k.context
	if !keep || old == recursionOK {
		k.context = c
	}
	k.walk(reflect.ValueOf(v))
	k.context = old
}

func (k *recursionCheck) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			k.walk(v.Elem())
		}
	case reflect.Pointer:
		if !v.IsNil() && !k.node(v.Interface()) {
			k.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			k.walk(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			k.walk(v.Field(i))
		}
	}
}

// node deals with the nodes that matter; it says whether their insides are done.
func (k *recursionCheck) node(n any) bool {
	switch n := n.(type) {
	case *parser.RangeVar:
		k.reference(n)
	case *parser.SubLink:
		k.in(recursionSubquery, false, n.Query)
		k.walk(reflect.ValueOf(n.Test))
		return true
	case *parser.JoinExpr:
		left, right := recursionOK, recursionOK
		if n.Kind == parser.JoinRight || n.Kind == parser.JoinFull {
			left = recursionOuter
		}
		if n.Kind == parser.JoinLeft || n.Kind == parser.JoinFull {
			right = recursionOuter
		}
		k.in(left, true, n.Left)
		k.in(right, true, n.Right)
		k.walk(reflect.ValueOf(n.On))
		return true
	case *parser.SelectStmt:
		k.query(n)
		return true
	}
	return false
}

func (k *recursionCheck) query(q *parser.SelectStmt) {
	depth := len(k.inner)
	if q.With != nil {
		if q.With.Recursive {
			for _, c := range q.With.CTEs {
				k.inner = append(k.inner, c.Name)
			}
		}
		for _, c := range q.With.CTEs {
			k.walk(reflect.ValueOf(c.Query))
			if !q.With.Recursive {
				k.inner = append(k.inner, c.Name)
			}
		}
	}
	c := *q
	c.With = nil
	switch {
	case q.Op == parser.SetOpIntersect && q.All:
		k.in(recursionIntersect, true, q.Left)
		k.in(recursionIntersect, true, q.Right)
		c.Left, c.Right = nil, nil
	case q.Op == parser.SetOpExcept:
		left := recursionOK
		if q.All {
			left = recursionExcept
		}
		k.in(left, true, q.Left)
		k.in(recursionExcept, true, q.Right)
		c.Left, c.Right = nil, nil
	}
	k.walk(reflect.ValueOf(c))
	k.inner = k.inner[:depth]
}

func (k *recursionCheck) reference(r *parser.RangeVar) {
	if r.Relation.Schema != "" || r.Relation.Name != k.name {
		return
	}
	for _, n := range k.inner {
		if n == k.name {
			return
		}
	}
	if k.context != recursionOK {
		k.b.fail(r.Pos, failure.InvalidRecursion, "recursive reference to query \"%s\" %s", k.name, string(k.context))
	}
	if k.count++; k.count > 1 {
		k.b.fail(r.Pos, failure.InvalidRecursion, "recursive reference to query \"%s\" must not appear more than once", k.name)
	}
}
