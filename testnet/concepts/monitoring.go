package concepts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/testnet/local"
)

// monitored runs a monitor on a cluster in which first the primary dies, and then a second replica.
func monitored(does harm) func(ctx context.Context, p Place) (string, []string, error) {
	return func(ctx context.Context, p Place) (saw string, lacks []string, err error) {
		c, end, err := p.cluster(ctx, "monitoring")
		if err != nil {
			return "", nil, err
		}
		defer func() { err = errors.Join(err, end()) }()
		if _, err := writes(ctx, c.ClusterFile(), c.ClientKey(0), "key", 4); err != nil {
			return "", nil, err
		}
		m, err := monitorOf(c)
		if err != nil {
			return "", nil, err
		}
		phases := []struct {
			down  []int
			holds func([]seen) bool
			says  func([]seen) string
			lacks string
		}{
			{
				nil, func(all []seen) bool { return len(those(all, isReady)) == 4 && !slices.ContainsFunc(all, missesAny) },
				func([]seen) string { return "at first all four are ready and miss nobody" }, "not all four replicas are ready",
			},
			{[]int{0}, func(all []seen) bool {
				return slices.Equal(those(all, isDown), []int{0}) && slices.Equal(those(all, isReady), []int{1, 2, 3}) &&
					slices.Equal(those(all, misses(0)), []int{1, 2, 3}) && slices.Equal(those(all, inView(1)), []int{1, 2, 3})
			}, func([]seen) string {
				return "replica 0 is killed and does not answer, and the others miss it and nobody else (tagma_peer_connected); they are " +
					"in view 1 (tagma_view) and ready"
			}, "the death of replica 0 is not told by the others"},
			{[]int{3}, func(all []seen) bool {
				return slices.Equal(those(all, isAlive), []int{1, 2}) && len(those(all, isReady)) == 0
			}, func(all []seen) string {
				return "replica 3 is killed, too; replicas 1 and 2 work (/healthz) and do not serve (/readyz): " + all[1].why
			}, "the loss of the quorum is not told by those that are left"},
		}
		for _, phase := range phases {
			if len(phase.down) > 0 {
				does(c, phase.down...)
			}
			began := time.Now()
			patience := local.Patience
			if len(phase.down) > 0 {
				patience = p.patience()
			}
			all, held, err := m.within(ctx, patience, phase.holds)
			switch {
			case err != nil:
				return "", nil, err
			case !held:
				return saw, append(lacks, fmt.Sprintf("%s; after %.1f s the monitor sees %+v", phase.lacks, time.Since(began).Seconds(), all)), nil
			}
			if saw != "" {
				saw += "; "
			}
			saw += phase.says(all)
		}
		return saw, nil, nil
	}
}

// misses says whether a replica has links to all others but this one.
func misses(id int) func(*seen) bool {
	return func(s *seen) bool { return slices.Equal(s.linkless, []int{id}) }
}

func missesAny(s seen) bool { return len(s.linkless) > 0 }

// inView says whether a replica is in this view or a later one.
func inView(v float64) func(*seen) bool { return func(s *seen) bool { return s.view >= v } }

// seen is what a monitor knows about one replica. It knows only the answers of the replica's admin address.
type seen struct {
	alive    bool // /healthz is 200: the process works
	ready    bool // /readyz is 200: it serves clients with a quorum
	why      string
	view     float64 // of /metrics
	linkless []int   // the replicas to which it has no links, of /metrics
}

// look asks a replica in the same way as Prometheus and an orchestrator do.
func look(ctx context.Context, admin string) (s seen) {
	code, _, err := ask(ctx, admin, "/healthz")
	if err != nil {
		s.why = "no answer"
		return s
	}
	s.alive = code == http.StatusOK
	code, s.why, err = ask(ctx, admin, "/readyz")
	s.ready = err == nil && code == http.StatusOK
	s.why = strings.TrimSpace(s.why)
	code, metrics, err := ask(ctx, admin, "/metrics")
	if err != nil || code != http.StatusOK {
		return seen{why: "no metrics"}
	}
	for lines := bufio.NewScanner(strings.NewReader(metrics)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name == "tagma_view" {
			s.view, _ = strconv.ParseFloat(value, 64)
		}
		var peer int
		if _, err := fmt.Sscanf(name, `tagma_peer_connected{peer="%d"}`, &peer); err == nil && value == "0" {
			s.linkless = append(s.linkless, peer)
		}
	}
	slices.Sort(s.linkless)
	return s
}

// mostAnswered bounds what is read of an answer: the metrics of a replica are some ten KiB.
const mostAnswered = 4 << 20

// ask requests a path of an admin address.
func ask(ctx context.Context, admin, path string) (code int, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswered))
	return answer.StatusCode, string(body), err
}

// monitor is a program that knows only the admin addresses of a cluster.
type monitor []string

func monitorOf(c *local.Cluster) (m monitor, err error) {
	for id := range c.File.Replicas {
		admin, err := c.Admin(id)
		if err != nil {
			return nil, err
		}
		m = append(m, admin)
	}
	return m, nil
}

// round asks all replicas once.
func (m monitor) round(ctx context.Context) (all []seen) {
	for _, admin := range m {
		all = append(all, look(ctx, admin))
	}
	return all
}

// between is the pause between two rounds of requests of a monitor.
const between = 50 * time.Millisecond

// until repeats rounds of requests until the answers meet a condition, or ctx ends. It returns the last round.
func (m monitor) until(ctx context.Context, holds func([]seen) bool) (last []seen, held bool) {
	pause := time.NewTicker(between)
	defer pause.Stop()
	for {
		if last = m.round(ctx); holds(last) {
			return last, true
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return last, false
		}
	}
}

// within does the same as until, for at most a time. The error says that ctx ended.
func (m monitor) within(ctx context.Context, patience time.Duration, holds func([]seen) bool) (last []seen, held bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	last, held = m.until(bounded, holds)
	return last, held, ctx.Err()
}

// those lists the replicas that meet a condition.
func those(all []seen, holds func(*seen) bool) (ids []int) {
	for id := range all {
		if holds(&all[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

func isAlive(s *seen) bool { return s.alive }
func isReady(s *seen) bool { return s.ready }
func isDown(s *seen) bool  { return !s.alive }
