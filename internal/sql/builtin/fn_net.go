package builtin

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerNet registers functions on network addresses.
func registerNet(r *registry) {
	r.netParts()
	r.netOverlap()
	r.netArithmetic()
	r.macs()
}

// mapNet applies a function to each byte of an address with the network mask's byte at its place.
func mapNet(n datum.Net, f func(addr, mask byte) byte) datum.Net {
	for i := 0; i < n.Len(); i++ {
		n.Addr[i] = f(n.Addr[i], maskByte(n, i))
	}
	return n
}

func maskByte(n datum.Net, i int) byte {
	switch left := int(n.Prefix) - 8*i; {
	case left >= 8:
		return 255
	case left <= 0:
		return 0
	default:
		return byte(0xff << (8 - left))
	}
}

func whole(n datum.Net) datum.Net {
	n.Prefix = uint8(n.Len() * 8)
	return n
}

func (r *registry) netParts() {
	net1 := func(name string, f func(n datum.Net) datum.Net) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewNet(f(a[0].Net())), nil
		}
	}
	text1 := func(name string, f func(n datum.Net) string) {
		r.impl[name] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewText(f(a[0].Net())), nil
		}
	}
	network := func(n datum.Net) datum.Net { return mapNet(n, func(a, m byte) byte { return a & m }) }
	net1("network_network", network)
	net1("inet_to_cidr", network)
	net1("network_netmask", func(n datum.Net) datum.Net {
		return whole(mapNet(n, func(_, m byte) byte { return m }))
	})
	net1("network_hostmask", func(n datum.Net) datum.Net {
		return whole(mapNet(n, func(_, m byte) byte { return ^m }))
	})
	net1("network_broadcast", func(n datum.Net) datum.Net {
		return mapNet(n, func(a, m byte) byte { return a | ^m })
	})
	full := func(n datum.Net) string {
		s := string(datum.AppendNet(nil, n, false))
		if !strings.Contains(s, "/") {
			s += "/" + itoa(int64(n.Prefix))
		}
		return s
	}
	text1("network_show", full)
	text1("network_host", func(n datum.Net) string { return string(datum.AppendNet(nil, whole(n), false)) })
	text1("inet_abbrev", func(n datum.Net) string { return string(datum.AppendNet(nil, n, false)) })
	text1("cidr_abbrev", abbreviate)
	r.impl["network_masklen"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(a[0].Net().Prefix)), nil
	}
	r.impl["network_family"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewInt(int64(a[0].Net().Family)), nil
	}
	set := func(cidr bool) Impl {
		return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			n, bits := a[0].Net(), a[1].Int()
			if bits == -1 {
				bits = int64(n.Len() * 8)
			}
			if bits < 0 || bits > int64(n.Len()*8) {
				return datum.Null, failure.New(failure.InvalidParameterValue, "invalid mask length: %d", bits)
			}
			n.Prefix = uint8(bits)
			if cidr {
				n = network(n)
			}
			return datum.NewNet(n), nil
		}
	}
	r.impl["inet_set_masklen"], r.impl["cidr_set_masklen"] = set(false), set(true)
}

// abbreviate prints a cidr without the zero bytes at its end.
func abbreviate(n datum.Net) string {
	if n.Family == datum.NetIPv4 {
		keep := max((int(n.Prefix)+7)/8, 1)
		var parts []string
		for _, b := range n.Addr[:keep] {
			parts = append(parts, itoa(int64(b)))
		}
		return strings.Join(parts, ".") + "/" + itoa(int64(n.Prefix))
	}
	words := max((int(n.Prefix)+15)/16, 1)
	var parts []string
	for i := 0; i < words && words < 8; i++ {
		w := int64(n.Addr[2*i])<<8 | int64(n.Addr[2*i+1])
		if w == 0 {
			parts = nil
			break
		}
		parts = append(parts, strconv.FormatInt(w, 16))
	}
	s := strings.Join(parts, ":")
	if len(parts) == 0 {
		s = string(datum.AppendNet(nil, whole(n), false))
	}
	return s + "/" + itoa(int64(n.Prefix))
}

// samePrefix says whether two addresses agree in their first bits.
func samePrefix(a, b datum.Net, bits uint8) bool {
	a.Prefix = bits
	for i := 0; i < a.Len(); i++ {
		if (a.Addr[i]^b.Addr[i])&maskByte(a, i) != 0 {
			return false
		}
	}
	return true
}

func (r *registry) netOverlap() {
	test := func(name string, f func(a, b datum.Net) bool) {
		r.impl[name] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
			a, b := x[0].Net(), x[1].Net()
			return datum.NewBool(a.Family == b.Family && f(a, b)), nil
		}
	}
	test("network_sub", func(a, b datum.Net) bool { return a.Prefix > b.Prefix && samePrefix(a, b, b.Prefix) })
	test("network_subeq", func(a, b datum.Net) bool { return a.Prefix >= b.Prefix && samePrefix(a, b, b.Prefix) })
	test("network_sup", func(a, b datum.Net) bool { return a.Prefix < b.Prefix && samePrefix(a, b, a.Prefix) })
	test("network_supeq", func(a, b datum.Net) bool { return a.Prefix <= b.Prefix && samePrefix(a, b, a.Prefix) })
	test("network_overlap", func(a, b datum.Net) bool { return samePrefix(a, b, min(a.Prefix, b.Prefix)) })
	test("inet_same_family", func(a, b datum.Net) bool { return true })
	r.impl["inet_merge"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		a, b := x[0].Net(), x[1].Net()
		if a.Family != b.Family {
			return datum.Null, failure.New(failure.InvalidParameterValue, "cannot merge addresses from different families")
		}
		bits := min(a.Prefix, b.Prefix)
		for bits > 0 && !samePrefix(a, b, bits) {
			bits--
		}
		a.Prefix = bits
		return datum.NewNet(mapNet(a, func(addr, m byte) byte { return addr & m })), nil
	}
}

func (r *registry) netArithmetic() {
	logic := func(name, verb string, f func(a, b byte) byte) {
		r.impl[name] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
			a, b := x[0].Net(), x[1].Net()
			if a.Family != b.Family {
				return datum.Null, failure.New(failure.InvalidParameterValue, "cannot %s inet values of different sizes", verb)
			}
			for i := 0; i < a.Len(); i++ {
				a.Addr[i] = f(a.Addr[i], b.Addr[i])
			}
			a.Prefix = max(a.Prefix, b.Prefix)
			return datum.NewNet(a), nil
		}
	}
	logic("inetand", "AND", func(a, b byte) byte { return a & b })
	logic("inetor", "OR", func(a, b byte) byte { return a | b })
	r.impl["inetnot"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		return datum.NewNet(mapNet(x[0].Net(), func(a, _ byte) byte { return ^a })), nil
	}
	add := func(n datum.Net, v *big.Int) (datum.Datum, error) {
		sum := new(big.Int).SetBytes(n.Addr[:n.Len()])
		sum.Add(sum, v)
		if sum.Sign() < 0 || sum.BitLen() > n.Len()*8 {
			return datum.Null, failure.New(failure.NumericValueOutOfRange, "result is out of range")
		}
		sum.FillBytes(n.Addr[:n.Len()])
		return datum.NewNet(n), nil
	}
	r.impl["inetpl"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return add(a[0].Net(), big.NewInt(a[1].Int()))
	}
	r.impl["int8pl_inet(int8,inet)"] = swapped(r.impl["inetpl"])
	r.impl["inetmi_int8"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return add(a[0].Net(), new(big.Int).Neg(big.NewInt(a[1].Int())))
	}
	r.impl["inetmi"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		a, b := x[0].Net(), x[1].Net()
		if a.Family != b.Family {
			return datum.Null, failure.New(failure.InvalidParameterValue, "cannot subtract inet values of different sizes")
		}
		d := new(big.Int).SetBytes(a.Addr[:a.Len()])
		d.Sub(d, new(big.Int).SetBytes(b.Addr[:b.Len()]))
		if !d.IsInt64() {
			return datum.Null, failure.New(failure.NumericValueOutOfRange, "result is out of range")
		}
		return datum.NewInt(d.Int64()), nil
	}
}

func (r *registry) macs() {
	for _, p := range []string{"macaddr", "macaddr8"} {
		mac := func(name string, f func(a, b byte) byte) {
			r.impl[p+name] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
				a := x[0].Net()
				b := a
				if len(x) > 1 {
					b = x[1].Net()
				}
				for i := 0; i < a.Len(); i++ {
					a.Addr[i] = f(a.Addr[i], b.Addr[i])
				}
				return datum.NewNet(a), nil
			}
		}
		mac("_not", func(a, _ byte) byte { return ^a })
		mac("_and", func(a, b byte) byte { return a & b })
		mac("_or", func(a, b byte) byte { return a | b })
		r.impl[p+"_trunc"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
			a := x[0].Net()
			for i := 3; i < a.Len(); i++ {
				a.Addr[i] = 0
			}
			return datum.NewNet(a), nil
		}
	}
	r.impl["macaddrtomacaddr8"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		a := x[0].Net()
		out := datum.Net{Family: datum.NetMAC8}
		copy(out.Addr[:3], a.Addr[:3])
		out.Addr[3], out.Addr[4] = 0xff, 0xfe
		copy(out.Addr[5:8], a.Addr[3:6])
		return datum.NewNet(out), nil
	}
	r.impl["macaddr8tomacaddr"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		a := x[0].Net()
		if a.Addr[3] != 0xff || a.Addr[4] != 0xfe {
			return datum.Null, failure.New(failure.NumericValueOutOfRange,
				"macaddr8 data out of range to convert to macaddr").
				WithHint("Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.")
		}
		out := datum.Net{Family: datum.NetMAC}
		copy(out.Addr[:3], a.Addr[:3])
		copy(out.Addr[3:6], a.Addr[5:8])
		return datum.NewNet(out), nil
	}
	r.impl["macaddr8_set7bit"] = func(_ *Context, x []datum.Datum) (datum.Datum, error) {
		a := x[0].Net()
		a.Addr[0] |= 2
		return datum.NewNet(a), nil
	}
}
