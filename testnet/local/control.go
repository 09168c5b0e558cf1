package local

import (
	"time"

	"tagma/testnet/links"
)

// Control makes a cluster's replicas obey while they run: their links can be changed, their dormant behaviours switched,
// their clocks turned. Orders go down a replica's standard input as lines of JSON, answers and counts come back on its
// standard output.
type Control struct {
	Seed    uint64     // of all chance on the links
	Network links.Link // how every link between replicas is unless it is changed
}

// setup is the first line that a controlled replica reads: all that was ordered before it started.
type setup struct {
	Seed     uint64          `json:"seed"`
	Epoch    int64           `json:"epoch"` // Unix nanoseconds at which the links' time is 0
	Network  links.Link      `json:"network"`
	Commands []links.Command `json:"commands,omitempty"`
	On       []int           `json:"on,omitempty"` // dormant behaviours that are awake, by number
	Skew     time.Duration   `json:"skew,omitempty"`
}

// order is every further line. One of its fields beside the number is set.
type order struct {
	Number   uint64         `json:"number"` // the answer has it too
	Links    *links.Command `json:"links,omitempty"`
	Switch   *toggle        `json:"switch,omitempty"`
	Clock    time.Duration  `json:"clock,omitempty"` // by which the wall clock jumps
	DiskFull bool           `json:"disk_full,omitempty"`
}

// toggle wakes a dormant behaviour or puts it back to sleep.
type toggle struct {
	Behaviour int  `json:"behaviour"` // its number
	On        bool `json:"on"`
}

// answer is a line of a controlled replica. Counts come with every one; they only rise.
type answer struct {
	Number uint64 `json:"number,omitempty"` // of the order it answers; 0: there was none
	Error  string `json:"error,omitempty"`
	Counts Counts `json:"counts"`
}

// Counts tell what became of faults (I18).
type Counts struct {
	Frames map[string]int `json:"frames,omitempty"` // by links.Command.ID: frames between replicas that the change touched
	// Lies are by number of a dormant behaviour: what it said that its core did not, kept back, or did not hear.
	Lies []int `json:"lies,omitempty"`
}

// add sums counts of several replicas or lives.
func (c *Counts) add(o Counts) {
	for id, n := range o.Frames {
		if c.Frames == nil {
			c.Frames = make(map[string]int)
		}
		c.Frames[id] += n
	}
	for i, n := range o.Lies {
		if i >= len(c.Lies) {
			c.Lies = append(c.Lies, 0)
		}
		c.Lies[i] += n
	}
}
