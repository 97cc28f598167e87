package session

import (
	"reflect"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// qualifier rewrites a tree so that it means the same under an empty search path: relations, types and functions that
// are found outside pg_catalog get their schema. Views, defaults and checks are kept in this form.
type qualifier struct {
	snap *catalog.Snapshot
	path catalog.Path
	// hidden are the names of common table expressions in scope, which are not relations.
	hidden map[string]int
	// objects are what the names stood for.
	objects []catalog.OID
}

// rewrite changes the tree in place. Trees of the parser are plain data, so one walk by reflection covers every
// node; it runs once for each schema change, never for queries.
func (q *qualifier) rewrite(node any) {
	if q.hidden == nil {
		q.hidden = map[string]int{}
	}
	q.walk(reflect.ValueOf(node))
}

func (q *qualifier) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch n := v.Interface().(type) {
		case *parser.SelectStmt:
			q.selectStmt(n)
			return
		case *parser.RangeVar:
			q.relation(&n.Relation)
		case *parser.TypeName:
			q.typeName(n)
		case *parser.FuncCall:
			q.function(n)
		}
		q.walk(v.Elem())
	case reflect.Interface:
		if !v.IsNil() {
			q.walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			q.walk(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			q.walk(v.Index(i))
		}
	}
}

// selectStmt hides the names of its common table expressions while it is walked.
func (q *qualifier) selectStmt(n *parser.SelectStmt) {
	if n.With != nil {
		for _, c := range n.With.CTEs {
			q.hidden[c.Name]++
		}
	}
	q.walk(reflect.ValueOf(n).Elem())
	if n.With != nil {
		for _, c := range n.With.CTEs {
			q.hidden[c.Name]--
		}
	}
}

func (q *qualifier) relation(n *parser.RelationName) {
	if n.Schema == "" && q.hidden[n.Name] > 0 {
		return
	}
	r := q.snap.Find(q.path, n.Schema, n.Name)
	if !r.Found() {
		return
	}
	q.objects = append(q.objects, r.Table.OID)
	n.Catalog, n.Schema = "", q.snap.SchemaName(r.Table.Schema)
}

func (q *qualifier) typeName(n *parser.TypeName) {
	schema, name := "", n.Names[len(n.Names)-1]
	if len(n.Names) > 1 {
		schema = n.Names[len(n.Names)-2]
	}
	if schema == "pg_catalog" || n.PctType {
		return
	}
	t, rel := q.snap.FindType(q.path, schema, name)
	switch {
	case t != nil:
		q.objects = append(q.objects, t.OID)
		n.Names = []string{q.snap.SchemaName(t.Schema), name}
	case rel != nil:
		q.objects = append(q.objects, rel.OID)
		n.Names = []string{q.snap.SchemaName(rel.Schema), name}
	}
}

func (q *qualifier) function(n *parser.FuncCall) {
	parts := n.Name
	schema, name := "", parts[len(parts)-1]
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	if schema == "pg_catalog" {
		return
	}
	if fs := q.snap.FindFunctions(q.path, schema, name); len(fs) > 0 {
		q.objects = append(q.objects, fs[0].OID)
		n.Name = []string{q.snap.SchemaName(fs[0].Schema), name}
	}
}
