package scenario

import (
	"fmt"
	"slices"

	"tagma/testnet/byzantine"
)

// Engines that scenarios run on, as --engine takes them and reports hold them.
const (
	OnProcesses = "processes"
	OnSim       = "sim"
)

// WhyNot says in one sentence why an engine, sim or processes, cannot run the scenario; "" if it can. An engine is never
// given what it does not really perform: a fault that a report calls fired happened.
func (s *Scenario) WhyNot(engine string) (line int, why string) {
	for _, e := range s.Events {
		if e.Do == FlipState {
			return e.Line, "flip-state turns a bit in a replica's memory, which no engine can do yet; leave it out, " +
				"or show a wrong state with the behaviour lying-checkpoint"
		}
	}
	if engine == OnProcesses {
		return s.whyNotProcesses()
	}
	for _, m := range s.Malicious {
		if byzantine.LinksOnly(m.Choice) {
			return m.Line, fmt.Sprintf("%s of %s attacks links below their messages, and the simulator has none; run it with --engine processes",
				m.Choice.Name, m.Who())
		}
	}
	return 0, ""
}

func (s *Scenario) whyNotProcesses() (line int, why string) {
	const mend = "run it with --engine sim"
	if len(s.Scripts) > 0 {
		return s.Scripts[0].Line, "scripts send single messages at exact moments, which only the simulator has; " + mend
	}
	for _, e := range s.Events {
		if e.BeforeSend != 0 {
			return e.Line, "before_send is a moment inside a replica, which only the simulator can stop at; " + mend
		}
		if slices.Contains([]string{LoseUnsynced, IOError}, e.Do) {
			return e.Line, fmt.Sprintf("%s needs a disk that obeys, which only the simulator has; %s", e.Do, mend)
		}
	}
	if len(s.Expect.Order) > 0 {
		return 0, "the expectation order follows single operations, which only the simulator does; " + mend
	}
	return 0, ""
}
