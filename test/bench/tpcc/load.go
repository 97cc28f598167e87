package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const schema = `
DROP TABLE IF EXISTS order_line, new_order, orders, history, customer, stock, district, item, warehouse;
CREATE TABLE warehouse (w_id int PRIMARY KEY, w_name varchar(10), w_street_1 varchar(20), w_street_2 varchar(20), w_city varchar(20),
  w_state char(2), w_zip char(9), w_tax numeric(4,4), w_ytd numeric(12,2));
CREATE TABLE district (d_id int, d_w_id int, d_name varchar(10), d_street_1 varchar(20), d_street_2 varchar(20), d_city varchar(20),
  d_state char(2), d_zip char(9), d_tax numeric(4,4), d_ytd numeric(12,2), d_next_o_id int, PRIMARY KEY (d_w_id, d_id));
CREATE TABLE customer (c_id int, c_d_id int, c_w_id int, c_first varchar(16), c_middle char(2), c_last varchar(16), c_street_1 varchar(20),
  c_street_2 varchar(20), c_city varchar(20), c_state char(2), c_zip char(9), c_phone char(16), c_since timestamp, c_credit char(2),
  c_credit_lim numeric(12,2), c_discount numeric(4,4), c_balance numeric(12,2), c_ytd_payment numeric(12,2), c_payment_cnt int,
  c_delivery_cnt int, c_data varchar(500), PRIMARY KEY (c_w_id, c_d_id, c_id));
CREATE TABLE history (h_c_id int, h_c_d_id int, h_c_w_id int, h_d_id int, h_w_id int, h_date timestamp, h_amount numeric(6,2), h_data varchar(24));
CREATE TABLE orders (o_id int, o_d_id int, o_w_id int, o_c_id int, o_entry_d timestamp, o_carrier_id int, o_ol_cnt int, o_all_local int,
  PRIMARY KEY (o_w_id, o_d_id, o_id));
CREATE TABLE new_order (no_o_id int, no_d_id int, no_w_id int, PRIMARY KEY (no_w_id, no_d_id, no_o_id));
CREATE TABLE item (i_id int PRIMARY KEY, i_im_id int, i_name varchar(24), i_price numeric(5,2), i_data varchar(50));
CREATE TABLE stock (s_i_id int, s_w_id int, s_quantity int, s_dist_01 char(24), s_dist_02 char(24), s_dist_03 char(24), s_dist_04 char(24),
  s_dist_05 char(24), s_dist_06 char(24), s_dist_07 char(24), s_dist_08 char(24), s_dist_09 char(24), s_dist_10 char(24), s_ytd numeric(8,0),
  s_order_cnt int, s_remote_cnt int, s_data varchar(50), PRIMARY KEY (s_w_id, s_i_id));
CREATE TABLE order_line (ol_o_id int, ol_d_id int, ol_w_id int, ol_number int, ol_i_id int, ol_supply_w_id int, ol_delivery_d timestamp,
  ol_quantity int, ol_amount numeric(6,2), ol_dist_info char(24), PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number));
CREATE INDEX customer_name ON customer (c_w_id, c_d_id, c_last, c_first);
CREATE INDEX orders_customer ON orders (o_w_id, o_d_id, o_c_id, o_id);`

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

type loader struct {
	ctx  context.Context
	conn *pgx.Conn
	rng  *rand.Rand
	s    scale
}

func fill(ctx context.Context, conn *pgx.Conn, s scale) error {
	if _, err := conn.Exec(ctx, schema); err != nil {
		return err
	}
	l := &loader{ctx, conn, rand.New(rand.NewPCG(1, 2)), s}
	if err := l.items(); err != nil {
		return err
	}
	for w := 1; w <= s.warehouses; w++ {
		for _, step := range []func(int) error{l.warehouse, l.stock, l.customers, l.orders} {
			if err := step(w); err != nil {
				return err
			}
		}
	}
	_, err := conn.Exec(ctx, "ANALYZE")
	return err
}

func (l *loader) text(least, most int) string {
	n := least + l.rng.IntN(most-least+1)
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[l.rng.IntN(len(letters))]
	}
	return string(b)
}

// copy loads rows that next makes, in binary.
func (l *loader) copy(table string, columns string, n int, next func(i int) []any) error {
	_, err := l.conn.CopyFrom(l.ctx, pgx.Identifier{table}, strings.Fields(columns), pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		return next(i), nil
	}))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

func (l *loader) items() error {
	return l.copy("item", "i_id i_im_id i_name i_price i_data", l.s.items, func(i int) []any {
		return []any{i + 1, 1 + l.rng.IntN(10000), l.text(14, 24), money(100 + l.rng.IntN(9901)), l.data()}
	})
}

func (l *loader) data() string {
	d := l.text(26, 50)
	if l.rng.IntN(10) == 0 {
		d = d[:10] + "ORIGINAL" + d[18:]
	}
	return d
}

// money prints hundredths; pgx encodes the text as numeric.
func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func (l *loader) warehouse(w int) error {
	_, err := l.conn.Exec(l.ctx, "INSERT INTO warehouse VALUES ($1, $2, 'street', 'street', 'city', 'ST', '123411111', 0.1, 300000)", w, l.text(6, 10))
	if err != nil {
		return err
	}
	for d := 1; d <= l.s.districts; d++ {
		if _, err := l.conn.Exec(l.ctx, "INSERT INTO district VALUES ($1, $2, $3, 'street', 'street', 'city', 'ST', '123411111', 0.1, 30000, $4)",
			d, w, l.text(6, 10), l.s.customers+1); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) stock(w int) error {
	dist := make([]string, 10)
	return l.copy("stock", `s_i_id s_w_id s_quantity s_dist_01 s_dist_02 s_dist_03 s_dist_04 s_dist_05 s_dist_06 s_dist_07 s_dist_08
		s_dist_09 s_dist_10 s_ytd s_order_cnt s_remote_cnt s_data`, l.s.items, func(i int) []any {
		row := []any{i + 1, w, 10 + l.rng.IntN(91)}
		for d := range dist {
			row = append(row, l.text(24, 24))
			_ = d
		}
		return append(row, "0", 0, 0, l.data())
	})
}

var syllables = [...]string{"BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"}

// lastName is clause 4.3.2.3.
func lastName(n int) string {
	return syllables[n/100%10] + syllables[n/10%10] + syllables[n%10]
}

func (l *loader) customers(w int) error {
	now := time.Now()
	for d := 1; d <= l.s.districts; d++ {
		err := l.copy("customer", `c_id c_d_id c_w_id c_first c_middle c_last c_street_1 c_street_2 c_city c_state c_zip c_phone c_since
			c_credit c_credit_lim c_discount c_balance c_ytd_payment c_payment_cnt c_delivery_cnt c_data`, l.s.customers, func(i int) []any {
			name := lastName(i)
			if i >= 1000 {
				name = lastName(nurand(l.rng, 255, 0, 999))
			}
			credit := "GC"
			if l.rng.IntN(10) == 0 {
				credit = "BC"
			}
			return []any{i + 1, d, w, l.text(8, 16), "OE", name, "street", "street", "city", "ST", "123411111", "0123456789012345", now,
				credit, "50000", fmt.Sprintf("0.%04d", l.rng.IntN(5001)), "-10", "10", 1, 0, l.text(300, 500)}
		})
		if err != nil {
			return err
		}
		err = l.copy("history", "h_c_id h_c_d_id h_c_w_id h_d_id h_w_id h_date h_amount h_data", l.s.customers, func(i int) []any {
			return []any{i + 1, d, w, d, w, now, "10", l.text(12, 24)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) orders(w int) error {
	now := time.Now()
	for d := 1; d <= l.s.districts; d++ {
		perm := l.rng.Perm(l.s.customers)
		lines := make([]int, l.s.customers)
		undelivered := l.s.customers * 7 / 10
		err := l.copy("orders", "o_id o_d_id o_w_id o_c_id o_entry_d o_carrier_id o_ol_cnt o_all_local", l.s.customers, func(i int) []any {
			lines[i] = 5 + l.rng.IntN(11)
			var carrier any
			if i < undelivered {
				carrier = 1 + l.rng.IntN(10)
			}
			return []any{i + 1, d, w, perm[i] + 1, now, carrier, lines[i], 1}
		})
		if err != nil {
			return err
		}
		if err := l.copy("new_order", "no_o_id no_d_id no_w_id", l.s.customers-undelivered, func(i int) []any {
			return []any{undelivered + i + 1, d, w}
		}); err != nil {
			return err
		}
		if err := l.orderLines(w, d, lines, undelivered, now); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) orderLines(w, d int, lines []int, undelivered int, now time.Time) error {
	total := 0
	for _, n := range lines {
		total += n
	}
	order, number := 0, 0
	return l.copy("order_line", "ol_o_id ol_d_id ol_w_id ol_number ol_i_id ol_supply_w_id ol_delivery_d ol_quantity ol_amount ol_dist_info", total,
		func(int) []any {
			if number == lines[order] {
				order, number = order+1, 0
			}
			number++
			var delivered any
			amount := money(1 + l.rng.IntN(999999))
			if order < undelivered {
				delivered, amount = now, "0"
			}
			return []any{order + 1, d, w, number, 1 + l.rng.IntN(l.s.items), w, delivered, 5, amount, l.text(24, 24)}
		})
}

// nurand is the standard's non-uniform random number (clause 2.1.6) with a constant of 123.
func nurand(rng *rand.Rand, a, x, y int) int {
	return ((rng.IntN(a+1)|(x+rng.IntN(y-x+1)))+123)%(y-x+1) + x
}
