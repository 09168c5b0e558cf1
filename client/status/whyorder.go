package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The causes that stop ordering: what the window, a view change or a batch waits for.

// window looks for a window that has no room although everything in it is executed.
func (w *why) window() {
	full := w.answering(func(r *Replica) bool { return r.Waits != nil && r.Waits.Full && r.Handed == r.Executed && r.Split == 0 })
	if len(full) == 0 || w.stops {
		return
	}
	r := slices.MaxFunc(full, func(a, b *Replica) int { return cmp.Compare(a.StableCheckpoint, b.StableCheckpoint) })
	text := fmt.Sprintf("the window of %s is full, and only a stable checkpoint makes room: ", names(ids(full)))
	if len(r.Waits.Checkpoints) == 0 {
		w.add(CauseNoCheckpoint, len(full) > len(w.Replicas)-w.Quorum, nil, "", "%snobody has announced its state at a checkpoint", text)
		return
	}
	next := r.Waits.Checkpoints[0]
	var voted []int
	for _, v := range next.Votes {
		voted = append(voted, v.Replicas...)
	}
	missing := w.others(voted)
	w.add(CauseNoCheckpoint, len(full) > len(w.Replicas)-w.Quorum, missing, "bring them back", "%scheckpoint %d has the votes of %s and needs %d; %s lack",
		text, next.Seq, names(voted), w.Quorum, names(missing))
}

// others are the replicas that are not listed.
func (w *why) others(listed []int) (missing []int) {
	for i := range w.Replicas {
		if !slices.Contains(listed, i) {
			missing = append(missing, i)
		}
	}
	return missing
}

// viewChange looks at the highest view that some replica is changing to.
func (w *why) viewChange() {
	changing := w.answering(func(r *Replica) bool {
		return r.Waits != nil && !r.Active && (r.Recovery == nil || r.Recovery.Phase != PhaseAsking)
	})
	if len(changing) == 0 {
		return
	}
	stops := len(changing) > len(w.Replicas)-w.Quorum
	view := slices.MaxFunc(changing, func(a, b *Replica) int { return cmp.Compare(a.View, b.View) }).View
	held := map[int]bool{}
	var at []*Replica
	for _, r := range changing {
		if r.View == view {
			at = append(at, r)
			for _, id := range r.Waits.ViewChanges {
				held[id] = true
			}
		}
	}
	have, where := slices.Sorted(maps.Keys(held)), "there are"
	primary := at[0].Primary
	// This replica needs the missing messages, because it is the next primary.
	if i := slices.IndexFunc(at, func(r *Replica) bool { return r.Replica == primary }); i >= 0 {
		have, where = at[i].Waits.ViewChanges, fmt.Sprintf("its primary, replica %d, has", primary)
	}
	those := fmt.Sprintf("%s those of %s, and none of %s", where, names(have), names(w.others(have)))
	if len(have) == 0 {
		those = where + " none yet"
	}
	before := ""
	if len(at) < len(changing) {
		before = fmt.Sprintf("; %s change to an earlier one", names(w.apart(ids(changing), ids(at))))
	}
	switch {
	case len(have) < w.Quorum:
		w.add(CauseNoViewChange, stops, w.others(have), "bring them back", "%s moved to view %d, which needs the ViewChange messages of %d: %s%s",
			names(ids(at)), view, w.Quorum, those, before)
	default:
		w.add(CauseNoNewView, stops, []int{primary}, "", "replica %d, the primary of view %d, has not started it, though the ViewChange messages of %s are there%s%s",
			primary, view, names(have), w.until(at), before)
	}
}

func (w *why) apart(all, without []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(id int) bool { return slices.Contains(without, id) })
}

// until returns when the first of these replicas will suspect the primary, and which of them suspect it already.
func (w *why) until(of []*Replica) string {
	soonest, suspecting := int64(-1), map[int]bool{}
	for _, r := range of {
		if r.Waits.Timer != "" && (soonest < 0 || r.Waits.LeftMillis < soonest) {
			soonest = r.Waits.LeftMillis
		}
		for _, id := range r.Waits.Suspects {
			suspecting[id] = true
		}
	}
	text := ""
	if n := len(suspecting); n > 0 {
		text = fmt.Sprintf("; %s suspect it, and %d together change the view", names(slices.Sorted(maps.Keys(suspecting))), len(w.Replicas)-w.Quorum+1)
	} else if soonest >= 0 {
		text = fmt.Sprintf("; it is suspected in %s", span(soonest))
	}
	return text
}

// order looks at the first batch that is not committed in the active view, and at the oldest request.
func (w *why) order() {
	view, _ := w.view()
	active := w.answering(func(r *Replica) bool { return r.Waits != nil && r.Active && r.View == view && r.Executing == nil })
	if len(active) == 0 || w.stops {
		return
	}
	primary := active[0].Primary
	var behind []*Replica // whose first batch waits
	for _, r := range active {
		if len(r.Waits.Slots) > 0 {
			behind = append(behind, r)
		}
	}
	if ahead := slices.DeleteFunc(slices.Clone(behind), func(r *Replica) bool { return r.Waits.Slots[0].AheadMillis == 0 }); len(ahead) > 0 {
		w.add(CauseClocksApart, len(ahead) > len(w.Replicas)-w.Quorum, []int{primary}, "set the clocks (NTP)",
			"the clock of replica %d, the primary, is %s further ahead of that of %s than clocks may be apart, so that they wait with what it orders%s",
			primary, span(ahead[0].Waits.Slots[0].AheadMillis), names(ids(ahead)), w.until(ahead))
		return
	}
	if w.silent(active, primary) || len(behind) > 0 && w.votesLack(behind) {
		return
	}
	w.withheld(active, primary)
}

// silent looks for a primary of which no message arrives.
func (w *why) silent(active []*Replica, primary int) bool {
	var silent []*Replica
	for _, r := range active {
		if r.Replica != primary && r.Waits.Silence && r.Waits.LeftMillis < r.Waits.TimerMillis/2 {
			silent = append(silent, r)
		}
	}
	if len(silent) <= len(w.Replicas)-w.Quorum { // they are too few to change the view, and the others continue
		return false
	}
	waits := silent[0].Waits
	w.add(CausePrimarySilent, true, []int{primary}, "", "%s heard nothing of replica %d, the primary of view %d, for %s%s",
		names(ids(silent)), primary, silent[0].View, span(waits.TimerMillis-waits.LeftMillis), w.until(silent))
	return true
}

// votesLack looks at the lowest batch that is not handed to execution, and reads its votes from the report of the
// replica that has the most.
func (w *why) votesLack(behind []*Replica) bool {
	first := slices.MinFunc(behind, func(a, b *Replica) int { return cmp.Compare(a.Waits.Slots[0].Seq, b.Waits.Slots[0].Seq) }).Waits.Slots[0].Seq
	best := Slot{Seq: first}
	accepted, body := false, false
	for _, r := range behind {
		for _, s := range r.Waits.Slots {
			if s.Seq != first {
				continue
			}
			accepted, body, best.ForMillis = accepted || s.Accepted, body || s.Body, max(best.ForMillis, s.ForMillis)
			if len(s.Prepares) > len(best.Prepares) {
				best.Prepares = s.Prepares
			}
			if len(s.Commits) > len(best.Commits) {
				best.Commits = s.Commits
			}
		}
	}
	if !accepted || best.ForMillis < longWait.Milliseconds() {
		return false
	}
	stops := len(behind) > len(w.Replicas)-w.Quorum
	after := fmt.Sprintf("for %s%s", span(best.ForMillis), w.until(behind))
	if !body {
		w.add(CauseNoBody, stops, w.others(ids(behind)), "bring back a replica that has it", "batch %d waits for its requests, which none of %s holds, %s",
			first, names(ids(behind)), after)
		return true
	}
	votes, what := best.Prepares, "waits for prepares"
	if len(best.Prepares) >= w.Quorum {
		votes, what = best.Commits, "is prepared and waits for commits"
	}
	w.add(CauseNoVotes, stops, w.others(votes), "bring them back", "batch %d %s: there are those of %s, and %d are needed; %s lack, %s",
		first, what, names(votes), w.Quorum, names(w.others(votes)), after)
	return true
}

// withheld looks for requests that the primary does not order.
func (w *why) withheld(active []*Replica, primary int) {
	var waiting []*Replica
	longest := int64(0)
	for _, r := range active {
		if q := r.Waits.Request; r.Replica != primary && q != nil && q.ForMillis >= longWait.Milliseconds() {
			waiting = append(waiting, r)
			longest = max(longest, q.ForMillis)
		}
	}
	if len(waiting) > 0 {
		q := waiting[0].Waits.Request
		w.add(CauseNotOrdered, true, []int{primary}, "", "replica %d, the primary of view %d, has not ordered request %d of client %.16s for %s, as %s know%s",
			primary, waiting[0].View, q.Number, q.Client, span(longest), names(ids(waiting)), w.until(waiting))
	}
}

// following looks for replicas that do not vote or do not execute yet.
func (w *why) following() {
	for _, r := range w.answering(func(r *Replica) bool { return r.Recovery != nil && r.Recovery.Phase != PhaseForgotten }) {
		rec := r.Recovery
		switch t := rec.Transfer; {
		case t != nil:
			text := fmt.Sprintf("replica %d is behind and fetches the state after batch %d from %s: %.0f %%, %d MiB", r.Replica, t.Checkpoint, names(t.Donors), t.Share*100, t.Bytes>>20)
			if t.RemainingMillis > 0 {
				text += ", " + span(t.RemainingMillis) + " left"
			}
			w.add(CauseTransferring, false, []int{r.Replica}, "", "%s", text)
		case rec.Phase == PhaseFetching:
			w.add(CauseTransferring, false, []int{r.Replica}, "", "replica %d is behind and looks for a checkpoint of the others to fetch", r.Replica)
		case rec.SilentUntil > 0:
			w.add(CauseFollowing, false, []int{r.Replica}, "", "replica %d signs nothing before checkpoint %d is stable, since it may have signed something that it forgot",
				r.Replica, rec.SilentUntil)
		case rec.Phase == PhaseAsking:
			w.add(CauseFollowing, false, []int{r.Replica}, "", "replica %d asks the others whether it lacks something that it signed", r.Replica)
		default:
			w.add(CauseFollowing, false, []int{r.Replica}, "", "replica %d executes what the others decide and catches up", r.Replica)
		}
	}
	for _, r := range w.answering(func(r *Replica) bool { return r.LeftView != nil }) {
		w.add(CauseFollowing, false, []int{r.Replica}, "", "replica %d left view %d with too few others: it executes, and votes again after the next view change",
			r.Replica, *r.LeftView)
	}
}

// contradictions looks for pairs of replicas whose reports about their link differ.
func (w *why) contradictions() {
	for _, a := range w.answering(nil) {
		for _, b := range w.answering(func(b *Replica) bool { return b.Replica > a.Replica }) {
			if time.Duration(min(a.UptimeMillis, b.UptimeMillis))*time.Millisecond < settling*time.Millisecond {
				continue
			}
			one, other := a, b
			if slices.Contains(b.Connected, a.Replica) {
				one, other = b, a
			}
			if slices.Contains(one.Connected, other.Replica) && !slices.Contains(other.Connected, one.Replica) {
				w.add(CauseContradiction, false, []int{one.Replica, other.Replica}, "", "replica %d says that it is linked with replica %d, which says that it is not",
					one.Replica, other.Replica)
			}
		}
	}
}

// refusing describes which messages replicas refused.
func (w *why) refusing() {
	for _, r := range w.answering(nil) {
		for _, f := range r.Refusals {
			w.add(CauseRefusing, false, []int{r.Replica, f.From}, "", "replica %d has refused %d messages of replica %d: %s", r.Replica, f.Count, f.From, f.Reason)
		}
	}
}
