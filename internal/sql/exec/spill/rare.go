package spill

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// appendRare encodes the kinds that package datum boxes privately.
func appendRare(b []byte, d datum.Datum) ([]byte, error) {
	return b, failure.NotSupported("values of kind %d in temporary files are", d.Kind())
}

func (d *decoder) rare(datum.Kind) datum.Datum {
	d.bad = true
	return datum.Null
}
