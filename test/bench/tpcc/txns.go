package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// term is one terminal.
type term struct {
	conn *pgx.Conn
	s    scale
	rng  *rand.Rand
	home int
}

func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// errRollback is the intended failure of one new-order in a hundred (clause 2.4.1.4).
var errRollback = errors.New("unused item number")

func (t *term) do(ctx context.Context, kind int) error {
	tx, err := t.conn.Begin(ctx)
	if err != nil {
		return err
	}
	switch kind {
	case newOrder:
		err = t.newOrder(ctx, tx)
	case payment:
		err = t.payment(ctx, tx)
	case orderStatus:
		err = t.orderStatus(ctx, tx)
	case delivery:
		err = t.delivery(ctx, tx)
	default:
		err = t.stockLevel(ctx, tx)
	}
	if err == nil {
		return tx.Commit(ctx)
	}
	_ = tx.Rollback(ctx)
	if errors.Is(err, errRollback) {
		return nil
	}
	return err
}

func (t *term) district() int { return 1 + t.rng.IntN(t.s.districts) }
func (t *term) customer() int { return 1 + nurand(t.rng, 1023, 0, t.s.customers-1) }
func (t *term) item() int     { return 1 + nurand(t.rng, 8191, 0, t.s.items-1) }

// newOrder is clause 2.4.
func (t *term) newOrder(ctx context.Context, tx pgx.Tx) error {
	w, d, c := t.home, t.district(), t.customer()
	var wTax, dTax, discount float64
	var last, credit string
	var order int
	if err := tx.QueryRow(ctx, "SELECT c_discount, c_last, c_credit, w_tax FROM customer, warehouse WHERE w_id = $1 AND c_w_id = w_id AND c_d_id = $2 AND c_id = $3",
		w, d, c).Scan(&discount, &last, &credit, &wTax); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, "UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = $1 AND d_id = $2 RETURNING d_next_o_id - 1, d_tax",
		w, d).Scan(&order, &dTax); err != nil {
		return err
	}
	n := 5 + t.rng.IntN(11)
	items := make([]int, n)
	for i := range items {
		items[i] = t.item()
	}
	sort.Ints(items)
	if t.rng.IntN(100) == 0 {
		items[n-1] = t.s.items + 1
	}
	if _, err := tx.Exec(ctx, "INSERT INTO orders VALUES ($1, $2, $3, $4, now(), NULL, $5, 1)", order, d, w, c, n); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO new_order VALUES ($1, $2, $3)", order, d, w); err != nil {
		return err
	}
	for i, item := range items {
		if err := t.orderItem(ctx, tx, w, d, order, i+1, item); err != nil {
			return err
		}
	}
	return nil
}

func (t *term) orderItem(ctx context.Context, tx pgx.Tx, w, d, order, number, item int) error {
	supply := w
	if t.s.warehouses > 1 && t.rng.IntN(100) == 0 {
		supply = 1 + t.rng.IntN(t.s.warehouses)
	}
	var price float64
	var name, data, stockData, dist string
	var have int
	err := tx.QueryRow(ctx, "SELECT i_price, i_name, i_data FROM item WHERE i_id = $1", item).Scan(&price, &name, &data)
	if errors.Is(err, pgx.ErrNoRows) {
		return errRollback
	}
	if err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, fmt.Sprintf("SELECT s_quantity, s_data, s_dist_%02d FROM stock WHERE s_i_id = $1 AND s_w_id = $2", d),
		item, supply).Scan(&have, &stockData, &dist); err != nil {
		return err
	}
	quantity := 1 + t.rng.IntN(10)
	left := have - quantity
	if left < 10 {
		left += 91
	}
	remote := 0
	if supply != w {
		remote = 1
	}
	if _, err := tx.Exec(ctx, "UPDATE stock SET s_quantity = $1, s_ytd = s_ytd + $2, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + $3 WHERE s_i_id = $4 AND s_w_id = $5",
		left, quantity, remote, item, supply); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO order_line VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8, $9)",
		order, d, w, number, item, supply, quantity, float64(quantity)*price, dist)
	return err
}

// byName finds the customer in the middle of those with a last name (clause 2.5.2.2).
func (t *term) byName(ctx context.Context, tx pgx.Tx, w, d int) (int, error) {
	name := lastName(nurand(t.rng, 255, 0, min(999, t.s.customers-1)))
	rows, err := tx.Query(ctx, "SELECT c_id FROM customer WHERE c_w_id = $1 AND c_d_id = $2 AND c_last = $3 ORDER BY c_first", w, d, name)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		return t.customer(), nil
	}
	return ids[len(ids)/2], nil
}

func (t *term) anyCustomer(ctx context.Context, tx pgx.Tx, w, d int) (int, error) {
	if t.rng.IntN(100) < 60 {
		return t.byName(ctx, tx, w, d)
	}
	return t.customer(), nil
}

// payment is clause 2.5.
func (t *term) payment(ctx context.Context, tx pgx.Tx) error {
	w, d := t.home, t.district()
	cw, cd := w, d
	if t.s.warehouses > 1 && t.rng.IntN(100) < 15 {
		cw, cd = 1+t.rng.IntN(t.s.warehouses), t.district()
	}
	amount := money(100 + t.rng.IntN(499901))
	var wName, dName string
	if err := tx.QueryRow(ctx, "UPDATE warehouse SET w_ytd = w_ytd + $1 WHERE w_id = $2 RETURNING w_name", amount, w).Scan(&wName); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, "UPDATE district SET d_ytd = d_ytd + $1 WHERE d_w_id = $2 AND d_id = $3 RETURNING d_name", amount, w, d).Scan(&dName); err != nil {
		return err
	}
	c, err := t.anyCustomer(ctx, tx, cw, cd)
	if err != nil {
		return err
	}
	var credit, data string
	if err := tx.QueryRow(ctx, `UPDATE customer SET c_balance = c_balance - $1, c_ytd_payment = c_ytd_payment + $1, c_payment_cnt = c_payment_cnt + 1
		WHERE c_w_id = $2 AND c_d_id = $3 AND c_id = $4 RETURNING c_credit, c_data`, amount, cw, cd, c).Scan(&credit, &data); err != nil {
		return err
	}
	if credit == "BC" {
		data = fmt.Sprintf("%d %d %d %d %d %s %s", c, cd, cw, d, w, amount, data)
		if _, err := tx.Exec(ctx, "UPDATE customer SET c_data = $1 WHERE c_w_id = $2 AND c_d_id = $3 AND c_id = $4",
			data[:min(500, len(data))], cw, cd, c); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "INSERT INTO history VALUES ($1, $2, $3, $4, $5, now(), $6, $7)", c, cd, cw, d, w, amount, wName+"    "+dName)
	return err
}

// orderStatus is clause 2.6.
func (t *term) orderStatus(ctx context.Context, tx pgx.Tx) error {
	w, d := t.home, t.district()
	c, err := t.anyCustomer(ctx, tx, w, d)
	if err != nil {
		return err
	}
	var order int
	err = tx.QueryRow(ctx, "SELECT o_id FROM orders WHERE o_w_id = $1 AND o_d_id = $2 AND o_c_id = $3 ORDER BY o_id DESC LIMIT 1", w, d, c).Scan(&order)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount::float8, ol_delivery_d FROM order_line WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3",
		w, d, order)
	if err != nil {
		return err
	}
	for rows.Next() { //nolint: the rows themselves are what the terminal would show
	}
	return rows.Err()
}

// delivery is clause 2.7, all districts in one transaction.
func (t *term) delivery(ctx context.Context, tx pgx.Tx) error {
	w := t.home
	for d := 1; d <= t.s.districts; d++ {
		var order, c int
		err := tx.QueryRow(ctx, "SELECT no_o_id FROM new_order WHERE no_w_id = $1 AND no_d_id = $2 ORDER BY no_o_id LIMIT 1", w, d).Scan(&order)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "DELETE FROM new_order WHERE no_w_id = $1 AND no_d_id = $2 AND no_o_id = $3", w, d, order)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			continue // another terminal was faster (READ COMMITTED servers)
		}
		if err := tx.QueryRow(ctx, "UPDATE orders SET o_carrier_id = $1 WHERE o_w_id = $2 AND o_d_id = $3 AND o_id = $4 RETURNING o_c_id",
			1+t.rng.IntN(10), w, d, order).Scan(&c); err != nil {
			return err
		}
		var amount float64
		if err := tx.QueryRow(ctx, "SELECT sum(ol_amount)::float8 FROM order_line WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3", w, d, order).Scan(&amount); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE order_line SET ol_delivery_d = now() WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3", w, d, order); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE customer SET c_balance = c_balance + $1, c_delivery_cnt = c_delivery_cnt + 1 WHERE c_w_id = $2 AND c_d_id = $3 AND c_id = $4",
			fmt.Sprintf("%.2f", amount), w, d, c); err != nil {
			return err
		}
	}
	return nil
}

// stockLevel is clause 2.8.
func (t *term) stockLevel(ctx context.Context, tx pgx.Tx) error {
	w, d := t.home, t.district()
	var next, low int
	if err := tx.QueryRow(ctx, "SELECT d_next_o_id FROM district WHERE d_w_id = $1 AND d_id = $2", w, d).Scan(&next); err != nil {
		return err
	}
	return tx.QueryRow(ctx, `SELECT count(DISTINCT s_i_id) FROM order_line, stock WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id < $3 AND ol_o_id >= $3 - 20
		AND s_w_id = $1 AND s_i_id = ol_i_id AND s_quantity < $4`, w, d, next, 10+t.rng.IntN(11)).Scan(&low)
}

// conditions are clause 3.3.2, each a query that counts violations.
var conditions = []struct{ name, query string }{
	{"1: W_YTD = sum(D_YTD)", `SELECT count(*) FROM (SELECT w_ytd, sum(d_ytd) AS s FROM warehouse JOIN district ON d_w_id = w_id GROUP BY w_id, w_ytd) x WHERE w_ytd <> s`},
	{"2: D_NEXT_O_ID - 1 = max(O_ID)", `SELECT count(*) FROM (SELECT d_next_o_id, (SELECT max(o_id) FROM orders WHERE o_w_id = d_w_id AND o_d_id = d_id) AS m FROM district) x WHERE d_next_o_id - 1 <> m`},
	{"3: new orders have no gaps", `SELECT count(*) FROM (SELECT max(no_o_id) - min(no_o_id) + 1 AS span, count(*) AS n FROM new_order GROUP BY no_w_id, no_d_id) x WHERE span <> n`},
	{"4: sum(O_OL_CNT) = order lines", `SELECT count(*) FROM (SELECT o_w_id, o_d_id, sum(o_ol_cnt) AS s FROM orders GROUP BY o_w_id, o_d_id) o
		JOIN (SELECT ol_w_id, ol_d_id, count(*) AS n FROM order_line GROUP BY ol_w_id, ol_d_id) l ON ol_w_id = o_w_id AND ol_d_id = o_d_id WHERE s <> n`},
	{"5: carrier is null exactly for new orders", `SELECT count(*) FROM orders LEFT JOIN new_order ON no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id WHERE (o_carrier_id IS NULL) <> (no_o_id IS NOT NULL)`},
	{"6: O_OL_CNT = its order lines", `SELECT count(*) FROM (SELECT o_ol_cnt, count(ol_number) AS n FROM orders LEFT JOIN order_line ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
		GROUP BY o_w_id, o_d_id, o_id, o_ol_cnt) x WHERE o_ol_cnt <> n`},
	{"8: W_YTD = sum(H_AMOUNT)", `SELECT count(*) FROM (SELECT w_ytd, (SELECT sum(h_amount) FROM history WHERE h_w_id = w_id) AS s FROM warehouse) x WHERE w_ytd <> s AND w_ytd - 300000 <> s - (SELECT count(*) FROM customer) * 10.00`},
}

// consistent checks the conditions.
func consistent(ctx context.Context, conn *pgx.Conn) error {
	for _, c := range conditions {
		var n int
		if err := conn.QueryRow(ctx, c.query).Scan(&n); err != nil {
			return fmt.Errorf("condition %s: %w", c.name, err)
		}
		if n != 0 {
			return fmt.Errorf("condition %s is violated %d times", c.name, n)
		}
	}
	fmt.Printf("%d consistency conditions hold\n", len(conditions))
	return nil
}
