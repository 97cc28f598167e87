-- One statement a line. Literals, names and operators.
SELECT 1
SELECT 1, -1, +1, - 1, 2147483647, 2147483648, -2147483648, 9223372036854775807, 99999999999999999999
SELECT 1.5, .5, 5., 1e10, 1.5e-3, 2E+5, -1.5, - 99999999999
SELECT 'abc', 'it''s', '', E'a\nb\\c\'d', E'\x41\102\u0043\U00000044', E'\v\b\f\r\t'
SELECT U&'d\0061t\+000061', U&'d!0061' UESCAPE '!', U&"d\0061ta" FROM t
SELECT B'0101', b'', X'1fF', N'national', $$dollar$$, $tag$a $$ b$tag$
SELECT 'back\slash'
SELECT $1, $2 + $3, $1::int, $1[1], $1.a
SELECT NULL, TRUE, FALSE, DEFAULT
SELECT a, a.b, a.b.c, a.b.c.d, "Quoted", "we ""said""", a."B".c FROM t
SELECT *, t.*, s.t.*, (t).*, (t).a, (f(x)).y, (f(x)).* FROM t
SELECT a[1], a[1:2], a[:2], a[1:], a[:], a[1][2], a.b[1].c, (a)[1], (a.b).c, (a.b)[1].c FROM t
SELECT 1 + 2, 1 - 2, 1 * 2, 1 / 2, 1 % 2, 1 ^ 2, a || b, a -> 'x' ->> 'y', a #> b, a @> b, a <@ b, a ? b, a ?| b, a && b
SELECT 1 + 2 * 3, (1 + 2) * 3, 1 * 2 + 3, 1 - 2 - 3, 1 - (2 - 3), 2 ^ 3 ^ 4, 2 ^ (3 ^ 4), a || b + c, (a || b) + c
SELECT 1 < 2, 1 > 2, 1 = 2, 1 <= 2, 1 >= 2, 1 <> 2, 1 != 2
SELECT (1 < 2) = (2 < 3), (a = b) IS TRUE, a = b IS NULL, a < b AND b < c
SELECT -a, - -a, -(-a), -a ^ 2, -(a ^ 2), - a * b, -(a * b), +a, ~a, ~ a + b, (~ a) + b, @ -5, !! 3, |/ 4, ||/ 27
SELECT -1::int, (-1)::int, - 1 :: text, -1.5::numeric, (-2) ^ 2
SELECT a OPERATOR(pg_catalog.+) b, OPERATOR(pg_catalog.-) b, a OPERATOR(+) b, a OPERATOR(s."x y".@@) b
SELECT a AND b, a OR b, NOT a, a AND b AND c, a OR b OR c, a AND b OR c AND d, (a OR b) AND (c OR d), NOT a AND b, NOT (a AND b), NOT NOT a
SELECT a AND (b AND c), (a AND b) AND c, a OR (b OR c), (a OR b) OR c, a AND b AND (c AND d) AND e
SELECT a IS NULL, a IS NOT NULL, a ISNULL, a NOTNULL, a IS TRUE, a IS NOT TRUE, a IS FALSE, a IS NOT FALSE, a IS UNKNOWN, a IS NOT UNKNOWN
SELECT (a IS NULL) IS NULL, a IS NULL = b, a + b IS NULL, NOT a IS NULL, (NOT a) IS NULL
SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b, a IS DISTINCT FROM b + c, a IS DISTINCT FROM (b IS NULL), (a IS DISTINCT FROM b) IS NULL
SELECT a BETWEEN 1 AND 2, a NOT BETWEEN 1 AND 2, a BETWEEN SYMMETRIC 2 AND 1, a BETWEEN ASYMMETRIC 1 AND 2, a NOT BETWEEN SYMMETRIC b + 1 AND c * 2
SELECT a BETWEEN b AND c AND d, a BETWEEN (b AND c) AND d, a BETWEEN 1 AND 2 OR c, a BETWEEN -1 AND 1, a BETWEEN b::int AND c::int, a BETWEEN (b BETWEEN 1 AND 2) AND c
SELECT a IN (1), a IN (1, 2, 3), a NOT IN (1, 2), (a, b) IN ((1, 2), (3, 4)), a IN (b, c + 1, f(d)), a + 1 IN (1), (a IN (1)) IN (true)
SELECT a IN (SELECT 1), a NOT IN (SELECT b FROM t), (a, b) IN (SELECT c, d FROM t), a IN ((SELECT 1)), a IN ((SELECT 1), 2), a IN ((SELECT 1) UNION SELECT 2)
SELECT a LIKE 'x%', a NOT LIKE 'x', a LIKE 'x' ESCAPE '!', a ILIKE 'x', a NOT ILIKE 'x' ESCAPE '', a SIMILAR TO 'x', a NOT SIMILAR TO 'x' ESCAPE '#', a LIKE b || c, (a LIKE b) LIKE c
SELECT a = ANY (b), a = SOME (b), a = ALL (b), a <> ALL (ARRAY[1, 2]), a < ANY (SELECT 1), a >= ALL (SELECT b FROM t), a + 1 = ANY (b), a LIKE ANY (b), a NOT LIKE ALL (b), a ILIKE ANY (SELECT 'x'), a NOT ILIKE ALL (b), a OPERATOR(pg_catalog.=) ANY (b)
SELECT EXISTS (SELECT 1), NOT EXISTS (SELECT FROM t), (SELECT 1), (SELECT 1) + 1, ((SELECT 1)), ((SELECT 1)) + 1, ARRAY(SELECT 1), ((SELECT 1) UNION (SELECT 2)), (SELECT a FROM t).b, (SELECT a FROM t)[1]
SELECT a::int, a::text::int, CAST(a AS integer), CAST(a + b AS text), a::varchar(10), a::numeric(10, 2), a::s.t, a::int[], a::int[3][], a::int ARRAY, a::int ARRAY[4], (a + b)::int, (a, b)::t, -a::int
SELECT a::smallint, a::bigint, a::real, a::float, a::float(1), a::float(24), a::float(25), a::double precision, a::decimal, a::dec(5), a::numeric, a::boolean, a::bool, a::int4, a::pg_catalog.int4
SELECT a::char, a::char(5), a::character, a::character(3), a::character varying, a::character varying(9), a::varchar, a::nchar, a::nchar(2), a::national character(4), a::national char varying(5), a::bpchar, a::"char", a::text
SELECT a::bit, a::bit(8), a::bit varying, a::bit varying(8), a::varbit(3)
SELECT a::date, a::time, a::time(3), a::time with time zone, a::time(2) with time zone, a::time without time zone, a::timestamp, a::timestamp(6), a::timestamp with time zone, a::timestamp(0) without time zone, a::timestamptz, a::timestamptz(3)
SELECT a::interval, a::interval(3), a::interval year, a::interval month, a::interval day, a::interval hour, a::interval minute, a::interval second, a::interval second(2), a::interval year to month, a::interval day to hour, a::interval day to minute, a::interval day to second, a::interval day to second(3), a::interval hour to minute, a::interval hour to second, a::interval hour to second(1), a::interval minute to second
SELECT int '1', integer '1', smallint '2', bigint '3', real '1.5', float '1', float(3) '1', double precision '1', decimal(10, 2) '1.5', numeric '1', boolean 't', bool 'f'
SELECT date '2020-01-01', time '12:00', time(3) '12:00', time with time zone '12:00+00', timestamp '2020-01-01', timestamp(3) with time zone '2020-01-01', timestamptz 'now', timestamp without time zone 'x'
SELECT interval '1 day', interval '1' year, interval '1-2' year to month, interval '1' second(3), interval '1' day to second(2), interval(3) '1.5'
SELECT char 'a', char(3) 'a', character varying 'b', varchar(5) 'abc', nchar 'x', bit '1', bit(3) '101', bit varying '10', national character 'x', national char varying(3) 'x'
SELECT text 'x', pg_catalog.text 'x', mytype 'v', s.mytype(3) 'v', json '{}', uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', inet '1.2.3.4', point '(1,2)'
SELECT a COLLATE "C", a COLLATE pg_catalog."default", a || b COLLATE "C", (a || b) COLLATE "C", a COLLATE "C" < b
SELECT a AT TIME ZONE 'UTC', a AT TIME ZONE b || c, a + b AT TIME ZONE 'x', (a + b) AT TIME ZONE 'x', a AT TIME ZONE 'x' AT TIME ZONE 'y', a::timestamp AT TIME ZONE 'UTC'
SELECT f(), f(1), f(1, 2), s.f(a), d.s.f(a), "F"(1), f(a => 1), f(1, b => 2), f(b := 3), f(VARIADIC a), f(1, VARIADIC ARRAY[1]), f(VARIADIC x => ARRAY[1])
SELECT count(*), count(DISTINCT a), count(ALL a), sum(a ORDER BY b), array_agg(a ORDER BY b DESC NULLS LAST, c USING <), string_agg(DISTINCT a, ',' ORDER BY a), count(*) FILTER (WHERE a > 1)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), mode() WITHIN GROUP (ORDER BY a DESC) FILTER (WHERE b), rank(1, 2) WITHIN GROUP (ORDER BY a, b)
SELECT row_number() OVER (), rank() OVER (PARTITION BY a), sum(a) OVER (ORDER BY b), sum(a) OVER w, sum(a) OVER (w), sum(a) OVER (w ORDER BY c), count(*) FILTER (WHERE x) OVER (PARTITION BY a, b ORDER BY c DESC) FROM t WINDOW w AS (PARTITION BY a)
SELECT sum(a) OVER (ROWS UNBOUNDED PRECEDING), sum(a) OVER (ROWS CURRENT ROW), sum(a) OVER (ROWS 1 PRECEDING), sum(a) OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), sum(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
SELECT sum(a) OVER (ORDER BY b GROUPS BETWEEN CURRENT ROW AND 2 FOLLOWING EXCLUDE CURRENT ROW), sum(a) OVER (ORDER BY b RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW EXCLUDE GROUP), sum(a) OVER (ORDER BY b ROWS BETWEEN a + 1 PRECEDING AND $1 FOLLOWING EXCLUDE TIES), sum(a) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE NO OTHERS)
SELECT CASE WHEN a THEN 1 END, CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END, CASE WHEN a > 1 THEN b ELSE c END + 1, CASE WHEN a THEN CASE WHEN b THEN 1 END ELSE 2 END
SELECT COALESCE(a), COALESCE(a, b, 1), GREATEST(a, b), LEAST(a, b, c), NULLIF(a, b), NULLIF(a + 1, 0)
SELECT ARRAY[1, 2], ARRAY[]::int[], ARRAY[[1, 2], [3, 4]], ARRAY[ARRAY[1], ARRAY[2]], ARRAY[a + b, f(c)], (ARRAY[1, 2])[1], ARRAY[[], []], ARRAY[[[1]]]
SELECT ROW(1, 2), ROW(), ROW(a), (1, 2), (a, b, c), (1, 2) = (3, 4), (a, b) < ROW(1, 2), ROW(t.*), ((1, 2)), ((1, 2), 3), (ROW(1, 2)).f1
SELECT (a, b) OVERLAPS (c, d), ROW(a, b) OVERLAPS ROW(c, d), 1 = 1 AND (a, b) OVERLAPS (c, d), ((a, b) OVERLAPS (c, d)) IS TRUE
SELECT CURRENT_DATE, CURRENT_TIME, CURRENT_TIME(3), CURRENT_TIMESTAMP, CURRENT_TIMESTAMP(0), LOCALTIME, LOCALTIME(2), LOCALTIMESTAMP, LOCALTIMESTAMP(6), CURRENT_ROLE, CURRENT_USER, USER, SESSION_USER, CURRENT_CATALOG, CURRENT_SCHEMA, current_schema()
SELECT EXTRACT(year FROM a), EXTRACT(epoch FROM a - b), EXTRACT('dow' FROM a), EXTRACT(SECOND FROM a), EXTRACT(timezone_hour FROM a)
SELECT POSITION('a' IN b), POSITION(a || 'x' IN b || c), SUBSTRING(a FROM 1), SUBSTRING(a FROM 1 FOR 2), SUBSTRING(a FOR 2), SUBSTRING(a FOR 2 FROM 1), SUBSTRING(a, 1, 2), SUBSTRING(a FROM 'x' FOR '#'), SUBSTRING(a SIMILAR 'x' ESCAPE '#'), SUBSTRING(string => a), SUBSTRING()
SELECT TRIM(a), TRIM(BOTH FROM a), TRIM('x' FROM a), TRIM(BOTH 'x' FROM a), TRIM(LEADING FROM a), TRIM(LEADING 'x' FROM a), TRIM(TRAILING 'x' FROM a), TRIM(a, 'x'), TRIM(BOTH a, 'x')
SELECT OVERLAY(a PLACING b FROM 1), OVERLAY(a PLACING b FROM 1 FOR 2), OVERLAY(a, b, 1), NORMALIZE(a), NORMALIZE(a, NFC), a IS NORMALIZED, a IS NFD NORMALIZED, a IS NOT NORMALIZED, a IS NOT NFKC NORMALIZED, COLLATION FOR (a), TREAT(a AS int)
SELECT GROUPING(a), GROUPING(a, b), left('abc', 1), right(a, 2), "left"(a, 1), overlaps(a, b, c, d), char_length(a), is_normalized(a)
SELECT date(a), "time"(a) FROM t
SELECT xmlelement(name foo), xmlelement(name foo, xmlattributes(a, b AS c), d, 'e'), xmlforest(a, b AS c), xmlconcat(a, b), xmlpi(name php), xmlpi(name php, 'x'), xmlparse(document a), xmlparse(content a preserve whitespace), xmlroot(a, version '1.0'), xmlroot(a, version no value, standalone yes), xmlroot(a, version '1.0', standalone no value), xmlserialize(content a AS text), xmlserialize(document a AS varchar(10)), xmlexists('x' PASSING a), xmlexists('x' PASSING BY REF a BY REF), a IS DOCUMENT, a IS NOT DOCUMENT
SELECT a AS "from", b select_, c AS select, d "x y", e AS all FROM t
SELECT a value, b name, c type, 1 data, 2 is, 3 like, 4 at, 5 and, 6 not
SELECT name, value, type, data, user_id, level, rank, text, date, time, timestamp, interval, row, values, position, int, char, bit FROM t
SELECT between, coalesce, exists, extract, nullif, overlay, precision, setof, substring, treat, trim, none, out, inout, national, nchar, boolean, real, float, decimal, numeric, smallint, bigint, integer, varchar, grouping, greatest, least, normalize FROM t
SELECT t.select, t.from, t."where", t.user, t.order FROM t
SELECT a.b.c(1), x.count(*), "public"."F"(a)
SELECT 'a'::text || 'b', 'x' = 'y', 'a'::"MyType", 'a'::"my schema"."type"
SELECT a->>'b' = 'c', a #>> '{x,y}' LIKE 'z', NOT a ? 'b', -a->'b', a->'b'->'c'::text
SELECT 1::int8 + 2, '2020-01-01'::date - '1 day'::interval, now() - interval '1 hour', a::date = b::date
SELECT (f(a)).b FROM x(1) AS f(a), t LIMIT 0
SELECT (a).b.c[1].d, ((a).b).c, (a.b.c).d, (a)[1].x, ($1).x, $1.x.y, (f(1))[1]
SELECT a <-> b, a <#> b, a ~ 'x', a ~* 'x', a !~ 'x', a !~* 'x', a ~~ 'x', a !~~ 'x', a <= b, a >> b, a << b, a & b, a | b, a # b
SELECT a+-1, a*-1, a- -1, a-+1, a<-1, a=-1, a@-1, 1-(-1)
SELECT 1/*comment*/+/* nested /* comment */ */2
SELECT 'a' LIKE 'b' = TRUE, ('a' LIKE 'b') = TRUE, TRUE = ('a' LIKE 'b'), a = (b = c), a = (b IS NULL), a + (b LIKE c)
SELECT a OR b AND NOT c = d + e * f ^ g, ((((((a OR b) AND NOT c) = d) + e) * f) ^ g)
SELECT CASE WHEN a IS NULL OR b IN (1, 2) AND NOT c BETWEEN 1 AND 2 THEN d LIKE 'x' ELSE e = ANY (f) END
SELECT NOT (a = b), (NOT a) = b, a = (NOT b), NOT a = b, a = NOT b
SELECT interval '1' hour to second, current_timestamp at time zone 'utc' + interval '1 day'
SELECT sum(DISTINCT a) FILTER (WHERE b IS NOT NULL AND c > ALL (SELECT 1)) OVER (PARTITION BY d ORDER BY e NULLS FIRST)
