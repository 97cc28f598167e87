package mvcc

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/txn"
)

const benchRows = 200_000

func benchKey(i int) keys.Key {
	return binary.BigEndian.AppendUint64(keys.AppendPrefix(nil, 5, keys.PrimaryIndex), uint64(i))
}

func benchStore(b *testing.B, versions int) *Store {
	s, err := Open(Config{VFS: vfs.NewMem(), Dir: "data"})
	if err != nil {
		b.Fatal(err)
	}
	cols := []row.Column{{ID: 2, Type: datum.T(datum.OIDInt4)}, {ID: 3, Type: datum.T(datum.OIDText)}}
	for v := range versions {
		batch := s.NewBatch()
		for i := range benchRows {
			value := row.AppendValue(nil, cols, []datum.Datum{datum.NewInt(int64(i % 100)), datum.NewText("some text of a usual length, let us say so: sixty-four bytes...")})
			if err := batch.Put(benchKey(i), clock.Timestamp(10+v), value); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func benchScan(b *testing.B, s *Store, req txn.ScanRequest) {
	req.Span = keys.IndexSpan(5, keys.PrimaryIndex)
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.Scan(100, req)
		if err != nil {
			b.Fatal(err)
		}
		for {
			kvs, err := c.Next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			if len(kvs) == 0 {
				break
			}
		}
		c.Close()
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkScan(b *testing.B) {
	filter := &pushdown.Program{
		Columns: []pushdown.Column{{Type: datum.T(datum.OIDInt4), KeyPos: -1, ID: 2}},
		Filter: &pushdown.Expr{Op: pushdown.OpEq, Args: []*pushdown.Expr{
			{Op: pushdown.OpColumn}, {Op: pushdown.OpConst, Const: datum.NewInt(7)}}},
	}
	for _, c := range []struct {
		name     string
		versions int
		req      txn.ScanRequest
	}{
		{"forward", 1, txn.ScanRequest{}},
		{"reverse", 1, txn.ScanRequest{Reverse: true}},
		{"filtered", 1, txn.ScanRequest{Program: filter}},
		{"keys", 1, txn.ScanRequest{Program: &pushdown.Program{KeysOnly: true}}},
		{"forward-3-versions", 3, txn.ScanRequest{}},
		{"reverse-3-versions", 3, txn.ScanRequest{Reverse: true}},
	} {
		b.Run(c.name, func(b *testing.B) { benchScan(b, benchStore(b, c.versions), c.req) })
	}
}

func BenchmarkGet(b *testing.B) {
	s := benchStore(b, 1)
	ks, values := make([]keys.Key, 1), make([][]byte, 1)
	get := func(b *testing.B, key func(i int) keys.Key) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			ks[0] = key(i)
			i++
			if err := s.Get(100, ks, values); err != nil || values[0] == nil {
				b.Fatal(err)
			}
		}
	}
	one := benchKey(77)
	b.Run("hot", func(b *testing.B) { get(b, func(int) keys.Key { return one }) })
	b.Run("cold", func(b *testing.B) { get(b, func(i int) keys.Key { return benchKey(i * 7919 % benchRows) }) })
}

func BenchmarkApply(b *testing.B) {
	s := benchStore(b, 1)
	value := make([]byte, 100)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		batch := s.NewBatch()
		for range 4 {
			i++
			_ = batch.Put(benchKey(i*7919%benchRows), clock.Timestamp(1000+i), value)
		}
		_ = batch.SetPosition(1, Position{Index: uint64(i)})
		if err := s.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSmallScan(b *testing.B) {
	s := benchStore(b, 1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		k := benchKey(i * 7919 % benchRows)
		i++
		c, err := s.Scan(100, txn.ScanRequest{Span: keys.Span{Start: k, End: keys.PrefixEnd(k)}})
		if err != nil {
			b.Fatal(err)
		}
		if kvs, err := c.Next(context.Background()); err != nil || len(kvs) != 1 {
			b.Fatal(err, len(kvs))
		}
		if kvs, err := c.Next(context.Background()); err != nil || len(kvs) != 0 {
			b.Fatal(err, len(kvs))
		}
		c.Close()
	}
}
