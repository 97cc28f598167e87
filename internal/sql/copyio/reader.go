package copyio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/meridiandb/meridian/internal/failure"
)

// MaxLine bounds one row of text, PostgreSQL's 1 GB.
const MaxLine = 1 << 30

// Field is one value of a row. Data is nil for NULL and valid until the next row is read.
type Field struct {
	Data []byte
	Null bool
}

// Reader cuts COPY data into rows of fields.
type Reader struct {
	o      Options
	br     *bufio.Reader
	names  []string
	line   int64
	raw    []byte // the current line, without its end
	joined []byte // backing of raw when the line did not fit the buffer
	out    []byte // unescaped field data
	fields []Field
	done   bool
	begun  bool
}

// NewReader reads rows of the named columns.
func NewReader(src io.Reader, o Options, names []string) *Reader {
	return &Reader{o: o, br: bufio.NewReaderSize(src, 64<<10), names: names, fields: make([]Field, 0, len(names))}
}

// Line is the number of the current line, from 1.
func (r *Reader) Line() int64 { return r.line }

// Raw is the current line as it came, for error context; nil in binary format.
func (r *Reader) Raw() []byte { return r.raw }

func bad(format string, args ...any) *failure.Error {
	return failure.New(failure.BadCopyFileFormat, format, args...)
}

// Next returns the fields of the next row, or io.EOF. The slice is reused.
func (r *Reader) Next() ([]Field, error) {
	if r.o.Format == Binary {
		return r.nextBinary()
	}
	if !r.begun {
		r.begun = true
		if r.o.Header != HeaderNone {
			if err := r.header(); err != nil {
				return nil, err
			}
		}
	}
	if err := r.readLine(); err != nil {
		return nil, err
	}
	r.fields, r.out = r.fields[:0], r.out[:0]
	if len(r.names) == 0 && len(r.raw) == 0 {
		return r.fields, nil
	}
	var err error
	if r.o.Format == CSV {
		err = r.splitCSV()
	} else {
		err = r.splitText()
	}
	if err != nil {
		return nil, err
	}
	if len(r.fields) > len(r.names) {
		return nil, bad("extra data after last expected column")
	}
	if len(r.fields) < len(r.names) {
		return nil, bad("missing data for column %q", r.names[len(r.fields)])
	}
	return r.fields, nil
}

func (r *Reader) header() error {
	if err := r.readLine(); err != nil {
		return err
	}
	if r.o.Header != HeaderMatch {
		return nil
	}
	r.fields, r.out = r.fields[:0], r.out[:0]
	var err error
	if r.o.Format == CSV {
		err = r.splitCSV()
	} else {
		err = r.splitText()
	}
	if err != nil {
		return err
	}
	if len(r.fields) != len(r.names) {
		return bad("wrong number of fields in header line: got %d, expected %d", len(r.fields), len(r.names))
	}
	for i, f := range r.fields {
		if f.Null {
			return bad("column name mismatch in header line field %d: got null value (\"%s\"), expected %q", i+1, r.o.Null, r.names[i])
		}
		if string(f.Data) != r.names[i] {
			return bad("column name mismatch in header line field %d: got \"%s\", expected \"%s\"", i+1, f.Data, r.names[i])
		}
	}
	return nil
}

// readLine reads one line into raw; in CSV a quoted field may hold line ends.
func (r *Reader) readLine() error {
	if r.done {
		return io.EOF
	}
	r.joined = r.joined[:0]
	inQuote := false
	for {
		part, err := r.br.ReadSlice('\n')
		if len(r.joined)+len(part) > MaxLine {
			return failure.New(failure.ProgramLimitExceeded, "COPY line is longer than %d bytes", MaxLine)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		eof := errors.Is(err, io.EOF)
		if eof && len(part) == 0 && len(r.joined) == 0 {
			return io.EOF
		}
		if r.o.Format == CSV {
			inQuote = r.quoteState(part, inQuote)
		}
		whole := err == nil && !inQuote
		if !whole || len(r.joined) > 0 {
			r.joined = append(r.joined, part...)
			part = r.joined
		}
		if !whole && !eof {
			continue
		}
		r.line++
		r.raw = bytes.TrimSuffix(part, []byte{'\n'})
		if n := len(r.raw); n > 0 && r.raw[n-1] == '\r' && len(part) > n {
			r.raw = r.raw[:n-1]
		}
		if eof && inQuote {
			return bad("unterminated CSV quoted field")
		}
		if len(r.raw) == 2 && r.raw[0] == '\\' && r.raw[1] == '.' {
			r.done = true
			_, _ = io.Copy(io.Discard, r.br) // what follows the end marker is ignored
			return io.EOF
		}
		return nil
	}
}

// quoteState tells whether a CSV line ends inside quotes.
func (r *Reader) quoteState(part []byte, in bool) bool {
	if r.o.Escape == r.o.Quote {
		if bytes.Count(part, []byte{r.o.Quote})%2 == 1 {
			return !in
		}
		return in
	}
	for i := 0; i < len(part); i++ {
		switch {
		case in && part[i] == r.o.Escape && i+1 < len(part) && (part[i+1] == r.o.Quote || part[i+1] == r.o.Escape):
			i++
		case part[i] == r.o.Quote:
			in = !in
		}
	}
	return in
}

func (r *Reader) splitText() error {
	rest := r.raw
	for {
		i := indexEither(rest, r.o.Delimiter)
		if i >= 0 && rest[i] == '\\' {
			field, after, more := r.unescape(rest)
			r.fields = append(r.fields, field)
			if !more {
				return nil
			}
			rest = after
			continue
		}
		field := rest
		if i >= 0 {
			field = rest[:i]
		}
		f := Field{Data: field}
		if string(field) == r.o.Null {
			f = Field{Null: true}
		}
		r.fields = append(r.fields, f)
		if i < 0 {
			return nil
		}
		rest = rest[i+1:]
	}
}

// indexEither finds the first delimiter or backslash.
func indexEither(b []byte, delim byte) int {
	d := bytes.IndexByte(b, delim)
	if d < 0 {
		return bytes.IndexByte(b, '\\')
	}
	if s := bytes.IndexByte(b[:d], '\\'); s >= 0 {
		return s
	}
	return d
}

// unescape reads one field with backslashes.
func (r *Reader) unescape(b []byte) (f Field, rest []byte, more bool) {
	start := len(r.out)
	i := 0
	for i < len(b) && b[i] != r.o.Delimiter {
		c := b[i]
		i++
		if c != '\\' || i == len(b) {
			r.out = append(r.out, c)
			continue
		}
		c = b[i]
		i++
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v := c - '0'
			for n := 0; n < 2 && i < len(b) && b[i] >= '0' && b[i] <= '7'; n++ {
				v = v<<3 + b[i] - '0'
				i++
			}
			c = v
		case 'x':
			v, n := byte(0), 0
			for n < 2 && i < len(b) && hexDigit(b[i]) >= 0 {
				v = v<<4 + byte(hexDigit(b[i]))
				i++
				n++
			}
			if n > 0 {
				c = v
			}
		}
		r.out = append(r.out, c)
	}
	f = Field{Data: r.out[start:len(r.out):len(r.out)]}
	if string(b[:i]) == r.o.Null {
		f = Field{Null: true}
	}
	if i < len(b) {
		return f, b[i+1:], true
	}
	return f, nil, false
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (r *Reader) splitCSV() error {
	b := r.raw
	for {
		start, quoted := len(r.out), false
		i := 0
		for i < len(b) && b[i] != r.o.Delimiter {
			if b[i] != r.o.Quote {
				r.out = append(r.out, b[i])
				i++
				continue
			}
			quoted = true
			i++
			for {
				if i >= len(b) {
					return bad("unterminated CSV quoted field")
				}
				if b[i] == r.o.Escape && i+1 < len(b) && (b[i+1] == r.o.Quote || b[i+1] == r.o.Escape) {
					r.out = append(r.out, b[i+1])
					i += 2
					continue
				}
				if b[i] == r.o.Quote {
					i++
					break
				}
				r.out = append(r.out, b[i])
				i++
			}
		}
		r.fields = append(r.fields, r.csvField(r.out[start:len(r.out):len(r.out)], quoted))
		if i >= len(b) {
			return nil
		}
		b = b[i+1:]
	}
}

func (r *Reader) csvField(data []byte, quoted bool) Field {
	n := len(r.fields)
	isNull := string(data) == r.o.Null
	if isNull && quoted {
		isNull = n < len(r.o.ForceNull) && r.o.ForceNull[n]
	} else if isNull && n < len(r.o.ForceNotNull) && r.o.ForceNotNull[n] {
		isNull = false
	}
	if isNull {
		return Field{Null: true}
	}
	return Field{Data: data}
}

// binarySignature opens a binary COPY stream.
const binarySignature = "PGCOPY\n\xff\r\n\x00"

func (r *Reader) nextBinary() ([]Field, error) {
	if !r.begun {
		r.begun = true
		if err := r.binaryHeader(); err != nil {
			return nil, err
		}
	}
	if r.done {
		return nil, io.EOF
	}
	var head [4]byte
	if _, err := io.ReadFull(r.br, head[:2]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF // the trailer may be missing, as in PostgreSQL
		}
		return nil, bad("unexpected EOF in COPY data")
	}
	n := int(int16(binary.BigEndian.Uint16(head[:])))
	if n == -1 {
		r.done = true
		if extra, err := io.Copy(io.Discard, r.br); err != nil {
			return nil, err
		} else if extra > 0 {
			return nil, bad("received copy data after EOF marker")
		}
		return nil, io.EOF
	}
	r.line++
	if n != len(r.names) {
		return nil, bad("row field count is %d, expected %d", n, len(r.names))
	}
	r.fields, r.out = r.fields[:0], r.out[:0]
	for range n {
		if _, err := io.ReadFull(r.br, head[:]); err != nil {
			return nil, bad("unexpected EOF in COPY data")
		}
		size := int(int32(binary.BigEndian.Uint32(head[:])))
		if size == -1 {
			r.fields = append(r.fields, Field{Null: true})
			continue
		}
		if size < 0 || size > MaxLine {
			return nil, bad("invalid field size")
		}
		data, err := r.take(size)
		if err != nil {
			return nil, err
		}
		r.fields = append(r.fields, Field{Data: data})
	}
	return r.fields, nil
}

// take reads size bytes, allocating no faster than they arrive.
func (r *Reader) take(size int) ([]byte, error) {
	const step = 1 << 20
	var data []byte
	for len(data) < size {
		n := min(step, size-len(data))
		at := len(data)
		data = append(data, make([]byte, n)...)
		if _, err := io.ReadFull(r.br, data[at:]); err != nil {
			return nil, bad("unexpected EOF in COPY data")
		}
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

func (r *Reader) binaryHeader() error {
	sig := make([]byte, len(binarySignature)+8)
	if _, err := io.ReadFull(r.br, sig); err != nil {
		return bad("COPY file signature not recognized")
	}
	if string(sig[:len(binarySignature)]) != binarySignature {
		return bad("COPY file signature not recognized")
	}
	flags := binary.BigEndian.Uint32(sig[len(binarySignature):])
	if flags&(1<<16) != 0 {
		return bad("invalid COPY file header (WITH OIDS)")
	}
	if flags>>16 != 0 {
		return bad("unrecognized critical flags in COPY file header")
	}
	extra := int(int32(binary.BigEndian.Uint32(sig[len(binarySignature)+4:])))
	if extra < 0 {
		return bad("invalid COPY file header (missing length)")
	}
	if _, err := io.CopyN(io.Discard, r.br, int64(extra)); err != nil {
		return bad("invalid COPY file header (wrong length)")
	}
	return nil
}
