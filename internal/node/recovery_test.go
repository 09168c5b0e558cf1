package node

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tagma/client/status"

	"tagma/internal/replica"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// ballots records every vote that leaves a replica, and the replica's log.
type ballots struct {
	driver.Transport
	log  lines
	mu   sync.Mutex
	cast []wire.Message
}

func (v *ballots) options() Options {
	return Options{
		Logger:    slog.New(slog.NewTextHandler(&v.log, nil)),
		Transport: func(under driver.Transport) driver.Transport { v.Transport = under; return v },
	}
}

func (v *ballots) Send(to wire.ReplicaID, frame []byte) {
	if m, err := wire.Decode(frame); err == nil && wire.Durable(m) {
		v.mu.Lock()
		v.cast = append(v.cast, m)
		v.mu.Unlock()
	}
	v.Transport.Send(to, frame)
}

// below counts votes for views below a view, and view changes to such views. A replica that may have forgotten votes
// sends none of them (D8.7).
func (v *ballots) below(view wire.View) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.cast {
		at := view
		switch m := m.(type) {
		case *wire.PrePrepare:
			at = m.View
		case *wire.Prepare:
			at = m.View
		case *wire.Commit:
			at = m.View
		case *wire.ViewChange:
			at = m.View
		case *wire.NewView:
			at = m.View
		}
		if at < view {
			n++
		}
	}
	return n
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.buf.Bytes(), []byte(text))
}

// empty removes parts of a stopped replica's home.
func (b *testbed) empty(i int, parts ...string) {
	b.t.Helper()
	for _, part := range parts {
		if err := os.RemoveAll(filepath.Join(b.home(i), part)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// recovers starts a replica whose disk was damaged. The replica must log the damage in one line, recover, and vote in no
// view in which it may have voted before.
func (b *testbed) recovers(i int, what, why string) {
	b.t.Helper()
	var v ballots
	b.start(i, v.options())
	b.until(what+": it has begun a new life", func([]Report) bool { return v.log.count("begins a new life") > 0 })
	b.until(what+": its silence is over", func([]Report) bool {
		in := b.nodes[i].inspection()
		return in.Since > 0 && !in.Silent && !in.Asking && !in.LeftBehind
	})
	b.level(len(b.nodes))
	if !v.log.contain(why) || v.log.count("may have forgotten what it signed") != 1 {
		b.t.Errorf("%s: the log does not say once why (%s):\n%s", what, why, v.log.buf.String())
	}
	if n := v.below(b.nodes[i].inspection().Since); n > 0 {
		b.t.Errorf("%s: %d votes in views in which it may have voted before", what, n)
	}
}

// losses are the kinds of damage to the data of a home, and what the replica then logs. older is an earlier image of the
// data, and newest an image of the present data.
var losses = []struct {
	name, why string
	damage    func(b *testbed, older, newest string)
}{
	{"an older copy of its data", "holds what this replica signed and its journal lacks", func(b *testbed, older, _ string) {
		b.restore(3, older, StateDir, JournalDir)
	}},
	{"an older copy of its journal", "an old copy of the journal", func(b *testbed, older, _ string) {
		b.restore(3, older, JournalDir)
	}},
	{"a journal of another life", "is of another life", func(b *testbed, _, newest string) {
		b.empty(3, JournalDir)
		b.recovers(3, "the life between", "there is a state, but no journal")
		b.halt(3)
		b.restore(3, newest, JournalDir, StateDir)
	}},
	{"a flipped bit", "is damaged at sector", func(b *testbed, _, _ string) { b.flip(3, 2) }},
	{"a flipped bit in the last synced sector", "is damaged at sector", func(b *testbed, _, _ string) { b.flip(3, 1) }},
	{"no journal", "there is a state, but no journal", func(b *testbed, _, _ string) { b.empty(3, JournalDir) }},
	{"nothing at all", "it was started before, and there is no journal", func(b *testbed, _, _ string) {
		b.empty(3, JournalDir, StateDir)
	}},
	{"no file life", "no file life beside the key", func(b *testbed, _, _ string) { b.empty(3, LifeFile) }},
	{"neither life nor data", "there is neither a journal", func(b *testbed, _, _ string) {
		b.empty(3, LifeFile, JournalDir, StateDir)
	}},
	{"the home as init made it", "holds what this replica signed and its journal lacks", func(b *testbed, _, _ string) {
		b.empty(3, JournalDir, StateDir)
		if err := MarkUnborn(b.home(3)); err != nil {
			b.t.Fatal(err)
		}
	}},
}

// flip changes a bit in the newest segment of a replica's journal, at the given fraction of its used part.
func (b *testbed) flip(i, part int) {
	b.t.Helper()
	edit(b.t, newest(b.t, filepath.Join(b.home(i), JournalDir), ".segment"), func(data []byte) []byte {
		data[(used(data)-1)/part] ^= 4
		return data
	})
}

// Whatever its disk has lost, the replica notices the loss, logs it, and recovers with the help of the others.
func TestD8_AReplicaThatMayHaveForgottenComesBack(t *testing.T) {
	t.Parallel()
	for _, c := range losses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, 4, small)
			b.startAll()
			l := b.load()
			l.put(10, 100)
			b.level(4)
			older := b.image(3)
			l.put(20, 100)
			b.level(4)
			b.halt(3)
			c.damage(b, older, b.image(3))
			b.recovers(3, c.name, c.why)
			l.put(4, 100)
			b.level(4)
			b.halt(0) // so that the cluster needs the recovered replica in a later view
			l.put(10, 100)
			b.level(3)
			l.check(100)
		})
	}
}

// X: a replica that lost everything fetches the state while the others continue, although no replica has the first
// batches any more.
func TestX_AnEmptiedReplicaIsFilledWhileTheOthersServe(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.SegmentBytes = minSegmentBytes })
	}
	b.startAll()
	l := b.load()
	l.grow(0, 1, 2)
	b.halt(3)
	b.empty(3, JournalDir, StateDir)
	ended, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				l.put(1, 3000)
			}
		}
	}()
	var v ballots
	b.start(3, v.options())
	b.until("it has fetched the state", func([]Report) bool { return b.scraped(3)["tagma_transfers_finished_total"] > 0 })
	b.until("its silence is over", func([]Report) bool { in := b.nodes[3].inspection(); return in.Since > 0 && !in.Silent })
	close(stop)
	<-ended
	l.renew()
	b.level(4)
	if m := b.scraped(3); m["tagma_transfer_received_bytes_total"] < 10_000 || m["tagma_amnesias_total"] != 1 ||
		m["tagma_silent_until"] < 32 || m["tagma_votes_from_view"] < 1 || m["tagma_silent"] != 0 || m["tagma_transfer"] != 0 {
		t.Errorf("metrics of the one that was filled: %v", m)
	}
	given := 0.0
	for i := range 3 {
		given += b.scraped(i)["tagma_donor_bytes_total"]
	}
	if given < 10_000 {
		t.Errorf("the others gave %v bytes", given)
	}
	for _, line := range []string{"fetches the state from them", "fetching the state", "the state is fetched", "the silence is over"} {
		if !v.log.contain(line) {
			t.Errorf("the log does not say that %s:\n%s", line, v.log.buf.String())
		}
	}
	b.halt(0)
	l.put(10, 3000)
	b.level(3)
	l.check(3000)
}

// D8.12: more disks are lost than the cluster masks. Then no replica votes, writes or serves. When the disks are there
// again, all replicas work again.
func TestD8_12_TwoOfFourEmptiedWaitForTheirDisks(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.startAll()
	l := b.load()
	l.put(20, 100)
	b.level(4)
	away := map[int]string{}
	for _, i := range []int{2, 3} {
		b.halt(i)
		away[i] = b.image(i)
		b.empty(i, JournalDir, StateDir)
	}
	var logs [4]ballots
	for i := range away {
		opt := logs[i].options()
		opt.sayEvery = replica.TickEvery(0)
		b.start(i, opt)
	}
	b.until("both say who lost data", func([]Report) bool {
		return logs[2].log.contain("lost data too: 3;") && logs[3].log.contain("lost data too: 2;") &&
			logs[2].log.contain("answered: 0, 1;") && logs[3].log.contain("answered: 0, 1;") &&
			logs[3].log.contain("mount their data disks")
	})
	b.because(status.CauseForgotten, "replica 2 may have forgotten what it signed", "2 of 3 that remember everything", "replica 3 lost data too")
	for i := range away {
		if names, err := filepath.Glob(filepath.Join(b.home(i), "[js]*")); err != nil || len(names) > 0 {
			t.Errorf("replica %d has written %v, %v", i, names, err)
		}
		if n := len(logs[i].cast); n > 0 {
			t.Errorf("replica %d has sent %d votes", i, n)
		}
		if code, body := b.ask(i, "/readyz"); code == 200 || !strings.Contains(body, "may have forgotten what it signed") {
			t.Errorf("replica %d is ready: %d, %s", i, code, body)
		}
		if code, body := b.ask(i, "/healthz"); code != 200 || !strings.Contains(body, "waits for others") {
			t.Errorf("replica %d is to be restarted: %d, %s", i, code, body)
		}
		r := b.nodes[i].Report().Recovery
		if r == nil || r.Phase != PhaseForgotten || len(r.Whole) != 2 || len(r.LostToo) != 1 || r.Needed != 3 {
			t.Errorf("replica %d reports %+v", i, r)
		}
	}
	for i, image := range away {
		b.restore(i, image, StateDir, JournalDir)
		if err := <-b.nodes[i].done; err == nil || !strings.Contains(err.Error(), "the journal is there again") {
			t.Errorf("replica %d ended with %v", i, err)
		}
		b.nodes[i] = nil
		b.start(i)
	}
	l.put(10, 100)
	b.level(4)
	l.check(100)
}
