package client

import (
	"fmt"
	"log/slog"

	"tagma/internal/session"
)

// Option changes how a client works.
type Option func(*options)

type options struct {
	logger    *slog.Logger
	pack      int
	inFlight  int
	noHedging bool
	semantics Semantics
	observer  Observer
}

// check returns an error for an option whose value makes no sense. 0 stands for the default of each option.
func (o *options) check() error {
	switch {
	case o.pack < 0:
		return fmt.Errorf("client option WithPacking(%d): give at least 1, or leave it out", o.pack)
	case o.inFlight < 0:
		return fmt.Errorf("client option WithInFlight(%d): give at least 1, or leave it out", o.inFlight)
	}
	if err := session.Semantics(o.semantics).Check(); err != nil {
		return fmt.Errorf("client option WithSemantics: %w", err)
	}
	return nil
}

// WithLogger logs connections, and peers that the links refuse. Without it nothing is logged.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithInFlight bounds the number of unanswered requests. Without it the bound is
//
//   - 8 for requests of single operations; those that wait meanwhile are packed into one,
//   - 64 for requests of several operations (DoMany), which are never packed with others,
//   - the cluster's window (Settings.Window) if nothing is packed: see WithoutPacking.
func WithInFlight(requests int) Option { return func(o *options) { o.inFlight = requests } }

// WithPacking bounds how many operations of different calls go into one request. Without it, only the cluster's limits
// on a request apply.
func WithPacking(most int) Option { return func(o *options) { o.pack = most } }

// WithoutPacking sends every call in a request of its own.
func WithoutPacking() Option { return WithPacking(1) }

// WithoutHedging sends a request to further replicas only when it is sent again, after a timeout of 50 ms to 2 s that
// adapts to earlier answers. With hedging, further replicas are asked when an answer takes three times as long as
// usual.
func WithoutHedging() Option { return func(o *options) { o.noHedging = true } }

// WithSemantics sets the semantics of calls that do not choose their own; the default is ExactlyOnce.
func WithSemantics(s Semantics) Option { return func(o *options) { o.semantics = s } }

// CallOption changes one call.
type CallOption func(*CallOptions)

// CallOptions are what a call can choose.
type CallOptions struct {
	ReadOnly  bool // no operation of the request modifies the state
	Semantics Semantics
	Receipt   Receipts
}

// Receipts says whether a call's result shall have a receipt, and of how many signatures.
type Receipts uint8

// What a call can ask for.
const (
	NoReceipt     = Receipts(session.NoReceipt)
	WeakReceipt   = Receipts(session.WeakReceipt)   // f+1 signatures, of which one is correct; where replicas only crash, of a quorum
	QuorumReceipt = Receipts(session.QuorumReceipt) // of a quorum
)

// Gather applies the options of a call, for your own implementation of [Interface]. The argument usual gives the
// semantics of a call that chooses none.
func Gather(usual Semantics, opts ...CallOption) CallOptions {
	o := CallOptions{Semantics: usual}
	for _, set := range opts {
		if set != nil {
			set(&o)
		}
	}
	return o
}

// ReadOnly promises that no operation of the request modifies the state: the machine executes it by Query instead of
// Apply. The request is still ordered, so it sees everything that was acknowledged before it was sent.
func ReadOnly() CallOption { return func(o *CallOptions) { o.ReadOnly = true } }

// Under sets the semantics of one call, instead of the client's.
func Under(s Semantics) CallOption { return func(o *CallOptions) { o.Semantics = s } }

// WithReceipt asks for a receipt with the result: Result.Receipt, which Cluster.VerifyReceipt verifies. The call is sent in
// a request of its own and takes one more exchange of messages. If the request was executed and no receipt came before
// the context ended, the result comes with a *NoReceiptError.
func WithReceipt() CallOption { return WithReceiptOf(WeakReceipt) }

// WithReceiptOf is WithReceipt with a choice of how many signatures the receipt has.
func WithReceiptOf(r Receipts) CallOption { return func(o *CallOptions) { o.Receipt = r } }

func gather(usual Semantics, opts []CallOption) session.Kind {
	o := Gather(usual, opts...)
	return session.Kind{ReadOnly: o.ReadOnly, Semantics: session.Semantics(o.Semantics), Receipt: session.Receipts(o.Receipt)}
}
