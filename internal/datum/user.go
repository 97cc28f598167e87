package datum

import "github.com/meridiandb/meridian/internal/failure"

// FirstUserOID is where the object identifiers of users' types start.
const FirstUserOID OID = 16384

// isUser says whether only the session's catalogue knows the type.
func isUser(t OID) bool { return t >= FirstUserOID }

// appendUserText appends the text of a KindText value of a user's type: an enum's value is not its text.
func appendUserText(b []byte, t OID, d Datum, env *Env) []byte {
	if env.UserOut != nil {
		return env.UserOut(b, t, d)
	}
	return append(b, d.Text()...)
}

// ParseArrayOf is ParseText for arrays whose element type is elem.
func ParseArrayOf(elem Type, s string, env *Env) (Datum, error) {
	return parseArrayOf(elem, s, env.orDefault())
}

// ParseBinaryArrayOf is ParseBinaryIn for arrays whose element type is elem.
func ParseBinaryArrayOf(elem Type, b []byte, env *Env) (Datum, error) {
	r := binReader{b: b, env: env.orDefault()}
	d, err := r.array(elem.OID, elem.Mod)
	return d, r.whole(err)
}

// ParseBinaryRecord is ParseBinaryIn for rows whose fields have these types.
func ParseBinaryRecord(types []Type, b []byte, env *Env) (Datum, error) {
	r := binReader{b: b, env: env.orDefault()}
	if n := int(int32(r.uint32())); n != len(types) && !r.bad {
		return Null, failure.New(failure.DatatypeMismatch, "wrong number of columns: %d, expected %d", n, len(types))
	}
	rec := &Record{Types: types, Values: make([]Datum, len(types))}
	for i, t := range types {
		oid := OID(r.uint32())
		if r.bad {
			return Null, errShort()
		}
		if oid != t.OID {
			return Null, failure.New(failure.DatatypeMismatch, "binary data has type %d (%s) instead of expected %d (%s) in record column %d",
				oid, typeNameOr(oid), t.OID, typeNameOr(t.OID), i+1)
		}
		var err error
		if rec.Values[i], err = r.field(t); err != nil {
			return Null, err
		}
	}
	return NewRecord(rec), r.whole(nil)
}
