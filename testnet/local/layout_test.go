package local

import (
	"net"
	"strings"
	"testing"

	"tagma/testnet/byzantine"
)

func TestCreate_RefusesADirectoryThatHoldsACluster(t *testing.T) {
	o := Options{Dir: t.TempDir(), Replicas: 4}
	c, err := Create(o)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := Create(o); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("%v", err)
	}
}

func TestCreate_RefusesAMaliciousReplicaThatDoesNotExist(t *testing.T) {
	_, err := Create(Options{Dir: t.TempDir(), Replicas: 4, Malicious: map[int][]byzantine.Choice{4: {{Name: "equivocate"}}}})
	if err == nil || !strings.Contains(err.Error(), "replica 4") {
		t.Errorf("%v", err)
	}
}

func TestChoosePorts_AreDistinctAndFree(t *testing.T) {
	ports, err := choosePorts(7, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if seen[p] || p < lowestPort || p >= highestPort {
			t.Errorf("ports %v", ports)
		}
		seen[p] = true
	}
}

func TestChoosePorts_RefusesABasePortInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was accepted
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := choosePorts(1, port); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}
