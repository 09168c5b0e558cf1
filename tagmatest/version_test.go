package tagmatest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/operate"
	"tagma/statemachine"
)

// tally is a counter that begins at 10, and at version 2 counts in steps of 2. Only the first registered client may
// upgrade it.
type tally struct {
	broken
	newest int
}

func newTally(newest int) tally {
	return tally{broken{func(tx statemachine.Txn, _ []byte) {
		if tx.Version() == 2 {
			v, _ := tx.Get([]byte("n"))
			put(tx, "n", int64(bytesToNumber(v)+1))
		}
	}}, newest}
}

func bytesToNumber(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func (tally) Init(tx statemachine.Txn) { put(tx, "n", 10) }

func (t tally) Versions() (oldest, newest int) { return 1, t.newest }

func (tally) MayUpgrade(statemachine.Reader, [32]byte, int) bool { return true }

func (tally) Migrate(tx statemachine.Txn, _ int) { put(tx, "upgraded", int64(tx.Version())) }

func TestDeterministic_ExecutesInitAndUpgrades(t *testing.T) {
	ops := append(copied(adds), statemachine.Upgrade(2), []byte("a"), statemachine.Upgrade(3), []byte("b"))
	r := &record{}
	r.run(func() statemachine.Machine { return newTally(3) }, ops, conditions{reload: true, flush: true})
	if n := bytesToNumber(r.results[0]); r.wrong != "" || n != 11 {
		t.Errorf("%s; the first count is %d, and Init put 10", r.wrong, n)
	}
	if before, after := bytesToNumber(r.results[len(adds)-1]), bytesToNumber(r.results[len(adds)+1]); after != before+2 {
		t.Errorf("the count is %d, and after the upgrade %d", before, after)
	}
	Deterministic(t, func() statemachine.Machine { return newTally(3) }, ops)
}

func TestDeterministic_NamesAnInitThatFails(t *testing.T) {
	why := examine(t, func() statemachine.Machine { return noInit{broken{}} }, copied(adds), 2)
	if !strings.Contains(why, "no rows") {
		t.Errorf("%q", why)
	}
}

type noInit struct{ broken }

func (noInit) Init(statemachine.Txn) { panic("no rows") }

// The first state is the same on all replicas, also after crashes, transfers of state and lies.
func TestSimulate_ExecutesInit(t *testing.T) {
	Simulate(t, func() statemachine.Machine { return newTally(1) }, Workload{
		Next: func(r *rand.Rand) Op { return Op{Bytes: []byte{'a' + byte(r.IntN(3))}} },
		Model: func() func(Executed) []byte {
			n := uint64(10)
			return func(Executed) []byte {
				n++
				return []byte{0, 0, 0, 0, 0, 0, 0, byte(n)}
			}
		},
	}, 15)
}

// steps is the model of a tally whose state is upgraded during the run.
func steps() func(Executed) []byte {
	n := uint64(10)
	return func(e Executed) []byte {
		n += uint64(e.Version)
		return []byte{0, 0, 0, 0, 0, 0, 0, byte(n)}
	}
}

// Programs are replaced and the state is upgraded in runs with crashes, transfers of state and lies.
func TestSimulate_UpgradesInTheMiddle(t *testing.T) {
	upgraded := 0
	w := Workload{
		Next:   func(r *rand.Rand) Op { return Op{Bytes: []byte{'a' + byte(r.IntN(3))}} },
		Before: func() statemachine.Machine { return newTally(1) },
		Model: func() func(Executed) []byte {
			model := steps()
			return func(e Executed) []byte {
				if e.Version == 2 {
					upgraded++
				}
				return model(e)
			}
		},
	}
	Simulate(t, func() statemachine.Machine { return newTally(2) }, w, 15)
	if upgraded < 15 {
		t.Errorf("%d operations were executed at version 2", upgraded)
	}
}

// forgetful is a newer program that does not do everything at version 1 that the older program did.
type forgetful struct{ tally }

func (f forgetful) Apply(tx statemachine.Txn, op []byte) []byte {
	put(tx, "seen", int64(tx.Version()))
	return f.tally.Apply(tx, op)
}

// If a newer program does something else than the older one at the same version, replicas with different programs
// diverge.
func TestSimulate_NoticesAProgramThatDiffersAtAnOldVersion(t *testing.T) {
	w := Workload{
		Next:   func(r *rand.Rand) Op { return Op{Bytes: []byte{'a' + byte(r.IntN(3))}} },
		Before: func() statemachine.Machine { return newTally(1) },
	}
	for seed := range uint64(10) {
		_, why := w.simulate(func() statemachine.Machine { return forgetful{newTally(2)} }, seed)
		if strings.HasPrefix(why, "I5") {
			return
		}
		if why != "" {
			t.Fatal(why)
		}
	}
	t.Error("nothing was noticed in 10 runs")
}

// While the cluster serves, the program is replaced on one replica after the other, and then the state is upgraded. A
// replica that still has the old program stops at the upgrade, and continues with the new program.
func TestStart_AClusterIsUpgradedWhileItServes(t *testing.T) {
	const variable = "TAGMATEST_NEWEST"
	if os.Getenv(homeVariable) == "" {
		t.Setenv(variable, filepath.Join(t.TempDir(), "newest"))
	}
	c := Start(t, func() statemachine.Machine {
		text, _ := os.ReadFile(os.Getenv(variable)) // if there is no such file, the program is not replaced yet
		newest, _ := strconv.Atoi(string(text))
		return newTally(max(newest, 1))
	})
	conn := c.Client()
	want := func(n uint64) {
		t.Helper()
		if got := count(t, conn); got != n {
			t.Fatalf("the count is %d, want %d", got, n)
		}
	}
	want(11)
	if err := os.WriteFile(os.Getenv(variable), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(3) {
		c.Crash(int(i))
		c.Restart(int(i))
		want(12 + i)
	}
	upgrade := func(args ...string) (code int, out string) {
		var stdout, stderr bytes.Buffer
		p := &operate.Program{Name: "tally", Machines: machines.Shipped}
		args = append([]string{"upgrade", "--cluster", c.ClusterFile(), "--key", c.ClientKey(0)}, args...)
		code = command.Execute(t.Context(), p.Root(), args, &stdout, &stderr, func(error) string { return "" })
		return code, stdout.String() + stderr.String()
	}
	if code, out := upgrade("2"); code != command.Failed || !strings.Contains(out, "replica 3 would stop") {
		t.Fatalf("%d: %s", code, out)
	}
	if code, out := upgrade("3", "--anyway"); code != command.Failed || !strings.Contains(out, "knows version 3") {
		t.Fatalf("%d: %s", code, out)
	}
	if code, out := upgrade("2", "--anyway"); code != 0 || !strings.Contains(out, "the state is at version 2") {
		t.Fatalf("%d: %s", code, out)
	}
	want(16)
	death := <-c.local.Deaths()
	if text := death.String(); death.Replica != 3 || !strings.Contains(text, "start a newer program") {
		t.Errorf("%s", text)
	}
	if !bytes.Contains([]byte(logEnd(filepath.Join(c.local.Home(3), "log"))), []byte("version 2")) {
		t.Error("its log does not say why it stopped")
	}
	c.Restart(3)
	c.Crash(0)
	want(18)
}
