package byzantine

import (
	"fmt"
	"time"

	"tagma/pbft"
)

// clockSkew has a wrong wall clock, which enters as the agreed time of its batches and in its status (N1). Its monotonic
// clock is right: nothing else drives timers (T3).
var clockSkew = Behaviour{
	Name:    "clock-skew",
	Model:   Timing,
	Summary: "its wall clock is wrong, or jumps to and fro: so is the time that it proposes and reports",
	Bound:   "behind: none needed; ahead, as primary: at most one view change; as a backup none",
	Parameters: []Parameter{
		{"by", "1h", "how far ahead of the others it is; negative: behind, such as -1h"},
		{"every", "0s", "it jumps ahead and behind in turn after this long, a duration or a multiple of T; 0s: it never jumps"},
	},
	build: newSkewed,
}

type skewed struct {
	honest
	by    time.Duration
	every time.Duration
}

func newSkewed(v values, at seat) (Core, error) {
	s := new(skewed)
	var err error
	if s.by, err = time.ParseDuration(v["by"]); err != nil || s.by == 0 {
		return nil, fmt.Errorf("by: %q is not a duration other than 0, such as 1h or -1h", v["by"])
	}
	if v["every"] != "0s" && v["every"] != "0" {
		if s.every, err = v.delay("every", at.cfg); err != nil {
			return nil, err
		}
	}
	return at.speaks(s), nil
}

func (s *skewed) hear(ev pbft.Event, awake bool) []pbft.Event {
	tick, ok := ev.(pbft.Tick)
	if !ok || !awake {
		return []pbft.Event{ev}
	}
	by := s.by
	if s.every > 0 && tick.Mono/s.every%2 == 1 {
		by = -by
	}
	tick.Wall += int64(by)
	return []pbft.Event{tick}
}
