// Package oteltagma reports the calls of a client to OpenTelemetry: a span for each call, with its transmissions and
// the replicas' answers as events, and metrics of how long calls take and how they end.
//
//	o, err := oteltagma.New(oteltagma.Config{})
//	if err != nil {
//		return err
//	}
//	c, err := client.Dial(ctx, "cluster.toml", "client.key", client.WithObserver(o))
//
// It is a module of its own, so that clients without OpenTelemetry do not have OpenTelemetry among their dependencies.
package oteltagma

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"tagma/client"
)

const scope = "tagma/client/oteltagma"

// Config says where spans and metrics go. A nil field stands for OpenTelemetry's global provider.
type Config struct {
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
}

// New makes an observer, which any number of clients may share.
func New(c Config) (client.Observer, error) {
	if c.Traces == nil {
		c.Traces = otel.GetTracerProvider()
	}
	if c.Metrics == nil {
		c.Metrics = otel.GetMeterProvider()
	}
	meter := c.Metrics.Meter(scope)
	duration, err1 := meter.Float64Histogram("tagma.client.call.duration", metric.WithUnit("s"),
		metric.WithDescription("from a call to its end"))
	queued, err2 := meter.Float64Histogram("tagma.client.call.queued", metric.WithUnit("s"),
		metric.WithDescription("from a call to its first transmission"))
	sent, err3 := meter.Int64Counter("tagma.client.transmissions", metric.WithUnit("{transmission}"),
		metric.WithDescription("requests that went out, once for each call in them"))
	active, err4 := meter.Int64UpDownCounter("tagma.client.calls.active", metric.WithUnit("{call}"),
		metric.WithDescription("calls under way"))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("make the instruments of a client: %w", err)
	}
	return &observer{c.Traces.Tracer(scope), duration, queued, sent, active}, nil
}

type observer struct {
	tracer           trace.Tracer
	duration, queued metric.Float64Histogram
	sent             metric.Int64Counter
	active           metric.Int64UpDownCounter
}

// Start implements client.Observer.
func (o *observer) Start(ctx context.Context, info client.CallInfo) client.CallObserver {
	name := "tagma call"
	attributes := []attribute.KeyValue{
		attribute.String("tagma.machine", info.Machine),
		attribute.Int("tagma.operations", info.Operations),
		attribute.Int("tagma.bytes", info.Bytes),
		attribute.Bool("tagma.read_only", info.ReadOnly),
	}
	if info.Past {
		name = "tagma query of the past"
		attributes = append(attributes, attribute.Int64("tagma.at", int64(info.At)))
	} else {
		attributes = append(attributes, attribute.String("tagma.semantics", info.Semantics.String()))
	}
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(info.Time),
		trace.WithAttributes(attributes...))
	o.active.Add(ctx, 1)
	return &call{o: o, ctx: ctx, span: span, past: info.Past}
}

type call struct {
	o    *observer
	ctx  context.Context // of the span
	span trace.Span
	past bool
}

// Sent implements client.CallObserver.
func (c *call) Sent(t client.Transmission) {
	c.o.sent.Add(c.ctx, 1, metric.WithAttributes(attribute.Bool("tagma.hedged", t.Hedged)))
	c.span.AddEvent("sent", trace.WithTimestamp(t.Time), trace.WithAttributes(
		attribute.String("tagma.request", t.Request.String()), attribute.Int("tagma.replica", t.Replica),
		attribute.Int("tagma.attempt", t.Attempt), attribute.Bool("tagma.hedged", t.Hedged),
	))
}

// Answered implements client.CallObserver.
func (c *call) Answered(replica int, at time.Time) {
	c.span.AddEvent("answered", trace.WithTimestamp(at), trace.WithAttributes(attribute.Int("tagma.replica", replica)))
}

// End implements client.CallObserver.
func (c *call) End(e client.CallEnd) {
	outcome := attribute.String("tagma.outcome", Outcome(e.Err))
	labels := metric.WithAttributes(outcome, attribute.Bool("tagma.past", c.past))
	c.o.active.Add(c.ctx, -1)
	c.o.duration.Record(c.ctx, e.Latency.Seconds(), labels)
	if e.Transmissions > 0 {
		c.o.queued.Record(c.ctx, e.Queued.Seconds(), labels)
	}
	c.span.SetAttributes(outcome, attribute.Int64("tagma.seq", int64(e.Seq)), attribute.Int("tagma.attempts", e.Attempts),
		attribute.Int("tagma.transmissions", e.Transmissions), attribute.String("tagma.request", e.Request.String()))
	if e.Err != nil {
		c.span.RecordError(e.Err, trace.WithTimestamp(e.Time))
		c.span.SetStatus(codes.Error, e.Err.Error())
	}
	c.span.End(trace.WithTimestamp(e.Time))
}

// outcomes are the names of errors, more specific errors first.
var outcomes = []struct {
	name string
	err  error
}{
	{"busy", client.ErrBusy},
	{"unequal", client.ErrUnequal},
	{"unknown", client.ErrUnknown},
	{"not-sent", client.ErrNotSent},
	{"expired", client.ErrExpired},
	{"conflict", client.ErrConflict},
	{"refused", client.ErrRefused},
	{"empty", client.ErrEmpty},
	{"too-large", client.ErrTooLarge},
	{"not-retained", client.ErrNotRetained},
	{"not-executed", client.ErrNotExecuted},
}

// Outcome names the outcome of a call for spans and metrics: executed, one of the client's errors such as unknown, or error.
func Outcome(err error) string {
	if err == nil {
		return "executed"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return "error"
}
