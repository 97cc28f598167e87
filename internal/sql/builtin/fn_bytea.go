package builtin

import (
	"bytes"
	"math/bits"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerBytea registers functions on byte strings and bit strings.
func registerBytea(r *registry) {
	r.byteaParts()
	r.byteaBits()
	r.bitLogic()
	r.bitParts()
}

func negativeLength() error {
	return failure.New(failure.SubstringError, "negative substring length not allowed")
}

// window cuts [start, start+n) (from 1) down to what exists of size elements; a negative n means to the end.
func window(size int, start, n int64) (from, to int) {
	end := int64(size) + 1
	if n >= 0 {
		end = min(start+n, end)
	}
	start = max(start, 1)
	if end <= start || start > int64(size) {
		return 0, 0
	}
	return int(start - 1), int(end - 1)
}

func (r *registry) byteaParts() {
	r.impl["byteacat"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		x, y := a[0].Bytes(), a[1].Bytes()
		return datum.NewBytes(append(append(make([]byte, 0, len(x)+len(y)), x...), y...)), nil
	}
	r.impl["bytea_substr"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[2].Int() < 0 {
			return datum.Null, negativeLength()
		}
		from, to := window(len(a[0].Bytes()), a[1].Int(), a[2].Int())
		return datum.NewBytes(a[0].Bytes()[from:to]), nil
	}
	r.impl["bytea_substr_no_len"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		from, to := window(len(a[0].Bytes()), a[1].Int(), -1)
		return datum.NewBytes(a[0].Bytes()[from:to]), nil
	}
	r.impl["byteapos"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(bytes.Index(a[0].Bytes(), a[1].Bytes()) + 1)), nil
	}
	over := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		b, with, start := a[0].Bytes(), a[1].Bytes(), a[2].Int()
		n := intArg(a, 3, int64(len(with)))
		if start <= 0 {
			return datum.Null, negativeLength()
		}
		if start+n > 1<<31-1 {
			return datum.Null, widthOf(4).outOfRange()
		}
		head := b[:min(start-1, int64(len(b)))]
		tail := b[min(max(start-1+n, 0), int64(len(b))):]
		out := append(append(append(make([]byte, 0, len(b)+len(with)), head...), with...), tail...)
		return datum.NewBytes(out), nil
	}
	r.impl["byteaoverlay"], r.impl["byteaoverlay_no_len"] = over, over
	r.impl["bytea_bit_count"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(countBits(a[0].Bytes())), nil
	}
}

func countBits(b []byte) int64 {
	n := 0
	for _, c := range b {
		n += bits.OnesCount8(c)
	}
	return int64(n)
}

func indexOutOfRange(i, last int64) error {
	return failure.New(failure.ArraySubscriptError, "index %d out of valid range, 0..%d", i, last)
}

func (r *registry) byteaBits() {
	r.impl["byteaGetByte"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		b, i := a[0].Bytes(), a[1].Int()
		if i < 0 || i >= int64(len(b)) {
			return datum.Null, indexOutOfRange(i, int64(len(b))-1)
		}
		return datum.NewInt(int64(b[i])), nil
	}
	r.impl["byteaSetByte"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		b, i := bytes.Clone(a[0].Bytes()), a[1].Int()
		if i < 0 || i >= int64(len(b)) {
			return datum.Null, indexOutOfRange(i, int64(len(b))-1)
		}
		b[i] = byte(a[2].Int())
		return datum.NewBytes(b), nil
	}
	r.impl["byteaGetBit"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		b, i := a[0].Bytes(), a[1].Int()
		if i < 0 || i >= int64(len(b))*8 {
			return datum.Null, indexOutOfRange(i, int64(len(b))*8-1)
		}
		return datum.NewInt(int64(b[i/8] >> (i % 8) & 1)), nil
	}
	r.impl["byteaSetBit"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		b, i := bytes.Clone(a[0].Bytes()), a[1].Int()
		if i < 0 || i >= int64(len(b))*8 {
			return datum.Null, indexOutOfRange(i, int64(len(b))*8-1)
		}
		switch a[2].Int() {
		case 0:
			b[i/8] &^= 1 << (i % 8)
		case 1:
			b[i/8] |= 1 << (i % 8)
		default:
			return datum.Null, failure.New(failure.InvalidParameterValue, "new bit must be 0 or 1")
		}
		return datum.NewBytes(b), nil
	}
}

// bitAt returns bit i of a bit string, from 0.
func bitAt(v datum.Bits, i int) byte { return v.B[i/8] >> (7 - i%8) & 1 }

// makeBits builds a bit string of n bits.
func makeBits(n int, bit func(i int) byte) datum.Datum {
	out := datum.Bits{N: n, B: make([]byte, (n+7)/8)}
	for i := 0; i < n; i++ {
		out.B[i/8] |= bit(i) << (7 - i%8)
	}
	return datum.NewBits(out)
}

func (r *registry) bitLogic() {
	for name, op := range map[string]func(x, y byte) byte{
		"bit_and": func(x, y byte) byte { return x & y },
		"bit_or":  func(x, y byte) byte { return x | y },
		"bitxor":  func(x, y byte) byte { return x ^ y },
	} {
		verb := map[string]string{"bit_and": "AND", "bit_or": "OR", "bitxor": "XOR"}[name]
		f := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			x, y := a[0].Bits(), a[1].Bits()
			if x.N != y.N {
				return datum.Null, failure.New(failure.StringDataLengthMismatch,
					"cannot %s bit strings of different sizes", verb)
			}
			out := datum.Bits{N: x.N, B: make([]byte, len(x.B))}
			for i := range out.B {
				out.B[i] = op(x.B[i], y.B[i])
			}
			return datum.NewBits(out), nil
		}
		r.impl[name] = f
		aggName := map[string]string{"bit_and": "bit_and(bit)", "bit_or": "bit_or(bit)", "bitxor": "bit_xor(bit)"}[name]
		r.simpleAgg(aggName, func() AggState { return &foldState{f: f} })
	}
	r.impl["bitnot"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		v := a[0].Bits()
		return makeBits(v.N, func(i int) byte { return 1 - bitAt(v, i) }), nil
	}
	shift := func(sign int64) Impl {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v, n := a[0].Bits(), a[1].Int()*sign
			return makeBits(v.N, func(i int) byte {
				if j := int64(i) + n; j >= 0 && j < int64(v.N) {
					return bitAt(v, int(j))
				}
				return 0
			}), nil
		}
	}
	r.impl["bitshiftleft"], r.impl["bitshiftright"] = shift(1), shift(-1)
	r.impl["bit_bit_count"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(countBits(a[0].Bits().B)), nil
	}
	for _, name := range []string{"bitlength", "bit_length(bit)"} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewInt(int64(a[0].Bits().N)), nil
		}
	}
	r.impl["bitoctetlength"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(len(a[0].Bits().B))), nil
	}
}

// foldState is an aggregate that combines its input with a function.
type foldState struct {
	v datum.Datum
	f Impl
}

// Add implements AggState.
func (s *foldState) Add(c *Context, args []datum.Datum) error {
	switch {
	case args[0].IsNull():
		return nil
	case s.v.IsNull():
		s.v = args[0]
		return nil
	}
	v, err := s.f(c, []datum.Datum{s.v, args[0]})
	if err != nil {
		return err
	}
	s.v = v
	return nil
}

// Merge implements Merger.
func (s *foldState) Merge(c *Context, other AggState) error {
	return s.Add(c, []datum.Datum{other.(*foldState).v})
}

// Result implements AggState.
func (s *foldState) Result(*Context, []datum.Datum) (datum.Datum, error) { return s.v, nil }

// Size implements AggState.
func (s *foldState) Size() int { return 48 + datumSize(s.v) }

func subBits(v datum.Bits, from, to int) datum.Datum {
	return makeBits(to-from, func(i int) byte { return bitAt(v, from+i) })
}

func catBits(x, y datum.Bits) datum.Datum {
	return makeBits(x.N+y.N, func(i int) byte {
		if i < x.N {
			return bitAt(x, i)
		}
		return bitAt(y, i-x.N)
	})
}

func (r *registry) bitParts() {
	r.impl["bitcat"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return catBits(a[0].Bits(), a[1].Bits()), nil
	}
	r.impl["bitsubstr"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[2].Int() < 0 {
			return datum.Null, negativeLength()
		}
		from, to := window(a[0].Bits().N, a[1].Int(), a[2].Int())
		return subBits(a[0].Bits(), from, to), nil
	}
	r.impl["bitsubstr_no_len"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		from, to := window(a[0].Bits().N, a[1].Int(), -1)
		return subBits(a[0].Bits(), from, to), nil
	}
	over := func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		v, with, start := a[0].Bits(), a[1].Bits(), a[2].Int()
		n := intArg(a, 3, int64(with.N))
		if start <= 0 {
			return datum.Null, negativeLength()
		}
		if start+n > 1<<31-1 {
			return datum.Null, widthOf(4).outOfRange()
		}
		head := subBits(v, 0, int(min(start-1, int64(v.N)))).Bits()
		tail := subBits(v, int(min(max(start-1+n, 0), int64(v.N))), v.N).Bits()
		return catBits(catBits(head, with).Bits(), tail), nil
	}
	r.impl["bitoverlay"], r.impl["bitoverlay_no_len"] = over, over
	r.impl["bitposition"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		v, sub := a[0].Bits(), a[1].Bits()
		if v.N == 0 || sub.N > v.N {
			return datum.NewInt(0), nil
		}
		i := bytes.Index(datum.AppendBits(nil, v), datum.AppendBits(nil, sub))
		return datum.NewInt(int64(i + 1)), nil
	}
	bitIndex := func(i int64, v datum.Bits) error {
		if i < 0 || i >= int64(v.N) {
			return failure.New(failure.ArraySubscriptError, "bit index %d out of valid range (0..%d)", i, v.N-1)
		}
		return nil
	}
	r.impl["bitgetbit"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if err := bitIndex(a[1].Int(), a[0].Bits()); err != nil {
			return datum.Null, err
		}
		return datum.NewInt(int64(bitAt(a[0].Bits(), int(a[1].Int())))), nil
	}
	r.impl["bitsetbit"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		v, at := a[0].Bits(), a[1].Int()
		if err := bitIndex(at, v); err != nil {
			return datum.Null, err
		}
		if n := a[2].Int(); n != 0 && n != 1 {
			return datum.Null, failure.New(failure.InvalidParameterValue, "new bit must be 0 or 1")
		}
		return makeBits(v.N, func(i int) byte {
			if i == int(at) {
				return byte(a[2].Int())
			}
			return bitAt(v, i)
		}), nil
	}
	for name, width := range map[string]int{"bitfromint4": 32, "bitfromint8": 64} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			n, size := a[0].Int(), int(a[1].Int())
			if size <= 0 || size > maxBitLen {
				size = 1
			}
			return makeBits(size, func(i int) byte {
				shift := size - 1 - i
				if shift >= width {
					shift = width - 1 // the sign
				}
				return byte(n >> shift & 1)
			}), nil
		}
	}
	for name, width := range map[string]int{"bittoint4": 32, "bittoint8": 64} {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			v := a[0].Bits()
			if v.N > width {
				return datum.Null, widthOf(width / 8).outOfRange()
			}
			n := uint64(0)
			for i := 0; i < v.N; i++ {
				n = n<<1 | uint64(bitAt(v, i))
			}
			if width == 32 {
				return datum.NewInt(int64(int32(n))), nil
			}
			return datum.NewInt(int64(n)), nil
		}
	}
}
