package byzantine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Exhaustion is how an attacker uses up what links are made of. It needs real links; nothing of it is a message.
type Exhaustion struct {
	Streams  int  // how many streams it tries to hold open, over all replicas; 0: none beside its own
	Rate     int  // tries a second, over all replicas
	Trickle  bool // it begins frames and sends a byte now and then (slow-loris)
	Withhold bool // it reads nothing of what it is sent
}

// The words that exhaust's parameter ways knows.
const (
	byStreams  = "streams"
	byTrickle  = "trickle"
	byWithhold = "withhold"
)

var exhaustParameters = []Parameter{
	{"ways", all, "what it uses up, such as streams+trickle: streams, trickle (frames that never end), withhold (it reads nothing)"},
	{"streams", "10000", "how many streams it tries to hold open, over all replicas"},
	{"rate", "50", "how many of them it tries to open in a second"},
}

// exhaust holds what links are made of and gives nothing back (I14). Its core is honest; whoever runs it over real links
// does what NewExhaustion says beside it.
var exhaust = Behaviour{
	Name:       "exhaust",
	Model:      Byzantine,
	Bound:      "≥ 80 % of the throughput; connections, streams and memory of a peer stay bounded",
	Summary:    "opens streams by the thousand, begins frames and never ends them, reads nothing: on real processes only",
	Parameters: exhaustParameters,
	build: func(v values, at seat) (Core, error) {
		_, err := v.exhaustion()
		return at.core, err
	},
}

// exhaustClient is the same by a client, or by whoever has its key.
var exhaustClient = ClientBehaviour{
	Name:       exhaust.Name,
	Summary:    exhaust.Summary,
	Bound:      exhaust.Bound,
	Parameters: exhaustParameters,
	build: func(v values, cfg ClientConfig, sign Sign) (Client, error) {
		c := &idler{caller: newCaller(cfg, sign)}
		_, err := v.exhaustion()
		return c, err
	},
}

// idler says nothing: what it does is done to its links.
type idler struct{ caller }

// Tick returns nothing.
func (*idler) Tick(time.Duration) []Parcel { return nil }

// NewExhaustion returns what a behaviour of a replica or a client does to its links, nil if it is another behaviour.
func NewExhaustion(c Choice) (*Exhaustion, error) {
	if c.Name != exhaust.Name {
		return nil, nil
	}
	v, err := fill(c, exhaustParameters)
	if err != nil {
		return nil, err
	}
	return v.exhaustion()
}

// LinksOnly reports whether a behaviour shows on real links only, so that the simulator cannot run it.
func LinksOnly(c Choice) bool { return c.Name == exhaust.Name }

func (v values) exhaustion() (*Exhaustion, error) {
	e := &Exhaustion{}
	known := []string{byStreams, byTrickle, byWithhold}
	ways := known
	if v["ways"] != all {
		ways = strings.Split(v["ways"], "+")
	}
	for _, way := range ways {
		if !slices.Contains(known, way) {
			return nil, &UnknownError{What: "value of ways", Name: way, Known: append(known, all)}
		}
	}
	e.Trickle, e.Withhold = slices.Contains(ways, byTrickle), slices.Contains(ways, byWithhold)
	streams, err := v.number("streams")
	if err != nil {
		return nil, err
	}
	if streams < 1 || streams > 1<<20 {
		return nil, fmt.Errorf("streams: %d is outside 1 to %d", streams, 1<<20)
	}
	rate, err := v.number("rate")
	if err != nil {
		return nil, err
	}
	if rate < 1 || rate > mostPerSecond {
		return nil, fmt.Errorf("rate: %d is outside 1 to %d", rate, mostPerSecond)
	}
	if slices.Contains(ways, byStreams) {
		e.Streams, e.Rate = int(streams), int(rate)
	}
	return e, nil
}
