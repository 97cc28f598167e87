package txn

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sort"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
)

// RecordKind tells the records of a journal apart.
type RecordKind uint8

// The kinds. Their numbers are part of the journal's format (docs/formats/journal.md).
const (
	RecordOwn       RecordKind = 1 // a new owner: Gen, Time is lo
	RecordGrant     RecordKind = 2 // the leased interval is raised: Time is hi
	RecordTx        RecordKind = 3 // a committed transaction: Time is its commit time
	RecordBulk      RecordKind = 4 // images of a large transaction, ahead of its Tx: ID, Chunks is the number of this one
	RecordCede      RecordKind = 5 // a range of hashes leaves: Range, Peer, Time is the fence
	RecordAdopt     RecordKind = 6 // a range of hashes arrives: Range, Peer, Time is the fence
	RecordTombstone RecordKind = 7 // ID shall never commit here
	RecordRetire    RecordKind = 8 // the owner stops: it has issued nothing above Time and never will
)

// BulkSize is the size of images (keys and values) above which a transaction sends them ahead in Bulk records, and
// about the size of each.
const BulkSize = 1 << 20

// RecordMax is the largest record that a journal takes.
const RecordMax = 16 << 20

// Record is one journal record as it is written. Which fields count depends on the kind.
type Record struct {
	Kind RecordKind
	Gen  Generation
	Time clock.Timestamp

	ID      ID
	Start   clock.Timestamp // the transaction's snapshot
	Attempt uint32
	// Chunks is, in a Tx, how many Bulk records of the same ID belong to it (numbered from 0, all before it in the same
	// journal), and in a Bulk its own number.
	Chunks       uint32
	Participants []JournalID // every journal whose adjudicator voted, the leader's own included; empty means it alone
	Conflicts    Conflicts
	// Images are sorted by key when the record is encoded, in place.
	Images []Image

	Range HashRange // Cede, Adopt
	Peer  JournalID // Cede, Adopt: the other side
}

// HashRange is an interval of conflict hashes, both ends included.
type HashRange struct{ First, Last keys.Hash }

// AllHashes is the range that holds every hash.
func AllHashes() HashRange { return HashRange{0, ^keys.Hash(0)} }

// Contains says whether the hash lies in the range.
func (r HashRange) Contains(h keys.Hash) bool { return h >= r.First && h <= r.Last }

// The fixed header of a record, little endian. The counts of the sections follow each other from offCounts.
const (
	recordVersion = 1

	offVersion   = 0
	offKind      = 1
	offLength    = 4
	offHeaderCRC = 8
	offBodyCRC   = 12
	offGen       = 16
	offTime      = 24
	offID        = 32
	offStart     = 48
	offAttempt   = 56
	offChunks    = 60
	offCounts    = 64

	countParticipants = 0
	countImages       = 1
	countExclusive    = 2
	countShared       = 3
	countSchema       = 4
	countSchemaWrites = 5

	recordHeader = offCounts + 6*4
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// headerCRC covers the header but for the checksum itself.
func headerCRC(b []byte) uint32 {
	t := castagnoli()
	return crc32.Update(crc32.Update(0, t, b[:offHeaderCRC]), t, b[offBodyCRC:recordHeader])
}

// Size returns the length of the encoded record.
func (r *Record) Size() int {
	c := &r.Conflicts
	n := recordHeader + 4*len(r.Participants)
	n += 8 * (len(c.Exclusive) + len(c.Shared) + len(c.Schema) + len(c.SchemaWrites))
	if r.Kind == RecordCede || r.Kind == RecordAdopt {
		n += 4 + 16
	}
	if len(r.Images) > 0 {
		n += 4 * (len(r.Images) + 1)
	}
	for i := range r.Images {
		n += imageSize(&r.Images[i])
	}
	return n
}

func imageSize(m *Image) int {
	return uvarintLen(uint64(len(m.Key))<<1) + len(m.Key) + len(m.Value)
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// AppendTo encodes the record at the end of b. The images are put in key order first.
func (r *Record) AppendTo(b []byte) []byte {
	if !slices.IsSortedFunc(r.Images, compareImages) {
		slices.SortStableFunc(r.Images, compareImages)
	}
	participants, exclusive := r.Participants, r.Conflicts.Exclusive
	if r.Kind == RecordCede || r.Kind == RecordAdopt {
		participants = []JournalID{r.Peer}
		exclusive = []keys.Hash{r.Range.First, r.Range.Last}
	}
	start := len(b)
	b = slices.Grow(b, r.Size())
	b = append(b, recordVersion, byte(r.Kind), 0, 0)
	b = append(b, make([]byte, 12)...) // length and checksums, filled in below
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Gen))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Time))
	b = append(b, r.ID[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Start))
	b = binary.LittleEndian.AppendUint32(b, r.Attempt)
	b = binary.LittleEndian.AppendUint32(b, r.Chunks)
	for _, n := range [...]int{len(participants), len(r.Images), len(exclusive), len(r.Conflicts.Shared),
		len(r.Conflicts.Schema), len(r.Conflicts.SchemaWrites)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	for _, p := range participants {
		b = binary.LittleEndian.AppendUint32(b, uint32(p))
	}
	for _, hs := range [...][]keys.Hash{exclusive, r.Conflicts.Shared, r.Conflicts.Schema, r.Conflicts.SchemaWrites} {
		for _, h := range hs {
			b = binary.LittleEndian.AppendUint64(b, uint64(h))
		}
	}
	b = appendImages(b, r.Images)
	rec := b[start:]
	binary.LittleEndian.PutUint32(rec[offLength:], uint32(len(rec)))
	binary.LittleEndian.PutUint32(rec[offBodyCRC:], crc32.Checksum(rec[recordHeader:], castagnoli()))
	binary.LittleEndian.PutUint32(rec[offHeaderCRC:], headerCRC(rec))
	return b
}

func compareImages(a, b Image) int { return bytes.Compare(a.Key, b.Key) }

// appendImages writes the routing index (offsets of the images and of their end) and the images.
func appendImages(b []byte, images []Image) []byte {
	if len(images) == 0 {
		return b
	}
	off := 0
	for i := range images {
		b = binary.LittleEndian.AppendUint32(b, uint32(off))
		off += imageSize(&images[i])
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(off))
	for i := range images {
		m := &images[i]
		head := uint64(len(m.Key)) << 1
		if m.Delete {
			head |= 1
		}
		b = binary.AppendUvarint(b, head)
		b = append(b, m.Key...)
		b = append(b, m.Value...)
	}
	return b
}

// SealRecord sets the generation and time of an encoded record. The two are known only inside the adjudicator's critical
// section; everything else is encoded outside it.
func SealRecord(rec []byte, gen Generation, t clock.Timestamp) {
	binary.LittleEndian.PutUint64(rec[offGen:], uint64(gen))
	binary.LittleEndian.PutUint64(rec[offTime:], uint64(t))
	binary.LittleEndian.PutUint32(rec[offHeaderCRC:], headerCRC(rec))
}

// RecordView reads an encoded record in place. Everything it returns points into the record's memory, which nobody
// changes. The zero value is no record.
type RecordView struct {
	b      []byte
	hashes uint32 // where the hashes start
	index  uint32 // where the routing index starts; the images follow it
}

// ParseRecord returns a view of the record at the start of b and the bytes behind it. It checks the header's checksum
// and that every section fits, so that no accessor can fail; the body's checksum is Verify's, for bytes that no frame's
// checksum has covered yet.
func ParseRecord(b []byte) (v RecordView, rest []byte, err error) {
	if len(b) < recordHeader {
		return RecordView{}, nil, corruptRecord("%d bytes are too few", len(b))
	}
	if b[offVersion] != recordVersion {
		return RecordView{}, nil, corruptRecord("version %d is unknown", b[offVersion])
	}
	n := binary.LittleEndian.Uint32(b[offLength:])
	if n < recordHeader || uint64(n) > uint64(len(b)) {
		return RecordView{}, nil, corruptRecord("length %d of %d", n, len(b))
	}
	if binary.LittleEndian.Uint32(b[offHeaderCRC:]) != headerCRC(b) {
		return RecordView{}, nil, corruptRecord("wrong checksum of the header")
	}
	v.b = b[:n:n]
	if err := v.locate(); err != nil {
		return RecordView{}, nil, err
	}
	return v, b[n:], nil
}

func corruptRecord(format string, args ...any) error {
	return failure.New(failure.DataCorrupted, "malformed journal record: "+format, args...)
}

// locate finds the sections and checks that they fit.
func (v *RecordView) locate() error {
	size := uint64(len(v.b))
	at := uint64(recordHeader) + 4*uint64(v.count(countParticipants))
	v.hashes = uint32(at)
	for c := countExclusive; c <= countSchemaWrites; c++ {
		at += 8 * uint64(v.count(c))
	}
	v.index = uint32(at)
	images := uint64(v.count(countImages))
	if images == 0 {
		if at != size {
			return corruptRecord("sections end at %d of %d", at, size)
		}
		return v.checkKind()
	}
	area := at + 4*(images+1)
	if area > size {
		return corruptRecord("sections end at %d of %d", area, size)
	}
	end := size - area
	prev := uint64(0)
	for i := uint64(0); i <= images; i++ {
		off := uint64(binary.LittleEndian.Uint32(v.b[at+4*i:]))
		if off < prev || off > end || (i == 0 && off != 0) || (i == images && off != end) {
			return corruptRecord("image %d at offset %d of %d", i, off, end)
		}
		if i > 0 {
			head, n := binary.Uvarint(v.b[area+prev : area+off])
			if n <= 0 || head>>1 > off-prev-uint64(n) {
				return corruptRecord("key of image %d", i-1)
			}
		}
		prev = off
	}
	return v.checkKind()
}

func (v *RecordView) checkKind() error {
	switch v.Kind() {
	case RecordOwn, RecordGrant, RecordTx, RecordBulk, RecordTombstone, RecordRetire:
		return nil
	case RecordCede, RecordAdopt:
		if v.count(countParticipants) != 1 || v.count(countExclusive) != 2 {
			return corruptRecord("transfer without its range")
		}
		return nil
	default:
		return corruptRecord("kind %d is unknown", v.Kind())
	}
}

// Verify checks the body's checksum.
func (v RecordView) Verify() error {
	if binary.LittleEndian.Uint32(v.b[offBodyCRC:]) != crc32.Checksum(v.b[recordHeader:], castagnoli()) {
		return corruptRecord("wrong checksum of the body")
	}
	return nil
}

func (v *RecordView) count(i int) uint32 { return binary.LittleEndian.Uint32(v.b[offCounts+4*i:]) }

// Valid says whether the view holds a record.
func (v RecordView) Valid() bool { return v.b != nil }

// Bytes returns the encoded record.
func (v RecordView) Bytes() []byte { return v.b }

// Kind returns the record's kind.
func (v RecordView) Kind() RecordKind { return RecordKind(v.b[offKind]) }

// Gen returns the generation that appended the record.
func (v RecordView) Gen() Generation { return Generation(binary.LittleEndian.Uint64(v.b[offGen:])) }

// Time returns the record's time; its meaning depends on the kind.
func (v RecordView) Time() clock.Timestamp {
	return clock.Timestamp(binary.LittleEndian.Uint64(v.b[offTime:]))
}

// ID returns the transaction's id (Tx, Bulk, Tombstone).
func (v RecordView) ID() ID { return ID(v.b[offID : offID+16]) }

// Start returns the transaction's snapshot.
func (v RecordView) Start() clock.Timestamp {
	return clock.Timestamp(binary.LittleEndian.Uint64(v.b[offStart:]))
}

// Attempt returns the number of the commit attempt.
func (v RecordView) Attempt() uint32 { return binary.LittleEndian.Uint32(v.b[offAttempt:]) }

// Chunks returns the number of Bulk records of a Tx, or a Bulk's own number.
func (v RecordView) Chunks() uint32 { return binary.LittleEndian.Uint32(v.b[offChunks:]) }

// Participants returns the number of participants.
func (v RecordView) Participants() int { return int(v.count(countParticipants)) }

// Participant returns the i-th participant.
func (v RecordView) Participant(i int) JournalID {
	return JournalID(binary.LittleEndian.Uint32(v.b[recordHeader+4*i:]))
}

// Transfer returns the range and the other side of a Cede or Adopt.
func (v RecordView) Transfer() (HashRange, JournalID) {
	return HashRange{v.hash(0), v.hash(1)}, v.Participant(0)
}

func (v RecordView) hash(i int) keys.Hash {
	return keys.Hash(binary.LittleEndian.Uint64(v.b[int(v.hashes)+8*i:]))
}

// HashClass selects one of a record's lists of conflict hashes.
type HashClass uint8

// The classes, in the order of the encoding.
const (
	HashExclusive HashClass = iota
	HashShared
	HashSchema
	HashSchemaWrite
)

// Hashes returns the number of hashes of a class.
func (v RecordView) Hashes(c HashClass) int { return int(v.count(countExclusive + int(c))) }

// Hash returns the i-th hash of a class.
func (v RecordView) Hash(c HashClass, i int) keys.Hash {
	for p := HashClass(0); p < c; p++ {
		i += v.Hashes(p)
	}
	return v.hash(i)
}

// Images returns the number of images; they are in key order.
func (v RecordView) Images() int { return int(v.count(countImages)) }

// Key returns the key of the i-th image without touching its value.
func (v RecordView) Key(i int) keys.Key {
	m, _ := v.image(i)
	head, n := binary.Uvarint(m)
	return keys.Key(m[n : n+int(head>>1) : n+int(head>>1)])
}

// Image returns the i-th image, pointing into the record.
func (v RecordView) Image(i int) Image {
	m, _ := v.image(i)
	head, n := binary.Uvarint(m)
	end := n + int(head>>1)
	if head&1 != 0 {
		return Image{Key: keys.Key(m[n:end:end]), Delete: true}
	}
	return Image{Key: keys.Key(m[n:end:end]), Value: m[end:]}
}

func (v RecordView) image(i int) (b []byte, size int) {
	at := int(v.index) + 4*i
	area := int(v.index) + 4*(v.Images()+1)
	from := area + int(binary.LittleEndian.Uint32(v.b[at:]))
	to := area + int(binary.LittleEndian.Uint32(v.b[at+4:]))
	return v.b[from:to:to], to - from
}

// Search returns the number of the first image whose key is at or above k.
func (v RecordView) Search(k keys.Key) int {
	return sort.Search(v.Images(), func(i int) bool { return bytes.Compare(v.Key(i), k) >= 0 })
}

// Record decodes the view, for tools and tests. The slices are new, keys and values point into the record.
func (v RecordView) Record() Record {
	r := Record{Kind: v.Kind(), Gen: v.Gen(), Time: v.Time(), ID: v.ID(), Start: v.Start(), Attempt: v.Attempt(),
		Chunks: v.Chunks()}
	if r.Kind == RecordCede || r.Kind == RecordAdopt {
		r.Range, r.Peer = v.Transfer()
		return r
	}
	for i := range v.Participants() {
		r.Participants = append(r.Participants, v.Participant(i))
	}
	for c, list := range []*[]keys.Hash{&r.Conflicts.Exclusive, &r.Conflicts.Shared, &r.Conflicts.Schema, &r.Conflicts.SchemaWrites} {
		for i := range v.Hashes(HashClass(c)) {
			*list = append(*list, v.Hash(HashClass(c), i))
		}
	}
	for i := range v.Images() {
		r.Images = append(r.Images, v.Image(i))
	}
	return r
}

// Entry is a record at its place in a journal. Indexes count the records of a journal from 1, effective or not.
type Entry struct {
	Index  uint64
	Record RecordView
}

// Fate is what became of an appended record.
type Fate uint8

// The fates.
const (
	FateEffective Fate = iota // durable and in force
	FateRefused               // durable, but without effect: generation, time or interval did not fit; the owner must step down
	FateSettled               // durable, but without effect: its transaction id was committed or tombstoned before
	FateDropped               // it never reached the log: the journal stopped or lost its leadership first
	FateUnknown               // the journal stopped or lost its leadership first: only a later look at the log can tell
)

// Receipt is told once what became of an appended record. The call comes from the goroutine that writes the log and
// must neither block nor append.
type Receipt interface {
	Appended(index uint64, fate Fate)
}
