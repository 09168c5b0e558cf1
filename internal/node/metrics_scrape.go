package node

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"tagma/client/status"
	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// scrape reads the present values from the node at each scrape. Between two scrapes it costs nothing.
type scrape struct {
	node  *Node
	descs []*prometheus.Desc // by reading
}

// reading is one metric that is read at a scrape.
type reading struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	read       func(s *snapshot, emit emit)
}

// emit adds a value with the values of its labels.
type emit func(value float64, labels ...string)

// snapshot is the state of the node at one scrape.
type snapshot struct {
	node     *Node
	report   Report
	inside   *port.Inspection
	peers    []network.PeerState
	clients  network.ClientState
	verified crypto.Stats
	moved    replica.Progress // progress of the last transfer
	given    replica.Given
	watches  *watchCounts
}

// held is what transactions hold, zero if the report has none.
func (s *snapshot) held() status.Held {
	if s.report.Held == nil {
		return status.Held{}
	}
	return *s.report.Held
}

func newScrape(n *Node) *scrape {
	c := &scrape{node: n}
	for _, r := range readings {
		c.descs = append(c.descs, prometheus.NewDesc(r.name, r.help, r.labels, nil))
	}
	return c
}

// Describe lists every metric.
func (c *scrape) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect reads every metric.
func (c *scrape) Collect(out chan<- prometheus.Metric) {
	n := c.node
	s := &snapshot{
		node: n, report: n.Report(), inside: n.inspection(),
		peers: n.host.Peers(), clients: n.host.Clients(), verified: n.signatures.verifier.Stats(), moved: n.moved(), given: n.given(),
		watches: n.watches.shown.Load(),
	}
	for i, r := range readings {
		r.read(s, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(c.descs[i], r.kind, value, labels...)
		})
	}
}

// value makes a reading that has no labels.
func value[T int | int64 | uint64 | wire.Seq | wire.View](of func(*snapshot) T) func(*snapshot, emit) {
	return func(s *snapshot, out emit) { out(float64(of(s))) }
}

// truth makes a reading that is 1 or 0.
func truth(of func(*snapshot) bool) func(*snapshot, emit) {
	return func(s *snapshot, out emit) { out(oneIf(of(s))) }
}

// perPeer makes a reading with one value for each other replica.
func perPeer(of func(s *snapshot, peer int) float64) func(*snapshot, emit) {
	return func(s *snapshot, out emit) {
		for id := range s.peers {
			if id != s.report.Replica {
				out(of(s, id), strconv.Itoa(id))
			}
		}
	}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
