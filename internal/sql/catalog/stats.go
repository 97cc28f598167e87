package catalog

// Stats are what ANALYZE found out about a table. They are descriptors of their own, under the table's OID, so that
// ANALYZE does not count as a change of the table: nobody who uses the table conflicts with it.
type Stats struct {
	Table OID
	// Rows and Pages (8 kB each) are estimates for the whole table.
	Rows  float64
	Pages int64
	// Columns are by column id.
	Columns []ColumnStats `json:",omitempty"`
	// At is the time of the analysis, as Unix microseconds.
	At int64
}

// ColumnStats are the statistics of one column, as in pg_statistic.
type ColumnStats struct {
	Column   uint32
	NullFrac float64
	Width    int
	// Distinct is the number of distinct values, or, when negative, minus the share of rows that are distinct.
	Distinct    float64
	Common      []Value   `json:",omitempty"` // most common values
	CommonFreq  []float64 `json:",omitempty"`
	Histogram   []Value   `json:",omitempty"` // bounds of equally full buckets, without Common
	Correlation float64
}

// ObjectID implements Descriptor.
func (s *Stats) ObjectID() OID { return s.Table }

// DescriptorKind implements Descriptor.
func (s *Stats) DescriptorKind() Kind { return KindStats }

func (s *Stats) names() []nameKey { return nil }

// Column returns the statistics of a column, or nil.
func (s *Stats) Column(id uint32) *ColumnStats {
	if s == nil {
		return nil
	}
	for i := range s.Columns {
		if s.Columns[i].Column == id {
			return &s.Columns[i]
		}
	}
	return nil
}
