// postgres.js: it asks the catalogue for array types and pipelines what it is given.
import assert from "node:assert/strict";
import postgres from "postgres";

const sql = postgres({ max: 4, onnotice: () => {} });
await sql`DROP TABLE IF EXISTS pj`;
await sql`CREATE TABLE pj (id serial PRIMARY KEY, name text UNIQUE, j jsonb, a text[], d timestamptz)`;
const [x] = await sql`INSERT INTO pj ${sql({ name: "one", j: { k: [1] }, a: ["p", 'q"'], d: new Date(0) })} RETURNING *`;
assert.deepEqual([x.id, x.name, x.j, x.a, x.d.getTime()], [1, "one", { k: [1] }, ["p", 'q"'], 0]);
await sql`INSERT INTO pj ${sql(Array.from({ length: 100 }, (_, i) => ({ name: `n${i}`, a: [] })))}`;
assert.equal((await sql`SELECT id FROM pj WHERE name IN ${sql(["n1", "n2"])} ORDER BY id`).length, 2);
assert.equal((await sql`SELECT * FROM pj WHERE ${sql("name")} = ANY(${["n1", "n5"]})`).count, 2);
const total = await sql.begin("isolation level repeatable read", async (t) => {
  await t`UPDATE pj SET name = name || '!' WHERE id < 5`;
  await t.savepoint((s) => s`INSERT INTO pj (name) VALUES ('n50')`.catch((e) => { throw e; })).catch((e) => assert.equal(e.code, "23505"));
  const [r] = await t`SELECT count(*)::int AS n FROM pj WHERE name LIKE '%!'`;
  return r.n;
});
assert.equal(total, 4);
let n = 0;
for await (const rows of sql`SELECT id FROM pj`.cursor(10)) n += rows.length;
assert.equal(n, 101);
const all = await Promise.all(Array.from({ length: 100 }, (_, i) => sql`SELECT ${i}::int AS i`));
assert.deepEqual(all.map((r) => r[0].i), Array.from({ length: 100 }, (_, i) => i));
const st = await sql`SELECT id, a FROM pj`.describe();
assert.deepEqual(st.columns.map((c) => c.type), [23, 1009]);
await sql.end();
console.log("fine");
