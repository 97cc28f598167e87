package datum

import "time"

// DateStyle is the output half of the setting datestyle.
type DateStyle uint8

// The date output styles.
const (
	DateISO DateStyle = iota
	DateSQL
	DatePostgres
	DateGerman
)

// DateOrder is the input half of the setting datestyle; it also chooses between day-month and month-day in output.
type DateOrder uint8

// The orders of fields.
const (
	OrderMDY DateOrder = iota
	OrderDMY
	OrderYMD
)

// IntervalStyle is the setting intervalstyle.
type IntervalStyle uint8

// The interval output styles.
const (
	IntervalPostgres IntervalStyle = iota
	IntervalPostgresVerbose
	IntervalSQLStandard
	IntervalISO8601
)

// Env is what text conversion takes from the session. The zero Env, and a nil *Env, have PostgreSQL's defaults with the
// zone UTC and the time 2000-01-01. An Env is read only while conversions use it.
type Env struct {
	DateStyle     DateStyle
	DateOrder     DateOrder
	IntervalStyle IntervalStyle
	Location      *time.Location // nil means UTC
	Now           int64          // start of the transaction, in microseconds since 2000-01-01 UTC

	// FloatDigits is the setting extra_float_digits less its default of 1: 0 and above print the shortest text that
	// reads back as the same float, -1 is extra_float_digits 0, and so on.
	FloatDigits int
	ByteaEscape bool // bytea_output = escape

	// RegIn and RegOut turn names into oids and back for regclass, regtype and the like. Without them only numbers
	// work. RegOut appends to b; it appends the number itself when the object is unknown.
	RegIn  func(t OID, name string) (OID, error)
	RegOut func(b []byte, t OID, oid OID) []byte

	// UserIn and UserBinary read the text and the binary form of a value of a user's type, UserOut appends the text form
	// of a KindText value of one. Without them users' types have no input, and texts print as they are.
	UserIn     func(t Type, s string) (Datum, error)
	UserBinary func(t Type, b []byte) (Datum, error)
	UserOut    func(b []byte, t OID, d Datum) []byte
}

var defaultEnv = Env{}

func (e *Env) orDefault() *Env {
	if e == nil {
		return &defaultEnv
	}
	return e
}

func (e *Env) location() *time.Location {
	if e.Location == nil {
		return time.UTC
	}
	return e.Location
}
