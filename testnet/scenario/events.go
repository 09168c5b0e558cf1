package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
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

// takeEvent takes one event and what it stands for: its repetitions, and the ends of what it begins.
func (s *Scenario) takeEvent(t *strict.Table) {
	e := Event{Line: t.Line(""), Link: s.Network}
	text := struct {
		*Event
		By    jump          `toml:"by"`
		For   time.Duration `toml:"for"`
		Every time.Duration `toml:"every"`
		Times int           `toml:"times" range:"1..1000"`
	}{Event: &e, Times: 1}
	if !t.Into(&text) || !t.Needs("do", `do = "kill", or one of `+strings.Join(Acts()[1:], ", ")) ||
		!t.Word("do", e.Do, Acts()...) {
		return
	}
	e.By = time.Duration(text.By)
	keys := strings.Fields("do at after_operations " + e.act().keys + " for every times")
	if !t.Only(keys...) {
		return
	}
	if t.Has("at") == t.Has("after_operations") {
		t.Refuse("", "it needs a moment; write either at = \"2s\" or after_operations = 500")
	}
	if e.Do != Heal && slices.Contains(keys, "targets") && len(e.Targets) == 0 {
		t.Refuse("targets", "%s needs some; write targets = [1]", e.Do)
	}
	s.checkAct(t, &e)
	switch lasts := text.For; {
	case t.Has("for") && e.act().ends == "":
		t.Refuse("for", "%s has no end of its own; leave it out", e.Do)
	case t.Has("for") && lasts == 0:
		t.Refuse("for", "\"0s\" lasts no time; write how long, such as \"2s\"")
	case t.Has("every") != t.Has("times"):
		t.Refuse("", "every and times belong together; write for instance every = \"1s\" and times = 5")
	case text.Times > 1 && (text.Every == 0 || lasts >= text.Every && t.Has("for")):
		t.Refuse("every", "%v must be longer than what is repeated, for = %v", text.Every, lasts)
	}
	for i := range text.Times {
		again := e
		again.At += time.Duration(i) * text.Every
		s.Events = append(s.Events, again)
		if text.For > 0 {
			s.Events = append(s.Events, again.end(text.For))
		}
	}
}

// end is the event that undoes this one so much later.
func (e Event) end(after time.Duration) Event {
	e.At += after
	e.Undoes = true
	e.BeforeSend = 0
	e.Groups, e.Ring, e.Heal = nil, false, e.Do == ChangeLink
	e.Do = e.act().ends
	return e
}

// checkAct refuses an act that lacks something.
func (s *Scenario) checkAct(t *strict.Table, e *Event) {
	switch e.Do {
	case Kill:
		if e.BeforeSend != 0 {
			t.Word("before_send", e.BeforeSend.String(), names(durable)...)
		}
	case Partition:
		s.checkGroups(t, e)
	case ChangeLink:
		s.checkLinkChange(t, e)
	case ClockJump:
		if e.By == 0 {
			t.Refuse("by", "the clock goes nowhere; write by = \"1h\" or by = \"-1h\"")
		}
	case Submit:
		t.Needs("operations", `operations = ["c0: put k a"]`)
	case Release:
		t.Needs("name", "the name that a rule's until has")
	}
}

func (s *Scenario) checkGroups(t *strict.Table, e *Event) {
	owner := map[wire.ReplicaID]int{}
	for i, group := range e.Groups {
		for _, m := range group {
			if g, taken := owner[m]; taken {
				t.Refuse("groups", "replica %d is in group %d and in group %d; put it into one", m, g, i)
			}
			owner[m] = i
		}
	}
	everybody := len(e.Groups) == 1 && len(e.Groups[0]) == s.Replicas
	if e.Ring == t.Has("groups") || everybody {
		t.Refuse("", "partition cuts nobody off; write groups = [[0, 1], [2, 3]], or ring = true")
	}
}

func (s *Scenario) checkLinkChange(t *strict.Table, e *Event) {
	switch changed := e.Link != s.Network; {
	case !t.Has("from") || !t.Has("to"):
		t.Refuse("", "link has no two ends; write from = [0] and to = [3], it is for one direction")
	case !e.Heal && !changed:
		t.Refuse("", "link changes nothing; write delay, jitter, loss, duplicate, reorder or bandwidth, or heal = true")
	case e.Heal && changed:
		t.Refuse("heal", "it gives the link the properties of [network]; leave out the other ones")
	}
}

// ID names an event for links.Policy.Fired. The repetitions of one line share it.
func (e *Event) ID() string { return fmt.Sprintf("%s, line %d", e.Do, e.Line) }

// ID names a rule for links.Policy.Fired.
func (r *Rule) ID() string { return fmt.Sprintf("rule, line %d", r.Line) }

// Commands are what an event does to the links, nil if it does something else.
func (e *Event) Commands() []links.Command {
	c := links.Command{ID: e.ID()}
	switch e.Do {
	case Partition:
		c.Do, c.Groups = links.DoPartition, e.Groups
		if e.Ring {
			c.Do = links.DoRing
		}
	case Isolate:
		c.Do, c.Targets, c.Direction = links.DoIsolate, e.Targets, e.Direction
	case Heal:
		c.Do = links.DoHeal
		if len(e.Targets) > 0 {
			c.Do, c.Targets = links.DoRejoin, e.Targets
		}
	case ChangeLink:
		c.Do, c.From, c.To, c.Link = links.DoLink, e.From, e.To, e.Link
		if e.Heal {
			c.Do = links.DoHealLink
		}
	case Release:
		c.Do, c.Name = links.DoRelease, e.Name
	default:
		return nil
	}
	return []links.Command{c}
}

// Command begins the rule. It is given when the rule begins, at r.At; its end by time is in it.
func (r *Rule) Command() links.Command {
	return links.Command{ID: r.ID(), Do: links.DoRule, Rule: &links.Rule{
		ID: r.ID(), Name: r.UntilRelease, Match: r.Match, Action: r.Action, By: r.By, Until: r.UntilTime,
	}}
}

// TouchesFrames reports whether the event happened only if Fired counts frames under its ID (I18).
func (e *Event) TouchesFrames() bool {
	return (e.Do == Partition || e.Do == Isolate || e.Do == ChangeLink) && !e.Undoes && !e.Heal
}
