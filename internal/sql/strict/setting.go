package strict

import (
	"strings"

	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Settable says whether SET and the startup packet may change a parameter. Meridian's own may always be changed.
func Settable(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "application_name", "client_encoding", "datestyle", "extra_float_digits", "intervalstyle", "timezone", "time zone",
		"search_path", "enable_bitmapscan", "enable_hashjoin", "enable_indexonlyscan", "enable_indexscan", "enable_material",
		"enable_mergejoin", "enable_nestloop", "enable_seqscan", "dsql.enable_batched_nestloop":
		return true
	}
	return strings.HasPrefix(name, "meridian.")
}

// Startup checks a parameter of the startup packet.
func Startup(name string) error {
	if Settable(name) {
		return nil
	}
	return notSettable(name)
}

func notSettable(name string) error {
	return refuse("setting configuration parameter \"%s\" not supported", name)
}

func set(s *parser.VariableSetStmt) error {
	switch s.Kind {
	case parser.SetTransaction:
		if err := isolation(s.Modes.Isolation); err != nil {
			return err
		}
		return notSettable("TRANSACTION")
	case parser.SetSnapshot:
		return notSettable("TRANSACTION")
	case parser.SetSessionChar:
		return isolation(s.Modes.Isolation)
	case parser.SetReset, parser.SetResetAll:
		return nil
	}
	if !Settable(s.Name) {
		return notSettable(s.Name)
	}
	return nil
}

// Show overrides what SHOW and current_setting answer.
func Show(name string) (string, bool) {
	switch name {
	case "server_version":
		return ServerVersion, true
	case "server_version_num":
		return ServerVersionNum, true
	case "transaction_isolation", "default_transaction_isolation":
		return "repeatable read", true
	}
	return "", false
}
