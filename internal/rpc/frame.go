package rpc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// kind is a frame's type. The numbers are part of the protocol.
type kind uint8

const (
	kindHello    kind = 1  // dialer: who I am, whom I want
	kindWelcome  kind = 2  // accepter: who I am
	kindRefuse   kind = 3  // either: why not; the connection ends
	kindPing     kind = 4  // dialer
	kindPong     kind = 5  // accepter
	kindMessage  kind = 6  // dialer
	kindRequest  kind = 7  // dialer; total > 0: the body follows in parts
	kindResponse kind = 8  // accepter; likewise
	kindFailure  kind = 9  // accepter: the error of a request
	kindCancel   kind = 10 // dialer: the request's answer is not wanted any more
	kindPart     kind = 11 // either: next bytes of a large body
	kindOpen     kind = 12 // dialer: begin a stream
	kindItem     kind = 13 // accepter: bytes of a stream's item, and how many of it still follow
	kindEnd      kind = 14 // accepter: the stream's end
	kindCredit   kind = 15 // dialer: so many more bytes may be sent
	kindClose    kind = 16 // dialer: the stream is not wanted any more
)

const (
	frameHead = 8 // length and checksum
	// chunk is the largest body that travels in one piece with others'; longer ones are cut.
	chunk = 32 << 10
	// handshakeMax bounds frames of peers that are not known yet.
	handshakeMax = 4 << 10
	// headMax bounds what a frame holds besides its body.
	headMax = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is a decoded frame of a connection that is past its handshake.
type frame struct {
	kind    kind
	service Service
	flags   byte
	id      uint64
	number  uint64 // request: time left in µs, 0 none; item: bytes still to follow; open, credit: bytes; ping: sequence
	total   uint64 // request, response: length of a body that follows in parts, or 0
	t       [3]int64
	body    []byte // aliases the input
}

const flagNotExecuted = 1 // failure: the request was refused before anything was done

// appendFrame encodes a frame from its head (kind first) and body.
func appendFrame(dst, head, body []byte) []byte {
	crc := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body)
	return appendSummed(dst, crc, head, body)
}

func appendSummed(dst []byte, crc uint32, head, body []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(head)+len(body)))
	dst = binary.LittleEndian.AppendUint32(dst, crc)
	dst = append(dst, head...)
	return append(dst, body...)
}

// appendHead encodes a frame's head; f.body is not looked at.
func appendHead(b []byte, f *frame) []byte {
	b = append(b, byte(f.kind))
	switch f.kind {
	case kindPing:
		b = binary.AppendUvarint(b, f.number)
		b = binary.LittleEndian.AppendUint64(b, uint64(f.t[0]))
	case kindPong:
		b = binary.AppendUvarint(b, f.number)
		for _, t := range f.t {
			b = binary.LittleEndian.AppendUint64(b, uint64(t))
		}
	case kindMessage:
		b = append(b, byte(f.service))
	case kindRequest:
		b = binary.AppendUvarint(b, f.id)
		b = append(b, byte(f.service))
		b = binary.AppendUvarint(b, f.number)
		b = binary.AppendUvarint(b, f.total)
	case kindResponse:
		b = binary.AppendUvarint(b, f.id)
		b = binary.AppendUvarint(b, f.total)
	case kindFailure, kindEnd:
		b = binary.AppendUvarint(b, f.id)
		b = append(b, f.flags)
	case kindCancel, kindPart, kindClose:
		b = binary.AppendUvarint(b, f.id)
	case kindOpen:
		b = binary.AppendUvarint(b, f.id)
		b = append(b, byte(f.service))
		b = binary.AppendUvarint(b, f.number)
	case kindItem, kindCredit:
		b = binary.AppendUvarint(b, f.id)
		b = binary.AppendUvarint(b, f.number)
	}
	return b
}

var errFrame = errors.New("malformed frame")

// decodeFrame reads a frame's content.
func decodeFrame(b []byte) (frame, error) {
	d := decoder{b: b}
	f := frame{kind: kind(d.byte())}
	switch f.kind {
	case kindPing:
		f.number = d.uvarint()
		f.t[0] = d.int64()
	case kindPong:
		f.number = d.uvarint()
		for i := range f.t {
			f.t[i] = d.int64()
		}
	case kindMessage:
		f.service = Service(d.byte())
	case kindRequest:
		f.id = d.uvarint()
		f.service = Service(d.byte())
		f.number = d.uvarint()
		f.total = d.uvarint()
	case kindResponse:
		f.id = d.uvarint()
		f.total = d.uvarint()
	case kindFailure, kindEnd:
		f.id = d.uvarint()
		f.flags = d.byte()
	case kindCancel, kindPart, kindClose:
		f.id = d.uvarint()
	case kindOpen:
		f.id = d.uvarint()
		f.service = Service(d.byte())
		f.number = d.uvarint()
	case kindItem, kindCredit:
		f.id = d.uvarint()
		f.number = d.uvarint()
	default:
		// A newer peer may say things that can be ignored: it knows our version from the handshake.
	}
	if d.err != nil {
		return frame{}, fmt.Errorf("%w of kind %d", errFrame, f.kind)
	}
	f.body = d.b
	return f, nil
}

// readFrame returns the next frame's checked content: kind, head and body. The bytes are the caller's when they may hold a
// body, else they are good until the next call. No more memory is taken than has arrived, in steps.
func readFrame(r *bufio.Reader, limit int, scratch *[headMax]byte) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head[:4]))
	if n < 1 || n > int64(limit) {
		return nil, fmt.Errorf("%w: length %d is not between 1 and %d", errFrame, n, limit)
	}
	first, err := r.Peek(1)
	if err != nil {
		return nil, noEOF(err)
	}
	var b []byte
	if n <= headMax && !keepsBody(kind(first[0])) {
		b = scratch[:n]
		_, err = io.ReadFull(r, b)
	} else {
		b, err = readGrowing(r, int(n))
	}
	if err != nil {
		return nil, noEOF(err)
	}
	if crc32.Checksum(b, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, fmt.Errorf("%w: wrong checksum", errFrame)
	}
	return b, nil
}

func keepsBody(k kind) bool {
	switch k {
	case kindPing, kindPong, kindCancel, kindCredit, kindClose:
		return false
	default:
		return true
	}
}

// believed is how many bytes are allocated on a length's word alone.
const believed = 1 << 20

func readGrowing(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, min(n, believed))
	for read := 0; ; {
		if _, err := io.ReadFull(r, b[read:]); err != nil {
			return nil, err
		}
		if read = len(b); read == n {
			return b, nil
		}
		grown := make([]byte, min(n, 2*len(b)))
		copy(grown, b)
		b = grown
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// decoder reads fields; after an error everything is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.b, d.err = nil, errFrame }

func (d *decoder) byte() byte {
	if len(d.b) < 1 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int64() int64 {
	if len(d.b) < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return int64(v)
}

// bytes reads a length and so many bytes, at most limit.
func (d *decoder) bytes(limit uint64) []byte {
	n := d.uvarint()
	if n > limit || n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}
