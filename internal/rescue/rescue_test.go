package rescue

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/checkpoint/backup"
	"tagma/checkpoint/store"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
)

// take takes a backup. It returns the certificate, and the replicas that turned out to lie.
func (s *site) take(st *store.Store, least uint64) (wire.StableCert, []int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	var liars []int
	cert, err := Take(ctx, Taking{
		File: s.made.File, Key: s.key(), Store: st, Least: least, Liar: func(id int, _ error) { liars = append(liars, id) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(liars)
	return cert, liars
}

// holds checks that a store has the state of the replicas.
func (s *site) holds(st *store.Store, at uint64) {
	s.t.Helper()
	view, err := st.View(at)
	if err != nil {
		s.t.Fatal(err)
	}
	defer view.Close()
	n := 0
	for e, err := range view.Scan(nil, nil) {
		if err != nil || s.state[string(e.Key)] != string(e.Value) {
			s.t.Fatalf("%q holds %d bytes (%v), want %d", e.Key, len(e.Value), err, len(s.state[string(e.Key)]))
		}
		n++
	}
	if n != len(s.state) {
		s.t.Errorf("%d keys, want %d", n, len(s.state))
	}
}

func (s *site) judge() func(*backup.Head) error {
	judge, err := OfCluster(s.made.File)
	if err != nil {
		s.t.Fatal(err)
	}
	return judge
}

// X3: if a replica gives a wrong state, it is named and not asked again. The backup has the right state nevertheless.
func TestX3_ADonorThatLiesToABackupIsNoticed(t *testing.T) {
	s := newSite(t)
	cert := s.write(many(3000))
	lied := false
	s.gives[1].lie = func(d *wire.Data) *wire.Data {
		d, is := spoilt(d)
		lied = lied || is
		return d
	}
	s.gives[2].lie = func(d *wire.Data) *wire.Data { // a state that nobody certified
		if d.Offer == nil {
			return d
		}
		forged := s.certify(s.at+uint64(s.cfg.CheckpointInterval), wire.Digest{9}, 2)
		forged.Checkpoints = append(forged.Checkpoints, wire.Endorsement{Replica: 3, Sig: forged.Checkpoints[0].Sig},
			wire.Endorsement{Replica: 0, Sig: forged.Checkpoints[0].Sig})
		slices.SortFunc(forged.Checkpoints, func(a, b wire.Endorsement) int { return int(a.Replica) - int(b.Replica) })
		return &wire.Data{Seq: d.Seq, Offer: &forged}
	}
	s.gives[3].lie = func(d *wire.Data) *wire.Data { // replica 3 makes an offer and then sends no answers
		if len(d.Answer) > 0 {
			return nil
		}
		return d
	}
	st := s.emptyStore()
	got, liars := s.take(st, 1)
	if got.Seq != cert.Seq || got.Digest != cert.Digest {
		t.Errorf("took the state after %d, want %d", got.Seq, cert.Seq)
	}
	s.gives[1].mu.Lock()
	defer s.gives[1].mu.Unlock()
	if !lied || !slices.Equal(liars, []int{1, 2}) {
		t.Errorf("seen to lie: %v (lied: %v), want replicas 1 and 2", liars, lied)
	}
	s.holds(st, uint64(cert.Seq))
}

// A backup has the requested checkpoint or a later one. If no replica can give one, the error says why.
func TestTake_EndsWithTheReason(t *testing.T) {
	s := newSite(t)
	s.write(many(10))
	for name, c := range map[string]struct {
		least uint64
		lie   func(*wire.Data) *wire.Data
		want  string
	}{
		"nobody answers":         {1, func(*wire.Data) *wire.Data { return nil }, "backup = true"},
		"no checkpoint so late":  {s.at + 1, nil, "no checkpoint at or above"},
		"nobody gives the state": {1, func(d *wire.Data) *wire.Data { d, _ = silent(d); return d }, "was fetched to 0 %"},
	} {
		for _, g := range s.gives {
			g.mu.Lock()
			g.lie = c.lie
			g.mu.Unlock()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		_, err := Take(ctx, Taking{File: s.made.File, Key: s.key(), Store: s.emptyStore(), Least: c.least})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func silent(d *wire.Data) (*wire.Data, bool) {
	if len(d.Answer) > 0 {
		return nil, true
	}
	return d, false
}

// chainOf takes a whole backup, changes the state, and takes a second backup that holds only the changes.
func (s *site) chainOf() (whole, more string) {
	s.t.Helper()
	s.write(many(2000))
	st := s.emptyStore()
	cert, _ := s.take(st, 1)
	whole = s.save("whole.bak", st, cert, nil, nil)
	s.write(map[string]string{"key 00001": "changed", "key 00002": "", "new": "here"})
	since, err := Find(whole)
	if err != nil {
		s.t.Fatal(err)
	}
	before, err := st.View(uint64(cert.Seq))
	if err != nil {
		s.t.Fatal(err)
	}
	defer before.Close()
	later, _ := s.take(st, s.at)
	s.holds(st, s.at)
	return whole, s.save(filepath.Join(filepath.Dir(whole), "more.bak"), st, later, since, before)
}

// K1, X3: the cluster file is enough to verify a backup or a chain of backups. An empty store can be filled with the
// state.
func TestVerify_AcceptsWhatWasTakenAndFillRestoresIt(t *testing.T) {
	s := newSite(t)
	whole, more := s.chainOf()
	chain, err := Find(more)
	if err != nil {
		t.Fatal(err)
	}
	shares := 0
	report, err := Verify(chain, s.made.File, func(float64) { shares++ })
	if err != nil || report.Seq != s.at || report.Keys != len(s.state) || !slices.Equal(report.Signers, []int{0, 1, 2}) || shares == 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if report.Records[1] != 3 {
		t.Errorf("the second backup has %d records, and three keys changed", report.Records[1])
	}
	st := s.emptyStore()
	if err := Fill(st, chain, s.judge(), nil); err != nil {
		t.Fatal(err)
	}
	s.holds(st, s.at)
	if err := os.Rename(whole, filepath.Join(t.TempDir(), "elsewhere.bak")); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(more); err == nil || !strings.Contains(err.Error(), "--since") {
		t.Errorf("without the backup that it adds to: %v", err)
	}
}

// A backup with one changed byte, in the head, the signatures or the entries, is refused, and so is one that is cut short.
func TestVerify_RefusesEveryChangedByte(t *testing.T) {
	s := newSite(t)
	s.write(many(300))
	st := s.emptyStore()
	cert, _ := s.take(st, 1)
	path := s.save("whole.bak", st, cert, nil, nil)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(content []byte) error {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		chain, err := Find(path)
		if err == nil {
			_, err = Verify(chain, s.made.File, nil)
		}
		return err
	}
	if err := verify(good); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		at := random.IntN(len(good))
		if i%2 == 0 { // every second change is in the head, the certificate or the first entries
			at = random.IntN(1000)
		}
		bad := slices.Clone(good)
		bad[at] ^= byte(1 + random.IntN(255))
		if err := verify(bad); err == nil || strings.Contains(err.Error(), "\n") {
			t.Fatalf("byte %d of %d changed: %v", at, len(good), err)
		}
	}
	for range 50 {
		if err := verify(good[:random.IntN(len(good))]); err == nil {
			t.Fatal("a cut backup is accepted")
		}
	}
}

// A backup is refused unless a quorum of this cluster has signed the root of exactly its state.
func TestVerify_RefusesWhatNoQuorumVouchesFor(t *testing.T) {
	s := newSite(t)
	cert := s.write(many(20))
	st := s.emptyStore()
	s.take(st, 1)
	other, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	forged := s.certify(s.at, cert.Digest, 0, 1, 2)
	forged.Checkpoints[2].Sig = forged.Checkpoints[1].Sig
	elsewhere := *s.made.File
	elsewhere.ID[0]++
	machine := *s.made.File
	machine.Machine = "bank"
	for name, c := range map[string]struct {
		cert wire.StableCert
		of   *cluster.File
	}{
		"two signers":                {s.certify(s.at, cert.Digest, 0, 1), s.made.File},
		"a forged signature":         {forged, s.made.File},
		"another cluster's keys":     {cert, &cluster.File{Format: 1, ID: s.made.File.ID, Machine: "kv", Replicas: other.File.Replicas}},
		"a copy under another id":    {cert, &elsewhere},
		"a state of another machine": {cert, &machine},
	} {
		path := s.save("b.bak", st, c.cert, nil, nil)
		chain, err := Find(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(chain, c.of, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// D8.3: a backup is restored only into a home without data. If that fails, everything that was written is removed.
func TestPut_LeavesHomesWithDataAlone(t *testing.T) {
	s := newSite(t)
	whole, _ := s.chainOf()
	chain, err := Find(whole)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	journal, state := filepath.Join(data, "journal"), filepath.Join(data, "state")
	refuse := func(*backup.Head) error { return errors.New("not of this cluster") }
	if err := Put(chain, journal, state, refuse, nil); err == nil {
		t.Error("a backup that was judged bad was put back")
	}
	if left, _ := os.ReadDir(data); len(left) > 0 {
		t.Errorf("what failed left %v", left)
	}
	if err := Put(chain, journal, state, s.judge(), nil); err != nil {
		t.Fatal(err)
	}
	if err := Put(chain, journal, state, s.judge(), nil); err == nil || !strings.Contains(err.Error(), "holds data") {
		t.Errorf("into a home with a state: %v", err)
	}
	if err := os.Rename(state, journal); err != nil {
		t.Fatal(err)
	}
	if err := Put(chain, journal, state, s.judge(), nil); err == nil || !strings.Contains(err.Error(), "holds data") {
		t.Errorf("into a home with a journal: %v", err)
	}
}
