package setting

import (
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

// Context says who may change a parameter.
type Context uint8

// The contexts, as pg_settings.context names them.
const (
	User       Context = iota // SET
	Superuser                 // SET by a superuser
	Postmaster                // fixed at server start
	Internal                  // cannot be changed
)

// String returns pg_settings.context.
func (c Context) String() string {
	return [...]string{"user", "superuser", "postmaster", "internal"}[c]
}

// Def describes one parameter. Definitions are immutable.
type Def struct {
	Name     string
	Kind     Kind
	Unit     string
	Min, Max float64
	Values   []string
	Boot     string
	Context  Context
	Category string
	// Report sends changes to the client as ParameterStatus.
	Report bool
	// List values are comma-separated identifiers.
	List bool
	// Quoted lists keep their words as identifiers.
	Quoted bool
	// Given makes the new value of what was given and the value so far, before Check.
	Given func(value, current string) (string, error)
	// Check validates and normalises a new value; not ok gives PostgreSQL's general message.
	Check func(string) (string, bool, error)
}

// Set is the parameters of one session. It is used by the session's goroutine only.
type Set struct {
	defs   *Registry
	values []string // by definition; "" with unset bit below means the default
	isSet  []bool
	reset  []string          // what RESET goes back to: boot, then startup values
	custom map[string]string // placeholder parameters with a dot in their name
	undo   []undo
	// Changed collects the names of reported parameters that have changed since the caller last cleared it.
	Changed []string
	version uint64
}

type undo struct {
	id     int // -1: custom
	name   string
	old    string
	wasSet bool
	local  bool
}

// NewSet starts with every parameter at its default.
func NewSet(r *Registry) *Set {
	s := &Set{defs: r, values: make([]string, len(r.defs)), isSet: make([]bool, len(r.defs)), reset: make([]string, len(r.defs))}
	for i, d := range r.defs {
		s.values[i], s.reset[i] = d.Boot, d.Boot
	}
	return s
}

// Version grows with every change: derived values are cached by it.
func (s *Set) Version() uint64 { return s.version }

func unknown(name string) error {
	return failure.New(failure.UndefinedObject, "unrecognized configuration parameter %q", name)
}

// Get returns a parameter in its kept form.
func (s *Set) Get(name string) (string, bool) {
	if id, ok := s.defs.byName[strings.ToLower(name)]; ok {
		return s.values[id], true
	}
	v, ok := s.custom[strings.ToLower(name)]
	return v, ok
}

// Show returns a parameter as SHOW prints it, with the canonical spelling of its name.
func (s *Set) Show(name string) (canonicalName, value string, err error) {
	if id, ok := s.defs.byName[strings.ToLower(name)]; ok {
		d := &s.defs.defs[id]
		return d.Name, d.Show(s.values[id]), nil
	}
	if v, ok := s.custom[strings.ToLower(name)]; ok {
		return name, v, nil
	}
	return "", "", unknown(name)
}

// Options of a change.
type Options struct {
	// Local reverts at the end of the transaction.
	Local bool
	// Startup makes the value what RESET returns to.
	Startup bool
	// Superuser may change what others may not; Force changes even internal ones (the server itself).
	Superuser, Force bool
}

// Assign changes a parameter.
func (s *Set) Assign(name, value string, o Options) error {
	id, ok := s.defs.byName[strings.ToLower(name)]
	if !ok {
		return s.assignCustom(strings.ToLower(name), value, o)
	}
	d := &s.defs.defs[id]
	if err := d.mayChange(o); err != nil {
		return err
	}
	if d.Given != nil {
		var err error
		if value, err = d.Given(value, s.values[id]); err != nil {
			return err
		}
	}
	v, err := d.canonical(value)
	if err != nil {
		return err
	}
	if o.Startup {
		s.reset[id] = v
	}
	s.put(id, v, o.Local)
	return nil
}

func (d *Def) mayChange(o Options) error {
	if o.Force {
		return nil
	}
	switch {
	case d.Context == Internal:
		return failure.New(failure.CantChangeRuntimeParam, "parameter %q cannot be changed", d.Name)
	case d.Context == Postmaster:
		return failure.New(failure.CantChangeRuntimeParam, "parameter %q cannot be changed without restarting the server", d.Name)
	case d.Context == Superuser && !o.Superuser:
		return failure.New(failure.InsufficientPrivilege, "permission denied to set parameter %q", d.Name)
	}
	return nil
}

func (s *Set) assignCustom(name, value string, o Options) error {
	if !strings.Contains(name, ".") {
		return unknown(name)
	}
	old, was := s.custom[name]
	s.undo = append(s.undo, undo{id: -1, name: name, old: old, wasSet: was, local: o.Local})
	if s.custom == nil {
		s.custom = map[string]string{}
	}
	s.custom[name] = value
	s.version++
	return nil
}

func (s *Set) put(id int, v string, local bool) {
	s.undo = append(s.undo, undo{id: id, old: s.values[id], wasSet: s.isSet[id], local: local})
	s.isSet[id] = true
	s.store(id, v)
}

func (s *Set) store(id int, v string) {
	if s.values[id] == v {
		return
	}
	s.values[id] = v
	s.version++
	if d := &s.defs.defs[id]; d.Report {
		s.Changed = append(s.Changed, d.Name)
	}
}

// Reset returns a parameter to its start value.
func (s *Set) Reset(name string, o Options) error {
	id, ok := s.defs.byName[strings.ToLower(name)]
	if !ok {
		if _, ok := s.custom[strings.ToLower(name)]; !ok {
			return unknown(name)
		}
		return s.assignCustom(strings.ToLower(name), "", o)
	}
	d := &s.defs.defs[id]
	if err := d.mayChange(o); err != nil {
		return err
	}
	s.put(id, s.reset[id], o.Local)
	return nil
}

// ResetAll resets everything a user may change.
func (s *Set) ResetAll() {
	for id := range s.defs.defs {
		d := &s.defs.defs[id]
		if d.Context == User && !d.transactional() {
			s.put(id, s.reset[id], false)
		}
	}
}

func (d *Def) transactional() bool {
	return strings.HasPrefix(d.Name, "transaction_")
}

// Mark is a position for RollbackTo: the start of a transaction, or a savepoint.
func (s *Set) Mark() int { return len(s.undo) }

// RollbackTo undoes all changes since the mark.
func (s *Set) RollbackTo(mark int) {
	for i := len(s.undo) - 1; i >= mark; i-- {
		s.revert(s.undo[i])
	}
	s.undo = s.undo[:mark]
}

// Commit keeps the changes of the transaction, except the local ones.
func (s *Set) Commit() {
	for i := len(s.undo) - 1; i >= 0; i-- {
		if s.undo[i].local {
			s.revert(s.undo[i])
		}
	}
	s.undo = s.undo[:0]
}

func (s *Set) revert(u undo) {
	if u.id >= 0 {
		s.isSet[u.id] = u.wasSet
		s.store(u.id, u.old)
		return
	}
	s.version++
	if u.wasSet {
		s.custom[u.name] = u.old
	} else {
		delete(s.custom, u.name)
	}
}

// Bool, Int and Duration read parameters that are known to exist.
func (s *Set) Bool(name string) bool { v, _ := s.Get(name); return v == "on" }

// Duration reads a parameter whose unit is milliseconds.
func (s *Set) Duration(name string) time.Duration {
	v, _ := s.Get(name)
	var n int64
	for _, ch := range []byte(v) {
		if ch < '0' || ch > '9' {
			break
		}
		n = n*10 + int64(ch-'0')
	}
	return time.Duration(n) * time.Millisecond
}

// Row is a line of pg_settings.
type Row struct {
	Def            *Def
	Setting, Reset string
	Session        bool // set in this session
}

// Rows lists all parameters by name.
func (s *Set) Rows() []Row {
	rows := make([]Row, 0, len(s.defs.defs))
	for i := range s.defs.defs {
		rows = append(rows, Row{Def: &s.defs.defs[i], Setting: s.values[i], Reset: s.reset[i], Session: s.isSet[i]})
	}
	return rows
}

// Reported lists the parameters to tell a new client.
func (s *Set) Reported() []*Def {
	var out []*Def
	for i := range s.defs.defs {
		if s.defs.defs[i].Report {
			out = append(out, &s.defs.defs[i])
		}
	}
	return out
}

// IsQuoted says whether a parameter is a list whose words are kept as identifiers.
func (s *Set) IsQuoted(name string) bool {
	id, ok := s.defs.byName[strings.ToLower(name)]
	return ok && s.defs.defs[id].Quoted
}

// IsList says whether a parameter is a list of identifiers.
func (s *Set) IsList(name string) bool {
	id, ok := s.defs.byName[strings.ToLower(name)]
	return ok && s.defs.defs[id].List
}
