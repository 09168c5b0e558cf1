package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cause is a reason for which nothing commits, or for which a replica does not follow.
type Cause struct {
	Code     Code   `json:"code"`
	Stops    bool   `json:"stops"`              // nothing commits because of it
	Text     string `json:"text"`               // a sentence: what is missing, and from whom
	Mend     string `json:"mend,omitempty"`     // what an operator can do about it, if anything
	Replicas []int  `json:"replicas,omitempty"` // whom it concerns
}

// Code names a cause for programs.
type Code string

// The causes in the order in which they are reported. If an earlier cause explains a later one, the later one is not
// reported.
const (
	CauseOtherCluster Code = "other-cluster" // some replicas use another cluster file than the asker
	CauseNoQuorum     Code = "no-quorum"     // too few replicas answer
	CauseAway         Code = "replica-away"  // a replica does not answer, but the others are enough
	CauseHalted       Code = "halted"        // more than f replicas lost what they had signed
	CauseKeyTwice     Code = "key-twice"     // two processes use one key
	// A replica may have forgotten what it signed, asks the others, and waits for their answers.
	CauseForgotten Code = "forgotten"
	CausePartition Code = "partition" // the replicas that answer are not linked with a quorum
	CauseSplit     Code = "split"     // states differ at a checkpoint
	CauseDiverged  Code = "diverged"  // a replica's own state is wrong
	CauseDiskSlow  Code = "disk-slow" // a replica waits for its disk
	CauseDiskFull  Code = "disk-full" // little room is left
	CauseExecuting Code = "executing" // an operation does not end
	// The window is full, and its next checkpoint does not have enough votes to become stable.
	CauseNoCheckpoint Code = "window-full"
	CauseNoViewChange Code = "view-change-lacks" // a view change does not have enough ViewChange messages
	CauseNoNewView    Code = "new-view-lacks"    // the next primary has not sent its NewView
	CauseNoBody       Code = "body-lacks"        // no replica that answers has the body of a batch that must be executed
	CauseClocksApart  Code = "clocks-apart"      // the primary's clock is ahead
	// No message comes from the primary, and the timer that runs has not ended.
	CausePrimarySilent Code = "primary-silent"
	CauseNotOrdered    Code = "request-not-ordered" // a request waits for the primary
	CauseNoVotes       Code = "votes-lack"          // a batch lacks votes
	CauseTransferring  Code = "transferring"        // a replica fetches the state
	CauseFollowing     Code = "following"           // a replica executes what others decide, or waits until it may vote
	CauseContradiction Code = "contradiction"       // two replicas' reports cannot both be true
	CauseRefusing      Code = "refusing"            // messages are not believed
)

// If a value exceeds one of these bounds, it counts as a cause.
const (
	slowTurn   = 2 * time.Second
	littleRoom = 256 << 20
	longWait   = 100 * time.Millisecond // for votes or an order: shorter waits are usual
)

// Why returns what keeps the cluster from committing, and single replicas from following: the most decisive cause first.
// Nothing is wrong if there is none. What a replica says of itself and of others is not proven.
func (s *Status) Why() []Cause {
	if s == nil {
		return nil
	}
	w := why{Status: s}
	for _, judge := range []func(){
		w.unreachable, w.keys, w.forgotten, w.links, w.states, w.disks, w.executing, w.window, w.viewChange, w.order, w.following,
		w.contradictions, w.refusing,
	} {
		judge()
	}
	slices.SortStableFunc(w.causes, func(a, b Cause) int { return cmp.Compare(rank(a), rank(b)) })
	return w.causes
}

// rank is 0 for a cause that keeps the whole cluster from committing.
func rank(c Cause) int {
	if c.Stops {
		return 0
	}
	return 1
}

type why struct {
	*Status
	causes []Cause
	stops  bool // a cause was found that keeps the cluster from committing
}

func (w *why) add(code Code, stops bool, replicas []int, mend, text string, args ...any) {
	w.causes = append(w.causes, Cause{code, stops, fmt.Sprintf(text, args...), mend, replicas})
	w.stops = w.stops || stops
}

// answering returns the replicas that sent a report and meet a condition.
func (w *why) answering(so func(*Replica) bool) (found []*Replica) {
	for i := range w.Replicas {
		if r := &w.Replicas[i]; r.Reachable && (so == nil || so(r)) {
			found = append(found, r)
		}
	}
	return found
}

func (w *why) unreachable() {
	var away, strangers []int
	var each []string
	for i := range w.Replicas {
		r := &w.Replicas[i]
		switch {
		case r.Reachable:
		case strings.Contains(r.Error, "another cluster"):
			strangers = append(strangers, r.Replica)
		default:
			away = append(away, r.Replica)
			each = append(each, fmt.Sprintf("replica %d%s: %s", r.Replica, w.awaySince(r.Replica), r.Unreachable()))
		}
	}
	if len(strangers) > 0 {
		w.add(CauseOtherCluster, w.Answered == 0, strangers, "ask with the cluster file of the running cluster",
			"%s have another cluster file than the one given", names(strangers))
	}
	if len(away) > 0 {
		code, needed := CauseAway, "which is enough"
		if w.Answered < w.Quorum {
			code, needed = CauseNoQuorum, fmt.Sprintf("and %d are needed to get anything done", w.Quorum)
		}
		w.add(code, code == CauseNoQuorum, away, "start them, or mend the way to them", "%d of %d replicas answer, %s: %s",
			w.Answered, len(w.Replicas), needed, strings.Join(each, "; "))
	}
}

// awaySince says since when the others have had no link with a replica: the longest time that one of them reports.
func (w *why) awaySince(id int) string {
	longest := int64(0)
	for _, r := range w.answering(nil) {
		for _, p := range r.Peers {
			if p.Replica == id && !p.Connected {
				longest = max(longest, p.SinceMillis)
			}
		}
	}
	if longest == 0 {
		return ""
	}
	return ", away for " + span(longest)
}

func (w *why) keys() {
	for _, r := range w.answering(func(r *Replica) bool { return len(r.Twice) > 0 }) {
		w.add(CauseKeyTwice, false, r.Twice, "stop one of the two, and give each machine a key of its own",
			"two processes run under the key of %s, as replica %d sees", names(r.Twice), r.Replica)
	}
	for _, r := range w.answering(func(r *Replica) bool { return r.KeyTwice }) {
		w.add(CauseKeyTwice, false, []int{r.Replica}, "stop one of the two, and give each machine a key of its own", "replica %d sees that another process runs under its key", r.Replica)
	}
}

func (w *why) forgotten() {
	if unclean := w.unclean(); len(unclean) > len(w.Replicas)-w.Quorum {
		w.add(CauseHalted, true, nil, "restore a backup as a new cluster", "replicas %s stopped before their last votes were durable, "+
			"more than the cluster can do without: it stays halted", strings.Join(unclean, ", "))
	}
	for _, r := range w.answering(func(r *Replica) bool { return r.Recovery != nil && r.Recovery.Phase == PhaseForgotten }) {
		rec := r.Recovery
		text := fmt.Sprintf("replica %d may have forgotten what it signed (%s) and asks the others: %d of %d that remember everything have answered",
			r.Replica, rec.Why, len(rec.Whole), rec.Needed)
		if len(rec.NoAnswer) > 0 {
			text += ", none has come from " + names(rec.NoAnswer)
		}
		if len(rec.LostToo) > 0 {
			text += ", and " + names(rec.LostToo) + " lost data too"
		}
		w.add(CauseForgotten, len(w.lost()) > len(w.Replicas)-w.Quorum, []int{r.Replica}, "start the others, with their disks", "%s", text)
	}
}

// links finds pairs of replicas that both answer but are not linked with each other.
func (w *why) links() {
	all := w.answering(func(r *Replica) bool { return r.Recovery == nil || r.Recovery.Phase != PhaseForgotten })
	if len(all) < w.Quorum {
		return
	}
	var groups [][]int
	for _, r := range all {
		i := slices.IndexFunc(groups, func(g []int) bool {
			return !slices.ContainsFunc(g, func(id int) bool { return !reach(r, &w.Replicas[id]) })
		})
		if i < 0 {
			groups = append(groups, []int{r.Replica})
		} else {
			groups[i] = append(groups[i], r.Replica)
		}
	}
	if len(groups) < 2 {
		return
	}
	most := 0
	var texts []string
	for _, g := range groups {
		most = max(most, len(g))
		texts = append(texts, names(g))
	}
	text := "these groups do not reach each other: %s"
	if most < w.Quorum {
		text += fmt.Sprintf("; none has the %d that are needed to get anything done", w.Quorum)
	}
	w.add(CausePartition, most < w.Quorum, nil, "mend the network between them", text, strings.Join(texts, " | "))
}

// reach reports whether both replicas are linked and receive each other's status messages. Links alone do not
// suffice: if a network drops everything that is sent, they stay open for minutes.
func reach(a, b *Replica) bool { return linked(a, b) && hears(a, b) && hears(b, a) }

// deaf is how many view timeouts may pass in which a replica receives no status message of another one, before the
// other counts as unreachable. Each replica sends four such messages in a view timeout.
const deaf = 4

// hears reports whether a replica has received a status message of another one lately. It is also true if one of them
// has just started.
func hears(a, b *Replica) bool {
	i := slices.IndexFunc(a.Peers, func(p Peer) bool { return p.Replica == b.Replica })
	if i < 0 || a.ViewTimeout == 0 || min(a.UptimeMillis, b.UptimeMillis) < settling {
		return true
	}
	return a.Peers[i].HeardMillis >= 0 && a.Peers[i].HeardMillis < deaf*a.ViewTimeout
}

func (w *why) states() {
	if one, other := w.differ(); one != other {
		w.add(CauseSplit, false, []int{one, other}, "verify both (tagma inspect), and repair the one that is wrong",
			"replicas %d and %d name different states at checkpoint %d: one of them lies or is damaged", one, other, w.Replicas[one].StableCheckpoint)
	}
	if r := w.split(); r != nil {
		w.add(CauseSplit, true, nil, "find the difference: docs/operations.md", "%s%s", r.Health, w.votes(r, r.Split))
	}
	for _, r := range w.answering(func(r *Replica) bool { return r.Diverged }) {
		w.add(CauseDiverged, false, []int{r.Replica}, "", "replica %d: its state contradicts a stable checkpoint; it takes the state from the others", r.Replica)
	}
}

// votes lists who announced which state at a checkpoint, as a replica heard it.
func (w *why) votes(r *Replica, seq uint64) string {
	if r.Waits == nil {
		return ""
	}
	for _, c := range r.Waits.Checkpoints {
		if c.Seq != seq {
			continue
		}
		var texts []string
		for _, v := range c.Votes {
			texts = append(texts, fmt.Sprintf("%.12s by %s", v.Digest, names(v.Replicas)))
		}
		return ": " + strings.Join(texts, ", ")
	}
	return ""
}

func (w *why) disks() {
	for _, r := range w.answering(nil) {
		if turn := time.Duration(r.TurnMillis) * time.Millisecond; turn >= slowTurn {
			w.add(CauseDiskSlow, false, []int{r.Replica}, "look after its disk", "replica %d waits for its disk: a turn has taken %s", r.Replica, span(r.TurnMillis))
		}
		if r.DiskFreeBytes > 0 && r.DiskFreeBytes < littleRoom {
			w.add(CauseDiskFull, false, []int{r.Replica}, "make room on it", "replica %d has %d MiB left on its disk", r.Replica, r.DiskFreeBytes>>20)
		}
	}
}

func (w *why) executing() {
	stuck := w.answering(func(r *Replica) bool { return r.Executing != nil })
	if len(stuck) == 0 {
		return
	}
	e := stuck[0].Executing
	w.add(CauseExecuting, len(stuck) > len(w.Replicas)-w.Quorum, ids(stuck), "if it does not end, refuse it (refused_requests, docs/operations.md)",
		"%s: executing batch %d for %d s: request %s of client %.16s does not end", names(ids(stuck)), e.Seq, e.Seconds, e.Request, e.Client)
}

func ids(replicas []*Replica) (all []int) {
	for _, r := range replicas {
		all = append(all, r.Replica)
	}
	return all
}

// names returns a text such as "replica 1", "replicas 1, 2", or "no replica".
func names(replicas []int) string {
	if len(replicas) == 0 {
		return "no replica"
	}
	var all []string
	for _, id := range replicas {
		all = append(all, fmt.Sprint(id))
	}
	if len(all) == 1 {
		return "replica " + all[0]
	}
	return "replicas " + strings.Join(all, ", ")
}

// span writes milliseconds for people.
func span(millis int64) string {
	d := time.Duration(millis) * time.Millisecond
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
