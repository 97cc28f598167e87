package txn

import (
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
)

// JournalID names a journal; it also orders equal commit times of different journals.
type JournalID uint32

// Generation counts the owners of a journal; it only grows.
type Generation uint64

// Conflicts is the part of a transaction that one adjudicator judges: conflict hashes only.
type Conflicts struct {
	Exclusive []keys.Hash // written, or FOR UPDATE
	Shared    []keys.Hash // foreign-key parents, FOR SHARE
	Schema    []keys.Hash // shared checks of schema keys: a conflict is OC001
	// SchemaWrites are exclusive writes of schema keys, sent to every adjudicator.
	SchemaWrites []keys.Hash
}

// Image is a row or index entry as it shall be after the commit.
type Image struct {
	Key    keys.Key
	Value  []byte
	Delete bool
}

// Reason says why a vote is no.
type Reason uint8

// The reasons of a refusal.
const (
	ReasonNone       Reason = iota
	ReasonConflict          // a key was written after the snapshot: OC000
	ReasonSchema            // a schema key was written after the snapshot: OC001
	ReasonTooOld            // the snapshot is below the floor
	ReasonBusy              // a key is promised to another transaction: try the same commit again
	ReasonNotReady          // the leased interval is nearly used up: try the same commit again
	ReasonWrongOwner        // the keys belong to another owner now
	ReasonExpired           // the votes' bounds cannot be met any more: try the same commit again
)

// Vote is an adjudicator's answer to a prepare. Yes promises that no conflicting transaction commits in [Lower, Upper]
// before this one is settled.
type Vote struct {
	From         JournalID
	Gen          Generation
	Yes          bool
	Reason       Reason
	Lower, Upper clock.Timestamp
	// Conflicting is the time of the write that was lost against, for ReasonConflict.
	Conflicting clock.Timestamp
}

// Watermark promises that every entry of the journal at or below Time has index at most Index (I4). A receiver believes
// it only once it has consumed the log through Index.
type Watermark struct {
	Journal JournalID
	Gen     Generation
	Index   uint64
	Time    clock.Timestamp
}

// Lease is what a journal's log says of its owners: the current one and the interval it may speak about.
type Lease struct {
	Gen Generation
	// Lo and Hi bound the interval (Lo, Hi] of the generation.
	Lo, Hi clock.Timestamp
	// Last is the highest commit time.
	Last clock.Timestamp
	// Retired is set when the owner said that it has stopped: Hi then is the last time it used.
	Retired bool
}
