package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"tagma/checkpoint/store"
	"tagma/client"
	"tagma/internal/reach"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// busy is a client that writes the same keys again and again until it is told to stop.
type busy struct {
	t       *testing.T
	c       *client.Client
	stop    chan struct{}
	done    chan struct{}
	acked   []int // by key: the number of the last acknowledged value
	written int
}

// busyBytes is the length of the busy client's values. They are so long that most of them are in the store's tables.
const busyBytes = 4 << 10

func (b *testbed) busy(t *testing.T, keys int) *busy {
	t.Helper()
	dial, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := reach.Dial(dial, b.fresh.File, b.fresh.Clients[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	w := &busy{t: t, c: c, acked: make([]int, keys), done: make(chan struct{}), stop: make(chan struct{})}
	for from := 0; from < keys; from += 64 {
		var filling sync.WaitGroup
		for key := from; key < min(from+64, keys); key++ {
			filling.Go(func() { w.put(key, key+1) })
		}
		filling.Wait()
	}
	w.written = keys
	go func() {
		defer close(w.done)
		for {
			select {
			case <-w.stop:
				return
			default:
				w.written++
				w.put(w.written%keys, w.written)
			}
		}
	}()
	return w
}

func (w *busy) put(key, number int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := kv.NewClient(w.c).Put(ctx, busyKey(key), busyValue(key, number)); err != nil {
		w.t.Errorf("put %d: %v", number, err)
		return
	}
	w.acked[key] = number
}

func busyKey(key int) string { return fmt.Sprintf("busy-%05d", key) }

func busyValue(key, number int) []byte {
	v := make([]byte, busyBytes)
	for i := range v {
		v[i] = 'a' + byte(i%7)
	}
	copy(v, fmt.Sprintf("%d of %d ", number, key))
	return v
}

// end stops the client and checks that every acknowledged value can be read (I9).
func (w *busy) end() {
	close(w.stop)
	<-w.done
	get := func(key int) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return kv.NewClient(w.c).Get(ctx, busyKey(key))
	}
	for key, number := range w.acked {
		if v, err := get(key); err != nil || string(v) != string(busyValue(key, number)) {
			w.t.Fatalf("%s = %.30q, %v; number %d was acknowledged", busyKey(key), v, err, number)
		}
	}
}

// signedLog records what a replica signs in all its runs. A replica must never sign two digests for one type, view and
// sequence number (I2).
type signedLog struct {
	mu        sync.Mutex
	signed    map[wire.Statement]wire.Digest // without digest and signature
	conflicts []string
}

func (l *signedLog) recordSigned(cast []wire.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range cast {
		s, is := wire.SaidIn(m)
		if !is || s.Type == wire.TypeViewChange || s.Type == wire.TypeNewView { // D8.10: signing a second one is allowed
			continue
		}
		digest := s.Digest
		s.Digest, s.Sig = wire.Digest{}, wire.Signature{}
		if before, known := l.signed[s]; known && before != digest {
			l.conflicts = append(l.conflicts, fmt.Sprintf("%v at (%d, %d): %v and %v", s.Type, s.View, s.Seq, before, digest))
		}
		l.signed[s] = digest
	}
}

// damager damages the files of replicas.
type damager struct {
	b        *testbed
	chance   *rand.Rand
	signedBy []*signedLog
	votes    []*ballots
	counts   map[string]int
	before   [4]int // by replica: transfers of the present process that were counted already
	lives    [4]int // by replica: new lives that were counted already
	keys     uint64 // roughly how many keys the state has
}

func (s *damager) start(i int) {
	v := &ballots{}
	s.votes[i], s.before[i], s.lives[i] = v, 0, 0
	s.b.start(i, v.options())
}

// recordSigned adds to a replica's record what the replica has signed since the last call.
func (s *damager) recordSigned(i int) (said int) {
	v := s.votes[i]
	v.mu.Lock()
	cast := v.cast
	v.cast = nil
	v.mu.Unlock()
	s.signedBy[i].recordSigned(cast)
	return len(cast)
}

// pick chooses a file of a replica's journal or store that is not empty.
func (s *damager) pick(i int) (path string, held int) {
	dirs := []string{JournalDir, StateDir}
	for {
		dir := filepath.Join(s.b.home(i), dirs[s.chance.IntN(len(dirs))])
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(names) == 0 {
			continue
		}
		path := names[s.chance.IntN(len(names))]
		data, err := os.ReadFile(path)
		if err != nil || used(data) == 0 || filepath.Base(path) == "LOCK" {
			continue
		}
		return path, used(data)
	}
}

// flipWhileDown flips a bit anywhere in the files of a replica that is down. truncate cuts one of its files.
func (s *damager) flipWhileDown(i int) string {
	path, held := s.pick(i)
	edit(s.b.t, path, func(data []byte) []byte {
		data[s.chance.IntN(held)] ^= 1 << s.chance.IntN(8)
		return data
	})
	return kindOf(path)
}

func (s *damager) truncate(i int) string {
	path, held := s.pick(i)
	if err := os.Truncate(path, int64(s.chance.IntN(held))); err != nil {
		s.b.t.Fatal(err)
	}
	return kindOf(path)
}

// flipWhileUp flips a bit on the disk of a running replica: in a value in a table, or in a full segment of the journal.
// It does not touch badger's own structures, because damage there may end the process.
func (s *damager) flipWhileUp(i int) (kind string, table bool) {
	tables, _ := filepath.Glob(filepath.Join(s.b.home(i), StateDir, "*.sst"))
	next, _ := filepath.Glob(filepath.Join(store.Next(filepath.Join(s.b.home(i), StateDir)), "*.sst"))
	tables = append(tables, next...)
	segments, _ := filepath.Glob(filepath.Join(s.b.home(i), JournalDir, "*.segment"))
	if table = len(tables) > 0 && s.chance.IntN(2) == 0; table {
		path := tables[s.chance.IntN(len(tables))]
		data, err := os.ReadFile(path)
		if err != nil { // it was compacted away
			return s.flipWhileUp(i)
		}
		var places []int
		for at := 0; at+64 < len(data); at += 64 {
			if string(data[at:at+7]) == "abcdefg" || string(data[at:at+7]) == "defgabc" {
				places = append(places, at)
			}
		}
		if len(places) > 0 {
			return kindOf(path), turn(s.b.t, path, places[s.chance.IntN(len(places))])
		}
	}
	slices.Sort(segments)
	path := segments[s.chance.IntN(max(1, len(segments)-1))]
	data, err := os.ReadFile(path)
	if err != nil { // it was truncated
		return s.flipWhileUp(i)
	}
	turn(s.b.t, path, s.chance.IntN(max(1, used(data))))
	return kindOf(path), false
}

// turn flips a bit of a file, as a disk does while a process has the file open. The file may have been removed
// meanwhile.
func turn(t testing.TB, path string, at int) bool {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, int64(at))
	if err == nil {
		b[0] ^= 2
		_, err = f.WriteAt(b, int64(at))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return true
}

func kindOf(path string) string {
	if ext := filepath.Ext(path); ext != "" {
		return ext[1:]
	}
	return filepath.Base(path)
}

// scrubbed waits until a replica has begun and ended a whole pass, and returns how often it found damage meanwhile.
func (s *damager) scrubbed(i int) uint64 {
	s.b.t.Helper()
	at := &s.b.nodes[i].instance.Load().scrubs
	passes, found := at.passes.Load(), at.found.Load()
	s.b.until(fmt.Sprintf("replica %d has searched its disk", i), func([]Report) bool { return at.passes.Load() >= passes+2 })
	return at.found.Load() - found
}

// isBack waits until a replica holds the same state as the others and votes again. It returns how the replica recovered.
func (s *damager) isBack(i int, what string) string {
	s.b.t.Helper()
	n := s.b.nodes[i]
	from := uint64(n.inspection().Executed)
	s.b.until(what+": it is back", func(rs []Report) bool {
		in := n.inspection()
		return !in.Silent && !in.Asking && !in.LeftBehind && !in.Diverged && n.amnesiac.Load() == nil &&
			uint64(in.Executed) > from && uint64(in.Stable) > 0 && n.stableElsewhere(in) <= uint64(in.Handed)
	})
	p, before := n.moved(), s.before[i]
	lives := s.votes[i].log.count("begins a new life")
	reborn := lives > s.lives[i]
	s.before[i], s.lives[i] = p.Finished, lives
	switch fetched := p.Finished > before; {
	case reborn:
		return "recovered (D8)"
	case fetched && p.Keys < s.keys/2:
		return "fetched what was damaged"
	case fetched:
		return "fetched the state"
	default:
		return "went on from its disk"
	}
}
