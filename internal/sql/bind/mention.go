package bind

import (
	"reflect"

	"github.com/meridiandb/meridian/internal/sql/parser"
)

// mentions says whether a statement reads from a relation of that bare name, at any depth. Only WITH RECURSIVE asks.
func mentions(stmt parser.Statement, name string) bool {
	return mentionsValue(reflect.ValueOf(stmt), name)
}

func mentionsValue(v reflect.Value, name string) bool {
	switch v.Kind() {
	case reflect.Interface:
		return !v.IsNil() && mentionsValue(v.Elem(), name)
	case reflect.Pointer:
		if v.IsNil() {
			return false
		}
		if r, ok := v.Interface().(*parser.RangeVar); ok {
			return r.Relation.Schema == "" && r.Relation.Name == name
		}
		return mentionsValue(v.Elem(), name)
	case reflect.Slice:
		for i := range v.Len() {
			if mentionsValue(v.Index(i), name) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if mentionsValue(v.Field(i), name) {
				return true
			}
		}
	}
	return false
}
