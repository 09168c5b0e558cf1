package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// metrics are the instruments that the loop updates. Each child of a label is looked up here, once, so that an update
// costs the loop one atomic addition. Values that can be read when needed are read at a scrape instead (see scrape).
// docs/metrics.md lists all metrics.
type metrics struct {
	driver.Ignore
	registry *prometheus.Registry

	phases     [phases]prometheus.Observer // by the phase that ends
	batch      prometheus.Histogram
	requests   prometheus.Histogram
	operations prometheus.Counter
	replies    prometheus.Counter
	evidence   prometheus.Counter
	drops      map[port.Reason]prometheus.Counter
	otherDrops prometheus.Counter
	append     prometheus.Histogram
	records    prometheus.Counter
	busy       prometheus.Counter
	amnesias   prometheus.Counter

	transfersBegun, transfersFinished, transferRounds, transferBlamed prometheus.Counter
	givenBatches, givenAnswers, givenRefused                          prometheus.Counter
	bytesReceived, bytesLate, bytesGiven, lostData, lostQuestions     prometheus.Counter
	scrubPasses, scrubBytes, scrubFiles, scrubKeys, scrubBatches      prometheus.Counter
}

// Upper ends of the buckets of the histograms: from 50 µs, which is shorter than a sync of a disk, to 6.6 s, which is
// longer than a view timeout; and from 1 to 4096 requests.
var (
	secondsBuckets  = prometheus.ExponentialBuckets(50e-6, 2, 18)
	requestsBuckets = prometheus.ExponentialBuckets(1, 2, 13)
)

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), drops: make(map[port.Reason]prometheus.Counter, len(port.Reasons))}
	m.batch = m.histogram("tagma_batch_seconds", "From a batch's pre-prepare to its first reply.", secondsBuckets)
	m.requests = m.histogram("tagma_batch_requests", "Requests in a batch handed to execution.", requestsBuckets)
	m.operations = m.counter("tagma_operations_total", "Operations in batches handed to execution.")
	m.replies = m.counter("tagma_replies_total", "Replies with results handed to the network.")
	m.evidence = m.counter("tagma_evidence_total", "Proofs of misbehaviour found.")
	m.append = m.histogram("tagma_journal_append_seconds",
		"Writing and syncing the votes of one turn.", secondsBuckets)
	m.records = m.counter("tagma_journal_records_total", "Records written to the journal.")
	m.busy = m.counter("tagma_busy_answers_total", "Requests answered with busy.")
	m.recoveries()
	m.scrubs()
	m.lost()

	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tagma_phase_seconds", Help: "Time a batch spent in a phase.", Buckets: secondsBuckets,
	}, []string{"phase"})
	for ph := prepared; ph < phases; ph++ {
		m.phases[ph] = took.WithLabelValues(phaseNames[ph])
	}
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tagma_dropped_total", Help: "Verified messages that changed nothing.",
	}, []string{"reason"})
	for _, why := range port.Reasons { // a reason that is not in this list is counted as "other"
		m.drops[why] = dropped.WithLabelValues(string(why))
	}
	m.otherDrops = dropped.WithLabelValues("other")

	m.registry.MustRegister(took, dropped, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// recoveries are the metrics of a replica that recovers, and of the replicas that help it.
func (m *metrics) recoveries() {
	m.amnesias = m.counter("tagma_amnesias_total", "Times it was found that this replica may have forgotten what it signed.")
	m.transfersBegun = m.counter("tagma_transfers_begun_total", "Transfers of the state to this replica that were begun.")
	m.transfersFinished = m.counter("tagma_transfers_finished_total", "Transfers of the state to this replica that came to their end.")
	m.transferRounds = m.counter("tagma_transfer_rounds_total", "Checkpoints that transfers tried to fetch.")
	m.transferBlamed = m.counter("tagma_transfer_blamed_total", "Parts of a state that were not what the checkpoint says.")
	m.bytesReceived = m.counter("tagma_transfer_received_bytes_total", "Parts of states received.")
	m.bytesLate = m.counter("tagma_transfer_late_bytes_total", "Of them, those that another donor had been asked for meanwhile.")
	m.bytesGiven = m.counter("tagma_donor_bytes_total", "Batches and parts of states given to others.")
	m.givenBatches = m.counter("tagma_donor_batches_total", "Batches given to others.")
	m.givenAnswers = m.counter("tagma_donor_answers_total", "Questions for parts of a state answered.")
	m.givenRefused = m.counter("tagma_donor_refused_total", "Questions for batches or state refused: malformed, or too much was asked.")
}

// scrubs are the metrics of the search for damage on the disk.
func (m *metrics) scrubs() {
	found := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tagma_scrub_findings_total", Help: "What was found damaged on the disk: files, keys of the state, batches of the journal.",
	}, []string{"what"})
	m.registry.MustRegister(found)
	m.scrubPasses = m.counter("tagma_scrub_passes_total", "Searches for damage that came to their end.")
	m.scrubBytes = m.counter("tagma_scrub_bytes_total", "Bytes read in search of damage.")
	m.scrubFiles, m.scrubKeys, m.scrubBatches = found.WithLabelValues("files"), found.WithLabelValues("keys"), found.WithLabelValues("batches")
}

// lost makes the counters of dropped messages that belong to the transfer of a state.
func (m *metrics) lost() {
	lost := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tagma_transfer_lost_total", Help: "Messages of the exchange of state that found no room.",
	}, []string{"queue"})
	m.registry.MustRegister(lost)
	m.lostData, m.lostQuestions = lost.WithLabelValues("data"), lost.WithLabelValues("questions")
}

func (m *metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(h)
	return h
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

// Accused counts a proof.
func (m *metrics) Accused(wire.Evidence) { m.evidence.Inc() }

// Dropped counts a message that the core ignored.
func (m *metrics) Dropped(_ wire.Message, why port.Reason) {
	if c, known := m.drops[why]; known {
		c.Inc()
		return
	}
	m.otherDrops.Inc()
}
