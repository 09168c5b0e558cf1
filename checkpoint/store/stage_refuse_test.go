package store

import (
	"errors"
	"testing"

	"tagma/statemachine"
)

func TestAStageExcludesOtherWriters(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")))
	g := stage(t, s, 5)
	if _, err := s.Stage(6); !errors.Is(err, ErrStaging) {
		t.Errorf("a second stage: %v", err)
	}
	if err := s.Write([]statemachine.WriteSet{set(2)}); !errors.Is(err, ErrStaging) {
		t.Errorf("Write: %v", err)
	}
	if _, err := s.Checkpoint(2); !errors.Is(err, ErrStaging) {
		t.Errorf("Checkpoint: %v", err)
	}
	if _, err := s.Load(0); !errors.Is(err, ErrStaging) {
		t.Errorf("Load: %v", err)
	}
	g.Close()
	g.Close()
	for name, err := range map[string]error{"Write": g.Write(nil), "Adopt": g.Adopt()} {
		if !errors.Is(err, ErrStageClosed) {
			t.Errorf("%s of a closed stage: %v", name, err)
		}
	}
	for _, err := range g.Scan() {
		if !errors.Is(err, ErrStageClosed) {
			t.Errorf("Scan of a closed stage: %v", err)
		}
	}
	write(t, s, set(2, put("a", "2")))
	if got := get(t, s, 2, "a"); got != "2" {
		t.Errorf("after the stage was closed a is %q", got)
	}
}

func TestAFailedWriteToAStageIsFinal(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	g := stage(t, s, 5)
	engineOf(s).opt.MinFree = 1 << 60
	if err := g.Write([]statemachine.Write{put("a", "1")}); !errors.Is(err, ErrDiskFull) {
		t.Fatalf("a write that leaves less than MinFree: %v", err)
	}
	engineOf(s).opt.MinFree = 0
	for name, err := range map[string]error{
		"stage": g.Write([]statemachine.Write{put("a", "1")}), "adopt": g.Adopt(), "store": s.Write([]statemachine.WriteSet{set(1)}),
	} {
		if !errors.Is(err, ErrDiskFull) {
			t.Errorf("%s after a failed write: %v", name, err)
		}
	}
}
