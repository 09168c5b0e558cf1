package byzantine

import (
	"cmp"
	"slices"
)

// Row is one line of the catalogue of faults: a behaviour of replicas or of clients, or something that a scenario does to
// machines, disks and links.
type Row struct {
	Name       string
	Model      Model
	Who        Party
	Summary    string // one line
	Bound      string // what the cluster keeps up, beside safety; T is the view timeout
	Parameters []Parameter
	Use        string // how a scenario brings it about, unless it is a behaviour
}

// Party is what is faulty.
type Party string

// The parties.
const (
	OfReplica Party = "replica"
	OfClient  Party = "client"
	OfMachine Party = "machine" // a process and its disk
	OfLinks   Party = "links"
)

// Rows lists the whole catalogue: by failure model, the mildest first, and in each by name.
func Rows() []Row {
	all := append([]Row(nil), faults...)
	for _, b := range Catalogue() {
		all = append(all, Row{Name: b.Name, Model: b.Model, Who: OfReplica, Summary: b.Summary, Bound: b.Bound, Parameters: b.Parameters})
	}
	for _, b := range ClientBehaviours() {
		all = append(all, Row{Name: b.Name, Model: Byzantine, Who: OfClient, Summary: b.Summary, Bound: b.Bound, Parameters: b.Parameters})
	}
	slices.SortStableFunc(all, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Model.rank(), b.Model.rank()), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// faults are the rows that no attacker is needed for.
var faults = []Row{
	{
		Name: "crash-recover", Model: Crash, Who: OfMachine, Use: `event "kill", "restart"`,
		Summary: "SIGKILL, and later a start on the same disk",
		Bound:   "primary lost: commits again within 3T",
	},
	{
		Name: "cluster-crash", Model: Crash, Who: OfMachine, Use: `event "kill" with all replicas as targets`,
		Summary: "SIGKILL of every replica under load, and a start of all",
		Bound:   "nothing acknowledged is lost; commits within 10 s of the restart",
	},
	{
		Name: "torn-write", Model: Crash, Who: OfMachine, Use: `event "torn-write"`,
		Summary: "a crash amid a write: the unsynced end of the journal is cut",
		Bound:   "a torn tail is normal: it votes on, and contradicts nothing it said",
	},
	{
		Name: "lost-fsync", Model: Crash, Who: OfMachine, Use: `event "lose-unsynced"`,
		Summary: "a loss of power: what was not synced is gone, as a tail or as a hole",
		Bound:   "never a conflicting vote; acknowledged operations survive",
	},
	{
		Name: "bit-rot", Model: Crash, Who: OfMachine, Use: `event "bit-flip"`,
		Summary: "a bit of a synced record of the journal turns while the replica is down",
		Bound:   "noticed at the start: it recovers from the others, and never casts a conflicting vote",
	},
	{
		Name: "disk-full", Model: Crash, Who: OfMachine, Use: `event "disk-full"`,
		Summary: "every write fails from a moment on",
		Bound:   "the replica stops and sends nothing",
	},
	{
		Name: "io-error", Model: Crash, Who: OfMachine, Use: `event "io-error"`,
		Summary: "every sync fails from a moment on",
		Bound:   "the replica stops and sends nothing",
	},
	{
		Name: "partition", Model: Omission, Who: OfLinks, Use: `event "partition", "isolate", "link"; "heal"`,
		Summary: "replicas are parted: into groups, in one direction, again and again",
		Bound:   "commits within 4T of the healing",
	},
	{
		Name: "loss", Model: Omission, Who: OfLinks, Use: "[network], event \"link\", [[rule]]",
		Summary: "links lose, double and reorder messages",
		Bound:   "safety; liveness when it ends",
	},
	{
		Name: "delay", Model: Timing, Who: OfLinks, Use: "[network], event \"link\", [[rule]]",
		Summary: "links are slow, or hold messages back",
		Bound:   "safety; liveness when it ends",
	},
	{
		Name: "pause", Model: Timing, Who: OfMachine, Use: `event "pause", "resume"`,
		Summary: "SIGSTOP, and some seconds later SIGCONT",
		Bound:   "as a backup, without an accomplice, no view change",
	},
	{
		Name: "clock-jump", Model: Timing, Who: OfMachine, Use: `event "clock-jump"`,
		Summary: "a replica's wall clock jumps",
		Bound:   "behind: none needed; ahead, as primary: at most one view change",
	},
	{
		Name: "amnesia", Model: Crash, Who: OfMachine, Use: `event "wipe"; with the accomplice old-view-change`,
		Summary: "the data are gone, and the key is the same",
		Bound:   "it does not vote before its recovery point, and then it does; of more than f nobody serves",
	},
	{
		Name: "lost-state", Model: Crash, Who: OfMachine, Use: `event "lose-state"`,
		Summary: "the state is gone, and the journal is there",
		Bound:   "it votes on, and fetches the state from the others",
	},
	{
		Name: "rollback", Model: Byzantine, Who: OfMachine, Use: `event "keep", "rollback"`,
		Summary: "an old copy of the whole home is put back",
		Bound:   "the others show it what it signed since: it recovers, and takes part again",
	},
	{
		Name: "unmounted", Model: Crash, Who: OfMachine, Use: `event "unmount", "mount"`,
		Summary: "the data disk is missing under a key that was used, at one replica or at all",
		Bound:   "named; one recovers; of more than f nobody serves, and all is there when the disks are",
	},
}
