package txn

import (
	"errors"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
)

// JournalID names a journal; it also orders equal commit times of different journals.
type JournalID uint32

// Generation counts the owners of a journal; it only grows.
type Generation uint64

// ErrNotOwner is found by errors.Is in errors of an adjudicator that does not own its journal, or not yet, or not any more:
// nothing was done, and another node may be asked.
var ErrNotOwner = errors.New("not the owner of the journal")

// Conflicts is the part of a transaction that one adjudicator judges: conflict hashes only.
type Conflicts struct {
	Exclusive []keys.Hash // written, or FOR UPDATE
	Shared    []keys.Hash // foreign-key parents, FOR SHARE
	Schema    []keys.Hash // shared checks of schema keys: a conflict is OC001
	// SchemaWrites are exclusive writes of schema keys, sent to every adjudicator.
	SchemaWrites []keys.Hash
	// Marks are the granules in which a serializable transaction writes: others' Shared checks see them as writes, and the
	// commit comes after every Shared check made before it. They do not conflict with each other. Records hold them among
	// the exclusive hashes.
	Marks []keys.Hash
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

// Move says what a journal's log holds of a range of hashes that it has given away or taken over: the last word on it. What no
// Move speaks of belongs to whom it was given when the cluster was made.
type Move struct {
	Range HashRange
	Owned bool            // taken over: the journal owns the range above Fence; else it was given away, and owns it up to there
	Fence clock.Timestamp // nothing that the old owner has let pass lies above it
	Peer  JournalID       // the other side
}

// Apply puts a move over earlier ones, which are in the order of their ranges and do not overlap, and returns them anew.
func (m Move) Apply(moves []Move) []Move {
	out := make([]Move, 0, len(moves)+2)
	for _, o := range moves {
		if o.Range.First < m.Range.First {
			left := o
			left.Range.Last = min(o.Range.Last, m.Range.First-1)
			out = append(out, left)
		}
	}
	out = append(out, m)
	for _, o := range moves {
		if o.Range.Last > m.Range.Last {
			right := o
			right.Range.First = max(o.Range.First, m.Range.Last+1)
			out = append(out, right)
		}
	}
	return out
}

// CommitRequest asks the leader of a transaction to decide it. The leader keeps nothing of it once it has answered.
type CommitRequest struct {
	ID      ID
	Attempt uint32
	Start   clock.Timestamp // τs
	// Conflicts is the part that the leader judges.
	Conflicts Conflicts
	// Votes of the other participants; empty for a transaction with one adjudicator. A no among them abandons the attempt.
	Votes []Vote
	// Record is what the leader appends: Kind, ID, Attempt, Start, Participants, Conflicts (of all participants, for
	// standbys), Images, Chunks. The leader fills in Gen and Time.
	Record *Record
	// Encoded, when not nil, is the record as Record.AppendTo writes it, and Record is not looked at.
	Encoded []byte
	// NoWait says that the caller does the commit wait itself.
	NoWait bool
	// Proposed, when not nil, is called once the commit time is fixed and the record is on its way to the log: the moment
	// to send GoAhead to the other participants. It must not block.
	Proposed func(c clock.Timestamp)
}

// CommitResult is the leader's answer. When Reason is ReasonNone the transaction is committed at Time, durably. Otherwise
// it certainly did not commit in this attempt, and Conflicting says what it lost against, if anything.
type CommitResult struct {
	Time        clock.Timestamp
	Reason      Reason
	Conflicting clock.Timestamp
}

// PrepareRequest asks a participant that is not the leader for its vote.
type PrepareRequest struct {
	ID        ID
	Attempt   uint32
	Start     clock.Timestamp
	Leader    JournalID
	Conflicts Conflicts // this adjudicator's part
}
