package layout

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/row"
)

// Decoder reads chosen columns of the entries of an index. It is immutable.
type Decoder struct {
	index *Index
	// keySlots and rowSlots say where the columns of the key and of the row key go, -1 for nowhere; they end with the last
	// column that is wanted.
	keySlots, rowSlots []int
	values             *row.Decoder
	missing            []slotValue
	aliases            bool
}

type slotValue struct {
	slot int
	v    datum.Datum
}

// NewDecoder makes a decoder that puts the column with ordinal ordinals[i] into out[i]. x must cover them.
func NewDecoder(x *Index, ordinals []int) (*Decoder, error) {
	d := &Decoder{index: x}
	cols := x.table.Desc.Columns
	keySlots, rowSlots := newSlots(len(x.Cols)), newSlots(len(x.table.Rows.Cols))
	var want []row.Column
	var slots []int
	var missing []datum.Datum
	for slot, o := range ordinals {
		if cols[o].Dropped {
			d.missing = append(d.missing, slotValue{slot, datum.Null})
			continue
		}
		if aliasing(cols[o].Stored()) {
			d.aliases = true
		}
		if put(keySlots, x.Cols, o, slot) {
			continue
		}
		if !x.rows && !contains(x.ords, o) && put(rowSlots, x.table.Rows.Cols, o, slot) {
			continue
		}
		if !contains(x.ords, o) {
			return nil, failure.New(failure.InternalError, "index \"%s\" does not hold column \"%s\"", x.Desc.Name, cols[o].Name)
		}
		want = append(want, row.Column{ID: cols[o].ID, Type: cols[o].Stored()})
		slots = append(slots, slot)
		missing = append(missing, cols[o].Missing)
	}
	d.keySlots, d.rowSlots = trim(keySlots), trim(rowSlots)
	if len(want) > 0 {
		d.values = row.NewDecoderAt(want, slots, missing)
	}
	return d, nil
}

func newSlots(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = -1
	}
	return s
}

func trim(s []int) []int {
	for len(s) > 0 && s[len(s)-1] < 0 {
		s = s[:len(s)-1]
	}
	return s
}

func contains(list []int, o int) bool {
	for _, v := range list {
		if v == o {
			return true
		}
	}
	return false
}

// put asks for a column from the key if it is there exactly. A column that is wanted twice is found at its first place
// only, so a second slot goes to the next occurrence or to the value.
func put(slots []int, cols []KeyColumn, o, slot int) bool {
	for i := range cols {
		if cols[i].Ordinal == o && cols[i].lossless && slots[i] < 0 {
			slots[i] = slot
			return true
		}
	}
	return false
}

// aliasing says whether decoded values of a type share the memory of the bytes that they were decoded from.
func aliasing(t datum.Type) bool {
	switch datum.KindOf(t.OID) {
	case datum.KindBool, datum.KindInt, datum.KindFloat, datum.KindDate, datum.KindTime, datum.KindTimestamp,
		datum.KindTimestampTZ:
		return false
	}
	return true
}

// Aliases says whether decoded values may share memory with the key and the value.
func (d *Decoder) Aliases() bool { return d.aliases }

// NeedsValue says whether the value is looked at at all.
func (d *Decoder) NeedsValue() bool { return d.values != nil || len(d.rowSlots) > 0 && d.index.Unique }

// Decode reads an entry. The values may alias key and value.
func (d *Decoder) Decode(key keys.Key, value []byte, out []datum.Datum) error {
	x := d.index
	for _, m := range d.missing {
		out[m.slot] = m.v
	}
	if len(d.keySlots) > 0 || len(d.rowSlots) > 0 {
		rest, err := decodeKey(x.Cols, d.keySlots, key[len(x.Prefix):], out)
		if err != nil {
			return err
		}
		if len(d.rowSlots) > 0 {
			if err := d.decodeRowKey(rest, value, out); err != nil {
				return err
			}
		}
	}
	if d.values != nil {
		return d.values.Decode(value, out)
	}
	return nil
}

// decodeKey reads the columns up to the last of slots and returns the rest.
func decodeKey(cols []KeyColumn, slots []int, b []byte, out []datum.Datum) ([]byte, error) {
	var err error
	for i, slot := range slots {
		c := &cols[i]
		if slot < 0 {
			b, err = row.SkipKeyDatum(b, c.Type, c.Desc, c.NullsFirst)
		} else {
			out[slot], b, err = row.DecodeKeyDatum(b, c.Type, c.Desc, c.NullsFirst)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// decodeRowKey reads columns of the row key of an entry; rest follows the key columns that decodeKey has read.
func (d *Decoder) decodeRowKey(rest, value []byte, out []datum.Datum) error {
	x := d.index
	for i := len(d.keySlots); i < len(x.Cols); i++ {
		c := &x.Cols[i]
		var err error
		if rest, err = row.SkipKeyDatum(rest, c.Type, c.Desc, c.NullsFirst); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		var err error
		if rest, err = x.valueRowKey(value); err != nil {
			return err
		}
	}
	_, err := decodeKey(x.table.Rows.Cols, d.rowSlots, rest, out)
	return err
}

// valueRowKey reads the row key from the value of a unique entry.
func (x *Index) valueRowKey(value []byte) ([]byte, error) {
	var out [1]datum.Datum
	if err := x.rowKey.Decode(value, out[:]); err != nil {
		return nil, err
	}
	if out[0].IsNull() {
		return nil, failure.New(failure.DataCorrupted, "entry of index \"%s\" has no row key", x.Desc.Name)
	}
	return out[0].Bytes(), nil
}

// RowKey returns the key in the row store of the row that an entry of x belongs to, appended to b.
func (x *Index) RowKey(b []byte, key keys.Key, value []byte) ([]byte, error) {
	rest, err := x.skipColumns(key[len(x.Prefix):], len(x.Cols))
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		if rest, err = x.valueRowKey(value); err != nil {
			return nil, err
		}
	}
	b = append(b, x.table.Rows.Prefix...)
	return append(b, rest...), nil
}
