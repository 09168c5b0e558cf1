package oteltagma

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tagma/client"
)

// told calls an observer as a client does, for two calls: one that is answered, and one that is not.
func told(ctx context.Context, o client.Observer) (began time.Time) {
	began = time.Unix(1000, 0)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	id := client.RequestID{Session: 7, Number: 1}
	info := client.CallInfo{Time: began, Machine: "kv", Operations: 2, Bytes: 9}
	good := o.Start(ctx, info)
	good.Sent(client.Transmission{Time: at(1), Request: id, Replica: 0, Attempt: 1})
	good.Sent(client.Transmission{Time: at(30), Request: id, Replica: -1, Attempt: 1, Hedged: true})
	good.Answered(2, at(40))
	good.End(client.CallEnd{
		Time: at(50), Seq: 12, Request: id, Attempts: 1, Transmissions: 2, Queued: time.Millisecond, Latency: 50 * time.Millisecond,
	})
	info.Past, info.At = true, 3
	lost := o.Start(ctx, info)
	lost.End(client.CallEnd{Time: at(100), Err: fmt.Errorf("asked: %w", client.ErrNotRetained), Latency: 100 * time.Millisecond})
	return began
}

func TestObserver_GivesEachCallASpanAndItsFigures(t *testing.T) {
	ctx := t.Context()
	spans := tracetest.NewInMemoryExporter()
	traces := trace.NewTracerProvider(trace.WithSyncer(spans))
	reader := metric.NewManualReader()
	o, err := New(Config{Traces: traces, Metrics: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	parent, root := traces.Tracer("test").Start(ctx, "the application's")
	began := told(parent, o)
	got := spans.GetSpans()
	if len(got) != 2 {
		t.Fatalf("%d spans, want 2", len(got))
	}
	good, lost := got[0], got[1]
	if good.Parent.SpanID() != root.SpanContext().SpanID() || !good.StartTime.Equal(began) || good.EndTime.Sub(began) != 50*time.Millisecond {
		t.Errorf("the span of a call: %+v", good)
	}
	var events []string
	for _, e := range good.Events {
		events = append(events, fmt.Sprint(e.Name, e.Time.Sub(began)))
	}
	if fmt.Sprint(events) != "[sent1ms sent30ms answered40ms]" || good.Status.Code == codes.Error {
		t.Errorf("events %v, status %v", events, good.Status)
	}
	attributes := map[string]string{}
	for _, a := range good.Attributes {
		attributes[string(a.Key)] = a.Value.String()
	}
	for key, want := range map[string]string{
		"tagma.machine": "kv", "tagma.operations": "2", "tagma.bytes": "9", "tagma.semantics": "exactly-once", "tagma.seq": "12",
		"tagma.transmissions": "2", "tagma.attempts": "1", "tagma.outcome": "executed", "tagma.request": "00000000/7/1",
	} {
		if attributes[key] != want {
			t.Errorf("%s is %q, want %q", key, attributes[key], want)
		}
	}
	if lost.Status.Code != codes.Error || lost.Name == good.Name || len(lost.Events) != 1 {
		t.Errorf("the span of a call that failed: %+v", lost)
	}

	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch d := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				outcome, _ := p.Attributes.Value("tagma.outcome")
				sums[m.Name+" "+outcome.String()] += p.Sum
			}
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				sums[m.Name] += float64(p.Value)
			}
		}
	}
	for name, want := range map[string]float64{
		"tagma.client.call.duration executed": 0.05, "tagma.client.call.duration not-retained": 0.1,
		"tagma.client.call.queued executed": 0.001, "tagma.client.transmissions": 2, "tagma.client.calls.active": 0,
	} {
		if got, ok := sums[name]; !ok || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s is %v, want %v; all: %v", name, got, want, sums)
		}
	}
}

func TestOutcome_NamesEveryError(t *testing.T) {
	for want, err := range map[string]error{
		"executed": nil, "unknown": &client.UnknownError{}, "busy": &client.UnknownError{Busy: true},
		"unequal": &client.UnknownError{Unequal: true}, "empty": client.ErrEmpty, "too-large": client.ErrTooLarge,
		"error": errors.New("something else"),
	} {
		if got := Outcome(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

// Without providers in the Config, OpenTelemetry's global providers are used. By default those drop everything.
func TestNew_NeedsNoProviders(t *testing.T) {
	o, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	told(t.Context(), o)
}
