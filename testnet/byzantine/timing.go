package byzantine

import (
	"fmt"
	"time"

	"tagma/pbft"
	"tagma/testnet/byzantine/tamper"
)

// slow is a timing fault: what it says is true and comes late.
var slow = tamper.Describe[laggard]("slow", tamper.Timing,
	"says everything, or some types of message, late by its own clock",
	"as a backup no view change; a primary that is late by T or more is replaced")

type laggard struct {
	rule
	Delay   time.Duration `default:"0.9T" doc:"how late: a duration, or a multiple of the view timeout T"`
	Types   tamper.Types  `default:"all" doc:"message types that are late, such as pre-prepare; reply is what clients get"`
	FromSeq tamper.Onset  `default:"0" doc:"it becomes slow when it first speaks of this sequence number"`
}

func (l *laggard) ready() error {
	l.types, l.peers, l.onset, l.act = l.Types, tamper.Everybody(), &l.FromSeq, l.delayed(&l.Delay)
	return nil
}

// slowBackup is so late that nothing it says is of use any more.
var slowBackup = tamper.Describe[late]("slow-backup", tamper.Timing, "says everything 5T late",
	"as a backup throughput ≥ 90 % and no view change")

type late struct {
	rule
	Delay time.Duration `default:"5T" doc:"how late: a duration, or a multiple of the view timeout T"`
}

func (l *late) ready() error {
	l.peers, l.act = tamper.Everybody(), l.delayed(&l.Delay)
	return nil
}

// clockSkew has a wrong wall clock, which enters as the agreed time of its batches and in its status (N1). Its monotonic
// clock is right: nothing else drives timers (T3).
var clockSkew = tamper.Describe[skewed]("clock-skew", tamper.Timing,
	"its wall clock is wrong, or jumps to and fro: so is the time that it proposes and reports",
	"behind: none needed; ahead, as primary: at most one view change; as a backup none")

type skewed struct {
	liar
	By    string        `default:"1h" doc:"how far ahead of the others it is; negative: behind, such as -1h"`
	Every time.Duration `default:"0s" zero:"yes" doc:"it jumps ahead and behind in turn after this long, a duration or "`
	_     any           `doc:"a multiple of T; 0s: it never jumps"`
	by    time.Duration
}

func (s *skewed) ready() (err error) {
	if s.by, err = time.ParseDuration(s.By); err != nil || s.by == 0 {
		return fmt.Errorf("by: %q is not a duration other than 0, such as 1h or -1h", s.By)
	}
	return nil
}

func (s *skewed) hear(ev pbft.Event) []pbft.Event {
	if tick, ok := ev.(pbft.Tick); ok && s.awake {
		by := s.by
		if s.Every > 0 && tick.Mono/s.Every%2 == 1 {
			by = -by
		}
		tick.Wall += int64(by)
		ev = tick
	}
	return []pbft.Event{ev}
}
