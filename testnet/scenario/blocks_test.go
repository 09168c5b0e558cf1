package scenario

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const twoBlocks = `name = "x"
seed = 5
[[event]]
at = "9s"
do = "pause"
targets = [3]
[[block]]
at = "1s"
every = "200ms"
repeat = 4
[[block.event]]
do = "kill"
targets = [1]
for = "100ms"
[[block.event]]
do = "pause"
targets = [2]
for = "100ms"
[[block.event]]
do = "clock-jump"
targets = [3]
by = "1h"
[[block]]
at = "6s"
every = "100ms"
repeat = 2
order = "written"
[[block.event]]
do = "stop-clients"
[[block.event]]
do = "start-clients"
`

// course lists a scenario's events in order, with their times.
func course(s *Scenario) (all []string) {
	for _, e := range s.Events {
		all = append(all, fmt.Sprintf("%v %s", e.At, e.What()))
	}
	return all
}

func TestBlock_TheSeedDecidesTheOrder(t *testing.T) {
	s := parse(t, twoBlocks)
	first := course(s)
	if len(first) != 1+4*(2+2+1)+4 || first[0] != "9s pause replica3" {
		t.Fatalf("%q", first)
	}
	if want := []string{"6s stop-clients", "6.1s start-clients", "6.2s stop-clients", "6.3s start-clients"}; !slices.Equal(first[21:], want) {
		t.Errorf("the second block is %q", first[21:])
	}
	at, times := time.Second, map[string]int{}
	for i := 1; i < 21; i++ {
		e := &s.Events[i]
		times[e.Do]++
		if e.Undoes {
			if e.At != s.Events[i-1].At+100*time.Millisecond {
				t.Errorf("%s ends at %v", s.Events[i-1].What(), e.At)
			}
			continue
		}
		if e.At != at {
			t.Errorf("%s comes at %v, not at %v", e.What(), e.At, at)
		}
		at += 200 * time.Millisecond
	}
	if times[Kill] != 4 || times[Pause] != 4 || times[ClockJump] != 4 {
		t.Errorf("they happen %v times", times)
	}
	if again := course(parse(t, twoBlocks)); !slices.Equal(first, again) {
		t.Errorf("one seed, two orders: %q and %q", first, again)
	}
	orders := map[string]bool{}
	for seed := range uint64(20) {
		other := *s
		other.Reseed(seed)
		orders[fmt.Sprint(course(&other))] = true
	}
	if len(orders) < 15 {
		t.Errorf("20 seeds make %d orders", len(orders))
	}
	if !slices.Equal(first, course(s)) {
		t.Error("a copy with another seed changed the first")
	}
}
