package builtin

import (
	"strings"
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
)

// OID is a PostgreSQL object identifier.
type OID = datum.OID

// OIDs of schemas and languages that appear in facts.
const (
	SchemaCatalog OID = 11
	SchemaPublic  OID = 2200

	LangInternal OID = 12
	LangC        OID = 13
	LangSQL      OID = 14
)

// TypeInfo is a row of pg_type.
type TypeInfo struct {
	OID       OID
	Name      string
	Schema    OID
	Len       int16
	ByVal     bool
	Type      byte // b base, c composite, d domain, e enum, p pseudo, r range, m multirange
	Category  byte // N number, S string, B boolean, D date/time, T timespan, A array, …
	Preferred bool
	Delim     byte
	RelID     OID
	Subscript OID
	Elem      OID
	Array     OID
	Input     OID
	Output    OID
	Receive   OID
	Send      OID
	ModIn     OID
	ModOut    OID
	Analyze   OID
	Align     byte
	Storage   byte
	NotNull   bool
	BaseType  OID
	TypMod    int32
	NDims     int
	Collation OID // 0: the type has no order that depends on a collation
	Default   string
	Labels    []datum.Datum // of an enum: its values, in order
}

// Func is a row of pg_proc and, when there is one, its Go implementation.
type Func struct {
	OID         OID
	Name        string
	Schema      OID
	Lang        OID
	Cost, Rows  float32
	Variadic    OID // element type of the VARIADIC parameter; OIDAny for VARIADIC "any"; 0 for none
	Support     OID
	Kind        byte // f function, p procedure, a aggregate, w window
	Leakproof   bool
	Strict      bool // NULL for any NULL argument, without being called
	RetSet      bool
	Volatility  byte // i immutable, s stable, v volatile
	Parallel    byte
	NumDefaults int
	Ret         OID
	Args        []OID    // of input parameters
	AllArgs     []OID    // of all parameters, when some are OUT, INOUT, VARIADIC or TABLE
	ArgModes    []byte   // i, o, b, v, t for each of AllArgs
	ArgNames    []string // of AllArgs, or of Args when that is nil; "" for an unnamed one
	Defaults    []string // the last NumDefaults parameters' defaults in text form (input to their types)
	Prosrc      string

	Impl   Impl // a plain function
	Bind   Bind // a function that depends on its argument types
	Set    SetImpl
	Agg    *AggInfo
	Window WindowImpl
	System bool // the Session computes it: it may answer 0A000 itself
}

// Operator is a row of pg_operator.
type Operator struct {
	OID        OID
	Name       string
	Left       OID // 0 for a prefix operator
	Right      OID
	Result     OID
	Func       *Func // nil for the few operators that are only declared
	Commutator OID
	Negator    OID
	CanHash    bool
	CanMerge   bool
	Restrict   OID
	Join       OID
}

// AggInfo is a row of pg_aggregate with the Go implementation.
type AggInfo struct {
	Kind       byte // n normal, o ordered-set, h hypothetical-set
	NumDirect  int
	SortOp     OID // min and max: the operator whose order the aggregate follows
	TransType  OID
	InitVal    string
	HasInitVal bool
	TransFn    OID
	FinalFn    OID
	CombineFn  OID
	MTransFn   OID
	Impl       AggImpl // nil when Meridian has no implementation
}

// CastMethod is how a cast is carried out.
type CastMethod uint8

// The methods.
const (
	CastBinary CastMethod = iota // the representation is the same
	CastFunc                     // call Func
	CastInOut                    // through the text form
	CastArray                    // element by element, with the cast that FindCast gives for the elements
)

// CastContext says how willing a cast must be.
type CastContext uint8

// The contexts, each including the ones before it.
const (
	CastImplicit CastContext = iota
	CastAssignment
	CastExplicit
)

// CastInfo is a way from one type to another.
type CastInfo struct {
	Method CastMethod
	Func   *Func // of CastFunc; it takes (value), (value, typmod) or (value, typmod, explicit)
}

type castKey struct{ from, to OID }

type castRow struct {
	oid     OID
	fn      OID
	context CastContext
	method  byte
}

// opClass is a default btree or hash operator class.
type opClass struct {
	oid, family, input OID
}

type amopKey struct {
	family, left, right OID
	strategy            uint8
}

// BtreeRole is one place of an operator in the btree operator families.
type BtreeRole struct {
	Family   OID
	Strategy uint8 // 1 <, 2 <=, 3 =, 4 >=, 5 >
	Left     OID
	Right    OID
}

// Extra supplies user-defined types and functions beside the built-in ones. Look-ups by name with an empty schema
// follow the search path.
type Extra interface {
	TypeByOID(oid OID) *TypeInfo
	TypeByName(schema, name string) *TypeInfo
	// TypePrefix is what goes before a type's name where the search path does not find it: its schema and a dot.
	TypePrefix(t *TypeInfo) string
	FuncByOID(oid OID) *Func
	FuncsByName(schema, name string) []*Func
}

// Facts answers questions about types, functions, operators and casts. It is immutable and safe for concurrent use.
type Facts struct {
	*base
	extra Extra // nil for the built-in facts alone
}

type base struct {
	types     []*TypeInfo // by OID
	typeOf    map[OID]*TypeInfo
	typeNamed map[string]*TypeInfo
	funcs     []*Func // by OID
	funcOf    map[OID]*Func
	funcNamed map[string][]*Func
	ops       []*Operator
	opOf      map[OID]*Operator
	opNamed   map[string][]*Operator
	casts     map[castKey]castRow
	btree     []opClass
	hash      []opClass
	amop      map[amopKey]OID
	amproc    map[amopKey]OID // strategy is the support number
	btreeRole map[OID][]BtreeRole
	hashRole  map[OID][]BtreeRole
	ranges    map[OID]rangeInfo
}

type rangeInfo struct{ subtype, multirange OID }

// Load returns the built-in facts, parsed on the first call (some ten milliseconds).
func Load() *Facts { return loadOnce() }

var loadOnce = sync.OnceValue(func() *Facts { return &Facts{base: parseBase()} })

// Extend returns facts that also know extra's types and functions.
func (f *Facts) Extend(extra Extra) *Facts { return &Facts{base: f.base, extra: extra} }

// TypeByOID returns a type or nil.
func (f *Facts) TypeByOID(oid OID) *TypeInfo {
	if t := f.typeOf[oid]; t != nil || f.extra == nil {
		return t
	}
	return f.extra.TypeByOID(oid)
}

// TypeByName returns a pg_catalog type by its catalogue name (int4, not integer), or a user's type on the search path.
func (f *Facts) TypeByName(name string) *TypeInfo {
	if t := f.typeNamed[name]; t != nil && t.Schema == SchemaCatalog || f.extra == nil {
		return t
	}
	return f.extra.TypeByName("", name)
}

// Types returns all built-in types in OID order; the slice is shared.
func (f *Facts) Types() []*TypeInfo { return f.types }

// Funcs returns all built-in functions in OID order; the slice is shared.
func (f *Facts) Funcs() []*Func { return f.funcs }

// Operators returns all operators in OID order; the slice is shared.
func (f *Facts) Operators() []*Operator { return f.ops }

// FuncByOID returns a function or nil.
func (f *Facts) FuncByOID(oid OID) *Func {
	if fn := f.funcOf[oid]; fn != nil || f.extra == nil {
		return fn
	}
	return f.extra.FuncByOID(oid)
}

// FuncsByName returns the functions that a name means: in a schema, or with "" pg_catalog's and then those on the
// search path.
func (f *Facts) FuncsByName(schema, name string) []*Func {
	var out []*Func
	if schema == "" || schema == "pg_catalog" || schema == "information_schema" {
		for _, fn := range f.funcNamed[name] {
			if (fn.Schema == SchemaCatalog) == (schema != "information_schema") {
				out = append(out, fn)
			}
		}
	}
	if f.extra != nil && schema != "pg_catalog" && schema != "information_schema" {
		out = append(out, f.extra.FuncsByName(schema, name)...)
	}
	return out
}

// OperatorByOID returns an operator or nil.
func (f *Facts) OperatorByOID(oid OID) *Operator { return f.opOf[oid] }

// BaseType strips domains.
func (f *Facts) BaseType(oid OID) OID {
	for {
		t := f.TypeByOID(oid)
		if t == nil || t.Type != 'd' {
			return oid
		}
		oid = t.BaseType
	}
}

// arraySubscriptHandler is the OID of pg_catalog.array_subscript_handler, the mark of true array types.
const arraySubscriptHandler OID = 6179

// ElementType returns the element type of a true array type (also oidvector and int2vector), or 0.
func (f *Facts) ElementType(oid OID) OID {
	if t := f.TypeByOID(oid); t != nil && t.Subscript == arraySubscriptHandler {
		return t.Elem
	}
	return 0
}

// BaseElementType is ElementType after stripping domains.
func (f *Facts) BaseElementType(oid OID) OID { return f.ElementType(f.BaseType(oid)) }

// ArrayType returns the type of arrays of oid, or 0.
func (f *Facts) ArrayType(oid OID) OID {
	if t := f.TypeByOID(oid); t != nil {
		return t.Array
	}
	return 0
}

// Category returns a type's category letter and whether it is the preferred type of it.
func (f *Facts) Category(oid OID) (category byte, preferred bool) {
	if t := f.TypeByOID(oid); t != nil {
		return t.Category, t.Preferred
	}
	return 0, false
}

// Collation returns the collation that values of the type have by default, 0 when the type knows none.
func (f *Facts) Collation(oid OID) OID {
	if t := f.TypeByOID(oid); t != nil {
		return t.Collation
	}
	return 0
}

// OutParams returns the names and types of the result columns of a function with OUT or TABLE parameters, or nil.
func (fn *Func) OutParams() (names []string, types []OID) {
	for i, m := range fn.ArgModes {
		if m == 'o' || m == 'b' || m == 't' {
			name := ""
			if i < len(fn.ArgNames) {
				name = fn.ArgNames[i]
			}
			names, types = append(names, name), append(types, fn.AllArgs[i])
		}
	}
	return names, types
}

// ArgName returns the name of input parameter i, or "".
func (fn *Func) ArgName(i int) string {
	if len(fn.ArgModes) == 0 {
		if i < len(fn.ArgNames) {
			return fn.ArgNames[i]
		}
		return ""
	}
	for j, m := range fn.ArgModes {
		if m == 'i' || m == 'b' || m == 'v' {
			if i == 0 {
				if j < len(fn.ArgNames) {
					return fn.ArgNames[j]
				}
				return ""
			}
			i--
		}
	}
	return ""
}

// Implemented says whether calling the function can succeed.
func (fn *Func) Implemented() bool {
	return fn.Impl != nil || fn.Bind != nil || fn.Set != nil || fn.Window != nil || fn.Agg != nil && fn.Agg.Impl != nil
}

// Signature renders the function as PostgreSQL does in errors: schema-qualified name and argument types.
func (f *Facts) Signature(fn *Func) string {
	var b strings.Builder
	if fn.Schema == SchemaCatalog {
		b.WriteString("pg_catalog.")
	}
	b.WriteString(fn.Name)
	f.appendArgTypes(&b, fn.Args)
	return b.String()
}

func (f *Facts) appendArgTypes(b *strings.Builder, args []OID) {
	b.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.TypeName(a))
	}
	b.WriteByte(')')
}
