package node

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/netutil"

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

// I14: however many connections peers open and keep open, the admin address holds only a bounded number of them. When
// some have been idle for a while, it serves the next one.
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

// pipes is a listener whose connections are pipes in memory. So their deadlines follow the virtual time of the test.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p.conns
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error { close(p.conns); return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// I14: whatever a peer does to occupy a connection of the admin address without using it, the next connection is served
// in time.
func TestAdmin_AConnectionOfNoUseIsEnded(t *testing.T) {
	const question = "GET / HTTP/1.1\r\nHost: replica\r\n\r\n"
	for name, c := range map[string]struct {
		keeps func(net.Conn) // what a peer does with its connection; it returns when the peer ends
		after time.Duration  // the next one is answered
	}{
		"it asks nothing": {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, askPatience},
		"it asks half": {func(c net.Conn) {
			_, _ = io.WriteString(c, question[:20])
			_, _ = io.Copy(io.Discard, c)
		}, askPatience},
		"it keeps alive": {func(c net.Conn) {
			_, _ = io.WriteString(c, question)
			_, _ = io.Copy(io.Discard, c)
		}, idlePatience},
		"it does not read": {func(c net.Conn) { _, _ = io.WriteString(c, question) }, readPatience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &admin{node: &Node{log: slog.New(slog.DiscardHandler)}}
				listener := pipes{make(chan net.Conn)}
				answer := bytes.Repeat([]byte("x"), 64<<10)
				server := a.server(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
				go func() { _ = server.Serve(netutil.LimitListener(listener, adminConnections)) }()
				begun := time.Now()
				for range adminConnections {
					theirs, ours := net.Pipe()
					listener.conns <- ours
					go c.keeps(theirs)
				}
				theirs, ours := net.Pipe()
				go func() { listener.conns <- ours }()
				if _, err := io.WriteString(theirs, question); err != nil {
					t.Fatal(err)
				}
				if _, err := http.ReadResponse(bufio.NewReader(theirs), nil); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took != c.after {
					t.Errorf("the next one was answered after %v, want %v", took, c.after)
				}
				if err := server.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
