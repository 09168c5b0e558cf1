package operate

import (
	"bytes"
	"strings"
	"testing"

	"tagma/client/status"
)

func TestStatus_ShowsHowAReplicaComesBack(t *testing.T) {
	transfer := &status.Transfer{
		Phase: "fetching", Checkpoint: 120, Share: 0.43, Bytes: 5 << 20, BytesPerSecond: 2 << 20, RemainingMillis: 12_300,
	}
	for want, c := range map[string]struct {
		health string
		view   uint64
		rec    *status.Recovery
	}{
		"has lost data: 1 of the 3 others it needs have answered; lost data too: 2, 3\n": {
			"may have forgotten", 0, &status.Recovery{Phase: status.PhaseForgotten, Whole: []int{0}, LostToo: []int{2, 3}, Needed: 3},
		},
		"asks others what it signed\n": {"asking", 0, &status.Recovery{Phase: status.PhaseAsking}},
		"fetches the state at 120: 43%, 5.0 MiB at 2.0 MiB/s, 12s left\n": {
			"fetching", 0, &status.Recovery{Phase: status.PhaseFetching, Transfer: transfer},
		},
		"silent until checkpoint 62, votes from view 4\n": {
			"silent", 3, &status.Recovery{Phase: status.PhaseSilent, SilentUntil: 62, FromView: 4},
		},
		"silent until checkpoint 62: it stopped\n": {
			"silent until checkpoint 62: it stopped", 3, &status.Recovery{Phase: status.PhaseSilent, SilentUntil: 62, Unclean: true},
		},
		"power cut: not durable\n": {
			"power cut: not durable", 0, &status.Recovery{Phase: status.PhaseAsking, SilentUntil: 62, Unclean: true, Halted: true},
		},
		"ok; follows, votes from view 4\n": {"ok", 3, &status.Recovery{Phase: status.PhaseFollowing, FromView: 4}},
		"catching up\n":                    {"catching up", 4, &status.Recovery{Phase: status.PhaseFollowing, FromView: 4}},
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
	r.Recovery = &status.Recovery{Phase: status.PhaseFetching, Transfer: &status.Transfer{Checkpoint: 40, Share: 0.5}}
	line := recoveryLine(r, false)
	if strings.Count(line, "█") != 12 || strings.Count(line, "░") != 12 || strings.Contains(line, "\x1b") {
		t.Errorf("half of a bar without colour: %q", line)
	}
	if coloured := recoveryLine(r, true); !strings.Contains(coloured, "\x1b[32m") {
		t.Errorf("no colour in %q", coloured)
	}
}
