package client

import "log/slog"

// Option changes how a client works.
type Option func(*options)

type options struct {
	logger    *slog.Logger
	pack      int
	inFlight  int
	noHedging bool
	semantics Semantics
}

// defaultInFlight is how many requests a packing session keeps under way: enough to fill the pipeline of replicas, and few
// enough that operations gather behind them when there are many.
const defaultInFlight = 8

// defaultAlone is how many requests may be under way before one goes out that shares with no other: what waits then gains
// nothing by it, and a few dozen fill the replicas' batches.
const defaultAlone = 64

// WithLogger has connections and refusals of the links logged. Without it nothing is.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithInFlight bounds the requests under way. Without it they are 8, and operations that wait meanwhile are packed; for a
// request of several operations, which is never packed with others, 64; and the cluster's window when nothing is packed.
func WithInFlight(requests int) Option { return func(o *options) { o.inFlight = requests } }

// WithPacking bounds the operations of different calls that go into one request. Without it the cluster's limits on a
// request are the only ones.
func WithPacking(most int) Option { return func(o *options) { o.pack = most } }

// WithoutPacking sends every call as a request of its own.
func WithoutPacking() Option { return WithPacking(1) }

// WithoutHedging sends a request to further replicas only after the time-out.
func WithoutHedging() Option { return func(o *options) { o.noHedging = true } }

// WithSemantics sets the semantics of calls that do not choose their own. Without it they are ExactlyOnce.
func WithSemantics(s Semantics) Option { return func(o *options) { o.semantics = s } }

// apply adds to a cluster's limits what the options say about packing.
func (o *options) apply(l limits) limits {
	window := int(l.window)
	l.pack = l.ops
	if o.pack > 0 {
		l.pack = min(o.pack, l.ops)
	}
	l.inFlight, l.alone = min(defaultInFlight, window), min(defaultAlone, window)
	if l.pack == 1 {
		l.inFlight = window
	}
	if o.inFlight > 0 {
		l.inFlight, l.alone = min(o.inFlight, window), 0
	}
	if l.pack > 1 {
		l.line, l.lineBytes = l.pack*l.inFlight, l.mostBytes()*l.inFlight
	}
	return l
}

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct {
	readOnly  bool
	semantics Semantics
}

// ReadOnly promises that no operation of the request modifies the state: the machine is asked to Query instead of
// Apply. The request is still ordered, so it sees everything that was acknowledged before it was sent.
func ReadOnly() CallOption { return func(o *callOptions) { o.readOnly = true } }

// Under sets a call's semantics in place of the client's.
func Under(s Semantics) CallOption { return func(o *callOptions) { o.semantics = s } }

func gather(usual Semantics, given []CallOption) callOptions {
	o := callOptions{semantics: usual}
	for _, set := range given {
		set(&o)
	}
	return o
}
