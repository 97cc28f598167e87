package builtin

import (
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
)

// out appends a value's text form.
func (c *Context) out(buf []byte, t datum.Type, d datum.Datum) []byte {
	return datum.AppendText(buf, t, d, c.Env)
}

// outText returns a value's text form.
func (c *Context) outText(t datum.Type, d datum.Datum) string {
	if d.Kind() == datum.KindText && t.OID < datum.FirstUserOID {
		return d.Text()
	}
	c.scratch.buf = c.out(c.scratch.buf[:0], t, d)
	return string(c.scratch.buf)
}

// formatG prints a float as C's %g does.
func formatG(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
