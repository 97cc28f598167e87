package builtin

import (
	"math"
	"math/bits"
	"net/netip"
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerSystem registers information functions, sequences, settings, randomness and time that needs no calendar.
func registerSystem(r *registry) {
	r.sessionFacts()
	r.typeFacts()
	r.sequences()
	r.settings()
	r.clocks()
	r.randomness()
	r.delegates()
	r.encodings()
	r.pgSizes()
}

// constant0 registers a function without arguments.
func (r *registry) constant0(name string, f func(c *Context) (datum.Datum, error)) {
	r.impl[name] = func(c *Context, _ []datum.Datum) (datum.Datum, error) { return f(c) }
}

func (r *registry) sessionFacts() {
	text := func(f func(c *Context) string) func(*Context) (datum.Datum, error) {
		return func(c *Context) (datum.Datum, error) { return datum.NewText(f(c)), nil }
	}
	r.constant0("current_user", text(func(c *Context) string { return c.User }))
	r.constant0("session_user", text(func(c *Context) string { return c.SessionUser }))
	r.constant0("current_database", text(func(c *Context) string { return c.Database }))
	r.constant0("pgsql_version", text(func(c *Context) string {
		if c.FullVersion != "" {
			return c.FullVersion
		}
		return "PostgreSQL 15.18 (Meridian " + c.Version + ")"
	}))
	r.constant0("getdatabaseencoding", text(func(*Context) string { return "UTF8" }))
	r.constant0("pg_client_encoding", text(func(c *Context) string { return c.setting("client_encoding", "UTF8") }))
	r.constant0("pg_backend_pid", func(c *Context) (datum.Datum, error) { return datum.NewInt(int64(c.BackendPID)), nil })
	r.addresses()
	r.constant0("pg_current_xact_id", func(c *Context) (datum.Datum, error) { return c.transactionID(true) })
	r.constant0("pg_current_xact_id_if_assigned", func(c *Context) (datum.Datum, error) { return c.transactionID(false) })
	r.constant0("pg_is_in_recovery", func(*Context) (datum.Datum, error) { return datum.NewBool(false), nil })
	r.constant0("pg_jit_available", func(*Context) (datum.Datum, error) { return datum.NewBool(false), nil })
	r.constant0("pg_trigger_depth", func(*Context) (datum.Datum, error) { return datum.NewInt(0), nil })
	r.constant0("pg_notification_queue_usage", func(*Context) (datum.Datum, error) { return datum.NewFloat(0), nil })
	r.set["pg_listening_channels"] = func(*Call, *Context, []datum.Datum) (RowIter, error) { return &sliceRows{}, nil }
	r.constant0("current_schema", func(c *Context) (datum.Datum, error) {
		path, err := c.searchPath(false)
		if err != nil || len(path) == 0 {
			return datum.Null, err
		}
		return datum.NewText(path[0]), nil
	})
	r.impl["current_schemas"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		path, err := c.searchPath(a[0].Bool())
		if err != nil {
			return datum.Null, err
		}
		out := make([]datum.Datum, len(path))
		for i, p := range path {
			out[i] = datum.NewText(p)
		}
		return datum.NewArray1(datum.OIDName, out), nil
	}
}

// addresses registers the functions that tell the ends of the connection; NULL when it has none.
func (r *registry) addresses() {
	for name, end := range map[string]func(c *Context) netip.AddrPort{
		"client": func(c *Context) netip.AddrPort { return c.Client }, "server": func(c *Context) netip.AddrPort { return c.Server },
	} {
		r.constant0("inet_"+name+"_addr", func(c *Context) (datum.Datum, error) {
			a := end(c).Addr().Unmap()
			if !a.IsValid() {
				return datum.Null, nil
			}
			n := datum.Net{Family: datum.NetIPv4, Prefix: 32}
			if a.Is6() {
				n.Family, n.Prefix = datum.NetIPv6, 128
			}
			copy(n.Addr[:], a.AsSlice())
			return datum.NewNet(n), nil
		})
		r.constant0("inet_"+name+"_port", func(c *Context) (datum.Datum, error) {
			if !end(c).IsValid() {
				return datum.Null, nil
			}
			return datum.NewInt(int64(end(c).Port())), nil
		})
	}
}

func (c *Context) transactionID(assign bool) (datum.Datum, error) {
	s, err := c.session("pg_current_xact_id")
	if err != nil {
		return datum.Null, err
	}
	id, err := s.TransactionID(assign)
	if err != nil || id == 0 {
		return datum.Null, err
	}
	return datum.NewInt(int64(id)), nil
}

// columnSize is pg_column_size: the type's length, or the bytes of a value of variable length with its header.
func columnSize(call *Call) (Impl, error) {
	t := call.Facts.TypeByOID(call.argType(0))
	if t == nil {
		return nil, call.Func.notSupported(call.Facts)
	}
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		switch {
		case t.Len > 0:
			return datum.NewInt(int64(t.Len)), nil
		case a[0].Kind() == datum.KindText && t.Len == -2:
			return datum.NewInt(int64(len(a[0].Text()) + 1)), nil
		case a[0].Kind() == datum.KindText || a[0].Kind() == datum.KindBytes:
			return datum.NewInt(int64(len(a[0].Text()) + 4)), nil
		}
		return datum.Null, failure.NotSupported("pg_column_size of type %s", c.Facts.TypeName(t.OID))
	}, nil
}

func (c *Context) searchPath(implicit bool) ([]string, error) {
	s, err := c.session("current_schemas")
	if err != nil {
		return nil, err
	}
	return s.SearchPath(implicit)
}

func (c *Context) setting(name, otherwise string) string {
	if c.Session != nil {
		if v, ok := c.Session.Setting(name); ok {
			return v
		}
	}
	return otherwise
}

func (r *registry) typeFacts() {
	r.bind["pg_typeof"] = func(call *Call) (Impl, error) {
		oid := datum.NewInt(int64(call.argType(0)))
		return func(*Context, []datum.Datum) (datum.Datum, error) { return oid, nil }, nil
	}
	r.impl["format_type"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].IsNull() {
			return datum.Null, nil
		}
		oid := OID(a[0].Int())
		if a[1].IsNull() {
			return datum.NewText(c.Facts.TypeName(oid)), nil
		}
		return datum.NewText(c.Facts.FormatType(datum.Type{OID: oid, Mod: int32(a[1].Int())})), nil
	}
	r.impl["oidvectortypes"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		var b strings.Builder
		for i, e := range a[0].Array().Elems {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(c.Facts.TypeName(OID(e.Int())))
		}
		return datum.NewText(b.String()), nil
	}
	nulls := func(count bool) Bind {
		return func(call *Call) (Impl, error) {
			if err := checkVariadicArray(call, 0); err != nil {
				return nil, err
			}
			return func(_ *Context, a []datum.Datum) (datum.Datum, error) {
				vals, _, ok := variadicArgs(call, a, 0)
				if !ok {
					return datum.Null, nil
				}
				n := 0
				for _, v := range vals {
					if v.IsNull() == count {
						n++
					}
				}
				return datum.NewInt(int64(n)), nil
			}, nil
		}
	}
	r.bind["pg_num_nulls"], r.bind["pg_num_nonnulls"] = nulls(true), nulls(false)
	r.bind["pg_collation_for"] = func(call *Call) (Impl, error) {
		t := call.argType(0)
		coll := datum.Null
		if call.Facts.Collation(t) != 0 {
			coll = datum.NewText(`"default"`)
		} else if t != datum.OIDUnknown {
			return nil, failure.New(failure.DatatypeMismatch, "collations are not supported by type %s",
				call.Facts.TypeName(t))
		}
		return func(*Context, []datum.Datum) (datum.Datum, error) { return coll, nil }, nil
	}
	r.bind["pg_column_size"] = columnSize
	r.bind["pg_column_compression"] = func(*Call) (Impl, error) {
		return func(*Context, []datum.Datum) (datum.Datum, error) { return datum.Null, nil }, nil
	}
}

func (r *registry) sequences() {
	one := func(what string, f func(s Session, oid OID) (int64, error)) Impl {
		return func(c *Context, a []datum.Datum) (datum.Datum, error) {
			s, err := c.session(what)
			if err != nil {
				return datum.Null, err
			}
			n, err := f(s, OID(a[0].Int()))
			return datum.NewInt(n), err
		}
	}
	r.impl["nextval_oid"] = one("nextval", Session.NextVal)
	r.impl["currval_oid"] = one("currval", Session.CurrVal)
	setval := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session("setval")
		if err != nil {
			return datum.Null, err
		}
		n, err := s.SetVal(OID(a[0].Int()), a[1].Int(), len(a) < 3 || a[2].Bool())
		return datum.NewInt(n), err
	}
	r.impl["setval_oid"], r.impl["setval3_oid"] = setval, setval
	r.constant0("lastval", func(c *Context) (datum.Datum, error) {
		s, err := c.session("lastval")
		if err != nil {
			return datum.Null, err
		}
		n, err := s.LastVal()
		return datum.NewInt(n), err
	})
}

func (r *registry) settings() {
	show := func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session("current_setting")
		if err != nil {
			return datum.Null, err
		}
		v, ok := s.Setting(a[0].Text())
		if !ok {
			if len(a) > 1 && a[1].Bool() {
				return datum.Null, nil
			}
			return datum.Null, failure.New(failure.UndefinedObject, `unrecognized configuration parameter "%s"`, a[0].Text())
		}
		return datum.NewText(v), nil
	}
	r.impl["show_config_by_name"], r.impl["show_config_by_name_missing_ok"] = show, show
	r.impl["set_config_by_name"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session("set_config")
		if err != nil {
			return datum.Null, err
		}
		if a[0].IsNull() {
			return datum.Null, failure.New(failure.NullValueNotAllowed, "SET requires parameter name")
		}
		value := ""
		if !a[1].IsNull() {
			value = a[1].Text()
		}
		v, err := s.SetSetting(a[0].Text(), value, a[2].IsTrue())
		return datum.NewText(v), err
	}
}

func (r *registry) clocks() {
	r.constant0("now", func(c *Context) (datum.Datum, error) { return datum.NewTimestampTZ(c.TransactionTime), nil })
	r.constant0("statement_timestamp", func(c *Context) (datum.Datum, error) {
		return datum.NewTimestampTZ(c.StatementTime), nil
	})
	r.constant0("clock_timestamp", func(c *Context) (datum.Datum, error) {
		s, err := c.session("clock_timestamp")
		if err != nil {
			return datum.Null, err
		}
		return datum.NewTimestampTZ(s.Now()), nil
	})
	r.impl["pg_sleep"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		return voidResult(c.sleep(a[0].Float() * 1e6))
	}
	r.impl["pg_sleep_until(timestamptz)"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session("pg_sleep")
		if err != nil {
			return datum.Null, err
		}
		return voidResult(c.sleep(float64(a[0].Int() - s.Now())))
	}
}

// voidResult is what a function returning void gives: an empty text.
func voidResult(err error) (datum.Datum, error) { return datum.NewText(""), err }

func (c *Context) sleep(us float64) error {
	s, err := c.session("pg_sleep")
	if err != nil {
		return err
	}
	if us > 0 {
		return s.Sleep(int64(min(us, math.MaxInt64/2)))
	}
	return nil
}

// randomState is the generator behind random(): xoroshiro128**.
type randomState struct {
	s0, s1 uint64
	seeded bool
}

func (g *randomState) next() uint64 {
	x := g.s1 ^ g.s0
	v := bits.RotateLeft64(g.s0*5, 7) * 9
	g.s0 = bits.RotateLeft64(g.s0, 24) ^ x ^ x<<16
	g.s1 = bits.RotateLeft64(x, 37)
	return v
}

// seed sets the state from one number by splitmix64.
func (g *randomState) seed(n uint64) {
	split := func() uint64 {
		n += 0x9e3779b97f4a7c15
		v := n
		v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
		v = (v ^ v>>27) * 0x94d049bb133111eb
		return v ^ v>>31
	}
	g.s0, g.s1 = split(), split()
	g.seeded = true
}

// RandomSeed carries random()'s state from one statement's Context to the next of the same session.
type RandomSeed struct{ state randomState }

// SetRandom installs a session's generator; without one, random() seeds itself from Session.RandomBytes.
func (c *Context) SetRandom(s *RandomSeed) { c.scratch.random = &s.state }

func (c *Context) generator() (*randomState, error) {
	if c.scratch.random == nil {
		c.scratch.random = &randomState{}
	}
	g := c.scratch.random
	if !g.seeded {
		s, err := c.session("random")
		if err != nil {
			return nil, err
		}
		var b [8]byte
		s.RandomBytes(b[:])
		n := uint64(0)
		for _, x := range b {
			n = n<<8 | uint64(x)
		}
		g.seed(n)
	}
	return g, nil
}

func (r *registry) randomness() {
	r.constant0("drandom", func(c *Context) (datum.Datum, error) {
		g, err := c.generator()
		if err != nil {
			return datum.Null, err
		}
		return datum.NewFloat(math.Ldexp(float64(g.next()>>12), -52)), nil
	})
	r.impl["setseed"] = func(c *Context, a []datum.Datum) (datum.Datum, error) {
		x := a[0].Float()
		if x < -1 || x > 1 || x != x {
			return datum.Null, failure.New(failure.InvalidParameterValue,
				"setseed parameter %s is out of allowed range [-1,1]", formatG(x))
		}
		if c.scratch.random == nil {
			c.scratch.random = &randomState{}
		}
		c.scratch.random.seed(uint64(int64(x * (1<<52 - 1))))
		return voidResult(nil)
	}
	r.constant0("gen_random_uuid", func(c *Context) (datum.Datum, error) {
		s, err := c.session("gen_random_uuid")
		if err != nil {
			return datum.Null, err
		}
		b := make([]byte, 16)
		s.RandomBytes(b)
		b[6] = b[6]&0x0f | 0x40
		b[8] = b[8]&0x3f | 0x80
		return datum.NewUUIDBytes(b), nil
	})
}

func (r *registry) encodings() {
	utf8Name := func(s string) bool {
		s = strings.ToUpper(strings.ReplaceAll(s, "-", ""))
		return s == "UTF8" || s == "UNICODE" || s == "SQL_ASCII"
	}
	check := func(name string) error {
		if !utf8Name(name) {
			return failure.NotSupported("conversion of encoding %s", name)
		}
		return nil
	}
	r.impl["pg_convert_from"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if err := check(a[1].Text()); err != nil {
			return datum.Null, err
		}
		if err := CheckUTF8(a[0].Text()); err != nil {
			return datum.Null, err
		}
		return datum.NewText(a[0].Text()), nil
	}
	r.impl["pg_convert_to"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		return datum.NewBytes(a[0].Bytes()), check(a[1].Text())
	}
	r.impl["pg_convert"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if err := check(a[1].Text()); err != nil {
			return datum.Null, err
		}
		return a[0], check(a[2].Text())
	}
	r.impl["length_in_encoding"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if err := check(a[1].Text()); err != nil {
			return datum.Null, err
		}
		return datum.NewInt(int64(runeLen(a[0].Text()))), CheckUTF8(a[0].Text())
	}
	r.impl["PG_encoding_to_char"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		switch a[0].Int() {
		case 6:
			return datum.NewText("UTF8"), nil
		case 0:
			return datum.NewText("SQL_ASCII"), nil
		}
		return datum.NewText(""), nil
	}
	r.impl["PG_char_to_encoding"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if utf8Name(a[0].Text()) {
			return datum.NewInt(6), nil
		}
		return datum.NewInt(-1), nil
	}
	r.impl["pg_encoding_max_length_sql"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		if a[0].Int() == 6 {
			return datum.NewInt(4), nil
		}
		return datum.NewInt(1), nil
	}
}

// delegates registers what the session computes over the catalogue and the server's state.
func (r *registry) delegates() {
	for _, name := range strings.Fields(systemFunctions) {
		r.bind[name], r.system[name] = bindSystem, true
	}
	for _, name := range strings.Fields(systemSets) {
		r.system[name] = true
		r.set[name] = func(call *Call, c *Context, a []datum.Datum) (RowIter, error) {
			s, err := c.session(call.Func.Name)
			if err != nil {
				return nil, err
			}
			rows, err := s.SystemRows(call.Func, a)
			if err != nil {
				return nil, err
			}
			return &recordRows{rows: rows}, nil
		}
	}
}

// Delegate makes the session compute a function.
func Delegate(fn *Func) *Func {
	fn.Bind, fn.System = bindSystem, true
	if fn.RetSet {
		fn.Set = func(call *Call, c *Context, a []datum.Datum) (RowIter, error) {
			s, err := c.session(call.Func.Name)
			if err != nil {
				return nil, err
			}
			rows, err := s.SystemRows(call.Func, append([]datum.Datum(nil), a...))
			if err != nil {
				return nil, err
			}
			return &recordRows{rows: rows}, nil
		}
	}
	return fn
}

func bindSystem(call *Call) (Impl, error) {
	fn := call.Func
	return func(c *Context, a []datum.Datum) (datum.Datum, error) {
		s, err := c.session(fn.Name)
		if err != nil {
			return datum.Null, err
		}
		return s.SystemFunction(fn, a)
	}, nil
}

// systemFunctions are the prosrc names (signatures for SQL functions) that Session.SystemFunction answers.
const systemFunctions = `
current_query pg_postmaster_start_time pg_my_temp_schema pg_is_other_temp_schema
pg_conf_load_time pg_cancel_backend pg_terminate_backend pg_reload_conf pg_blocking_pids pg_notify pg_export_snapshot
pg_advisory_lock_int4 pg_advisory_lock_int8 pg_advisory_lock_shared_int4 pg_advisory_lock_shared_int8
pg_advisory_unlock_all pg_advisory_unlock_int4 pg_advisory_unlock_int8 pg_advisory_unlock_shared_int4
pg_advisory_unlock_shared_int8 pg_advisory_xact_lock_int4 pg_advisory_xact_lock_int8 pg_advisory_xact_lock_shared_int4
pg_advisory_xact_lock_shared_int8 pg_try_advisory_lock_int4 pg_try_advisory_lock_int8 pg_try_advisory_lock_shared_int4
pg_try_advisory_lock_shared_int8 pg_try_advisory_xact_lock_int4 pg_try_advisory_xact_lock_int8
pg_try_advisory_xact_lock_shared_int4 pg_try_advisory_xact_lock_shared_int8
pg_xact_status pg_xact_commit_timestamp
pg_collation_is_visible pg_conversion_is_visible pg_function_is_visible pg_opclass_is_visible pg_operator_is_visible
pg_opfamily_is_visible pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible
pg_ts_template_is_visible pg_type_is_visible pg_statistics_obj_is_visible
pg_get_constraintdef pg_get_constraintdef_ext pg_get_expr pg_get_expr_ext pg_get_function_arg_default
pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody
pg_get_functiondef pg_get_indexdef pg_get_indexdef_ext pg_get_partition_constraintdef pg_get_partkeydef
pg_get_replica_identity_index pg_get_ruledef pg_get_ruledef_ext pg_get_serial_sequence pg_get_statisticsobjdef
pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_triggerdef_ext
pg_get_userbyid pg_get_viewdef pg_get_viewdef_ext pg_get_viewdef_name pg_get_viewdef_name_ext pg_get_viewdef_wrap
pg_describe_object pg_relation_filenode pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable
pg_column_is_updatable pg_filenode_relation pg_partition_root pg_sequence_last_value pg_sequence_parameters
pg_relation_size pg_relation_size(regclass) pg_table_size pg_total_relation_size pg_indexes_size pg_database_size_name
pg_database_size_oid pg_tablespace_size_name pg_tablespace_size_oid pg_tablespace_location
pg_index_column_has_property pg_index_has_property pg_indexam_has_property amvalidate
obj_description(oid,name) obj_description(oid) col_description(oid,int4) shobj_description(oid,name)
to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype
acldefault_sql text_regclass row_security_active row_security_active_name pg_identify_object pg_identify_object_as_address
pg_get_object_address pg_settings_get_flags pg_extension_config_dump
has_any_column_privilege_id has_any_column_privilege_id_id has_any_column_privilege_id_name
has_any_column_privilege_name has_any_column_privilege_name_id has_any_column_privilege_name_name
has_column_privilege_id_attnum has_column_privilege_id_id_attnum has_column_privilege_id_id_name
has_column_privilege_id_name has_column_privilege_id_name_attnum has_column_privilege_id_name_name
has_column_privilege_name_attnum has_column_privilege_name_id_attnum has_column_privilege_name_id_name
has_column_privilege_name_name has_column_privilege_name_name_attnum has_column_privilege_name_name_name
has_database_privilege_id has_database_privilege_id_id has_database_privilege_id_name has_database_privilege_name
has_database_privilege_name_id has_database_privilege_name_name
has_foreign_data_wrapper_privilege_id has_foreign_data_wrapper_privilege_id_id
has_foreign_data_wrapper_privilege_id_name has_foreign_data_wrapper_privilege_name
has_foreign_data_wrapper_privilege_name_id has_foreign_data_wrapper_privilege_name_name
has_function_privilege_id has_function_privilege_id_id has_function_privilege_id_name has_function_privilege_name
has_function_privilege_name_id has_function_privilege_name_name
has_language_privilege_id has_language_privilege_id_id has_language_privilege_id_name has_language_privilege_name
has_language_privilege_name_id has_language_privilege_name_name
has_parameter_privilege_id_name has_parameter_privilege_name has_parameter_privilege_name_name
has_schema_privilege_id has_schema_privilege_id_id has_schema_privilege_id_name has_schema_privilege_name
has_schema_privilege_name_id has_schema_privilege_name_name
has_sequence_privilege_id has_sequence_privilege_id_id has_sequence_privilege_id_name has_sequence_privilege_name
has_sequence_privilege_name_id has_sequence_privilege_name_name
has_server_privilege_id has_server_privilege_id_id has_server_privilege_id_name has_server_privilege_name
has_server_privilege_name_id has_server_privilege_name_name
has_table_privilege_id has_table_privilege_id_id has_table_privilege_id_name has_table_privilege_name
has_table_privilege_name_id has_table_privilege_name_name
has_tablespace_privilege_id has_tablespace_privilege_id_id has_tablespace_privilege_id_name
has_tablespace_privilege_name has_tablespace_privilege_name_id has_tablespace_privilege_name_name
has_type_privilege_id has_type_privilege_id_id has_type_privilege_id_name has_type_privilege_name
has_type_privilege_name_id has_type_privilege_name_name
pg_has_role_id pg_has_role_id_id pg_has_role_id_name pg_has_role_name pg_has_role_name_id pg_has_role_name_name
pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_get_analyze_count pg_stat_get_archiver
pg_stat_get_autoanalyze_count pg_stat_get_autovacuum_count pg_stat_get_backend_activity
pg_stat_get_backend_activity_start pg_stat_get_backend_client_addr pg_stat_get_backend_client_port
pg_stat_get_backend_dbid pg_stat_get_backend_pid pg_stat_get_backend_start pg_stat_get_backend_userid
pg_stat_get_backend_wait_event pg_stat_get_backend_wait_event_type pg_stat_get_backend_xact_start
pg_stat_get_bgwriter_buf_written_checkpoints pg_stat_get_bgwriter_buf_written_clean
pg_stat_get_bgwriter_maxwritten_clean pg_stat_get_bgwriter_requested_checkpoints pg_stat_get_bgwriter_stat_reset_time
pg_stat_get_bgwriter_timed_checkpoints pg_stat_get_blocks_fetched pg_stat_get_blocks_hit pg_stat_get_buf_alloc
pg_stat_get_buf_fsync_backend pg_stat_get_buf_written_backend pg_stat_get_checkpoint_sync_time
pg_stat_get_checkpoint_write_time pg_stat_get_db_active_time pg_stat_get_db_blk_read_time
pg_stat_get_db_blk_write_time pg_stat_get_db_blocks_fetched pg_stat_get_db_blocks_hit pg_stat_get_db_checksum_failures
pg_stat_get_db_checksum_last_failure pg_stat_get_db_conflict_all pg_stat_get_db_conflict_bufferpin
pg_stat_get_db_conflict_lock pg_stat_get_db_conflict_snapshot pg_stat_get_db_conflict_startup_deadlock
pg_stat_get_db_conflict_tablespace pg_stat_get_db_deadlocks pg_stat_get_db_idle_in_transaction_time
pg_stat_get_db_numbackends pg_stat_get_db_session_time pg_stat_get_db_sessions pg_stat_get_db_sessions_abandoned
pg_stat_get_db_sessions_fatal pg_stat_get_db_sessions_killed pg_stat_get_db_stat_reset_time pg_stat_get_db_temp_bytes
pg_stat_get_db_temp_files pg_stat_get_db_tuples_deleted pg_stat_get_db_tuples_fetched pg_stat_get_db_tuples_inserted
pg_stat_get_db_tuples_returned pg_stat_get_db_tuples_updated pg_stat_get_db_xact_commit pg_stat_get_db_xact_rollback
pg_stat_get_dead_tuples pg_stat_get_function_calls pg_stat_get_function_self_time pg_stat_get_function_total_time
pg_stat_get_ins_since_vacuum pg_stat_get_last_analyze_time pg_stat_get_last_autoanalyze_time
pg_stat_get_last_autovacuum_time pg_stat_get_last_vacuum_time pg_stat_get_live_tuples pg_stat_get_mod_since_analyze
pg_stat_get_numscans pg_stat_get_replication_slot pg_stat_get_snapshot_timestamp pg_stat_get_subscription_stats
pg_stat_get_tuples_deleted pg_stat_get_tuples_fetched pg_stat_get_tuples_hot_updated pg_stat_get_tuples_inserted
pg_stat_get_tuples_returned pg_stat_get_tuples_updated pg_stat_get_vacuum_count pg_stat_get_wal
pg_stat_get_wal_receiver pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans
pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_stat_have_stats
pg_stat_reset pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats`

// systemSets are the prosrc names that Session.SystemRows answers.
const systemSets = `
pg_stat_get_activity pg_lock_status show_all_settings pg_prepared_statement pg_prepared_xact pg_cursor
pg_available_extensions pg_available_extension_versions pg_timezone_names pg_timezone_abbrevs pg_options_to_table
pg_partition_tree pg_partition_ancestors pg_get_publication_tables pg_stat_get_wal_senders pg_get_replication_slots
pg_hba_file_rules pg_ident_file_mappings show_all_file_settings pg_config pg_tablespace_databases aclexplode
pg_stat_get_progress_info pg_get_backend_memory_contexts pg_get_shmem_allocations pg_stat_get_slru
pg_show_replication_origin_status pg_extension_update_paths pg_get_catalog_foreign_keys
pg_stat_get_backend_idset pg_stat_get_recovery_prefetch pg_stat_get_subscription`
