package session

import (
	"strconv"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/setting"
)

// hooks is the session as built-in functions see it. Functions have no context of their own: the running statement's
// is kept in Session.ctx from open to the end of the statement.
type hooks Session

func (h *hooks) ses() *Session { return (*Session)(h) }

// Now implements builtin.Session.
func (h *hooks) Now() int64 { return h.engine.now() }

// Sleep implements builtin.Session.
func (h *hooks) Sleep(microseconds int64) error {
	if err := h.engine.cfg.Host.Sleep(h.ctx, time.Duration(microseconds)*time.Microsecond); err != nil {
		return guard(h.ctx, err)
	}
	return nil
}

// RandomBytes implements builtin.Session.
func (h *hooks) RandomBytes(b []byte) { h.engine.randomBytes(b) }

// Setting implements builtin.Session.
func (h *hooks) Setting(name string) (string, bool) {
	name, v, err := h.settings.Show(name)
	if o, ok := h.ses().strictShow(name); ok {
		v = o
	}
	return v, err == nil
}

// SetSetting implements builtin.Session.
func (h *hooks) SetSetting(name, value string, local bool) (string, error) {
	o := setting.Options{Local: local, Superuser: h.settings.Bool("is_superuser")}
	if err := h.ses().assign(h.ctx, name, value, o); err != nil {
		return "", err
	}
	_, v, err := h.settings.Show(name)
	return v, err
}

// sequenceState is what currval and lastval remember.
type sequenceState struct {
	current map[catalog.OID]int64
	last    catalog.OID
}

func (s *sequenceState) set(oid catalog.OID, v int64) {
	if s.current == nil {
		s.current = map[catalog.OID]int64{}
	}
	s.current[oid] = v
	s.last = oid
}

// sequence finds a sequence and checks the privilege.
func (h *hooks) sequence(oid catalog.OID, want catalog.Privilege) (*catalog.Table, error) {
	snap := h.t.cat.Snapshot()
	t := snap.RelationByOID(oid).Table
	if t == nil {
		return nil, failure.New(failure.UndefinedTable, "could not open relation with OID %d", oid)
	}
	if t.Kind != catalog.RelSequence {
		return nil, failure.New(failure.WrongObjectType, "\"%s\" is not a sequence", t.Name)
	}
	if !snap.HasTable(h.ses().userOID(), t, want) && !(want == catalog.PrivUsage && snap.HasTable(h.ses().userOID(), t, catalog.PrivUpdate)) {
		return nil, failure.New(failure.InsufficientPrivilege, "permission denied for sequence %s", t.Name)
	}
	return t, nil
}

// NextVal implements builtin.Session.
func (h *hooks) NextVal(oid catalog.OID) (int64, error) {
	t, err := h.sequence(oid, catalog.PrivUsage)
	if err != nil {
		return 0, err
	}
	if h.t.modes.readOnly {
		return 0, readOnlyError("nextval()")
	}
	v, err := h.engine.cfg.Sequences.Next(h.ctx, t)
	if err == nil {
		h.sequences.set(oid, v)
	}
	return v, err
}

// CurrVal implements builtin.Session.
func (h *hooks) CurrVal(oid catalog.OID) (int64, error) {
	t, err := h.sequence(oid, catalog.PrivUsage)
	if err != nil {
		return 0, err
	}
	v, ok := h.sequences.current[oid]
	if !ok {
		return 0, failure.New(failure.ObjectNotInPrerequisiteState, "currval of sequence \"%s\" is not yet defined in this session", t.Name)
	}
	return v, nil
}

// SetVal implements builtin.Session.
func (h *hooks) SetVal(oid catalog.OID, value int64, called bool) (int64, error) {
	t, err := h.sequence(oid, catalog.PrivUpdate)
	if err != nil {
		return 0, err
	}
	if err := h.engine.cfg.Sequences.Set(h.ctx, t, value, called); err != nil {
		return 0, err
	}
	if called {
		h.sequences.set(oid, value)
	}
	return value, nil
}

// LastVal implements builtin.Session.
func (h *hooks) LastVal() (int64, error) {
	if h.sequences.last == 0 {
		return 0, failure.New(failure.ObjectNotInPrerequisiteState, "lastval is not yet defined in this session")
	}
	return h.CurrVal(h.sequences.last)
}

// TransactionID implements builtin.Session: the first half of the id is a time and never repeats on a node.
func (h *hooks) TransactionID(assign bool) (uint64, error) {
	if !assign && (h.t.tx == nil || !h.wrote()) {
		return 0, nil
	}
	if err := h.ses().begun(h.ctx); err != nil {
		return 0, err
	}
	id := h.t.tx.ID()
	return transactionNumber(id), nil
}

func (h *hooks) wrote() bool {
	w, _, _ := h.t.tx.Stats()
	return w > 0
}

// SearchPath implements builtin.Session.
func (h *hooks) SearchPath(implicit bool) ([]string, error) {
	snap := h.t.cat.Snapshot()
	text, _ := h.settings.Get("search_path")
	named := splitPath(text)
	var out []string
	for _, oid := range h.ses().path().Schemas {
		name := snap.SchemaName(oid)
		if oid == catalog.OIDPgCatalog && !implicit && !contains(named, "pg_catalog") {
			continue
		}
		out = append(out, name)
	}
	return out, nil
}

func contains(words []string, w string) bool {
	for _, x := range words {
		if x == w {
			return true
		}
	}
	return false
}

// SystemFunction implements builtin.Session.
func (h *hooks) SystemFunction(fn *builtin.Func, args []datum.Datum) (datum.Datum, error) {
	if d, known, err := h.advisoryFunction(fn, args); known {
		return d, err
	}
	if fn.OID >= catalog.FirstUserOID {
		return h.ses().callScalar(h.ctx, fn.OID, args)
	}
	switch fn.Name {
	case "pg_my_temp_schema":
		return datum.NewInt(int64(h.ses().path().Temp)), nil
	case "pg_is_other_temp_schema":
		oid := catalog.OID(args[0].Int())
		return datum.NewBool(oid != h.ses().path().Temp && strings.HasPrefix(h.ses().schemaName(oid), "pg_temp_")), nil
	}
	return h.engine.system().Function(h.ctx, (*systemEnv)(h), fn, args)
}

// SystemRows implements builtin.Session.
func (h *hooks) SystemRows(fn *builtin.Func, args []datum.Datum) ([][]datum.Datum, error) {
	if fn.OID >= catalog.FirstUserOID {
		return h.ses().callSet(h.ctx, fn.OID, args)
	}
	return h.engine.system().FunctionRows(h.ctx, (*systemEnv)(h), fn, args)
}

// RegInput implements builtin.Session.
func (h *hooks) RegInput(reg catalog.OID, text string) (catalog.OID, error) {
	return h.engine.system().RegInput(h.ctx, (*systemEnv)(h), reg, text)
}

// RegOutput implements builtin.Session.
func (h *hooks) RegOutput(reg, oid catalog.OID) (string, error) {
	return h.engine.system().RegOutput(h.ctx, (*systemEnv)(h), reg, oid)
}

// appendReg is RegOutput in the form that printing values wants.
func (h *hooks) appendReg(b []byte, reg, oid datum.OID) []byte {
	if h.t.cat != nil {
		if name, err := h.RegOutput(reg, oid); err == nil {
			return append(b, name...)
		}
	}
	return strconv.AppendUint(b, uint64(oid), 10)
}

// transactionNumber shortens a transaction's id to the 64 bits that SQL shows (see pg_current_xact_id).
func transactionNumber(id [16]byte) uint64 {
	var n uint64
	for _, b := range id[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}

func constString(c *parser.Const) string {
	switch c.Kind {
	case parser.ConstInteger:
		return strconv.Itoa(int(c.Int))
	case parser.ConstBoolean:
		if c.Bool {
			return "true"
		}
		return "false"
	case parser.ConstNull:
		return ""
	}
	return c.Str
}
