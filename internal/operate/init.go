package operate

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/cluster"
	"tagma/internal/command"
)

// clientName is the name under which init registers its client key.
const clientName = "client"

// Init returns the command that makes a cluster.
func (p *Program) Init() *cobra.Command {
	var (
		dir        string
		durability string
		options    = cluster.InitOptions{Clients: []string{clientName}}
		asJSON     bool
	)
	cmd := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Make a cluster: its cluster file, a home for each replica, and a client key",
		Long: `Make a cluster in DIR: cluster.toml, which is the same for all, a home with a key for each replica, and the key of a
registered client. Nothing that exists is overwritten.

Replicas that share a host get consecutive ports from the base port on; metrics and health are served on the loopback,
100 ports higher. For several machines name a host for each replica, then take cluster.toml and one home to each of them.`,
		Example: p.text(`  tagma init --dir demo
  tagma init --dir prod --replicas 4 --host a.example,b.example,c.example,d.example`),
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return command.Unusablef("init: no directory given; say where the cluster goes with --dir DIR")
			}
			var err error
			if options.Protocol.Durability, err = cluster.ParseDurability(durability); err != nil {
				return command.Unusablef("init: durability: %v", err)
			}
			if !cmd.Flags().Changed("replicas") {
				options.Replicas = options.Protocol.FaultModel.Least()
			}
			if err := p.Machines.Check(options.Machine); err != nil {
				return command.Unusablef("init: %v", err)
			}
			options.Protocol.FirstVersion = p.Machines.FirstVersion(options.Machine)
			made, _, err := makeCluster(dir, options)
			if err != nil {
				return err
			}
			return command.Print(cmd, asJSON, made, func(w io.Writer) error { return p.PrintMade(w, made) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", "", "`directory` of the new cluster; made if need be")
	flags.IntVar(&options.Replicas, "replicas", 4, "`number` of replicas: 3f+1 of them mask f faulty ones, or 2f+1 of them f crashed ones; 3 with the fault model crash")
	flags.TextVar(&options.Protocol.FaultModel, "fault-model", cluster.Byzantine, "which failures are masked, for good: byzantine (anything) or crash (replicas stop, and none lies)")
	flags.StringSliceVar(&options.Hosts, "host", nil, "IP `addresses` or DNS names: one for all replicas or one each")
	flags.StringVar(&options.Machine, "machine", p.Machines[0].Name, "state machine that is replicated: "+strings.Join(p.Machines.Names(), " or "))
	flags.IntVar(&options.Admins, "admins", 0, "`number` of administrators to register as further clients, with a key file each")
	flags.IntVar(&options.Protocol.History, "history", 0, "`sequence` numbers back that former states can be read and reverted to; 0 for none")
	flags.IntVar(&options.Protocol.HistoryRevisions, "history-revisions", 0, "`revisions` back that a key-value store can be read at, and watched from; 0 for none")
	flags.DurationVar(&options.Protocol.HistoryAge.Duration, "history-age", 0, "`time` back that it can be read at and watched from; 0 does not count")
	flags.BoolVar(&options.Protocol.HistoryAll, "history-all", false, "keep the history until somebody compacts it; the shortest of these four counts")
	flags.StringVar(&durability, "durability", cluster.Pessimistic.String(), "whether votes wait until they are durable: pessimistic or optimistic")
	flags.StringVar(&options.Transport, "transport", cluster.TCP, "how replicas and clients are connected: tcp or quic")
	flags.IntVar(&options.BasePort, "base-port", 7000, "`port` of the first replica on each host")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	command.Complete(cmd, "machine", command.Words(p.Machines.Names()...))
	command.Complete(cmd, "durability", command.Words(cluster.Pessimistic.String(), cluster.Optimistic.String()))
	command.Complete(cmd, "fault-model", command.Words(cluster.Byzantine.String(), cluster.CrashOnly.String()))
	command.Complete(cmd, "transport", command.Words(cluster.TCP, cluster.QUIC))
	return cmd
}

// Made describes a new cluster, as init --json prints it.
type Made struct {
	Dir         string             `json:"dir"`
	ClusterFile string             `json:"cluster_file"`
	ClusterID   string             `json:"cluster_id"`
	FaultModel  cluster.FaultModel `json:"fault_model"`          // byzantine or crash
	Faults      int                `json:"faults_masked"`        // f
	ClientKey   string             `json:"client_key,omitempty"` // missing if all clients already had their keys
	AdminKeys   []string           `json:"admin_keys,omitempty"`
	Origin      *madeOrigin        `json:"origin,omitempty"`
	Replicas    []madeReplica      `json:"replicas"`
}

// madeOrigin is the state with which a restored cluster begins.
type madeOrigin struct {
	Cluster string `json:"cluster"` // the id of the cluster from which the state came
	Seq     uint64 `json:"seq"`
	Root    string `json:"root"`
}

type madeReplica struct {
	Replica   int      `json:"replica"`
	Home      string   `json:"home"`
	PublicKey string   `json:"public_key"`
	Addresses []string `json:"addresses"`
	Admin     string   `json:"admin"` // host:port of the address for metrics and health
}

// PrintMade prints for people what was made and what to do next.
func (p *Program) PrintMade(w io.Writer, m *Made) error {
	text := fmt.Sprintf("Made a cluster of %d replicas, which %s, in %s\n\n", len(m.Replicas), m.FaultModel.Masked(len(m.Replicas)), m.Dir)
	text += fmt.Sprintf("  %-28s members, keys and parameters: the same for all\n", m.ClusterFile)
	if m.ClientKey != "" {
		text += fmt.Sprintf("  %-28s a registered client's key\n", m.ClientKey)
	}
	for _, path := range m.AdminKeys {
		text += fmt.Sprintf("  %-28s an administrator's key\n", path)
	}
	for _, r := range m.Replicas {
		text += fmt.Sprintf("  %-28s replica %d at %s\n", r.Home+string(filepath.Separator), r.Replica, r.Addresses[0])
	}
	text += "\nRun each replica in a terminal of its own:\n\n"
	for _, r := range m.Replicas {
		text += fmt.Sprintf("  %s node --home %s\n", p.Name, r.Home)
	}
	if o := m.Origin; o != nil {
		text += fmt.Sprintf("\nIt begins with the state after %d of the cluster %s, which must not run any more. Clients keep their keys: give"+
			"\nthem %s in the place of the old one.\n", o.Seq, o.Cluster[:16], m.ClusterFile)
		_, err := io.WriteString(w, text)
		return err
	}
	text += fmt.Sprintf("\nThen talk to them:\n\n  export TAGMA_CLUSTER=%s\n%s  %s status\n", m.ClusterFile, p.First, p.Name)
	_, err := io.WriteString(w, text)
	return err
}
