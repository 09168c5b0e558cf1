package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/operate"
	"tagma/internal/rescue"
	"tagma/internal/terminal"
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
			bar := terminal.NewBar(cmd.ErrOrStderr(), t.JSON)
			b := &rescue.Backup{Out: out, Progress: bar.Show}
			var err error
			if home != "" {
				if b.Disk, err = program.DiskAt(home, t.Cluster); err == nil {
					b.File = b.Disk.Cluster
				}
			} else if b.File, b.Key, err = t.Read(); err == nil && !b.File.MayBackUp(b.Key.Public()) {
				err = command.Unusablef("this client may take no backup; write `backup = true` beside its key in the cluster file of every" +
					" replica, or use a client's key that may")
			}
			if err != nil {
				return err
			}
			if len(since) > 0 {
				if b.Since, err = rescue.Find(since[0], since[1:]...); err != nil {
					return command.NotUsable(err)
				}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), t.Timeout)
			defer cancel()
			made, err := b.Take(ctx)
			bar.Clear()
			if err != nil {
				return fmt.Errorf("back up the cluster: %w", err)
			}
			return command.Print(cmd, t.JSON, made, made.Print)
		},
	}
	t.flags(cmd, 30*time.Minute)
	cmd.Flags().StringVar(&out, "out", "", "`file` of the backup; it must not exist")
	cmd.Flags().StringVar(&home, "home", "", "`directory` of a replica that does not run: read its disk, and ask nobody")
	command.Complete(cmd, "home", operate.Homes)
	cmd.Flags().StringArrayVar(&since, "since", nil, "earlier backup `file`: hold only what changed (again: those that it adds to)")
	return cmd
}

func newVerify() *cobra.Command {
	var (
		clusterFile string
		since       []string
		asJSON      bool
	)
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup, receipt, proof, attestation or evidence, with the cluster file alone",
		Long: `Check what FILE holds, offline: no replica need run, and none is trusted. What it is, is detected. Of a backup every
checksum is compared, the certificate is checked with the keys in the cluster file, and the root that a quorum signed is
computed again from all entries, over the backups that FILE adds to. A receipt shows what became of a request, a proof what a key
held at a checkpoint, an attestation what the machine vouches for, such as a decision on a transaction over several clusters, which
--receipt saves (give the coordinator's cluster file): the members' signatures and all that they cover are checked, so no byte
of FILE can have been changed. Of evidence, of another replica's misbehaviour or of an own state that was wrong, the signatures are
checked. A file that does not hold makes the exit code 1.

tagma evidence HOME --verify checks all evidence of a replica, and tagma journal HOME its journal.`,
		Example: `  tagma verify monday.bak --cluster demo/cluster.toml
  tagma verify tuesday.bak --since elsewhere/monday.bak`,
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := program.ReadCluster(clusterFile)
			if err != nil {
				return err
			}
			progress := terminal.NewBar(cmd.ErrOrStderr(), asJSON)
			found, err := operate.Verify(args[0], since, file, progress.Sharing("verifying"))
			progress.Clear()
			if err != nil {
				return err
			}
			return command.Print(cmd, asJSON, found, found.Print)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` of the backup's cluster (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.StringArrayVar(&since, "since", nil, "backup `file` that this one adds to, if it is not beside it (again: that before it)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// restoring holds the flags of `tagma restore`.
type restoring struct {
	in, dir, cluster string
	since            []string
	replica          int
	newKeys, json    bool
	options          cluster.InitOptions // for --new-keys
}

func newRestore() *cobra.Command {
	var r restoring
	cmd := &cobra.Command{
		Use:   "restore --in FILE --dir DIR (--replica I | --new-keys)",
		Short: "Put a backup back: into one replica's home, or as a whole new cluster",
		Long: `With --replica put the state of a backup into the home of one replica that lost its data, so that it fetches only what
changed since. Its key must be there, and no data. A replica that comes back so may have forgotten what it signed, and knows
it: it is silent until the others have told it from where on it contradicts nothing.

With --new-keys make a whole new cluster in DIR from a backup: new replicas with new keys under a new cluster id, which begin
with the state of the backup. It is for a cluster of which more than f replicas are lost for good. Machine, protocol
parameters and clients are those of the old cluster, whose file --cluster names; clients keep their keys and sessions, and
need the new cluster file. cluster.toml says where the state comes from. The old cluster must never run again beside it: what
it acknowledged after the backup is not in the new one.`,
		Example: `  tagma restore --in monday.bak --dir demo --replica 2
  tagma restore --in monday.bak --dir rebuilt --new-keys --cluster demo/cluster.toml --host a.example,b.example,c.example,d.example`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case r.in == "":
				return command.Unusablef("restore: no backup given; name it with --in FILE")
			case r.dir == "":
				return command.Unusablef("restore: no directory given; name the cluster's with --dir DIR")
			case r.newKeys == (r.replica >= 0):
				return command.Unusablef("restore: give either --replica I, for one home of a cluster that goes on, or --new-keys, for a new cluster")
			}
			chain, err := operate.FindBackup(r.in, r.since)
			if err != nil {
				return err
			}
			progress := terminal.NewBar(cmd.ErrOrStderr(), r.json)
			if !r.newKeys {
				restored, err := operate.RestoreHome(chain, r.dir, r.replica, progress.Sharing("restoring "+r.dir))
				progress.Clear()
				if err != nil {
					return err
				}
				return command.Print(cmd, r.json, restored, func(w io.Writer) error { return program.PrintRestored(w, restored) })
			}
			before, err := program.ReadCluster(r.cluster)
			if err != nil {
				return err
			}
			made, err := operate.RestoreCluster(chain, before, r.dir, r.options, progress.Sharing("restoring "+r.dir))
			progress.Clear()
			if err != nil {
				return err
			}
			return command.Print(cmd, r.json, made, func(w io.Writer) error { return program.PrintMade(w, made) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.in, "in", "", "`file` of the backup")
	flags.StringArrayVar(&r.since, "since", nil, "backup `file` that it adds to, if it is not beside it (again: that before it)")
	flags.StringVar(&r.dir, "dir", "", "`directory` of the cluster; with --new-keys of the new one, made if need be")
	flags.IntVar(&r.replica, "replica", -1, "`number` of the replica whose home, in DIR or DIR itself, lost its data")
	flags.BoolVar(&r.newKeys, "new-keys", false, "make a new cluster, with new keys under a new id")
	flags.StringVar(&r.cluster, "cluster", "", "with --new-keys the old cluster's `file` (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.IntVar(&r.options.Replicas, "replicas", 0, "with --new-keys `number` of replicas (default as many as there were)")
	flags.StringSliceVar(&r.options.Hosts, "host", nil, "with --new-keys IP `addresses` or DNS names: one for all replicas or one each")
	flags.StringVar(&r.options.Transport, "transport", cluster.TCP, "with --new-keys how replicas and clients are connected: tcp or quic")
	flags.IntVar(&r.options.BasePort, "base-port", 7000, "with --new-keys `port` of the first replica on each host")
	flags.BoolVar(&r.json, "json", false, "print one JSON document")
	command.Complete(cmd, "transport", command.Words(cluster.TCP, cluster.QUIC))
	return cmd
}
