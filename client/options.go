package client

import "log/slog"

// Option changes how Dial connects.
type Option func(*options)

type options struct{ logger *slog.Logger }

// WithLogger has connections and refusals of the links logged. Without it nothing is.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// CallOption changes one request.
type CallOption func(*callOptions)

type callOptions struct{ readOnly bool }

// ReadOnly promises that no operation of the request modifies the state: the machine is asked to Query instead of
// Apply. The request is still ordered, so it sees everything that was acknowledged before it was sent.
func ReadOnly() CallOption { return func(o *callOptions) { o.readOnly = true } }

func gather(given []CallOption) (o callOptions) {
	for _, set := range given {
		set(&o)
	}
	return o
}
