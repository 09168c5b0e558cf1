package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/internal/node"
)

func TestStatus_ShowsHowAReplicaComesBack(t *testing.T) {
	transfer := &node.Transfer{
		Phase: "fetching", Checkpoint: 120, Share: 0.43, Bytes: 5 << 20, BytesPerSecond: 2 << 20, RemainingMillis: 12_300,
	}
	for want, c := range map[string]struct {
		health string
		view   uint64
		rec    *node.Recovery
	}{
		"has lost data: 1 of the 3 others it needs have answered; lost data too: 2, 3\n": {
			"may have forgotten", 0, &node.Recovery{Phase: node.PhaseForgotten, Whole: []int{0}, LostToo: []int{2, 3}, Needed: 3},
		},
		"asks others what it signed\n": {"asking", 0, &node.Recovery{Phase: node.PhaseAsking}},
		"fetches the state at 120: 43%, 5.0 MiB at 2.0 MiB/s, 12s left\n": {
			"fetching", 0, &node.Recovery{Phase: node.PhaseFetching, Transfer: transfer},
		},
		"silent until checkpoint 62, votes from view 4\n": {
			"silent", 3, &node.Recovery{Phase: node.PhaseSilent, SilentUntil: 62, FromView: 4},
		},
		"ok; follows, votes from view 4\n": {"ok", 3, &node.Recovery{Phase: node.PhaseFollowing, FromView: 4}},
		"catching up\n":                    {"catching up", 4, &node.Recovery{Phase: node.PhaseFollowing, FromView: 4}},
		"  ok\n":                           {"ok", 4, nil},
	} {
		r := in(c.view, 10, "aa")
		r.Health, r.Recovery = c.health, c.rec
		var out bytes.Buffer
		if err := judged(t, r).print(&out, false); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%q does not end with %q", out.String(), want)
		}
	}
}

func TestNode_ATransferHasABarBelowTheLog(t *testing.T) {
	r := in(0, 10, "aa")
	r.Recovery = &node.Recovery{Phase: node.PhaseFetching, Transfer: &node.Transfer{Checkpoint: 40, Share: 0.5}}
	line := recoveryLine(r, false)
	if strings.Count(line, "█") != transferBar/2 || strings.Count(line, "░") != transferBar/2 || strings.Contains(line, "\x1b") {
		t.Errorf("half of a bar without colour: %q", line)
	}
	if coloured := recoveryLine(r, true); !strings.Contains(coloured, "\x1b[32m") {
		t.Errorf("no colour in %q", coloured)
	}
	var out bytes.Buffer
	l := &lastLine{out: &out, terminal: true}
	for _, step := range []func(){
		func() { _, _ = l.Write([]byte("one\n")) }, // a buffer takes everything
		func() { l.set("half") },
		func() { _, _ = l.Write([]byte("two\n")) },
		func() { l.set("") },
		func() { _, _ = l.Write([]byte("three\n")) },
	} {
		step()
	}
	const clear = "\r\x1b[K"
	if want := "one\n" + clear + "half" + clear + "two\nhalf" + clear + "three\n"; out.String() != want {
		t.Errorf("the terminal is sent %q, want %q", out.String(), want)
	}
}

// D8.2: a home that init makes was never started, and a data directory that is not there is not made.
func TestD8_2_InitMarksHomesAndNodeMakesNoDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	must(t, "init", "--dir", dir)
	for i := range 4 {
		path := filepath.Join(home(dir, i), node.LifeFile)
		text, err := os.ReadFile(path)
		if err != nil || string(text) != "unborn\n" {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	config := filepath.Join(home(dir, 0), node.ConfigFile)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("data = ''"), []byte("data = 'disk'"), 1)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	o := tagma(t, "node", "--home", home(dir, 0))
	if o.code != command.Unusable || lines(o.stderr) != 1 || !strings.Contains(o.stderr, "mount its disk, or create it") {
		t.Error(o)
	}
}
