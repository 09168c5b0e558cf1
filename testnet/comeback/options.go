package comeback

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/cluster"
	"tagma/statemachine/kv"
)

// Options say what to measure and how large.
type Options struct {
	Dir        string   // directory for the clusters' files
	Keep       bool     // leave the files in Dir
	Keys       int      // number of keys in the state at first
	ValueBytes int      // size of each value
	Only       []string // names of cases; none: all
	// In cases that measure the service during a recovery, clients write at half of the measured saturation.
	Load bool

	// How long saturation and baseline are measured, and at least how long throughput is measured during a recovery.
	Measure  time.Duration
	Sessions int // number of client sessions, each over links of its own
	Workers  int // requests under way at once, of all sessions together
	// LinkBytes is how many bytes a second each link to the receiver carries in the cases that interrupt a transfer; 0:
	// chosen by the size of the state.
	LinkBytes int64
	Within    time.Duration // how long a wait may take; after that the case fails

	ViewTimeout        time.Duration // T
	CheckpointInterval int           // K
	LogWindow          int           // L: small, so that few writes leave a replica many windows behind
}

// Defaults are the options of `tagma-testnet comeback`.
func Defaults() Options {
	return Options{
		Keys: 100_000, ValueBytes: 100, Load: true,
		Measure: 5 * time.Second, Sessions: 4, Workers: 64, Within: 3 * time.Minute,
		ViewTimeout: time.Second, CheckpointInterval: 32, LogWindow: 128,
	}
}

const (
	fewestKeys    = 1000 // each worker has some keys of its own, and 1 % of all are enough to be overwritten
	maxKeys       = 100_000_000
	fewestInValue = 8 // bytes, so that no two writes of a key are alike
	keyBytes      = len("c0/00/000001")
)

// Check returns which option has an invalid value, by the name of its flag.
func (o *Options) Check() error {
	switch {
	case o.Keys < fewestKeys || o.Keys > maxKeys:
		return fmt.Errorf("--keys %d: give %d to %d", o.Keys, fewestKeys, maxKeys)
	case o.ValueBytes < fewestInValue || o.ValueBytes > kv.MaxValueBytes:
		return fmt.Errorf("--value-bytes %d: give %d to %d", o.ValueBytes, fewestInValue, kv.MaxValueBytes)
	case o.Measure <= 0:
		return fmt.Errorf("--measure %s: give a positive time such as 5s", o.Measure)
	case o.LinkBytes < 0:
		return fmt.Errorf("--link-bytes %d: give bytes a second, or 0 to have them chosen", o.LinkBytes)
	case o.ViewTimeout < 10*time.Millisecond:
		return fmt.Errorf("--view-timeout %s: give at least 10ms", o.ViewTimeout)
	case o.Within <= 0:
		return fmt.Errorf("--within %s: give a positive time such as 3m", o.Within)
	}
	var names []string
	for name := range Cases() {
		names = append(names, name)
	}
	for _, name := range o.Only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--only %q: the cases are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// chosen lists the cases to run, in their order.
func (o *Options) chosen() []trial {
	return slices.DeleteFunc(trials(), func(t trial) bool { return len(o.Only) > 0 && !slices.Contains(o.Only, t.name) })
}

// protocol has the parameters of a case's cluster: those of a cluster without settings if it is about a large state.
func (o *Options) protocol(large bool) cluster.Protocol {
	if large {
		return cluster.Protocol{ViewTimeout: cluster.Duration{Duration: o.ViewTimeout}}.WithDefaults()
	}
	return cluster.Protocol{
		ViewTimeout:        cluster.Duration{Duration: o.ViewTimeout},
		CheckpointInterval: o.CheckpointInterval, LogWindow: o.LogWindow,
	}
}

// payload is how many bytes the keys and the values of the whole state have.
func (o *Options) payload() float64 { return float64(o.Keys) * float64(keyBytes+o.ValueBytes) }

// windows is n log windows, in sequence numbers.
func (o *Options) windows(n int) uint64 { return uint64(n * o.LogWindow) }
