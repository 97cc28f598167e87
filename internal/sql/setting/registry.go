package setting

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

// Registry is the set of known parameters, shared by all sessions.
type Registry struct {
	defs   []Def
	byName map[string]int
}

// Server holds the values that differ from server to server.
type Server struct {
	MaxConnections string
	Port           string
	DataDirectory  string
	TimeZone       string
	// AutoAnalyze is how often tables are looked for that need ANALYZE, never when it is negative; the next two say which
	// do.
	AutoAnalyze      time.Duration
	AnalyzeThreshold int64
	AnalyzeScale     float64
	// Compat is the default of meridian.compat; "" is "postgres".
	Compat string
}

// Version numbers that clients see: PostgreSQL's, whose behaviour Meridian follows.
const (
	ServerVersion    = "15.18"
	ServerVersionNum = "150018"
)

// NewRegistry makes the registry of a server.
func NewRegistry(srv Server) *Registry {
	r := &Registry{byName: map[string]int{}}
	r.defs = append(r.defs, clientDefs()...)
	r.defs = append(r.defs, plannerDefs()...)
	r.defs = append(r.defs, presetDefs(srv)...)
	r.defs = append(r.defs, compatDefs()...)
	r.defs = append(r.defs, strictDef(srv))
	sort.Slice(r.defs, func(i, j int) bool { return strings.ToLower(r.defs[i].Name) < strings.ToLower(r.defs[j].Name) })
	for i, d := range r.defs {
		r.byName[strings.ToLower(d.Name)] = i
	}
	// An old spelling that drivers still send.
	r.byName["time zone"] = r.byName["timezone"]
	return r
}

const maxInt = math.MaxInt32

func str(name, boot, category string) Def {
	return Def{Name: name, Kind: String, Boot: boot, Category: category}
}

func flag(name, boot, category string) Def {
	return Def{Name: name, Kind: Bool, Boot: boot, Category: category}
}

func num(name, boot, unit string, low, high float64, category string) Def {
	return Def{Name: name, Kind: Int, Boot: boot, Unit: unit, Min: low, Max: high, Category: category}
}

func enum(name, boot, category string, values ...string) Def {
	return Def{Name: name, Kind: Enum, Boot: boot, Values: values, Category: category}
}

func (d Def) reported() Def    { d.Report = true; return d }
func (d Def) in(c Context) Def { d.Context = c; return d }
func (d Def) list() Def        { d.List = true; return d }
func (d Def) quoted() Def      { d.Quoted = true; return d }
func (d Def) given(f func(value, current string) (string, error)) Def {
	d.Given = f
	return d
}
func (d Def) checked(f func(string) (string, bool, error)) Def { d.Check = f; return d }
func only(allowed ...string) func(string) (string, bool, error) {
	return func(v string) (string, bool, error) {
		for _, a := range allowed {
			if strings.EqualFold(a, v) {
				return a, true, nil
			}
		}
		return "", false, nil
	}
}

const (
	catFormat  = "Client Connection Defaults / Locale and Formatting"
	catClient  = "Client Connection Defaults / Statement Behavior"
	catPlanner = "Query Tuning / Planner Method Configuration"
	catCost    = "Query Tuning / Planner Cost Constants"
	catPreset  = "Preset Options"
	catCompat  = "Version and Platform Compatibility / Previous PostgreSQL Versions"
	catMemory  = "Resource Usage / Memory"
	catVacuum  = "Autovacuum"
	catReport  = "Reporting and Logging / What to Log"
)

func isolation(v string) (string, bool, error) {
	return strings.ToLower(v), true, nil
}

func clientDefs() []Def {
	levels := []string{"serializable", "repeatable read", "read committed", "read uncommitted"}
	return []Def{
		str("application_name", "", catReport).reported(),
		str("client_encoding", "UTF8", catFormat).reported().checked(clientEncoding),
		str("DateStyle", "ISO, MDY", catFormat).reported().list().given(dateStyle),
		enum("IntervalStyle", "postgres", catFormat, "postgres", "postgres_verbose", "sql_standard", "iso_8601").reported(),
		str("TimeZone", "UTC", catFormat).reported().checked(timeZone),
		str("timezone_abbreviations", "Default", catFormat),
		num("extra_float_digits", "1", "", -15, 3, catFormat),
		enum("bytea_output", "hex", catFormat, "escape", "hex"),
		str("lc_messages", "C", catFormat).in(Superuser),
		str("lc_monetary", "C", catFormat),
		str("lc_numeric", "C", catFormat),
		str("lc_time", "C", catFormat),
		str("default_text_search_config", "pg_catalog.simple", catFormat),
		str("search_path", `"$user", public`, catClient).list().quoted(),
		enum("client_min_messages", "notice", catClient, "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"),
		num("statement_timeout", "0", "ms", 0, maxInt, catClient),
		num("lock_timeout", "0", "ms", 0, maxInt, catClient),
		num("idle_in_transaction_session_timeout", "0", "ms", 0, maxInt, catClient),
		num("idle_session_timeout", "0", "ms", 0, maxInt, catClient),
		enum("default_transaction_isolation", "repeatable read", catClient, levels...).checked(isolation),
		flag("default_transaction_read_only", "off", catClient).reported(),
		flag("default_transaction_deferrable", "off", catClient),
		enum("transaction_isolation", "repeatable read", catClient, levels...),
		flag("transaction_read_only", "off", catClient),
		flag("transaction_deferrable", "off", catClient),
		str("role", "none", catClient),
		str("session_authorization", "", catClient).reported().in(Internal),
		flag("is_superuser", "on", catPreset).reported().in(Internal),
		flag("check_function_bodies", "on", catClient),
		flag("row_security", "on", catClient),
		str("default_tablespace", "", catClient),
		str("temp_tablespaces", "", catClient).list().quoted(),
		str("default_table_access_method", "heap", catClient),
		enum("xmlbinary", "base64", catClient, "base64", "hex"),
		enum("xmloption", "content", catClient, "content", "document"),
		enum("session_replication_role", "origin", catClient, "origin", "replica", "local").in(Superuser),
		num("gin_fuzzy_search_limit", "0", "", 0, maxInt, catClient),
		enum("synchronous_commit", "on", "Write-Ahead Log / Settings", "local", "remote_write", "remote_apply", "on", "off"),
		num("commit_delay", "0", "", 0, 100000, "Write-Ahead Log / Settings").in(Superuser),
		flag("zero_damaged_pages", "off", "Developer Options").in(Superuser),
		num("tcp_keepalives_idle", "0", "s", 0, maxInt, "Connections and Authentication / Connection Settings"),
		num("tcp_keepalives_interval", "0", "s", 0, maxInt, "Connections and Authentication / Connection Settings"),
		num("tcp_keepalives_count", "0", "", 0, maxInt, "Connections and Authentication / Connection Settings"),
		num("tcp_user_timeout", "0", "ms", 0, maxInt, "Connections and Authentication / Connection Settings"),
		enum("password_encryption", "scram-sha-256", "Connections and Authentication / Authentication", "scram-sha-256"),
	}
}

func plannerDefs() []Def {
	var out []Def
	for _, n := range []string{"async_append", "bitmapscan", "gathermerge", "hashagg", "hashjoin", "incremental_sort", "indexonlyscan",
		"indexscan", "material", "memoize", "mergejoin", "nestloop", "parallel_append", "parallel_hash", "partition_pruning", "seqscan", "sort", "tidscan"} {
		out = append(out, flag("enable_"+n, "on", catPlanner))
	}
	out = append(out, flag("enable_partitionwise_join", "off", catPlanner), flag("enable_partitionwise_aggregate", "off", catPlanner))
	real := func(name, boot string) Def {
		return Def{Name: name, Kind: Real, Boot: boot, Min: 0, Max: math.MaxFloat64, Category: catCost}
	}
	return append(out, real("seq_page_cost", "1"), real("random_page_cost", "4"), real("cpu_tuple_cost", "0.01"),
		real("cpu_index_tuple_cost", "0.005"), real("cpu_operator_cost", "0.0025"),
		num("effective_cache_size", "524288", "8kB", 1, maxInt, catCost),
		num("work_mem", "65536", "kB", 64, maxInt, catMemory),
		num("maintenance_work_mem", "65536", "kB", 1024, maxInt, catMemory),
		num("temp_buffers", "1024", "8kB", 100, maxInt/2, catMemory),
		num("max_parallel_workers_per_gather", "0", "", 0, 1024, "Resource Usage / Asynchronous Behavior"),
		num("join_collapse_limit", "8", "", 1, maxInt, "Query Tuning / Other Planner Options"),
		num("from_collapse_limit", "8", "", 1, maxInt, "Query Tuning / Other Planner Options"),
		num("default_statistics_target", "100", "", 1, 10000, "Query Tuning / Other Planner Options"),
		enum("plan_cache_mode", "auto", "Query Tuning / Other Planner Options", "auto", "force_generic_plan", "force_custom_plan"),
		enum("constraint_exclusion", "partition", "Query Tuning / Other Planner Options", "partition", "on", "off"),
		flag("jit", "off", "Query Tuning / Other Planner Options"),
		flag("geqo", "on", "Query Tuning / Genetic Query Optimizer"),
	)
}

func presetDefs(srv Server) []Def {
	preset := func(name, v string) Def { return str(name, v, catPreset).in(Internal) }
	return []Def{
		preset("server_version", ServerVersion).reported(),
		preset("server_version_num", ServerVersionNum),
		preset("server_encoding", "UTF8").reported(),
		preset("integer_datetimes", "on").reported(),
		preset("in_hot_standby", "off").reported(),
		preset("lc_collate", "C"),
		preset("lc_ctype", "C"),
		preset("max_identifier_length", "63"),
		preset("max_index_keys", "32"),
		preset("max_function_args", "100"),
		preset("block_size", "8192"),
		preset("data_checksums", "on"),
		preset("wal_block_size", "8192"),
		str("max_connections", srv.MaxConnections, "Connections and Authentication / Connection Settings").in(Postmaster),
		str("port", srv.Port, "Connections and Authentication / Connection Settings").in(Postmaster),
		str("data_directory", srv.DataDirectory, "File Locations").in(Postmaster),
		str("listen_addresses", "127.0.0.1", "Connections and Authentication / Connection Settings").in(Postmaster),
		flag("fsync", "on", "Write-Ahead Log / Settings").in(Postmaster),
		flag("full_page_writes", "on", "Write-Ahead Log / Settings").in(Postmaster),
		str("wal_level", "logical", "Write-Ahead Log / Settings").in(Postmaster),
		str("shared_buffers", "16384", catMemory).in(Postmaster),
		num("max_prepared_transactions", "0", "", 0, maxInt, "Resource Usage / Memory").in(Postmaster),
		flag("ssl", "on", "Connections and Authentication / SSL").in(Postmaster),
		flag("autovacuum", map[bool]string{true: "off", false: "on"}[srv.AutoAnalyze < 0], catVacuum).in(Postmaster),
		num("autovacuum_naptime", strconv.Itoa(max(int(srv.AutoAnalyze/time.Second), 1)), "s", 1, maxInt/1000, catVacuum).in(Postmaster),
		num("autovacuum_analyze_threshold", strconv.FormatInt(srv.AnalyzeThreshold, 10), "", 0, maxInt, catVacuum).in(Postmaster),
		Def{Name: "autovacuum_analyze_scale_factor", Kind: Real, Boot: strconv.FormatFloat(srv.AnalyzeScale, 'g', -1, 64), Max: 100,
			Category: catVacuum, Context: Postmaster},
		str("shared_preload_libraries", "", "Client Connection Defaults / Shared Library Preloading").in(Postmaster),
	}
}

func compatDefs() []Def {
	return []Def{
		flag("standard_conforming_strings", "on", catCompat).reported().checked(func(v string) (string, bool, error) {
			if v != "on" {
				return "", false, failure.NotSupported("standard_conforming_strings = off")
			}
			return v, true, nil
		}),
		flag("escape_string_warning", "on", catCompat),
		flag("array_nulls", "on", catCompat),
		enum("backslash_quote", "safe_encoding", catCompat, "safe_encoding", "on", "off"),
		flag("quote_all_identifiers", "off", catCompat),
		flag("synchronize_seqscans", "on", catCompat),
		flag("lo_compat_privileges", "off", catCompat).in(Superuser),
		flag("transform_null_equals", "off", catCompat).checked(only("off")),
		enum("log_statement", "none", catReport, "none", "ddl", "mod", "all").in(Superuser),
		num("log_min_duration_statement", "-1", "ms", -1, maxInt, catReport).in(Superuser),
		enum("log_min_messages", "warning", catReport, "debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic").in(Superuser),
		flag("track_activities", "on", "Statistics / Cumulative Query and Index Statistics").in(Superuser),
		flag("track_counts", "on", "Statistics / Cumulative Query and Index Statistics").in(Superuser),
		flag("track_io_timing", "off", "Statistics / Cumulative Query and Index Statistics").in(Superuser),
	}
}

func clientEncoding(v string) (string, bool, error) {
	// Only letters and digits count, as in PostgreSQL: some clients send quotes.
	key := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(v))
	switch key {
	case "utf8", "unicode":
		return "UTF8", true, nil
	case "sqlascii":
		return "SQL_ASCII", true, nil
	case "latin1", "iso88591", "latin9", "win1252", "windows1252", "euckr", "eucjp", "sjis", "big5", "gbk":
		return "", false, failure.NotSupported("client encoding %q is", v).WithHint("Use UTF8.")
	}
	return "", false, nil
}

// dateStyle merges a partial value such as "DMY" or "SQL" into a full one. The missing half takes its default.
func dateStyle(v, current string) (string, error) {
	style, order, _ := strings.Cut(current, ", ")
	haveStyle, haveOrder := false, false
	invalid := func(detail string) error {
		return failure.New(failure.InvalidParameterValue, "invalid value for parameter \"DateStyle\": \"%s\"", v).WithDetail("%s", detail)
	}
	conflict := false
	setStyle := func(s string) {
		conflict = conflict || haveStyle && style != s
		style, haveStyle = s, true
	}
	setOrder := func(o string) {
		conflict = conflict || haveOrder && order != o
		order, haveOrder = o, true
	}
	for part := range strings.SplitSeq(v, ",") {
		word := strings.TrimSpace(part)
		switch w := strings.ToUpper(word); {
		case w == "ISO" || w == "SQL":
			setStyle(w)
		case strings.HasPrefix(w, "POSTGRES"):
			setStyle("Postgres")
		case w == "GERMAN":
			setStyle("German")
			if !haveOrder {
				order = "DMY"
			}
		case w == "DMY" || w == "MDY" || w == "YMD":
			setOrder(w)
		case w == "US" || strings.HasPrefix(w, "NONEURO"):
			setOrder("MDY")
		case strings.HasPrefix(w, "EURO"):
			setOrder("DMY")
		case w == "DEFAULT":
			if !haveStyle {
				style = "ISO"
			}
			if !haveOrder {
				order = "MDY"
			}
		default:
			return "", invalid("Unrecognized key word: \"" + strings.ToLower(word) + "\".")
		}
	}
	if conflict {
		return "", invalid("Conflicting \"datestyle\" specifications.")
	}
	return style + ", " + order, nil
}

// timeZone accepts names of the tz database, UTC offsets in hours, and POSIX-like forms such as UTC+3.
func timeZone(v string) (string, bool, error) {
	if _, ok := Location(v); !ok {
		return "", false, nil
	}
	if strings.EqualFold(v, "default") || strings.EqualFold(v, "local") {
		return "UTC", true, nil
	}
	if hours, err := strconv.ParseFloat(v, 64); err == nil {
		return OffsetZone(int(hours * 3600)), true, nil
	}
	if loc, _ := Location(v); loc != nil && strings.EqualFold(loc.String(), v) {
		return loc.String(), true, nil
	}
	return v, true, nil
}

// OffsetZone is the name of the zone that lies some seconds east of Greenwich, in POSIX's form.
func OffsetZone(east int) string {
	sign, back, n := "+", "-", east
	if east < 0 {
		sign, back, n = "-", "+", -east
	}
	t := fmt.Sprintf("%02d", n/3600)
	if n %= 3600; n != 0 {
		t += fmt.Sprintf(":%02d", n/60)
		if n %= 60; n != 0 {
			t += fmt.Sprintf(":%02d", n)
		}
	}
	return "<" + sign + t + ">" + back + t
}

// Location finds the time zone of a TimeZone value.
func Location(v string) (*time.Location, bool) {
	if strings.EqualFold(v, "default") || strings.EqualFold(v, "local") || strings.EqualFold(v, "utc") || v == "" {
		return time.UTC, true
	}
	if loc, err := time.LoadLocation(v); err == nil {
		return loc, true
	}
	if loc, err := time.LoadLocation(strings.ToUpper(v)); err == nil {
		return loc, true
	}
	if parts := strings.Split(v, "/"); len(parts) > 1 {
		for i, p := range parts {
			if p != "" {
				parts[i] = strings.ToUpper(p[:1]) + strings.ToLower(p[1:])
			}
		}
		if loc, err := time.LoadLocation(strings.Join(parts, "/")); err == nil {
			return loc, true
		}
	}
	if hours, err := strconv.ParseFloat(v, 64); err == nil && math.Abs(hours) <= 168 {
		return offsetZone(OffsetZone(int(hours * 3600)))
	}
	return offsetZone(v)
}

// offsetZone reads "<+03>-03", "+3", "-5:30", "UTC+3". A bare number is hours east of Greenwich; POSIX forms count west.
func offsetZone(v string) (*time.Location, bool) {
	s, sign := v, 1
	if strings.HasPrefix(s, "<") {
		i := strings.IndexByte(s, '>')
		if i < 0 {
			return nil, false
		}
		s, sign = s[i+1:], -1
	} else if i := strings.IndexFunc(s, func(r rune) bool { return r == '+' || r == '-' || (r >= '0' && r <= '9') }); i > 0 {
		for _, ch := range s[:i] {
			if ch < 'A' || (ch > 'Z' && ch < 'a') || ch > 'z' {
				return nil, false
			}
		}
		s, sign = s[i:], -1
	}
	if s == "" {
		return nil, false
	}
	if s[0] == '+' {
		s = s[1:]
	} else if s[0] == '-' {
		s, sign = s[1:], -sign
	}
	hms := strings.Split(s, ":")
	if len(hms) > 3 {
		return nil, false
	}
	seconds := 0
	for i, part := range hms {
		n := 0
		if part == "" || len(part) > 4 {
			return nil, false
		}
		for _, ch := range []byte(part) {
			if ch < '0' || ch > '9' {
				return nil, false
			}
			n = n*10 + int(ch-'0')
		}
		seconds += n * [...]int{3600, 60, 1}[i]
	}
	if seconds > 168*3600 {
		return nil, false
	}
	return time.FixedZone(v, sign*seconds), true
}
