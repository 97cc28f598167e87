package builtin

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// FuncCall is a function call as written, with the types of its arguments.
type FuncCall struct {
	Schema   string // "" when not qualified
	Name     string
	Args     []OID    // OIDUnknown for an untyped literal
	Names    []string // for named notation: "" for each positional argument; may be nil
	Variadic bool     // the last argument was marked VARIADIC
	// OrderBy and Direct describe WITHIN GROUP calls: Args then holds the direct arguments followed by those of
	// ORDER BY, and Direct is the number of the former.
	WithinGroup bool
	Direct      int
}

// Resolved is the function that a call means, and how to make its arguments fit.
type Resolved struct {
	Func *Func
	// Coercion, when not zero, says that f(x) is the cast x::Coercion; Func is nil then.
	Coercion OID
	// Params holds for each actual argument, in the order of the call's parameters, the type to coerce it to
	// implicitly. Parameters that take a default are not in it.
	Params []OID
	// Order says which argument of the call each of Params is; nil when they are in order.
	Order []int
	// Defaults are the parameters after Params that the call left out, to be read by their types' input functions.
	Defaults []DefaultArg
	// VariadicFrom, when not negative, is the first of Params that go into one array of type VariadicArray.
	VariadicFrom  int
	VariadicArray OID
	Ret           OID
}

// DefaultArg is the default value of a parameter in text form.
type DefaultArg struct {
	Type OID
	Text string
}

// candidate is a function or operator with parameter types as many as the call's arguments.
type candidate struct {
	args     []OID
	fn       *Func
	op       *Operator
	order    []int // for named notation: argument index per parameter, -1 for defaults
	expanded int   // number of arguments that the VARIADIC parameter takes, 0 when not expanded
	defaults int
}

// ResolveFunc finds the function that a call means by PostgreSQL's rules, or fails with 42883 or 42725.
func (f *Facts) ResolveFunc(call FuncCall) (*Resolved, error) {
	cands, err := f.candidates(&call)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(cands, func(c candidate) bool { return slices.Equal(c.args, call.inOrder(c)) }); i >= 0 {
		return f.finish(&call, &cands[i])
	}
	if r := f.coercionCall(&call); r != nil {
		return r, nil
	}
	matched := f.match(cands, &call)
	switch len(matched) {
	case 0:
		return nil, f.noFunction(&call)
	case 1:
		return f.finish(&call, &matched[0])
	}
	// Positions mean the same for all candidates unless names are in use; with names PostgreSQL compares in the order
	// of the parameters, which is the same for every function that has them.
	best := f.selectCandidate(call.inOrder(matched[0]), matched)
	if best == nil {
		return nil, failure.New(failure.AmbiguousFunction, "function %s is not unique", f.callText(&call)).
			WithHint("Could not choose a best candidate function. You might need to add explicit type casts.")
	}
	return f.finish(&call, best)
}

// inOrder returns the call's argument types in a candidate's order of parameters.
func (call *FuncCall) inOrder(c candidate) []OID {
	if c.order == nil {
		return call.Args
	}
	out := make([]OID, len(c.order))
	for i, j := range c.order {
		out[i] = call.Args[j]
	}
	return out
}

func (f *Facts) callText(call *FuncCall) string {
	var b strings.Builder
	if call.Schema != "" {
		b.WriteString(call.Schema + ".")
	}
	b.WriteString(call.Name)
	b.WriteByte('(')
	for i, a := range call.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if i < len(call.Names) && call.Names[i] != "" {
			b.WriteString(call.Names[i] + " => ")
		}
		b.WriteString(f.TypeName(a))
	}
	b.WriteByte(')')
	return b.String()
}

func (f *Facts) noFunction(call *FuncCall) error {
	return failure.New(failure.UndefinedFunction, "function %s does not exist", f.callText(call)).
		WithHint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

// candidates lists the functions of the name that can take as many arguments.
func (f *Facts) candidates(call *FuncCall) ([]candidate, error) {
	funcs := f.FuncsByName(call.Schema, call.Name)
	out := make([]candidate, 0, len(funcs))
	n := len(call.Args)
	named := slices.ContainsFunc(call.Names, func(s string) bool { return s != "" })
	for _, fn := range funcs {
		c := candidate{fn: fn}
		params := len(fn.Args)
		switch {
		case fn.Kind == 'a' && fn.Agg != nil && fn.Agg.Kind == 'h' && call.WithinGroup:
			// A hypothetical-set aggregate takes any number of direct arguments and as many ordered ones.
			c.args = append([]OID(nil), call.Args...)
		case named:
			if fn.Variadic != 0 || !f.matchNames(call, fn, &c) {
				continue
			}
		case call.Variadic:
			if fn.Variadic == 0 || n != params {
				continue
			}
			c.args = fn.Args
		case fn.Variadic != 0 && n >= params:
			c.args = expandVariadic(fn, n)
			c.expanded = n - params + 1
		case n == params && fn.Variadic == 0:
			c.args = fn.Args
		case n < params && params-n <= fn.NumDefaults && fn.Variadic == 0:
			c.args, c.defaults = fn.Args[:n], params-n
		default:
			continue
		}
		out = f.addCandidate(out, c)
	}
	return out, nil
}

// addCandidate appends unless an equal parameter list is there already: then a function that needs no expansion of
// VARIADIC, or fewer defaults, wins.
func (f *Facts) addCandidate(list []candidate, c candidate) []candidate {
	for i := range list {
		if !slices.Equal(list[i].args, c.args) {
			continue
		}
		old := &list[i]
		if (old.expanded > 0) != (c.expanded > 0) {
			if old.expanded > 0 {
				*old = c
			}
			return list
		}
		if c.defaults < old.defaults || c.expanded > 0 && len(c.fn.Args) > len(old.fn.Args) {
			*old = c
		}
		return list
	}
	return append(list, c)
}

// expandVariadic repeats the VARIADIC parameter's element type; VARIADIC "any" takes arguments as they are.
func expandVariadic(fn *Func, n int) []OID {
	args := make([]OID, n)
	k := copy(args, fn.Args[:len(fn.Args)-1])
	for ; k < n; k++ {
		args[k] = fn.Variadic
	}
	return args
}

// matchNames places named arguments: positional ones first, then by name, and defaults for the rest.
func (f *Facts) matchNames(call *FuncCall, fn *Func, c *candidate) bool {
	n := len(fn.Args)
	if len(call.Args) > n || len(fn.ArgNames) == 0 {
		return false
	}
	place := make([]int, n)
	for i := range place {
		place[i] = -1
	}
	for i := range call.Args {
		if i >= len(call.Names) || call.Names[i] == "" {
			place[i] = i
			continue
		}
		k := 0
		for k < n && fn.ArgName(k) != call.Names[i] {
			k++
		}
		if k == n || place[k] >= 0 {
			return false
		}
		place[k] = i
	}
	for k, i := range place {
		switch {
		case i >= 0:
			c.args = append(c.args, fn.Args[k])
			c.order = append(c.order, i)
		case k < n-fn.NumDefaults:
			return false
		default:
			c.defaults++
		}
	}
	return true
}

// coercionCall treats type_name(x) as a cast when the cast needs no function of that name.
func (f *Facts) coercionCall(call *FuncCall) *Resolved {
	if len(call.Args) != 1 || len(call.Names) > 0 || call.Variadic || call.WithinGroup {
		return nil
	}
	if call.Schema != "" && call.Schema != "pg_catalog" {
		return nil
	}
	t := f.TypeByName(call.Name)
	if t == nil || t.Type == 'p' {
		return nil
	}
	from := call.Args[0]
	r := &Resolved{Coercion: t.OID, Ret: t.OID, VariadicFrom: -1}
	if from == datum.OIDUnknown {
		return r
	}
	info, ok := f.FindCast(from, t.OID, CastExplicit)
	if !ok {
		return nil
	}
	switch info.Method {
	case CastBinary:
		return r
	case CastInOut:
		ft := f.TypeByOID(from)
		if (from == datum.OIDRecord || ft != nil && ft.Type == 'c') && t.Category == 'S' {
			return nil
		}
		return r
	}
	return nil
}

func (f *Facts) match(cands []candidate, call *FuncCall) []candidate {
	out := cands[:0:0]
	for _, c := range cands {
		if f.canCoerceAll(call.inOrder(c), c.args) {
			out = append(out, c)
		}
	}
	return out
}

// finish works out the polymorphic types and the gathering of variadic arguments.
func (f *Facts) finish(call *FuncCall, c *candidate) (*Resolved, error) {
	fn := c.fn
	r := &Resolved{Func: fn, Order: c.order, VariadicFrom: -1}
	actual := call.inOrder(*c)
	r.Params = append([]OID(nil), c.args...)
	if fn.Variadic == datum.OIDAny {
		c.expanded = 0
	}
	// Defaults take part in working out polymorphic types as values of their own types, which none needs so far.
	ret, err := f.resolvePolymorphic(actual, r.Params, fn.Ret)
	if err != nil {
		return nil, err
	}
	r.Ret = ret
	if c.expanded > 0 {
		r.VariadicFrom = len(fn.Args) - 1
		r.VariadicArray = fn.Args[len(fn.Args)-1]
		if IsPolymorphic(r.VariadicArray) {
			r.VariadicArray = f.ArrayType(r.Params[r.VariadicFrom])
		}
	}
	if c.defaults > 0 {
		first := len(fn.Args) - fn.NumDefaults
		for k := first; k < len(fn.Args); k++ {
			if c.order == nil && k < len(c.args) || c.order != nil && f.namedGiven(call, c, k) {
				continue
			}
			t := fn.Args[k]
			if IsPolymorphic(t) {
				t = datum.OIDText
			}
			r.Defaults = append(r.Defaults, DefaultArg{Type: t, Text: fn.Defaults[k-first]})
		}
		if c.order != nil {
			f.interleave(call, c, r)
		}
	}
	return r, nil
}

// namedGiven says whether a named call gives parameter k a value.
func (f *Facts) namedGiven(call *FuncCall, c *candidate, k int) bool {
	if k < len(call.Args) && (k >= len(call.Names) || call.Names[k] == "") {
		return true
	}
	return slices.Contains(call.Names, c.fn.ArgName(k)) && c.fn.ArgName(k) != ""
}

// interleave puts defaults between the given arguments of a named call: Order gets -1-i for Defaults[i].
func (f *Facts) interleave(call *FuncCall, c *candidate, r *Resolved) {
	given, params, order := 0, []OID(nil), []int(nil)
	def := 0
	for k := range c.fn.Args {
		if f.namedGiven(call, c, k) {
			params, order = append(params, r.Params[given]), append(order, c.order[given])
			given++
			continue
		}
		params, order = append(params, r.Defaults[def].Type), append(order, -1-def)
		def++
	}
	r.Params, r.Order = params, order
}

// selectCandidate applies the rules of "10.3 Functions" and "10.2 Operators" to candidates that all could be called;
// nil when none is best.
func (f *Facts) selectCandidate(input []OID, cands []candidate) *candidate {
	types := make([]OID, len(input))
	unknowns := 0
	for i, t := range input {
		if t == datum.OIDUnknown {
			types[i] = t
			unknowns++
		} else {
			types[i] = f.BaseType(t)
		}
	}
	categories := make([]byte, len(types))
	for i, t := range types {
		categories[i], _ = f.Category(t)
	}
	exact := func(i int, t OID) bool { return types[i] != datum.OIDUnknown && t == types[i] }
	cands = keepBest(cands, exact)
	if len(cands) == 1 {
		return &cands[0]
	}
	cands = keepBest(cands, func(i int, t OID) bool {
		if types[i] == datum.OIDUnknown {
			return false
		}
		cat, pref := f.Category(t)
		return t == types[i] || pref && cat == categories[i]
	})
	if len(cands) == 1 {
		return &cands[0]
	}
	if unknowns == 0 {
		return nil
	}
	if cands = f.narrowUnknowns(types, cands); len(cands) == 1 {
		return &cands[0]
	}
	if unknowns < len(types) {
		return f.sameTypeCandidate(types, cands)
	}
	return nil
}

// keepBest keeps the candidates with the most parameters that pass.
func keepBest(cands []candidate, pass func(i int, t OID) bool) []candidate {
	var out []candidate
	best := -1
	for _, c := range cands {
		n := 0
		for i, t := range c.args {
			if pass(i, t) {
				n++
			}
		}
		if n > best {
			best, out = n, out[:0]
		}
		if n == best {
			out = append(out, c)
		}
	}
	return out
}

// narrowUnknowns guesses a category for each unknown argument (string if any candidate takes one) and keeps the
// candidates that fit, preferred types first.
func (f *Facts) narrowUnknowns(types []OID, cands []candidate) []candidate {
	categories := make([]byte, len(types))
	preferred := make([]bool, len(types))
	for i, t := range types {
		if t != datum.OIDUnknown {
			continue
		}
		conflict := false
		for _, c := range cands {
			cat, pref := f.Category(c.args[i])
			switch {
			case categories[i] == 0:
				categories[i], preferred[i] = cat, pref
			case cat == categories[i]:
				preferred[i] = preferred[i] || pref
			case cat == 'S':
				categories[i], preferred[i] = cat, pref
			default:
				conflict = true
			}
		}
		if conflict && categories[i] != 'S' {
			return cands
		}
	}
	var out []candidate
	for _, c := range cands {
		keep := true
		for i, t := range types {
			if t != datum.OIDUnknown {
				continue
			}
			cat, pref := f.Category(c.args[i])
			if cat != categories[i] || preferred[i] && !pref {
				keep = false
				break
			}
		}
		if keep {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return cands
	}
	return out
}

// sameTypeCandidate supposes that the unknown arguments have the type that all known ones share.
func (f *Facts) sameTypeCandidate(types []OID, cands []candidate) *candidate {
	known := OID(datum.OIDUnknown)
	for _, t := range types {
		if t == datum.OIDUnknown {
			continue
		}
		if known != datum.OIDUnknown && known != t {
			return nil
		}
		known = t
	}
	all := make([]OID, len(types))
	for i := range all {
		all[i] = known
	}
	var found *candidate
	for i := range cands {
		if f.canCoerceAll(all, cands[i].args) {
			if found != nil {
				return nil
			}
			found = &cands[i]
		}
	}
	return found
}

// ResolvedOp is the operator that an expression means. Left and Right are the types to coerce the operands to.
type ResolvedOp struct {
	Op          *Operator
	Left, Right OID
	Ret         OID
}

// ResolveOperator finds the operator for operands of these types (left is 0 for a prefix operator), or fails with
// 42883 or 42725. The schema is "" or pg_catalog.
func (f *Facts) ResolveOperator(schema, name string, left, right OID) (ResolvedOp, error) {
	var list []*Operator
	if schema == "" || schema == "pg_catalog" {
		list = f.opNamed[name]
	}
	if op := f.exactOperator(list, left, right); op != nil {
		return f.finishOp(op, left, right)
	}
	var cands []candidate
	input := []OID{left, right}
	if left == 0 {
		input = input[1:]
	}
	for _, op := range list {
		if (op.Left == 0) != (left == 0) || op.Func == nil {
			continue
		}
		args := []OID{op.Left, op.Right}
		if left == 0 {
			args = args[1:]
		}
		if f.canCoerceAll(input, args) {
			cands = append(cands, candidate{args: args, op: op})
		}
	}
	switch len(cands) {
	case 0:
		return ResolvedOp{}, f.noOperator(name, left, right)
	case 1:
		return f.finishOp(cands[0].op, left, right)
	}
	best := f.selectCandidate(input, cands)
	if best == nil {
		return ResolvedOp{}, failure.New(failure.AmbiguousFunction, "operator is not unique: %s",
			f.opText(name, left, right)).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
	}
	return f.finishOp(best.op, left, right)
}

// exactOperator looks for the operand types as they are, an unknown one taken to be like the other.
func (f *Facts) exactOperator(list []*Operator, left, right OID) *Operator {
	guessed := false
	if left != 0 {
		if left == datum.OIDUnknown {
			left, guessed = right, true
		} else if right == datum.OIDUnknown {
			right, guessed = left, true
		}
	}
	find := func(l, r OID) *Operator {
		for _, op := range list {
			if op.Left == l && op.Right == r && op.Func != nil {
				return op
			}
		}
		return nil
	}
	if op := find(left, right); op != nil {
		return op
	}
	if guessed {
		if b := f.BaseType(left); b != left {
			return find(b, b)
		}
	}
	return nil
}

func (f *Facts) opText(name string, left, right OID) string {
	if left == 0 {
		return name + " " + f.TypeName(right)
	}
	return f.TypeName(left) + " " + name + " " + f.TypeName(right)
}

func (f *Facts) noOperator(name string, left, right OID) error {
	err := failure.New(failure.UndefinedFunction, "operator does not exist: %s", f.opText(name, left, right))
	if left == 0 {
		return err.WithHint("No operator matches the given name and argument type. " +
			"You might need to add an explicit type cast.")
	}
	return err.WithHint("No operator matches the given name and argument types. " +
		"You might need to add explicit type casts.")
}

func (f *Facts) finishOp(op *Operator, left, right OID) (ResolvedOp, error) {
	r := ResolvedOp{Op: op, Left: op.Left, Right: op.Right, Ret: op.Result}
	if !IsPolymorphic(op.Left) && !IsPolymorphic(op.Right) {
		return r, nil
	}
	actual, declared := []OID{left, right}, []OID{op.Left, op.Right}
	if left == 0 {
		actual, declared = actual[1:], declared[1:]
	}
	ret, err := f.resolvePolymorphic(actual, declared, op.Result)
	if err != nil {
		return r, err
	}
	r.Ret, r.Right = ret, declared[len(declared)-1]
	if left != 0 {
		r.Left = declared[0]
	}
	return r, nil
}
