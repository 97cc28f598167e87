package spill

import (
	"encoding/binary"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/row"
)

// The rarer kinds are written as package row stores them: a value of one column, with its length before it.

// rareType is a type of a kind; row's encoding depends on the kind alone.
func rareType(k datum.Kind) (datum.OID, bool) {
	switch k {
	case datum.KindJSONB:
		return datum.OIDJSONB, true
	case datum.KindBits:
		return datum.OIDVarbit, true
	case datum.KindNet:
		return datum.OIDInet, true
	case datum.KindRange:
		return datum.OIDInt4Range, true
	}
	return 0, false
}

func appendRare(b []byte, d datum.Datum) ([]byte, error) {
	t, ok := rareType(d.Kind())
	if !ok {
		return b, failure.NotSupported("values of kind %d in temporary files are", d.Kind())
	}
	v := row.AppendValue(nil, []row.Column{{ID: 1, Type: datum.T(t)}}, []datum.Datum{d})
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...), nil
}

func (d *decoder) rare(k datum.Kind) datum.Datum {
	t, ok := rareType(k)
	v := d.bytes(d.uvarint())
	if !ok || d.bad {
		d.bad = true
		return datum.Null
	}
	var out [1]datum.Datum
	if err := row.NewDecoder([]row.Column{{ID: 1, Type: datum.T(t)}}, nil).Decode(v, out[:]); err != nil {
		d.bad = true
		return datum.Null
	}
	return out[0]
}
