package processes

import (
	"os"
	"path/filepath"
	"testing"

	"tagma/internal/node"
)

// D8.2: a replica that was killed before it voted has no journal, or one whose first segment was never written.
func TestJournalSize_OfAReplicaThatNeverVotedIsNothing(t *testing.T) {
	for _, emptied := range []bool{false, true} {
		home := t.TempDir()
		if err := node.MarkUnborn(home); err != nil {
			t.Fatal(err)
		}
		if emptied {
			if err := os.MkdirAll(filepath.Join(Data(home), node.JournalDir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		now, written, err := journalSize(home, 1<<20)
		if now != 0 || written != 0 || err != nil {
			t.Errorf("journal directory made: %v: %d bytes now, %d written, %v", emptied, now, written, err)
		}
	}
}

func TestJournalSize_OfAReplicaThatVotedAndLostItsJournalIsAnError(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, node.LifeFile), []byte("0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := journalSize(home, 1<<20); err == nil {
		t.Error("a lost journal counts as empty")
	}
}
