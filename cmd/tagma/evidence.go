package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/replica"
	"tagma/pbft/wire"
)

func newEvidence() *cobra.Command {
	var (
		verify, asJSON bool
		clusterFile    string
	)
	cmd := &cobra.Command{
		Use:   "evidence HOME",
		Short: "List proof of misbehaviour that a replica has kept",
		Long: `List what the replica whose home HOME is can prove against others: two statements, both signed by the accused, of which
a correct replica signs only one. It lists too when the state of that replica itself was not the one that a quorum signed
after a checkpoint, and which keys differed when it was repaired. With --verify check the signatures with the cluster's keys alone: no replica need run,
and none is trusted. A file that proves nothing makes the exit code 1. HOME may be a copy of a home or of its evidence.`,
		Example: `  tagma evidence demo/replica1
  tagma evidence demo/replica1 --verify
  tagma evidence copied/ --verify --cluster demo/cluster.toml`,
		Args: command.Takes("HOME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := evidenceAt(args[0])
			if err != nil {
				return err
			}
			var check *checking
			if verify {
				if check, err = checker(args[0], clusterFile); err != nil {
					return err
				}
			}
			found, err := readEvidence(dir, check)
			if err != nil {
				return err
			}
			wrong, err := readDivergences(filepath.Join(filepath.Dir(dir), node.DivergedDir), check)
			if err != nil {
				return err
			}
			found = append(found, wrong...)
			if err := printEvidence(cmd.OutOrStdout(), dir, found, asJSON); err != nil {
				return err
			}
			return worthless(found)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&verify, "verify", false, "check the signatures")
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` to check with (default: the one that HOME names)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// evidenceAt finds the directory of evidence: a home's, or path itself if that is where the files are.
func evidenceAt(path string) (string, error) {
	if files, _ := filepath.Glob(filepath.Join(path, "replica*-*")); len(files) > 0 {
		return path, nil
	}
	return dataPath(path, node.EvidenceDir)
}

// checking is what evidence is checked with.
type checking struct {
	cfg   wire.Config
	holds func([]wire.Claim) bool
}

// checker makes the check of evidence from the cluster's keys.
func checker(home, clusterFile string) (*checking, error) {
	var file *cluster.File
	if clusterFile == "" {
		h, err := node.ReadHome(home)
		if err != nil {
			return nil, command.NotUsable(fmt.Errorf("find the cluster's keys (or name them with --cluster FILE): %w", err))
		}
		file = h.Cluster
	} else {
		var err error
		if file, err = cluster.Load(clusterFile); err != nil {
			return nil, command.NotUsable(err)
		}
	}
	cfg, err := file.Config(0)
	if err != nil {
		return nil, command.NotUsable(err)
	}
	return &checking{cfg, replica.Holds(crypto.NewVerifier(0, nil))}, nil
}

// evidenceEntry is one file of evidence as it is printed.
type evidenceEntry struct {
	File     string `json:"file"`
	Replica  int    `json:"replica"` // the accused
	Kind     string `json:"kind,omitempty"`
	About    string `json:"about,omitempty"`
	Verified bool   `json:"verified"` // false too when it was not asked for
	Error    string `json:"error,omitempty"`
	// Of a state that was wrong, once it was repaired: how many keys of the store differed, and the first of them.
	Differing int      `json:"differing,omitempty"`
	Keys      [][]byte `json:"keys_base64,omitempty"`
}

func readEvidence(dir string, check *checking) ([]evidenceEntry, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the evidence: %w", err)
	}
	found := []evidenceEntry{}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), node.UnfinishedSuffix) {
			continue
		}
		found = append(found, readProof(filepath.Join(dir, f.Name()), check))
	}
	return found, nil
}

// diverged is the kind of what a replica keeps about its own state.
const diverged = "diverged"

// readDivergences reads what a replica kept about its own state.
func readDivergences(dir string, check *checking) (found []evidenceEntry, err error) {
	files, err := node.DivergenceFiles(dir)
	for _, path := range files {
		entry := evidenceEntry{File: filepath.Base(path), Replica: -1, Kind: diverged}
		d, err := node.ReadDivergence(path)
		if err == nil {
			entry.Replica, entry.Differing, entry.Keys = d.Replica, d.Differing, d.Keys
			entry.About = aboutState(d)
			if check != nil {
				err = d.Verify(&check.cfg, check.holds)
				entry.Verified = err == nil
			}
		}
		if err != nil {
			entry.Error = err.Error()
		}
		found = append(found, entry)
	}
	return found, err
}

func readProof(path string, check *checking) evidenceEntry {
	entry := evidenceEntry{File: filepath.Base(path), Replica: -1}
	data, err := readAtMost(path, wire.MaxEvidence)
	if err != nil {
		entry.Error = err.Error()
		return entry
	}
	e, err := wire.DecodeEvidence(data)
	if err != nil {
		entry.Error = err.Error()
		return entry
	}
	entry.Replica, entry.Kind = int(e.Replica), string(e.Kind)
	entry.About = about(e)
	if check != nil {
		if err := wire.VerifyEvidence(&check.cfg, e, check.holds); err != nil {
			entry.Error = err.Error()
		} else {
			entry.Verified = true
		}
	}
	return entry
}

// readAtMost reads a file, and no more of it than could be of use.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	return data, errors.Join(err, f.Close())
}
