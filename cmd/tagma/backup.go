package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tagma/checkpoint/store"
	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/operate"
	"tagma/internal/reach"
	"tagma/internal/replica"
	"tagma/internal/rescue"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

func newBackup() *cobra.Command {
	var (
		t         target
		out, home string
		since     []string
	)
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Take a verified backup of the whole state, while the cluster serves or from a disk at rest",
		Long: `Write the state of the cluster to FILE: all keys, the clients' sessions, and the certificate with which a quorum of the
replicas vouches for it. It is the state after a stable checkpoint and holds everything that was acknowledged before the
command began. Any replica may give it: each part is compared up to the certified root, and one that lies is left out and
named. Replicas give a backup what ordering leaves over.

With --since an earlier backup FILE holds only what changed since then, and needs that one to be restored.

The client needs "backup = true" in the cluster file of the replicas, as the one that tagma init makes has.

With --home read one replica's disk instead, when the cluster does not serve any more. Its node must not run; nothing is
written to the disk, and no key is needed. HOME is a home, or a directory that holds its journal and state, which --cluster
then names the cluster of. The state is that after the newest stable checkpoint of this disk, and is verified as every other:
what was acknowledged above it is not in the backup. Of several disks back up all, and keep the newest.`,
		Example: `  tagma backup --out monday.bak
  tagma backup --out tuesday.bak --since monday.bak
  tagma verify tuesday.bak
  tagma backup --out saved.bak --home demo/replica2`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return command.Unusablef("backup: no file given; say where the backup goes with --out FILE")
			}
			if _, err := os.Lstat(out); err == nil {
				return command.Unusablef("%s exists, and nothing is overwritten: name another file", out)
			}
			b := &backing{out: out, bar: newBar(cmd.ErrOrStderr(), t.JSON)}
			var err error
			if home != "" {
				err = b.fromDisk(home, t.Cluster)
			} else {
				err = b.fromCluster(&t)
			}
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), t.Timeout)
			defer cancel()
			if len(since) > 0 {
				if b.since, err = rescue.Find(since[0], since[1:]...); err != nil {
					return command.NotUsable(err)
				}
			}
			made, err := b.run(ctx)
			b.bar.clear()
			if err != nil {
				return fmt.Errorf("back up the cluster: %w", err)
			}
			if t.JSON {
				return command.PrintJSON(cmd.OutOrStdout(), made)
			}
			return made.print(cmd.OutOrStdout())
		},
	}
	t.flags(cmd, 30*time.Minute)
	cmd.Flags().StringVar(&out, "out", "", "`file` of the backup; it must not exist")
	cmd.Flags().StringVar(&home, "home", "", "`directory` of a replica that does not run: read its disk, and ask nobody")
	cmd.Flags().StringArrayVar(&since, "since", nil, "earlier backup `file`: hold only what changed (again: those that it adds to)")
	return cmd
}

// backing is a backup that is being taken, from a cluster or from a disk.
type backing struct {
	file  *cluster.File
	key   *crypto.PrivateKey
	disk  *rescue.Disk // nil: the cluster gives it
	out   string
	since *rescue.Chain // nil: a whole backup
	bar   *bar
	liars []liar
}

// liar is a replica that gave what is not the state.
type liar struct {
	Replica int    `json:"replica"`
	Why     string `json:"why"`
}

// madeBackup is what `tagma backup` made.
type madeBackup struct {
	File    string `json:"file"`
	Seq     uint64 `json:"seq"`
	Root    string `json:"root"`
	Since   uint64 `json:"since,omitempty"`
	Keys    int    `json:"keys"`
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	Signers []int  `json:"signers"`
	Liars   []liar `json:"liars"`
	// JournalReach is, of a disk, the highest sequence number of which its journal tells anything.
	JournalReach uint64 `json:"journal_reach,omitempty"`
}

func (b *backing) fromCluster(t *target) (err error) {
	if b.file, b.key, err = t.Read(); err != nil {
		return err
	}
	if !b.file.MayBackUp(b.key.Public()) {
		return command.Unusablef("this client may take no backup; write `backup = true` beside its key in the cluster file of every" +
			" replica, or use a client's key that may")
	}
	return nil
}

// fromDisk finds the data under a home, or in a directory that holds nothing else.
func (b *backing) fromDisk(home, clusterFile string) (err error) {
	data, isHome := home, operate.IsFile(filepath.Join(home, node.ConfigFile))
	if isHome {
		h, err := node.ReadHome(home)
		if err != nil {
			return command.NotUsable(err)
		}
		b.file, data = h.Cluster, h.Data
	}
	if clusterFile != "" || !isHome {
		if b.file, err = loadCluster(clusterFile); err != nil {
			return err
		}
	}
	b.disk = &rescue.Disk{Cluster: b.file, Journal: filepath.Join(data, node.JournalDir), State: filepath.Join(data, node.StateDir)}
	return nil
}

func (b *backing) run(ctx context.Context) (_ *madeBackup, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(b.out), ".tagma-backup-*") // where there is room for the backup
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	judge, err := rescue.OfCluster(b.file)
	if err != nil {
		return nil, err
	}
	st, err := rescue.Unpack(b.since, filepath.Join(dir, "fetched"), judge, b.bar.sharing("reading the earlier backup"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	var before statemachine.StorageView
	if b.since != nil {
		if before, err = st.View(b.since.Last().Seq); err != nil {
			return nil, err
		}
		defer before.Close()
	}
	if b.disk != nil {
		b.disk.Scratch = filepath.Join(dir, "disk")
		return b.read(before)
	}
	cert, err := b.fetch(ctx, st)
	if err != nil {
		return nil, err
	}
	return b.save(st, cert, before)
}

// read takes the state from a disk.
func (b *backing) read(before statemachine.StorageView) (_ *madeBackup, err error) {
	b.bar.show("reading the disk", 0, b.disk.State)
	still, err := b.disk.Read()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, still.Store.Close()) }()
	if seq := uint64(still.Cert.Seq); b.since != nil && b.since.Last().Seq >= seq {
		return nil, fmt.Errorf("the newest checkpoint on this disk is %d, and the backup that it was to add to is of %d already: take"+
			" another replica's disk", seq, b.since.Last().Seq)
	}
	made, err := b.save(still.Store, still.Cert, before)
	if err == nil {
		made.JournalReach = still.Reach
	}
	return made, err
}

// fetch has replicas give the state.
func (b *backing) fetch(ctx context.Context, st *store.Store) (cert wire.StableCert, err error) {
	least, err := b.reach(ctx)
	if err != nil {
		return cert, err
	}
	return rescue.Take(ctx, rescue.Taking{
		File: b.file, Key: b.key, Store: st, Least: least,
		Progress: func(p replica.Progress) {
			b.bar.show("fetching", p.Share, fmt.Sprintf("%.0f %%, %s", 100*p.Share, terminal.Bytes(int64(p.Bytes))))
		},
		Liar: func(replica int, why error) {
			b.liars = append(b.liars, liar{replica, terminal.Printable(why.Error())})
		},
	})
}

// save writes what was fetched, and reads it again as `tagma verify` does.
func (b *backing) save(st *store.Store, cert wire.StableCert, before statemachine.StorageView) (*madeBackup, error) {
	view, err := st.View(uint64(cert.Seq))
	if err != nil {
		return nil, err
	}
	defer view.Close()
	b.bar.show("writing", 0, b.out)
	records, err := rescue.Save(b.out, b.file, cert, b.since, before, view)
	if err != nil {
		return nil, err
	}
	var earlier []string
	if b.since != nil {
		for i := len(b.since.Paths) - 1; i >= 0; i-- {
			earlier = append(earlier, b.since.Paths[i])
		}
	}
	chain, err := rescue.Find(b.out, earlier...)
	if err != nil {
		return nil, err
	}
	report, err := rescue.Verify(chain, b.file, b.bar.sharing("verifying"))
	if err != nil {
		return nil, err
	}
	made := &madeBackup{
		File: b.out, Seq: report.Seq, Root: fmt.Sprintf("%x", report.Root), Since: chain.Last().Since, Keys: report.Keys, Records: records,
		Signers: append([]int{}, report.Signers...), Liars: append([]liar{}, b.liars...),
	}
	if info, err := os.Stat(b.out); err == nil {
		made.Bytes = info.Size()
	}
	return made, nil
}

// reach has the cluster come to a checkpoint that holds everything acknowledged until now, with reads that are ordered. It
// returns the sequence number that the checkpoint must not be below.
func (b *backing) reach(ctx context.Context) (least uint64, err error) {
	c, err := reach.Dial(ctx, b.file, b.key)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	cfg, err := b.file.Config(0)
	if err != nil {
		return 0, err
	}
	interval, target := uint64(cfg.CheckpointInterval), uint64(1)
	for at := uint64(0); at < target; {
		r, err := c.Do(ctx, nil, client.ReadOnly())
		if err != nil {
			return 0, err
		}
		if at = r.Seq; least == 0 {
			least, target = at, (at+interval-1)/interval*interval
		}
		b.bar.show("waiting for a checkpoint", float64(at%interval)/float64(interval), fmt.Sprintf("at %d of %d", at, target))
	}
	return least, nil
}

func (m *madeBackup) print(w io.Writer) error {
	text := fmt.Sprintf("%s: the state after %d, %s, %s, %s\n", m.File, m.Seq, terminal.Count(m.Keys, "key"), terminal.Bytes(m.Bytes),
		vouchedBy(m.Signers))
	if m.Since > 0 {
		text += fmt.Sprintf("it holds %s since %d, and needs the backups before it\n", terminal.Count(m.Records, "change"), m.Since)
	}
	if m.JournalReach > m.Seq {
		text += fmt.Sprintf("the journal on this disk goes on to %d; what was acknowledged above %d is not in the backup\n", m.JournalReach, m.Seq)
	}
	for _, l := range m.Liars {
		text += fmt.Sprintf("replica %d gave what is not the state, and was left out: %s\n", l.Replica, l.Why)
	}
	_, err := io.WriteString(w, text)
	return err
}

// bar shows how far long work is, redrawn in place on a terminal; elsewhere it says nothing.
type bar struct {
	out  io.Writer
	last time.Time
}

func newBar(out io.Writer, silent bool) *bar {
	if silent || !terminal.Redraws(out) {
		out = nil
	}
	return &bar{out: out}
}

func (b *bar) show(what string, share float64, text string) {
	if b.out == nil || time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.last = time.Now()
	_, _ = fmt.Fprintf(b.out, "\r\x1b[K%s %s  %s", terminal.Cells(share, terminal.Colours(b.out)), what, text) // a reader that has gone away is no reason to stop
}

// sharing is show for work of which only the share is known.
func (b *bar) sharing(what string) func(float64) {
	return func(share float64) { b.show(what, share, fmt.Sprintf("%.0f %%", 100*share)) }
}

func (b *bar) clear() {
	if b.out != nil {
		_, _ = io.WriteString(b.out, "\r\x1b[K")
	}
}
