// Package concepts demonstrates the concepts of fault tolerance. Each concept is a card: it has a few sentences, a
// scenario that demonstrates the concept, and a check that the run did so.
//
// It owns the cards and what their checks ask of a report. It does not run scenarios and does not judge whether a run
// was safe: testnet/play and the scenario's own expectations do that.
package concepts
