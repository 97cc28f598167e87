package builtin

import "strings"

// registry collects the Go implementations while Load runs, by prosrc name, or by signature for functions of the SQL
// language and wherever one prosrc serves rows that Go must tell apart: "lpad(text,int4)" in pg_type's names.
type registry struct {
	impl   map[string]Impl
	bind   map[string]Bind
	set    map[string]SetImpl
	agg    map[string]AggImpl
	window map[string]WindowImpl
	system map[string]bool // prosrc names that go to the Session
}

func newRegistry() *registry {
	r := &registry{
		impl: make(map[string]Impl, 2048), bind: make(map[string]Bind, 256), set: make(map[string]SetImpl, 64),
		agg: make(map[string]AggImpl, 256), window: make(map[string]WindowImpl, 16), system: make(map[string]bool, 512),
	}
	for _, register := range registrations() {
		register(r)
	}
	return r
}

// attach gives a function its implementation, if there is one.
func (r *registry) attach(b *base, fn *Func) {
	key := fn.Prosrc
	switch {
	case fn.Kind == 'a':
		fn.Agg.Impl = r.agg[fn.Name]
		if impl := r.agg[b.key(fn)]; impl != nil {
			fn.Agg.Impl = impl
		}
		return
	case fn.Lang == LangSQL:
		key = b.key(fn)
	}
	fn.System = r.system[key]
	fn.Impl, fn.Bind, fn.Set, fn.Window = r.impl[key], r.bind[key], r.set[key], r.window[key]
}

// key is a function's name with its argument types in pg_type's names.
func (b *base) key(fn *Func) string {
	var s strings.Builder
	s.WriteString(fn.Name)
	s.WriteByte('(')
	for i, a := range fn.Args {
		if i > 0 {
			s.WriteByte(',')
		}
		s.WriteString(b.typeOf[a].Name)
	}
	s.WriteByte(')')
	return s.String()
}

// registrations lists the parts of the library.
func registrations() []func(*registry) {
	return []func(*registry){
		registerCompare, registerEnum, registerInt, registerFloat, registerText, registerFormat, registerLike, registerSimilar,
		registerRegexp, registerArray, registerSet, registerSystem, registerAggBasic, registerAggFloat,
		registerAggOrdered, registerWindow, registerNumericCast, registerNumeric, registerAggNumeric, registerDateCast, registerDatetime, registerToChar, registerInRange, registerRange, registerUnicode, registerBytea, registerNet,
		registerJSONMake, registerHash, registerJSONPath, registerJSONRecord, registerJSON, registerJSONB,
	}
}
