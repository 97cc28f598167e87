package node

import (
	"context"
	"errors"
	"io"

	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/txn"
)

// Data is a node without SQL: everything below txn.DB. Simulations run clusters of them.
type Data struct {
	plane *dataPlane
	lock  io.Closer
}

// StartData opens the data folder and starts the roles below SQL. fatal is called, possibly more than once, when the node
// cannot go on.
func StartData(ctx context.Context, cfg Config, fatal func(error)) (*Data, error) {
	cfg = cfg.withDefaults()
	id, lock, err := openDataDir(cfg.Host, cfg.DataDir, cfg.ConflictRanges, cfg.Cluster != nil)
	if err != nil {
		return nil, err
	}
	d := &Data{lock: lock}
	if cfg.Cluster == nil {
		d.plane, err = startDataPlane(ctx, cfg, id, fatal)
	} else {
		d.plane, err = startMember(ctx, cfg, id, fatal)
	}
	if err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

// DB is the door to the data, nil on a witness.
func (d *Data) DB() txn.DB {
	if d.plane.db == nil {
		return nil
	}
	return d.plane.db
}

// Control is this node's part of the control plane, nil in a process alone.
func (d *Data) Control() *control.Service {
	if d.plane.cluster == nil {
		return nil
	}
	return d.plane.cluster.control
}

// Abandon ends the roles of a node whose machine is dead, without any of the courtesies of a shutdown, which would wait for
// others: the log goes first.
func (d *Data) Abandon() {
	if c := d.plane.cluster; c != nil {
		c.cancel()
		_ = c.log.Close()
	}
	_ = d.Stop()
}

// Stop ends the roles.
func (d *Data) Stop() error {
	var errs []error
	if d.plane != nil {
		errs = append(errs, d.plane.stop())
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
