package parser

import (
	"reflect"
	"testing"
)

// countNodes counts the nodes below v by type, by reflection.
func countNodes(v reflect.Value, counts map[string]int) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			countNodes(v.Elem(), counts)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			countNodes(v.Elem(), counts)
		}
	case reflect.Slice:
		for i := range v.Len() {
			countNodes(v.Index(i), counts)
		}
	case reflect.Struct:
		if _, ok := v.Addr().Interface().(Node); ok && v.Type().Name() != "IndirectionElem" {
			counts[v.Type().Name()]++
		}
		for i := range v.NumField() {
			countNodes(v.Field(i), counts)
		}
	}
}

func TestWalkSeesEveryNode(t *testing.T) {
	for _, sql := range corpus(t) {
		stmts, err := Parse(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		want, got := map[string]int{}, map[string]int{}
		countNodes(reflect.ValueOf(stmts[0].Stmt), want)
		Walk(stmts[0].Stmt, func(n Node) bool {
			got[reflect.TypeOf(n).Elem().Name()]++
			return true
		})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: walked %v, there are %v", sql, got, want)
		}
	}
}
