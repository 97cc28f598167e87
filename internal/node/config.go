package node

import (
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// Config of a node. Zero values mean the defaults in parentheses.
type Config struct {
	Host    host.Host
	Log     *slog.Logger
	Version string
	// DataDir is the folder of everything durable.
	DataDir string
	// Listen is the address of the SQL port (127.0.0.1:5432).
	Listen string
	// ConflictRanges is the number of conflict ranges of a new data folder (2); an existing one keeps its number.
	ConflictRanges int
	// CacheBytes is for blocks and hot rows (a quarter of memory, at most 4 GiB).
	CacheBytes int64
	// QueryMemoryBytes bounds one query before it spills (256 MiB).
	QueryMemoryBytes int64
	// Retention of old versions (5 min).
	Retention      time.Duration
	MaxConnections int
	// PlaintextAnywhere and TrustAnywhere relax what other machines must do to connect.
	PlaintextAnywhere, TrustAnywhere bool
	// ProfileAddress serves runtime profiles when not empty.
	ProfileAddress string
	// AutoAnalyze is how often tables that have changed much are looked for and analysed (1 min); negative is never.
	AutoAnalyze time.Duration
	// TransactionRows, TransactionBytes and TransactionAge bound one transaction (no limit, 1 GiB, 24 h).
	TransactionRows  int
	TransactionBytes int64
	TransactionAge   time.Duration
	// Compat is the default of meridian.compat: "postgres" (the default) or "dsql".
	Compat string
	// LogSegmentBytes is the size of a file of the journals' log (64 MiB).
	LogSegmentBytes int64
	// Cluster makes the node a member of a cluster; nil is a process alone.
	Cluster *ClusterConfig
	// Tamper plants bugs, in simulations only.
	Tamper *Tamper
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.DataDir == "" {
		c.DataDir = "./meridian-data"
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:5432"
	}
	if c.ConflictRanges == 0 {
		c.ConflictRanges = 2
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = min(memoryBytes()/4, 4<<30)
	}
	if c.QueryMemoryBytes == 0 {
		c.QueryMemoryBytes = 256 << 20
	}
	if c.Retention == 0 {
		c.Retention = 5 * time.Minute
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 1000
	}
	if c.AutoAnalyze == 0 {
		c.AutoAnalyze = time.Minute
	}
	if c.TransactionBytes == 0 {
		c.TransactionBytes = 1 << 30
	}
	if c.TransactionAge == 0 {
		c.TransactionAge = 24 * time.Hour
	}
	if c.Cluster != nil {
		k := *c.Cluster
		if k.ClockMax == 0 {
			k.ClockMax = 50 * time.Millisecond
		}
		c.Cluster = &k
	}
	return c
}

// memoryBytes is the machine's memory, or 1 GiB when it cannot be told.
func memoryBytes() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 1 << 30
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	return 1 << 30
}
