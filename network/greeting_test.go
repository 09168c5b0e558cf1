package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestGreeting_MismatchIsReportedAtBothEndsInOneLine(t *testing.T) {
	overEach(t, greetingMismatchIsReportedAtBothEndsInOneLine)
}

func greetingMismatchIsReportedAtBothEndsInOneLine(t *testing.T) {
	members := freeMembers(t, 2)
	var logs [2]lines
	var reports [2]chan string
	var hosts [2]*Host
	for i := range hosts {
		cfg := configOf(members, i)
		cfg.Greeting = []byte{'a' + byte(i)}
		cfg.Logger = logs[i].logger()
		reports[i] = make(chan string, 64)
		cfg.OnMismatch = func(replica int, theirs []byte) { reports[i] <- fmt.Sprintf("%d %s", replica, theirs) }
		hosts[i] = startHost(t, cfg, newRecorder())
	}
	for i, want := range []string{"1 b", "0 a"} {
		if got := next(t, reports[i]); got != want {
			t.Fatalf("host %d reports %q, want %q", i, got, want)
		}
		if hosts[i].Peers()[1-i].Connected {
			t.Fatalf("host %d is connected", i)
		}
		eventually(t, "the link says why", func() bool {
			why := hosts[i].Peers()[1-i].LastError
			return strings.HasPrefix(why, fmt.Sprintf("replica %d (", 1-i)) && strings.HasSuffix(why, "give it and this end the same one")
		})
		line := logs[i].String()
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, "another cluster or configuration") {
			t.Fatalf("host %d logged %q", i, line)
		}
	}
}

func TestGreeting_MismatchIsReportedOncePerChange(t *testing.T) {
	var reports []string
	g := newGreetings([]byte("us"), nil, func(_ int, theirs []byte) { reports = append(reports, string(theirs)) },
		slog.New(slog.DiscardHandler))
	for _, greeting := range []string{"x", "x", "y", "y", "us", "y"} {
		err := g.exchange(&scripted{in: bytes.NewBuffer(asFrame([]byte(greeting)))}, remote{index: 3})
		if matches := greeting == "us"; matches != (err == nil) || !matches && !errors.Is(err, errMismatch) {
			t.Fatalf("%q: %v", greeting, err)
		}
	}
	if got := strings.Join(reports, " "); got != "x y y" {
		t.Fatalf("reported %q", got)
	}
}

// scripted is a peer that sends what the test tells it to and reads nothing.
type scripted struct{ in *bytes.Buffer }

func (s *scripted) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *scripted) Write(p []byte) (int, error) { return len(p), nil }

func TestGreeting_ClientOfAnotherClusterIsTold(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 1, admit(keyOf(seed)))
	told := make(chan string, 64)
	client, _ := c.dial(t, seed, func(cfg *ClientConfig) {
		cfg.Greeting = []byte("elsewhere")
		cfg.OnMismatch = func(_ int, theirs []byte) { told <- string(theirs) }
	})
	if got := next(t, told); got != "cluster" {
		t.Fatalf("told %q", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := client.WaitConnected(ctx, 1); err == nil {
		t.Fatal("connected")
	}
}

func TestGreeting_TooLongIsRefusedByBothConfigurations(t *testing.T) {
	members := []Member{{Key: keyOf(seedOf(0)), Addrs: []string{"/ip4/127.0.0.1/tcp/0"}}}
	cfg := configOf(members, 0)
	cfg.Greeting = make([]byte, maxGreeting+1)
	if _, err := Listen(cfg, newRecorder()); err == nil {
		t.Fatal("accepted by Listen")
	}
	if _, err := Dial(ClientConfig{Members: members, Greeting: cfg.Greeting}, newRecorder()); err == nil {
		t.Fatal("accepted by Dial")
	}
}
