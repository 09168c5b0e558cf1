package replica

import (
	"cmp"
	"testing"

	"tagma/pbft/wire"
)

// D5, X5: the cases say which state a start chooses. The journal has checkpoints at 4 and 8, of which the newer one is
// stable, and batches up to 10. The cases differ in what the store holds.
func TestD5_AStartGoesOnFromTheNewestStateThatTheStoreHas(t *testing.T) {
	for _, c := range []struct {
		name    string
		written []uint64   // checkpoints that the store holds
		wrong   []wire.Seq // checkpoints whose recorded root is not that of the store
		at      wire.Seq   // from which it goes on
		aside   int        // stores moved aside
		fetches bool       // the state comes from others
		stable  wire.Seq   // the newest stable checkpoint; 0 stands for the newer of the two
	}{
		{"all is there", []uint64{4, 8, 10}, nil, 8, 0, false, 0},
		{"the newer one is not stable, and others may need the older one (K4)", []uint64{4, 8, 10}, nil, 4, 0, false, 4},
		{"the newer one is wrong", []uint64{4, 8, 10}, []wire.Seq{8}, 4, 0, false, 0},
		{"both are wrong, and nothing lies above the stable one", []uint64{4, 8}, []wire.Seq{4, 8}, 0, 0, true, 0},
		{"both are wrong, and more lies above the stable one", []uint64{4, 8, 10}, []wire.Seq{4, 8}, 0, 0, true, 0},
		{"it is empty", nil, nil, 0, 0, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			full := newMedium()
			roots := map[wire.Seq]wire.Digest{}
			for _, seq := range []uint64{4, 8} {
				roots[wire.Seq(seq)] = fill(t, loaded(t, full), seq, 10)
			}
			for _, seq := range c.wrong {
				roots[seq] = wire.Digest{1}
			}
			if len(c.written) > 0 {
				r.medium = newMedium()
				for _, seq := range c.written {
					fill(t, loaded(t, r.medium), seq, 10)
				}
			}
			stable := cmp.Or(c.stable, 8)
			log := []wire.Record{ownMark(4, roots[4]), ownMark(8, roots[8]), stableAt(stable, roots[stable])}
			for seq := wire.Seq(1); seq <= 10; seq++ {
				log = append(log, certified(seq, 10))
			}
			r.write(lifeL, log...)
			r.text = lifeL.String()
			d := r.mustStart()
			if d.Applied.Seq != c.at || r.aside != c.aside || d.Replica.Inspect().LeftBehind != c.fetches {
				t.Errorf("goes on from %d, %d stores aside, waits for the state: %v; want %d, %d, %v", d.Applied.Seq, r.aside,
					d.Replica.Inspect().LeftBehind, c.at, c.aside, c.fetches)
			}
		})
	}
}
