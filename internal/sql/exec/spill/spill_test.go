package spill

import (
	"fmt"
	"io"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// memFS is just enough of a file system for temporary files.
type memFS struct {
	host.FS
	files map[string]*memFile
	full  bool
}

type memFile struct {
	host.File
	fs *memFS
	b  []byte
}

func (f *memFile) Write(b []byte) (int, error) {
	if f.fs.full {
		return 0, io.ErrShortWrite
	}
	f.b = append(f.b, b...)
	return len(b), nil
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(f.b)) {
		return 0, io.EOF
	}
	return copy(b, f.b[off:]), nil
}

func (f *memFile) Close() error { return nil }

func (fs *memFS) MkdirAll(string) error { return nil }

func (fs *memFS) Create(p string) (host.File, error) {
	f := &memFile{fs: fs}
	fs.files[p] = f
	return f, nil
}

func (fs *memFS) Remove(p string) error {
	delete(fs.files, p)
	return nil
}

func newMem(opLimit int64) (*Memory, *memFS) {
	fs := &memFS{files: map[string]*memFile{}}
	return NewMemory(Config{OperatorLimit: opLimit, QueryLimit: 4 << 20, FS: fs, Dir: "tmp", Name: "q"}), fs
}

func byFirst(a, b []datum.Datum) int { return int(a[0].Int() - b[0].Int()) }

func abbrevFirst(r []datum.Datum) uint64 { return uint64(r[0].Int()) / 7 }

func TestSorter(t *testing.T) {
	for _, limit := range []int64{1 << 30, 64 << 10, 2 << 10} {
		m, fs := newMem(limit)
		s := NewSorter(m, byFirst, abbrevFirst)
		rng := rand.New(rand.NewSource(1))
		const n = 5000
		for i := range n {
			row := []datum.Datum{datum.NewInt(rng.Int63n(100)), datum.NewInt(int64(i)), datum.NewText(strings.Repeat("x", i%40))}
			if err := s.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Sort(); err != nil {
			t.Fatal(err)
		}
		for pass := range 2 {
			var last []datum.Datum
			count := 0
			for {
				r, err := s.Next()
				if err != nil {
					t.Fatal(err)
				}
				if r == nil {
					break
				}
				if last != nil && (last[0].Int() > r[0].Int() || last[0].Int() == r[0].Int() && last[1].Int() > r[1].Int()) {
					t.Fatalf("limit %d pass %d: %v after %v", limit, pass, r[1].Int(), last[1].Int())
				}
				if len(r[2].Text()) != int(r[1].Int())%40 {
					t.Fatal("wrong text")
				}
				last = slices.Clone(r)
				count++
			}
			if count != n {
				t.Fatalf("limit %d pass %d: %d rows", limit, pass, count)
			}
			if err := s.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
		if s.Spilled() != (limit < 1<<30) {
			t.Fatalf("limit %d: spilled %v", limit, s.Spilled())
		}
		s.Close()
		if len(fs.files) != 0 || m.Used() != 0 {
			t.Fatalf("left: %d files, %d bytes", len(fs.files), m.Used())
		}
	}
}

func TestStoreAndPartitions(t *testing.T) {
	m, fs := newMem(8 << 10)
	s := NewStore(m)
	p := m.NewPartitions(0)
	for i := range 3000 {
		row := []datum.Datum{datum.NewInt(int64(i)), datum.Null}
		if err := s.Add(row); err != nil {
			t.Fatal(err)
		}
		if err := p.Add(uint64(i)*0x9e3779b97f4a7c15, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rd := s.Reader()
		for i := range 3000 {
			r, err := rd.Next()
			if err != nil || r[0].Int() != int64(i) {
				t.Fatal(i, r, err)
			}
		}
		if r, err := rd.Next(); r != nil || err != nil {
			t.Fatal(r, err)
		}
	}
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, r := range p.Runs() {
		if r.Rows() == 0 {
			t.Fatal("empty partition")
		}
		total += r.Rows()
	}
	if total != 3000 || s.Len() != 3000 {
		t.Fatal(total, s.Len())
	}
	s.Close()
	p.Close()
	if len(fs.files) != 0 || m.Used() != 0 {
		t.Fatal("left over")
	}
}

func TestTable(t *testing.T) {
	m, _ := newMem(1 << 30)
	a := m.Account()
	h := NewTable(&a)
	for i := range 10000 {
		row := []datum.Datum{datum.NewInt(int64(i % 1000)), datum.NewInt(int64(i))}
		if !h.Fits(row) {
			t.Fatal("does not fit")
		}
		h.Add(uint64(i%1000)%500, row)
	}
	for k := range 500 {
		n, last := 0, -1
		for i := h.First(uint64(k)); i >= 0; i = h.Next(i) {
			v := int(h.Row(i)[1].Int())
			if v%500 != k || v <= last {
				t.Fatal(k, v, last)
			}
			last = v
			n++
		}
		if n != 20 {
			t.Fatal(k, n)
		}
	}
	if h.First(777777) >= 0 {
		t.Fatal("found what is not there")
	}
	h.Reset()
	if m.Used() != 0 {
		t.Fatal("left over")
	}
}

func TestLimits(t *testing.T) {
	m, fs := newMem(1 << 10)
	a := m.Account()
	if err := a.Grow(5 << 20); failure.CodeOf(err) != failure.OutOfMemory {
		t.Fatal(err)
	}
	fs.full = true
	s := NewSorter(m, byFirst, abbrevFirst)
	var err error
	for i := 0; err == nil && i < 100000; i++ {
		err = s.Add([]datum.Datum{datum.NewInt(int64(i))})
	}
	if failure.CodeOf(err) != failure.DiskFull {
		t.Fatal(err)
	}
	m.Close()
	if len(fs.files) != 0 {
		t.Fatal("left over")
	}
}

func sampleRow() []datum.Datum {
	num, _, _ := apd.NewFromString("-123.4500")
	inf, _, _ := apd.NewFromString("Infinity")
	arr := &datum.Array{ElemType: datum.OIDInt4, Dims: []datum.ArrayDim{{Len: 2, Lower: 1}},
		Elems: []datum.Datum{datum.NewInt(1), datum.Null}}
	rec := &datum.Record{Types: []datum.Type{datum.T(datum.OIDText)}, Names: []string{"a"},
		Values: []datum.Datum{datum.NewText("x")}}
	return []datum.Datum{datum.Null, datum.NewBool(true), datum.NewInt(-5), datum.NewFloat(1.5), datum.NewText("héllo"),
		datum.NewText(""), datum.NewBytes([]byte{0, 1}), datum.NewUUID([16]byte{1, 2}), datum.NewNumeric(num),
		datum.NewNumeric(inf), datum.NewDate(-3), datum.NewTime(7), datum.NewTimestamp(8), datum.NewTimestampTZ(-9),
		datum.NewInterval(datum.Interval{Months: 1, Days: -2, Micros: 3}),
		datum.NewTimeTZ(datum.TimeTZ{Micros: 1, ZoneOffset: -3600}), datum.NewArray(arr), datum.NewRecord(rec),
		datum.NewJSONB(&datum.JSONB{Kind: datum.JSONString, Text: "j"}), datum.NewBits(datum.Bits{N: 3, B: []byte{0xa0}}),
		datum.NewNet(datum.Net{Family: datum.NetIPv4, Prefix: 24, Addr: [16]byte{10, 1}}),
		datum.NewRange(datum.Range{LowInc: true, Low: datum.NewInt(1)})}
}

func show(ds []datum.Datum) string {
	var b strings.Builder
	for _, d := range ds {
		switch d.Kind() {
		case datum.KindText, datum.KindBytes, datum.KindUUID:
			fmt.Fprintf(&b, "%d:%q ", d.Kind(), d.Text())
		case datum.KindNumeric:
			fmt.Fprintf(&b, "%s ", d.Numeric())
		case datum.KindInterval:
			fmt.Fprintf(&b, "%v ", d.Interval())
		case datum.KindTimeTZ:
			fmt.Fprintf(&b, "%v ", d.TimeTZ())
		case datum.KindArray:
			fmt.Fprintf(&b, "%d %v [%s] ", d.Array().ElemType, d.Array().Dims, show(d.Array().Elems))
		case datum.KindRecord:
			fmt.Fprintf(&b, "%v %v (%s) ", d.Record().Types, d.Record().Names, show(d.Record().Values))
		case datum.KindJSONB:
			fmt.Fprintf(&b, "%v ", *d.JSONB())
		case datum.KindBits:
			fmt.Fprintf(&b, "%v ", d.Bits())
		case datum.KindNet:
			fmt.Fprintf(&b, "%v ", d.Net())
		case datum.KindRange:
			fmt.Fprintf(&b, "%v %s ", d.Range().LowInc, show([]datum.Datum{d.Range().Low, d.Range().High}))
		default:
			fmt.Fprintf(&b, "%d:%d ", d.Kind(), d.Int())
		}
	}
	return b.String()
}

func TestCodec(t *testing.T) {
	row := sampleRow()
	b, err := AppendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	d := decoder{b: b}
	got, err := d.row(&Arena{})
	if err != nil || show(got) != show(row) {
		t.Fatalf("%v\n got %s\nwant %s", err, show(got), show(row))
	}
}

func FuzzCodec(f *testing.F) {
	b, _ := AppendRow(nil, sampleRow())
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) {
		d := decoder{b: b}
		for len(d.b) > 0 {
			if _, err := d.row(&Arena{}); err != nil {
				return
			}
		}
	})
}
