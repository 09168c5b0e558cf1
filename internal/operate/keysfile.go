package operate

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/passphrase"
	"tagma/internal/terminal"
)

func (p *Program) keysShow() *cobra.Command {
	var clusterFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show whose key a file holds",
		Long: `Show the public key of a key file, and with --cluster what it is in that cluster. No passphrase is needed; whether an
encrypted file really holds the private half of the public key it names is seen only when it is used.`,
		Example: p.text(`  tagma keys show client.key
  tagma keys show replica0/key --cluster cluster.toml`),
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			shown, err := p.showKey(args[0], clusterFile)
			if err != nil {
				return command.NotUsable(err)
			}
			return command.Print(cmd, asJSON, shown, shown.print)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` to find the key in")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// ShownKey is what the command keys says about a key file. Role is "replica", "client" or "unknown", or "" if no
// cluster file was given.
type ShownKey struct {
	File        string `json:"file"`
	PublicKey   string `json:"public_key"`
	Encrypted   bool   `json:"encrypted"`
	ClusterFile string `json:"cluster_file,omitempty"`
	Role        string `json:"role,omitempty"`
	Replica     *int   `json:"replica,omitempty"` // number of the replica that has the key
	Client      string `json:"client,omitempty"`  // name of the client that has the key
}

func (p *Program) showKey(path, clusterFile string) (*ShownKey, error) {
	part, err := crypto.ReadPublic(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; `%s keys new --out FILE` makes one", path, p.Name)
	}
	if err != nil {
		return nil, err
	}
	shown := &ShownKey{File: path, PublicKey: cluster.Key(part.Key).String(), Encrypted: part.Encrypted}
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
func (s *ShownKey) place(path string, file *cluster.File, key [32]byte) {
	s.ClusterFile, s.Role = path, "unknown"
	if id, found := file.Replica(key); found {
		s.Role, s.Replica = "replica", &id
	} else if name, found := file.ClientName(key); found {
		s.Role, s.Client = "client", name
	}
}

func (s *ShownKey) print(w io.Writer) error {
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

func (p *Program) keysEncrypt() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "encrypt FILE",
		Short: "Encrypt a key file that is not",
		Long: `Encrypt the key in FILE under a passphrase, such as a replica's key that init made. FILE is replaced as a whole or
not at all. The disk may still hold the old content in blocks that are free now, and so may backups; where that matters,
make the key on an encrypted disk.`,
		Example: p.text(`  tagma keys encrypt prod/replica0/key`),
		Args:    command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := encryptKey(args[0]); err != nil {
				return fmt.Errorf("encrypt a key: %w", err)
			}
			if !asJSON {
				return terminal.Say(cmd.OutOrStdout(), "%s is encrypted\n", args[0])
			}
			shown, err := p.showKey(args[0], "")
			if err != nil {
				return err
			}
			return command.PrintJSON(cmd.OutOrStdout(), shown)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// encryptKey writes the encrypted key to a new file, checks that it can be opened, and then replaces the old file.
func encryptKey(path string) (err error) {
	key, err := crypto.ReadKey(path)
	switch {
	case errors.Is(err, crypto.ErrKeyEncrypted):
		return command.Unusablef("%s is encrypted already", path)
	case err != nil:
		return command.NotUsable(err)
	}
	secret, err := passphrase.New(path)
	if err != nil {
		return command.NotUsable(err)
	}
	defer clear(secret)
	fresh := path + ".encrypted"
	if err := crypto.WriteKeyEncrypted(fresh, key, secret); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(fresh))
		}
	}()
	again, err := crypto.ReadKeyWith(fresh, func() ([]byte, error) { return append([]byte(nil), secret...), nil })
	if err != nil {
		return err
	}
	if again.Public() != key.Public() {
		return fmt.Errorf("%s was not written as it should be; nothing was replaced", fresh)
	}
	return os.Rename(fresh, path)
}
