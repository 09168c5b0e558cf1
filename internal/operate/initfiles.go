package operate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
)

// ClusterFile and ClientKey are the names of the files in a cluster's directory beside the homes.
const (
	ClusterFile = "cluster.toml"
	ClientKey   = "client.key"
)

// AdminOffset is the distance between the ports of the replicas and those of their admin addresses, so that a port is
// never used twice.
const AdminOffset = 100

// adminPort is the port of replica i's admin address. It differs between the replicas even if each is meant to have its
// own host, because people try all homes on one machine first.
func adminPort(basePort, i, replicas int) int {
	offset := max(AdminOffset, replicas)
	if port := basePort + offset + i; basePort+offset+replicas-1 <= 65535 {
		return port
	}
	return basePort - offset + i
}

// WriteCluster writes a cluster to dir. It overwrites nothing, and removes what it made if it cannot make everything.
func WriteCluster(dir string, fresh *cluster.Fresh, basePort int) (made *Made, err error) {
	made = &Made{
		Dir:         dir,
		ClusterFile: filepath.Join(dir, ClusterFile),
		ClusterID:   fresh.File.ID.String(),
		FaultModel:  fresh.File.Protocol.FaultModel,
		Faults:      fresh.File.Protocol.FaultModel.Masks(len(fresh.File.Replicas)),
	}
	if len(fresh.Clients) > 0 {
		made.ClientKey = filepath.Join(dir, ClientKey)
	}
	for _, c := range made.administrators(fresh) {
		made.AdminKeys = append(made.AdminKeys, filepath.Join(dir, c.Name+".key"))
	}
	if o := &fresh.File.Origin; o.Seq > 0 {
		made.Origin = &madeOrigin{Cluster: o.Cluster.String(), Seq: o.Seq, Root: o.Root.String()}
	}
	for i, r := range fresh.File.Replicas {
		made.Replicas = append(made.Replicas, madeReplica{
			Replica: i, Home: filepath.Join(dir, fmt.Sprintf("replica%d", i)),
			PublicKey: r.Key.String(), Addresses: r.Addresses,
			Admin: fmt.Sprintf("127.0.0.1:%d", adminPort(basePort, i, len(fresh.File.Replicas))),
		})
	}
	if err := made.refuseOverwriting(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := made.write(fresh); err != nil {
		return nil, errors.Join(err, made.Remove())
	}
	return made, nil
}

// paths lists what is directly in the cluster's directory. The cluster file is last, so that everything it names exists
// when it is written.
func (m *Made) paths() []string {
	var all []string
	for _, r := range m.Replicas {
		all = append(all, r.Home)
	}
	if m.ClientKey != "" {
		all = append(all, m.ClientKey)
	}
	return append(append(all, m.AdminKeys...), m.ClusterFile)
}

// administrators lists the administrators that were made. Their keys are the last ones of fresh.Clients.
func (*Made) administrators(fresh *cluster.Fresh) []cluster.Client {
	made := fresh.File.Clients[len(fresh.File.Clients)-len(fresh.Clients):]
	first := slices.IndexFunc(made, func(c cluster.Client) bool { return c.Role == cluster.Administrator })
	if first < 0 {
		return nil
	}
	return made[first:]
}

func (m *Made) refuseOverwriting() error {
	for _, path := range m.paths() {
		if _, err := os.Lstat(path); err == nil {
			return command.Unusablef("%s exists, and nothing is overwritten: choose another directory, or move it away", path)
		} else if errors.Is(err, syscall.ENOTDIR) {
			return command.Unusablef("%s is no directory; name another one with --dir DIR", m.Dir)
		} else if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (m *Made) write(fresh *cluster.Fresh) error {
	for i, r := range m.Replicas {
		if err := os.Mkdir(r.Home, 0o700); err != nil {
			return err
		}
		settings := node.DefaultSettings()
		settings.Admin = r.Admin
		if err := settings.Save(r.Home); err != nil {
			return err
		}
		if err := crypto.WriteKey(filepath.Join(r.Home, node.KeyFile), fresh.Replicas[i]); err != nil {
			return err
		}
		if err := node.MarkUnborn(r.Home); err != nil {
			return err
		}
	}
	if m.ClientKey != "" {
		if err := crypto.WriteKey(m.ClientKey, fresh.Clients[0]); err != nil {
			return err
		}
	}
	keys := fresh.Clients[len(fresh.Clients)-len(m.AdminKeys):]
	for i, path := range m.AdminKeys {
		if err := crypto.WriteKey(path, keys[i]); err != nil {
			return err
		}
	}
	return fresh.File.Save(m.ClusterFile)
}

// Remove removes everything that was made.
func (m *Made) Remove() error {
	var errs []error
	for _, path := range m.paths() {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
