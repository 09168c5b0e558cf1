package operate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tagma/checkpoint/backup"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/inspect"
	"tagma/internal/node"
	"tagma/internal/rescue"
)

// FindBackup finds a backup and those that it adds to. If one is missing or is not a backup, the error counts as one of
// the arguments (command.NotUsable). If one is damaged, it does not.
func FindBackup(path string, since []string) (*rescue.Chain, error) {
	chain, err := rescue.Find(path, since...)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, command.Unusablef("there is no backup %s", path)
	case errors.Is(err, backup.ErrNoBackup):
		if other := WhatIs(path); other != "" {
			return nil, command.Unusablef("%s is %s and no backup", path, other)
		}
		return nil, command.NotUsable(err)
	case errors.Is(err, backup.ErrVersion):
		return nil, command.NotUsable(err)
	}
	return chain, err
}

// Verified says what a file contains, as far as it was verified. Its JSON is what `tagma verify --json` prints.
type Verified interface{ Print(w io.Writer) error }

// Verify verifies a file with the keys of a cluster: a backup, together with those that it adds to, or evidence.
func Verify(path string, since []string, file *cluster.File, progress func(share float64)) (Verified, error) {
	check, err := inspect.CheckWith(file)
	if err != nil {
		return nil, err
	}
	if document, err := inspect.ReadDocument(path, file); document != nil || err != nil {
		return document, err
	}
	if proof := inspect.ReadSingle(path, check); proof != nil {
		return proof, proof.Err()
	}
	chain, err := FindBackup(path, since)
	if err != nil {
		return nil, err
	}
	return rescue.Verify(chain, file, progress)
}

// DiskAt finds the data of a replica under its home, or in a directory that holds only the data. In the second case, or
// if a flag names a cluster file, the cluster file is not read from the home.
func (p *Program) DiskAt(home, clusterFlag string) (*rescue.Disk, error) {
	d, data := &rescue.Disk{}, home
	isHome := IsFile(filepath.Join(home, node.ConfigFile))
	if isHome {
		h, err := node.ReadHome(home)
		if err != nil {
			return nil, command.NotUsable(err)
		}
		d.Cluster, data = h.Cluster, h.Data
	}
	if clusterFlag != "" || !isHome {
		var err error
		if d.Cluster, err = p.ReadCluster(clusterFlag); err != nil {
			return nil, err
		}
	}
	d.Journal, d.State = filepath.Join(data, node.JournalDir), filepath.Join(data, node.StateDir)
	return d, nil
}

// Restored describes a home into which a state was restored. Its JSON is what `tagma restore --replica --json` prints.
type Restored struct {
	Home    string      `json:"home"`
	Replica int         `json:"replica"`
	Seq     uint64      `json:"seq"`
	Root    cluster.Key `json:"root"`
	Origin  bool        `json:"origin"` // the state is the one with which the cluster began
}

// RestoreHome writes the state of a backup into the home of one replica, which is in dir or is dir. It does not change
// the file life beside the key. The home then has a state and no journal, so the next start finds that this replica may
// have forgotten what it signed (D8.3), whatever life says. There is one exception: the origin of a cluster, in the home
// of a replica that was never started. That replica has signed nothing, and only asks the others (D8.5).
func RestoreHome(chain *rescue.Chain, dir string, replica int, progress func(share float64)) (*Restored, error) {
	home := dir
	if !IsFile(filepath.Join(home, node.ConfigFile)) {
		home = filepath.Join(dir, fmt.Sprintf("replica%d", replica))
	}
	h, err := node.ReadHome(home)
	if err != nil {
		return nil, command.NotUsable(err)
	}
	if self := int(h.Config.Self); self != replica {
		return nil, command.Unusablef("%s is the home of replica %d, not of %d", home, self, replica)
	}
	if _, err := os.Stat(h.Data); err != nil {
		return nil, command.NotUsable(fmt.Errorf("the data directory of %s is not there: mount its disk, or create it: %w", home, err))
	}
	judge, origin := rescue.OfOrigin(chain, h.Cluster)
	if !origin {
		if judge, err = rescue.OfCluster(h.Cluster); err != nil {
			return nil, err
		}
	}
	if err := putBack(chain, h.Data, judge, progress); err != nil {
		return nil, err
	}
	last := chain.Last()
	return &Restored{Home: home, Replica: replica, Seq: last.Seq, Root: last.Root, Origin: origin}, nil
}

// PrintRestored prints for people what was restored and what to do next.
func (p *Program) PrintRestored(w io.Writer, r *Restored) error {
	what := "it comes back silent, and fetches from the others what changed since"
	if r.Origin {
		what = "the cluster began with it"
	}
	_, err := fmt.Fprintf(w, "%s holds the state after %d; %s\nstart it: %s node --home %s\n", r.Home, r.Seq, what, p.Name, r.Home)
	return err
}

func putBack(chain *rescue.Chain, data string, judge func(*backup.Head) error, progress func(float64)) error {
	return rescue.Put(chain, filepath.Join(data, node.JournalDir), filepath.Join(data, node.StateDir), judge, progress)
}

// RestoreCluster makes a new cluster in dir that begins with the state of a backup of another cluster (D8.12). Unless
// the options say otherwise, it has as many replicas as that one.
func RestoreCluster(chain *rescue.Chain, before *cluster.File, dir string, o cluster.InitOptions, progress func(share float64)) (*Made, error) {
	report, err := rescue.Verify(chain, before, progress)
	if err != nil {
		return nil, err
	}
	o.Before, o.Seq, o.Root = before, report.Seq, report.Root
	if o.Replicas == 0 {
		o.Replicas = len(before.Replicas)
	}
	made, fresh, err := makeCluster(dir, o)
	if err != nil {
		return nil, err
	}
	judge, _ := rescue.OfOrigin(chain, fresh.File)
	for _, m := range made.Replicas {
		if err := putBack(chain, m.Home, judge, progress); err != nil {
			return nil, errors.Join(err, made.Remove())
		}
	}
	return made, nil
}

// makeCluster makes a cluster in a directory.
func makeCluster(dir string, o cluster.InitOptions) (*Made, *cluster.Fresh, error) {
	fresh, err := cluster.Init(o)
	if err != nil {
		return nil, nil, command.NotUsable(fmt.Errorf("make a cluster: %w", err))
	}
	made, err := WriteCluster(dir, fresh, o.BasePort)
	if err != nil {
		return nil, nil, fmt.Errorf("make a cluster in %s: %w", dir, err)
	}
	return made, fresh, nil
}
