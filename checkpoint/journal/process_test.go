package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const ownerEnv = "TAGMA_TEST_JOURNAL_OWNER"

// TestMain lets the test program also be the second process of a test: the one that has the journal open until it is
// killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(ownerEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	j, _, err := Open(dir, Options{})
	if err == nil {
		err = j.Append([]Entry{{Seq: 7, Data: []byte("durable")}})
	}
	fmt.Println(err)
	select {}
}

// Two processes use one home: the second is refused in one line. After the first is killed, no lock remains, and what
// it appended is there.
func TestOneOwnerAndNoStaleLockAfterAKill(t *testing.T) {
	dir, j := created(t, small())
	must(t, j.Close())
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	out, err := owner.StdoutPipe()
	must(t, err)
	must(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "<nil>\n" {
		t.Errorf("the owner said %q, %v", line, err)
	}
	if _, _, err := Open(dir, small()); !errors.Is(err, ErrInUse) {
		t.Errorf("a second process got in: %v", err)
	}
	must(t, owner.Process.Kill())
	_ = owner.Wait() // Wait returns an error, because the process was killed
	j, entries, err := Open(dir, small())
	must(t, err)
	if last := entries[len(entries)-1]; last.Seq != 7 {
		t.Fatalf("the last entry has Seq %d", last.Seq)
	}
	must(t, j.Close())
}
