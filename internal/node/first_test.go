package node

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/statemachine/kv"
)

// life reads the file life of a home.
func (b *testbed) life(i int) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.home(i), LifeFile))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// D8.5: replicas that start for the first time at the same moment answer each other's questions, so none of them must
// wait.
func TestD8_5_FourThatStartForTheFirstTimeAtOnceServe(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	nodes := make([]*Node, 4)
	var starts sync.WaitGroup
	for i := range nodes {
		starts.Go(func() {
			var err error
			if nodes[i], err = Open(b.home(i), Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	for i, n := range nodes {
		if n == nil {
			t.FailNow()
		}
		b.nodes[i] = b.run(n)
	}
	l := b.load()
	l.put(10, 100)
	b.level(4)
	lives := map[string]bool{}
	for i := range nodes {
		lives[b.life(i)] = true
	}
	if len(lives) != 4 || lives["unborn"] {
		t.Errorf("lives %v", lives)
	}
	info, err := os.Stat(filepath.Join(b.home(0), LifeFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file life: %v, %v", info.Mode(), err)
	}
}

// D8.5: a replica that starts for the first time when the others already run needs as few answers as one that restarts.
func TestD8_5_TheFourthStartsForTheFirstTimeAfterOneHasDied(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 3 {
		b.start(i)
	}
	l := b.load()
	l.put(20, 100)
	b.level(3)
	b.halt(1)
	b.start(3)
	l.put(20, 100)
	b.level(3)
	if r := b.nodes[3].Report().Recovery; r != nil {
		t.Errorf("a first start is no recovery: %+v", r)
	}
	l.check(100)
}

// A first start may end before the first vote. The next start does not take what is on the disk for a loss.
func TestD8_3_AFirstStartMayEndBeforeItsFirstVote(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.start(0)
	b.halt(0)
	if b.life(0) != "unborn" {
		t.Errorf("a life %q without a vote", b.life(0))
	}
	b.startAll()
	l := b.load()
	l.put(10, 100)
	b.level(4)
}

// D8.4: the question that a replica asks at its start is answered in one round trip, so a restart takes hardly longer
// than that.
func TestD8_4_ARestartBesideOthersIsQuick(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(10, 100)
	b.level(4)
	best := time.Hour
	for range 5 {
		b.halt(3)
		began := time.Now()
		b.start(3)
		opened := time.Since(began)
		b.until("it votes", func([]Report) bool { return !b.nodes[3].inspection().Asking })
		took := time.Since(began)
		t.Logf("opened in %v, asked and answered in %v", opened, took)
		best = min(best, took)
	}
	if best > time.Second {
		t.Errorf("the quickest of five restarts took %v", best)
	}
}

// If the data directory does not exist, its disk may not be mounted. So a start refuses to make a new one.
func TestD8_2_ADataDirectoryThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.adjust(0, func(s *Settings) { s.Data = "disk" })
	if err := b.refused(0, "mount its disk, or create it"); !errors.As(err, new(*DataError)) {
		t.Errorf("not an error of the configuration: %v", err)
	}
	if _, err := os.Stat(filepath.Join(b.home(0), "disk")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	if err := os.WriteFile(filepath.Join(b.home(0), "disk"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.refused(0, "cannot be read"); !errors.As(err, new(*DataError)) {
		t.Errorf("not an error of the configuration: %v", err)
	}
}

// A home of the first format has no file life, and its journal names no life. The first start converts it, and
// afterwards it is like every other home.
func TestD8_3_AHomeOfTheFirstFormatIsAdoptedOnce(t *testing.T) {
	t.Parallel()
	b := olderTestbed(t)
	var logs [4]ballots
	for i := range 4 {
		b.start(i, logs[i].options())
	}
	l := b.load()
	for _, key := range []string{"key1", "key20"} { // what the older version stored
		if v, err := kv.NewClient(l.c).Get(l.ctx, key); err != nil || string(v) != strings.Replace(key, "key", "value", 1) {
			t.Errorf("%s = %q, %v", key, v, err)
		}
	}
	l.put(20, 100)
	b.level(4)
	lives := make([]string, 4)
	for i := range 4 {
		if n := logs[i].log.count("was adopted"); n != 1 || logs[i].log.contain("forgotten") {
			t.Errorf("replica %d: %d lines on its adoption\n%s", i, n, logs[i].log.buf.String())
		}
		lives[i] = b.life(i)
	}
	b.stopAll()
	for i := range 4 {
		b.start(i, logs[i].options())
	}
	l = b.load()
	l.put(20, 100)
	b.level(4)
	for i := range 4 {
		if n := logs[i].log.count("was adopted"); n != 1 || b.life(i) != lives[i] {
			t.Errorf("replica %d was adopted %d times, life %s then %s", i, n, lives[i], b.life(i))
		}
	}
}

// olderTestbed unpacks a cluster and gives it free ports. The code of the first format made this cluster and executed
// twenty puts.
func olderTestbed(t *testing.T) *testbed {
	t.Helper()
	b := &testbed{t: t, dir: t.TempDir(), nodes: make([]*running, 4)}
	unpack(t, filepath.Join("testdata", "home-v1", "cluster.tar.gz"), b.dir)
	path := filepath.Join(b.dir, "cluster.toml")
	file, err := cluster.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, port := range freePorts(t, 4) {
		file.Replicas[i].Addresses = loopback(port)
	}
	if err := errors.Join(os.Remove(path), file.Save(path)); err != nil {
		t.Fatal(err)
	}
	key, err := crypto.ReadKey(filepath.Join(b.dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	b.fresh = &cluster.Fresh{File: file, Clients: []*crypto.PrivateKey{key}}
	t.Cleanup(b.stopAll)
	return b
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	packed, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(plain); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(to, 0o700)
		} else if data, readErr := io.ReadAll(in); readErr != nil {
			err = readErr
		} else {
			err = os.WriteFile(to, data, h.FileInfo().Mode().Perm())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
