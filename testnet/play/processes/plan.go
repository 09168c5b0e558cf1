package processes

import (
	"context"
	"fmt"
	"slices"

	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// plan puts attackers, rules and events into one timetable.
func (r *run) plan() (*timetable, error) {
	t := &timetable{}
	if n := r.s.Network; n.Loss > 0 || n.Duplicate > 0 || n.Reorder > 0 {
		t.acts = append(t.acts, &act{
			what: "a network that loses, doubles or swaps frames", fault: true, do: nothing, proof: r.touched(links.Network),
		})
	}
	numbers := make(map[int]int) // by replica: dormant behaviours so far
	for i := range r.s.Malicious {
		if m := &r.s.Malicious[i]; m.Client != nil {
			t.acts = append(t.acts, r.misuse(m)...)
		} else {
			number := numbers[int(m.Replica)]
			numbers[int(m.Replica)]++
			t.acts = append(t.acts, r.betray(m, number)...)
		}
	}
	for i := range r.s.Rules {
		t.acts = append(t.acts, r.rule(&r.s.Rules[i])...)
	}
	for i := range r.s.Events {
		t.acts = append(t.acts, r.event(&r.s.Events[i]))
	}
	slices.SortStableFunc(t.acts, func(a, b *act) int { return int(a.due - b.due) })
	return t, nil
}

func nothing(context.Context) error { return nil }

// touched proves that a change of the links touched frames.
func (r *run) touched(id string) func() bool {
	return func() bool {
		for replica := range r.s.Replicas {
			if r.cluster.Counts(replica).Frames[id] > 0 {
				return true
			}
		}
		return false
	}
}

// betray wakes a replica's behaviour, and puts it back to sleep if it has an end.
func (r *run) betray(m *scenario.Malicious, number int) []*act {
	id := int(m.Replica)
	turn := func(on bool) func(context.Context) error {
		return func(ctx context.Context) error { return r.cluster.Switch(ctx, id, number, on) }
	}
	begin := &act{
		what: fmt.Sprintf("replica%d: %s", id, m.Choice), line: m.Line, due: m.From, fault: true, late: true,
		proof: func() bool {
			lies := r.cluster.Counts(id).Lies
			return number < len(lies) && lies[number] > 0
		},
	}
	begin.do = r.announced(begin, turn(true))
	if m.Until == 0 {
		return []*act{begin}
	}
	end := &act{what: fmt.Sprintf("replica%d: the end of %s", id, m.Choice.Name), line: m.Line, due: m.Until, ends: true}
	end.do = r.announced(end, turn(false))
	return []*act{begin, end}
}

// rule begins a rule. Its end by time is the policy's own matter; it is in the table for those that wait for it.
func (r *run) rule(rule *scenario.Rule) []*act {
	begin := &act{
		what: fmt.Sprintf("%s (%s)", rule.ID(), rule.Action), line: rule.Line, due: rule.At, fault: true, late: true,
		proof: r.touched(rule.ID()),
	}
	begin.do = r.announced(begin, func(ctx context.Context) error {
		command := rule.Command()
		if rule.UntilTime > 0 {
			command.Rule.Until += r.cluster.Since() - r.since() // the links' time began with the cluster
		}
		return r.cluster.Order(ctx, command)
	})
	if rule.UntilTime == 0 {
		return []*act{begin}
	}
	return []*act{begin, {what: "the end of " + rule.ID(), line: rule.Line, due: rule.UntilTime, ends: true, do: nothing}}
}

// event does what an event says.
func (r *run) event(e *scenario.Event) *act {
	a := &act{
		what: e.What(), line: e.Line, due: e.At, after: e.AfterOperations, fault: e.Fault(),
		calm: e.Calm(), ends: e.Undoes,
	}
	do := r.deed(e, a)
	if commands := e.Commands(); len(commands) > 0 {
		do = func(ctx context.Context) error {
			for _, c := range commands {
				if _, err := r.links.Do(0, c); err != nil {
					return err
				}
				if err := r.cluster.Order(ctx, c); err != nil {
					return err
				}
			}
			return nil
		}
		if e.TouchesFrames() {
			a.proof = r.touched(e.ID())
		}
	}
	a.do = r.announced(a, do)
	return a
}

// announced does something and tells of it.
func (r *run) announced(a *act, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := do(ctx)
		if err != nil {
			r.say(play.Bad, "%s: %v", a.what, err)
			return err
		}
		r.say(play.Fired, "%s", a.what)
		return nil
	}
}
