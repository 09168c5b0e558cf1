package explore

import (
	"fmt"
	"strings"

	"tagma/pbft/wire"
)

// Heading says what is about to be searched.
func Heading(o Options) string {
	text := fmt.Sprintf("views 0–%d, %d sequence number(s), %d crash(es)", o.Views-1, o.Slots, o.Crashes)
	if o.Above {
		text = strings.Replace(text, "sequence number(s)", "sequence number(s) above R", 1)
	}
	if o.Amnesia > 0 {
		text += fmt.Sprintf(", %d time(s) a replica forgets everything", o.Amnesia)
	}
	if o.Byzantine == Nobody {
		return text + fmt.Sprintf(", all %d replicas correct\n", o.Replicas)
	}
	return text + fmt.Sprintf(", one Byzantine replica of %d\n", o.Replicas)
}

// Line sums a run up in one line.
func (r Run) Line() string {
	end := "exhausted"
	switch {
	case r.Finding != nil:
		end = "FOUND"
	case !r.Complete:
		end = "given up"
	}
	return fmt.Sprintf("%s: %s after %d states, %d transitions, depth %d; %d fair continuations, the longest %.1f s and %d views; %.1f s\n",
		r.who(), end, r.States, r.Transitions, r.Depth, r.Fair, float64(r.FairLongest)/1000, r.ExtraViews, r.Seconds)
}

// who names the Byzantine replica of a search.
func (r Run) who() string {
	text := "all correct"
	if r.Byzantine != Nobody {
		text = fmt.Sprintf("r%d Byzantine", r.Byzantine)
	}
	if r.Amnesiac != Nobody {
		text += fmt.Sprintf(", r%d may forget", r.Amnesiac)
	}
	return text
}

// byzantineOf is what a search calls its Byzantine replica towards others.
func byzantineOf(id wire.ReplicaID) int {
	if id == nobody {
		return Nobody
	}
	return int(id)
}

// Summary gives the verdict, and the story of what was found.
func (d Document) Summary() string {
	var b strings.Builder
	for _, r := range d.Runs {
		if r.Finding != nil {
			b.WriteString("\n" + r.Finding.Text())
			fmt.Fprintf(&b, "again: tagma-testnet explore%s --replay %s\n", d.Bounds.flags(), r.Finding.Replay)
		}
	}
	switch d.Verdict {
	case Pass:
		fmt.Fprintf(&b, "pass: all %d states seen in %.1f s, nothing found\n", d.States, d.Seconds)
	case Incomplete:
		fmt.Fprintf(&b, "incomplete: nothing found in %d states, but not all were seen; raise --max-states (now %d) or lower the bounds\n",
			d.States, d.Bounds.MaxStates)
	default:
		fmt.Fprintf(&b, "fail: after %d states and %.1f s\n", d.States, d.Seconds)
	}
	return b.String()
}

// flags are those that a replay needs.
func (b Options) flags() string {
	text := fmt.Sprintf(" --views %d --slots %d --crashes %d", b.Views, b.Slots, b.Crashes)
	if b.Amnesia > 0 {
		text += fmt.Sprintf(" --amnesia %d", b.Amnesia)
	}
	if b.Above {
		text += " --above"
	}
	if b.Exact {
		text += " --exact"
	}
	return text
}

// Text tells a finding.
func (f Finding) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", f.What)
	for i, line := range f.Story {
		fmt.Fprintf(&b, "%3d  %s\n", i, line)
	}
	return b.String()
}
