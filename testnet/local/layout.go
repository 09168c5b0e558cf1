package local

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// Names of what Create puts into the directory, beside replica0, replica1, …
const (
	ClusterFile = "cluster.toml"
	LogFile     = "log" // in a replica's home
	keySuffix   = ".key"
)

// Options say what cluster to make.
type Options struct {
	Dir          string // Create makes it if it does not exist; it must not hold a cluster
	Replicas     int    // 4 or more
	BasePort     int    // replica i listens on 127.0.0.1, port BasePort+i; 0: Create chooses free ports
	Machine      string // the replicated state machine; "": kv
	Clients      int    // registered clients beside client 0; ClientKey names their keys
	Admins       int    // registered administrators; the keys are in admin1.key, admin2.key, …
	Protocol     cluster.Protocol
	SegmentBytes int        // size of a journal segment; 0: the default
	Data         string     // where in its home a replica keeps journal, state and evidence; "": beside its key
	Seed         uint64     // the seed of all random choices on the links
	Network      links.Link // the properties of every link between replicas until an order changes them
	// Malicious are behaviours by replica, numbered by their place. They sleep until they are switched on, or are Awake from
	// the start.
	Malicious map[int][]byzantine.Choice
	Awake     bool
	// Command returns the arguments, and what to add to the environment, with which this program runs as the replica of a
	// home: it must then call Serve. nil: the hidden subcommand of RunIfReplica.
	Command   func(home string) (args, env []string)
	Trace     string   // an existing directory where replicas record what happens, for trace.MergeDir; "": they do not
	TraceOnly []string // these kinds of events; nil: all
	Facts     []string // facts that replicas count, in the form that fact.Parse reads
	Struck    bool     // replicas may be told to end themselves at a Moment
	Shown     bool     // Gather can be called for the events of replicas
	Admin     bool     // replicas answer for their health and metrics over HTTP; Cluster.Admin has the addresses
	// Corruptible says that Corrupt may make replicas malicious while they run. Then replicas have no guard, which would
	// stop a replica that contradicts itself.
	Corruptible bool
}

// checkMalicious reports the first error in Options.Malicious.
func (o *Options) checkMalicious() error {
	for id, choices := range o.Malicious {
		if id < 0 || id >= o.Replicas {
			return fmt.Errorf("replica %d cannot be malicious: the cluster has replicas 0 to %d", id, o.Replicas-1)
		}
		for _, choice := range choices {
			if err := byzantine.Check(choice, o.Replicas); err != nil {
				return fmt.Errorf("replica %d cannot be malicious: %w", id, err)
			}
		}
	}
	return nil
}

// layout makes the cluster file, the homes and the clients' keys.
func layout(o Options) (*cluster.File, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cluster's directory: %w", err)
	}
	path := filepath.Join(o.Dir, ClusterFile)
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("%s is there already; name another directory or remove it", path)
	}
	many := o.Replicas
	if o.Admin { // the ports of the admin addresses follow those of the replicas
		many *= 2
	}
	ports, err := choosePorts(many, o.BasePort)
	if err != nil {
		return nil, err
	}
	names := []string{clientName(0)}
	for i := range o.Clients {
		names = append(names, clientName(i+1))
	}
	if o.Protocol.FirstVersion == 0 {
		o.Protocol.FirstVersion = machines.Shipped.FirstVersion(cmp.Or(o.Machine, machines.KV))
	}
	fresh, err := cluster.Init(cluster.InitOptions{
		Replicas: o.Replicas, BasePort: max(o.BasePort, 1), Clients: names, Admins: o.Admins, Machine: o.Machine, Protocol: o.Protocol,
	})
	if err != nil {
		return nil, err
	}
	for i := range fresh.File.Replicas {
		fresh.File.Replicas[i].Addresses = []string{"/ip4/127.0.0.1/tcp/" + strconv.Itoa(ports[i])}
	}
	if err := fresh.File.Save(path); err != nil {
		return nil, err
	}
	for i, key := range fresh.Replicas {
		admin := ""
		if o.Admin {
			admin = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[o.Replicas+i]))
		}
		if err := makeHome(o, i, key, admin); err != nil {
			return nil, err
		}
	}
	for i := range o.Admins {
		names = append(names, fresh.File.Clients[len(names)+i].Name)
	}
	for i, name := range names {
		if err := crypto.WriteKey(filepath.Join(o.Dir, name+keySuffix), fresh.Clients[i]); err != nil {
			return nil, err
		}
	}
	return fresh.File, nil
}

// clientName is what a registered client is called; its key is in the file of that name.
func clientName(i int) string {
	if i == 0 {
		return "client"
	}
	return "client" + strconv.Itoa(i)
}

func makeHome(o Options, id int, key *crypto.PrivateKey, admin string) error {
	home := homeDir(o.Dir, id)
	if err := os.Mkdir(home, 0o700); err != nil {
		return fmt.Errorf("make the home of replica %d: %w", id, err)
	}
	if err := crypto.WriteKey(filepath.Join(home, node.KeyFile), key); err != nil {
		return err
	}
	if err := node.MarkUnborn(home); err != nil {
		return err
	}
	settings := node.DefaultSettings()
	settings.Admin = admin
	if o.SegmentBytes > 0 {
		settings.SegmentBytes = o.SegmentBytes
	}
	if settings.Data = o.Data; o.Data != "" {
		if err := os.Mkdir(filepath.Join(home, o.Data), 0o700); err != nil {
			return fmt.Errorf("make the data directory of replica %d: %w", id, err)
		}
	}
	return settings.Save(home)
}

func homeDir(dir string, id int) string { return filepath.Join(dir, "replica"+strconv.Itoa(id)) }

// Free ports are looked for below the range that systems use for outgoing connections. Otherwise, while a replica is
// down, an outgoing connection of this machine could take its port, even a connection to this replica. The tests of
// other packages use lower ports.
const (
	lowestPort  = 20_000
	highestPort = 32_000
)

// FreeBase returns a base port such that n ports are free from it on, and also from each of these distances above it.
func FreeBase(n int, offsets ...int) (int, error) {
	for range 1000 {
		base, good := lowestPort+rand.IntN(highestPort-lowestPort), true
		for _, offset := range append(offsets, 0) {
			for i := range n {
				good = good && free(base+offset+i)
			}
		}
		if good {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row were found on 127.0.0.1", n)
}

// choosePorts returns a port for every replica on which nobody listens now.
func choosePorts(n, base int) ([]int, error) {
	ports := make([]int, 0, n)
	if base != 0 {
		for i := range n {
			if !free(base + i) {
				return nil, fmt.Errorf("port %d is in use; choose another base port, or leave it out to have free ones found", base+i)
			}
			ports = append(ports, base+i)
		}
		return ports, nil
	}
	taken := make(map[int]bool)
	for range 1000 {
		p := lowestPort + rand.IntN(highestPort-lowestPort)
		if taken[p] || !free(p) {
			continue
		}
		taken[p] = true
		if ports = append(ports, p); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports were found on 127.0.0.1; name some with a base port", n)
}

func free(port int) bool {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
