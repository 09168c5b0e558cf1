package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tagma/checkpoint/journal"
	"tagma/crypto"
	"tagma/internal/node"
	"tagma/pbft"
	"tagma/testnet/check"
	"tagma/testnet/local"
	"tagma/testnet/report"
)

// watcher looks at the replicas while the demonstration runs: their reports, their journals, their deaths.
type watcher struct {
	cluster  *local.Cluster
	observer *local.Observer
	correct  []int
	show     Progress

	mu        sync.Mutex
	latest    map[int]node.Report // the last report of each
	rss       map[int]int64       // the most seen
	peak      map[int]int64       // the largest journal seen
	convicted time.Time           // when the liar was first seen convicted
	journals  *check.Journals
	unread    error // of the last look at a correct replica's journal
	dead      []local.Death
}

func newWatcher(c *local.Cluster, o *local.Observer, cfg *pbft.Config, show Progress) *watcher {
	w := &watcher{
		cluster: c, observer: o, show: show, latest: map[int]node.Report{}, rss: map[int]int64{}, peak: map[int]int64{},
		journals: check.NewJournals(cfg),
	}
	for id := range c.File.Replicas {
		if !c.Malicious(id) {
			w.correct = append(w.correct, id)
		}
	}
	return w
}

const (
	reportsEvery  = 100 * time.Millisecond
	journalsEvery = 500 * time.Millisecond
)

// run looks again and again until ctx ends.
func (w *watcher) run(ctx context.Context) {
	reports, journals := time.NewTicker(reportsEvery), time.NewTicker(journalsEvery)
	defer reports.Stop()
	defer journals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-w.cluster.Deaths():
			w.mourn(d)
		case <-reports.C:
			w.ask(ctx)
		case <-journals.C:
			// A journal of a running replica may change under the reader: what counts is the look at its end.
			w.readJournals()
		}
	}
}

func (w *watcher) mourn(d local.Death) {
	w.show.Note(d.String() + ", not by the demo: it counts as faulty from here on")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = append(w.dead, d)
}

func (w *watcher) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, reportsEvery)
	defer cancel()
	w.take(w.observer.Ask(ctx, w.cluster.Running()))
}

func (w *watcher) take(reports map[int]node.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, r := range reports {
		w.latest[id] = r
		w.rss[id] = max(w.rss[id], r.ResidentBytes)
		w.peak[id] = max(w.peak[id], r.JournalBytes)
		for _, c := range r.Convicted {
			if c.Replica == liar && w.convicted.IsZero() && slices.Contains(w.correct, id) {
				w.convicted = time.Now()
			}
		}
	}
}

// convictedAt is when a correct replica was first seen to have proof against the liar; zero if none was.
func (w *watcher) convictedAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.convicted
}

// view is the highest view that correct replicas reported last.
func (w *watcher) view() (view uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.correct {
		view = max(view, w.latest[id].View)
	}
	return view
}

// alive lists the correct replicas that nobody killed behind our back.
func (w *watcher) alive() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.correct), func(id int) bool {
		return slices.ContainsFunc(w.dead, func(d local.Death) bool { return d.Replica == id })
	})
}

// all lists every replica.
func (w *watcher) all() []int {
	ids := make([]int, len(w.cluster.File.Replicas))
	for i := range ids {
		ids[i] = i
	}
	return ids
}

// last is the last report of a replica, the most memory it was seen to use, and its largest journal.
func (w *watcher) last(id int) (r node.Report, rss, journal int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[id], w.rss[id], w.peak[id]
}

func (w *watcher) deaths() []local.Death {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dead)
}

// readJournals compares what the correct replicas' journals hold now with all that was read before.
func (w *watcher) readJournals() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread = nil
	for _, id := range w.correct {
		records, err := readJournal(filepath.Join(w.cluster.Home(id), node.JournalDir))
		if err != nil {
			w.unread = fmt.Errorf("journal of replica %d: %w", id, err)
			continue
		}
		w.journals.Read(pbft.ReplicaID(id), records)
	}
}

func readJournal(dir string) ([]pbft.Record, error) {
	var records []pbft.Record
	_, err := journal.Verify(dir, func(_ journal.Segment, e journal.Entry) error {
		r, err := pbft.DecodeRecord(e.Data)
		records = append(records, r)
		return err
	})
	return records, err
}

// judgement is what the journals say, once all replicas have stopped.
func (w *watcher) judgement() (results []check.Result, views int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journals.Results(), len(w.journals.Views()), w.unread
}

// journalSize is how large a journal is now, and how large it would be had nothing been deleted: segments are numbered
// from 1 and have one size, a rare larger one apart.
func journalSize(home string, segment int64) (now, written int64, err error) {
	r, err := journal.Verify(filepath.Join(home, node.JournalDir), func(journal.Segment, journal.Entry) error { return nil })
	if err != nil || len(r.Segments) == 0 {
		return 0, 0, err
	}
	for _, s := range r.Segments {
		now += s.Bytes
	}
	deleted := int64(r.Segments[0].Number) - 1
	return now, now + deleted*segment, nil
}

// evidence gathers and verifies the proofs in the homes of correct replicas, with nothing but the cluster's public keys.
func evidence(c *local.Cluster, cfg *pbft.Config, correct []int) ([]report.Evidence, error) {
	var all []report.Evidence
	verifier := crypto.NewVerifier(0, nil)
	for _, id := range correct {
		dir := filepath.Join(c.Home(id), node.EvidenceDir)
		files, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the evidence of replica %d: %w", id, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				return nil, fmt.Errorf("read the evidence of replica %d: %w", id, err)
			}
			e, err := pbft.DecodeEvidence(data)
			if err != nil {
				return nil, fmt.Errorf("%s in the evidence of replica %d: %w", f.Name(), id, err)
			}
			proven := pbft.VerifyEvidence(cfg, e, func(claims []pbft.Claim) bool { return hold(verifier, claims) }) == nil
			all = addEvidence(all, e, proven)
		}
	}
	return all, nil
}

func addEvidence(all []report.Evidence, e pbft.Evidence, proven bool) []report.Evidence {
	for i := range all {
		if known := &all[i]; known.Replica == int(e.Replica) && known.Kind == string(e.Kind) {
			known.Proofs++
			known.Verified = known.Verified && proven
			return all
		}
	}
	return append(all, report.Evidence{Replica: int(e.Replica), Kind: string(e.Kind), Verified: proven, Proofs: 1})
}

func hold(v *crypto.Verifier, claims []pbft.Claim) bool {
	converted := make([]crypto.Claim, len(claims))
	for i, c := range claims {
		converted[i] = crypto.Claim{Key: c.Signer, Message: c.Signed, Sig: c.Sig}
	}
	return v.Verify(converted)
}
