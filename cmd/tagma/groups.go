package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/operate"
	"tagma/internal/passphrase"
	"tagma/internal/reach"
	"tagma/statemachine/commit"
	"tagma/txn"
)

// several are the clusters with which a command about transactions over several clusters talks.
type several struct {
	target
	with, keys map[string]string // cluster file and key file, by name
	clients    []*client.Client
	groups     []*txn.Group // by name
}

func (s *several) withFlag(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringToStringVar(&s.with, "with", nil, "a cluster by a name of your choice and its `file`, such as east=east/cluster.toml; once for each")
	flags.StringToStringVar(&s.keys, "with-key", nil, "the client key for a cluster of --with, such as east=me.key (default client.key beside its file)")
}

// acrossFlags are the flags of a command that can run a transaction over several clusters.
func (s *several) acrossFlags(cmd *cobra.Command, deadline *time.Duration, receipt *string) {
	s.withFlag(cmd)
	receiptFlag(cmd, receipt)
	cmd.Flags().DurationVar(deadline, "deadline", txn.DefaultDeadline, "with --with, how long the coordinator may commit; keys may stay locked so long if this program dies")
}

// each calls work with a session with every cluster of --with, within the timeout.
func (s *several) each(ctx context.Context, least int, work func(context.Context) error) error {
	if len(s.with) < least {
		return command.Unusablef("name %d clusters or more, each with --with NAME=FILE; %d is given", least, len(s.with))
	}
	if s.Timeout <= 0 {
		return command.Unusablef("--timeout %s leaves no time; give a duration such as 10s", s.Timeout)
	}
	for name := range s.keys {
		if s.with[name] == "" {
			return command.Unusablef("--with-key names %q, and no --with does", name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	err := s.dial(ctx)
	if err == nil {
		err = work(ctx)
	}
	for _, c := range s.clients {
		if closing := c.Close(); err == nil && closing != nil {
			err = fmt.Errorf("end the session: %w", closing)
		}
	}
	return err
}

func (s *several) dial(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(s.with)) {
		file, err := program.ReadCluster(s.with[name])
		if err != nil {
			return err
		}
		key, err := s.key(name)
		if err != nil {
			return err
		}
		c, err := reach.Dial(ctx, file, key)
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("%s: %w; `tagma status --cluster %s` shows which replicas answer", name, err, s.with[name])
		case err != nil:
			return command.NotUsable(fmt.Errorf("%s: %w", name, err))
		}
		s.clients, s.groups = append(s.clients, c), append(s.groups, txn.Join(name, c))
	}
	return nil
}

func (s *several) key(name string) (*crypto.PrivateKey, error) {
	path := s.keys[name]
	if path == "" {
		path = filepath.Join(filepath.Dir(s.with[name]), operate.ClientKey)
	}
	key, err := passphrase.ReadKey(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, command.Unusablef("there is no client key %s for %s; name it with --with-key %s=FILE", path, name, name)
	case err != nil:
		return nil, command.NotUsable(err)
	}
	return key, nil
}

// group is the cluster of a name that the command line uses.
func (s *several) group(name string) (*txn.Group, error) {
	for _, g := range s.groups {
		if g.About().Name == name {
			return g, nil
		}
	}
	return nil, command.Unusablef("there is no --with %s=FILE; the names are %s", name, strings.Join(slices.Sorted(maps.Keys(s.with)), ", "))
}

func parseTID(word string) (tid commit.TID, err error) {
	if n, err := hex.Decode(tid[:], []byte(word)); err != nil || n != len(tid) || len(word) != 2*len(tid) {
		return tid, command.Unusablef("%s is no identifier of a transaction; it has 64 hex digits, as `tagma commit pending` prints it", command.Quote(word))
	}
	return tid, nil
}

func newGroup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Register other clusters for transactions, and list them",
		Long: `A cluster takes part in transactions with the clusters that its administrators registered. Receipts of another cluster count
if members of exactly the registered epoch signed them.`,
		Example: `  tagma group add west west/cluster.toml --cluster east/cluster.toml --key east/admin1.key
  tagma group list --cluster east/cluster.toml`,
		RunE: subcommand("group", "`tagma help group` lists add and list"),
	}
	cmd.AddCommand(newGroupAdd(), newGroupList())
	return cmd
}

// subcommand is what a command does that only has others below it.
func subcommand(name, list string) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return command.Unusablef("%s: no command given; %s", name, list)
		}
		return command.Unusablef("there is no command `tagma %s %s`; %s", name, args[0], list)
	}
}

func newGroupAdd() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:   "add NAME FILE",
		Short: "Register another cluster, or replace what is registered of it",
		Long: `Register the cluster of FILE, its cluster.toml, under NAME at the cluster of --cluster. It needs an administrator's key of that
cluster (tagma init --admins). Both clusters of a transaction must register each other. A cluster that is registered already
is replaced, unless its registered epoch is later.`,
		Example: `  tagma group add west west/cluster.toml --cluster east/cluster.toml --key east/admin1.key
  tagma group add east east/cluster.toml --cluster west/cluster.toml --key west/admin1.key`,
		Args: command.Takes("NAME", "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			other, err := cluster.Load(args[1])
			if errors.Is(err, os.ErrNotExist) {
				return command.Unusablef("there is no cluster file %s", args[1])
			}
			if err != nil {
				return command.NotUsable(err)
			}
			g, err := groupOf(args[0], other)
			if err != nil {
				return err
			}
			return to.anyMachine(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				result, err := c.Do(ctx, commit.SetGroup(&g))
				if err == nil {
					err = commit.DecodeSet(result.Output())
				}
				if err != nil {
					return fmt.Errorf("register %s: %w", command.Quote(args[0]), older(err))
				}
				return to.print(cmd, groupDocument(&g), fmt.Sprintf("OK %s %x\n", g.Name, g.ID[:8]))
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	return cmd
}

// groupOf is a cluster as others register it.
func groupOf(name string, file *cluster.File) (g commit.Group, err error) {
	c, err := reach.Cluster(file)
	if err != nil {
		return g, command.NotUsable(err)
	}
	m := c.Members()
	g = commit.Group{ID: m.ID, Name: name, Machine: file.Machine, Epoch: m.Epoch, Crash: m.Crash, Keys: m.Keys}
	if err := g.Check(); err != nil {
		return g, command.NotUsable(fmt.Errorf("register %s: %w", command.Quote(name), err))
	}
	return g, nil
}

// older explains the error of a cluster that does not know transactions yet.
func older(err error) error {
	if err != nil && (errors.Is(err, commit.Unknown) || errors.Is(err, commit.ErrResult)) {
		return fmt.Errorf("%w; if its state is at version 1, an administrator upgrades it with `tagma upgrade 2`", err)
	}
	return err
}

// registered is what group list prints of a group as JSON.
type registered struct {
	Name     string `json:"name"`
	ID       string `json:"id"`
	Machine  string `json:"machine"`
	Epoch    uint64 `json:"epoch"`
	Replicas int    `json:"replicas"`
	Masks    int    `json:"masks"`
	Crash    bool   `json:"crash,omitempty"`
}

func groupDocument(g *commit.Group) registered {
	m := g.Members()
	return registered{
		Name: g.Name, ID: hex.EncodeToString(g.ID[:]), Machine: g.Machine, Epoch: g.Epoch, Replicas: len(g.Keys),
		Masks: len(g.Keys) - m.Quorum(), Crash: g.Crash,
	}
}

func newGroupList() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the clusters that a cluster knows",
		Long:    `List the clusters with which the cluster of --cluster takes part in transactions: name, identity, machine, epoch, replicas.`,
		Example: `  tagma group list --cluster east/cluster.toml`,
		Args:    command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return to.anyMachine(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				result, err := c.Query(ctx, commit.ReadGroups())
				var all []commit.Group
				if err == nil {
					all, err = commit.DecodeGroups(result.Output())
				}
				if err != nil {
					return fmt.Errorf("list groups: %w", older(err))
				}
				words, list := "", []registered{}
				for i := range all {
					g := groupDocument(&all[i])
					list = append(list, g)
					words += fmt.Sprintf("%s\t%s\t%s\tepoch %d\t%d replicas\n", g.Name, g.ID[:16], g.Machine, g.Epoch, g.Replicas)
				}
				return to.print(cmd, map[string]any{"groups": list}, words)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	return cmd
}
