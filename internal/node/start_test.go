package node

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tagma/crypto"
	"tagma/internal/cluster"
)

func TestAnOccupiedPortIsNamed(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	address := b.fresh.File.Replicas[1].Addresses[0]
	l, err := net.Listen("tcp", "127.0.0.1:"+address[strings.LastIndex(address, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	_ = b.refused(1, address)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b.start(1) // the failed start left nothing that prevents this one
}

func TestAForeignKeyIsRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	stranger, err := crypto.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(b.home(2), KeyFile), func([]byte) []byte {
		path := filepath.Join(t.TempDir(), "stranger")
		if err := crypto.WriteKey(path, stranger); err != nil {
			t.Fatal(err)
		}
		var data []byte
		edit(t, path, func(d []byte) []byte { data = d; return d })
		return data
	})
	_ = b.refused(2, "belongs to no replica")
}

// lines is a log that a test can read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) options() Options {
	return Options{Logger: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelError}))}
}

func (l *lines) contain(text string) bool { return strings.Contains(l.text(), text) }

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Two replicas whose cluster.toml differ both log that, and exchange no messages.
func TestAnotherClusterFileIsNoticedAtBothEnds(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	other := *b.fresh.File
	other.Protocol.ViewTimeout = cluster.Duration{Duration: 3 * time.Second}
	if err := other.Save(filepath.Join(b.dir, "other.toml")); err != nil {
		t.Fatal(err)
	}
	b.adjust(3, func(s *Settings) { s.Cluster = "../other.toml" })
	var here, there lines
	b.start(0, Options{Logger: slog.New(slog.NewTextHandler(&here, nil))})
	b.start(1)
	b.start(2)
	b.start(3, Options{Logger: slog.New(slog.NewTextHandler(&there, nil))})
	l := b.load()
	l.put(10, 8)
	const complaint = "another cluster or configuration"
	b.until("both complain", func([]Report) bool {
		return here.contain(complaint) && here.contain("replica 3 (") && there.contain(complaint) && there.contain("replica 0 (")
	})
	b.until("three went on", func(rs []Report) bool { return rs[0].Executed >= 10 && rs[2].StableCheckpoint == 8 })
	if r := b.nodes[3].Report(); r.Received != 0 || r.Executed != 0 || len(r.Connected) != 0 {
		t.Errorf("the odd one out has exchanged messages: %+v", r)
	}
}

func TestReportsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.start(0)
	b.until("one alone", func(rs []Report) bool { return strings.HasPrefix(rs[0].Health, "too few replicas connected: 0") })
	for i := 1; i < 4; i++ {
		b.start(i)
	}
	b.until("all well", func(rs []Report) bool {
		ok := len(rs) == 4
		for i, r := range rs {
			ok = ok && r.Health == "ok" && len(r.Connected) == 3 && r.Replica == i && fmt.Sprint(r.Convicted) == "[]"
		}
		return ok
	})
}
