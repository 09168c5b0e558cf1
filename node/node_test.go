package node_test

import (
	"bytes"
	"context"
	stdcrypto "crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/command"
	"tagma/node"
	"tagma/statemachine"
)

// lister is a machine that is neither kv nor bank. It stores the operations that it was given.
type lister struct{}

func (lister) Apply(tx statemachine.Txn, op []byte) []byte {
	tx.Put(op, nil)
	return lister{}.Query(tx, nil)
}

func (lister) Query(r statemachine.Reader, _ []byte) (all []byte) {
	for key := range r.Range(nil, nil) {
		all = append(append(all, key...), ' ')
	}
	return all
}

func newLister() statemachine.Machine { return lister{} }

// asProgram is an environment variable with which the test binary runs as the program that Main makes.
const asProgram = "TAGMA_TEST_AS_LISTER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		node.Main("lister", newLister)
	}
	os.Exit(m.Run())
}

// program runs one command line of the program.
func program(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// freePorts returns the first port of a block of free ports for a cluster of four. The block is below those of other
// packages' tests.
func freePorts(t *testing.T) int {
	t.Helper()
	for try := range 50 {
		base := 12_000 + (os.Getpid()+try)%50*4
		if free := !slices.ContainsFunc([]int{base, base + 1, base + 2, base + 3}, func(port int) bool {
			l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
			return err != nil || l.Close() != nil
		}); free {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

// makeCluster has the program make a cluster.
func makeCluster(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "c")
	code, out, errs := program(t, "init", "--dir", dir, "--base-port", strconv.Itoa(freePorts(t)))
	if name := filepath.Base(os.Args[0]); code != 0 || !strings.Contains(out, name+" node --home ") || !strings.Contains(out, name+" status") || strings.Contains(out, "tagma") {
		t.Fatalf("init: exit code %d, %s%s", code, out, errs)
	}
	for i := range 4 { // the tests do not need metrics, and the ports for them could be in use
		path := filepath.Join(dir, fmt.Sprint("replica", i), "config.toml")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, after, _ := strings.Cut(string(text), "admin = ")
		_, after, _ = strings.Cut(after, "\n")
		if err := os.WriteFile(path, []byte(before+after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMain_InitMakesAClusterOfTheMachineThatOpenRuns(t *testing.T) {
	dir := makeCluster(t)
	text, err := os.ReadFile(filepath.Join(dir, "cluster.toml"))
	if err != nil || !strings.Contains(string(text), "machine = 'lister'") {
		t.Fatalf("the cluster file does not name the machine: %v\n%s", err, text)
	}
	var made atomic.Int32
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 4)
	for i := range 4 {
		n, err := node.Open(filepath.Join(dir, fmt.Sprint("replica", i)), node.Options{
			Machines: map[string]func() statemachine.Machine{
				"another": unwanted, "lister": func() statemachine.Machine { made.Add(1); return lister{} },
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(n.Addresses()) == 0 {
			t.Error("it listens nowhere")
		}
		go func() { ended <- n.Run(ctx) }()
	}
	c, err := client.Dial(t.Context(), filepath.Join(dir, "cluster.toml"), filepath.Join(dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := c.DoMany(within, [][]byte{[]byte("one"), []byte("two")})
	if err != nil || len(r.Outputs) != 2 || string(r.Outputs[1]) != "one two " {
		t.Errorf("%q, %v", r.Outputs, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	withoutFiles(within, t, dir)
	code, out, errs := program(t, "status", "--cluster", filepath.Join(dir, "cluster.toml"), "--timeout", "20s")
	if code == command.Unusable || !strings.Contains(out, "REPLICA") || strings.Contains(out, "unreachable") {
		t.Errorf("status: exit code %d, %s%s", code, out, errs)
	}
	stop()
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if made.Load() != 4 {
		t.Errorf("%d machines for four replicas", made.Load())
	}
}

// sealed is a private key that can only be used to sign.
type sealed struct{ k *crypto.PrivateKey }

func (s sealed) Public() stdcrypto.PublicKey {
	public := s.k.Public()
	return ed25519.PublicKey(public[:])
}

func (s sealed) Sign(_ io.Reader, message []byte, _ stdcrypto.SignerOpts) ([]byte, error) {
	sig := s.k.Sign(message)
	return sig[:], nil
}

// withoutFiles uses the cluster as a program does that has the cluster's description in memory and its key in a signer.
func withoutFiles(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	loaded, err := client.LoadCluster(filepath.Join(dir, "cluster.toml"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.NewCluster(loaded.Config())
	if err != nil {
		t.Fatal(err)
	}
	private, err := crypto.ReadKey(filepath.Join(dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := client.NewKey(sealed{private})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.DialCluster(ctx, made, key)
	if err != nil {
		t.Fatal(err)
	}
	for { // until all are linked
		s, err := c.Status(ctx)
		if err != nil || s.Answered != 4 || s.Quorum != 3 || s.Replicas[3].Report == nil || s.Replicas[3].Health == "" {
			t.Fatalf("%+v, %v", s, err)
		}
		if s.Err() == nil && s.MayFail == 1 {
			break
		}
	}
	if r, err := c.Do(ctx, []byte("three")); err != nil || string(r.Output()) != "one three two " {
		t.Errorf("%q, %v", r.Outputs, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// unwanted makes a machine that the cluster does not run. It must not be called.
func unwanted() statemachine.Machine { panic("a machine that nobody asked for was made") }

func TestNode_AMachineThatTheProgramDoesNotHaveIsOneLine(t *testing.T) {
	dir := makeCluster(t)
	path := filepath.Join(dir, "cluster.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "'lister'", "'abacus'", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "replica0")
	const want = `the cluster runs the machine "abacus", and this program has lister`
	code, _, errs := program(t, "node", "--home", home)
	if code != command.Unusable || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
		t.Errorf("exit code %d, %q", code, errs)
	}
	if _, err := node.Open(home, node.Options{Machines: map[string]func() statemachine.Machine{"lister": newLister}}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open: %v", err)
	}
	// A client accepts the cluster file, but no replica answers.
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if c, err := client.Dial(short, path, filepath.Join(dir, "client.key")); err == nil {
		_ = c.Close() // no replica runs
	} else if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial: %v", err)
	}
}

func TestOpen_RefusesMachinesOfNoUse(t *testing.T) {
	for want, machines := range map[string]map[string]func() statemachine.Machine{
		"no machines":            nil,
		"no name of a machine":   {"two words": newLister},
		"no function that makes": {"lister": nil},
	} {
		if _, err := node.Open(t.TempDir(), node.Options{Machines: machines}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The program of an application has a name of its own, and its errors use this name.
func TestMain_ErrorsNameNoOtherProgram(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "absent")
	for _, args := range [][]string{
		{"node", "--home", dir},
		{"node", "--home", missing},
		{"keys", "show", missing},
		{"keys", "encrypt", missing},
		{"status", "--cluster", missing},
		{"keys", "new", "--out", filepath.Join(dir, "k"), "--register", "a", "--cluster", missing},
		{"nonsense"},
		{"init"},
	} {
		code, _, errs := program(t, args...)
		if code != command.Unusable || errs == "" || strings.Contains(strings.ReplaceAll(errs, dir, ""), "tagma ") {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
	if _, err := client.Dial(t.Context(), missing, missing); err == nil || strings.Contains(err.Error(), "tagma ") {
		t.Errorf("Dial: %v", err)
	}
	if _, err := client.ReadKey(missing); err == nil || strings.Contains(err.Error(), "tagma ") {
		t.Errorf("ReadKey: %v", err)
	}
}
