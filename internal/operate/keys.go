package operate

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/passphrase"
	"tagma/internal/terminal"
)

// Keys is the command for key files.
func (p *Program) Keys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, show and encrypt key files",
		Long: `Make, show and encrypt the ed25519 key files that replicas and clients prove themselves with. A key file may be encrypted under
a passphrase, which is then taken from TAGMA_PASSPHRASE, from the file that TAGMA_PASSPHRASE_FILE names, or asked for on
the terminal.`,
		Example: p.text(`  tagma keys new --out alice.key --encrypt
  tagma keys show alice.key
  tagma keys encrypt prod/replica0/key`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Unusablef("keys: no command given; `%s help keys` lists new, show and encrypt", p.Name)
			}
			return command.Unusablef("there is no command `%s keys %s`; `%s help keys` lists new, show and encrypt", p.Name, args[0], p.Name)
		},
	}
	cmd.AddCommand(p.keysNew(), p.keysShow(), p.keysEncrypt())
	return cmd
}

// newKey holds the flags of keys new.
type newKey struct {
	out, register, cluster string
	role                   cluster.Role
	encrypt, json          bool
}

func (p *Program) keysNew() *cobra.Command {
	var k newKey
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key file",
		Long: `Make a key and write it to a new file that only its owner can read. Nothing that exists is overwritten.

Replicas admit registered clients only. With --register NAME the key is entered as a client into the cluster file, which
is written anew; take that file to every replica, and to the clients, and restart the replicas.`,
		Example: p.text(`  tagma keys new --out alice.key
  tagma keys new --out alice.key --encrypt
  tagma keys new --out alice.key --register alice --cluster demo/cluster.toml
  tagma keys new --out root.key --register root --role admin --cluster demo/cluster.toml`),
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown, err := k.make()
			if err != nil {
				return fmt.Errorf("make a key: %w", err)
			}
			if k.json {
				return command.PrintJSON(cmd.OutOrStdout(), shown)
			}
			if err := shown.print(cmd.OutOrStdout()); err != nil {
				return err
			}
			return terminal.Say(cmd.OutOrStdout(), "%s", k.next(shown))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&k.out, "out", ClientKey, "`file` to write the key to")
	flags.BoolVar(&k.encrypt, "encrypt", false, "encrypt the key under a passphrase")
	flags.StringVar(&k.register, "register", "", "enter the key as the client `NAME` into the cluster file")
	flags.TextVar(&k.role, "role", cluster.Ordinary, "register it with this `role`: admin, for an administrator")
	flags.StringVar(&k.cluster, "cluster", "", "cluster `file` to enter it into (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.BoolVar(&k.json, "json", false, "print one JSON document")
	return cmd
}

// make writes the key file, and also the cluster file if the key is to be registered. It checks the cluster file first,
// and removes the key if that cannot be registered, so that either both are written or neither is.
func (k *newKey) make() (*ShownKey, error) {
	key, err := crypto.Generate(nil)
	if err != nil {
		return nil, err
	}
	var file *cluster.File
	path := clusterPath(k.cluster)
	if k.register == "" && k.cluster != "" {
		return nil, command.Unusablef("--cluster %s is for a key that is registered; give --register NAME, too", k.cluster)
	}
	if k.register == "" && k.role != cluster.Ordinary {
		return nil, command.Unusablef("--role %s is for a key that is registered; give --register NAME, too", k.role)
	}
	if k.register != "" {
		if file, err = withClient(path, cluster.Client{Name: k.register, Key: key.Public(), Role: k.role}); err != nil {
			return nil, command.NotUsable(err)
		}
	}
	if err := k.write(key); err != nil {
		return nil, err
	}
	shown := &ShownKey{File: k.out, PublicKey: cluster.Key(key.Public()).String(), Encrypted: k.encrypt}
	if file != nil {
		if err := file.Save(path); err != nil {
			return nil, fmt.Errorf("%w (the key %s was not kept)", err, takenBack(k.out))
		}
		shown.place(path, file, key.Public())
	}
	return shown, nil
}

func (k *newKey) write(key *crypto.PrivateKey) error {
	if _, err := os.Lstat(k.out); err == nil {
		return command.Unusablef("%s exists, and no key is overwritten: name another file with --out FILE, or move it away", k.out)
	}
	if !k.encrypt {
		return crypto.WriteKey(k.out, key)
	}
	secret, err := passphrase.New(k.out)
	if err != nil {
		return command.NotUsable(err)
	}
	defer clear(secret)
	return crypto.WriteKeyEncrypted(k.out, key, secret)
}

// takenBack removes a file that was just made, and returns its name.
func takenBack(path string) string {
	if err := os.Remove(path); err != nil {
		return path + ", which could not be removed: " + err.Error()
	}
	return path
}

// next says what the user has to do next.
func (k *newKey) next(shown *ShownKey) string {
	if k.register != "" {
		return fmt.Sprintf("\nTake %s to every replica and client, then restart the replicas.\n", shown.ClusterFile)
	}
	return fmt.Sprintf(`
To register it as a client add this to cluster.toml, the same on every replica and for every client, and restart the
replicas:

  [[client]]
  name = "a name"
  key = "%s"
`, shown.PublicKey)
}

// clusterPath is the cluster file that a flag or the environment names, or else the one in the working directory.
func clusterPath(flag string) string {
	return cmp.Or(flag, os.Getenv(ClusterVariable), ClusterFile)
}

// withClient reads a cluster file and adds a client to its content.
func withClient(path string, added cluster.Client) (*cluster.File, error) {
	file, err := cluster.Load(path)
	if err != nil {
		return nil, err
	}
	for _, c := range file.Clients {
		if c.Name == added.Name {
			return nil, fmt.Errorf("%s has a client %q already; choose another name", path, added.Name)
		}
	}
	file.Clients = append(file.Clients, added)
	return file, nil
}
