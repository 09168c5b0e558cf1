package swarm

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"tagma/testnet/sim"
)

// Budget bounds the search for a smaller plan. The search also ends with its context.
type Budget struct {
	Runs int
	Time time.Duration
}

// Shrunk is the result of making a failing plan smaller.
type Shrunk struct {
	Plan      *sim.Plan
	Violation *sim.Violation // the violation in the smaller plan
	Runs      int            // how many runs were tried
}

// Shrink looks for a smaller plan that breaks the same invariant: one without unnecessary faults, attackers and clients,
// with a shorter run, and with fewer replicas. It tries one change after the other, and keeps a change if the invariant
// still breaks. It repeats this until no change is possible or the budget is used up. The given plan is not changed.
func Shrink(ctx context.Context, p *sim.Plan, broken *sim.Violation, b Budget, change ...func(*sim.Options)) *Shrunk {
	s := &shrinker{
		ctx:  ctx,
		best: &Shrunk{Plan: clone(p), Violation: broken}, breaks: kind(broken), runs: b.Runs, end: time.Now().Add(b.Time),
		change: append([]func(*sim.Options){func(o *sim.Options) { o.TraceLines = -1 }}, change...),
	}
	for again := true; again && !s.spent(); {
		again = s.ends()
		again = s.fewer() || again
		for _, change := range smaller {
			again = s.with(change...) || again
		}
	}
	return s.best
}

type shrinker struct {
	ctx    context.Context
	best   *Shrunk
	breaks string
	runs   int
	end    time.Time
	change []func(*sim.Options)
}

// number matches the numbers in a violation's text, which differ from plan to plan.
var number = regexp.MustCompile(`\S*[0-9]\S*`)

// kind returns the invariant of a violation and its first words, without numbers. If two kinds are equal, the violations
// count as the same.
func kind(v *sim.Violation) string {
	words := strings.Fields(number.ReplaceAllString(v.What, ""))
	return v.Invariant + " " + strings.Join(words[:min(len(words), 4)], " ")
}

func (s *shrinker) spent() bool {
	return s.ctx.Err() != nil || s.best.Runs >= s.runs || time.Now().After(s.end)
}

// try runs a candidate and keeps it if the same invariant breaks. It rejects a plan that cannot be run, or in which more
// than f replicas are faulty.
func (s *shrinker) try(p *sim.Plan) bool {
	if s.spent() || len(p.Faulty())+len(p.Cut) > (p.Replicas-1)/3 {
		return false
	}
	s.best.Runs++
	if p.Heal == 0 {
		lengthen(p)
	}
	out, err := sim.Run(p, s.change...)
	if err != nil || out.Violation == nil || kind(out.Violation) != s.breaks {
		return false
	}
	if p.Heal == 0 {
		cut(p, out.Violation.At)
	}
	s.best.Plan, s.best.Violation = p, out.Violation
	return true
}

// lengthen makes a run a quarter longer, because with a smaller plan the same may happen a little later.
func lengthen(p *sim.Plan) {
	if p.Workload.Until == p.Duration {
		p.Workload.Until += p.Duration / 4
	}
	p.Duration += p.Duration / 4
}

// cut ends a run just after the moment at which the invariant broke. Nothing before that moment changes.
func cut(p *sim.Plan, at time.Duration) {
	p.Duration = min(p.Duration, at+1)
	p.Workload.Until = min(p.Workload.Until, p.Duration)
}

// with tries changes on the best plan, one after the other, until one still breaks the invariant.
func (s *shrinker) with(changes ...func(*sim.Plan)) bool {
	before := s.best.Plan.String()
	for _, change := range changes {
		p := clone(s.best.Plan)
		if change(p); p.String() != before && s.try(p) {
			return true
		}
	}
	return false
}

// ends makes the run end where the invariant broke, unless it broke after the healing, and halves all times as long as the
// invariant still breaks.
func (s *shrinker) ends() (sooner bool) {
	if at := s.best.Violation.At; s.best.Plan.Heal == 0 || at < s.best.Plan.Heal {
		sooner = s.with(func(p *sim.Plan) {
			p.Heal, p.Cut = 0, nil
			cut(p, at)
		})
	}
	for range 4 {
		if !s.with(func(p *sim.Plan) {
			for _, t := range moments(p) {
				*t /= 2
			}
		}) {
			break
		}
		sooner = true
	}
	return sooner
}

// fewer removes as many parts of the plan as possible: first halves, then quarters, down to single parts (ddmin, Zeller
// and Hildebrandt).
func (s *shrinker) fewer() (smaller bool) {
	for size := (len(parts(s.best.Plan)) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(parts(s.best.Plan)) && !s.spent(); {
			all := parts(s.best.Plan)
			if s.with(func(p *sim.Plan) { leaveOut(p, all[at:min(at+size, len(all))]) }) {
				smaller = true
			} else {
				at += size
			}
		}
	}
	return smaller
}

// clone copies a plan by way of its JSON, so that a plan that is kept is the one that its file holds.
func clone(p *sim.Plan) *sim.Plan {
	c := new(sim.Plan)
	if err := json.Unmarshal([]byte(p.String()), c); err != nil {
		panic("swarm: a plan cannot be read back: " + err.Error())
	}
	return c
}
