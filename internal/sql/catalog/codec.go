package catalog

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// formatVersion is the first byte of every descriptor value.
const formatVersion = 1

// headerLen is the length of version, kind and checksum.
const headerLen = 6

// Encode writes a descriptor as it is stored: version, kind, CRC-32C of the rest, JSON.
func Encode(d Descriptor) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, failure.New(failure.InternalError, "cannot encode descriptor %d", d.ObjectID()).WithCause(err)
	}
	b := make([]byte, headerLen, headerLen+len(body))
	b[0], b[1] = formatVersion, byte(d.DescriptorKind())
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	b[2], b[3], b[4], b[5] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	return append(b, body...), nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (Descriptor, error) {
	if len(b) < headerLen || b[0] != formatVersion {
		return nil, failure.New(failure.DataCorrupted, "catalogue row has an unknown format")
	}
	sum := uint32(b[2])<<24 | uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])
	body := b[headerLen:]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return nil, failure.New(failure.DataCorrupted, "catalogue row fails its checksum")
	}
	d := newDescriptor(Kind(b[1]))
	if d == nil {
		return nil, failure.New(failure.DataCorrupted, "catalogue row is of unknown kind %d", b[1])
	}
	if err := json.Unmarshal(body, d); err != nil {
		return nil, failure.New(failure.DataCorrupted, "catalogue row cannot be read").WithCause(err)
	}
	return d, nil
}

func newDescriptor(k Kind) Descriptor {
	switch k {
	case KindDatabase:
		return new(Database)
	case KindSchema:
		return new(Schema)
	case KindTable:
		return new(Table)
	case KindType:
		return new(Type)
	case KindRole:
		return new(Role)
	case KindFunction:
		return new(Function)
	case KindStats:
		return new(Stats)
	case KindDefaultACL:
		return new(DefaultACL)
	default:
		return nil
	}
}

// columnJSON is Column without its methods, with the missing value in a form that JSON can hold.
type columnJSON struct {
	*columnPlain
	MissingValue *Value `json:",omitempty"`
}

type columnPlain Column

// MarshalJSON implements json.Marshaler.
func (c *Column) MarshalJSON() ([]byte, error) {
	j := columnJSON{columnPlain: (*columnPlain)(c)}
	if c.HasMissing {
		j.MissingValue = &Value{c.Missing}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Column) UnmarshalJSON(b []byte) error {
	j := columnJSON{columnPlain: (*columnPlain)(c)}
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if j.MissingValue != nil {
		c.Missing = j.MissingValue.Datum
	}
	return nil
}

// Value is a datum that can be written as JSON: kind and text.
type Value struct{ datum.Datum }

type valueJSON struct {
	K datum.Kind       `json:"k"`
	V string           `json:"v,omitempty"`
	E datum.OID        `json:"e,omitempty"`
	D []datum.ArrayDim `json:"d,omitempty"`
	A []Value          `json:"a,omitempty"`
}

// CanEncode says whether a value of the kind can be stored in a descriptor.
func CanEncode(d datum.Datum) bool {
	_, err := Value{d}.MarshalJSON()
	return err == nil
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	j := valueJSON{K: v.Kind()}
	switch v.Kind() {
	case datum.KindNull:
	case datum.KindBool:
		j.V = strconv.FormatBool(v.Bool())
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		j.V = strconv.FormatInt(v.Int(), 10)
	case datum.KindFloat:
		j.V = strconv.FormatUint(math.Float64bits(v.Float()), 16)
	case datum.KindText:
		j.V = v.Text()
	case datum.KindBytes, datum.KindUUID:
		j.V = base64.StdEncoding.EncodeToString(v.Bytes())
	case datum.KindNumeric:
		j.V = v.Numeric().String()
	case datum.KindInterval:
		iv := v.Interval()
		j.V = fmt.Sprintf("%d %d %d", iv.Months, iv.Days, iv.Micros)
	case datum.KindTimeTZ:
		t := v.TimeTZ()
		j.V = fmt.Sprintf("%d %d", t.Micros, t.ZoneOffset)
	case datum.KindArray:
		a := v.Array()
		j.E, j.D = a.ElemType, a.Dims
		for _, e := range a.Elems {
			j.A = append(j.A, Value{e})
		}
	default:
		return nil, failure.NotSupported("a stored catalogue value of this type is")
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(b []byte) error {
	var j valueJSON
	err := json.Unmarshal(b, &j)
	if err != nil {
		return err
	}
	v.Datum, err = j.datum()
	return err
}

func (j *valueJSON) datum() (datum.Datum, error) {
	switch j.K {
	case datum.KindNull:
		return datum.Null, nil
	case datum.KindBool:
		return datum.NewBool(j.V == "true"), nil
	case datum.KindInt, datum.KindDate, datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ:
		n, err := strconv.ParseInt(j.V, 10, 64)
		return scalar(j.K, n), err
	case datum.KindFloat:
		n, err := strconv.ParseUint(j.V, 16, 64)
		return datum.NewFloat(math.Float64frombits(n)), err
	case datum.KindText:
		return datum.NewText(j.V), nil
	case datum.KindBytes, datum.KindUUID:
		b, err := base64.StdEncoding.DecodeString(j.V)
		if j.K == datum.KindUUID && len(b) == 16 {
			return datum.NewUUID([16]byte(b)), err
		}
		return datum.NewBytes(b), err
	case datum.KindNumeric:
		d, _, err := apd.NewFromString(j.V)
		return datum.NewNumeric(d), err
	case datum.KindInterval:
		var iv datum.Interval
		_, err := fmt.Sscan(j.V, &iv.Months, &iv.Days, &iv.Micros)
		return datum.NewInterval(iv), err
	case datum.KindTimeTZ:
		var t datum.TimeTZ
		_, err := fmt.Sscan(j.V, &t.Micros, &t.ZoneOffset)
		return datum.NewTimeTZ(t), err
	case datum.KindArray:
		a := &datum.Array{ElemType: j.E, Dims: j.D}
		for _, e := range j.A {
			a.Elems = append(a.Elems, e.Datum)
		}
		return datum.NewArray(a), nil
	default:
		return datum.Null, fmt.Errorf("value of unknown kind %d", j.K)
	}
}

func scalar(k datum.Kind, n int64) datum.Datum {
	switch k {
	case datum.KindDate:
		return datum.NewDate(n)
	case datum.KindTime:
		return datum.NewTime(n)
	case datum.KindTimestamp:
		return datum.NewTimestamp(n)
	case datum.KindTimestampTZ:
		return datum.NewTimestampTZ(n)
	default:
		return datum.NewInt(n)
	}
}
