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

// act is one thing that an event can do.
type act struct {
	do   string
	keys string // that its table has besides do, at, after_operations, for, every and times
	ends string // what ends it, after the time in for

	mends   bool // nothing goes wrong with it
	calm    bool // it harms nobody, so that there is nothing to recover from
	stops   bool // the replica does not run after it
	forgets bool // the replica may have forgotten what it signed
	breaks  bool // the replica may stop by itself, because of its disk
	lies    bool // the replica is not correct
}

var acts = []act{
	{do: Kill, keys: "targets before_send", ends: Restart, stops: true},
	{do: Restart, keys: "targets", mends: true},
	{do: Start, keys: "targets", mends: true},
	{do: Pause, keys: "targets", ends: Resume},
	{do: Resume, keys: "targets", mends: true},
	{do: Wipe, keys: "targets", ends: Restart, stops: true, forgets: true},
	{do: LoseState, keys: "targets", ends: Restart, stops: true},
	{do: Unmount, keys: "targets", stops: true, forgets: true},
	{do: Mount, keys: "targets", mends: true, stops: true},
	{do: Keep, keys: "targets", mends: true, calm: true},
	{do: Rollback, keys: "targets", ends: Restart, stops: true, forgets: true, lies: true},
	{do: BitFlip, keys: "targets", ends: Restart, stops: true, forgets: true},
	{do: TornWrite, keys: "targets", ends: Restart, stops: true, breaks: true},
	{do: LoseUnsynced, keys: "targets hole", ends: Restart, stops: true, breaks: true},
	{do: DiskFull, keys: "targets", stops: true, breaks: true},
	{do: IOError, keys: "targets", stops: true, breaks: true},
	{do: Partition, keys: "groups ring", ends: Partition},
	{do: Heal, keys: "targets", mends: true},
	{do: Isolate, keys: "targets direction", ends: Heal},
	{do: ChangeLink, keys: "from to heal delay jitter loss duplicate reorder bandwidth", ends: ChangeLink},
	{do: ClockJump, keys: "targets by"},
	{do: FlipState, keys: "targets", lies: true},
	{do: Submit, keys: "operations", mends: true, calm: true},
	{do: StopClients, ends: StartClients, mends: true, calm: true},
	{do: StartClients, mends: true, calm: true},
	{do: Release, keys: "name", mends: true},
}

// Acts lists everything that an event can do, whether an engine can perform it or not.
func Acts() (all []string) {
	for i := range acts {
		all = append(all, acts[i].do)
	}
	return all
}

// act is what the event does. An event of no scenario does something that is nothing.
func (e *Event) act() act {
	if i := slices.IndexFunc(acts, func(a act) bool { return a.do == e.Do }); i >= 0 {
		return acts[i]
	}
	return act{}
}

// Calm reports whether the event harms nobody, so that there is nothing to recover from.
func (e *Event) Calm() bool { return e.act().calm }

// Forgets reports whether its targets may have forgotten what they signed, so that their next start has to notice it (D8.3).
func (e *Event) Forgets() bool { return e.act().forgets }

// Fault reports whether something goes wrong with the event, rather than is mended or done.
func (e *Event) Fault() bool {
	return !e.act().mends && !e.Undoes && !(e.Do == ChangeLink && e.Heal)
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

// Restarts reports whether all targets of an event are started after it.
func (s *Scenario) Restarts(e *Event) bool {
	return !slices.ContainsFunc(e.Targets, func(id wire.ReplicaID) bool {
		return !slices.ContainsFunc(s.Events, func(o Event) bool {
			return o.Do == Restart && slices.Contains(o.Targets, id) && (o.Line > e.Line || o.Line == e.Line && o.Undoes)
		})
	})
}
