package pgwire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// errTerminated ends a connection without a word: the client is gone or said goodbye.
var errTerminated = errors.New("connection closed by the client")

// reader cuts the byte stream into messages. A body is valid until the next call.
type reader struct {
	br      *bufio.Reader
	max     int    // largest body, in bytes
	pending int    // bytes of the current message still inside br's buffer
	big     []byte // body of a message larger than br's buffer
}

// next reads one message: its type and its body. Outside bytes are bounded before they are believed: a body is read
// in steps, so that a length alone never costs memory.
func (r *reader) next() (byte, []byte, error) {
	if r.pending > 0 {
		if _, err := r.br.Discard(r.pending); err != nil {
			return 0, nil, err
		}
		r.pending = 0
	}
	r.big = nil
	head, err := r.br.Peek(5)
	if err != nil {
		return 0, nil, err
	}
	kind := head[0]
	n := int(int32(binary.BigEndian.Uint32(head[1:]))) - 4
	if n < 0 || n > r.max {
		return 0, nil, failure.New(failure.ProtocolViolation, "invalid message length").
			WithSeverity(failure.SeverityFatal)
	}
	if n+5 <= r.br.Size() {
		whole, err := r.br.Peek(n + 5)
		if err != nil {
			return 0, nil, unexpectedEOF(err)
		}
		r.pending = n + 5
		return kind, whole[5:], nil
	}
	if _, err := r.br.Discard(5); err != nil {
		return 0, nil, err
	}
	body, err := readBounded(r.br, n)
	if err != nil {
		return 0, nil, unexpectedEOF(err)
	}
	r.big = body
	return kind, body, nil
}

// buffered says whether a whole further message is already here, so that output need not be flushed yet.
func (r *reader) buffered() bool {
	have := r.br.Buffered() - r.pending
	if have < 5 {
		return false
	}
	head, err := r.br.Peek(r.pending + 5)
	if err != nil {
		return false
	}
	n := int(int32(binary.BigEndian.Uint32(head[r.pending+1:]))) + 1
	return n <= have
}

func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readBounded reads n bytes, allocating as they arrive.
func readBounded(src io.Reader, n int) ([]byte, error) {
	const step = 1 << 20
	body := make([]byte, 0, min(n, step))
	for len(body) < n {
		grow := min(n-len(body), max(step, len(body)))
		at := len(body)
		body = append(body, make([]byte, grow)...)
		if _, err := io.ReadFull(src, body[at:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// fields reads the parts of a message body. The first error sticks, and is PostgreSQL's for a malformed message.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) cstring() string {
	i := strings.IndexByte(bytesString(f.b), 0)
	if i < 0 {
		f.bad = true
		f.b = nil
		return ""
	}
	s := string(f.b[:i])
	f.b = f.b[i+1:]
	return s
}

func (f *fields) uint8() byte {
	if len(f.b) < 1 {
		f.bad = true
		return 0
	}
	v := f.b[0]
	f.b = f.b[1:]
	return v
}

func (f *fields) uint16() int {
	if len(f.b) < 2 {
		f.bad = true
		f.b = nil
		return 0
	}
	v := binary.BigEndian.Uint16(f.b)
	f.b = f.b[2:]
	return int(v)
}

func (f *fields) int32() int32 {
	if len(f.b) < 4 {
		f.bad = true
		f.b = nil
		return 0
	}
	v := int32(binary.BigEndian.Uint32(f.b))
	f.b = f.b[4:]
	return v
}

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.bad = true
		f.b = nil
		return nil
	}
	v := f.b[:n:n]
	f.b = f.b[n:]
	return v
}

// end checks that the message was well formed and wholly read.
func (f *fields) end() error {
	if f.bad {
		return failure.New(failure.ProtocolViolation, "insufficient data left in message")
	}
	if len(f.b) != 0 {
		return failure.New(failure.ProtocolViolation, "invalid message format")
	}
	return nil
}
