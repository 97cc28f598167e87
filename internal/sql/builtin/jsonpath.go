package builtin

import (
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// pathEval evaluates a jsonpath on a document.
type pathEval struct {
	c       *Context
	root    *datum.JSONB
	vars    *datum.JSONB
	current *datum.JSONB // @
	size    int          // of the innermost array, for last; -1 outside subscripts
	strict  bool
	loose   bool // structural errors do not count: below .**
	probe   bool // only whether there is a result matters
}

// emitFunc takes a result; it stops the evaluation by returning errEnough.
type emitFunc func(v *datum.JSONB) error

// errEnough says that no more results are wanted.
var errEnough = failure.New(failure.SuccessfulCompletion, "enough")

func pathError(code failure.Code, format string, args ...any) error {
	return failure.New(code, format, args...)
}

// structural is an error of a path that does not fit the document; in lax mode there is just no result.
func (e *pathEval) structural(code failure.Code, format string, args ...any) error {
	if !e.strict || e.loose {
		return nil
	}
	return failure.New(code, format, args...)
}

// next goes on with what follows n, or emits v.
func (e *pathEval) next(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	if n.Next != nil {
		return e.run(n.Next, v, !e.strict, emit)
	}
	return emit(v)
}

// unwrap runs n on each element of an array.
func (e *pathEval) unwrap(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	for i := range v.Elems {
		if err := e.run(n, &v.Elems[i], false, emit); err != nil {
			return err
		}
	}
	return nil
}

// run evaluates n on v; unwrap says that arrays are taken apart where an accessor wants no array.
func (e *pathEval) run(n *datum.PathNode, v *datum.JSONB, unwrap bool, emit emitFunc) error {
	array := v != nil && v.Kind == datum.JSONArray
	switch n.Kind {
	case datum.PathRoot:
		return e.next(n, e.root, emit)
	case datum.PathCurrent:
		return e.next(n, e.current, emit)
	case datum.PathVariable:
		found, ok := jsonbField(e.vars, n.Text)
		if !ok {
			return pathError(failure.UndefinedObject, `could not find jsonpath variable "%s"`, n.Text)
		}
		return e.next(n, found, emit)
	case datum.PathLast:
		last := jsonNumberOf(apd.New(int64(e.size-1), 0))
		return e.next(n, &last, emit)
	case datum.PathNull:
		return e.next(n, &datum.JSONB{}, emit)
	case datum.PathBool:
		return e.next(n, &datum.JSONB{Kind: datum.JSONBool, Bool: n.Bool}, emit)
	case datum.PathNumber:
		return e.next(n, &datum.JSONB{Kind: datum.JSONNumber, Num: n.Num}, emit)
	case datum.PathString:
		return e.next(n, &datum.JSONB{Kind: datum.JSONString, Text: n.Text}, emit)
	case datum.PathKey, datum.PathAnyKey:
		if array && unwrap {
			return e.unwrap(n, v, emit)
		}
		return e.member(n, v, emit)
	case datum.PathAnyElement, datum.PathSubscript:
		return e.element(n, v, emit)
	case datum.PathAny:
		return e.levels(n, v, emit)
	case datum.PathFilter:
		if array && unwrap {
			return e.unwrap(n, v, emit)
		}
		return e.filter(n, v, emit)
	case datum.PathMethod:
		return e.method(n, v, unwrap, emit)
	case datum.PathUnary:
		return e.unary(n, v, emit)
	}
	if n.Kind == datum.PathBinary && strings.Contains("+-*/%", n.Text) {
		return e.arithmetic(n, v, emit)
	}
	ok, known, err := e.test(n, v)
	if err != nil {
		return err
	}
	if !known {
		return e.next(n, &datum.JSONB{}, emit)
	}
	return e.next(n, &datum.JSONB{Kind: datum.JSONBool, Bool: ok}, emit)
}

func jsonNumberOf(d *apd.Decimal) datum.JSONB { return datum.JSONB{Kind: datum.JSONNumber, Num: d} }

func (e *pathEval) member(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	if v.Kind != datum.JSONObject {
		what := "member accessor"
		if n.Kind == datum.PathAnyKey {
			return e.structural(failure.SQLJSONObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
		}
		return e.structural(failure.SQLJSONMemberNotFound, "jsonpath %s can only be applied to an object", what)
	}
	if n.Kind == datum.PathAnyKey {
		for i := range v.Pairs {
			if err := e.next(n, &v.Pairs[i].Value, emit); err != nil {
				return err
			}
		}
		return nil
	}
	found, ok := jsonbField(v, n.Text)
	if !ok {
		return e.structural(failure.SQLJSONMemberNotFound, `JSON object does not contain key "%s"`, n.Text)
	}
	return e.next(n, found, emit)
}

func (e *pathEval) element(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	elems := v.Elems
	if v.Kind != datum.JSONArray {
		if e.strict && !e.loose {
			if n.Kind == datum.PathAnyElement {
				return pathError(failure.SQLJSONArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
			}
			return pathError(failure.SQLJSONArrayNotFound, "jsonpath array accessor can only be applied to an array")
		}
		elems = []datum.JSONB{*v}
	}
	if n.Kind == datum.PathAnyElement {
		for i := range elems {
			if err := e.next(n, &elems[i], emit); err != nil {
				return err
			}
		}
		return nil
	}
	outer := e.size
	defer func() { e.size = outer }()
	for i := 0; i < len(n.Args); i += 2 {
		e.size = len(elems)
		from, err := e.index(n.Args[i], v)
		if err != nil {
			return err
		}
		to := from
		if n.Args[i+1] != nil {
			if to, err = e.index(n.Args[i+1], v); err != nil {
				return err
			}
		}
		if e.strict && !e.loose && (from < 0 || from > to || to >= len(elems)) {
			return pathError(failure.InvalidSQLJSONSubscript, "jsonpath array subscript is out of bounds")
		}
		for k := max(from, 0); k <= min(to, len(elems)-1); k++ {
			if err := e.next(n, &elems[k], emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// index evaluates a subscript.
func (e *pathEval) index(n *datum.PathNode, v *datum.JSONB) (int, error) {
	vals, err := e.values(n, v, false)
	if err != nil {
		return 0, err
	}
	if len(vals) != 1 || vals[0].Kind != datum.JSONNumber {
		return 0, pathError(failure.InvalidSQLJSONSubscript, "jsonpath array subscript is not a single numeric value")
	}
	i, err := datum.NumericToInt(datum.NumericTrunc(vals[0].Num, 0), 32)
	if err != nil {
		return 0, pathError(failure.InvalidSQLJSONSubscript, "jsonpath array subscript is out of integer range")
	}
	return int(i), nil
}

// levels is .**: the value itself and what is below, between two depths.
func (e *pathEval) levels(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	outer := e.loose
	defer func() { e.loose = outer }()
	visit := func(v *datum.JSONB) error {
		e.loose = true
		if n.Next != nil {
			return e.run(n.Next, v, !e.strict, emit)
		}
		return emit(v)
	}
	var down func(v *datum.JSONB, level int) error
	down = func(v *datum.JSONB, level int) error {
		leaf := v.Kind < datum.JSONArray
		if level >= n.Min && level <= n.Max || n.Min == datum.PathUnbounded && n.Max == datum.PathUnbounded && leaf {
			if err := visit(v); err != nil {
				return err
			}
		}
		if level >= n.Max {
			return nil
		}
		for i := range v.Elems {
			if err := down(&v.Elems[i], level+1); err != nil {
				return err
			}
		}
		for i := range v.Pairs {
			if err := down(&v.Pairs[i].Value, level+1); err != nil {
				return err
			}
		}
		return nil
	}
	return down(v, 0)
}

func (e *pathEval) filter(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	outer := e.current
	e.current = v
	ok, known, err := e.test(n.Args[0], v)
	e.current = outer
	if err != nil || !ok || !known {
		return err
	}
	return e.next(n, v, emit)
}

// values collects a sub-expression's results; in lax mode arrays among them are taken apart when asked.
func (e *pathEval) values(n *datum.PathNode, v *datum.JSONB, unwrap bool) ([]*datum.JSONB, error) {
	var out []*datum.JSONB
	outer := e.probe
	e.probe = false
	defer func() { e.probe = outer }()
	err := e.run(n, v, !e.strict, func(r *datum.JSONB) error {
		if unwrap && !e.strict && r.Kind == datum.JSONArray {
			for i := range r.Elems {
				out = append(out, &r.Elems[i])
			}
			return nil
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

func (e *pathEval) arithmetic(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	operand := func(i int, side string) (*apd.Decimal, error) {
		vals, err := e.values(n.Args[i], v, true)
		if err != nil {
			return nil, err
		}
		if len(vals) != 1 || vals[0].Kind != datum.JSONNumber {
			return nil, pathError(failure.SingletonSQLJSONItemRequired,
				"%s operand of jsonpath operator %s is not a single numeric value", side, n.Text)
		}
		return vals[0].Num, nil
	}
	x, err := operand(0, "left")
	if err != nil {
		return err
	}
	y, err := operand(1, "right")
	if err != nil {
		return err
	}
	f := map[string]func(a, b *apd.Decimal) (*apd.Decimal, error){"+": datum.NumericAdd, "-": datum.NumericSub,
		"*": datum.NumericMul, "/": datum.NumericDiv, "%": datum.NumericMod}[n.Text]
	d, err := f(x, y)
	if err != nil {
		return err
	}
	r := jsonNumberOf(d)
	return e.next(n, &r, emit)
}

func (e *pathEval) unary(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	vals, err := e.values(n.Args[0], v, true)
	if err != nil {
		return err
	}
	for _, x := range vals {
		if x.Kind != datum.JSONNumber {
			if e.probe && n.Next == nil {
				continue // PostgreSQL does not mind then
			}
			return pathError(failure.SQLJSONNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", n.Text)
		}
		r := *x
		if n.Text == "-" {
			r.Num = datum.NumericNeg(x.Num)
		}
		if err := e.next(n, &r, emit); err != nil {
			return err
		}
	}
	return nil
}

func (e *pathEval) method(n *datum.PathNode, v *datum.JSONB, unwrap bool, emit emitFunc) error {
	result := func(r datum.JSONB) error { return e.next(n, &r, emit) }
	switch n.Text {
	case "type":
		return result(datum.JSONB{Kind: datum.JSONString, Text: jsonbKindName(v.Kind)})
	case "size":
		size := 1
		if v.Kind == datum.JSONArray {
			size = len(v.Elems)
		} else if e.strict && !e.loose {
			return pathError(failure.SQLJSONArrayNotFound, "jsonpath item method .size() can only be applied to an array")
		}
		return result(jsonNumberOf(apd.New(int64(size), 0)))
	case "datetime":
		return failure.NotSupported("jsonpath item method .datetime()")
	}
	if unwrap && v.Kind == datum.JSONArray {
		return e.unwrap(n, v, emit)
	}
	switch n.Text {
	case "keyvalue":
		return e.keyValue(n, v, emit)
	case "double":
		d, err := pathDouble(v)
		if err != nil {
			return err
		}
		return result(jsonNumberOf(d))
	}
	if v.Kind != datum.JSONNumber {
		return pathError(failure.NonNumericSQLJSONItem, "jsonpath item method .%s() can only be applied to a numeric value", n.Text)
	}
	f := map[string]func(d *apd.Decimal) (*apd.Decimal, error){"floor": datum.NumericFloor, "ceiling": datum.NumericCeil,
		"abs": func(d *apd.Decimal) (*apd.Decimal, error) { return datum.NumericAbs(d), nil }}[n.Text]
	d, err := f(v.Num)
	if err != nil {
		return err
	}
	return result(jsonNumberOf(d))
}

func pathDouble(v *datum.JSONB) (*apd.Decimal, error) {
	switch v.Kind {
	case datum.JSONNumber:
		if _, err := datum.NumericToFloat(v.Num, 64); err != nil {
			return nil, pathError(failure.NonNumericSQLJSONItem, "numeric argument of jsonpath item method .%s() is out of range for type double precision", "double")
		}
		return v.Num, nil
	case datum.JSONString:
		f, err := strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
		if err != nil {
			return nil, pathError(failure.NonNumericSQLJSONItem,
				"string argument of jsonpath item method .%s() is not a valid representation of a double precision number", "double")
		}
		if math.IsInf(f, 0) || f != f {
			return nil, pathError(failure.NonNumericSQLJSONItem, "NaN or Infinity is not allowed for jsonpath item method .%s()", "double")
		}
		return datum.NumericFromFloat(f, 64)
	}
	return nil, pathError(failure.NonNumericSQLJSONItem, "jsonpath item method .%s() can only be applied to a string or numeric value", "double")
}

func (e *pathEval) keyValue(n *datum.PathNode, v *datum.JSONB, emit emitFunc) error {
	if v.Kind != datum.JSONObject {
		return pathError(failure.SQLJSONObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	for i := range v.Pairs {
		r := datum.JSONB{Kind: datum.JSONObject, Pairs: []datum.JSONPair{
			{Key: "id", Value: jsonNumberOf(apd.New(0, 0))},
			{Key: "key", Value: datum.JSONB{Kind: datum.JSONString, Text: v.Pairs[i].Key}},
			{Key: "value", Value: v.Pairs[i].Value},
		}}
		if err := e.next(n, &r, emit); err != nil {
			return err
		}
	}
	return nil
}

// test evaluates a condition in three-valued logic. Errors of its operands make it unknown; err is left for what a path
// cannot forgive.
func (e *pathEval) test(n *datum.PathNode, v *datum.JSONB) (ok, known bool, err error) {
	switch n.Kind {
	case datum.PathNot:
		ok, known, err = e.test(n.Args[0], v)
		return !ok, known, err
	case datum.PathIsUnknown:
		_, known, err = e.test(n.Args[0], v)
		return !known, true, err
	case datum.PathExists:
		vals, err := e.values(n.Args[0], v, false)
		return len(vals) > 0, err == nil || !e.strict && len(vals) > 0, hard(err)
	case datum.PathStartsWith:
		return e.pairs(n, v, func(a, b *datum.JSONB) (bool, bool) {
			if a.Kind != datum.JSONString || b.Kind != datum.JSONString {
				return false, false
			}
			return strings.HasPrefix(a.Text, b.Text), true
		})
	case datum.PathLikeRegex:
		return e.likeRegex(n, v)
	}
	if n.Text != "&&" && n.Text != "||" {
		return e.pairs(n, v, func(a, b *datum.JSONB) (bool, bool) { return comparePath(n.Text, a, b) })
	}
	decides := n.Text == "||" // the value that decides alone
	a, ka, err := e.test(n.Args[0], v)
	if err != nil || ka && a == decides {
		return a, ka, err
	}
	b, kb, err := e.test(n.Args[1], v)
	if err != nil || kb && b == decides {
		return b, kb, err
	}
	return !decides, ka && kb, nil
}

// hard keeps the errors that are not the document's fault.
func hard(err error) error {
	switch failure.CodeOf(err) {
	case failure.FeatureNotSupported, failure.UndefinedObject, failure.InvalidRegularExpression:
		return err
	}
	return nil
}

// pairs compares all results of the left side with all of the right.
func (e *pathEval) pairs(n *datum.PathNode, v *datum.JSONB, compare func(a, b *datum.JSONB) (ok, known bool)) (bool, bool, error) {
	left, err := e.values(n.Args[0], v, true)
	if err != nil {
		return false, false, hard(err)
	}
	right := []*datum.JSONB{nil}
	if len(n.Args) > 1 {
		if right, err = e.values(n.Args[1], v, true); err != nil {
			return false, false, hard(err)
		}
	}
	found, unknown := false, false
	for _, a := range left {
		for _, b := range right {
			ok, known := compare(a, b)
			switch {
			case !known && e.strict:
				return false, false, nil
			case !known:
				unknown = true
			case ok && !e.strict:
				return true, true, nil
			case ok:
				found = true
			}
		}
	}
	return found, found || !unknown, nil
}

func (e *pathEval) likeRegex(n *datum.PathNode, v *datum.JSONB) (bool, bool, error) {
	flags := reFlags{fold: strings.Contains(n.Flags, "i"), literal: strings.Contains(n.Flags, "q"),
		lineEnds: strings.Contains(n.Flags, "m"), lineStops: !strings.Contains(n.Flags, "s")}
	re, err := e.c.scratch.regexps.compile(n.Text, flags)
	if err != nil {
		return false, false, err
	}
	return e.pairs(n, v, func(a, _ *datum.JSONB) (bool, bool) {
		if a.Kind != datum.JSONString {
			return false, false
		}
		ok, err := re.matches(a.Text)
		return ok, err == nil
	})
}

// comparePath compares two items; only scalars of one kind have an order.
func comparePath(op string, a, b *datum.JSONB) (ok, known bool) {
	if a.Kind != b.Kind {
		if a.Kind == datum.JSONNull || b.Kind == datum.JSONNull {
			return op == "!=", true
		}
		return false, false
	}
	c := 0
	switch a.Kind {
	case datum.JSONNull:
	case datum.JSONArray, datum.JSONObject:
		return false, false
	default:
		c = datum.CompareJSONB(a, b)
	}
	switch op {
	case "==":
		return c == 0, true
	case "!=":
		return c != 0, true
	case "<":
		return c < 0, true
	case "<=":
		return c <= 0, true
	case ">":
		return c > 0, true
	}
	return c >= 0, true
}

// jsonPathCall evaluates the path of a jsonb_path_ call: (target, path [, vars [, silent]]).
func jsonPathCall(c *Context, a []datum.Datum, probe bool, emit emitFunc) error {
	path, err := c.path(a[1].Text())
	if err != nil {
		return err
	}
	vars := &datum.JSONB{Kind: datum.JSONObject}
	if len(a) > 2 {
		if vars = a[2].JSONB(); vars.Kind != datum.JSONObject {
			return failure.New(failure.InvalidParameterValue, `"vars" argument is not an object`).
				WithDetail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")
		}
	}
	e := &pathEval{c: c, root: a[0].JSONB(), current: a[0].JSONB(), vars: vars, strict: path.Strict,
		size: -1, probe: probe && !path.Strict}
	err = e.run(path.Expr, a[0].JSONB(), !path.Strict, emit)
	switch {
	case err == nil || err == error(errEnough):
		return nil
	case hard(err) != nil && failure.CodeOf(err) != failure.UndefinedObject:
		return err
	case len(a) == 2 || a[3].Bool():
		return errSilent
	}
	return err
}

// errSilent says that an error was suppressed.
var errSilent = failure.New(failure.SuccessfulCompletion, "suppressed")

// path parses a jsonpath, keeping the last one.
func (c *Context) path(text string) (*datum.JSONPath, error) {
	if c.scratch.path == nil || c.scratch.pathText != text {
		p, err := datum.ParseJSONPath(text)
		if err != nil {
			return nil, err
		}
		c.scratch.path, c.scratch.pathText = p, strings.Clone(text)
	}
	return c.scratch.path, nil
}

// registerJSONPath registers the jsonb_path_ functions and the operators @? and @@. The variants ending in _tz differ
// for datetimes only.
func registerJSONPath(r *registry) {
	collect := func(c *Context, a []datum.Datum) ([]datum.Datum, error) {
		var out []datum.Datum
		err := jsonPathCall(c, a, false, func(v *datum.JSONB) error {
			out = append(out, datum.NewJSONB(v))
			return nil
		})
		if err == error(errSilent) {
			return out, nil
		}
		return out, err
	}
	exists := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		found := false
		err := jsonPathCall(c, a, true, func(*datum.JSONB) error {
			found = true
			if path, err := c.path(a[1].Text()); err == nil && !path.Strict {
				return errEnough
			}
			return nil
		})
		if err == error(errSilent) {
			return datum.Null, nil
		}
		return datum.NewBool(found), err
	}
	match := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		vals, err := collect(c, a)
		if err != nil {
			return datum.Null, err
		}
		if len(vals) == 1 {
			switch j := vals[0].JSONB(); j.Kind {
			case datum.JSONBool:
				return datum.NewBool(j.Bool), nil
			case datum.JSONNull:
				return datum.Null, nil
			}
		}
		if len(a) == 2 || a[3].Bool() {
			return datum.Null, nil
		}
		return datum.Null, failure.New(failure.SingletonSQLJSONItemRequired, "single boolean result is expected")
	}
	for _, tz := range []string{"", "_tz"} {
		r.impl["jsonb_path_exists"+tz], r.impl["jsonb_path_match"+tz] = exists, match
		r.set["jsonb_path_query"+tz] = func(_ *Call, c *Context, a []datum.Datum) (RowIter, error) {
			vals, err := collect(c, a)
			return &sliceRows{vals: vals}, err
		}
		r.impl["jsonb_path_query_array"+tz] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			vals, err := collect(c, a)
			out := datum.JSONB{Kind: datum.JSONArray}
			for _, v := range vals {
				out.Elems = append(out.Elems, *v.JSONB())
			}
			return newJSONB(out, err)
		}
		r.impl["jsonb_path_query_first"+tz] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
			vals, err := collect(c, a)
			if err != nil || len(vals) == 0 {
				return datum.Null, err
			}
			return vals[0], nil
		}
	}
	r.impl["jsonb_path_exists_opr"], r.impl["jsonb_path_match_opr"] = exists, match
}
