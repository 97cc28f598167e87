// Knex (with migrations), Drizzle, Sequelize and TypeORM (both with schema synchronisation).
import assert from "node:assert/strict";
import pg from "pg";
import knexFactory from "knex";
import { drizzle } from "drizzle-orm/node-postgres";
import { eq, gt, sql as dsql, count } from "drizzle-orm";
import * as dz from "drizzle-orm/pg-core";
import { Sequelize, DataTypes } from "sequelize";
import { DataSource, EntitySchema, Table, TableColumn } from "typeorm";

const env = { host: process.env.PGHOST, port: +process.env.PGPORT, user: process.env.PGUSER, database: process.env.PGDATABASE };

async function withKnex() {
  const k = knexFactory({ client: "pg", connection: env, pool: { min: 0, max: 3 } });
  const migrations = [
    { name: "1", up: (k) => k.schema.createTable("kx", (t) => { t.increments(); t.string("name", 50).notNullable().unique(); t.decimal("n", 10, 2).defaultTo(1); t.jsonb("j"); t.timestamps(true, true); t.enu("kind", ["a", "b"]); t.index(["name", "n"]); }), down: (k) => k.schema.dropTable("kx") },
    { name: "2", up: async (k) => { await k.schema.alterTable("kx", (t) => { t.integer("age").nullable(); t.renameColumn("n", "amount"); t.setNullable("name"); }); await k.schema.createTable("ky", (t) => { t.bigIncrements(); t.integer("kx_id").references("id").inTable("kx").onDelete("CASCADE"); }); }, down: async (k) => { await k.schema.dropTable("ky"); await k.schema.alterTable("kx", (t) => { t.dropColumn("age"); t.renameColumn("amount", "n"); }); } },
  ];
  const source = { getMigrations: async () => migrations, getMigrationName: (m) => m.name, getMigration: async (m) => m };
  assert.deepEqual((await k.migrate.latest({ migrationSource: source }))[1], ["1", "2"]);
  assert.equal(await k.schema.hasColumn("kx", "age"), true);
  assert.equal((await k("kx").columnInfo()).name.maxLength, 50);
  const ids = await k("kx").insert([{ name: "a", j: { x: 1 }, kind: "a" }, { name: "b" }], ["id"]);
  assert.deepEqual(ids.map((r) => r.id), [1, 2]);
  await k("ky").insert({ kx_id: 1 });
  await k("kx").insert({ name: "a", age: 5 }).onConflict("name").merge();
  assert.deepEqual(await k("kx").join("ky", "ky.kx_id", "kx.id").select("name", "age").count({ n: "*" }).groupBy("name", "age"), [{ name: "a", age: 5, n: "1" }]);
  await k.transaction(async (t) => { await t("kx").forUpdate().where({ id: 1 }).first(); await t("kx").where({ id: 1 }).increment("age", 2); });
  assert.equal((await k("kx").where("j", "@>", '{"x":1}').first()).age, 7);
  await assert.rejects(k("kx").insert({ name: "c", kind: "z" }), (e) => e.code === "23514");
  await k.migrate.rollback({ migrationSource: source }, true);
  assert.equal(await k.schema.hasTable("kx"), false);
  await k.schema.dropTable("knex_migrations").dropTable("knex_migrations_lock");
  await k.destroy();
}

async function withDrizzle() {
  const pool = new pg.Pool(env);
  const db = drizzle(pool);
  const users = dz.pgTable("dz_users", { id: dz.integer().primaryKey().generatedAlwaysAsIdentity(), name: dz.text().notNull(), tags: dz.text().array(), data: dz.jsonb(), at: dz.timestamp({ withTimezone: true }).defaultNow() });
  await db.execute(dsql`CREATE TABLE dz_users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, tags text[], data jsonb, at timestamptz DEFAULT now())`);
  const made = await db.insert(users).values([{ name: "a", tags: ["x"], data: { q: 1 } }, { name: "b" }]).returning();
  assert.deepEqual(made.map((u) => [u.id, u.tags, u.data]), [[1, ["x"], { q: 1 }], [2, null, null]]);
  await db.transaction(async (t) => { await t.update(users).set({ name: "c" }).where(eq(users.id, 2)); await t.insert(users).values({ name: "a" }).onConflictDoNothing(); });
  assert.deepEqual(await db.select({ n: count() }).from(users).where(gt(users.id, 1)), [{ n: 1 }]);
  await db.execute(dsql`DROP TABLE dz_users`);
  await pool.end();
}

async function withSequelize() {
  const s = new Sequelize({ dialect: "postgres", host: env.host, port: env.port, username: env.user, database: env.database, logging: false });
  await s.authenticate();
  const User = s.define("User", { name: { type: DataTypes.STRING, unique: true, allowNull: false }, kind: DataTypes.STRING, data: DataTypes.JSONB, tags: DataTypes.ARRAY(DataTypes.STRING), price: DataTypes.DECIMAL(10, 2) }, { indexes: [{ fields: ["price"] }] });
  const Post = s.define("Post", { title: { type: DataTypes.TEXT, defaultValue: "none" } });
  User.hasMany(Post, { onDelete: "CASCADE" });
  Post.belongsTo(User);
  await s.sync({ force: true });
  await s.sync({ alter: true });
  const u = await User.create({ name: "a", kind: "a", data: { x: { y: 1 } }, tags: ["p", "q"], price: "1.50", Posts: [{}, { title: "t" }] }, { include: Post });
  assert.equal((await User.findOne({ where: { "data.x.y": 1 }, include: Post })).Posts.length, 2);
  const [again, fresh] = await User.findOrCreate({ where: { name: "a" } });
  assert.ok(!fresh && again.id === u.id);
  await User.upsert({ name: "a", kind: "b" }, { conflictFields: ["name"] });
  await s.transaction(async (t) => { const v = await User.findByPk(u.id, { lock: true, transaction: t }); await v.update({ price: 2 }, { transaction: t }); });
  assert.equal((await User.findAndCountAll({ where: { kind: "b", price: 2 } })).count, 1);
  const q = s.getQueryInterface();
  assert.deepEqual((await q.showAllTables()).map((t) => t.tableName ?? t).sort(), ["Posts", "Users"]);
  assert.ok((await q.showIndex("Users")).some((i) => i.name === "users_price" && i.fields[0].attribute === "price"));
  assert.equal((await q.getForeignKeyReferencesForTable("Posts"))[0].referencedTableName, "Users");
  await s.drop();
  await s.close();
}

async function withTypeORM() {
  const Author = new EntitySchema({ name: "Author", tableName: "author", columns: { id: { type: "int", primary: true, generated: true }, name: { type: "varchar", length: 40, unique: true }, kind: { type: "enum", enum: ["a", "b"], default: "a" }, meta: { type: "jsonb", nullable: true }, born: { type: "timestamptz", createDate: true } }, indices: [{ columns: ["kind", "name"], name: "author_kind" }], relations: { books: { type: "one-to-many", target: "Book", inverseSide: "author", cascade: true } } });
  const Book = new EntitySchema({ name: "Book", tableName: "book", columns: { id: { type: "uuid", primary: true, generated: "uuid" }, title: { type: "text" }, price: { type: "numeric", precision: 10, scale: 2, default: 0 } }, relations: { author: { type: "many-to-one", target: "Author", inverseSide: "books", onDelete: "CASCADE" } } });
  const open = (entities) => new DataSource({ type: "postgres", host: env.host, port: env.port, username: env.user, database: env.database, entities, synchronize: true, uuidExtension: "pgcrypto", installExtensions: false }).initialize();
  let d = await open([Author, Book]);
  const repo = d.getRepository("Author");
  await repo.save({ name: "ada", meta: { x: 1 }, books: [{ title: "one", price: 1.5 }, { title: "two" }] });
  const found = await repo.findOne({ where: { name: "ada" }, relations: { books: true } });
  assert.equal(found.books.length, 2);
  await d.transaction(async (m) => { await m.increment("Book", { title: "two" }, "price", 3); });
  assert.equal((await d.getRepository("Book").createQueryBuilder("b").select("sum(b.price)", "s").getRawOne()).s, "4.50");
  await repo.upsert({ name: "ada", kind: "b" }, ["name"]);
  await d.destroy();
  Author.options.columns.age = { type: "int", nullable: true }; // a second start changes the schema
  d = await open([Author, Book]);
  const runner = d.createQueryRunner();
  const table = await runner.getTable("author");
  assert.deepEqual(table.columns.map((c) => c.name).sort(), ["age", "born", "id", "kind", "meta", "name"]);
  assert.equal((await d.driver.createSchemaBuilder().log()).upQueries.length, 0, JSON.stringify((await d.driver.createSchemaBuilder().log()).upQueries));
  await runner.release();
  await d.dropDatabase();
  await d.destroy();
}

for (const [name, f] of Object.entries({ withKnex, withDrizzle, withSequelize, withTypeORM })) {
  try {
    await f();
  } catch (e) {
    console.log(name, e);
    process.exitCode = 1;
  }
}
if (!process.exitCode) console.log("fine");
