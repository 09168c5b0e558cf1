package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tagma/client"
	"tagma/internal/node"
	"tagma/testnet/observe"
	"tagma/testnet/tell"
)

// crash kills every replica in the middle of the work and starts them again on the same disks.
func (r *run) crash(ctx context.Context) error {
	r.show.Begin("crash", "SIGKILL for all replicas at once, restart on the same disks")
	r.killedAt = time.Since(r.load.began)
	r.cluster.Kill()
	r.watch.ReadJournals() // before they shrink again
	r.restartedAt = time.Since(r.load.began)
	if err := r.cluster.Start(); err != nil {
		return err
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	acknowledged, _ := r.load.progress()
	err := r.await(ctx, max(r.BeforeCrash, acknowledged)+r.AfterCrash, func() bool { return true })
	if err != nil {
		return err
	}
	r.show.End("clients went on as if nothing had happened")
	return nil
}

// await waits until so many operations are acknowledged and a condition holds. It ends with an error when nothing is
// acknowledged for too long, and without one when the condition does not come: the verdict will tell.
func (r *run) await(ctx context.Context, goal int, also func() bool) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		acknowledged, silent := r.load.progress()
		r.show.Advance(acknowledged, goal, fmt.Sprintf("acknowledged, view %d", r.watch.View()))
		switch {
		case acknowledged >= goal && also(), acknowledged >= 4*goal:
			return nil
		case silent > r.Stall:
			return fmt.Errorf("no operation was acknowledged for %v: more replicas are faulty than the one that %d replicas mask",
				r.Stall, replicas)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (r *run) readBack(ctx context.Context, c *client.Client) error {
	r.show.Begin("read back", "every acknowledged write, one by one")
	ctx, cancel := context.WithTimeout(ctx, 2*r.Stall)
	defer cancel()
	done := 0
	r.found, r.unread = observe.ReadBack(ctx, c, r.load.writes, func(n int) {
		done += n
		r.show.Advance(done, len(r.load.writes), "read back")
	})
	if r.unread != nil {
		return r.unread
	}
	r.show.End("%s keys read", tell.Thousands(len(r.found)))
	return nil
}

// converge waits until every correct replica has executed everything and reports the same stable checkpoint.
func (r *run) converge(ctx context.Context) error {
	r.show.Begin("converge", "the correct replicas reach one stable checkpoint with one state digest")
	ctx, cancel := context.WithTimeout(ctx, r.Stall)
	defer cancel()
	got, err := r.observer.Until(ctx, r.watch.All(), observe.ReportsEvery, func(got map[int]node.Report) bool {
		r.watch.Take(time.Now(), got)
		return observe.Agree(got, r.alive(), uint64(r.cfg.CheckpointInterval))
	})
	if r.converged = err == nil; !r.converged {
		return errors.New("the correct replicas did not reach one stable checkpoint")
	}
	at := got[r.alive()[0]]
	r.show.End("checkpoint %d, state %.16s…", at.StableCheckpoint, at.StateDigest)
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
