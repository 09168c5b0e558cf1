package client

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/session"
	"tagma/statemachine/kv"
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// closedCluster is a cluster with one registered client. None of its replicas runs.
func closedCluster(t *testing.T) *cluster.Fresh {
	t.Helper()
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// outsideOf returns a cluster in the exported type, which applications use.
func outsideOf(made *cluster.Fresh) *Cluster { return &Cluster{made.File} }

func TestDial_NamesTheFileThatIsMissing(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "cluster.toml"), filepath.Join(dir, "key")
	if _, err := Dial(t.Context(), file, key); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("without a cluster file: %v", err)
	}
	if err := closedCluster(t).File.Save(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), file, key); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), key) {
		t.Errorf("without a key: %v", err)
	}
}

func TestDial_RefusesAKeyThatTheClusterWouldRefuse(t *testing.T) {
	stranger := crypto.FromSeed([32]byte{1})
	if _, err := DialCluster(t.Context(), outsideOf(closedCluster(t)), keyOf(stranger)); err == nil || !strings.Contains(err.Error(), "[[client]]") {
		t.Errorf("a key that is not registered: %v", err)
	}
}

func TestDial_EndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	made := closedCluster(t)
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := DialCluster(ctx, outsideOf(made), keyOf(made.Clients[0])); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no replica runs, and Dial says %v", err)
	}
}

func TestDial_RefusesOptionsOutOfRange(t *testing.T) {
	made := closedCluster(t)
	for want, option := range map[string]Option{
		"WithInFlight(-1)": WithInFlight(-1), "WithPacking(-2)": WithPacking(-2), "there are no semantics 9": WithSemantics(9),
	} {
		if _, err := DialCluster(t.Context(), outsideOf(made), keyOf(made.Clients[0]), option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Dial ignores options that are nil, as calls do: a function of the application may return nil instead of an option.
func TestDial_LeavesOutOptionsThatAreNil(t *testing.T) {
	made := closedCluster(t)
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := DialCluster(ctx, outsideOf(made), keyOf(made.Clients[0]), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no replica runs, and Dial says %v", err)
	}
}

func TestDo_RefusesARequestOfNothingAndSemanticsThatThereAreNot(t *testing.T) {
	c := &Client{shell: newShell(session.Config{Limits: session.Limits{Ops: 2, OpBytes: 10, TotalBytes: 1000}.Choose(0, 0)}, ExactlyOnce)}
	for _, ops := range [][][]byte{nil, {}} {
		if _, err := c.DoMany(t.Context(), ops); !errors.Is(err, ErrEmpty) || strings.Contains(err.Error(), "too large") {
			t.Errorf("DoMany: %v", err)
		}
		if _, err := c.SubmitMany(t.Context(), ops); !errors.Is(err, ErrEmpty) {
			t.Errorf("SubmitMany: %v", err)
		}
	}
	if _, err := c.Do(t.Context(), []byte("op"), Under(9)); !errors.Is(err, ErrNotSent) {
		t.Errorf("semantics 9: %v", err)
	}
	_, err := kv.NewClient(c).Put(t.Context(), strings.Repeat("k", 2000), nil)
	if err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), "… (2000 bytes)") {
		t.Errorf("a long key: %v", err)
	}
}
