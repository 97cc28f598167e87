// Command tpcc runs the TPC-C workload over pgx against Meridian or PostgreSQL: the standard's schema, its five
// transactions in their mix, and its consistency conditions, which are checked after every run. Think times are left out, as
// is usual in comparisons, so the figure is not a tpmC in the sense of the standard's clause 5.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// scale says how large the database is; the standard's numbers are the defaults.
type scale struct {
	warehouses, districts, customers, items int
}

func main() {
	var s scale
	url := flag.String("url", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable", "connection string")
	flag.IntVar(&s.warehouses, "warehouses", 1, "number of warehouses")
	flag.IntVar(&s.customers, "customers", 3000, "customers in each district (the standard: 3000)")
	flag.IntVar(&s.items, "items", 100000, "items (the standard: 100000)")
	threads := flag.Int("threads", 8, "connections")
	duration := flag.Duration("duration", 10*time.Second, "length of the run")
	load := flag.Bool("load", false, "make the tables and fill them first")
	flag.Parse()
	s.districts = 10
	ctx := context.Background()
	if err := run(ctx, *url, s, *threads, *duration, *load); err != nil {
		fmt.Fprintln(os.Stderr, "tpcc:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, s scale, threads int, duration time.Duration, load bool) error {
	if load {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		began := time.Now()
		err = fill(ctx, conn, s)
		_ = conn.Close(ctx)
		if err != nil {
			return fmt.Errorf("loading: %w", err)
		}
		fmt.Printf("loaded %d warehouses in %.1f s\n", s.warehouses, time.Since(began).Seconds())
	}
	var total counters
	deadline := time.Now().Add(duration)
	errs := make([]error, threads)
	var wg sync.WaitGroup
	for i := range threads {
		wg.Go(func() { errs[i] = terminal(ctx, url, s, i, deadline, &total) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	minutes := duration.Minutes()
	fmt.Printf("tpmC %.0f\n", float64(total.done[newOrder].Load())/minutes)
	for k, name := range names {
		fmt.Printf("%-12s %8d done %8d retried\n", name, total.done[k].Load(), total.retried[k].Load())
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return consistent(ctx, conn)
}

// The transactions and their share of the mix (clause 5.2.3).
const (
	newOrder = iota
	payment
	orderStatus
	delivery
	stockLevel
)

var names = [...]string{"new-order", "payment", "order-status", "delivery", "stock-level"}

type counters struct {
	done, retried [len(names)]atomic.Int64
}

// terminal runs transactions on one connection until the deadline.
func terminal(ctx context.Context, url string, s scale, n int, deadline time.Time, total *counters) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SET default_transaction_isolation = 'repeatable read'"); err != nil {
		return err
	}
	t := &term{conn: conn, s: s, rng: rand.New(rand.NewPCG(uint64(n), 7)), home: n%s.warehouses + 1}
	for time.Now().Before(deadline) {
		kind := t.choose()
		for {
			err := t.do(ctx, kind)
			if err == nil {
				total.done[kind].Add(1)
				break
			}
			if !retryable(err) {
				return fmt.Errorf("%s: %w", names[kind], err)
			}
			total.retried[kind].Add(1)
		}
	}
	return nil
}

func (t *term) choose() int {
	switch p := t.rng.IntN(100); {
	case p < 45:
		return newOrder
	case p < 88:
		return payment
	case p < 92:
		return orderStatus
	case p < 96:
		return delivery
	default:
		return stockLevel
	}
}
