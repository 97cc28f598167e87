package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

func (r *registry) jsonAggregates() {
	r.agg["json_agg"] = func(call *Call) (Aggregate, error) {
		return aggFunc(func() AggState { return &jsonAggState{types: call.Args} }), nil
	}
	r.agg["json_object_agg"] = func(call *Call) (Aggregate, error) {
		return aggFunc(func() AggState { return &jsonAggState{types: call.Args, object: true} }), nil
	}
	r.agg["jsonb_agg"] = func(call *Call) (Aggregate, error) {
		return aggFunc(func() AggState { return &jsonbAggState{types: call.Args} }), nil
	}
	r.agg["jsonb_object_agg"] = func(call *Call) (Aggregate, error) {
		return aggFunc(func() AggState { return &jsonbAggState{types: call.Args, object: true} }), nil
	}
}

// jsonAggState is json_agg and json_object_agg: text that grows.
type jsonAggState struct {
	buf    []byte
	types  []datum.Type
	object bool
}

// Add implements AggState.
func (s *jsonAggState) Add(c *Context, args []datum.Datum) error {
	first := len(s.buf) == 0
	if s.object {
		if args[0].IsNull() {
			return failure.New(failure.InvalidParameterValue, "field name must not be null")
		}
		key, err := c.jsonKey(s.types[0], args[0])
		if err != nil {
			return err
		}
		if s.buf = append(s.buf, ", "...); first {
			s.buf = append(s.buf[:0], "{ "...)
		}
		s.buf = append(datum.AppendJSONString(s.buf, key), " : "...)
		s.buf = c.appendJSON(s.buf, s.types[1], args[1], false)
		return nil
	}
	if s.buf = append(s.buf, ", "...); first {
		s.buf = append(s.buf[:0], '[')
	} else if class := c.Facts.classOf(s.types[0].OID, args[0]); !args[0].IsNull() && (class == jsonArray || class == jsonRow) {
		s.buf = append(s.buf, "\n "...)
	}
	s.buf = c.appendJSON(s.buf, s.types[0], args[0], false)
	return nil
}

// Result implements AggState.
func (s *jsonAggState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if len(s.buf) == 0 {
		return datum.Null, nil
	}
	end := "]"
	if s.object {
		end = " }"
	}
	return datum.NewText(string(s.buf) + end), nil
}

// Size implements AggState.
func (s *jsonAggState) Size() int { return 64 + cap(s.buf) }

// jsonbAggState is jsonb_agg and jsonb_object_agg: a tree that grows.
type jsonbAggState struct {
	types  []datum.Type
	object bool
	some   bool
	elems  []datum.JSONB
	pairs  []datum.JSONPair
	size   int
}

// Add implements AggState.
func (s *jsonbAggState) Add(c *Context, args []datum.Datum) error {
	s.some = true
	j, err := c.makeJSONB(s.types[len(s.types)-1], args[len(args)-1])
	if err != nil {
		return err
	}
	s.size += jsonSize(&j)
	if !s.object {
		s.elems = append(s.elems, j)
		return nil
	}
	if args[0].IsNull() {
		return failure.New(failure.InvalidParameterValue, "field name must not be null")
	}
	key, err := c.jsonKey(s.types[0], args[0])
	if err != nil {
		return err
	}
	s.size += len(key)
	s.pairs = append(s.pairs, datum.JSONPair{Key: key, Value: j})
	return nil
}

// Result implements AggState.
func (s *jsonbAggState) Result(*Context, []datum.Datum) (datum.Datum, error) {
	if !s.some {
		return datum.Null, nil
	}
	if s.object {
		pairs := append([]datum.JSONPair(nil), s.pairs...)
		return datum.NewJSONB(&datum.JSONB{Kind: datum.JSONObject, Pairs: datum.SortPairs(pairs)}), nil
	}
	return datum.NewJSONB(&datum.JSONB{Kind: datum.JSONArray, Elems: s.elems[:len(s.elems):len(s.elems)]}), nil
}

// Size implements AggState.
func (s *jsonbAggState) Size() int { return 96 + s.size }
