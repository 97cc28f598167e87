package txntest

import (
	"testing"

	"github.com/meridiandb/meridian/internal/txn"
)

func TestConformance(t *testing.T) {
	Conformance(t, func(*testing.T) txn.DB { return New() })
}
