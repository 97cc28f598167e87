package datum

import (
	"testing"
)

func TestFormatsDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 128)
	for _, c := range []struct {
		oid OID
		d   Datum
	}{
		{OIDInt4, NewInt(-123456)},
		{OIDFloat8, NewFloat(1234.5678)},
		{OIDText, NewText("hello")},
		{OIDTimestamp, NewTimestamp(812345678901234)},
		{OIDTimestampTZ, NewTimestampTZ(812345678901234)},
		{OIDDate, NewDate(9000)},
		{OIDBool, NewBool(true)},
	} {
		if n := testing.AllocsPerRun(100, func() { buf = AppendText(buf[:0], T(c.oid), c.d, nil) }); n != 0 {
			t.Errorf("type %d: %v allocations", c.oid, n)
		}
	}
}
