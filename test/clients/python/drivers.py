"""psycopg (3) and asyncpg: parameters and results of all basic types in text and binary, COPY, pipelines, cursors, retries."""

import asyncio
import datetime as dt
import decimal
import ipaddress
import os
import uuid

import asyncpg
import psycopg
from psycopg.rows import dict_row

UTC = dt.timezone.utc
VALUES = {
    "bool": True,
    "int2": -2,
    "int4": 2**31 - 1,
    "int8": -(2**63),
    "float8": 1.5e300,
    "numeric": decimal.Decimal("12345678901234567890.0123456789"),
    "text": "t\u00e9xt 'quoted' \\ \n",
    "varchar": "v",
    "bytea": bytes(range(256)),
    "date": dt.date(2024, 2, 29),
    "time": dt.time(23, 59, 59, 999999),
    "timestamp": dt.datetime(1999, 12, 31, 23, 59, 59, 1),
    "timestamptz": dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    "interval": dt.timedelta(days=-3, hours=4, microseconds=7),
    "uuid": uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "int4[]": [1, None, 3],
    "text[]": ["a b", "", '"q"', None],
    "inet": ipaddress.ip_address("10.0.0.1"),
}


def psycopg3(info):
    with psycopg.connect(info) as c:
        c.execute("DROP TABLE IF EXISTS p3")
        c.execute("CREATE TABLE p3 (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, n numeric)")
        for typ, v in VALUES.items():
            for binary in (False, True):
                mark = "%b" if binary else "%t"
                try:
                    got = c.cursor(binary=binary).execute(f"SELECT {mark}::{typ}", (v,)).fetchone()[0]
                except psycopg.ProgrammingError as e:
                    assert binary and "format" in str(e) or "adapt" in str(e), (typ, e)
                    continue
                assert got == v, (typ, binary, got, v)
        with c.cursor().copy("COPY p3 (name, n) FROM STDIN") as copy:
            for i in range(1000):
                copy.write_row((f"name {i}", decimal.Decimal(i) / 4))
        with c.cursor().copy("COPY p3 (name, n) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["text", "numeric"])
            copy.write_row(("binary", decimal.Decimal("1.25")))
        with c.cursor().copy("COPY (SELECT name, n FROM p3 ORDER BY id LIMIT 2) TO STDOUT") as copy:
            assert [r for r in copy.rows()] == [("name 0", "0"), ("name 1", "0.25")]
        assert c.execute("SELECT count(*), sum(n) FROM p3").fetchone() == (1001, decimal.Decimal("124876.25"))
        with c.cursor(name="server side", row_factory=dict_row) as cur:
            cur.itersize = 100
            cur.execute("SELECT id, name FROM p3 ORDER BY id")
            assert sum(r["id"] for r in cur) == 1001 * 1002 // 2
        try:
            with c.transaction():
                c.execute("INSERT INTO p3 (name) VALUES ('name 1')")
        except psycopg.errors.UniqueViolation as e:
            assert e.diag.constraint_name == "p3_name_key" and e.diag.table_name == "p3"
        else:
            raise AssertionError("a duplicate was taken")
        with c.pipeline():
            curs = [c.execute("SELECT %s::int * 2", (i,)) for i in range(50)]
            assert [cur.fetchone()[0] for cur in curs] == [2 * i for i in range(50)]
        with c.cursor() as cur:
            cur.executemany("INSERT INTO p3 (name) VALUES (%s) RETURNING id", [("m1",), ("m2",)], returning=True)
            assert cur.fetchone()[0] == 1003, "executemany"
        for _ in range(10):  # prepared after five times
            assert c.execute("SELECT name FROM p3 WHERE id = %s", (5,)).fetchone() == ("name 4",)
    with psycopg.connect(info) as a, psycopg.connect(info) as b:
        for x in (a, b):
            x.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            x.execute("SELECT n FROM p3 WHERE id = 1")
        a.execute("UPDATE p3 SET n = n + 1 WHERE id = 1")
        a.commit()
        try:
            b.execute("UPDATE p3 SET n = n + 10 WHERE id = 1")
            b.commit()
        except psycopg.errors.SerializationFailure:
            b.rollback()
            b.execute("UPDATE p3 SET n = n + 10 WHERE id = 1")
            b.commit()
        else:
            raise AssertionError("an update was lost")
        assert b.execute("SELECT n FROM p3 WHERE id = 1").fetchone()[0] == 11


async def with_asyncpg(dsn):
    c = await asyncpg.connect(dsn)
    await c.execute("DROP TABLE IF EXISTS ap; DROP TYPE IF EXISTS colour, pt CASCADE")
    await c.execute("CREATE TYPE colour AS ENUM ('red', 'blue'); CREATE TYPE pt AS (x int, y text)")
    await c.execute("CREATE TABLE ap (id serial PRIMARY KEY, c colour, p pt, cs colour[], j jsonb)")
    for typ, v in VALUES.items():
        got = await c.fetchval(f"SELECT $1::{typ}", v)
        assert got == v or typ == "inet", (typ, got, v)
    # asyncpg reads the catalogue for types that it does not know.
    assert await c.fetchval("INSERT INTO ap (c, p, cs, j) VALUES ($1, $2, $3, $4) RETURNING id", "red", (1, "one"), ["blue", "red"], '{"a": [1]}') == 1
    row = await c.fetchrow("SELECT * FROM ap")
    assert (row["c"], row["p"]["y"], row["cs"], row["j"]) == ("red", "one", ["blue", "red"], '{"a": [1]}'), row
    assert await c.fetchval("SELECT int4range(1, 5)") == asyncpg.Range(1, 5)
    result = await c.copy_records_to_table("ap", records=[(i, "blue") for i in range(10, 20)], columns=["id", "c"])
    assert result == "COPY 10", result
    async with c.transaction():
        n = 0
        async for r in c.cursor("SELECT id FROM ap ORDER BY id", prefetch=3):
            n += r["id"]
        assert n == 146, n
    try:
        await c.execute("INSERT INTO ap (id) VALUES (1)")
    except asyncpg.UniqueViolationError as e:
        assert e.constraint_name == "ap_pkey"
    else:
        raise AssertionError("a duplicate was taken")
    st = await c.prepare("SELECT $1::int + 1, $2::text")
    assert [p.name for p in st.get_parameters()] == ["int4", "text"]
    assert await c.executemany("INSERT INTO ap (id, c) VALUES ($1, $2)", [(100, "red"), (101, None)]) is None
    await c.close()
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=4)
    got = await asyncio.gather(*(pool.fetchval("SELECT count(*) + $1 FROM ap", i) for i in range(20)))
    assert got == [13 + i for i in range(20)], got
    await pool.close()


psycopg3("")
asyncio.run(with_asyncpg(None))
print("fine")
