package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tagma/checkpoint/backup"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/operate"
	"tagma/internal/rescue"
	"tagma/internal/terminal"
)

func newVerify() *cobra.Command {
	var (
		clusterFile string
		since       []string
		asJSON      bool
	)
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup with the cluster file alone",
		Long: `Check what FILE holds, offline: no replica need run, and none is trusted. What it is, is detected. Of a backup every
checksum is compared, the certificate is checked with the keys in the cluster file, and the root that a quorum signed is
computed again from all entries, over the backups that FILE adds to. A file that does not hold makes the exit code 1.

What can be verified is a backup. Evidence of misbehaviour is checked by tagma evidence HOME --verify.`,
		Example: `  tagma verify monday.bak --cluster demo/cluster.toml
  tagma verify tuesday.bak --since elsewhere/monday.bak`,
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := loadCluster(clusterFile)
			if err != nil {
				return err
			}
			chain, err := findBackup(args[0], since)
			if err != nil {
				return err
			}
			progress := newBar(cmd.ErrOrStderr(), asJSON)
			report, err := rescue.Verify(chain, file, progress.sharing("verifying"))
			progress.clear()
			if err != nil {
				return err
			}
			verified := newVerified(chain, report)
			if asJSON {
				return command.PrintJSON(cmd.OutOrStdout(), verified)
			}
			return verified.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` of the backup's cluster (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.StringArrayVar(&since, "since", nil, "backup `file` that this one adds to, if it is not beside it (again: that before it)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// loadCluster reads the cluster file of a command that needs no client.
func loadCluster(path string) (*cluster.File, error) {
	path = cmp.Or(path, os.Getenv(operate.ClusterVariable), operate.ClusterFile)
	file, err := cluster.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, command.Unusablef("there is no cluster file %s; name it with --cluster FILE or in %s", path, operate.ClusterVariable)
	}
	if err != nil {
		return nil, command.NotUsable(err)
	}
	return file, nil
}

// findBackup finds a backup with those that it adds to. One that is missing, or is none, is an unusable argument; one that
// is damaged is not.
func findBackup(path string, since []string) (*rescue.Chain, error) {
	chain, err := rescue.Find(path, since...)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, command.Unusablef("there is no backup %s", path)
	case errors.Is(err, backup.ErrNoBackup):
		if other := operate.WhatIs(path); other != "" {
			return nil, command.Unusablef("%s is %s and no backup", path, other)
		}
		return nil, command.NotUsable(err)
	case errors.Is(err, backup.ErrVersion):
		return nil, command.NotUsable(err)
	}
	return chain, err
}

// verified is what `tagma verify` found to hold.
type verified struct {
	Kind    string   `json:"kind"`
	Files   []string `json:"files"` // a whole one first
	Cluster string   `json:"cluster"`
	Machine string   `json:"machine"`
	Seq     uint64   `json:"seq"`
	Root    string   `json:"root"`
	Keys    int      `json:"keys"`
	Records []int    `json:"records"` // by file
	Signers []int    `json:"signers"` // none for the state that the cluster began with
	Origin  bool     `json:"origin"`
}

func newVerified(chain *rescue.Chain, r *rescue.Report) *verified {
	return &verified{
		Kind: "backup", Files: chain.Paths, Cluster: fmt.Sprintf("%x", chain.Last().Cluster), Machine: r.Machine, Seq: r.Seq,
		Root: fmt.Sprintf("%x", r.Root), Keys: r.Keys, Records: r.Records, Signers: append([]int{}, r.Signers...),
		Origin: len(r.Signers) == 0,
	}
}

func (v *verified) print(w io.Writer) error {
	last := v.Files[len(v.Files)-1]
	text := fmt.Sprintf("%s holds: a backup of the state after %d, %s, %s\n", last, v.Seq, terminal.Count(v.Keys, "key"), vouchedBy(v.Signers))
	for i, path := range v.Files[:len(v.Files)-1] {
		text += fmt.Sprintf("with %s, %s\n", path, terminal.Count(v.Records[i], "record"))
	}
	_, err := io.WriteString(w, text+fmt.Sprintf("root %s\n", v.Root))
	return err
}

// vouchedBy says who signed a state.
func vouchedBy(signers []int) string {
	if len(signers) == 0 {
		return "the state that the cluster began with"
	}
	return "signed by replicas " + terminal.Numbers(signers)
}
