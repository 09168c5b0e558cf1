package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// Options are the bounds of a search.
type Options struct {
	Replicas  int  `json:"replicas"`   // 4: the smallest cluster that masks a Byzantine replica; 3 with Crash
	Crash     bool `json:"crash"`      // the crash-fault mode (F1): the smallest cluster that masks a crash, and no attacker
	Views     int  `json:"views"`      // views 0 to Views−1 are searched
	Slots     int  `json:"slots"`      // sequence numbers, and client requests
	Crashes   int  `json:"crashes"`    // crashes of correct replicas in one run, each followed by a restart
	MaxStates int  `json:"max_states"` // of each search; reaching it leaves the verdict open
	FairEvery int  `json:"fair_every"` // check liveness from every n-th state; 0: from none
	Exact     bool `json:"exact"`      // search without the reductions by view and in the last view
	Amnesia   int  `json:"amnesia"`    // how often in one run a correct replica forgets everything
	// The searched slots are a window higher, above the R of a replica that has forgotten.
	Above bool `json:"above"`
	// Which replica forgets; with Amnesia 2 the next correct one forgets, too; All: a search for each replica, or one in
	// which any may forget.
	Amnesiac  int `json:"-"`
	Byzantine int `json:"-"` // which replica is Byzantine; All: a search for each; Nobody: a search without

	// Progress, unless nil, is called after every 4096 states with the progress of a search. Several goroutines call it.
	Progress func(byzantine, states, depth int) `json:"-"`
}

// Flags is what the flag sets of commands have in common.
type Flags interface {
	IntVar(p *int, name string, value int, usage string)
	BoolVar(p *bool, name string, value bool, usage string)
}

// Bind defines a flag for each bound, with its present value as the default.
func (o *Options) Bind(f Flags) {
	f.IntVar(&o.Replicas, "replicas", o.Replicas, "cluster size; 4 is the only one, or 3 with --crash-faults")
	f.BoolVar(&o.Crash, "crash-faults", o.Crash, "search three replicas of the crash-fault mode, of which none lies")
	f.IntVar(&o.Views, "views", o.Views, "how many views to search")
	f.IntVar(&o.Slots, "slots", o.Slots, "how many sequence numbers to search")
	f.IntVar(&o.Crashes, "crashes", o.Crashes, "crashes of correct replicas in one run, each with a restart")
	f.IntVar(&o.Amnesia, "amnesia", o.Amnesia, "how often in one run a correct replica forgets everything")
	f.IntVar(&o.Amnesiac, "amnesiac", o.Amnesiac, "the `replica` that forgets, if it is once (default each in turn)")
	f.BoolVar(&o.Above, "above", o.Above, "search sequence numbers above R of what was forgotten before")
	f.IntVar(&o.Byzantine, "byzantine", o.Byzantine, "the Byzantine `replica` (default each in turn)")
	f.IntVar(&o.MaxStates, "max-states", o.MaxStates, "give a search up at so many states")
	f.IntVar(&o.FairEvery, "fair-every", o.FairEvery, "check liveness from every `n`th state; 0 for none")
	f.BoolVar(&o.Exact, "exact", o.Exact, "search without the reductions by view")
}

// All means a search for each replica.
const All = -1

// Nobody means a search in which all replicas are correct.
const Nobody = -2

// Defaults are bounds within which a search ends after a few minutes on one core.
func Defaults() Options {
	return Options{
		Replicas: replicas, Views: 3, Slots: 1, Crashes: 0, MaxStates: 5_000_000, FairEvery: 1, Byzantine: All, Amnesiac: All,
	}
}

// Validate returns an error for the first bound that the search does not support. The error says which values are
// supported.
func (o Options) Validate() error {
	switch {
	case o.Crash && (o.Replicas != 3 || o.Byzantine != Nobody || o.Amnesia > 0 || o.Above):
		return fmt.Errorf("--crash-faults: three replicas are searched, of which none lies or forgets; leave out --replicas, --byzantine, --amnesia and --above")
	case !o.Crash && o.Replicas != replicas:
		return fmt.Errorf("--replicas %d: only clusters of 4 are searched; larger ones are for `tagma-testnet sim`", o.Replicas)
	case o.Views < 1 || o.Views > maxViews:
		return fmt.Errorf("--views %d: give 1 to %d", o.Views, maxViews)
	case o.Slots < 1 || o.Slots > maxSlots:
		return fmt.Errorf("--slots %d: give 1 to %d", o.Slots, maxSlots)
	case o.Crashes < 0 || o.Crashes > 3:
		return fmt.Errorf("--crashes %d: give 0 to 3", o.Crashes)
	case o.MaxStates < 1:
		return fmt.Errorf("--max-states %d: give at least 1", o.MaxStates)
	case o.FairEvery < 0:
		return fmt.Errorf("--fair-every %d: give 1 for every state, 0 for none", o.FairEvery)
	case o.Amnesia < 0 || o.Amnesia > 2:
		return fmt.Errorf("--amnesia %d: give 0 to 2", o.Amnesia)
	case o.Amnesiac < All || o.Amnesiac >= replicas || o.Amnesiac >= 0 && o.Amnesiac == o.Byzantine:
		return fmt.Errorf("--amnesiac %d: give a correct replica, 0 to %d, or leave it out for all", o.Amnesiac, replicas-1)
	case o.Byzantine < Nobody || o.Byzantine >= replicas:
		return fmt.Errorf("--byzantine %d: give a replica, 0 to %d, or leave it out for all", o.Byzantine, replicas-1)
	}
	return nil
}

// cast names the Byzantine replica of a search and the one that may forget. For the latter, nobody means that none may
// forget, or that any may.
type cast struct{ byzantine, amnesiac wire.ReplicaID }

// casts lists the searches that the options ask for.
func (o Options) casts() (list []cast) {
	for _, liar := range o.each(o.Byzantine, nobody) {
		amnesiacs := []wire.ReplicaID{nobody}
		if o.Amnesia == 1 || o.Amnesia > 1 && o.Amnesiac != All {
			amnesiacs = o.each(o.Amnesiac, liar)
		}
		for _, amnesiac := range amnesiacs {
			list = append(list, cast{liar, amnesiac})
		}
	}
	return list
}

// each lists the replicas for one role: the named one, or each replica except taken. Replicas that are the primary of
// none of the searched views differ only in their numbers, so only one of them is listed.
func (o Options) each(named int, taken wire.ReplicaID) (list []wire.ReplicaID) {
	switch named {
	case Nobody:
		return []wire.ReplicaID{nobody}
	case All:
	default:
		return []wire.ReplicaID{wire.ReplicaID(named)}
	}
	for id, alike := 0, false; id < replicas && !alike; id++ {
		if wire.ReplicaID(id) != taken {
			list, alike = append(list, wire.ReplicaID(id)), id >= o.Views
		}
	}
	return list
}

// mayForget lists which replicas may forget everything.
func (o Options) mayForget(c cast) (may [replicas]bool) {
	if o.Amnesia == 0 {
		return may
	}
	for id := range wire.ReplicaID(replicas) {
		may[id] = c.amnesiac == nobody && id != c.byzantine
	}
	if next := (c.amnesiac + 1) % replicas; c.amnesiac != nobody {
		if next == c.byzantine {
			next = (next + 1) % replicas
		}
		may[c.amnesiac], may[next] = true, o.Amnesia > 1
	}
	return may
}
