package concepts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/operate"
	"tagma/internal/rescue"
	"tagma/statemachine/kv"
	"tagma/testnet/local"
)

const (
	heldKeys = 20 // written before the backup
	lateKeys = 5  // written after it
)

// restored loses a site with three of four replicas. It restores a backup as a new cluster on another site.
func restored(does harm) func(ctx context.Context, p Place) (string, []string, error) {
	return func(ctx context.Context, p Place) (saw string, lacks []string, err error) {
		c, end, err := p.cluster(ctx, "disaster-recovery")
		if err != nil {
			return "", nil, err
		}
		defer func() { err = errors.Join(err, end()) }()
		away := filepath.Join(p.Dir, "away") // where backups are kept, with the cluster file that verifies them
		if err := os.MkdirAll(away, 0o755); err != nil {
			return "", nil, err
		}
		key := filepath.Join(away, "client.key")
		if err := errors.Join(copied(c.ClientKey(0), key), copied(c.ClusterFile(), filepath.Join(away, local.ClusterFile))); err != nil {
			return "", nil, err
		}
		held, err := writes(ctx, c.ClusterFile(), key, "held", heldKeys)
		if err != nil {
			return "", nil, err
		}
		chain, made, err := backedUp(ctx, c, key, filepath.Join(away, "monday.bak"))
		if err != nil {
			return "", nil, err
		}
		late, err := writes(ctx, c.ClusterFile(), key, "late", lateKeys)
		if err != nil {
			return "", nil, err
		}
		before, err := cluster.Load(filepath.Join(away, local.ClusterFile))
		if err != nil {
			return "", nil, err
		}
		falsified, err := refused(chain, before, filepath.Join(away, "falsified.bak"))
		if err != nil {
			return "", nil, err
		}
		m, err := monitorOf(c)
		if err != nil {
			return "", nil, err
		}

		does(c, 0, 1, 2)
		left, lost, err := m.within(ctx, p.patience(), func(all []seen) bool { return slices.Equal(those(all, isAlive), []int{3}) && !all[3].ready })
		if err != nil {
			return "", nil, err
		}
		if !lost {
			return "", []string{fmt.Sprintf("the site is not lost: its monitor sees %+v", left)}, nil
		}
		if err := c.Stop(local.Patience); err != nil { // the old cluster must never run at the same time as the new one
			return "", nil, err
		}

		has, origin, err := elsewhere(ctx, chain, before, filepath.Join(p.Dir, "rebuilt"), key)
		if err != nil {
			return "", nil, err
		}
		saw = fmt.Sprintf("the backup has the state after %d, and a copy with one bit turned is refused: %s; replica 3 is all that is left, "+
			"and not ready: %s; the new cluster has %d of the %d values from before the backup; its file says that it begins after %d: "+
			"%d acknowledged operations above that are lost, and it has %d of their values",
			made.Seq, falsified, left[3].why, has["held"], heldKeys, origin, above(late, origin), has["late"])
		return saw, slices.Concat(
			unless(falsified != "", "a backup with one bit turned is believed"),
			unless(above(held, made.Seq) == 0, "the backup does not reach to what was acknowledged before it"),
			unless(has["held"] == heldKeys, fmt.Sprintf("the new cluster has %d of %d values from before the backup", has["held"], heldKeys)),
			unless(origin == made.Seq, fmt.Sprintf("the new cluster says that it begins after %d, and the backup is of %d", origin, made.Seq)),
			unless(above(late, origin) == lateKeys && has["late"] == 0,
				fmt.Sprintf("%d of %d late operations are told as lost, and the new cluster has %d of them", above(late, origin), lateKeys, has["late"])),
		), nil
	}
}

// backedUp takes a backup of a running cluster.
func backedUp(ctx context.Context, c *local.Cluster, key, out string) (*rescue.Chain, *rescue.Made, error) {
	secret, err := crypto.ReadKey(key)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	made, err := (&rescue.Backup{File: c.File, Key: secret, Out: out}).Take(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("back up the cluster: %w", err)
	}
	chain, err := rescue.Find(out)
	return chain, made, err
}

// refused flips one bit in a copy of a backup, and returns why the copy is refused; "": it was accepted.
func refused(chain *rescue.Chain, file *cluster.File, out string) (why string, err error) {
	bytes, err := os.ReadFile(chain.Paths[0])
	if err != nil {
		return "", err
	}
	bytes[len(bytes)/2] ^= 1
	if err := os.WriteFile(out, bytes, 0o600); err != nil {
		return "", err
	}
	turned, err := rescue.Find(out)
	if err == nil {
		_, err = rescue.Verify(turned, file, nil)
	}
	if err == nil {
		return "", nil
	}
	return strings.ReplaceAll(err.Error(), out, filepath.Base(out)), nil
}

// elsewhere makes a new cluster from a backup, and counts its values by their prefixes. Origin is the sequence number at
// which the new cluster says that it begins.
func elsewhere(ctx context.Context, chain *rescue.Chain, before *cluster.File, dir, key string) (has map[string]int, origin uint64, err error) {
	base, err := local.FreeBase(len(before.Replicas), operate.AdminOffset)
	if err != nil {
		return nil, 0, err
	}
	if _, err := operate.RestoreCluster(chain, before, dir, cluster.InitOptions{BasePort: base}, nil); err != nil {
		return nil, 0, fmt.Errorf("restore the backup as a new cluster: %w", err)
	}
	c, err := local.Open(local.Options{Dir: dir})
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	if err := serving(ctx, c); err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	conn, err := client.Dial(ctx, c.ClusterFile(), key)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	has = make(map[string]int)
	for prefix, n := range map[string]int{"held": heldKeys, "late": lateKeys} {
		for i := range n {
			value, err := kv.NewClient(conn).Get(ctx, prefix+strconv.Itoa(i))
			switch {
			case err == nil && string(value) == prefix+"value":
				has[prefix]++
			case err != nil && !errors.Is(err, kv.ErrNotFound):
				return nil, 0, err
			}
		}
	}
	return has, c.File.Origin.Seq, nil
}

// above counts the sequence numbers above a given one.
func above(seqs []uint64, seq uint64) (n int) {
	for _, s := range seqs {
		if s > seq {
			n++
		}
	}
	return n
}

func copied(from, to string) error {
	bytes, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, bytes, 0o600)
}
