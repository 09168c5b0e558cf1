package node

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// withAdmin gives every home an admin address on a free port.
func (b *testbed) withAdmin() *testbed {
	for i := range b.nodes {
		b.adjust(i, func(s *Settings) { s.Admin = "127.0.0.1:0" })
	}
	return b
}

// ask fetches a path of a replica's admin address.
func (b *testbed) ask(i int, path string) (code int, body string) {
	b.t.Helper()
	c := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get("http://" + b.nodes[i].Admin() + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// scraped fetches a replica's metrics. The keys are names with labels, as Prometheus reads them.
func (b *testbed) scraped(i int) map[string]float64 {
	b.t.Helper()
	code, body := b.ask(i, "/metrics")
	if code != http.StatusOK {
		b.t.Fatalf("/metrics: %d, %s", code, body)
	}
	values := make(map[string]float64)
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			b.t.Fatalf("%q: %v", line, err)
		}
		values[line[:at]] = v
	}
	return values
}

func TestAdmin_EveryPathAnswers(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	b.until("all well", func(rs []Report) bool { return rs[0].Health == Healthy && rs[3].Health == Healthy })
	for path, holds := range map[string]string{
		"/": "/metrics", "/healthz": "ok\n", "/readyz": "ok\n", "/status": `"state_digest"`, "/metrics": "\ntagma_view ",
		"/debug/pprof/": "goroutine", "/debug/pprof/heap?debug=1": "heap profile", "/debug/pprof/cmdline": "test",
		"/debug/pprof/symbol": "num_symbols", "/debug/pprof/trace?seconds=0.01": "", "/debug/pprof/profile?seconds=1": "",
	} {
		if code, body := b.ask(0, path); code != http.StatusOK || body == "" || !strings.Contains(body, holds) {
			t.Errorf("%s: %d, %.200q, want %q", path, code, body, holds)
		}
	}
	if code, _ := b.ask(0, "/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown path: %d", code)
	}
	_, body := b.ask(2, "/status")
	var r Report
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.Replica != 2 || r.Health != Healthy || len(r.Connected) != 3 {
		t.Errorf("status: %s, %v", body, err)
	}
}

func TestAdmin_WithoutAQuorumItIsHealthyAndNotReady(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	b.until("all well", func(rs []Report) bool { return rs[0].Health == Healthy })
	b.halt(2)
	b.halt(3)
	b.until("the quorum is gone", func(rs []Report) bool { return len(rs[0].Connected) < 2 })
	if code, body := b.ask(0, "/readyz"); code != http.StatusServiceUnavailable ||
		!strings.HasPrefix(body, "too few replicas connected") || strings.Count(body, "\n") != 1 {
		t.Errorf("readyz: %d, %q", code, body)
	}
	if code, body := b.ask(0, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d, %q", code, body)
	}
	if v := b.scraped(0); v["tagma_ready"] != 0 || v[`tagma_peer_connected{peer="3"}`] != 0 || v[`tagma_peer_connected{peer="1"}`] != 1 {
		t.Errorf("metrics say otherwise: ready %v, peers %v and %v", v["tagma_ready"],
			v[`tagma_peer_connected{peer="3"}`], v[`tagma_peer_connected{peer="1"}`])
	}
	b.start(3)
	b.until("the quorum is back", func([]Report) bool { code, _ := b.ask(0, "/readyz"); return code == http.StatusOK })
}

func TestAdmin_ALoopThatDoesNotTurnIsNotHealthy(t *testing.T) {
	t.Parallel()
	for stalled, want := range map[time.Duration]string{
		0: "", stallPatience - 1: "", stallPatience: "no turn has ended for 10s", time.Hour: "no turn has ended for 1h0m0s",
	} {
		if got := stuck(stalled); got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("stalled for %v: %q, want %q", stalled, got, want)
		}
	}
}

func TestAdmin_AnAddressThatCannotBeIsOneLine(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for address, mend := range map[string]string{
		l.Addr().String(): "the port is taken; stop what uses it or change admin in " + b.home(0) + "/config.toml",
		"7100":            "is no host:port; give one such as 127.0.0.1:7100",
		"127.0.0.1:http":  "is no host:port",
		"127.0.0.1:70000": "is no host:port",
		"192.0.2.1:7100":  "listen on the admin address 192.0.2.1:7100: ",
	} {
		b.setAdmin(0, address)
		if err := b.refused(0, mend); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%q: %v", address, err)
		}
	}
	_ = l.Close() // to give the port back
	b.setAdmin(0, l.Addr().String())
	b.start(0) // the failed starts left nothing that prevents this one
	if code, _ := b.ask(0, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d", code)
	}
}

// setAdmin replaces a home's settings by new ones with an admin address. It does not read the old file, because a test
// may have made it invalid.
func (b *testbed) setAdmin(i int, address string) {
	b.t.Helper()
	s := DefaultSettings()
	s.Admin = address
	if err := s.Save(b.home(i)); err != nil {
		b.t.Fatal(err)
	}
}

func TestAdmin_OtherMachinesReachItWithAWarningOnly(t *testing.T) {
	t.Parallel()
	for address, warned := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		t.Run(address, func(t *testing.T) {
			b := newTestbed(t, 4, small)
			b.adjust(0, func(s *Settings) { s.Admin = address })
			var log lines
			b.start(0, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if log.contain("asks for no password") != warned {
				t.Errorf("warned: %t", !warned)
			}
		})
	}
}

func TestAdmin_WithoutAnAddressNothingListens(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.start(0)
	if a := b.nodes[0].Admin(); a != "" {
		t.Errorf("it listens on %s", a)
	}
	b.until("it runs", func(rs []Report) bool { return fmt.Sprint(rs[0].Connected) == "[]" })
}
