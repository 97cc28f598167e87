package catalog

// NewTestSnapshot makes a Snapshot of what a new cluster has, system tables and some more descriptors, for tests of
// packages that read the catalogue.
func NewTestSnapshot(system []*Table, more ...Descriptor) *Snapshot {
	s := newSnapshot(nil)
	for _, d := range systemObjects() {
		s.add(d)
	}
	for _, d := range firstObjects() {
		s.add(d)
	}
	for _, t := range system {
		s.add(t)
	}
	for _, d := range more {
		s.add(d)
	}
	s.version.Time = 1
	return s
}
