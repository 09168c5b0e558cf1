package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/machines"
)

// clientName is the name under which `tagma init` registers its client key.
const clientName = "client"

func newInit() *cobra.Command {
	var (
		dir      string
		options  = cluster.InitOptions{Clients: []string{clientName}}
		asJSON   bool
		basePort = 7000
	)
	cmd := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Make a cluster: its cluster file, a home for each replica, and a client key",
		Long: `Make a cluster in DIR: cluster.toml, which is the same for all, a home with a key for each replica, and the key of a
registered client. Nothing that exists is overwritten.

Replicas that share a host get consecutive ports from the base port on; metrics and health are served on the loopback,
100 ports higher. For several machines name a host for each replica, then take cluster.toml and one home to each of them.`,
		Example: `  tagma init --dir demo
  tagma init --dir prod --replicas 4 --host a.example,b.example,c.example,d.example`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return command.Unusablef("init: no directory given; say where the cluster goes with --dir DIR")
			}
			options.BasePort = basePort
			fresh, err := cluster.Init(options)
			if err != nil {
				return command.NotUsable(fmt.Errorf("make a cluster: %w", err))
			}
			made, err := writeCluster(dir, fresh, basePort)
			if err != nil {
				return fmt.Errorf("make a cluster in %s: %w", dir, err)
			}
			if asJSON {
				return command.PrintJSON(cmd.OutOrStdout(), made)
			}
			return made.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", "", "`directory` of the new cluster; made if need be")
	flags.IntVar(&options.Replicas, "replicas", 4, "`number` of replicas: 3f+1 of them mask f faulty ones")
	flags.StringSliceVar(&options.Hosts, "host", nil, "IP `addresses` or DNS names: one for all replicas or one each")
	flags.StringVar(&options.Machine, "machine", machines.KV, "state machine that is replicated: kv or bank")
	flags.StringVar(&options.Transport, "transport", cluster.TCP, "how replicas and clients are connected: tcp or quic")
	flags.IntVar(&basePort, "base-port", basePort, "`port` of the first replica on each host")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// madeCluster is what `tagma init` made.
type madeCluster struct {
	Dir         string        `json:"dir"`
	ClusterFile string        `json:"cluster_file"`
	ClusterID   string        `json:"cluster_id"`
	Faults      int           `json:"faults_masked"` // f
	ClientKey   string        `json:"client_key"`
	Replicas    []madeReplica `json:"replicas"`
}

type madeReplica struct {
	Replica   int      `json:"replica"`
	Home      string   `json:"home"`
	PublicKey string   `json:"public_key"`
	Addresses []string `json:"addresses"`
	Admin     string   `json:"admin"` // host:port of metrics and health
}

func (m *madeCluster) print(w io.Writer) error {
	text := fmt.Sprintf("Made a cluster of %d replicas, which masks %d faulty, in %s\n\n", len(m.Replicas), m.Faults, m.Dir)
	text += fmt.Sprintf("  %-28s members, keys and parameters: the same for all\n", m.ClusterFile)
	text += fmt.Sprintf("  %-28s a registered client's key\n", m.ClientKey)
	for _, r := range m.Replicas {
		text += fmt.Sprintf("  %-28s replica %d at %s\n", r.Home+string(filepath.Separator), r.Replica, r.Addresses[0])
	}
	text += "\nRun each replica in a terminal of its own:\n\n"
	for _, r := range m.Replicas {
		text += fmt.Sprintf("  tagma node --home %s\n", r.Home)
	}
	text += fmt.Sprintf("\nThen talk to them:\n\n  export TAGMA_CLUSTER=%s\n  tagma put greeting hello\n  tagma get greeting\n  tagma status\n",
		m.ClusterFile)
	_, err := io.WriteString(w, text)
	return err
}
