package comeback

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/scenario"
)

// trial is one case.
type trial struct {
	name, about string
	run         func(*stage)
	absent      []wire.ReplicaID // not started at the beginning
	events      []scenario.Event // events of the case that make a replica faulty
	large       bool             // the cluster has the default settings, and more workers write
}

// trials are all cases, in the order in which they run.
func trials() []trial {
	return []trial{
		{name: "wiped", about: "a disk is emptied under load: the state comes from the others while they serve", run: wiped},
		{name: "differing", about: "a replica misses 1 % of the state: little more than that is fetched", run: differing},
		{name: "killed", about: "the receiver is killed at 10, 50 and 90 %: nothing is fetched twice", run: killed},
		{name: "donors", about: "a donor is killed in the middle: the transfer ends, and service goes on", run: donors},
		{name: "change", about: "the primary is killed in the middle, and three more checkpoints become stable", run: change},
		{name: "far", about: "a replica is many windows behind, and nobody sends anything any more", run: far},
		{name: "twice", about: "the same disk is emptied twice within a minute", run: twice},
		{name: "first", about: "three of four serve, one of them dies, the fourth starts for the first time", run: first, absent: []wire.ReplicaID{victim}},
		{name: "emptied", about: "disks vanish at one, two, three and four replicas, and are mounted again", run: emptied},
		{name: "large", about: "a large state: memory, a start after kill -9, checkpoints under load", run: large, large: true},
		{name: "old", about: "an old copy of a whole home is put back: it is noticed", run: old, events: []scenario.Event{happening(scenario.Rollback, victim)}},
	}
}

// Cases returns the names of the cases in their order, each with a line that says what the case shows.
func Cases() iter.Seq2[string, string] {
	return func(yield func(name, about string) bool) {
		for _, t := range trials() {
			if !yield(t.name, t.about) {
				return
			}
		}
	}
}

// The targets of the cases.
const (
	wipedWithin      = 60 * time.Second
	twiceWithin      = time.Minute
	farWithin        = 5 * time.Second
	firstTimeouts    = 5    // view timeouts until an operation is acknowledged
	leastService     = 0.70 // of the baseline's throughput, while a replica comes back
	mostOfDifference = 0.05 // of a whole transfer, where 1 % of the keys differ
	mostOfRestarts   = 1.3  // of a whole transfer, where the receiver is killed three times
)

// farWindows is how many log windows the case far leaves a replica behind.
const farWindows = 12

// back waits until the victim is at most so many sequence numbers behind, and adds the time that this took since began
// to the result.
func (s *stage) back(name string, began time.Time, behind uint64, most time.Duration) {
	s.follow(victim, behind)
	s.result.took(name, time.Since(began), most)
}

// wiped empties a replica's disk under load.
func wiped(s *stage) {
	var baseline float64
	if s.o.Load {
		rate := s.saturation()
		s.work(rate / 2)
		baseline = s.measure(s.o.Measure)
		s.result.tell("saturation", rate, "ops/s")
		s.result.tell("baseline", baseline, "ops/s")
	}
	fell := s.Now()
	s.wipe(victim)
	s.back("back after", time.Now(), s.o.windows(1), wipedWithin)
	if s.o.Load {
		s.pass(s.o.Measure - (s.Now() - fell))
		acks, now := s.Work().Acks, s.Now()
		meanwhile := perSecond(acks, fell, now)
		s.result.tell("meanwhile", meanwhile, "ops/s")
		s.result.add(Figure{Name: "meanwhile/baseline", Value: meanwhile / baseline, AtLeast: new(leastService), Timed: true})
		s.result.took("longest silence", play.Silence(acks, fell, now), 0)
		s.rest()
	}
	s.tellTransfer()
}

// tellTransfer adds what the victim received since its process started to the result.
func (s *stage) tellTransfer() {
	got := s.receives("received")
	s.result.tell("received/(keys+values)", got.bytes/s.o.payload(), "")
	s.result.tell("rounds", got.rounds, "")
}

// whole empties the victim's disk while clients send nothing. It returns how many bytes a whole transfer takes.
func (s *stage) whole() (bytes float64) {
	s.wipe(victim)
	s.follow(victim, s.o.windows(1))
	return s.receives("whole transfer").bytes
}

// differing stops a replica, overwrites 1 % of the keys meanwhile, and starts the replica again.
func differing(s *stage) {
	all := s.whole()
	s.stop(victim)
	s.overwrite(s.o.Keys/100, s.executed()+s.o.windows(farBehind))
	began := time.Now()
	s.restart(victim)
	s.back("back after", began, 0, 0)
	part := s.receives("received")
	s.result.tell("rounds", part.rounds, "")
	s.result.atMost("received/whole", part.bytes/all, mostOfDifference, "")
}

// How long a transfer takes at least in the cases that interrupt it, if the state is large enough.
const (
	killedLasts = 3 * time.Second
	donorsLast  = 5 * time.Second
	changeLast  = 10 * time.Second
)

// killed kills the receiver in the middle of its transfer, three times.
func killed(s *stage) {
	all := s.whole()
	s.slow(killedLasts)
	began, sum := time.Now(), 0.0
	s.wipe(victim)
	for _, share := range []float64{0.1, 0.5, 0.9} {
		t := s.transferAt(share)
		s.do(scenario.Kill, victim)
		bytes := float64(t.Bytes - t.LateBytes)
		sum += bytes
		s.result.tell("killed at", 100*t.Share, "%")
		s.result.tell("having received", bytes/(1<<20), "MiB")
		s.do(scenario.Restart, victim)
	}
	s.back("back after", began, s.o.windows(1), 0)
	sum += s.receives("in the last life").bytes
	s.result.tell("received in four lives", sum/(1<<20), "MiB")
	s.result.tell("whole/(keys+values)", all/s.o.payload(), "")
	s.result.atMost("received/whole", sum/all, mostOfRestarts, "")
	s.unslow()
}

// gentleRate is a load under which checkpoints become stable, in operations a second.
const gentleRate = 200

// amid empties the victim's disk, under load if the options say so. While the victim fetches the state over slow links,
// it calls happens. The argument began is when the transfer began, and atLeast how long it takes at least.
func (s *stage) amid(lasts time.Duration, happens func(began time.Time, atLeast time.Duration)) {
	rate := float64(gentleRate)
	if s.o.Load {
		rate = s.saturation() / 2
	}
	atLeast := s.slow(lasts)
	s.work(rate)
	s.wipe(victim)
	began, fell := time.Now(), s.Now()
	happens(began, atLeast)
	s.back("back after", began, s.o.windows(1), 0)
	s.result.took("longest silence", play.Silence(s.Work().Acks, fell, s.Now()), 0)
	s.result.took("a write afterwards", s.serves(), 0)
	s.rest()
	s.tellTransfer()
	s.unslow()
}

// donors kills a donor in the middle of a transfer and starts it again later.
func donors(s *stage) {
	const donor = 1
	s.amid(donorsLast, func(time.Time, time.Duration) {
		t := s.transferAt(0.2)
		s.do(scenario.Kill, donor)
		s.result.tell("killed at", 100*t.Share, "%")
		err := s.attempt(func() { t = s.transferAt(0.6) })
		if errors.Is(err, errOver) { // the transfer ended without this donor
			t.Share, err = 1, nil
		}
		s.must(err)
		s.result.tell("started again at", 100*t.Share, "%")
		s.restart(donor)
	})
}

// change forces a view change in the middle of a transfer, and three more checkpoints become stable before the transfer
// ends. If the receiver would be finished too early, it is paused by SIGSTOP meanwhile.
func change(s *stage) {
	s.amid(changeLast, func(began time.Time, atLeast time.Duration) {
		s.result.tell("the transfer was first at", 100*s.transferAt(0.05).Share, "%")
		held := atLeast < changeLast/2
		if held {
			s.do(scenario.Pause, victim)
		}
		s.changeView()
		s.result.took("another view and three checkpoints after", time.Since(began), 0)
		if held {
			s.do(scenario.Resume, victim)
		}
		s.result.tell("the transfer was then at", 100*s.transferAt(0).Share, "%")
	})
}

// changeView kills the primary and starts it again when another view is asked for. It waits for three further
// checkpoints in that view.
func (s *stage) changeView() {
	before := s.look(others(victim)...)
	r, answered := before[0]
	if !answered || r.Primary == victim {
		s.fail("there is no primary to kill: %s", before)
	}
	s.do(scenario.Kill, r.Primary)
	s.until("another view to be asked for", others(victim, r.Primary), func(v view) string {
		for _, now := range v {
			if now.View > r.View || !now.Active {
				return ""
			}
		}
		return "nobody asks for one"
	})
	s.restart(r.Primary)
	goal := r.StableCheckpoint + 3*uint64(s.k)
	s.until("three more checkpoints in another view", others(victim), func(v view) string {
		for _, id := range others(victim) {
			if now := v[id]; !now.Active || now.View <= r.View || now.StableCheckpoint < goal {
				return fmt.Sprintf("replica %d is in view %d, stable at %d of %d", id, now.View, now.StableCheckpoint, goal)
			}
		}
		return ""
	})
}

// far leaves a replica many windows behind. Clients send nothing when it starts again.
func far(s *stage) {
	s.stop(victim)
	s.result.tell("behind by", float64(s.leaveBehind(farWindows)), "batches")
	began := time.Now()
	s.do(scenario.Restart, victim)
	s.back("caught up after", began, 0, farWithin)
	s.tellTransfer()
}

// twice empties the same disk again as soon as the replica is back.
func twice(s *stage) {
	began := time.Now()
	s.wipe(victim)
	s.back("back after", began, s.o.windows(1), wipedWithin)
	again := time.Now()
	s.result.took("emptied again after", time.Since(began), twiceWithin)
	s.wipe(victim)
	s.back("back again after", again, s.o.windows(1), wipedWithin)
	s.tellTransfer()
}

// first starts the fourth replica for the first time when another one has died.
func first(s *stage) {
	const dies = 1
	s.do(scenario.Kill, dies)
	began := time.Now()
	s.do(scenario.Start, victim)
	s.serves()
	s.result.took("served after", time.Since(began), firstTimeouts*s.o.ViewTimeout)
	s.restart(dies)
}

// emptied deletes the data of more and more replicas while all replicas are stopped.
func emptied(s *stage) {
	s.stop()
	s.do(scenario.Unmount, victim)
	began := time.Now()
	s.do(scenario.Restart, everybody...)
	s.back("one came back after", began, s.o.windows(1), wipedWithin)
	s.readBack()
	for lost := 2; lost <= replicas; lost++ {
		if err := s.attempt(func() { s.moreEmptied(everybody[replicas-lost:]) }); err != nil {
			s.fail("%d replicas without data: %w", lost, err)
		}
	}
}

// moreEmptied takes away more disks than the cluster masks. Then no replica may serve or write to the empty directories,
// and each replica must say which replicas lost data. When the data are mounted again, all must continue.
func (s *stage) moreEmptied(lost []int) {
	s.stop()
	logs := map[int]string{}
	for _, id := range lost {
		logs[id] = s.logged(id)
	}
	s.do(scenario.Unmount, lost...)
	s.do(scenario.Restart, everybody...)
	s.until("the replicas without data to say who else has none", lost, func(v view) string {
		for _, id := range lost {
			if why := misnamed(v, id, lost); why != "" {
				return why
			}
		}
		return ""
	})
	s.servesNobody()
	for _, id := range lost {
		s.untouched(id, logs[id])
	}
	s.stop()
	for _, id := range lost {
		s.untouched(id, logs[id]) // stopping must not write anything either
	}
	s.do(scenario.Mount, lost...)
	began := time.Now()
	s.do(scenario.Restart, everybody...)
	s.until("the replicas to be ready", everybody, func(v view) string { return local.Unwell(v, everybody) })
	s.result.took(fmt.Sprintf("%d served again after", len(lost)), time.Since(began), 0)
	s.readBack()
}

// misnamed checks what a replica without data says about which replicas lost data. It returns why that is wrong, or "".
func misnamed(v view, id int, lost []int) string {
	r, whole := v[id].Recovery, others(lost...)
	also := others(append(whole, id)...)
	switch {
	case r == nil || r.Phase != node.PhaseForgotten:
		return fmt.Sprintf("replica %d does not say that it forgot", id)
	case !slices.Equal(r.LostToo, also) || !slices.Equal(r.Whole, whole):
		return fmt.Sprintf("replica %d names %v as without data and %v as whole, and it is %v and %v", id, r.LostToo, r.Whole, also, whole)
	}
	return ""
}

// untouched requires that nothing was written to a replica's empty data directory, and that its log says what is
// missing.
func (s *stage) untouched(id int, before string) {
	entries, err := os.ReadDir(processes.Data(s.Local().Home(id)))
	s.must(err)
	if len(entries) > 0 {
		s.fail("replica %d wrote to the empty data directory: %v", id, entries)
	}
	if !s.logs(id, "may have forgotten what it signed", before) {
		s.fail("the log of replica %d does not say that it lost data", id)
	}
}

// old puts an older copy of a whole home back, so that the replica has forgotten what it signed since then.
func old(s *stage) {
	s.do(scenario.Keep, victim)
	s.leaveBehind(farBehind)
	s.do(scenario.Rollback, victim)
	before, began := s.logged(victim), time.Now()
	s.do(scenario.Restart, victim)
	s.until("the old copy to be named in the log", []int{victim}, func(view) string {
		if !s.logs(victim, "an old copy", before) {
			return "the log does not say so"
		}
		return ""
	})
	s.result.took("named after", time.Since(began), 0)
	s.back("back after", began, s.o.windows(1), wipedWithin)
}
