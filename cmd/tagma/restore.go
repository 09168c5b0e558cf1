package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tagma/checkpoint/backup"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/operate"
	"tagma/internal/rescue"
)

// restoring is what `tagma restore` is told.
type restoring struct {
	in, dir, cluster string
	since            []string
	replica          int
	newKeys, json    bool
	options          cluster.InitOptions // of --new-keys
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
			chain, err := findBackup(r.in, r.since)
			if err != nil {
				return err
			}
			progress := newBar(cmd.ErrOrStderr(), r.json)
			defer progress.clear()
			if r.newKeys {
				return r.found(chain, progress, cmd.OutOrStdout())
			}
			return r.fill(chain, progress, cmd.OutOrStdout())
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
	return cmd
}

// restored is what `tagma restore --replica` did.
type restored struct {
	Home    string `json:"home"`
	Replica int    `json:"replica"`
	Seq     uint64 `json:"seq"`
	Root    string `json:"root"`
	Origin  bool   `json:"origin"` // it is the state that the cluster began with
}

// fill puts the state into one home. The file life beside the key is left alone: with a state and no journal the next start
// finds that this replica may have forgotten what it signed (D8.3), whatever it says, unless the state is the cluster's
// origin and the replica was never started: then nothing was signed, and the others are asked all the same (D8.5).
func (r *restoring) fill(chain *rescue.Chain, progress *bar, w io.Writer) error {
	home := r.dir
	if !operate.IsFile(filepath.Join(home, node.ConfigFile)) {
		home = filepath.Join(r.dir, fmt.Sprintf("replica%d", r.replica))
	}
	h, err := node.ReadHome(home)
	if err != nil {
		return command.NotUsable(err)
	}
	if self := int(h.Config.Self); self != r.replica {
		return command.Unusablef("%s is the home of replica %d, not of %d", home, self, r.replica)
	}
	if _, err := os.Stat(h.Data); err != nil {
		return command.NotUsable(fmt.Errorf("the data directory of %s is not there: mount its disk, or create it: %w", home, err))
	}
	judge, origin := rescue.OfOrigin(chain, h.Cluster)
	if !origin {
		if judge, err = rescue.OfCluster(h.Cluster); err != nil {
			return err
		}
	}
	if err := r.put(chain, h.Data, judge, progress); err != nil {
		return err
	}
	last := chain.Last()
	done := restored{Home: home, Replica: r.replica, Seq: last.Seq, Root: fmt.Sprintf("%x", last.Root), Origin: origin}
	progress.clear()
	if r.json {
		return command.PrintJSON(w, done)
	}
	what := "it comes back silent, and fetches from the others what changed since"
	if origin {
		what = "the cluster began with it"
	}
	_, err = fmt.Fprintf(w, "%s holds the state after %d; %s\nstart it: tagma node --home %s\n", home, last.Seq, what, home)
	return err
}

func (r *restoring) put(chain *rescue.Chain, data string, judge func(*backup.Head) error, progress *bar) error {
	return rescue.Put(chain, filepath.Join(data, node.JournalDir), filepath.Join(data, node.StateDir), judge,
		progress.sharing("restoring "+data))
}

// found makes a new cluster that begins with the state (D8.12).
func (r *restoring) found(chain *rescue.Chain, progress *bar, w io.Writer) error {
	before, err := loadCluster(r.cluster)
	if err != nil {
		return err
	}
	report, err := rescue.Verify(chain, before, progress.sharing("verifying"))
	if err != nil {
		return err
	}
	r.options.Before, r.options.Seq, r.options.Root = before, report.Seq, report.Root
	if r.options.Replicas == 0 {
		r.options.Replicas = len(before.Replicas)
	}
	fresh, err := cluster.Init(r.options)
	if err != nil {
		return command.NotUsable(fmt.Errorf("make a cluster: %w", err))
	}
	made, err := operate.WriteCluster(r.dir, fresh, r.options.BasePort)
	if err != nil {
		return fmt.Errorf("make a cluster in %s: %w", r.dir, err)
	}
	judge, _ := rescue.OfOrigin(chain, fresh.File)
	for _, m := range made.Replicas {
		if err := r.put(chain, m.Home, judge, progress); err != nil {
			return errors.Join(err, made.Remove())
		}
	}
	progress.clear()
	if r.json {
		return command.PrintJSON(w, made)
	}
	return program.PrintMade(w, made)
}
