package node

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"tagma/pbft/wire"
)

// K2, X4: a bit of a value flips on the disk of a running replica. The replica finds the damage, fetches only that
// value, and counts in a quorum again.
func TestK2_ARunningReplicaMendsItsDisk(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.ScrubPause, s.ScrubBytes = 0, 64<<20 })
	}
	b.startAll()
	l := b.load()
	l.put(40, 3000)
	b.level(4)
	b.halt(3)
	b.start(3) // the stop moved the entries from memory to tables
	b.level(4)
	scrubs := &b.nodes[3].instance.Load().scrubs
	b.until("a whole disk is found whole", func([]Report) bool { return scrubs.passes.Load() >= 2 })
	if n := scrubs.found.Load(); n > 0 {
		t.Fatalf("damage was found %d times on a whole disk", n)
	}
	tables, err := filepath.Glob(filepath.Join(b.home(3), StateDir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	turned := 0
	for _, path := range tables {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(data, append([]byte("v17"), make([]byte, 100)...)); at >= 0 {
			turn(t, path, at+50)
			turned++
		}
	}
	if turned == 0 {
		t.Fatal("the value lies in no table")
	}
	b.until("it was found, and mended", func([]Report) bool { return b.nodes[3].moved().Finished > 0 })
	if p := b.nodes[3].moved(); scrubs.found.Load() == 0 || p.Keys > 4 {
		t.Errorf("found %d times, %d keys were fetched", scrubs.found.Load(), p.Keys)
	}
	found, passes := scrubs.found.Load(), scrubs.passes.Load()
	b.until("it was searched again", func([]Report) bool { return scrubs.passes.Load() >= passes+3 })
	if scrubs.found.Load() > found+1 { // a pass that had begun before the repair may still report the damage
		t.Errorf("damage was found again: %d times, then %d", found, scrubs.found.Load())
	}
	b.halt(2) // now the cluster needs the repaired replica
	l.put(20, 3000)
	l.check(3000)
	b.level(3)
	b.halt(3)
	b.start(3) // this opens the generation that replaced the damaged one
	b.level(3)
	if r := b.nodes[3].Report(); r.Health != Healthy && b.nodes[3].moved().Finished > 0 {
		t.Errorf("it is %q behind a start", r.Health)
	}
}

// K2, D8, X4: bits flip and files are cut at one replica after the other, while it runs or is down. The cluster
// continues meanwhile. No replica signs two digests for one vote, none keeps a wrong state, and each one takes part in
// quorums again without help. TAGMA_DAMAGES=200 sets how many bits are flipped; a quarter as many files are cut.
func TestK2_DamagedReplicasComeBackUnderLoad(t *testing.T) {
	flips, keys := 4, 300
	if n, err := strconv.Atoi(os.Getenv("TAGMA_DAMAGES")); err == nil {
		flips, keys = n, 800
	}
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	s := &damager{
		b: b, chance: rand.New(rand.NewPCG(1, 11)), votes: make([]*ballots, 4), counts: map[string]int{}, keys: uint64(keys),
	}
	for i := range 4 {
		s.signedBy = append(s.signedBy, &signedLog{signed: map[wire.Statement]wire.Digest{}})
		b.adjust(i, func(s *Settings) { s.SegmentBytes, s.ScrubPause, s.ScrubBytes = minSegmentBytes, 0, 64<<20 })
		s.start(i)
	}
	w := b.busy(t, keys)
	for i := range 4 { // the stop moves the entries from memory to tables
		b.halt(i)
		s.recordSigned(i)
		s.start(i)
		s.isBack(i, "the first start")
	}
	var slowest time.Duration
	trial := func(number int, what string, damage func(i int) string) {
		i := number % 4
		began := time.Now()
		what = fmt.Sprintf("%d: replica %d, %s", number, i, what)
		kind := damage(i)
		how := s.isBack(i, what+" of "+kind)
		s.counts[kind+", "+how]++
		for r := range 4 {
			s.recordSigned(r)
		}
		slowest = max(slowest, time.Since(began))
		t.Logf("%s of %s: it %s, after %v", what, kind, how, time.Since(began).Round(time.Millisecond))
	}
	down := func(do func(i int) string) func(i int) string {
		return func(i int) string {
			b.halt(i)
			s.recordSigned(i)
			kind := do(i)
			s.start(i)
			return kind
		}
	}
	number := 0
	for n := range flips {
		number++
		if n%4 != 3 {
			trial(number, "a bit turned while it was down", down(s.flipWhileDown))
		} else {
			trial(number, "a bit turned while it ran", func(i int) string {
				kind, table := s.flipWhileUp(i)
				if table {
					s.scrubbed(i)
					return kind + " while up"
				}
				down(func(int) string { return kind })(i) // the next start finds it
				return kind + " while up"
			})
		}
		if n%4 == 0 {
			number++
			trial(number, "a file cut", down(func(i int) string { return s.truncate(i) + " cut" }))
		}
	}
	for i := range 4 { // the cluster needs each of them once
		b.halt(i)
		s.recordSigned(i)
		from := b.nodes[(i+1)%4].inspection().Executed
		b.until(fmt.Sprintf("the others work without replica %d", i), func(rs []Report) bool {
			return rs[0].Executed > uint64(from)+40
		})
		s.start(i)
		s.isBack(i, "the last start")
	}
	w.end()
	l := b.load() // to the next checkpoints
	l.put(20, 10)
	b.level(4)
	for i, n := range b.nodes {
		s.scrubbed(i)
		if found := s.scrubbed(i); found > 0 {
			t.Errorf("replica %d: its disk holds something else than what it executed", i)
		}
		if r := n.Report(); len(r.Convicted) > 0 || r.Split > 0 {
			t.Errorf("replica %d: convicted %v, split at %d", i, r.Convicted, r.Split)
		}
		s.recordSigned(i)
		if c := s.signedBy[i].conflicts; len(c) > 0 {
			t.Errorf("replica %d signed two digests for one place %d times: %v", i, len(c), c[0])
		}
		if len(s.signedBy[i].signed) == 0 {
			t.Errorf("nothing was heard of replica %d", i)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(s.counts)) {
		t.Logf("| %s | %d |", kind, s.counts[kind])
	}
	t.Logf("%d damages, %d requests, the slowest took %v", number, w.written, slowest)
}
