package comeback

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tagma/internal/node"
)

// view is what replicas report of themselves at about one moment, by replica. Those that do not answer are missing.
type view map[int]node.Report

const (
	lookEvery     = 10 * time.Millisecond
	transferEvery = time.Millisecond // the transfer of a small state is over in a fraction of a second
	lookTimeout   = 2 * time.Second  // a replica answers from memory
)

// fetch gets a document of a replica's admin address.
func (s *stage) fetch(id int, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin[id]+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s of replica %d: %s", path, id, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// look asks replicas for their reports, all at once.
func (s *stage) look(ids ...int) view {
	v, all := view{}, sync.WaitGroup{}
	var mu sync.Mutex
	for _, id := range ids {
		all.Go(func() {
			document, err := s.fetch(id, "/status")
			var r node.Report
			if err != nil || json.Unmarshal(document, &r) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			v[id] = r
		})
	}
	all.Wait()
	return v
}

// executed is the highest sequence number that any replica says it has executed.
func (s *stage) executed() uint64 { return s.look(everybody()...).executed() }

func (v view) executed() (most uint64) {
	for _, r := range v {
		most = max(most, r.Executed)
	}
	return most
}

// metric reads one of a replica's metrics that has no labels.
func (s *stage) metric(id int, name string) (float64, error) {
	text, err := s.fetch(id, "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read the metrics of replica %d: %w", id, err)
	}
	value, ok := metricIn(string(text), name)
	if !ok {
		return 0, fmt.Errorf("replica %d has no metric %s", id, name)
	}
	return value, nil
}

// metricIn finds a metric without labels in the text format of Prometheus.
func metricIn(text, name string) (float64, bool) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if rest, is := strings.CutPrefix(lines.Text(), name+" "); is {
			value, err := strconv.ParseFloat(rest, 64)
			return value, err == nil
		}
	}
	return 0, false
}

// marks are the digests that were reported for stable checkpoints.
type marks map[uint64]mark

type mark struct {
	digest string
	by     map[int]bool
}

// note takes reports, and says which two replicas name different digests for one checkpoint.
func (m marks) note(v view) error {
	for id, r := range v {
		if r.StableCheckpoint == 0 {
			continue
		}
		known, is := m[r.StableCheckpoint]
		if !is {
			known = mark{digest: r.StateDigest, by: map[int]bool{}}
			m[r.StableCheckpoint] = known
		}
		if known.digest != r.StateDigest {
			return fmt.Errorf("replica %d says that the state at checkpoint %d is %.16s…, and another one said %.16s…", id,
				r.StableCheckpoint, r.StateDigest, known.digest)
		}
		known.by[id] = true
	}
	return nil
}

// shared reports whether somebody else named the same digest for a replica's stable checkpoint.
func (m marks) shared(id int, r node.Report) bool {
	known := m[r.StableCheckpoint]
	return len(known.by) > 1 || len(known.by) == 1 && !known.by[id]
}

// until looks at replicas again and again until what they report leaves nothing to wait for: lacks says in words what
// is still missing, "" for nothing. It fails when a replica dies of itself, when digests differ, and when it takes too
// long.
func (s *stage) until(what string, ids []int, lacks func(view) string) (view, error) {
	return s.every(lookEvery, what, ids, lacks)
}

// every is until with another pause between two looks.
func (s *stage) every(pause time.Duration, what string, ids []int, lacks func(view) string) (view, error) {
	began := time.Now()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		v := s.look(ids...)
		if err := s.marks.note(v); err != nil {
			return v, err
		}
		missing := lacks(v)
		if missing == "" {
			return v, nil
		}
		if time.Since(began) > s.o.Within {
			return v, fmt.Errorf("waited %v for %s: %s; last seen: %s", s.o.Within, what, missing, v)
		}
		select {
		case <-s.ctx.Done():
			return v, fmt.Errorf("wait for %s: %w", what, context.Cause(s.ctx))
		case d := <-s.cluster.Deaths():
			return v, fmt.Errorf("wait for %s: %s", what, d)
		case <-ticker.C:
		}
	}
}

// String says in a line how the replicas are.
func (v view) String() string {
	var parts []string
	for id := range replicas {
		r, answered := v[id]
		if !answered {
			continue
		}
		text := fmt.Sprintf("replica %d in view %d executed %d, stable %d, %s", id, r.View, r.Executed, r.StableCheckpoint, r.Health)
		if r.Recovery != nil {
			text += ", " + string(r.Recovery.Phase)
			if t := r.Recovery.Transfer; t != nil {
				text += fmt.Sprintf(" %s %d at %.1f %%", t.Phase, t.Checkpoint, 100*t.Share)
			}
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "no replica answers"
	}
	return strings.Join(parts, "; ")
}
