package mvcc

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/cockroachkvs"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/meridiandb/meridian/internal/host"
)

// formatVersion is pinned: a new library must not change the files until we say so.
const formatVersion = pebble.FormatTableFormatV6

// Config of a store.
type Config struct {
	// FS and Dir say where the files are.
	FS  host.FS
	Dir string
	// VFS replaces FS in tests that need Pebble's own crashable memory.
	VFS vfs.FS
	// CacheBytes is the size of the block cache. 0 is 256 MiB.
	CacheBytes int64
	// HotBytes is the size of the cache of single rows. 0 is 64 MiB.
	HotBytes int64
	// MemTableBytes is the size of one memtable; up to four are held, and what they hold is what a restart has to replay.
	// 0 is 32 MiB.
	MemTableBytes uint64
	// Compactions is how many may run at once. 0 is 2.
	Compactions int
	// Fatal is told, once, of an error after which the store must not be used: the disk is full or broken. It must not
	// call back into the store before it returns.
	Fatal func(error)
	// Flushed, when set, is told after every flush of a memtable that positions became durable. It must not block.
	Flushed func()
}

func (c *Config) ensureDefaults() {
	if c.CacheBytes == 0 {
		c.CacheBytes = 256 << 20
	}
	if c.HotBytes == 0 {
		c.HotBytes = 64 << 20
	}
	if c.MemTableBytes == 0 {
		c.MemTableBytes = 32 << 20
	}
	if c.Compactions == 0 {
		c.Compactions = 2
	}
	if c.Fatal == nil {
		c.Fatal = func(error) {}
	}
	if c.Flushed == nil {
		c.Flushed = func() {}
	}
}

// options are Pebble's.
func (s *Store) options() *pebble.Options {
	schema := cockroachkvs.KeySchema
	files := s.cfg.VFS
	if files == nil {
		files = hostFS{s.cfg.FS, s}
	}
	o := &pebble.Options{
		FS:                          files,
		Comparer:                    &cockroachkvs.Comparer,
		KeySchema:                   schema.Name,
		KeySchemas:                  sstable.MakeKeySchemas(&schema),
		BlockPropertyCollectors:     cockroachkvs.BlockPropertyCollectors,
		FormatMajorVersion:          formatVersion,
		DisableWAL:                  true,
		CacheSize:                   s.cfg.CacheBytes,
		MemTableSize:                s.cfg.MemTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, s.cfg.Compactions },
		Logger:                      logger{s},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.fail(err) },
			FlushEnd: func(i pebble.FlushInfo) {
				if i.Err == nil {
					s.cfg.Flushed()
				}
			},
		},
	}
	for i := range o.Levels {
		o.Levels[i] = pebble.LevelOptions{
			BlockSize:      16 << 10,
			IndexBlockSize: 128 << 10,
			FilterPolicy:   bloom.FilterPolicy(10),
			FilterType:     pebble.TableFilter,
		}
	}
	// The last level holds nearly everything, and nearly every look-up finds its row there.
	o.Levels[len(o.Levels)-1].FilterPolicy = pebble.NoFilterPolicy
	return o
}
