package datum

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/failure"
)

func parseBits(s string) (Datum, error) {
	v, hex := s, false
	if v != "" && lower(v[0]) == 'b' {
		v = v[1:]
	} else if v != "" && lower(v[0]) == 'x' {
		v, hex = v[1:], true
	}
	if hex {
		out := Bits{N: 4 * len(v), B: make([]byte, (len(v)+1)/2)}
		for i := 0; i < len(v); i++ {
			d := unhex(v[i])
			if d < 0 {
				return Null, errDigit(v[i:], "hexadecimal")
			}
			out.B[i/2] |= byte(d) << (4 - i%2*4)
		}
		return NewBits(out), nil
	}
	out := Bits{N: len(v), B: make([]byte, (len(v)+7)/8)}
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '0':
		case '1':
			out.B[i/8] |= 0x80 >> (i % 8)
		default:
			return Null, errDigit(v[i:], "binary")
		}
	}
	return NewBits(out), nil
}

func errDigit(s, base string) error {
	_, n := utf8.DecodeRuneInString(s)
	return failure.New(failure.InvalidTextRepresentation, "\"%s\" is not a valid %s digit", s[:n], base)
}

// AppendBits appends a bit string as ones and zeros.
func AppendBits(b []byte, v Bits) []byte {
	for i := range v.N {
		b = append(b, '0'+v.B[i/8]>>(7-i%8)&1)
	}
	return b
}

func parseInet(s string, cidr bool) (Datum, error) {
	name := "inet"
	if cidr {
		name = "cidr"
	}
	var n Net
	ok := false
	if strings.Contains(s, ":") {
		n, ok = parseIPv6(s)
	} else {
		n, ok = parseIPv4(s, cidr)
	}
	if !ok {
		return Null, errSyntax(name, s)
	}
	if cidr && hostBits(n) {
		return Null, failure.New(failure.InvalidTextRepresentation, "invalid cidr value: \"%s\"", s).
			WithDetail("Value has bits set to right of mask.")
	}
	return NewNet(n), nil
}

// hostBits says whether any bit right of the mask is set.
func hostBits(n Net) bool {
	for i := int(n.Prefix); i < n.Len()*8; i++ {
		if n.Addr[i/8]&(0x80>>(i%8)) != 0 {
			return true
		}
	}
	return false
}

func parsePrefix(s string, most int) (int, bool) {
	if s == "" {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	v, err := strconv.Atoi(s)
	return v, err == nil && v <= most
}

func parseIPv6(s string) (n Net, ok bool) {
	addr, mask, masked := strings.Cut(s, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" {
		return n, false
	}
	n = Net{Family: NetIPv6, Prefix: 128, Addr: a.As16()}
	if masked {
		p, ok := parsePrefix(mask, 128)
		if !ok {
			return n, false
		}
		n.Prefix = uint8(p)
	}
	return n, true
}

// parseIPv4 accepts fewer than four octets when a mask says how many bits count, and for cidr without a mask too.
func parseIPv4(s string, cidr bool) (n Net, ok bool) {
	addr, mask, masked := strings.Cut(s, "/")
	parts := strings.Split(addr, ".")
	if len(parts) > 4 {
		return n, false
	}
	n.Family = NetIPv4
	for i, p := range parts {
		if p == "" || len(p) > 1 && p[0] == '0' && strings.Trim(p, "0") != "" && len(p) > 3 {
			return n, false
		}
		for k := 0; k < len(p); k++ {
			if !isDigit(p[k]) {
				return n, false
			}
		}
		v, err := strconv.Atoi(p)
		if err != nil || v > 255 {
			return n, false
		}
		n.Addr[i] = byte(v)
	}
	switch {
	case masked:
		p, ok := parsePrefix(mask, 32)
		if !ok || !cidr && p/8 > len(parts) {
			return n, false
		}
		n.Prefix = uint8(p)
	case len(parts) == 4:
		n.Prefix = 32
	case !cidr:
		return n, false
	default:
		n.Prefix = classPrefix(n.Addr[0], len(parts))
	}
	return n, true
}

// classPrefix is the network length of an abbreviated cidr, by the old address classes.
func classPrefix(first byte, octets int) uint8 {
	bits := 8
	switch {
	case first >= 240:
		bits = 32
	case first >= 224:
		bits = 8
	case first >= 192:
		bits = 24
	case first >= 128:
		bits = 16
	}
	if bits < octets*8 {
		bits = octets * 8
	}
	if bits == 8 && first == 224 {
		bits = 4
	}
	return uint8(bits)
}

// AppendNet appends an address. mask makes a full-length mask show too, as cidr does.
func AppendNet(b []byte, n Net, mask bool) []byte {
	switch n.Family {
	case NetMAC, NetMAC8:
		for i := range n.Len() {
			if i > 0 {
				b = append(b, ':')
			}
			b = append(b, hexDigits[n.Addr[i]>>4], hexDigits[n.Addr[i]&15])
		}
		return b
	case NetIPv4:
		b = netip.AddrFrom4([4]byte(n.Addr[:4])).AppendTo(b)
	default:
		b = appendIPv6(b, n.Addr)
	}
	if mask || int(n.Prefix) != n.Len()*8 {
		b = strconv.AppendUint(append(b, '/'), uint64(n.Prefix), 10)
	}
	return b
}

// appendIPv6 shortens as the C library does: mapped IPv4 addresses end in dotted form.
func appendIPv6(b []byte, addr [16]byte) []byte {
	a := netip.AddrFrom16(addr)
	zeros := 0
	for zeros < 16 && addr[zeros] == 0 {
		zeros++
	}
	if zeros == 12 {
		b = append(b, "::"...)
		return netip.AddrFrom4([4]byte(addr[12:])).AppendTo(b)
	}
	return a.AppendTo(b)
}

// macForms are the accepted groupings: hexadecimal numbers of two digits (xx) or of any length (x).
var macForms = [...]string{
	"x:x:x:x:x:x", "x-x-x-x-x-x", "222:222", "222-222", "22.22.22", "22-22-22", "222222",
}

func parseMac(s string, t OID) (Datum, error) {
	if t == OIDMacaddr8 {
		return parseMac8(s)
	}
	for _, form := range macForms {
		octets, ok := scanMac(s, form)
		if !ok || len(octets) != 6 {
			continue
		}
		n := Net{Family: NetMAC}
		for i, v := range octets {
			if v > 255 {
				return Null, failure.New(failure.NumericValueOutOfRange, "invalid octet value in \"macaddr\" value: \"%s\"", s)
			}
			n.Addr[i] = byte(v)
		}
		return NewNet(n), nil
	}
	return Null, errSyntax("macaddr", s)
}

// scanMac reads s as C's sscanf reads %x and %2x: white space may stand before every number, and after the last.
func scanMac(s, form string) (octets []uint32, ok bool) {
	for i := 0; i < len(form); i++ {
		if c := form[i]; c != 'x' && c != '2' {
			if s == "" || s[0] != c {
				return nil, false
			}
			s = s[1:]
			continue
		}
		for s != "" && isSpace(s[0]) {
			s = s[1:]
		}
		n, v := 0, uint32(0)
		for n < len(s) && unhex(s[n]) >= 0 && (form[i] == 'x' || n < 2) {
			if v < 1<<24 {
				v = v<<4 | uint32(unhex(s[n]))
			}
			n++
		}
		if n == 0 {
			return nil, false
		}
		octets = append(octets, v)
		s = s[n:]
	}
	return octets, onlySpace(s)
}

// parseMac8 reads six or eight octets with one kind of separator, or none; six get ff:fe in the middle.
func parseMac8(s string) (Datum, error) {
	v := trimSpace(s)
	sep := byte(0)
	var octets []byte
	for v != "" {
		if len(octets) > 0 && (v[0] == ':' || v[0] == '-' || v[0] == '.') {
			if sep != 0 && sep != v[0] {
				return Null, errSyntax("macaddr8", s)
			}
			sep, v = v[0], v[1:]
		}
		if len(v) < 2 || unhex(v[0]) < 0 || unhex(v[1]) < 0 {
			return Null, errSyntax("macaddr8", s)
		}
		octets = append(octets, byte(unhex(v[0])<<4|unhex(v[1])))
		v = v[2:]
	}
	n := Net{Family: NetMAC8}
	switch len(octets) {
	case 6:
		copy(n.Addr[:3], octets[:3])
		n.Addr[3], n.Addr[4] = 0xff, 0xfe
		copy(n.Addr[5:], octets[3:])
	case 8:
		copy(n.Addr[:], octets)
	default:
		return Null, errSyntax("macaddr8", s)
	}
	return NewNet(n), nil
}
