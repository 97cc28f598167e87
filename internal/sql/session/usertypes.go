package session

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// types is the catalogue whose types the running statement's values have; nil outside transactions.
func (s *Session) types() *catalog.Snapshot {
	if s.t.cat != nil {
		return s.t.cat.Snapshot()
	}
	return s.search.snap
}

// userInput reads the text form of a value of a user's type (datum.Env.UserIn).
func (s *Session) userInput(t datum.Type, text string) (datum.Datum, error) {
	if snap := s.types(); snap != nil {
		if u := snap.TypeByOID(t.OID); u != nil {
			if u.Kind == catalog.TypeDomain {
				return s.parseValue(u.Base, text)
			}
			for _, l := range u.Labels {
				if l.Label == text {
					return l.Value(), nil
				}
			}
			return datum.Null, failure.New(failure.InvalidTextRepresentation, "invalid input value for enum %s: \"%s\"", u.Name, text)
		}
		if u := snap.TypeOfArray(t.OID); u != nil {
			return datum.ParseArrayOf(datum.Type{OID: u.OID, Mod: t.Mod}, text, s.datumEnv())
		}
		if u := snap.TableOfRowType(t.OID); u != nil {
			return datum.ParseRecord(fieldTypes(u), text, s.datumEnv())
		}
	}
	return datum.Null, failure.NotSupported("input of type %s is", s.facts().TypeName(t.OID))
}

func fieldTypes(t *catalog.Table) []datum.Type {
	var types []datum.Type
	for _, c := range t.Columns {
		if c.Visible() {
			types = append(types, c.Type)
		}
	}
	return types
}

// userBinary reads the binary form of a value of a user's type (datum.Env.UserBinary); that of an enum is its text.
func (s *Session) userBinary(t datum.Type, b []byte) (datum.Datum, error) {
	if snap := s.types(); snap != nil {
		if u := snap.TypeByOID(t.OID); u != nil && u.Kind == catalog.TypeDomain {
			return datum.ParseBinaryIn(u.Base, b, s.datumEnv())
		}
		if u := snap.TypeOfArray(t.OID); u != nil {
			return datum.ParseBinaryArrayOf(datum.Type{OID: u.OID, Mod: t.Mod}, b, s.datumEnv())
		}
		if u := snap.TableOfRowType(t.OID); u != nil {
			return datum.ParseBinaryRecord(fieldTypes(u), b, s.datumEnv())
		}
	}
	return s.parseValue(t, string(b))
}

// userOutput appends the text form of a value of a user's type that is kept as text (datum.Env.UserOut).
func (s *Session) userOutput(b []byte, t datum.OID, d datum.Datum) []byte {
	if snap := s.types(); snap != nil {
		if u := snap.TypeByOID(t); u != nil && u.Kind == catalog.TypeEnum {
			if label, ok := u.LabelText(d); ok {
				return append(b, label...)
			}
		}
	}
	return append(b, d.Text()...)
}
