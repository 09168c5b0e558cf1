package node

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Each step of a transfer is logged once, and its progress every five seconds.
func TestTransferLog_TellsEachStepOnce(t *testing.T) {
	var out lines
	m := newMetrics()
	log := &transferLog{log: slog.New(slog.NewTextHandler(&out, nil)), metrics: m}
	p := replica.Progress{}
	at := func(now time.Duration, change func()) {
		change()
		p.Now = now
		log.see(&p, now)
		log.see(&p, now) // nothing has changed since
	}
	at(time.Second, func() {})
	at(2*time.Second, func() { p.Phase, p.Began = replica.Choosing, 2*time.Second })
	at(3*time.Second, func() { p.Phase, p.Seq, p.Rounds = replica.Loading, 40, 1 })
	at(4*time.Second, func() { p.Phase = replica.Fetching })
	at(5*time.Second, func() { p.Pinned, p.Donors = 1, []wire.ReplicaID{2} })
	at(6*time.Second, func() { p.Share, p.Bytes = 0.25, 1000 })
	at(10*time.Second, func() { p.Share, p.Bytes = 0.5, 4000 })
	at(11*time.Second, func() { p.Blamed, p.LastBlame = 1, "replica 2: not its hash" })
	at(12*time.Second, func() { p.Pinned, p.Donors, p.Seq, p.Rounds = 1, []wire.ReplicaID{1}, 48, 2 })
	at(13*time.Second, func() { p.Phase, p.Bytes, p.Late = replica.Switching, 8000, 300 })
	at(14*time.Second, func() { p.Phase, p.Finished = replica.Idle, 1 })
	at(30*time.Second, func() { p.Phase, p.Began, p.Bytes, p.Rounds = replica.Choosing, 30*time.Second, 0, 0; p.Late = 0 })
	at(31*time.Second, func() { p.Bytes, p.Late = 500, 40 })
	for text, times := range map[string]int{
		"cannot follow the others any more":           2,
		`checkpoint=40 from_replicas=[2]`:             1,
		`checkpoint=48 from_replicas=[1]`:             1,
		"share=50.0% bytes=4000 bytes_per_second=500": 1,
		"remaining=8s":                                    1,
		"not what the checkpoint says":                    1,
		`who="replica 2: not its hash"`:                   1,
		"the state is fetched":                            1,
		"checkpoint=48 keys=0 deleted=0 bytes=8000 took=": 1,
		"level=": 8 - 1,
	} {
		if n := strings.Count(out.buf.String(), text); n != times {
			t.Errorf("%q is said %d times, want %d", text, n, times)
		}
	}
	if t.Failed() {
		t.Log(out.buf.String())
	}
	want(t, m, map[string]float64{
		"tagma_transfers_begun_total": 2, "tagma_transfers_finished_total": 1, "tagma_transfer_rounds_total": 2,
		"tagma_transfer_blamed_total": 1, "tagma_transfer_received_bytes_total": 8500, "tagma_transfer_late_bytes_total": 340,
	})
}

// The log has a line with the reason when a view change begins, a line for each timeout while it lasts, and a line when
// it is over.
func TestChanges_AViewChangeIsOneLineWithItsReason(t *testing.T) {
	var out bytes.Buffer
	now := time.Duration(0)
	c := &changes{log: slog.New(slog.NewTextHandler(&out, nil)), quorum: 3, now: func() time.Duration { return now }}
	see := func(at time.Duration, in port.Inspection) {
		now, in.Timeout = at, time.Second
		c.see(&in)
	}
	peers := []port.PeerInspection{{}, {Heard: true, View: 1}, {Heard: true, View: 0}, {}}
	see(0, port.Inspection{View: 0, Active: true})
	see(time.Second, port.Inspection{View: 0, Active: true, Suspecting: true})
	see(2*time.Second, port.Inspection{View: 1, Primary: 1, Left: port.CauseSilence, Peers: peers})
	see(2500*time.Millisecond, port.Inspection{View: 1, Primary: 1, Left: port.CauseSilence, Peers: peers})
	see(3*time.Second, port.Inspection{View: 1, Primary: 1, Left: port.CauseSilence, Peers: peers})
	see(3500*time.Millisecond, port.Inspection{View: 2, Primary: 2, Active: true, Left: port.CauseProof})
	see(4*time.Second, port.Inspection{View: 2, Primary: 2, Active: true, Left: port.CauseProof})
	var got []string
	for line := range strings.Lines(out.String()) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "level=")
		got = append(got, text)
	}
	want := []string{
		`INFO msg="the view is left" view=0 primary=0 why="nothing was heard of the primary for a view timeout" next_view=1 next_primary=1`,
		`INFO msg="the view change lasts" view=1 primary=1 for=1s why="2 of the 3 replicas that it needs are known to be in this view"`,
		`INFO msg="the view is left" view=1 primary=1 why="the primary is proven faulty" next_view=2 next_primary=2`,
		`INFO msg="a new view is active" view=2 primary=2 after=1.5s`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", out.String())
	}
}
