package node

import (
	"fmt"
	"log/slog"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
)

// transferLog logs and counts the progress of transfers. Only the executor's goroutine uses it.
type transferLog struct {
	log     *slog.Logger
	metrics *metrics
	tap     *trace.Tap
	mended  func(seq uint64, first [][]byte, keys int)
	was     replica.Progress
	said    time.Duration // when progress was last logged
	named   int           // the round whose donors were logged
}

// saidEvery is how often the progress of a transfer is logged.
const saidEvery = 5 * time.Second

// see logs in which respects the progress of the transfer has changed since the last line.
func (t *transferLog) see(p *replica.Progress, now time.Duration) {
	was := t.was
	t.was = *p
	if was.Phase == replica.Idle && p.Phase != replica.Idle {
		was.Bytes, was.Late, was.Rounds, t.named, t.said = 0, 0, 0, 0, now
		t.metrics.transfersBegun.Inc()
		t.log.Info("this replica cannot follow the others any more: it fetches the state from them")
	}
	if t.tap.Heard() && p.Phase != replica.Idle && (p.Bytes != was.Bytes || p.Phase != was.Phase) {
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
		if t.mended != nil && p.Renewed {
			t.mended(uint64(was.Seq), p.Differs, p.Differing)
		}
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
	if p.Late > was.Late {
		m.bytesLate.Add(float64(p.Late - was.Late))
	}
}

// changes logs the steps of a replica's recovery after a start, and why views change. Only the loop's goroutine uses it.
type changes struct {
	log    *slog.Logger
	quorum int
	now    func() time.Duration
	was    *port.Inspection

	since time.Duration // the time from which on no view was active
	again time.Duration // when to log again that no view is active
}

// see logs in which respects the core's state has changed since the last call.
func (c *changes) see(in *port.Inspection) {
	was := c.was
	c.was = in
	c.views(was, in)
	if was == nil {
		switch {
		case in.Unclean:
			c.log.Warn("this replica is silent: it stopped before its last votes were durable", "until_checkpoint", uint64(in.Until))
		case in.Silent:
			c.log.Warn("this replica is silent: it had forgotten what it signed", "until_checkpoint", uint64(in.Until),
				"votes_from_view", uint64(in.Since))
		}
		return
	}
	if in.Halted && !was.Halted {
		c.log.Error("power cut: not durable: " + haltedText(in))
	}
	if was.Asking && !in.Asking && !in.Unclean {
		c.log.Info("the others have answered: this replica lacks nothing that it signed, as far as they know")
	}
	if was.Silent && !in.Silent {
		c.log.Info("the silence is over: this replica votes again from the view on", "checkpoint", uint64(in.Stable),
			"votes_from_view", uint64(in.Since), "view", uint64(in.View))
	}
}

// views logs why a view is left and when the next view is active. Until then it logs, once for each timeout, what the
// view still lacks.
func (c *changes) views(was, in *port.Inspection) {
	now := c.now()
	switch {
	case was == nil:
		c.since, c.again = now, now+in.Timeout
	case in.View > was.View:
		if was.Active {
			c.since = now
		}
		c.again = now + in.Timeout
		c.log.Info("the view is left", "view", uint64(was.View), "primary", int(was.Primary), "why", string(in.Left),
			"next_view", uint64(in.View), "next_primary", int(in.Primary))
	}
	switch {
	case in.Active && was != nil && (in.View > was.View || !was.Active):
		c.log.Info("a new view is active", "view", uint64(in.View), "primary", int(in.Primary), "after", (now - c.since).Round(time.Millisecond))
	case !in.Active && now >= c.again:
		c.again = now + in.Timeout
		c.log.Info("the view change lasts", "view", uint64(in.View), "primary", int(in.Primary), "for", (now - c.since).Round(time.Millisecond),
			"why", c.missing(in))
	}
}

// missing returns what a view lacks to become active, as far as the statuses of the other replicas show.
func (c *changes) missing(in *port.Inspection) string {
	there := 1
	for _, p := range in.Peers {
		if p.Heard && p.View == in.View {
			there++
		}
	}
	if there < c.quorum {
		return fmt.Sprintf("%d of the %d replicas that it needs are known to be in this view", there, c.quorum)
	}
	return "its primary has not started it yet"
}
