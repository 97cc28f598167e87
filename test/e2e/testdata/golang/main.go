// Command golang runs GORM, goose, golang-migrate, lib/pq and database/sql over pgx against the server that the PG… variables
// name. It prints "fine" when everything came out as it does with PostgreSQL.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"testing/fstest"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratepg "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(ok bool, what string, args ...any) {
	if !ok {
		panic(fmt.Sprintf(what, args...))
	}
}

type Customer struct {
	gorm.Model
	Name   string `gorm:"size:50;uniqueIndex;not null"`
	Age    int    `gorm:"check:age >= 0;default:1"`
	Data   string `gorm:"type:jsonb;default:'{}'"`
	Orders []Order
}

type Order struct {
	ID         uint64  `gorm:"primaryKey"`
	CustomerID uint    `gorm:"index:by_total,priority:1"`
	Total      float64 `gorm:"type:numeric(10,2);index:by_total,priority:2,sort:desc"`
	At         time.Time
}

func withGORM() {
	db := must(gorm.Open(postgres.Open(""), &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)}))
	for range 2 { // the second migration finds that all is there
		check(db.AutoMigrate(&Customer{}, &Order{}) == nil, "AutoMigrate: %v", db.AutoMigrate(&Customer{}, &Order{}))
	}
	c := Customer{Name: "ada", Age: 36, Orders: []Order{{Total: 1.5, At: time.Now()}, {Total: 2}}}
	check(db.Create(&c).Error == nil && c.ID == 1 && c.Orders[1].ID == 2, "create: %+v", c)
	var got Customer
	check(db.Preload("Orders").First(&got, "name = ?", "ada").Error == nil && len(got.Orders) == 2, "preload: %+v", got)
	up := Customer{Name: "ada", Age: 40}
	check(db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"age"})}).Create(&up).Error == nil, "upsert")
	err := db.Transaction(func(tx *gorm.DB) error {
		var locked Customer
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&locked, 1).Error; err != nil {
			return err
		}
		_ = tx.Transaction(func(in *gorm.DB) error { in.Create(&Customer{Name: "bob"}); return errors.New("undo") })
		return tx.Model(&locked).Update("age", gorm.Expr("age + ?", 1)).Error
	})
	var sum struct{ N, Age int64 }
	check(err == nil && db.Model(&Customer{}).Select("count(*) AS n, max(age) AS age").Scan(&sum).Error == nil && sum.N == 1 && sum.Age == 41, "transaction: %v %+v", err, sum)
	check(db.Create(&Customer{Name: "ada"}).Error != nil, "a duplicate was taken")
	m := db.Migrator()
	cols := must(m.ColumnTypes(&Customer{}))
	check(len(cols) == 7 && m.HasIndex(&Order{}, "by_total") && m.HasConstraint(&Customer{}, "chk_customers_age"), "columns: %d", len(cols))
	check(m.RenameColumn(&Customer{}, "data", "extra") == nil && m.AlterColumn(&Customer{}, "Name") == nil && m.DropTable(&Order{}, &Customer{}) == nil, "migrator")
}

const up, down = "CREATE TABLE notes (id serial PRIMARY KEY, t text NOT NULL);\nCREATE INDEX notes_t ON notes (t);\n", "DROP TABLE notes;\n"

func withGoose(db *sql.DB) {
	files := fstest.MapFS{
		"1_notes.sql": {Data: []byte("-- +goose Up\n" + up + "-- +goose Down\n" + down)},
		"2_more.sql":  {Data: []byte("-- +goose Up\nALTER TABLE notes ADD COLUMN n int DEFAULT 5 NOT NULL;\n-- +goose Down\nALTER TABLE notes DROP COLUMN n;\n")},
	}
	p := must(goose.NewProvider(goose.DialectPostgres, db, files))
	check(len(must(p.Up(context.Background()))) == 2 && must(p.GetDBVersion(context.Background())) == 2, "goose up")
	check(len(must(p.DownTo(context.Background(), 0))) == 2, "goose down")
}

func withMigrate(db *sql.DB) {
	files := fstest.MapFS{"1_notes.up.sql": {Data: []byte(up)}, "1_notes.down.sql": {Data: []byte(down)}}
	m := must(migrate.NewWithInstance("iofs", must(iofs.New(files, ".")), "pgx5", must(migratepg.WithInstance(db, &migratepg.Config{}))))
	check(m.Up() == nil && errors.Is(m.Up(), migrate.ErrNoChange), "migrate up")
	v, dirty, err := m.Version()
	check(v == 1 && !dirty && err == nil && m.Down() == nil, "migrate down")
}

func withPgx() {
	ctx := context.Background()
	pool := must(pgxpool.New(ctx, ""))
	defer pool.Close()
	must(pool.Exec(ctx, "CREATE TABLE px (id bigserial PRIMARY KEY, name text UNIQUE, tags text[], n numeric, at timestamptz, d interval)"))
	b := &pgx.Batch{}
	for i := range 20 {
		b.Queue("INSERT INTO px (name, tags, n, at, d) VALUES ($1, $2, $3, $4, $5)", fmt.Sprint("n", i), []string{"a", "b"}, pgtype.Numeric{Int: nil, Valid: false}, time.Unix(int64(i), 0), time.Hour)
	}
	check(pool.SendBatch(ctx, b).Close() == nil, "batch")
	n := must(pool.CopyFrom(ctx, pgx.Identifier{"px"}, []string{"name"}, pgx.CopyFromSlice(50, func(i int) ([]any, error) { return []any{fmt.Sprint("c", i)}, nil })))
	check(n == 50, "copied %d", n)
	type row struct {
		ID   int64
		Name string
		Tags []string
	}
	rows := must(pgx.CollectRows(must(pool.Query(ctx, "SELECT id, name, tags FROM px WHERE id <= $1 ORDER BY id", 3)), pgx.RowToStructByName[row]))
	check(len(rows) == 3 && rows[2].Tags[1] == "b", "rows: %+v", rows)
	_, err := pool.Exec(ctx, "INSERT INTO px (name) VALUES ('c1')")
	var pe *pgconn.PgError
	check(errors.As(err, &pe) && pe.Code == "23505" && pe.ConstraintName == "px_name_key", "duplicate: %v", err)
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		var x int
		check(pool.QueryRow(ctx, "SELECT $1::int + 1", mode, 41).Scan(&x) == nil && x == 42, "mode %v: %d", mode, x)
	}
}

func withPQ() {
	db := must(sql.Open("postgres", "sslmode=disable"))
	defer db.Close()
	must(db.Exec("CREATE TABLE lp (id serial PRIMARY KEY, a int[], s text)"))
	tx := must(db.Begin())
	st := must(tx.Prepare(pq.CopyIn("lp", "s")))
	for i := range 10 {
		must(st.Exec(fmt.Sprint(i)))
	}
	must(st.Exec())
	check(st.Close() == nil && tx.Commit() == nil, "copy")
	var id int
	check(db.QueryRow("INSERT INTO lp (a) VALUES ($1) RETURNING id", pq.Array([]int64{1, 2})).Scan(&id) == nil && id == 11, "id %d", id)
	var a []int64
	check(db.QueryRow("SELECT a FROM lp WHERE id = $1", 11).Scan(pq.Array(&a)) == nil && len(a) == 2, "array %v", a)
}

func main() {
	log.SetFlags(0)
	goose.SetLogger(goose.NopLogger())
	db := must(sql.Open("pgx", ""))
	defer db.Close()
	withPgx()
	withPQ()
	withGORM()
	withGoose(db)
	withMigrate(db)
	fmt.Println("fine")
}
