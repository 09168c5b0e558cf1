package node

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"tagma/checkpoint/store"
	"tagma/client/status"
	"tagma/pbft/port"
)

// Report returns this replica's report on itself. It may be called from any goroutine.
func (n *Node) Report() Report {
	in := n.inspection()
	r := Report{
		Replica: int(n.home.Config.Self), View: uint64(in.View), Active: in.Active, Primary: int(in.Primary),
		Handed: uint64(in.Handed), Executed: uint64(in.Executed), StableCheckpoint: uint64(in.Stable), StateDigest: hex.EncodeToString(in.StateDigest[:]),
		LeftBehind: in.LeftBehind, InFlight: uint64(max(in.Seen, in.Executed) - in.Executed), Pending: in.Pending,
		Connected: []int{}, Twice: []int{}, Clients: n.host.Clients().Links, Convicted: []ConvictedEntry{},
		ViewChanges: n.counts.views.Load(), Received: n.counts.received.Load(), Refused: n.counts.refused.Load(),
		UptimeMillis: n.now().Milliseconds(), Process: os.Getpid(),
	}
	anonymous, mapped := resident()
	r.ResidentBytes, r.AnonymousBytes = anonymous+mapped, anonymous
	for id, p := range n.host.Peers() {
		if id != r.Replica && p.Connected && p.Inbound {
			r.Connected = append(r.Connected, id)
		}
		if p.Twice {
			r.Twice = append(r.Twice, id)
		}
	}
	for id, kind := range n.witness.convictions() {
		r.Convicted = append(r.Convicted, ConvictedEntry{Replica: int(id), Kind: string(kind)})
	}
	sort.Slice(r.Convicted, func(i, j int) bool { return r.Convicted[i].Replica < r.Convicted[j].Replica })
	r.Split, r.Executing, r.HungReads = uint64(in.Split), n.overdue(), n.past.hung()
	r.Durability = n.home.Cluster.Protocol.Durability.String()
	r.JournalBytes = dirBytes(n.home.path(JournalDir))
	r.StoreBytes = n.storeBytes()
	if i := n.instance.Load(); i != nil {
		r.StateVersion, r.OldestVersion, r.NewestVersion = i.service.Versions()
		if h, err := i.service.Held(); err == nil && h.Transactions > 0 {
			r.Held = &status.Held{Transactions: h.Transactions, Locks: h.Locks, OldestSeconds: h.Oldest.Seconds()}
		}
	}
	r.Recovery = n.recovery(in)
	r.Quorum, r.Peers, r.Waits, r.Refusals = n.home.Config.Quorum(), n.peers(in), waits(in), n.counts.refusedByPeer()
	r.KeyTwice, r.Diverged, r.ViewTimeout = n.host.Twice(), in.Diverged && !in.LeftBehind, n.home.Config.ViewTimeout.Milliseconds()
	if view, left := n.leftView(in); left && !in.Active {
		r.LeftView = &view
	}
	r.TurnMillis, r.DiskFreeBytes = n.stalled().Milliseconds(), freeBytes(n.home.Data)
	r.Health = n.health(&r)
	return r
}

// Metrics returns the metrics that the admin address serves. It may be called from any goroutine.
func (n *Node) Metrics() prometheus.Gatherer { return n.metrics.registry }

// Reports have the types that clients read.
type (
	// Report is what a replica reports about itself.
	Report = status.Report
	// ConvictedEntry names a replica and what it is proven to have done.
	ConvictedEntry = status.Conviction
	// Executing is a batch whose execution takes too long.
	Executing = status.Executing
	// Recovery says how a replica comes back.
	Recovery = status.Recovery
	// RecoveryPhase is the step of its recovery at which a replica is.
	RecoveryPhase = status.Phase
	// Transfer says how far the fetching of a state is.
	Transfer = status.Transfer
)

// Healthy is the health of a replica with which nothing is wrong; the other constants are the phases of a recovery.
const (
	Healthy        = status.Healthy
	PhaseForgotten = status.PhaseForgotten
	PhaseAsking    = status.PhaseAsking
	PhaseFetching  = status.PhaseFetching
	PhaseSilent    = status.PhaseSilent
	PhaseFollowing = status.PhaseFollowing
)

// health returns Healthy, or the worst problem that is known.
func (n *Node) health(r *Report) string {
	in := n.inspection()
	needed := n.home.Config.Quorum() - 1
	behind := n.stableElsewhere(in)
	switch rec := r.Recovery; {
	case rec != nil && rec.Phase == PhaseForgotten:
		return "may have forgotten what it signed: " + rec.Why
	case in.Halted:
		return "power cut: not durable: " + haltedText(in)
	case r.Diverged:
		return "state contradicts a stable checkpoint"
	case r.Split > 0:
		return "replicas disagree on the state after " + strconv.FormatUint(r.Split, 10) +
			": the machine is not deterministic, or disks are damaged"
	case r.Executing != nil:
		return fmt.Sprintf("executing batch %d for %d s: request %s", r.Executing.Seq, r.Executing.Seconds, r.Executing.Request)
	case r.KeyTwice:
		return "another process runs under this replica's key; stop one of the two"
	case len(r.Connected) < needed:
		return "too few replicas connected: " + strconv.Itoa(len(r.Connected)) + " of the " + strconv.Itoa(needed) + " needed" + n.others()
	case in.Asking:
		return "asking the others what it signed"
	case in.LeftBehind:
		return "fetching the state from the others"
	case in.Unclean:
		return "silent until checkpoint " + strconv.FormatUint(uint64(in.Until), 10) + ": it stopped before its last votes were durable"
	case in.Silent:
		return "silent until checkpoint " + strconv.FormatUint(uint64(in.Until), 10) + ": it had forgotten what it signed"
	case behind > r.Handed:
		return "catching up"
	case !in.Active:
		if r.LeftView != nil {
			return fmt.Sprintf("left view %d with too few others: it executes, and votes again after the next view change", *r.LeftView)
		}
		return "changing views"
	}
	return Healthy
}

// leftView is the view that this replica left although at least f+1 others are still active in it. Then the view change
// of this replica lasts until the others change views, too, because the suspicions that caused it do not count any more
// (V7).
func (n *Node) leftView(in *port.Inspection) (view uint64, left bool) {
	staying := map[uint64]int{}
	for _, p := range in.Peers {
		if p.Heard && p.Age < 4*n.home.Config.ViewTimeout && p.Active && p.View < in.View {
			view := uint64(p.View)
			if staying[view]++; staying[view] >= n.home.Config.Weak() {
				return view, true
			}
		}
	}
	return 0, false
}

// others names the replicas that are not connected because their lists of refused requests differ.
func (n *Node) others() string {
	var ids []string
	for id, p := range n.host.Peers() {
		if !p.Connected && strings.HasSuffix(p.LastError, otherRefused) {
			ids = append(ids, strconv.Itoa(id))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return "; another list of refused requests have replicas " + strings.Join(ids, " ")
}

// haltedText says which replicas have lost votes that they had sent, and what to do (D8.14).
func haltedText(in *port.Inspection) string {
	return fmt.Sprintf("replicas %s lost votes as this one did, more than the cluster masks: it stays halted, and what was acknowledged"+
		" last may be gone; only a restore as a new cluster helps (tagma restore)", strings.Trim(fmt.Sprint(idsOf(in.Lost)), "[]"))
}

// stableElsewhere returns the highest checkpoint of which f+1 other replicas say that it is stable or that they are
// beyond it. At least one of them is correct.
func (n *Node) stableElsewhere(in *port.Inspection) uint64 {
	claims := make([]uint64, 0, len(in.Peers))
	for _, p := range in.Peers {
		if p.Heard && p.Age < 4*n.home.Config.ViewTimeout {
			claims = append(claims, uint64(p.Stable))
		}
	}
	slices.Sort(claims)
	if weak := n.home.Config.Weak(); len(claims) >= weak {
		return claims[len(claims)-weak]
	}
	return 0
}

// freeBytes is how much may still be written to the file system of a directory, 0 if the system does not say.
func freeBytes(dir string) int64 {
	free, err := store.FreeBytes(dir)
	if err != nil {
		return 0
	}
	return free
}

// dirBytes returns the sum of the sizes of the files in a directory, without its subdirectories.
func dirBytes(dir string) int64 {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	sum := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
