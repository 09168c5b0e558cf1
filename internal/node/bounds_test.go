package node

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"tagma/network"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

func accusation(who wire.ReplicaID, about wire.Seq) wire.Evidence {
	return wire.Evidence{
		Replica: who, Kind: wire.Equivocation,
		First:  &wire.Commit{Seq: about, Replica: who},
		Second: &wire.Commit{Seq: about, Replica: who, Digest: wire.Digest{1}},
	}
}

// One lying replica can neither fill the disk with evidence nor take the room for evidence against another replica. A
// restart loses no evidence.
func TestE1_EvidenceIsBoundedPerReplicaAndSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	w := newWitness(dir, 0, &counters{}, slog.New(slog.DiscardHandler))
	for seq := range wire.Seq(100) {
		w.Accused(accusation(1, seq))
	}
	w.Accused(accusation(2, 1))
	if c := w.convictions(); len(c) != 2 {
		t.Errorf("convicted are %v", c)
	}
	newWitness(dir, 0, &counters{}, slog.New(slog.DiscardHandler)).Accused(accusation(2, 2))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != maxEvidenceFiles+2 {
		t.Fatalf("%d files of evidence, %v; want %d", len(files), err, maxEvidenceFiles+2)
	}
	for _, f := range files {
		data, err := os.ReadFile(w.dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if e, err := wire.DecodeEvidence(data); err != nil || !strings.HasPrefix(f.Name(), fmt.Sprintf("replica%d-", e.Replica)) {
			t.Errorf("%s holds %+v, %v", f.Name(), e, err)
		}
	}
}

// S4: the routes over a link are bounded, and are removed with the link.
func TestS4_RoutesAreBoundedByLinks(t *testing.T) {
	r, link, other := newRoutes(), &network.ClientLink{}, &network.ClientLink{}
	for i := range wire.Session(2 * maxRoutesPerLink) {
		r.set(wire.RequestID{Session: i}, link)
	}
	if len(r.links) != maxRoutesPerLink {
		t.Fatalf("one link holds %d routes, want %d", len(r.links), maxRoutesPerLink)
	}
	last := wire.RequestID{Session: 2*maxRoutesPerLink - 1}
	r.set(last, other)
	if r.gone(link); r.find(last) != other || len(r.links) != 1 {
		t.Fatalf("after one link went, %d routes are left", len(r.links))
	}
	if r.gone(other); len(r.links)+len(r.byLink) != 0 {
		t.Fatal("something is remembered of links that are gone")
	}
}

// A single lying replica cannot make a replica report that it is behind.
func TestHealth_BelievesWhatFPlusOneOthersClaim(t *testing.T) {
	n := &Node{home: &Home{Config: wire.Config{Members: make([]wire.PublicKey, 4), ViewTimeout: time.Second}}}
	in := &port.Inspection{Peers: []port.PeerInspection{
		{}, {Heard: true, Stable: 8}, {Heard: true, Stable: 1 << 60}, {Heard: true},
	}}
	if got := n.stableElsewhere(in); got != 8 {
		t.Errorf("others are believed to be at %d, want 8", got)
	}
	in.Peers[1].Age = time.Hour
	if got := n.stableElsewhere(in); got != 0 {
		t.Errorf("a claim of an hour ago counts: %d", got)
	}
}

// V7: a replica has left a view alone. Once f+1 others are known to be still active in that view, it reports this.
func TestHealth_TellsAViewThatWasLeftAlone(t *testing.T) {
	n := &Node{home: &Home{Config: wire.Config{Members: make([]wire.PublicKey, 4), ViewTimeout: time.Second}}}
	stays := port.PeerInspection{Heard: true, View: 2, Active: true}
	for _, c := range []struct {
		peers []port.PeerInspection
		alone bool
	}{
		{[]port.PeerInspection{{}, stays, stays, {Heard: true, View: 3}}, true},
		{[]port.PeerInspection{{}, stays, {Heard: true, View: 3}, {Heard: true, View: 2, Active: true, Age: time.Hour}}, false},
	} {
		if view, alone := n.leftView(&port.Inspection{View: 3, Peers: c.peers}); alone != c.alone || alone && view != 2 {
			t.Errorf("view %d, %t, want %t", view, alone, c.alone)
		}
	}
}

// Clients can cause any number of panics. The number of lines in the log grows only with the logarithm of it.
func TestC9_PanicsAreLoggedEverMoreSeldom(t *testing.T) {
	var log lines
	n := &Node{counts: &counters{}, log: log.options().Logger}
	for range 1000 {
		n.panicked(statemachine.Panic{Seq: 7, Value: "boom"})
	}
	if got := strings.Count(log.buf.String(), "the application panicked"); got != 10 {
		t.Errorf("1000 panics left %d lines, want 10", got)
	}
}
