package cluster

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"tagma/pbft/wire"
)

// counter is a reproducible source of distinct "random" bytes.
type counter struct{ n uint64 }

func (c *counter) Read(p []byte) (int, error) {
	clear(p)
	c.n++
	binary.BigEndian.PutUint64(p, c.n)
	return len(p), nil
}

func fresh(t testing.TB, change ...func(*InitOptions)) *Fresh {
	t.Helper()
	o := InitOptions{Replicas: 4, BasePort: 7000, Clients: []string{"alice", "bob"}, Rand: new(counter)}
	for _, c := range change {
		c(&o)
	}
	made, err := Init(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	data, err := toml.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSave_LoadGivesBackTheSameFile(t *testing.T) {
	f := fresh(t, func(o *InitOptions) {
		o.Protocol = Protocol{ViewTimeout: Duration{250 * time.Millisecond}, CheckpointInterval: 10, LogWindow: 20, Window: 8}
	}).File
	path := filepath.Join(t.TempDir(), "cluster.toml")
	for range 2 { // the second call replaces the file that the first one wrote
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("loaded %+v, saved %+v", got, f)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("directory holds %v (%v), want the file alone", left, err)
	}
}

func TestSave_RefusesWhatLoadWouldRefuse(t *testing.T) {
	f := fresh(t).File
	f.Machine = "an abacus"
	path := filepath.Join(t.TempDir(), "cluster.toml")
	if err := f.Save(path); err == nil {
		t.Error("saved a file that cannot be loaded")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a refused file was written (%v)", err)
	}
}

func TestParse_OrderOfReplicaTablesIsIrrelevant(t *testing.T) {
	f := fresh(t).File
	shuffled := *f
	shuffled.Replicas = []Replica{f.Replicas[2], f.Replicas[0], f.Replicas[3], f.Replicas[1]}
	got, err := Parse("x", encode(t, &shuffled))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Replicas, f.Replicas) {
		t.Errorf("replicas %v, want them by number", got.Replicas)
	}
}

func TestConfig_HoldsFileAndDefaults(t *testing.T) {
	made := fresh(t, func(o *InitOptions) { o.Protocol.MaxBatch = 17 })
	cfg, err := made.File.Config(2)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Self != 2 || cfg.Cluster != wire.Digest(made.File.ID) || cfg.N() != 4 {
		t.Errorf("self %d, cluster %v, n %d", cfg.Self, cfg.Cluster, cfg.N())
	}
	for i, k := range made.Replicas {
		if cfg.Members[i] != k.Public() {
			t.Errorf("member %d has another key than replica %d", i, i)
		}
	}
	if cfg.MaxBatch != 17 || cfg.ViewTimeout != wire.DefaultViewTimeout {
		t.Errorf("max_batch %d, view_timeout %v", cfg.MaxBatch, cfg.ViewTimeout)
	}
	for _, self := range []int{-1, 4} {
		if _, err := made.File.Config(self); err == nil {
			t.Errorf("replica %d of 4 was configured", self)
		}
	}
}

func TestC1_OnlyRegisteredClientsAreAdmitted(t *testing.T) {
	stranger := wire.PublicKey(fresh(t, func(o *InitOptions) { o.Replicas = 9 }).Replicas[8].Public())
	made := fresh(t)
	cfg, err := made.File.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.Client(made.Clients[1].Public()) {
		t.Error("a registered client is not admitted")
	}
	if cfg.Client(stranger) {
		t.Error("a stranger is admitted")
	}
}

func TestMembers_AreTheReplicasInOrder(t *testing.T) {
	f := fresh(t, func(o *InitOptions) { o.Hosts = []string{"10.0.0.1", "b.example", "::1", "10.0.0.1"} }).File
	want := []string{"/ip4/10.0.0.1/tcp/7000", "/dns/b.example/tcp/7000", "/ip6/::1/tcp/7000", "/ip4/10.0.0.1/tcp/7001"}
	for i, m := range f.Members() {
		if m.Key != f.Replicas[i].Key || len(m.Addrs) != 1 || m.Addrs[0] != want[i] {
			t.Errorf("member %d: key %x at %v, want %s", i, m.Key[:4], m.Addrs, want[i])
		}
	}
}

func TestParse_TakesEveryKindOfAddress(t *testing.T) {
	f := fresh(t).File
	f.Replicas[0].Addresses = []string{
		"/ip4/10.0.0.1/tcp/7000", "/ip6/2001:db8::1/tcp/7000", "/dns/a.example/tcp/7000",
		"/dns4/a.example/udp/7000/quic-v1", "/dns6/a.example/tcp/7000", "/ip4/10.0.0.1/udp/7000/quic-v1",
	}
	f.Replicas[1].Addresses = []string{"/ip4/10.0.0.2/udp/7000/quic-v1"}
	if _, err := Parse("c", encode(t, f)); err != nil {
		t.Error(err)
	}
}

func TestInit_AddressesAreOfTheTransportAskedFor(t *testing.T) {
	for transport, want := range map[string]string{
		"": "/ip4/127.0.0.1/tcp/7003", TCP: "/ip4/127.0.0.1/tcp/7003", QUIC: "/ip4/127.0.0.1/udp/7003/quic-v1",
	} {
		f := fresh(t, func(o *InitOptions) { o.Hosts, o.Transport = nil, transport }).File
		if got := f.Replicas[3].Addresses[0]; got != want {
			t.Errorf("%q: %s, want %s", transport, got, want)
		}
	}
	if _, err := Init(InitOptions{Replicas: 4, BasePort: 7000, Transport: "sctp"}); err == nil {
		t.Error("a transport that does not exist is accepted")
	}
}

func TestReplicaAndClientName_FindTheirKeys(t *testing.T) {
	made := fresh(t)
	if id, ok := made.File.Replica(made.Replicas[3].Public()); !ok || id != 3 {
		t.Errorf("key of replica 3 is found as %d, %v", id, ok)
	}
	if name, ok := made.File.ClientName(made.Clients[1].Public()); !ok || name != "bob" {
		t.Errorf("key of bob is found as %q, %v", name, ok)
	}
	if _, ok := made.File.Replica(made.Clients[0].Public()); ok {
		t.Error("a client's key is found among the replicas")
	}
	if _, ok := made.File.ClientName(made.Replicas[0].Public()); ok {
		t.Error("a replica's key is found among the clients")
	}
}

func TestGreeting_IsIdAndFingerprint(t *testing.T) {
	f := fresh(t).File
	print := f.Fingerprint()
	if got, want := f.Greeting(), append(f.ID[:], print[:]...); !bytes.Equal(got, want) {
		t.Errorf("greeting %x, want %x", got, want)
	}
}

// D8.13: a restored cluster has a new id and new keys. It takes over from the first cluster everything on which the
// meaning of the state depends.
func TestInit_AClusterAfterAnotherTakesOverWhatItsStateRestsOn(t *testing.T) {
	before := fresh(t, func(o *InitOptions) { o.Machine, o.Protocol.CheckpointInterval, o.Protocol.LogWindow = "bank", 16, 64 }).File
	before.Protocol.Rules = 0 // as of an older cluster
	made, err := Init(InitOptions{Replicas: 7, BasePort: 7100, Before: before, Seq: 160, Root: [32]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	f := made.File
	if f.ID == before.ID || f.Origin != (Origin{Cluster: before.ID, Seq: 160, Root: Key{9}}) {
		t.Errorf("id %v, origin %+v", f.ID, f.Origin)
	}
	if f.Machine != "bank" || f.Protocol != before.Protocol || !reflect.DeepEqual(f.Clients, before.Clients) || len(made.Clients) != 0 {
		t.Errorf("machine %s, protocol %+v, clients %v", f.Machine, f.Protocol, f.Clients)
	}
	path := filepath.Join(t.TempDir(), "cluster.toml")
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("loaded %+v (%v), saved %+v", got, err, f)
	}
	cfg, err := got.Config(0)
	if err != nil || cfg.Origin != (wire.Mark{Seq: 160, Digest: wire.Digest{9}}) {
		t.Errorf("origin %v, %v", cfg.Origin, err)
	}
	if _, err := Init(InitOptions{Replicas: 4, BasePort: 7100, Before: before, Seq: 161, Root: [32]byte{9}}); err == nil {
		t.Error("an origin between two checkpoints is accepted")
	}
}
