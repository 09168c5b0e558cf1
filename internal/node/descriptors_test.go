package node

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"tagma/network"
)

func TestDescriptors_TheDiskComesFirst(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	full := uint64(diskDescriptors + adminConnections + network.Descriptors(4, DefaultMaxClients))
	for _, c := range []struct {
		limit   uint64
		fewer   bool
		refused bool
	}{{0, false, false}, {full, false, false}, {1 << 20, false, false}, {full - 1, true, false}, {700, true, false}, {300, false, true}} {
		s := DefaultSettings()
		err := spareDescriptors(c.limit, 4, &s, log)
		if (err != nil) != c.refused {
			t.Fatalf("%d: %v", c.limit, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "ulimit -n") {
				t.Error(err)
			}
			continue
		}
		if fewer := s.MaxClients < DefaultMaxClients; fewer != c.fewer {
			t.Errorf("%d: %d clients", c.limit, s.MaxClients)
		}
		if used := diskDescriptors + adminConnections + network.Descriptors(4, s.MaxClients); c.limit > 0 && uint64(used) > c.limit {
			t.Errorf("%d: %d are used", c.limit, used)
		}
	}
}

// I14: however many connections are opened and kept, the admin address holds its number of them, and serves the next one
// once others have been idle.
func TestAdmin_HoldsABoundedNumberOfConnections(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.start(0)
	admin := b.nodes[0].admin
	held := make([]net.Conn, 0, 4*adminConnections)
	for range cap(held) {
		conn, err := net.Dial("tcp", admin.address())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	b.until("as many as it may hold", func([]Report) bool { return admin.open.Load() == adminConnections })
	for _, conn := range held {
		_ = conn.Close()
	}
	if code, body := b.ask(0, "/healthz"); code != http.StatusOK {
		t.Errorf("%d %q", code, body)
	}
	if n := admin.open.Load(); n > adminConnections {
		t.Errorf("%d connections", n)
	}
}
