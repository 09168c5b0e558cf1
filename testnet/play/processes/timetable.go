package processes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tagma/testnet/local"
)

// timetable is everything that is to happen, in the order in which it is due.
type timetable struct {
	acts []*act
}

// act is one thing that happens.
type act struct {
	what  string
	line  int
	due   time.Duration // since the workload began, or since so many operations were acknowledged
	after int           // acknowledged operations; 0: due counts from the beginning
	fault bool          // something goes wrong with it, rather than is mended
	ends  bool          // it ends something that the table has: it is not reported itself
	calm  bool          // it changes nothing that operations could recover from
	late  bool          // it begins when it first touches something, rather than when it is done
	do    func(ctx context.Context) error
	// proof reports in the end whether it touched anything (I18); nil: having been done is enough.
	proof func() bool

	reached time.Duration // when so many operations were acknowledged
	happens bool          // reached counts
	done    bool
	missed  error         // why it could not be done
	at      time.Duration // when it was
	proven  bool          // proof held
	shown   time.Duration // when it was first seen to hold
	told    bool          // its recovery was
}

// look notes when it is first seen that it touched something.
func (a *act) look(now time.Duration) {
	if a.done && a.missed == nil && !a.proven && a.proof != nil && a.proof() {
		a.proven, a.shown = true, now
	}
}

// began is when it was seen to go wrong: a liar that is let loose need not lie at once.
func (a *act) began() time.Duration {
	if a.late && a.proven {
		return a.shown
	}
	return a.at
}

// start performs what is due before the first operation.
func (t *timetable) start(ctx context.Context, began time.Time) error {
	for _, a := range t.acts {
		if a.after == 0 && a.due == 0 {
			if err := t.act(ctx, a, time.Since(began)); err != nil {
				return err
			}
			a.at = 0
		}
	}
	return nil
}

// perform does what is due, and reports whether there was anything.
func (t *timetable) perform(ctx context.Context, now time.Duration, acknowledged int) (acted bool, err error) {
	for _, a := range t.acts {
		if a.done || !a.isDue(now, acknowledged) {
			continue
		}
		acted = true
		if err := t.act(ctx, a, now); err != nil {
			return true, err
		}
	}
	return acted, nil
}

func (a *act) isDue(now time.Duration, acknowledged int) bool {
	if a.after == 0 {
		return now >= a.due
	}
	if !a.happens && acknowledged >= a.after {
		a.happens, a.reached = true, now
	}
	return a.happens && now >= a.reached+a.due
}

// act does one thing. What cannot be done is remembered; the error says that the run ended meanwhile.
func (t *timetable) act(ctx context.Context, a *act, now time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	a.done, a.at = true, now
	a.missed = a.do(limited)
	return ctx.Err()
}

// done reports whether everything has been tried.
func (t *timetable) done() bool {
	return !slices.ContainsFunc(t.acts, func(a *act) bool { return !a.done })
}

// comes reports whether something will happen by the clock alone.
func (t *timetable) comes(now time.Duration) bool {
	return slices.ContainsFunc(t.acts, func(a *act) bool {
		return !a.done && (a.after == 0 && a.due > now || a.happens && a.reached+a.due > now)
	})
}

// open names the first thing that has not happened, "" if there is none.
func (t *timetable) open() string {
	for _, a := range t.acts {
		if !a.done {
			return fmt.Sprintf("%s (line %d)", a.what, a.line)
		}
	}
	return ""
}

// last is when the last thing happened that operations may have to recover from, 0 if there was none.
func (t *timetable) last() (at time.Duration) {
	for _, a := range t.acts {
		if a.done && !a.calm {
			at = max(at, a.at)
		}
	}
	return at
}

// fired lists what was done.
func (t *timetable) fired() []*act {
	return slices.DeleteFunc(slices.Clone(t.acts), func(a *act) bool { return !a.done || a.missed != nil })
}
