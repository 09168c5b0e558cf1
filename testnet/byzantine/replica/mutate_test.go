package replica

import (
	"strings"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// witness counts, by type, the messages that a mutating attacker changed.
type witness struct {
	*mutator
	told map[wire.Type]int
}

func (w witness) tell(to port.Source, m wire.Message) []wire.Message {
	honest := string(wire.Encode(m))
	out := w.mutator.tell(to, m)
	if len(out) != 1 || string(wire.Encode(out[0])) != honest {
		w.told[wire.TypeOf(m)]++
	}
	return out
}

// witnessed returns the counts of the attacker that the test examines.
func (tr *trial) witnessed() map[wire.Type]int {
	m := tr.nodes[tr.liar]
	w := witness{m.actor.(attacker).hooks.(*mutator), map[wire.Type]int{}}
	m.actor = attacker{w}
	return w.told
}

func TestMutate_EveryKindIsSentAndMasked(t *testing.T) {
	for _, kind := range []string{"view", "seq", "digest", "phase", "entry", "target", "all"} {
		for _, liar := range []int{0, 1, 2} {
			tr := begin(t, liar, "mutate,probability=0.5,seed=3,kinds="+kind)
			told := tr.witnessed()
			ids := tr.load(6, 100*time.Millisecond)
			// Make a view change happen in which the attacker takes part, as primary of the next view or as a backup.
			if liar != 0 {
				tr.cut[0] = true
				ids = append(ids, tr.submit(7))
				tr.depose(0, ids[6])
				tr.submitted = 7
			}
			ids = append(ids, tr.load(10, 400*time.Millisecond)...)
			if len(told) == 0 && (kind != "entry" || liar != 0) {
				t.Errorf("%s of replica %d: nothing was changed", kind, liar)
			}
			tr.mustMask(ids...)
			tr.mustAnswer(ids...)
		}
	}
}

// The attacker changes entries of view changes and new views. Other replicas notice it, because these entries are signed
// by others.
func TestMutate_EntriesOfViewChangesAreChanged(t *testing.T) {
	for _, liar := range []int{1, 2} {
		tr := begin(t, liar, "mutate,probability=1,kinds=entry,types=view-change+new-view")
		told := tr.witnessed()
		ids := tr.load(6, 100*time.Millisecond)
		tr.cut[0] = true
		ids = append(ids, tr.submit(7))
		tr.depose(0, ids[6])
		tr.submitted = 7
		ids = append(ids, tr.load(4, 500*time.Millisecond)...)
		if told[wire.TypeViewChange] == 0 || liar == 1 && told[wire.TypeNewView] == 0 {
			t.Errorf("replica %d changed %v", liar, told)
		}
		tr.mustMask(ids...)
		tr.mustAnswer(ids...)
	}
}

func TestMutate_OneSeedIsOneLie(t *testing.T) {
	told := func(seed string) string {
		tr := begin(t, 0, "mutate,probability=0.3,seed="+seed)
		tr.load(5, 100*time.Millisecond)
		var text strings.Builder
		for _, p := range tr.sent {
			if int(p.from) == tr.liar {
				text.Write(wire.Encode(p.msg))
			}
		}
		return text.String()
	}
	one := told("1")
	if again := told("1"); again != one {
		t.Error("one seed lied in two ways")
	}
	if told("2") == one {
		t.Error("two seeds told one lie")
	}
}
