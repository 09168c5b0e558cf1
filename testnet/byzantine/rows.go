package byzantine

import (
	"cmp"
	"fmt"
	"slices"

	"tagma/testnet/byzantine/tamper"
)

// Row is one line of the catalogue of faults. A fault is a behaviour of replicas, a behaviour of clients, or something
// that a scenario does to machines, disks and links.
type Row struct {
	tamper.Behaviour
	Who Party  `json:"party"`
	Use string `json:"use,omitempty"` // how a scenario causes the fault, unless it is a behaviour
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

// Rows lists the whole catalogue by failure model, the mildest model first, and by name within a model.
func Rows() []Row {
	all := slices.Clone(faults)
	for _, b := range Catalogue() {
		all = append(all, Row{b, OfReplica, ""})
	}
	for _, b := range ClientBehaviours() {
		all = append(all, Row{b, OfClient, ""})
	}
	slices.SortStableFunc(all, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Model.Rank(), b.Model.Rank()), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Text returns the catalogue as text for people, by failure model.
func Text() string {
	text, model := "", Model("")
	for _, r := range Rows() {
		if r.Model != model {
			if model != "" {
				text += "\n"
			}
			model = r.Model
			text += fmt.Sprintf("%s: %s\n", model, model.Summary())
		}
		who := ""
		if r.Who != OfReplica {
			who = fmt.Sprintf("(%s) ", r.Who)
		}
		text += fmt.Sprintf("  %-20s %s%s\n", r.Name, who, r.Summary)
		for _, p := range r.Parameters {
			text += fmt.Sprintf("    %-18s %s (default %s)\n", p.Name, p.Summary, p.Default)
		}
		if r.Use != "" {
			text += fmt.Sprintf("    in a scenario      %s\n", r.Use)
		}
		text += fmt.Sprintf("    bound              %s\n", r.Bound)
	}
	return text
}

func fault(name string, model Model, who Party, use, summary, bound string) Row {
	return Row{tamper.Behaviour{Name: name, Model: model, Summary: summary, Bound: bound, Parameters: []Parameter{}}, who, use}
}

// faults are the rows of the faults that need no attacker.
var faults = []Row{
	fault("crash-recover", tamper.Crash, OfMachine, `event "kill", "restart"`,
		"SIGKILL, and later a start on the same disk",
		"primary lost: commits again within 3T"),
	fault("cluster-crash", tamper.Crash, OfMachine, `event "kill" with all replicas as targets`,
		"SIGKILL of every replica under load, and a start of all",
		"nothing acknowledged is lost; commits within 10 s of the restart"),
	fault("torn-write", tamper.Crash, OfMachine, `event "torn-write"`,
		"a crash amid a write: the unsynced end of the journal is cut",
		"a torn tail is normal: the replica goes on voting, and contradicts nothing that it signed"),
	fault("lost-fsync", tamper.Crash, OfMachine, `event "lose-unsynced"`,
		"a loss of power: what was not synced is gone, as a tail or as a hole",
		"never a conflicting vote; acknowledged operations survive"),
	fault("bit-rot", tamper.Crash, OfMachine, `event "bit-flip"`,
		"a bit of a synced record of the journal turns while the replica is down",
		"the replica notices at its start, recovers from the others, and never casts a conflicting vote"),
	fault("disk-full", tamper.Crash, OfMachine, `event "disk-full"`,
		"from some moment on every write fails",
		"the replica stops and sends nothing"),
	fault("io-error", tamper.Crash, OfMachine, `event "io-error"`,
		"from some moment on every sync fails",
		"the replica stops and sends nothing"),
	fault("partition", tamper.Omission, OfLinks, `event "partition", "isolate", "link"; "heal"`,
		"the network is parted: into groups, in one direction, or again and again",
		"commits within 4T of the healing"),
	fault("loss", tamper.Omission, OfLinks, "[network], event \"link\", [[rule]]",
		"links lose, double and reorder messages",
		"safety; liveness when it ends"),
	fault("delay", tamper.Timing, OfLinks, "[network], event \"link\", [[rule]]",
		"links are slow, or hold messages back",
		"safety; liveness when it ends"),
	fault("pause", tamper.Timing, OfMachine, `event "pause", "resume"`,
		"SIGSTOP, and some seconds later SIGCONT",
		"as a backup, without an accomplice, no view change"),
	fault("clock-jump", tamper.Timing, OfMachine, `event "clock-jump"`,
		"a replica's wall clock jumps",
		"clock behind: no view change is needed; ahead, as primary: at most one"),
	fault("amnesia", tamper.Crash, OfMachine, `event "wipe"; with the accomplice old-view-change`,
		"the data are gone, and the key is the same",
		"the replica votes again from its recovery point on, and not before; if more than f forget, nobody serves"),
	fault("flipped-state", tamper.Byzantine, OfMachine, `event "flip-state"`,
		"a bit turns in the state of a replica, which goes on and does not notice",
		"at most f replicas: the stable checkpoint is unaffected, and they fetch the state from the others and vote again; beside a liar: all report that no checkpoint can be stable"),
	fault("lost-state", tamper.Crash, OfMachine, `event "lose-state"`,
		"the state is gone, and the journal is there",
		"the replica goes on voting, and fetches the state from the others"),
	fault("rollback", tamper.Byzantine, OfMachine, `event "keep", "rollback"`,
		"an old copy of the whole home is put back",
		"the others show it what it signed since: it recovers, and takes part again"),
	fault("unmounted", tamper.Crash, OfMachine, `event "unmount", "mount"`,
		"the data disk is missing under a key that was used, at one replica or at all",
		"the replica says that its disk is missing; one recovers; if more than f lack theirs, nobody serves until the disks are back, and no data are lost"),
}
