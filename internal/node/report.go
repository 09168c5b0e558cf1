package node

import (
	"encoding/hex"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"tagma/pbft/port"
)

// Report is a replica's account of itself, as `tagma status` shows it and Inquire returns it in JSON. Sequence numbers
// count batches; digests are hex; sizes are bytes.
type Report struct {
	Replica          int              `json:"replica"`
	View             uint64           `json:"view"`
	Active           bool             `json:"active"`
	Primary          int              `json:"primary"`
	Executed         uint64           `json:"executed"`
	StableCheckpoint uint64           `json:"stable_checkpoint"`
	StateDigest      string           `json:"state_digest"` // of the state after StableCheckpoint, as Q replicas certified it
	InFlight         uint64           `json:"in_flight"`    // sequence numbers known and not executed
	Pending          int              `json:"pending"`      // requests waiting for order
	Connected        []int            `json:"connected"`    // other replicas with a link both ways
	Clients          int              `json:"clients"`      // client links
	Health           string           `json:"health"`       // ok, or what is wrong
	Convicted        []ConvictedEntry `json:"convicted"`    // replicas proven to lie
	ViewChanges      uint64           `json:"view_changes"` // views that became active since the start
	Received         uint64           `json:"received"`     // messages of replicas believed
	Refused          uint64           `json:"refused"`      // messages not believed: malformed, unsigned, foreign
	JournalBytes     int64            `json:"journal_bytes"`
	StoreBytes       int64            `json:"store_bytes"`
	ResidentBytes    int64            `json:"rss_bytes"`
	UptimeMillis     int64            `json:"uptime_ms"`
	Process          int              `json:"pid"`
	Recovery         *Recovery        `json:"recovery,omitempty"` // how the replica comes back; left out when it is back
}

// ConvictedEntry names a replica and what it is proven to have done.
type ConvictedEntry struct {
	Replica int    `json:"replica"`
	Kind    string `json:"kind"`
}

// Report tells how this replica is. It may be called from any goroutine.
func (n *Node) Report() Report {
	in := n.inspection()
	r := Report{
		Replica: int(n.home.Config.Self), View: uint64(in.View), Active: in.Active, Primary: int(in.Primary),
		Executed: uint64(in.Executed), StableCheckpoint: uint64(in.Stable), StateDigest: hex.EncodeToString(in.StateDigest[:]),
		InFlight: uint64(max(in.Seen, in.Executed) - in.Executed), Pending: in.Pending,
		Connected: []int{}, Clients: n.host.Clients().Links, Convicted: []ConvictedEntry{},
		ViewChanges: n.counts.views.Load(), Received: n.counts.received.Load(), Refused: n.counts.refused.Load(),
		ResidentBytes: residentBytes(), UptimeMillis: n.now().Milliseconds(), Process: os.Getpid(),
	}
	for id, p := range n.host.Peers() {
		if id != r.Replica && p.Connected && p.Inbound {
			r.Connected = append(r.Connected, id)
		}
	}
	for id, kind := range n.witness.convictions() {
		r.Convicted = append(r.Convicted, ConvictedEntry{int(id), string(kind)})
	}
	sort.Slice(r.Convicted, func(i, j int) bool { return r.Convicted[i].Replica < r.Convicted[j].Replica })
	r.JournalBytes = dirBytes(n.home.path(JournalDir))
	r.StoreBytes = n.storeBytes()
	r.Recovery = n.recovery(in)
	r.Health = n.health(&r)
	return r
}

// healthy is the health of a replica that nothing is wrong with.
const healthy = "ok"

// health is healthy, or the worst thing that is known to be wrong.
func (n *Node) health(r *Report) string {
	in := n.inspection()
	needed := n.home.Config.Quorum() - 1
	behind := n.stableElsewhere(in)
	switch rec := r.Recovery; {
	case rec != nil && rec.Phase == PhaseForgotten:
		return "may have forgotten what it signed: " + rec.Why
	case in.Diverged && !in.LeftBehind:
		return "state contradicts a stable checkpoint"
	case len(r.Connected) < needed:
		return "too few replicas connected: " + strconv.Itoa(len(r.Connected)) + " of the " + strconv.Itoa(needed) + " needed"
	case in.Asking:
		return "asking the others what it signed"
	case in.LeftBehind:
		return "fetching the state from the others"
	case in.Silent:
		return "silent until checkpoint " + strconv.FormatUint(uint64(in.Until), 10) + ": it had forgotten what it signed"
	case behind > r.Executed:
		return "catching up"
	case !in.Active:
		return "changing views"
	}
	return healthy
}

// stableElsewhere is the highest checkpoint that f+1 others claim to be stable or have passed, so that a correct one does.
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

// dirBytes sums the sizes of the files directly in a directory.
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

// residentBytes is this process's resident memory, 0 where the system does not tell.
func residentBytes() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
