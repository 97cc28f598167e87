package node

import (
	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/crossbar"
)

// Tamper puts broken parts into a node. Simulations plant bugs with it, to show that they find them; nothing else sets it.
type Tamper struct {
	// Owner stands between storage and the owner of a journal.
	Owner func(crossbar.Owner) crossbar.Owner
	// Journal stands between an adjudicator and its journal.
	Journal func(adjudicator.Journal) adjudicator.Journal
}

func (t *Tamper) owner(o crossbar.Owner) crossbar.Owner {
	if t == nil || t.Owner == nil {
		return o
	}
	return t.Owner(o)
}

func (t *Tamper) journal(j adjudicator.Journal) adjudicator.Journal {
	if t == nil || t.Journal == nil {
		return j
	}
	return t.Journal(j)
}
