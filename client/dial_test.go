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
)

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// closedCluster is a cluster whose replicas nobody has started, with one registered client.
func closedCluster(t *testing.T) *cluster.Fresh {
	t.Helper()
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

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
	if _, err := DialCluster(t.Context(), closedCluster(t).File, stranger); err == nil || !strings.Contains(err.Error(), "[[client]]") {
		t.Errorf("a key that is not registered: %v", err)
	}
}

func TestDial_EndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	made := closedCluster(t)
	ctx, cancel := contextFor(t, 50*time.Millisecond)
	defer cancel()
	if _, err := DialCluster(ctx, made.File, made.Clients[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no replica runs, and Dial says %v", err)
	}
}
