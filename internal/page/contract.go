package page

import (
	"encoding/json"

	"tagma/internal/trace"
)

// About says what a page shows, and what can be done on it.
type About struct {
	Mode     string `json:"mode"` // live, run, trace or node
	Title    string `json:"title"`
	Engine   string `json:"engine"` // processes or sim
	Replicas int    `json:"replicas"`
	Quorum   int    `json:"quorum"`
	Faulty   int    `json:"faulty"` // how many faulty replicas are masked
	Machine  string `json:"machine,omitempty"`
	Self     *int   `json:"self,omitempty"` // the replica whose view it is; nil: the whole cluster's

	CheckpointInterval int   `json:"checkpoint_interval,omitempty"`
	Window             int   `json:"window,omitempty"`
	ViewTimeoutMillis  int64 `json:"view_timeout_ms,omitempty"`

	Clients    []string `json:"clients"`
	Acts       []string `json:"acts"` // empty: read-only
	Behaviours any      `json:"behaviours"`
	Questions  []string `json:"questions"`
	Cards      []Card   `json:"cards"`
}

// The modes of a page.
const (
	Live  = "live"
	Run   = "run"
	Trace = "trace"
	Node  = "node"
)

// Sized sets what follows from the number of replicas, and replaces nil lists by empty ones.
func (a About) Sized(replicas int) About {
	a.Replicas, a.Faulty = replicas, (replicas-1)/3
	a.Quorum = (replicas+a.Faulty)/2 + 1
	if a.Behaviours == nil {
		a.Behaviours = []any{}
	}
	a.Clients, a.Acts, a.Questions, a.Cards = some(a.Clients), some(a.Acts), some(a.Questions), some(a.Cards)
	return a
}

func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Card is a concept of fault tolerance that the page can have demonstrated.
type Card struct {
	Name     string   `json:"name"`
	Question int      `json:"question"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Look     string   `json:"look"`
	Code     []string `json:"code"`
	Scenario string   `json:"scenario"`
	Live     bool     `json:"live"` // it happens with replicas that are processes, and else in the simulator
}

// Act is something that the page asks the server to do. Which fields are used depends on the act.
type Act struct {
	Act        string            `json:"act"`
	Replicas   []int             `json:"replicas"`
	Replica    *int              `json:"replica"`
	Behaviour  string            `json:"behaviour"`
	Parameters map[string]string `json:"parameters"`
	Groups     [][]int           `json:"groups"`
	From       *int              `json:"from"`
	To         *int              `json:"to"`
	Both       bool              `json:"both"`
	DelayMS    float64           `json:"delay_ms"`
	Loss       float64           `json:"loss"`
	Cut        bool              `json:"cut"`
	ByMS       float64           `json:"by_ms"`
	Clients    int               `json:"clients"`
	Rate       float64           `json:"rate"`
	Key        string            `json:"key"`
	Value      string            `json:"value"`
	Name       string            `json:"name"`
}

// Done is the result of an act.
type Done struct {
	Said   string `json:"said"`
	Result any    `json:"result,omitempty"`
}

// Frame is a line of a stream that is not an event. Which fields are used depends on its name.
type Frame struct {
	Frame string `json:"frame"`
	At    int64  `json:"at_us"`
	Text  string `json:"text,omitempty"`

	Reports  any       `json:"reports,omitempty"`
	Document any       `json:"document,omitempty"`
	Load     *Load     `json:"-"`
	Sampling *Sampling `json:"-"`
}

// Load is what clients have done so far, and how long the requests that were answered in the last second took.
type Load struct {
	Submitted    int64 `json:"submitted"`
	Acknowledged int64 `json:"acknowledged"`
	Failed       int64 `json:"failed"`
	InFlight     int64 `json:"in_flight"`
	P50          int64 `json:"p50_us"`
	P99          int64 `json:"p99_us"`
}

// Sampling says that only the events of one slot in Every are shown. It also says how many events were left out since
// the last Sampling.
type Sampling struct {
	Every   uint64 `json:"every"`
	LeftOut uint64 `json:"left_out"`
}

// Kept is the line that follows the lines that were kept.
var Kept = []byte(`{"frame":"kept"}` + "\n")

// Line writes a frame as a line.
func (f Frame) Line() []byte {
	type frame Frame
	var text []byte
	var err error
	switch {
	case f.Load != nil:
		text, err = json.Marshal(struct {
			frame
			*Load
		}{frame(f), f.Load})
	case f.Sampling != nil:
		text, err = json.Marshal(struct {
			frame
			*Sampling
		}{frame(f), f.Sampling})
	default:
		text, err = json.Marshal(f)
	}
	if err != nil {
		text, _ = json.Marshal(Frame{Frame: "note", At: f.At, Text: "a line of this stream could not be written: " + err.Error()})
	}
	return append(text, '\n')
}

// Header is the first line of a stream. It contains the first line of a trace.
func Header(h trace.Header) []byte {
	h.Trace = trace.Version
	text, _ := json.Marshal(struct { // marshalling texts and numbers never fails
		Frame string `json:"frame"`
		trace.Header
	}{"header", h})
	return append(text, '\n')
}
