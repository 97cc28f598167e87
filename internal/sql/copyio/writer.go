package copyio

import (
	"bytes"
	"encoding/binary"
)

// AppendHeader appends what precedes the rows.
func (o *Options) AppendHeader(b []byte, names []string) []byte {
	if o.Format == Binary {
		b = append(b, binarySignature...)
		return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	if o.Header == HeaderNone {
		return b
	}
	for i, n := range names {
		if i > 0 {
			b = append(b, o.Delimiter)
		}
		if o.Format == CSV {
			b = o.appendCSV(b, []byte(n), false, len(names) == 1)
		} else {
			b = o.appendText(b, []byte(n))
		}
	}
	return append(b, '\n')
}

// AppendTrailer appends what follows the rows.
func (o *Options) AppendTrailer(b []byte) []byte {
	if o.Format == Binary {
		return append(b, 0xff, 0xff)
	}
	return b
}

// AppendRow appends one row of output-function results: text forms, or binary forms in binary format.
func (o *Options) AppendRow(b []byte, fields []Field) []byte {
	if o.Format == Binary {
		b = binary.BigEndian.AppendUint16(b, uint16(len(fields)))
		for _, f := range fields {
			if f.Null {
				b = append(b, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			b = binary.BigEndian.AppendUint32(b, uint32(len(f.Data)))
			b = append(b, f.Data...)
		}
		return b
	}
	for i, f := range fields {
		if i > 0 {
			b = append(b, o.Delimiter)
		}
		switch {
		case f.Null:
			b = append(b, o.Null...)
		case o.Format == CSV:
			b = o.appendCSV(b, f.Data, i < len(o.ForceQuote) && o.ForceQuote[i], len(fields) == 1)
		default:
			b = o.appendText(b, f.Data)
		}
	}
	return append(b, '\n')
}

func (o *Options) appendText(b, data []byte) []byte {
	for _, c := range data {
		switch c {
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\v':
			b = append(b, `\v`...)
		case '\\':
			b = append(b, `\\`...)
		case o.Delimiter:
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendCSV quotes when the value would be read back as something else.
func (o *Options) appendCSV(b, data []byte, force, alone bool) []byte {
	quote := force || string(data) == o.Null || (alone && string(data) == `\.`)
	if !quote {
		for _, c := range data {
			if c == o.Delimiter || c == o.Quote || c == '\n' || c == '\r' {
				quote = true
				break
			}
		}
	}
	if !quote {
		return append(b, data...)
	}
	b = append(b, o.Quote)
	for _, c := range data {
		if c == o.Quote || c == o.Escape {
			b = append(b, o.Escape)
		}
		b = append(b, c)
	}
	return append(b, o.Quote)
}

// QuoteContext prints data for the context line of an error, cut to a readable length.
func QuoteContext(data []byte) string {
	const most = 100
	if len(data) > most {
		return "\"" + string(bytes.ToValidUTF8(data[:most], []byte("?"))) + "...\""
	}
	return "\"" + string(bytes.ToValidUTF8(data, []byte("?"))) + "\""
}
