// Package layout maps the rows of a table to the keys and values of the store, by the table's descriptor. The executor
// and the jobs that build indexes write through it, so that they agree to the byte.
//
// # Rows
//
// The row store (index 1) has one entry for each row. Its key is the index's prefix and the key columns, in the
// encodings of package row; the rest of the key is called the *row key*. Its value holds all other columns, and those
// key columns whose encoding does not give back the exact value (row.KeyLossless).
//
// # Entries
//
// An entry of a secondary index has the index's columns as its key. The row key follows them, unless the index is
// unique and the entry must be unique too: no column is NULL, or the index says NULLS NOT DISTINCT; then the row key is
// field 0 of the value. The value, which is empty when there is nothing to put in, also holds the INCLUDE columns and the
// key columns that are not lossless, under their column ids.
package layout

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// rowKeyField is the id of the row key in the value of a unique entry; columns' ids start at 1.
const rowKeyField = 0

// Table is the layout of one version of a table. It is immutable.
type Table struct {
	Desc *catalog.Table
	// Rows is the row store; Secondary are the other indexes that writers maintain, in the descriptor's order.
	Rows      *Index
	Secondary []*Index
}

// KeyColumn is a key column of an index.
type KeyColumn struct {
	// Ordinal is the position in Table.Columns, -1 for an expression.
	Ordinal          int
	Type             datum.Type
	Desc, NullsFirst bool
	lossless         bool
}

// Index is the layout of an index.
type Index struct {
	Desc   *catalog.Index
	Prefix keys.Key
	Cols   []KeyColumn
	// Unique says that entries without NULLs (or all, with NULLS NOT DISTINCT) leave the row key out of their key.
	Unique bool

	table *Table
	rows  bool // this is the row store
	// values are the columns in the value, by id, and their positions in a table row.
	values []row.Column
	ords   []int
	rowKey *row.Decoder // reads the row key from the value
}

// New makes the layout of a table that has rows of its own.
func New(t *catalog.Table) (*Table, error) {
	store := t.RowStore()
	if store == nil {
		return nil, failure.New(failure.WrongObjectType, "\"%s\" has no rows of its own", t.Name)
	}
	l := &Table{Desc: t}
	l.Rows = l.index(store, true)
	for _, x := range t.Indexes[1:] {
		if x.State != catalog.IndexDropping {
			l.Secondary = append(l.Secondary, l.index(x, false))
		}
	}
	return l, nil
}

// Index returns the layout of an index by its descriptor, or nil.
func (t *Table) Index(x *catalog.Index) *Index {
	if t.Rows.Desc.ID == x.ID {
		return t.Rows
	}
	for _, i := range t.Secondary {
		if i.Desc.ID == x.ID {
			return i
		}
	}
	return nil
}

func (t *Table) index(x *catalog.Index, rows bool) *Index {
	i := &Index{Desc: x, Prefix: keys.AppendPrefix(nil, t.Desc.Data, x.ID), table: t, rows: rows, Unique: x.Unique || rows}
	i.Prefix = i.Prefix[:len(i.Prefix):len(i.Prefix)]
	i.rowKey = row.NewDecoder([]row.Column{{ID: rowKeyField, Type: datum.T(datum.OIDBytea)}}, nil)
	inKey := map[int]bool{}
	for _, k := range x.Key {
		c := KeyColumn{Ordinal: -1, Type: k.Type, Desc: k.Desc, NullsFirst: k.NullsFirst, lossless: row.KeyLossless(k.Type)}
		if k.Column != 0 {
			_, c.Ordinal = t.Desc.ColumnByID(k.Column)
			inKey[c.Ordinal] = inKey[c.Ordinal] || c.lossless
		}
		i.Cols = append(i.Cols, c)
	}
	if rows {
		for o, c := range t.Desc.Columns {
			if !c.Dropped && !inKey[o] {
				i.addValue(o, c)
			}
		}
		return i
	}
	seen := map[int]bool{}
	for _, k := range i.Cols {
		if k.Ordinal >= 0 && !k.lossless && !seen[k.Ordinal] {
			seen[k.Ordinal] = true
			i.addValue(k.Ordinal, t.Desc.Columns[k.Ordinal])
		}
	}
	for _, id := range x.Include {
		if c, o := t.Desc.ColumnByID(id); c != nil && !seen[o] {
			seen[o] = true
			i.addValue(o, c)
		}
	}
	return i
}

func (x *Index) addValue(o int, c *catalog.Column) {
	x.values = append(x.values, row.Column{ID: c.ID, Type: c.Stored()})
	x.ords = append(x.ords, o)
}

// AppendColumns appends the first len(vals) key columns with these values.
func (x *Index) AppendColumns(b []byte, vals []datum.Datum) []byte {
	for i := range vals {
		c := &x.Cols[i]
		b = row.AppendKeyTyped(b, c.Type, vals[i], c.Desc, c.NullsFirst)
	}
	return b
}

// AppendColumn appends key column i.
func (x *Index) AppendColumn(b []byte, i int, v datum.Datum) []byte {
	c := &x.Cols[i]
	return row.AppendKeyTyped(b, c.Type, v, c.Desc, c.NullsFirst)
}

// AppendRowKey appends the whole key of a table row in the row store: the prefix and the row key.
func (t *Table) AppendRowKey(b []byte, r []datum.Datum) []byte {
	b = append(b, t.Rows.Prefix...)
	for i := range t.Rows.Cols {
		c := &t.Rows.Cols[i]
		b = row.AppendKeyTyped(b, c.Type, r[c.Ordinal], c.Desc, c.NullsFirst)
	}
	return b
}

// AppendRowValue appends the value of a table row in the row store.
func (t *Table) AppendRowValue(b []byte, r []datum.Datum, scratch []datum.Datum) []byte {
	x := t.Rows
	vals := scratch[:0]
	for _, o := range x.ords {
		vals = append(vals, r[o])
	}
	return row.AppendValue(b, x.values, vals)
}

// ValueColumns is the number of columns in a value: a good capacity for scratch memory.
func (x *Index) ValueColumns() int { return len(x.values) + 1 }

// AppendEntryKey appends the key of a table row's entry. exprs holds the values of expression columns, by key column; it
// may be nil when there are none. rowKey is the row's key in the row store without prefix. unique says that the row key is not
// part of the key, so that a second entry with this key is a duplicate.
func (x *Index) AppendEntryKey(b []byte, r, exprs []datum.Datum, rowKey []byte) (_ []byte, unique bool) {
	b = append(b, x.Prefix...)
	null := false
	for i := range x.Cols {
		c := &x.Cols[i]
		var v datum.Datum
		if c.Ordinal >= 0 {
			v = r[c.Ordinal]
		} else {
			v = exprs[i]
		}
		null = null || v.IsNull()
		b = row.AppendKeyTyped(b, c.Type, v, c.Desc, c.NullsFirst)
	}
	if x.Unique && (!null || x.Desc.NullsNotDistinct) {
		return b, true
	}
	return append(b, rowKey...), false
}

// AppendEntryValue appends the value of an entry, perhaps nothing. rowKey is that of AppendEntryKey, unique its result.
func (x *Index) AppendEntryValue(b []byte, r []datum.Datum, rowKey []byte, unique bool, scratch []datum.Datum) []byte {
	vals := scratch[:0]
	if unique {
		var few [8]row.Column
		cols := append(few[:0], row.Column{ID: rowKeyField, Type: datum.T(datum.OIDBytea)})
		cols = append(cols, x.values...)
		vals = append(vals, datum.NewBytes(rowKey))
		for _, o := range x.ords {
			vals = append(vals, r[o])
		}
		return row.AppendValue(b, cols, vals)
	}
	if len(x.values) == 0 {
		return b
	}
	for _, o := range x.ords {
		vals = append(vals, r[o])
	}
	return row.AppendValue(b, x.values, vals)
}

// HasValues says whether entries hold columns in their value beside the row key.
func (x *Index) HasValues() bool { return len(x.values) > 0 }

// ValueOrdinals are the positions in a table row of the columns in the value.
func (x *Index) ValueOrdinals() []int { return x.ords }

// skipColumns returns what follows the first n key columns of a key without its prefix.
func (x *Index) skipColumns(b []byte, n int) ([]byte, error) {
	var err error
	for i := range n {
		c := &x.Cols[i]
		if b, err = row.SkipKeyDatum(b, c.Type, c.Desc, c.NullsFirst); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Covers says whether the columns with these ordinals can be read from the entries of x alone.
func (x *Index) Covers(ordinals []int) bool {
	for _, o := range ordinals {
		if !x.covers(o) {
			return false
		}
	}
	return true
}

func (x *Index) covers(o int) bool {
	if x.rows {
		return true
	}
	for i := range x.Cols {
		if x.Cols[i].Ordinal == o && x.Cols[i].lossless {
			return true
		}
	}
	for _, v := range x.ords {
		if v == o {
			return true
		}
	}
	for i := range x.table.Rows.Cols {
		if c := &x.table.Rows.Cols[i]; c.Ordinal == o && c.lossless {
			return true
		}
	}
	return false
}
