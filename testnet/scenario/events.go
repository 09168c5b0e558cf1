package scenario

import (
	"fmt"
	"slices"
	"strings"

	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// What an event does. Disk damage stops a replica that runs: a disk is damaged while nobody writes to it.
const (
	Kill         = "kill" // SIGKILL
	Restart      = "restart"
	Pause        = "pause" // SIGSTOP
	Resume       = "resume"
	Start        = "start"         // for the first time, of an absent one
	Wipe         = "wipe"          // the data are gone, the key and the file life beside it are still there
	LoseState    = "lose-state"    // the state is gone, the journal is still there
	Unmount      = "unmount"       // the data are elsewhere until they are mounted
	Mount        = "mount"         // the data are back, unless others have taken their place
	Keep         = "keep"          // a copy of the whole home is taken
	Rollback     = "rollback"      // the copy takes the place of the home
	BitFlip      = "bit-flip"      // of a synced record of the journal
	TornWrite    = "torn-write"    // a crash amid a write: its unsynced end is cut
	LoseUnsynced = "lose-unsynced" // a loss of power: nothing unsynced is there
	DiskFull     = "disk-full"     // every write fails from now on
	IOError      = "io-error"      // every sync fails from now on
	Partition    = "partition"
	Heal         = "heal"
	Isolate      = "isolate"
	ChangeLink   = "link"
	ClockJump    = "clock-jump" // of the wall clock
	FlipState    = "flip-state" // a bit of the executed state in memory
	Submit       = "submit"
	StopClients  = "stop-clients"
	StartClients = "start-clients"
	Release      = "release"
)

// acts lists everything that an event can do.
var acts = []string{
	Kill, Restart, Start, Pause, Resume, Wipe, LoseState, Unmount, Mount, Keep, Rollback, BitFlip, TornWrite, LoseUnsynced, DiskFull, IOError, Partition, Heal, Isolate,
	ChangeLink, ClockJump, FlipState, Submit, StopClients, StartClients, Release,
}

// Acts lists everything that an event can do, whether an engine can perform it or not.
func Acts() []string { return slices.Clone(acts) }

// opposite ends what an event began.
var opposite = map[string]string{
	Kill: Restart, Pause: Resume, Partition: Partition, Isolate: Heal, ChangeLink: ChangeLink, StopClients: StartClients,
	LoseUnsynced: Restart, TornWrite: Restart, Wipe: Restart, LoseState: Restart, BitFlip: Restart, Rollback: Restart,
}

// What describes the event in a few words, such as "kill replica1".
func (e *Event) What() string {
	what := []string{e.Do}
	switch {
	case e.Do == Partition && e.Ring:
		what = append(what, "into a ring")
	case e.Do == Partition && len(e.Groups) == 0:
		what = []string{"end of the partition"}
	case e.Do == Partition:
		what = append(what, fmt.Sprint(e.Groups))
	case e.Do == ChangeLink && e.Heal:
		what = append(what, fmt.Sprintf("healed %v to %v", e.From, e.To))
	case e.Do == ChangeLink:
		what = append(what, fmt.Sprintf("%v to %v", e.From, e.To))
	case e.Do == Release:
		what = append(what, e.Name)
	case e.Do == Submit:
		what = append(what, fmt.Sprintf("%d operations", len(e.Submit)))
	case e.Do == ClockJump:
		what = append(what, "by", e.By.String(), "of")
	}
	if e.Do == Isolate && e.Direction != links.Both {
		what = append(what, map[links.Direction]string{links.In: "(deaf)", links.Out: "(mute)"}[e.Direction])
	}
	for _, id := range e.Targets {
		what = append(what, fmt.Sprintf("replica%d", id))
	}
	if e.BeforeSend != 0 {
		what = append(what, "before it sends a "+e.BeforeSend.String())
	}
	return strings.Join(what, " ")
}

// Calm reports whether the event harms nobody, so that there is nothing to recover from.
func (e *Event) Calm() bool {
	return slices.Contains([]string{Submit, StopClients, StartClients, Keep}, e.Do)
}

// Forgets reports whether its targets may have forgotten what they signed, so that their next start has to notice it (D8.3).
func (e *Event) Forgets() bool {
	return slices.Contains([]string{Wipe, Unmount, Rollback, BitFlip}, e.Do)
}

// Restarts reports whether all targets of an event are started after it.
func (s *Scenario) Restarts(e *Event) bool {
	return !slices.ContainsFunc(e.Targets, func(id wire.ReplicaID) bool {
		return !slices.ContainsFunc(s.Events, func(o Event) bool {
			return o.Do == Restart && slices.Contains(o.Targets, id) && (o.Line > e.Line || o.Line == e.Line && o.Undoes)
		})
	})
}

// Fault reports whether something goes wrong with the event, rather than is mended or done.
func (e *Event) Fault() bool {
	mends := []string{Restart, Start, Resume, Mount, Keep, Heal, Submit, StopClients, StartClients, Release}
	return !slices.Contains(mends, e.Do) && !e.Undoes && !(e.Do == ChangeLink && e.Heal)
}
