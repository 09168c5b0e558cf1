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

// The actions of events. An event that damages a disk first stops the replica, so that nobody writes to the disk
// meanwhile.
const (
	Kill         = "kill" // SIGKILL
	Restart      = "restart"
	Pause        = "pause" // SIGSTOP
	Resume       = "resume"
	Start        = "start"         // starts an absent replica for the first time
	Wipe         = "wipe"          // deletes the data; the key and the file life beside it remain
	LoseState    = "lose-state"    // deletes the state; the journal remains
	Unmount      = "unmount"       // takes the data away until they are mounted again
	Mount        = "mount"         // brings the data back, unless a new life has written others in their place
	Keep         = "keep"          // makes a copy of the whole home
	Rollback     = "rollback"      // replaces the home by the copy
	BitFlip      = "bit-flip"      // flips a bit in a synced record of the journal
	TornWrite    = "torn-write"    // a crash during a write: the end that was not synced is lost
	LoseUnsynced = "lose-unsynced" // a loss of power: all that was not synced is lost
	DiskFull     = "disk-full"     // every write fails from now on
	IOError      = "io-error"      // every sync fails from now on
	Partition    = "partition"
	Heal         = "heal"
	Isolate      = "isolate"
	ChangeLink   = "link"
	ClockJump    = "clock-jump" // the wall clock jumps
	FlipState    = "flip-state" // a bit turns in a value of the state
	Submit       = "submit"
	StopClients  = "stop-clients"
	StartClients = "start-clients"
	Release      = "release"
	Backup       = "backup" // a backup is taken, and verified
)

// act describes one action of events.
type act struct {
	do   string
	keys string // the keys of its table besides do, at, after_operations, for, every and times
	ends string // the action that ends it, after the time in for

	link    links.Verb // what it does to the links; with some keys, some actions do something else
	touches bool       // it counts as having happened only if it touched frames (I18)
	mends   bool       // it repairs something instead of breaking it
	calm    bool       // it harms no replica, so that there is nothing to recover from
	stops   bool       // the replica does not run after it
	forgets bool       // the replica may have forgotten what it signed
	breaks  bool       // because of its disk, the replica may stop by itself
	lies    bool       // the replica is not correct

	undoes  func(act) bool // which action must have come before, on each target or, if toAny is set, on any replica
	toAny   bool
	without string // the error if there was no such action before
	lacks   string // something that it needs and that only the simulator has
	real    string // something that it needs and that only real processes have

	check func(*Scenario, *strict.Table, *Event) // refuses an incomplete table; nil: every table is complete
	words func(*Event) string                    // words that follow its name and its targets in a description; nil: none
}

var acts = []act{
	{do: Kill, keys: "targets " + momentKeys, ends: Restart, stops: true, check: (*Scenario).checkMoment},
	{
		do: Restart, keys: "targets", mends: true,
		undoes: func(a act) bool { return a.stops }, without: "replica %d was not stopped; kill it first",
	},
	{do: Start, keys: "targets", mends: true},
	{do: Pause, keys: "targets", ends: Resume},
	{do: Resume, keys: "targets", mends: true, undoes: is(Pause), without: "replica %d was not paused; pause it first"},
	{do: Wipe, keys: "targets", ends: Restart, stops: true, forgets: true},
	{do: LoseState, keys: "targets", ends: Restart, stops: true},
	{do: Unmount, keys: "targets", stops: true, forgets: true},
	{
		do: Mount, keys: "targets", mends: true, stops: true,
		undoes: is(Unmount), without: "the data of replica %d are where they belong; unmount them first",
	},
	{do: Keep, keys: "targets", mends: true, calm: true},
	{
		do: Rollback, keys: "targets", ends: Restart, stops: true, forgets: true, lies: true,
		undoes: is(Keep), without: `there is no copy of replica %d; add do = "keep" before it`,
	},
	{
		do: BitFlip, keys: "targets part byte bit", ends: Restart, stops: true, forgets: true, check: (*Scenario).checkPlace,
		words: func(e *Event) string { return e.Place.String() },
	},
	{do: TornWrite, keys: "targets", ends: Restart, stops: true, breaks: true},
	{do: LoseUnsynced, keys: "targets hole", ends: Restart, stops: true, breaks: true, lacks: "a disk that obeys"},
	{do: DiskFull, keys: "targets", stops: true, breaks: true},
	{do: IOError, keys: "targets", stops: true, breaks: true, lacks: "a disk that obeys"},
	{
		do: Partition, keys: "groups ring", ends: Partition, link: links.DoPartition, touches: true, check: (*Scenario).checkGroups,
		words: func(e *Event) string {
			if e.Ring {
				return "into a ring"
			}
			return fmt.Sprint(e.Groups)
		},
	},
	{
		do: Heal, keys: "targets", mends: true, link: links.DoHeal, undoes: func(a act) bool { return a.touches },
		toAny: true, without: "nothing is cut off; leave it out, or add a partition, isolate or link",
	},
	{
		do: Isolate, keys: "targets direction", ends: Heal, link: links.DoIsolate, touches: true,
		words: func(e *Event) string {
			return map[links.Direction]string{links.In: "(deaf)", links.Out: "(mute)"}[e.Direction]
		},
	},
	{
		do: ChangeLink, keys: linkKeys, ends: ChangeLink, link: links.DoLink, touches: true, check: (*Scenario).checkLinkChange,
		words: func(e *Event) string { return fmt.Sprintf("%v to %v", e.From, e.To) },
	},
	{
		do: ClockJump, keys: "targets by", check: (*Scenario).checkJump,
		words: func(e *Event) string { return "by " + e.By.String() + " of" },
	},
	{
		do: FlipState, keys: "targets key", lies: true,
		words: func(e *Event) string {
			if e.Key == "" {
				return ""
			}
			return fmt.Sprintf("of %q at", e.Key)
		},
	},
	{
		do: Submit, keys: "operations", mends: true, calm: true, check: (*Scenario).checkMarks,
		words: func(e *Event) string { return fmt.Sprintf("%d operations", len(e.Submit)) },
	},
	{do: StopClients, ends: StartClients, mends: true, calm: true},
	{
		do: StartClients, mends: true, calm: true,
		undoes: is(StopClients), toAny: true, without: "they were not stopped; add stop-clients before it",
	},
	{do: Backup, mends: true, calm: true, real: "clients' links that carry more than requests"},
	{
		do: Release, keys: "name", mends: true, link: links.DoRelease, check: needs("name", "the name that a rule's until has"),
		words: func(e *Event) string { return e.Name },
	},
}

const linkKeys = "from to heal delay jitter loss duplicate reorder bandwidth"

// healLink is what a link event does with heal = true.
var healLink = act{
	do: ChangeLink, keys: linkKeys, ends: ChangeLink, mends: true, link: links.DoHealLink, check: (*Scenario).checkLinkChange,
	words:  func(e *Event) string { return fmt.Sprintf("healed %v to %v", e.From, e.To) },
	undoes: func(a act) bool { return a.link == links.DoLink }, toAny: true,
	without: "heal = true without a link that was changed; leave it out",
}

// flipStore is what a bit-flip does with part = "store": the journal is whole, so nothing is forgotten.
var flipStore = act{
	do: BitFlip, keys: "targets part byte bit", ends: Restart, stops: true, check: (*Scenario).checkPlace,
	words: func(*Event) string { return "in the store of" },
}

// Parts of a replica's disk that an event can name.
const (
	PartJournal = "journal"
	PartStore   = "store"
)

const momentKeys = "before_durable before_send after_first_send before_execute after_execute"

func is(do string) func(act) bool { return func(a act) bool { return a.do == do } }

func needs(key, example string) func(*Scenario, *strict.Table, *Event) {
	return func(_ *Scenario, t *strict.Table, _ *Event) { t.Needs(key, example) }
}

// Acts lists all actions, whether or not an engine can perform them.
func Acts() (all []string) {
	for i := range acts {
		all = append(all, acts[i].do)
	}
	return all
}

// act returns the action of the event. For an event that no scenario can contain, it returns the zero act.
func (e *Event) act() act {
	if e.Do == ChangeLink && e.Heal {
		return healLink
	}
	if e.Do == BitFlip && e.Part == PartStore {
		return flipStore
	}
	if i := slices.IndexFunc(acts, func(a act) bool { return a.do == e.Do }); i >= 0 {
		return acts[i]
	}
	return act{}
}

// Calm reports whether the event harms no replica, so that there is nothing to recover from.
func (e *Event) Calm() bool { return e.act().calm }

// Forgets reports whether its targets may have forgotten what they signed. Their next start must then notice it (D8.3).
func (e *Event) Forgets() bool { return e.act().forgets }

// Fault reports whether the event breaks something. Other events repair something, or do something harmless.
func (e *Event) Fault() bool { return !e.act().mends && !e.Undoes }

// TouchesFrames reports whether the event counts as having happened only if Fired counts frames under its ID (I18).
func (e *Event) TouchesFrames() bool { return e.act().touches && !e.Undoes }

// What describes the event in a few words, such as "kill replica1".
func (e *Event) What() string {
	if e.Do == Partition && e.Undoes {
		return "end of the partition"
	}
	what := []string{e.Do}
	if words := e.act().words; words != nil && words(e) != "" {
		what = append(what, words(e))
	}
	for _, id := range e.Targets {
		what = append(what, fmt.Sprintf("replica%d", id))
	}
	if e.Any() {
		what = append(what, e.Moment.String())
	}
	return strings.Join(what, " ")
}

// Restarts reports whether all targets of an event are started by a later event.
func (s *Scenario) Restarts(e *Event) bool {
	return !slices.ContainsFunc(e.Targets, func(id wire.ReplicaID) bool {
		return !slices.ContainsFunc(s.Events, func(o Event) bool {
			return o.Do == Restart && slices.Contains(o.Targets, id) && (o.Line > e.Line || o.Line == e.Line && o.Undoes)
		})
	})
}

// takeEvent reads one event, its repetitions, and the events that end each of them.
func (s *Scenario) takeEvent(t *strict.Table) {
	e, repeats, ok := s.readEvent(t)
	if !ok {
		return
	}
	lasts := repeats.For
	if !oneOf(t, "at", "after_operations", "when") {
		t.Refuse("", "it needs a moment; write either at = \"2s\", or after_operations = 500, or when = \"replica 2 executed 1\"")
	}
	switch {
	case t.Has("every") != t.Has("times"):
		t.Refuse("", "every and times belong together; write for instance every = \"1s\" and times = 5")
	case repeats.Times > 1 && (repeats.Every == 0 || lasts >= repeats.Every && t.Has("for")):
		t.Refuse("every", "%v must be longer than what is repeated, for = %v", repeats.Every, lasts)
	}
	for i := range repeats.Times {
		again := e
		again.At += time.Duration(i) * repeats.Every
		s.single = append(s.single, again)
		if lasts > 0 {
			s.single = append(s.single, again.end(lasts))
		}
	}
}

// span is how long an event lasts, if it is undone, and how often it is repeated.
type span struct {
	For   time.Duration `toml:"for"`
	Every time.Duration `toml:"every"`
	Times int           `toml:"times" range:"1..1000"`
}

// readEvent reads one event. The event that it returns with an error is incomplete, but may be used for further checks.
func (s *Scenario) readEvent(t *strict.Table) (e Event, lasts span, ok bool) {
	e, lasts.Times = Event{Line: t.Line(""), Command: links.Command{Link: s.Network}}, 1
	text := struct {
		*Event
		By jump `toml:"by"`
		*span
	}{Event: &e, span: &lasts}
	if !t.Into(&text) || !t.Needs("do", `do = "kill", or one of `+strings.Join(Acts()[1:], ", ")) ||
		!t.Word("do", e.Do, Acts()...) {
		return e, lasts, false
	}
	e.By = time.Duration(text.By)
	keys := strings.Fields("do at after_operations when " + e.act().keys + " for every times")
	if !t.Only(keys...) {
		return e, lasts, false
	}
	if e.Do != Heal && slices.Contains(keys, "targets") && len(e.Targets) == 0 {
		t.Refuse("targets", "%s needs some; write targets = [1]", e.Do)
	}
	if check := e.act().check; check != nil {
		check(s, t, &e)
	}
	switch {
	case t.Has("for") && e.act().ends == "":
		t.Refuse("for", "%s has no end of its own; leave it out", e.Do)
	case t.Has("for") && lasts.For == 0:
		t.Refuse("for", "\"0s\" lasts no time; write how long, such as \"2s\"")
	}
	return e, lasts, true
}

// oneOf reports whether a table has exactly one of some keys.
func oneOf(t *strict.Table, keys ...string) bool {
	return len(slices.DeleteFunc(keys, func(key string) bool { return !t.Has(key) })) == 1
}

// end returns the event that ends this one after the given time.
func (e Event) end(after time.Duration) Event {
	e.At += after
	e.Undoes = true
	e.Moment = Moment{}
	e.Groups, e.Ring, e.Heal, e.Do = nil, false, e.Do == ChangeLink, e.act().ends
	return e
}

func (*Scenario) checkMoment(t *strict.Table, e *Event) {
	given := 0
	for _, key := range strings.Fields(momentKeys) {
		if !t.Has(key) {
			continue
		}
		if given++; given > 1 {
			t.Refuse(key, "a kill has one moment; leave it out, or make an event of its own of it")
		}
	}
	for key, kind := range map[string]wire.Type{"before_durable": e.BeforeDurable, "before_send": e.BeforeSend} {
		if kind != 0 {
			t.Word(key, kind.String(), words(true)...)
		}
	}
	if given == 1 && !e.Any() {
		t.Refuse("", "nothing has the sequence number 0; the first batch has 1")
	}
}

func (*Scenario) checkPlace(t *strict.Table, e *Event) {
	if t.Has("part") && !t.Word("part", e.Part, PartJournal, PartStore) {
		return
	}
	for _, key := range []string{"byte", "bit"} {
		if e.Part == PartStore && t.Has(key) {
			t.Refuse(key, "where a value lies in a store differs from engine to engine; leave it out, or write part = \"journal\"")
		}
	}
}

func (*Scenario) checkJump(t *strict.Table, e *Event) {
	if e.By == 0 {
		t.Refuse("by", "the clock goes nowhere; write by = \"1h\" or by = \"-1h\"")
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

// LinkCommand returns what an event does to the links. It returns false if the event does something else.
func (e *Event) LinkCommand() (c links.Command, is bool) {
	c = e.Command
	c.ID, c.Do = e.ID(), e.act().link
	switch {
	case e.Ring:
		c.Do = links.DoRing
	case e.Do == Heal && len(e.Targets) > 0:
		c.Do = links.DoRejoin
	}
	return c, c.Do != ""
}
