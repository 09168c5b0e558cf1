package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/passphrase"
	"tagma/statemachine/kv"
)

// target is the cluster that a client command talks to, and as whom.
type target struct {
	cluster, key string
	timeout      time.Duration
	json         bool
	semantics    semantics
	machine      string // whose operations the command sends
}

// Environment variables that stand for flags.
const (
	clusterVariable = "TAGMA_CLUSTER"
	keyVariable     = "TAGMA_KEY"
)

func (t *target) flags(cmd *cobra.Command, timeout time.Duration) {
	t.machine = machines.KV
	flags := cmd.Flags()
	flags.StringVar(&t.cluster, "cluster", "", "cluster `file` (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.StringVar(&t.key, "key", "", "client key `file` (default $TAGMA_KEY, else client.key beside the cluster file)")
	flags.DurationVar(&t.timeout, "timeout", timeout, "how long to try, such as 500ms or 1m")
	flags.BoolVar(&t.json, "json", false, "print one JSON document")
}

// read finds the cluster file and the key and checks them.
func (t *target) read() (*cluster.File, *crypto.PrivateKey, error) {
	if t.timeout <= 0 {
		return nil, nil, command.Unusablef("--timeout %s leaves no time; give a duration such as 10s", t.timeout)
	}
	path := firstOf(t.cluster, os.Getenv(clusterVariable), clusterFileName)
	file, err := cluster.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, command.Unusablef("there is no cluster file %s; name it with --cluster FILE or in %s, or make a cluster with tagma init",
			path, clusterVariable)
	}
	if err != nil {
		return nil, nil, command.NotUsable(err)
	}
	keyPath := firstOf(t.key, os.Getenv(keyVariable), filepath.Join(filepath.Dir(path), clientKeyName))
	if _, err := os.Stat(keyPath); errors.Is(err, os.ErrNotExist) {
		return nil, nil, command.Unusablef("there is no client key %s; name it with --key FILE or in %s", keyPath, keyVariable)
	}
	key, err := passphrase.ReadKey(keyPath)
	if err != nil {
		return nil, nil, command.NotUsable(err)
	}
	cfg, err := file.Config(0)
	if err != nil {
		return nil, nil, command.NotUsable(err)
	}
	if !cfg.Client(key.Public()) {
		return nil, nil, command.Unusablef("the key in %s is no client of %s; use a client's key of this cluster, or add the key to the"+
			" file as a [[client]] on every replica", keyPath, path)
	}
	return file, key, nil
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// verbsOf are the commands for each machine.
var verbsOf = map[string]string{
	machines.KV:   "tagma put, get, delete and txn",
	machines.Bank: "tagma bank",
}

// do runs one piece of work in a session with the cluster, within the timeout.
func (t *target) do(ctx context.Context, work func(context.Context, *client.Client) error) error {
	file, key, err := t.read()
	if err != nil {
		return err
	}
	if file.Machine != t.machine {
		return command.Unusablef("the cluster runs the machine %s, and this command is for %s; use %s", file.Machine, t.machine, verbsOf[file.Machine])
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	c, err := client.DialCluster(ctx, file, key, client.WithSemantics(t.semantics.Semantics))
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w; `tagma status` shows which replicas answer", err)
	case err != nil:
		return command.NotUsable(err) // nothing was waited for: files that contradict themselves
	}
	err = work(ctx, c)
	if errors.Is(err, client.ErrTooLarge) || errors.As(err, new(kv.Code)) {
		err = command.NotUsable(err)
	}
	if closing := c.Close(); err == nil && closing != nil {
		err = fmt.Errorf("end the session: %w", closing)
	}
	return err
}
