package replica

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// play wraps the trial's attacker in a script. All sent messages are recorded for the script.
func (tr *trial) play(lines ...Line) *Script {
	m := tr.nodes[tr.liar]
	tr.recording = NewRecording()
	s := NewScript(lines, m.cfg, m.actor, signWith(m.cfg.Members[tr.liar]), Options{Recording: tr.recording})
	m.actor = s
	return s
}

// mustPlay fails the test unless every line was sent.
func (tr *trial) mustPlay(s *Script, lines int) {
	tr.t.Helper()
	for _, err := range s.Failed() {
		tr.t.Error(err)
	}
	if s.Sent() != lines {
		tr.t.Errorf("%d of %d lines were sent", s.Sent(), lines)
	}
}

// asked returns a signed request of a client. It is not submitted.
func (tr *trial) asked(client int, t uint64) []*wire.Request {
	key := keyOf("client", client)
	r := &wire.Request{ID: wire.RequestID{Client: key, Session: 1, T: t}, Ops: [][]byte{{byte(t)}}}
	wire.SignRequest(tr.nodes[0].cfg.Cluster, r, signWith(key))
	return []*wire.Request{r}
}

func TestScript_ProposesOneBatchToSomeAndAnotherToTheRest(t *testing.T) {
	tr := begin(t, 0, "crash")
	at := tr.now + 50*time.Millisecond
	s := tr.play(
		Line{at, []wire.ReplicaID{1}, Template{Type: wire.TypePrePrepare, Seq: 1, Batch: tr.asked(0, 1)}},
		Line{at, []wire.ReplicaID{2, 3}, Template{Type: wire.TypePrePrepare, Seq: 1, Batch: tr.asked(1, 1)}},
		Line{at, []wire.ReplicaID{2, 3}, Template{Type: wire.TypeCommit, Seq: 1, Batch: tr.asked(1, 1)}},
	)
	tr.pass(60 * time.Millisecond)
	tr.mustPlay(s, 3)
	told := tr.lies(0, wire.TypePrePrepare, 0, 1)
	if told[1][0] == told[2][0] || told[2][0] != told[3][0] || tr.lies(0, wire.TypeCommit, 0, 1)[2][0] != told[2][0] {
		t.Errorf("it told %v", told)
	}
	if sent, refused := tr.from(0); sent != 5 || refused != 0 {
		t.Errorf("it sent %d messages, of which %d were refused; the script has 5", sent, refused)
	}
	id := tr.submit(2)
	tr.pass(2 * time.Second)
	tr.mustMask(id, tr.asked(1, 1)[0].ID)
	tr.mustEnter(1)
	tr.mustConvict(0)
}

// V2: a new view is built from recorded view changes of the others. It is refused because of its one mistake.
func TestScript_ANewViewOfRecordedViewChanges(t *testing.T) {
	for name, c := range map[string]struct {
		changes   []wire.ReplicaID
		proposals []Proposed
		refused   bool
		dropped   bool
	}{
		"as it should be":    {},
		"duplicate":          {changes: []wire.ReplicaID{2, 2, 3}, refused: true},
		"too few":            {changes: []wire.ReplicaID{2, 3}, refused: true},
		"null for a batch":   {proposals: []Proposed{{}}, dropped: true},
		"named for what was": {proposals: []Proposed{{Like: &Slot{0, 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := begin(t, 1, "bad-new-view,how=none")
			at := tr.now + 1500*time.Millisecond
			s := tr.play(Line{at, []wire.ReplicaID{2, 3}, Template{
				Type: wire.TypeNewView, View: 1, ViewChanges: c.changes, Proposals: c.proposals,
			}})
			ids := tr.load(1, 100*time.Millisecond)
			tr.cut[0] = true
			ids = append(ids, tr.submit(2))
			tr.pass(1450 * time.Millisecond)
			tr.mustPlay(s, 1)
			delete(tr.cut, 0)
			if entered := slices.Contains(tr.nodes[2].entered, 1); entered != (!c.refused && !c.dropped) {
				t.Errorf("view 1 is active: %v", entered)
			}
			if (len(tr.bad) > 0) != c.refused || (tr.drops(port.ReasonWrongNewView) > 0) != c.dropped {
				t.Errorf("%d refused, %d dropped", len(tr.bad), tr.drops(port.ReasonWrongNewView))
			}
			tr.pass(3 * time.Second)
			tr.mustMask(ids...)
			tr.mustNotPass(2)
		})
	}
}

func TestScript_AViewChangeOfRecordedCertificates(t *testing.T) {
	tr := begin(t, 2, "send-omission,types=view-change")
	at := tr.now + 2500*time.Millisecond
	s := tr.play(
		Line{at, []wire.ReplicaID{1, 3}, Template{Type: wire.TypeViewChange, View: 1, Prepared: []Slot{{0, 5}}, Stable: 4}},
		Line{at, []wire.ReplicaID{1}, Template{Type: wire.TypeStableNotice, Seq: 4}},
	)
	ids := tr.load(5, 100*time.Millisecond)
	tr.cut[0] = true
	ids = append(ids, tr.submit(6))
	tr.pass(1900 * time.Millisecond)
	tr.mustEnter() // two view changes are not a quorum, so no view is entered
	tr.pass(200 * time.Millisecond)
	tr.mustPlay(s, 2)
	tr.mustVerify()
	delete(tr.cut, 0)
	tr.pass(500 * time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestScript_ForgedCertificatesAreRefused(t *testing.T) {
	tr := begin(t, 3, "corrupt,what=reply")
	to := []wire.ReplicaID{0, 1, 2}
	digest := wire.Digest{9}
	lines := []Line{
		{0, to, Template{Type: wire.TypeViewChange, View: 7, Prepared: []Slot{{0, 1}, {5, 2}}, Forged: true}},
		{0, to, Template{Type: wire.TypeStableNotice, Seq: 8, Digest: &digest, Forged: true}},
		{0, to, Template{Type: wire.TypeCertifiedBody, Seq: 3, Batch: tr.asked(0, 3), Commit: &Slot{0, 3}, Forged: true}},
	}
	s := tr.play(lines...)
	tr.pass(20 * time.Millisecond)
	tr.mustPlay(s, len(lines))
	if len(tr.bad) != 3*len(lines) {
		t.Errorf("%d of %d forged messages were refused", len(tr.bad), 3*len(lines))
	}
	ids := tr.load(5, 100*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
}

// A script can send every type of message that replicas exchange. Messages that are well formed are not refused.
func TestScript_SendsEveryType(t *testing.T) {
	tr := begin(t, 3, "corrupt,what=reply")
	ids := tr.load(5, 100*time.Millisecond)
	s := tr.play()
	digest := wire.Digest{1}
	batch := tr.asked(0, 1)
	for _, send := range []Template{
		{Type: wire.TypeRequest, Batch: batch},
		{Type: wire.TypePrepare, Seq: 7, Digest: &digest},
		{Type: wire.TypeCommit, Seq: 7, Batch: batch},
		{Type: wire.TypeCheckpoint, Seq: 8, Digest: &digest},
		{Type: wire.TypeSuspect, View: 3},
		{Type: wire.TypeHeartbeat, View: 3},
		{Type: wire.TypeStatus, View: 0, Seq: 5},
		{Type: wire.TypeFetch, Seq: 5, Digest: &digest},
		{Type: wire.TypeReply, Seq: 5, Batch: batch},
		{Type: wire.TypeCertifiedBody, Seq: 5, Batch: batch},
		{Type: wire.TypePrePrepare, View: 3, Seq: 6},
	} {
		s.lines = append(s.lines, Line{tr.now, []wire.ReplicaID{1}, send})
	}
	lines := len(s.lines)
	tr.pass(10 * time.Millisecond)
	tr.mustPlay(s, lines)
	tr.mustVerify()
	ids = append(ids, tr.load(5, 100*time.Millisecond)...)
	tr.mustMask(ids...)
	tr.mustEnter()
}

func TestScript_SaysWhatItLacks(t *testing.T) {
	tr := begin(t, 3, "crash")
	s := tr.play(
		Line{0, nil, Template{Type: wire.TypeViewChange, View: 2, Suspects: []wire.ReplicaID{0, 3}}},
		Line{0, nil, Template{Type: wire.TypeViewChange, View: 2}},
		Line{0, nil, Template{Type: wire.TypeNewView, View: 3}},
		Line{0, nil, Template{Type: wire.TypeStableNotice, Seq: 4}},
		Line{0, nil, Template{Type: wire.TypeQuery}},
	)
	tr.pass(10 * time.Millisecond)
	for i, part := range []string{"suspicion of replica 0", "1 of the 2 suspicions", "0 of the 3 view-changes", "checkpoint 4: 1 of 3", "sends no query"} {
		if len(s.Failed()) != 5 || !strings.Contains(s.Failed()[i].Error(), part) {
			t.Errorf("%q is not named: %v", part, s.Failed())
		}
	}
	if s.Sent() != 0 {
		t.Errorf("%d lines were sent", s.Sent())
	}
}
