package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
)

func newKeysShow() *cobra.Command {
	var clusterFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show whose key a file holds",
		Long: `Show the public key of a key file, and with --cluster what it is in that cluster. No passphrase is needed; whether an
encrypted file really holds the private half of the public key it names is seen only when it is used.`,
		Example: `  tagma keys show client.key
  tagma keys show replica0/key --cluster cluster.toml`,
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			shown, err := showKey(args[0], clusterFile)
			if err != nil {
				return command.NotUsable(err)
			}
			if asJSON {
				return command.PrintJSON(cmd.OutOrStdout(), shown)
			}
			return shown.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` to find the key in")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// shownKey is what `tagma keys` tells about a key file. Role is "replica", "client", "unknown", or "" when no cluster
// file was given.
type shownKey struct {
	File        string `json:"file"`
	PublicKey   string `json:"public_key"`
	Encrypted   bool   `json:"encrypted"`
	ClusterFile string `json:"cluster_file,omitempty"`
	Role        string `json:"role,omitempty"`
	Replica     *int   `json:"replica,omitempty"` // of a replica's key
	Client      string `json:"client,omitempty"`  // a client's name
}

func showKey(path, clusterFile string) (*shownKey, error) {
	part, err := crypto.ReadPublic(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; `tagma keys new --out FILE` makes one", path)
	}
	if err != nil {
		return nil, err
	}
	shown := &shownKey{File: path, PublicKey: cluster.Key(part.Key).String(), Encrypted: part.Encrypted}
	if clusterFile == "" {
		return shown, nil
	}
	file, err := cluster.Load(clusterFile)
	if err != nil {
		return nil, err
	}
	shown.place(clusterFile, file, part.Key)
	return shown, nil
}

// place finds the key in a cluster.
func (s *shownKey) place(path string, file *cluster.File, key [32]byte) {
	s.ClusterFile, s.Role = path, "unknown"
	if id, found := file.Replica(key); found {
		s.Role, s.Replica = "replica", &id
	} else if name, found := file.ClientName(key); found {
		s.Role, s.Client = "client", name
	}
}

func (s *shownKey) print(w io.Writer) error {
	protection := "not encrypted"
	if s.Encrypted {
		protection = "encrypted under a passphrase"
	}
	text := fmt.Sprintf("file        %s (%s)\npublic key  %s\n", s.File, protection, s.PublicKey)
	switch s.Role {
	case "replica":
		text += fmt.Sprintf("belongs to  replica %d of %s\n", *s.Replica, s.ClusterFile)
	case "client":
		text += fmt.Sprintf("belongs to  client %q of %s\n", s.Client, s.ClusterFile)
	case "unknown":
		text += fmt.Sprintf("belongs to  nobody in %s\n", s.ClusterFile)
	}
	_, err := io.WriteString(w, text)
	return err
}
