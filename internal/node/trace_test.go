package node

import (
	"strings"
	"sync"
	"testing"

	"tagma/internal/trace"
	"tagma/pbft/wire"
)

// heard records what a listener was told, as text, by the kind of event.
type heard struct {
	mu    sync.Mutex
	kinds map[string][]string
}

func (h *heard) hear(e trace.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kinds[e.Kind()] = append(h.kinds[e.Kind()], e.What())
}

func (h *heard) of(kind string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.kinds[kind], "\n")
}

// A listener is told of all that a node does: the messages that it sends, accepts and refuses, and the progress of its
// slots.
func TestTrace_TellsWhatANodeDoes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	all := make([]*heard, 4)
	for i := range all {
		all[i] = &heard{kinds: map[string][]string{}}
		b.start(i, Options{Trace: all[i].hear})
	}
	w := b.asClient(b.fresh.Clients[1])
	forged := b.request(b.fresh.Clients[0], 1)
	forged.Sig[5] ^= 1
	b.until("a forged request is refused", func(rs []Report) bool {
		w.send(0, wire.Encode(forged))
		return rs[0].Refused > 0
	})
	b.until("what is no message is refused", func([]Report) bool {
		w.send(0, []byte{255})
		return strings.Contains(all[0].of("refused"), "refused a frame")
	})
	l := b.load()
	l.put(20, 4)
	l.check(4)
	b.level(4)
	b.stopAll()
	for kind, part := range map[string]string{
		"sent": "→ r1  ", "received": "← client  request ", "phase": "committed v0 s1 ", "executed": "executed s1, ",
		"checkpoint": "is stable", "synced": "synced 1 records in ", "process": "started in v0 at s0", "quarantined": "does not read client for ",
		"refused": "← client  refused request ",
	} {
		if got := all[0].of(kind); !strings.Contains(got, part) {
			t.Errorf("of %s there is no %q in\n%s", kind, part, got[:min(len(got), 500)])
		}
	}
	if got := all[1].of("phase"); !strings.Contains(got, "prepared v0 s1 ") || !strings.Contains(got, ", 3 of 3") {
		t.Error("a backup's slots show no votes")
	}
	if got := all[0].of("process"); !strings.HasSuffix(got, "\nstopped") {
		t.Errorf("its process %s", got)
	}
}
