// node-postgres: parameters, types, cursors, COPY streams, pools, errors, a retried transaction.
import assert from "node:assert/strict";
import pg from "pg";
import Cursor from "pg-cursor";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";

const pool = new pg.Pool({ max: 5 });
await pool.query("DROP TABLE IF EXISTS n");
await pool.query(`CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, j jsonb, a int[], b bytea,
  n numeric, d date, tz timestamptz, ok boolean, big bigint, f float8, u uuid)`);
const at = new Date("2026-01-02T03:04:05.678Z");
const made = await pool.query({
  name: "insert-n",
  text: "INSERT INTO n (name, j, a, b, n, d, tz, ok, big, f, u) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) RETURNING *",
  values: ["é'\"\\", { x: [1, null] }, [1, null, 3], Buffer.from([0, 255]), "1.50", "2024-02-29", at, true, "9223372036854775807", 1.5, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
});
const row = made.rows[0];
assert.equal(made.rowCount, 1);
assert.deepEqual([row.id, row.name, row.j, row.a, [...row.b], row.n, row.ok, row.big, row.f, row.u],
  [1, "é'\"\\", { x: [1, null] }, [1, null, 3], [0, 255], "1.50", true, "9223372036854775807", 1.5, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]);
assert.equal(row.tz.toISOString(), at.toISOString());
assert.equal(made.fields.find((f) => f.name === "n").dataTypeID, 1700);

const c = await pool.connect();
await pipeline(Readable.from(Array.from({ length: 500 }, (_, i) => `name ${i}\t${i}\n`)), c.query(copyFrom("COPY n (name, n) FROM STDIN")));
let out = "";
for await (const chunk of c.query(copyTo("COPY (SELECT name FROM n ORDER BY id LIMIT 2 OFFSET 1) TO STDOUT"))) out += chunk;
assert.equal(out, "name 0\nname 1\n");
const cursor = c.query(new Cursor("SELECT id FROM n ORDER BY id"));
let seen = 0;
for (let rows; (rows = await cursor.read(100)).length > 0; ) seen += rows.length;
await cursor.close();
assert.equal(seen, 501);
await assert.rejects(c.query("INSERT INTO n (name) VALUES ('name 1')"), (e) => e.code === "23505" && e.constraint === "n_name_key" && e.detail.includes("already exists"));
await assert.rejects(c.query("SELECT * FROM nothing"), (e) => e.code === "42P01" && e.position === "15");
c.release();

const [a, b] = [await pool.connect(), await pool.connect()];
for (const x of [a, b]) {
  await x.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await x.query("SELECT n FROM n WHERE id = 1");
}
await a.query("UPDATE n SET n = n + 1 WHERE id = 1");
await a.query("COMMIT");
let tries = 0;
for (;;) {
  try {
    await b.query("UPDATE n SET n = n + 10 WHERE id = 1");
    await b.query("COMMIT");
    break;
  } catch (e) {
    assert.equal(e.code, "40001");
    await b.query("ROLLBACK");
    await b.query("BEGIN");
    assert.ok(++tries < 5);
  }
}
assert.equal((await a.query("SELECT n FROM n WHERE id = 1")).rows[0].n, "12.50");
a.release();
b.release();
const many = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.query("SELECT $1::int + 1 AS x", [i])));
assert.deepEqual(many.map((r) => r.rows[0].x), Array.from({ length: 50 }, (_, i) => i + 1));
await pool.end();
console.log("fine");
