package datum

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
