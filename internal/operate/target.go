package operate

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/passphrase"
)

// Target is the cluster to which a client command sends requests, and the key that it uses. Both come from flags or the
// environment.
type Target struct {
	Program      *Program
	Cluster, Key string // names of files; "" stands for the default (see Flags)
	Timeout      time.Duration
	JSON         bool
}

// ClusterVariable and KeyVariable are environment variables that stand for flags.
const (
	ClusterVariable = "TAGMA_CLUSTER"
	KeyVariable     = "TAGMA_KEY"
)

// Flags adds the flags of a target to a command.
func (t *Target) Flags(cmd *cobra.Command, timeout time.Duration) {
	flags := cmd.Flags()
	flags.StringVar(&t.Cluster, "cluster", "", "cluster `file` (default $TAGMA_CLUSTER, else ./cluster.toml)")
	flags.StringVar(&t.Key, "key", "", "client key `file` (default $TAGMA_KEY, else client.key beside the cluster file)")
	flags.DurationVar(&t.Timeout, "timeout", timeout, "how long to try, such as 500ms or 1m")
	flags.BoolVar(&t.JSON, "json", false, "print one JSON document")
	command.Complete(cmd, "cluster", command.Files("toml"))
}

// Homes completes a flag or an argument with the homes of replicas.
var Homes = command.DirectoriesWith(node.ConfigFile)

// Read finds the cluster file and the key and checks them. Its errors have one line and count as errors of the arguments
// (command.NotUsable).
func (t *Target) Read() (*cluster.File, *crypto.PrivateKey, error) {
	if t.Timeout <= 0 {
		return nil, nil, command.Unusablef("--timeout %s leaves no time; give a duration such as 10s", t.Timeout)
	}
	path := clusterPath(t.Cluster)
	file, err := t.Program.ReadCluster(t.Cluster)
	if err != nil {
		return nil, nil, err
	}
	keyPath := cmp.Or(t.Key, os.Getenv(KeyVariable), filepath.Join(filepath.Dir(path), ClientKey))
	if _, err := os.Stat(keyPath); errors.Is(err, os.ErrNotExist) {
		return nil, nil, command.Unusablef("there is no client key %s; name it with --key FILE or in %s", keyPath, KeyVariable)
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

// ReadCluster reads the cluster file that a flag or the environment names, or else the one in the working directory. Its
// errors count as errors of the arguments. If the file is another kind of file of Tagma, the error says which kind.
func (p *Program) ReadCluster(flag string) (*cluster.File, error) {
	path := clusterPath(flag)
	file, err := cluster.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, command.Unusablef("there is no cluster file %s; name it with --cluster FILE or in %s, or make a cluster with %s init",
			path, ClusterVariable, p.Name)
	}
	if other := WhatIs(path); err != nil && other != "" {
		return nil, command.Unusablef("%s is %s and no cluster file; name the cluster's file, such as %s", path, other, besides(path))
	}
	if err != nil {
		return nil, command.NotUsable(err)
	}
	return file, nil
}

// WhatIs is for a file that is not a cluster file. It says which other kind of Tagma's files this is, or returns "" if
// it is none.
func WhatIs(path string) string {
	if _, err := crypto.ReadPublic(path); err == nil || errors.Is(err, crypto.ErrKeyExposed) {
		return "a key"
	}
	if filepath.Base(path) == node.ConfigFile {
		return "the settings of a replica"
	}
	if _, err := cluster.Load(path); err == nil {
		return "the file of a cluster"
	}
	if IsFile(filepath.Join(path, node.ConfigFile)) {
		return "the home of a replica"
	}
	if IsFile(filepath.Join(path, ClusterFile)) {
		return "the directory of a cluster"
	}
	return ""
}

// besides returns a cluster file that is in path or in a directory above path, or otherwise the usual name of a cluster
// file.
func besides(path string) string {
	for range 3 {
		if file := filepath.Join(path, ClusterFile); IsFile(file) {
			return file
		}
		path = filepath.Dir(path)
	}
	return ClusterFile
}

// IsFile reports whether there is a regular file.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
