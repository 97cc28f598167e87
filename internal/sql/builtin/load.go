package builtin

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/invariant"
)

// catalog reads an embedded catalogue that must be there.
func catalog(name string) Catalog {
	c, ok := ReadCatalog(name)
	invariant.Check(ok, "embedded catalogue %s is missing", name)
	return c
}

func parseBase() *base {
	b := &base{}
	b.loadTypes()
	b.loadFuncs()
	b.loadOperators()
	b.loadCasts()
	b.loadAggregates()
	b.loadOpClasses()
	b.loadRanges()
	registerAll(b)
	return b
}

func (b *base) loadTypes() {
	c := catalog("pg_type")
	b.typeOf = make(map[OID]*TypeInfo, c.Len())
	b.typeNamed = make(map[string]*TypeInfo, c.Len())
	all := make([]TypeInfo, 0, c.Len())
	c.Each(func(row []string) {
		r := fieldReader{row: row}
		all = append(all, TypeInfo{
			OID: r.oid(), Name: r.str(), Schema: r.oid(), Len: int16(r.int()), ByVal: r.bool(), Type: r.char(),
			Category: r.char(), Preferred: r.bool(), Delim: r.char(), RelID: r.oid(), Subscript: r.oid(),
			Elem: r.oid(), Array: r.oid(), Input: r.oid(), Output: r.oid(), Receive: r.oid(), Send: r.oid(),
			ModIn: r.oid(), ModOut: r.oid(), Analyze: r.oid(), Align: r.char(), Storage: r.char(),
			NotNull: r.bool(), BaseType: r.oid(), TypMod: int32(r.int()), NDims: r.int(), Collation: r.oid(),
			Default: r.str(),
		})
		t := &all[len(all)-1]
		b.types = append(b.types, t)
		b.typeOf[t.OID] = t
		if t.Schema == SchemaCatalog || b.typeNamed[t.Name] == nil {
			b.typeNamed[t.Name] = t
		}
	})
}

func (b *base) loadFuncs() {
	c := catalog("pg_proc")
	b.funcOf = make(map[OID]*Func, c.Len())
	b.funcNamed = make(map[string][]*Func, c.Len())
	all := make([]Func, 0, c.Len())
	c.Each(func(row []string) {
		r := fieldReader{row: row}
		all = append(all, Func{
			OID: r.oid(), Name: r.str(), Schema: r.oid(), Lang: r.oid(), Cost: r.float(), Rows: r.float(),
			Variadic: r.oid(), Support: r.oid(), Kind: r.char(), Leakproof: r.bool(), Strict: r.bool(),
			RetSet: r.bool(), Volatility: r.char(), Parallel: r.char(), NumDefaults: r.int(), Ret: r.oid(),
			Args: r.oids(), AllArgs: r.oids(),
		})
		fn := &all[len(all)-1]
		for _, m := range r.words() {
			fn.ArgModes = append(fn.ArgModes, m[0])
		}
		fn.ArgNames = r.words()
		if d := r.str(); d != "" {
			fn.Defaults = parseDefaults(d)
		}
		fn.Prosrc = r.str()
		b.funcs = append(b.funcs, fn)
		b.funcOf[fn.OID] = fn
		b.funcNamed[fn.Name] = append(b.funcNamed[fn.Name], fn)
	})
}

// parseDefaults turns "'{}'::jsonb, false" into the values' text forms.
func parseDefaults(s string) []string {
	out := strings.Split(s, ", ")
	for i, d := range out {
		if d[0] == '\'' {
			d = d[1 : 1+strings.IndexByte(d[1:], '\'')]
		}
		out[i] = d
	}
	return out
}

func (b *base) loadOperators() {
	c := catalog("pg_operator")
	b.opOf = make(map[OID]*Operator, c.Len())
	b.opNamed = make(map[string][]*Operator)
	all := make([]Operator, 0, c.Len())
	c.Each(func(row []string) {
		r := fieldReader{row: row}
		op := Operator{OID: r.oid(), Name: r.str()}
		r.skip(1) // the kind follows from Left
		op.CanMerge, op.CanHash = r.bool(), r.bool()
		op.Left, op.Right, op.Result, op.Commutator, op.Negator = r.oid(), r.oid(), r.oid(), r.oid(), r.oid()
		op.Func = b.funcOf[r.oid()]
		op.Restrict, op.Join = r.oid(), r.oid()
		all = append(all, op)
		p := &all[len(all)-1]
		b.ops = append(b.ops, p)
		b.opOf[p.OID] = p
		b.opNamed[p.Name] = append(b.opNamed[p.Name], p)
	})
}

func (b *base) loadCasts() {
	c := catalog("pg_cast")
	b.casts = make(map[castKey]castRow, c.Len())
	c.Each(func(row []string) {
		r := fieldReader{row: row}
		cr := castRow{oid: r.oid()}
		key := castKey{from: r.oid(), to: r.oid()}
		cr.fn = r.oid()
		switch r.char() {
		case 'a':
			cr.context = CastAssignment
		case 'e':
			cr.context = CastExplicit
		}
		cr.method = r.char()
		b.casts[key] = cr
	})
}

func (b *base) loadAggregates() {
	catalog("pg_aggregate").Each(func(row []string) {
		r := fieldReader{row: row}
		fn := b.funcOf[r.oid()]
		a := &AggInfo{Kind: r.char(), NumDirect: r.int(), TransFn: r.oid(), FinalFn: r.oid(), CombineFn: r.oid()}
		r.skip(2)
		a.MTransFn = r.oid()
		r.skip(6)
		a.SortOp, a.TransType = r.oid(), r.oid()
		r.skip(3)
		init := r.raw()
		a.HasInitVal, a.InitVal = !IsNull(init), Field(init)
		fn.Agg = a
	})
}

// Access methods.
const (
	amBtree OID = 403
	amHash  OID = 405
)

func (b *base) loadOpClasses() {
	families := make(map[OID]bool)
	catalog("pg_opclass").Each(func(row []string) {
		r := fieldReader{row: row}
		oc := opClass{oid: r.oid()}
		am := r.oid()
		r.skip(1)
		oc.family, oc.input = r.oid(), r.oid()
		isDefault := r.bool()
		if am == amBtree {
			families[oc.family] = true
		}
		switch {
		case !isDefault:
		case am == amBtree:
			b.btree = append(b.btree, oc)
		case am == amHash:
			b.hash = append(b.hash, oc)
		}
	})
	b.amop = make(map[amopKey]OID)
	b.amproc = make(map[amopKey]OID)
	b.btreeRole = make(map[OID][]BtreeRole)
	b.hashRole = make(map[OID][]BtreeRole)
	catalog("pg_amop").Each(func(row []string) {
		r := fieldReader{row: row}
		r.skip(1)
		k := amopKey{family: r.oid(), left: r.oid(), right: r.oid(), strategy: uint8(r.int())}
		purpose, op, am := r.char(), r.oid(), r.oid()
		if purpose != 's' || am != amBtree && am != amHash {
			return
		}
		b.amop[k] = op
		role := BtreeRole{Family: k.family, Strategy: k.strategy, Left: k.left, Right: k.right}
		if am == amBtree {
			b.btreeRole[op] = append(b.btreeRole[op], role)
		} else {
			b.hashRole[op] = append(b.hashRole[op], role)
		}
	})
	catalog("pg_amproc").Each(func(row []string) {
		r := fieldReader{row: row}
		r.skip(1)
		k := amopKey{family: r.oid(), left: r.oid(), right: r.oid(), strategy: uint8(r.int())}
		b.amproc[k] = r.oid()
	})
}

func (b *base) loadRanges() {
	b.ranges = make(map[OID]rangeInfo)
	catalog("pg_range").Each(func(row []string) {
		r := fieldReader{row: row}
		oid := r.oid()
		b.ranges[oid] = rangeInfo{subtype: r.oid(), multirange: r.oid()}
	})
}

// SortInfo is what sorting, grouping and comparing need to know about a type.
type SortInfo struct {
	Family     OID // btree operator family
	Input      OID // the type the operators take (text for varchar, anyarray for arrays)
	Less       *Operator
	Equal      *Operator
	Greater    *Operator
	Compare    *Func
	Hashable   bool
	HashFamily OID
}

// Sort returns the default btree (and hash) operators of a type; ok is false when the type has no order, such as json
// and point. Hash-only types have Equal alone.
func (f *Facts) Sort(oid OID) (SortInfo, bool) {
	oid = f.BaseType(oid)
	var s SortInfo
	if h, ok := f.defaultOpClass(f.hash, oid); ok {
		s.Hashable, s.HashFamily = true, h.family
		s.Equal = f.opOf[f.amop[amopKey{h.family, h.input, h.input, 1}]]
	}
	c, ok := f.defaultOpClass(f.btree, oid)
	if !ok {
		return s, s.Hashable
	}
	s.Family, s.Input = c.family, c.input
	op := func(strategy uint8) *Operator { return f.opOf[f.amop[amopKey{c.family, c.input, c.input, strategy}]] }
	s.Less, s.Equal, s.Greater = op(1), op(3), op(5)
	s.Compare = f.funcOf[f.amproc[amopKey{c.family, c.input, c.input, 1}]]
	return s, s.Less != nil
}

// defaultOpClass finds the default class whose input type is the type itself, or one it is binary-compatible with.
func (f *Facts) defaultOpClass(classes []opClass, oid OID) (opClass, bool) {
	var found opClass
	category, _ := f.Category(oid)
	for _, c := range classes {
		if c.input == oid {
			return c, true
		}
		if !f.binaryCoercible(oid, c.input) {
			continue
		}
		if cat, pref := f.Category(c.input); found.oid == 0 || cat == category && pref {
			found = c
		}
	}
	return found, found.oid != 0
}

// BtreeRoles returns the places of an operator in btree families: with int4 < int8 one finds that integer_ops can use
// it. The slice is shared.
func (f *Facts) BtreeRoles(op OID) []BtreeRole { return f.btreeRole[op] }

// HashRoles is BtreeRoles for hash families (Strategy is 1, equality).
func (f *Facts) HashRoles(op OID) []BtreeRole { return f.hashRole[op] }

// FamilyOperator returns the operator of a btree family between two types, or nil.
func (f *Facts) FamilyOperator(family, left, right OID, strategy uint8) *Operator {
	return f.opOf[f.amop[amopKey{family, left, right, strategy}]]
}

// binaryCoercible says whether values of one type can be taken as another without conversion, implicitly.
func (f *Facts) binaryCoercible(from, to OID) bool {
	if from == to || to == datum.OIDAny || to == datum.OIDAnyElement {
		return true
	}
	from = f.BaseType(from)
	if from == to {
		return true
	}
	ti := f.TypeByOID(from)
	if ti == nil {
		return false
	}
	switch to {
	case datum.OIDAnyArray, oidAnyCompatibleArray:
		return f.ElementType(from) != 0
	case datum.OIDAnyNonArray, oidAnyCompatibleNonArray:
		return f.ElementType(from) == 0
	case datum.OIDAnyEnum:
		return ti.Type == 'e'
	case datum.OIDAnyRange, oidAnyCompatibleRange:
		return ti.Type == 'r'
	case oidAnyMultirange, oidAnyCompatibleMultirange:
		return ti.Type == 'm'
	case datum.OIDRecord:
		return ti.Type == 'c'
	case datum.OIDRecordArray:
		el := f.TypeByOID(f.ElementType(from))
		return el != nil && el.Type == 'c'
	}
	c, ok := f.casts[castKey{from, to}]
	return ok && c.method == 'b' && c.context == CastImplicit
}

// registerAll attaches the Go implementations to the functions.
func registerAll(b *base) {
	r := newRegistry()
	for _, fn := range b.funcs {
		r.attach(b, fn)
	}
	// Functions of one name are tried in OID order, so that a tie is broken the same way everywhere.
	for _, list := range b.funcNamed {
		slices.SortFunc(list, func(x, y *Func) int { return int(x.OID) - int(y.OID) })
	}
}
