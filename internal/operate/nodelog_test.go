package operate

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// brokenLog is an output that returns errors until the test repairs it.
type brokenLog struct {
	bytes.Buffer
	broken bool
}

func (b *brokenLog) Write(p []byte) (int, error) {
	if b.broken {
		return 0, errors.New("nobody reads")
	}
	return b.Buffer.Write(p)
}

func TestLooseLog_CountsWhatCouldNotBeWrittenAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &brokenLog{broken: true}
		l := newLooseLog(out)
		write(t, l, "a\n")
		write(t, l, "b\n")
		synctest.Wait()
		out.broken = false
		write(t, l, "c\n")
		l.close()
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "2 lines of this log were lost") || lines[1] != "c" {
			t.Errorf("the log reads %q", out.String())
		}
	})
}

// A pipe that nobody reads is full and accepts nothing. The writer of the log must neither wait for it nor keep all
// lines in memory.
func TestLooseLog_NeverWaitsForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLooseLog(w)
		line := strings.Repeat("x", 1023) + "\n"
		for range 10 * logBytes / len(line) {
			write(t, l, line)
		}
		l.mu.Lock()
		held := l.bytes
		l.mu.Unlock()
		if held > logBytes {
			t.Errorf("holds %d bytes", held)
		}
		l.close() // gives up after its patience
		_ = r.Close()
		<-l.done
	})
}

func write(t *testing.T, w io.Writer, line string) {
	t.Helper()
	if n, err := io.WriteString(w, line); n != len(line) || err != nil {
		t.Fatal(n, err)
	}
}
