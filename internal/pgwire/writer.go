package pgwire

import (
	"encoding/binary"
	"io"
	"strconv"
	"unsafe"

	"github.com/meridiandb/meridian/internal/failure"
)

func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// The writer's buffer is flushed when it has grown past flushAt and given back when it was larger than keepAt.
const (
	flushAt = 32 << 10
	keepAt  = 64 << 10
)

// writer builds messages in one buffer. What has not been flushed can be taken back with rewind: a statement that is
// retried inside the server must not have shown anything of its first try.
type writer struct {
	dst     io.Writer
	buf     []byte
	start   int   // of the message being built
	flushed int64 // bytes sent so far, ever
	err     error // first error of dst; later writes are dropped
}

func (w *writer) begin(kind byte) {
	w.start = len(w.buf)
	w.buf = append(w.buf, kind, 0, 0, 0, 0)
}

func (w *writer) end() {
	binary.BigEndian.PutUint32(w.buf[w.start+1:], uint32(len(w.buf)-w.start-1))
}

func (w *writer) byte(b byte)     { w.buf = append(w.buf, b) }
func (w *writer) int16(v int)     { w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(v)) }
func (w *writer) int32(v int32)   { w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(v)) }
func (w *writer) str(s string)    { w.buf = append(append(w.buf, s...), 0) }
func (w *writer) bytes(b []byte)  { w.buf = append(w.buf, b...) }
func (w *writer) position() int64 { return w.flushed + int64(len(w.buf)) }

// rewind drops everything written since position() returned mark; false when part of it has been sent.
func (w *writer) rewind(mark int64) bool {
	if mark < w.flushed {
		return false
	}
	w.buf = w.buf[:mark-w.flushed]
	return true
}

func (w *writer) flush() error {
	if len(w.buf) == 0 || w.err != nil {
		w.buf = w.buf[:0]
		return w.err
	}
	_, w.err = w.dst.Write(w.buf)
	w.flushed += int64(len(w.buf))
	if cap(w.buf) > keepAt {
		w.buf = nil
	} else {
		w.buf = w.buf[:0]
	}
	return w.err
}

// simple writes a message without a body.
func (w *writer) simple(kind byte) {
	w.begin(kind)
	w.end()
}

func (w *writer) parameterStatus(name, value string) {
	w.begin('S')
	w.str(name)
	w.str(value)
	w.end()
}

func (w *writer) readyForQuery(status byte) {
	w.begin('Z')
	w.byte(status)
	w.end()
}

// failure writes an ErrorResponse ('E') or NoticeResponse ('N') with every field that is known.
func (w *writer) failure(kind byte, e *failure.Error) {
	w.begin(kind)
	field := func(code byte, value string) {
		if value != "" {
			w.byte(code)
			w.str(value)
		}
	}
	field('S', e.Severity.String())
	field('V', e.Severity.String())
	code := e.Code
	if code == "" {
		code = failure.InternalError
	}
	field('C', string(code))
	field('M', e.Message)
	field('D', e.Detail)
	field('H', e.Hint)
	if e.Position > 0 {
		field('P', strconv.Itoa(e.Position))
	}
	field('W', e.Where)
	field('s', e.Schema)
	field('t', e.Table)
	field('c', e.Column)
	field('d', e.DataType)
	field('n', e.Constraint)
	w.byte(0)
	w.end()
}
