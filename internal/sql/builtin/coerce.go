package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// Polymorphic pseudo-types that package datum does not name.
const (
	oidAnyMultirange           OID = 4537
	oidAnyCompatibleMultirange OID = 4538
	oidAnyCompatible           OID = 5077
	oidAnyCompatibleArray      OID = 5078
	oidAnyCompatibleNonArray   OID = 5079
	oidAnyCompatibleRange      OID = 5080
)

// IsPolymorphic says whether a type is a placeholder such as anyelement or anycompatiblearray.
func IsPolymorphic(oid OID) bool { return isAnyElementFamily(oid) || isAnyCompatibleFamily(oid) }

func isAnyElementFamily(oid OID) bool {
	switch oid {
	case datum.OIDAnyElement, datum.OIDAnyArray, datum.OIDAnyNonArray, datum.OIDAnyEnum, datum.OIDAnyRange,
		oidAnyMultirange:
		return true
	}
	return false
}

func isAnyCompatibleFamily(oid OID) bool {
	switch oid {
	case oidAnyCompatible, oidAnyCompatibleArray, oidAnyCompatibleNonArray, oidAnyCompatibleRange,
		oidAnyCompatibleMultirange:
		return true
	}
	return false
}

// FindCast returns the way from one type to another in a context; ok is false when there is none. It knows nothing of
// unknown literals (they go through the target's input function) and of pseudo-types.
func (f *Facts) FindCast(from, to OID, context CastContext) (CastInfo, bool) {
	from, to = f.BaseType(from), f.BaseType(to)
	if from == to {
		return CastInfo{Method: CastBinary}, true
	}
	if row, ok := f.casts[castKey{from, to}]; ok {
		if context < row.context {
			return CastInfo{}, false
		}
		switch row.method {
		case 'f':
			return CastInfo{Method: CastFunc, Func: f.funcOf[row.fn]}, true
		case 'i':
			return CastInfo{Method: CastInOut}, true
		default:
			return CastInfo{Method: CastBinary}, true
		}
	}
	if to != datum.OIDOidVector && to != datum.OIDInt2Vector {
		te, fe := f.ElementType(to), f.ElementType(from)
		if te != 0 && fe != 0 {
			if el, ok := f.FindCast(fe, te, context); ok {
				if el.Method == CastBinary {
					return el, true
				}
				return CastInfo{Method: CastArray}, true
			}
		}
	}
	fromCategory, _ := f.Category(from)
	toCategory, _ := f.Category(to)
	if context >= CastAssignment && toCategory == 'S' || context >= CastExplicit && fromCategory == 'S' {
		return CastInfo{Method: CastInOut}, true
	}
	return CastInfo{}, false
}

// LengthCast returns the function that fits a value of a type to its modifier (varchar(3), numeric(5,2)), or nil when
// the type has none. It takes (value, typmod) or (value, typmod, explicit). For an array type the function is that of
// its elements.
func (f *Facts) LengthCast(oid OID) (fn *Func, array bool) {
	oid = f.BaseType(oid)
	if el := f.ElementType(oid); el != 0 {
		oid, array = el, true
	}
	if row, ok := f.casts[castKey{oid, oid}]; ok {
		return f.funcOf[row.fn], array
	}
	return nil, false
}

// CanCoerce says whether an expression of one type may stand where another type is wanted: casts of the context,
// unknown literals, and pseudo-types.
func (f *Facts) CanCoerce(from, to OID, context CastContext) bool {
	if from == to || to == datum.OIDAny || from == datum.OIDUnknown {
		return true
	}
	if IsPolymorphic(to) {
		return true // whether the types fit together is seen later
	}
	if _, ok := f.FindCast(from, to, context); ok {
		return true
	}
	ft, tt := f.TypeByOID(f.BaseType(from)), f.TypeByOID(f.BaseType(to))
	if ft == nil || tt == nil {
		return false
	}
	switch {
	case from == datum.OIDRecord && tt.Type == 'c', to == datum.OIDRecord && ft.Type == 'c':
		return true
	case to == datum.OIDRecordArray:
		el := f.TypeByOID(f.ElementType(from))
		return el != nil && el.Type == 'c'
	}
	return false
}

func (f *Facts) canCoerceAll(from, to []OID) bool {
	generic := false
	for i := range from {
		if IsPolymorphic(to[i]) {
			generic = true
		} else if !f.CanCoerce(from[i], to[i], CastImplicit) {
			return false
		}
	}
	return !generic || f.consistent(from, to)
}

// consistent says whether actual types could stand for the polymorphic ones among the declared.
func (f *Facts) consistent(actual, declared []OID) bool {
	p := polymorphic{facts: f, lenient: true}
	if _, err := p.gather(actual, declared); err != nil {
		return false
	}
	if err := p.finishElement(); err != nil {
		return false
	}
	common, err := p.finishCompatible()
	if err != nil {
		return false
	}
	if p.compatRange != 0 && f.rangeSubtype(p.compatRange) != common {
		return false
	}
	for _, t := range p.compatTypes {
		if !f.CanCoerce(t, common, CastImplicit) {
			return false
		}
	}
	return true
}

// SelectCommonType chooses the type that a UNION, CASE, COALESCE, VALUES or ARRAY of these types has. The context
// names the construct in the error, such as "CASE"; at is the index of the expression the error is about.
func (f *Facts) SelectCommonType(context string, types []OID) (common OID, at int, err error) {
	common, other, at := f.commonType(types, true)
	if common == 0 {
		return 0, at, failure.New(failure.DatatypeMismatch, "%s types %s and %s cannot be matched", context,
			f.TypeName(other), f.TypeName(types[at]))
	}
	return common, 0, nil
}

// commonType returns 0 and the two types that cannot be matched when there is no common type. With nothing but unknown
// literals the type is text.
func (f *Facts) commonType(types []OID, domains bool) (common, other OID, at int) {
	same := types[0] != datum.OIDUnknown
	for _, t := range types[1:] {
		same = same && t == types[0]
	}
	if same && domains {
		return types[0], 0, 0
	}
	p := f.BaseType(types[0])
	category, preferred := f.Category(p)
	for i, t := range types[1:] {
		n := f.BaseType(t)
		if n == datum.OIDUnknown || n == p {
			continue
		}
		nc, np := f.Category(n)
		switch {
		case p == datum.OIDUnknown:
			p, category, preferred = n, nc, np
		case nc != category:
			return 0, p, i + 1
		case !preferred && f.CanCoerce(p, n, CastImplicit) && !f.CanCoerce(n, p, CastImplicit):
			p, category, preferred = n, nc, np
		}
	}
	if p == datum.OIDUnknown {
		p = datum.OIDText
	}
	return p, 0, 0
}

// polymorphic gathers what the actual arguments say about a call's polymorphic types.
type polymorphic struct {
	facts   *Facts
	lenient bool // types that are still unknown are no error
	// The anyelement family: 0 where nothing is known yet.
	elem, array, rng, multirange OID
	haveElem, haveArray, haveRng bool
	unknown                      bool
	nonArray, enum               bool
	// The anycompatible family.
	compatTypes    []OID
	compatRange    OID
	compatMulti    OID
	haveCompat     bool
	compatNonArray bool
}

// resolvePolymorphic replaces the polymorphic types among declared (and in the result type) by actual ones. The
// declared slice is changed in place.
func (f *Facts) resolvePolymorphic(actual, declared []OID, ret OID) (OID, error) {
	p := polymorphic{facts: f}
	any, err := p.gather(actual, declared)
	if err != nil {
		return 0, err
	}
	if !any {
		if IsPolymorphic(ret) {
			return 0, failure.New(failure.DatatypeMismatch,
				"could not determine polymorphic type because input has type unknown")
		}
		return ret, nil
	}
	if err := p.finishElement(); err != nil {
		return 0, err
	}
	common, err := p.finishCompatible()
	if err != nil {
		return 0, err
	}
	for i, d := range declared {
		if IsPolymorphic(d) {
			t, err := p.actual(d, common)
			if err != nil {
				return 0, err
			}
			if actual[i] == datum.OIDUnknown || isAnyCompatibleFamily(d) || declared[i] == datum.OIDAnyArray {
				declared[i] = t
			} else {
				declared[i] = actual[i]
				if isDomainOverArray := f.BaseType(actual[i]) != actual[i] && d != datum.OIDAnyElement; isDomainOverArray {
					declared[i] = t
				}
			}
		}
	}
	if IsPolymorphic(ret) {
		return p.actual(ret, common)
	}
	return ret, nil
}

// gather takes note of the polymorphic parameters' actual types; any is false when there are none.
func (p *polymorphic) gather(actual, declared []OID) (any bool, err error) {
	for i, d := range declared {
		switch {
		case isAnyElementFamily(d):
			any = true
			err = p.element(d, actual[i])
		case isAnyCompatibleFamily(d):
			any = true
			err = p.compatible(d, actual[i])
		}
		if err != nil {
			return any, err
		}
	}
	return any, nil
}

func (p *polymorphic) element(declared, actual OID) error {
	f := p.facts
	switch declared {
	case datum.OIDAnyNonArray:
		p.nonArray = true
	case datum.OIDAnyEnum:
		p.enum = true
	}
	if actual == datum.OIDUnknown {
		p.unknown = true
		switch declared {
		case datum.OIDAnyArray:
			p.haveArray = true
		case datum.OIDAnyRange, oidAnyMultirange:
			p.haveRng = true
		default:
			p.haveElem = true
		}
		return nil
	}
	switch declared {
	case datum.OIDAnyElement, datum.OIDAnyNonArray, datum.OIDAnyEnum:
		p.haveElem = true
		if p.elem != 0 && p.elem != actual {
			return mismatch("anyelement", f, p.elem, actual)
		}
		p.elem = actual
	case datum.OIDAnyArray:
		p.haveArray = true
		actual = f.BaseType(actual)
		if p.array != 0 && p.array != actual {
			return mismatch("anyarray", f, p.array, actual)
		}
		p.array = actual
	case datum.OIDAnyRange:
		p.haveRng = true
		actual = f.BaseType(actual)
		if p.rng != 0 && p.rng != actual {
			return mismatch("anyrange", f, p.rng, actual)
		}
		p.rng = actual
	default:
		p.haveRng = true
		if p.multirange = f.BaseType(actual); f.rangeOfMultirange(p.multirange) == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not a multirange type but type %s",
				"anymultirange", f.TypeName(actual))
		}
	}
	return nil
}

func mismatch(what string, f *Facts, a, b OID) error {
	return failure.New(failure.DatatypeMismatch, "arguments declared %q are not all alike", what).
		WithDetail("%s versus %s", f.TypeName(a), f.TypeName(b))
}

// finishElement derives what is missing of element, array and range type from each other.
func (p *polymorphic) finishElement() error {
	f := p.facts
	if !p.haveElem && !p.haveArray && !p.haveRng {
		return nil
	}
	if p.array != 0 {
		el := f.ElementType(p.array)
		if p.array == datum.OIDAnyArray { // pg_statistic's columns
			el = datum.OIDAnyElement
		}
		if el == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not an array but type %s", "anyarray",
				f.TypeName(p.array))
		}
		if p.elem == 0 {
			p.elem = el
		} else if p.elem != el {
			return failure.New(failure.DatatypeMismatch,
				"argument declared %s is not consistent with argument declared %s", "anyarray", "anyelement").
				WithDetail("%s versus %s", f.TypeName(p.array), f.TypeName(p.elem))
		}
	}
	if p.rng == 0 && p.multirange != 0 {
		p.rng = f.rangeOfMultirange(p.multirange)
	}
	if p.rng != 0 {
		el := f.rangeSubtype(p.rng)
		if el == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not a range type but type %s",
				"anyrange", f.TypeName(p.rng))
		}
		if p.elem == 0 {
			p.elem = el
		} else if p.elem != el {
			return failure.New(failure.DatatypeMismatch,
				"argument declared %s is not consistent with argument declared %s", "anyrange", "anyelement").
				WithDetail("%s versus %s", f.TypeName(p.rng), f.TypeName(p.elem))
		}
	}
	if p.elem == 0 {
		if p.lenient && !p.enum {
			return nil
		}
		return failure.New(failure.DatatypeMismatch,
			"could not determine polymorphic type because input has type %s", "unknown")
	}
	if p.nonArray && f.BaseElementType(p.elem) != 0 {
		return failure.New(failure.DatatypeMismatch, "type matched to anynonarray is an array type: %s",
			f.TypeName(p.elem))
	}
	if p.enum {
		if t := f.TypeByOID(p.elem); t == nil || t.Type != 'e' {
			return failure.New(failure.DatatypeMismatch, "type matched to anyenum is not an enum type: %s",
				f.TypeName(p.elem))
		}
	}
	return nil
}

func (p *polymorphic) compatible(declared, actual OID) error {
	f := p.facts
	p.haveCompat = true
	if declared == oidAnyCompatibleNonArray {
		p.compatNonArray = true
	}
	if actual == datum.OIDUnknown {
		return nil
	}
	switch declared {
	case oidAnyCompatible, oidAnyCompatibleNonArray:
		p.compatTypes = append(p.compatTypes, actual)
	case oidAnyCompatibleArray:
		el := f.BaseElementType(actual)
		if el == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not an array but type %s",
				"anycompatiblearray", f.TypeName(actual))
		}
		p.compatTypes = append(p.compatTypes, el)
	case oidAnyCompatibleRange:
		if p.compatRange = f.BaseType(actual); f.rangeSubtype(p.compatRange) == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not a range type but type %s",
				"anycompatiblerange", f.TypeName(actual))
		}
		p.compatTypes = append(p.compatTypes, f.rangeSubtype(p.compatRange))
	default:
		p.compatMulti = f.BaseType(actual)
		if p.compatRange = f.rangeOfMultirange(p.compatMulti); p.compatRange == 0 {
			return failure.New(failure.DatatypeMismatch, "argument declared %s is not a multirange type but type %s",
				"anycompatiblemultirange", f.TypeName(actual))
		}
		p.compatTypes = append(p.compatTypes, f.rangeSubtype(p.compatRange))
	}
	return nil
}

func (p *polymorphic) finishCompatible() (OID, error) {
	f := p.facts
	if !p.haveCompat {
		return 0, nil
	}
	if len(p.compatTypes) == 0 {
		return datum.OIDText, nil
	}
	common, other, at := f.commonType(p.compatTypes, true)
	if common == 0 {
		return 0, failure.New(failure.DatatypeMismatch, "arguments of anycompatible family cannot be cast to a common type").
			WithDetail("%s versus %s", f.TypeName(other), f.TypeName(p.compatTypes[at]))
	}
	if p.compatNonArray && f.BaseElementType(common) != 0 {
		return 0, failure.New(failure.DatatypeMismatch, "type matched to anycompatiblenonarray is an array type: %s",
			f.TypeName(common))
	}
	return common, nil
}

// actual is the type that a polymorphic type stands for.
func (p *polymorphic) actual(declared, common OID) (OID, error) {
	f := p.facts
	array := func(el OID) (OID, error) {
		if a := f.ArrayType(el); a != 0 {
			return a, nil
		}
		return 0, failure.New(failure.UndefinedObject, "could not find array type for data type %s", f.TypeName(el))
	}
	switch declared {
	case datum.OIDAnyElement, datum.OIDAnyNonArray, datum.OIDAnyEnum:
		return p.elem, nil
	case datum.OIDAnyArray:
		if p.array != 0 {
			return p.array, nil
		}
		return array(p.elem)
	case datum.OIDAnyRange:
		if p.rng != 0 {
			return p.rng, nil
		}
	case oidAnyMultirange:
		if p.multirange != 0 {
			return p.multirange, nil
		}
		if m := f.multirangeOf(p.rng); m != 0 {
			return m, nil
		}
	case oidAnyCompatible, oidAnyCompatibleNonArray:
		return common, nil
	case oidAnyCompatibleArray:
		return array(common)
	case oidAnyCompatibleRange:
		if p.compatRange != 0 {
			return p.compatRange, nil
		}
	case oidAnyCompatibleMultirange:
		if p.compatMulti != 0 {
			return p.compatMulti, nil
		}
	}
	return 0, failure.New(failure.DatatypeMismatch, "could not determine polymorphic type %s because input has type %s",
		f.TypeName(declared), "unknown")
}

// ResolveResult returns the type that a polymorphic result (or OUT parameter) has in a call whose declared and actual
// input types are given.
func (f *Facts) ResolveResult(declared, actual []OID, ret OID) (OID, error) {
	if !IsPolymorphic(ret) {
		return ret, nil
	}
	return f.resolvePolymorphic(actual, append([]OID(nil), declared...), ret)
}

func (f *Facts) rangeSubtype(oid OID) OID { return f.ranges[oid].subtype }

func (f *Facts) multirangeOf(rng OID) OID { return f.ranges[rng].multirange }

func (f *Facts) rangeOfMultirange(oid OID) OID {
	for r, info := range f.ranges {
		if info.multirange == oid {
			return r
		}
	}
	return 0
}
