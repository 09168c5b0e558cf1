package node

import (
	"fmt"
	"log/slog"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
)

// transferLog tells of a transfer in log lines and counts it. It belongs to the executor's goroutine.
type transferLog struct {
	log     *slog.Logger
	metrics *metrics
	tap     *trace.Tap // nil: nobody listens
	was     replica.Progress
	said    time.Duration // when a line was last written
	named   int           // the round whose donors were named
}

// saidEvery is how often a transfer is told of.
const saidEvery = 5 * time.Second

// see compares how far the transfer is with what was told.
func (t *transferLog) see(p *replica.Progress, now time.Duration) {
	was := t.was
	t.was = *p
	if was.Phase == replica.Idle && p.Phase != replica.Idle {
		was.Bytes, was.Rounds, t.named, t.said = 0, 0, 0, now
		t.metrics.transfersBegun.Inc()
		t.log.Info("this replica cannot follow the others any more: it fetches the state from them")
	}
	if t.tap != nil && p.Phase != replica.Idle && (p.Bytes != was.Bytes || p.Phase != was.Phase) {
		t.tap.Emit(&trace.Transfer{Step: trace.Moving, Seq: p.Seq, Share: p.Share, Bytes: p.Bytes})
	}
	t.count(&was, p)
	if p.Blamed > was.Blamed {
		t.log.Warn("a part of the state that was sent is not what the checkpoint says: its sender is asked no more",
			"who", p.LastBlame)
	}
	switch {
	case p.Finished > was.Finished:
		t.log.Info("the state is fetched: this replica goes on from it", "checkpoint", uint64(was.Seq), "keys", p.Keys,
			"deleted", p.Deleted, "bytes", p.Bytes, "took", (now - p.Began).Round(time.Millisecond))
	case p.Phase == replica.Fetching && t.named < p.Rounds && p.Pinned > 0:
		t.named, t.said = p.Rounds, now
		t.log.Info("fetching the state", "checkpoint", uint64(p.Seq), "from_replicas", fmt.Sprint(p.Donors))
	case p.Phase != replica.Idle && now-t.said >= saidEvery:
		t.said = now
		t.log.Info("fetching the state", "phase", string(p.Phase), "checkpoint", uint64(p.Seq),
			"share", fmt.Sprintf("%.1f%%", 100*p.Share), "bytes", p.Bytes, "bytes_per_second", uint64(p.Rate()),
			"remaining", p.Remaining().Round(time.Second), "from_replicas", fmt.Sprint(p.Donors))
	}
}

func (t *transferLog) count(was, p *replica.Progress) {
	m := t.metrics
	m.transfersFinished.Add(float64(max(p.Finished-was.Finished, 0)))
	m.transferRounds.Add(float64(max(p.Rounds-was.Rounds, 0)))
	m.transferBlamed.Add(float64(max(p.Blamed-was.Blamed, 0)))
	if p.Bytes > was.Bytes {
		m.bytesReceived.Add(float64(p.Bytes - was.Bytes))
	}
}
