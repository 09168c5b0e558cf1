package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"tagma/client"
	"tagma/internal/bench"
)

const replicas = 4

type tagma struct {
	processes
	file, key string
}

// startTagma builds `tagma` from the sources around this module and starts a cluster of it.
func startTagma(ctx context.Context, dir string) (*tagma, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	program, err := filepath.Abs(filepath.Join(dir, "program"))
	if err != nil {
		return nil, err
	}
	// In its own module: with the versions of its dependencies, not with those that etcd asks for.
	sources, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "tagma").Output()
	if err != nil {
		return nil, fmt.Errorf("find the sources of tagma: %w; run this in its module: go run -C testnet/peers", err)
	}
	if err := run(ctx, "go", "build", "-C", string(bytes.TrimSpace(sources)), "-o", program, "./cmd/tagma"); err != nil {
		return nil, fmt.Errorf("build tagma: %w", err)
	}
	base, err := basePort()
	if err != nil {
		return nil, err
	}
	cluster := filepath.Join(dir, "cluster")
	if err := run(ctx, program, "init", "--dir", cluster, "--base-port", strconv.Itoa(base)); err != nil {
		return nil, err
	}
	t := &tagma{file: filepath.Join(cluster, "cluster.toml"), key: filepath.Join(cluster, "client.key")}
	for i := range replicas {
		name := fmt.Sprintf("replica%d", i)
		if err := t.launch(filepath.Join(dir, name+".log"), program, "node", "--home", filepath.Join(cluster, name)); err != nil {
			t.stop()
			return nil, err
		}
	}
	err = until(ctx, "start tagma, whose logs are in "+dir, func(ctx context.Context) error {
		callers, hangUp, err := t.dial(ctx, 1)
		if err != nil {
			return err
		}
		defer hangUp()
		return callers[0].Call(ctx, &bench.Request{Keys: [][]byte{[]byte("up")}, Values: [][]byte{{}}})
	})
	if err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// basePort is the first of the free ports that a cluster takes: one for each replica, and their admin addresses.
func basePort() (int, error) {
	for range 100 {
		ports, err := freePorts(1)
		if err != nil {
			return 0, err
		}
		if ports[0] < 60_000 {
			return ports[0], nil
		}
	}
	return 0, fmt.Errorf("no free port below 60000")
}

func run(ctx context.Context, program string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

func (t *tagma) dial(ctx context.Context, connections int) (callers []bench.Caller, hangUp func(), err error) {
	var sessions []*client.Client
	hangUp = func() {
		for _, c := range sessions {
			_ = c.Close() // nothing is under way
		}
	}
	for range connections {
		c, err := client.Dial(ctx, t.file, t.key)
		if err != nil {
			hangUp()
			return nil, nil, err
		}
		sessions = append(sessions, c)
		callers = append(callers, bench.Session(c))
	}
	return callers, hangUp, nil
}
