package datum

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
)

// TestRecordedBinary compares binary forms with those of PostgreSQL 15, and reads them back.
func TestRecordedBinary(t *testing.T) {
	f, err := os.Open("testdata/binary.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var c [3]string
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		typ := typeNamed(t, c[0])
		d, err := ParseText(typ, c[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := AppendBinary(nil, typ, d)
		if err != nil || hex.EncodeToString(b) != c[2] {
			t.Errorf("%s %s: %x %v, want %s", c[0], c[1], b, err, c[2])
			continue
		}
		back, err := ParseBinary(typ, b)
		if err != nil || Text(typ, back, nil) != Text(typ, d, nil) {
			t.Errorf("%s %s reads back as %v, %v", c[0], c[1], back, err)
		}
	}
}

func TestBinaryErrors(t *testing.T) {
	for _, c := range []struct {
		oid  OID
		b    []byte
		code failure.Code
	}{
		{OIDInt4, []byte{1, 2, 3}, failure.ProtocolViolation},
		{OIDInt4, []byte{1, 2, 3, 4, 5}, failure.InvalidBinaryRepresentation},
		{OIDText, []byte{0xff}, failure.CharacterNotInRepertoire},
		{OIDText, []byte{'a', 0}, failure.CharacterNotInRepertoire},
		{OIDNumeric, []byte{0, 0, 0, 0, 1, 2, 0, 0}, failure.InvalidBinaryRepresentation},
		{OIDTextArray, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 0, 0, 0, 0, 1}, failure.DatatypeMismatch},
		{OIDJSONB, []byte{2, '1'}, failure.InternalError},
	} {
		if _, err := ParseBinary(T(c.oid), c.b); failure.CodeOf(err) != c.code {
			t.Errorf("type %d, %x: %v, want %s", c.oid, c.b, err, c.code)
		}
	}
}
