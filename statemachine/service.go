package statemachine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrNotExecuted says that a query asked for a state that is not executed yet.
var ErrNotExecuted = errors.New("that sequence number is not executed yet")

// ErrStopped says that a query was stopped before its end.
var ErrStopped = errors.New("the query was stopped")

// Service executes ordered batches on a Machine and keeps the resulting state in a Storage.
//
// Apply, Seal, Settle, Flush, Checkpoint and Load must be called by one goroutine, the executor. Another goroutine may
// write what Seal returned. Lookup, Executed and Query may be called from any goroutine at any time.
//
// All sessions are also kept in memory. Clients are registered, and each has at most Limits.Sessions sessions and
// MaxClientReplyBytes of replies, plus one reply. Changed values stay in memory until they are flushed, so the caller
// must flush at least once per checkpoint interval.
type Service struct {
	machine   Machine
	versioned Versioned // the machine if it has versions, else nil
	timed     Timed     // the machine if it is timed, else nil
	storage   Storage
	limits    Limits
	refused   map[[32]byte]bool // Limits.Refused

	administrators map[[32]byte]bool // Limits.Administrators
	verify         func(key [32]byte, message []byte, signature [64]byte) bool

	observe func(Panic)

	due      atomic.Int64            // when a batch should be ordered for Tick; 0: never
	underWay atomic.Pointer[Request] // the request that is being executed; nil between two requests

	// Used by the executor alone.
	base    StorageView // the state after sequence number flushed
	recent  *recent     // values in base that were used recently
	layers  layers      // all writes above base
	gaps    gaps        // stretches of both in which no key exists
	sealed  *Sealed     // the group that is being written
	tx      txn
	touched touched
	failed  error // final: an error of the storage, or a version that the program does not know
	begun   bool  // a batch that is not null was executed

	upgraded bool // the batch that is executed has upgraded the state, or tried to

	mu        sync.RWMutex // guards the fields below, which the executor writes and others read
	clients   map[[32]byte]*client
	executed  uint64
	flushed   uint64  // the storage holds every batch up to this one
	unwritten written // the batches (flushed, executed]
	time      int64   // agreed time of the state after executed
	version   int     // of that state
}

// New returns a service in the state after sequence number 0, the empty store. It reads nothing; Load resumes from a
// storage. An error names an unusable limit, or says that the machine's versions are unusable.
func New(m Machine, st Storage, lim Limits) (*Service, error) {
	lim, err := lim.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{machine: m, storage: st, limits: lim, refused: make(map[[32]byte]bool), version: max(lim.FirstVersion, 1)}
	s.verify = byTheRule()
	s.versioned, _ = as[Versioned](m)
	s.timed, _ = as[Timed](m)
	s.gaps.least = leastGap
	for _, digest := range lim.Refused {
		s.refused[digest] = true
	}
	s.administrators = make(map[[32]byte]bool)
	for _, key := range lim.Administrators {
		s.administrators[key] = true
	}
	if oldest, newest := s.versions(); oldest < 1 || newest < oldest || newest > math.MaxInt32 {
		return nil, fmt.Errorf("the machine says that it knows the versions %d to %d of the state; they begin at 1", oldest, newest)
	}
	if err := s.load(0); err != nil {
		return nil, err
	}
	return s, nil
}

// Load resumes from the state after sequence number at, which must be the end of a write, and forgets everything that
// was applied. It does not see higher versions that the storage may hold; executing the batches after at writes the
// same versions again (D5). The error is a *VersionError if the machine does not know the version of the state.
func (s *Service) Load(at uint64) error {
	err := s.load(at)
	if err == nil {
		err = s.checkVersion(s.base)
	}
	if err == nil {
		err = s.askDue(&reader{above: &s.layers, base: s.base, seq: at, time: s.time, known: s.version, administrators: s.administrators})
	}
	return err
}

func (s *Service) load(at uint64) error {
	view, err := s.view(at)
	if err != nil {
		return fmt.Errorf("open the state at sequence number %d: %w", at, err)
	}
	var clients map[[32]byte]*client
	now, begun, err := timeAt(written(nil), view)
	if err == nil {
		clients, err = loadClients(view)
	}
	if err != nil {
		view.Close()
		return fmt.Errorf("load the state at sequence number %d: %w", at, err)
	}
	s.recent, s.layers, s.sealed = newRecent(recentBytes), newLayers(), nil
	s.gaps.forget()
	s.rebase(view)
	s.touched, s.failed, s.begun = touched{}, nil, begun
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients, s.time = clients, now
	s.executed, s.flushed, s.unwritten = at, at, nil
	return nil
}

// Executed returns the sequence number of the last applied batch.
func (s *Service) Executed() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.executed
}

// UnderWay returns the request that is being executed, or nil between two requests. It must not be changed.
func (s *Service) UnderWay() *Request { return s.underWay.Load() }

// PassedDeleted returns how many deleted keys the ranges of batches have passed. It differs between replicas.
func (s *Service) PassedDeleted() uint64 { return s.gaps.passed.Load() }

// LeapFrom sets how many deleted keys in a row make a gap, which later ranges skip. Simulations set a small number,
// because they have few deleted keys. No result depends on it. It must be called before the service is used.
func (s *Service) LeapFrom(deleted int) { s.gaps.least = deleted }

// Lookup answers a request that need not be executed any more: it was executed, another request was executed under its
// number, or it has expired (C3). It returns false for a request that must be ordered. The caller must check that the
// client is registered.
func (s *Service) Lookup(client [32]byte, session, t uint64, digest [32]byte) (Reply, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	reply := Reply{Client: client, Session: session, T: t, Request: digest}
	c := s.clients[client]
	if c == nil {
		return Reply{}, false
	}
	held := c.find(session)
	switch {
	case held == nil && session <= c.floor:
		reply.Outcome = OutcomeExpired
		return reply, true
	case held == nil:
		return Reply{}, false
	}
	var known cached
	if reply.Outcome, known = held.settled(t, digest); reply.Outcome == 0 {
		return Reply{}, false
	}
	reply.Seq, reply.Results = known.seq, known.results
	return reply, true
}

// Sessions returns the highest session that a client holds, 0 if it holds none, and the client's floor. A session
// number above both has not expired (C1).
func (s *Service) Sessions(client [32]byte) (highest, floor uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.clients[client]
	if c == nil {
		return 0, 0
	}
	if n := len(c.held); n > 0 {
		highest = c.held[n-1].number
	}
	return highest, c.floor
}

// Query answers a read of the state after sequence number at: the newest state, or an older one that is retained. An error
// wraps ErrNotExecuted, ErrNotRetained or the storage's failure; a failure of the application is a result (see Failure).
func (s *Service) Query(op []byte, at uint64) ([]byte, error) {
	return s.QueryUntil(nil, op, at)
}

// QueryUntil is Query, except that it ends at the application's next read after stop is closed. The error then wraps
// ErrStopped.
func (s *Service) QueryUntil(stop <-chan struct{}, op []byte, at uint64) ([]byte, error) {
	s.mu.RLock()
	executed, flushed, unwritten := s.executed, s.flushed, s.unwritten
	s.mu.RUnlock()
	if at > executed {
		return nil, fmt.Errorf("query at sequence number %d, executed is %d: %w", at, executed, ErrNotExecuted)
	}
	view, err := s.view(min(at, flushed))
	if h, ok := as[Historian](s.machine); ok && errors.Is(err, ErrNotRetained) {
		return s.queryPast(h, stop, op, at, err)
	}
	if err != nil {
		return nil, fmt.Errorf("query at sequence number %d: %w", at, err)
	}
	defer view.Close()
	r := reader{
		above: unwritten[:max(at, flushed)-flushed], base: view, seq: at, first: s.limits.FirstVersion, stop: stop,
		administrators: s.administrators, cluster: s.limits.Cluster,
	}
	result, err := s.answer(&r, op, s.machine.Query)
	if err != nil {
		return nil, fmt.Errorf("query at sequence number %d: %w", at, err)
	}
	return result, nil
}

// Held returns what transactions over several clusters hold in the newest state; nothing if the machine is no Holder. An
// error is the storage's.
func (s *Service) Held() (h Held, err error) {
	m, is := as[Holder](s.machine)
	if !is {
		return Held{}, nil
	}
	s.mu.RLock()
	executed, flushed, unwritten := s.executed, s.flushed, s.unwritten
	s.mu.RUnlock()
	view, err := s.view(flushed)
	if err != nil {
		return Held{}, fmt.Errorf("read what transactions hold: %w", err)
	}
	defer view.Close()
	r := reader{
		above: unwritten, base: view, seq: executed, first: s.limits.FirstVersion,
		administrators: s.administrators, cluster: s.limits.Cluster,
	}
	_, err = s.answer(&r, nil, func(r Reader, _ []byte) []byte {
		h = m.Held(r)
		return nil
	})
	return h, err
}

// queryPast answers a query of a state that the storage does not retain, from the history in the newest state. If the
// history does not reach back that far, it returns lost, the storage's error.
func (s *Service) queryPast(h Historian, stop <-chan struct{}, op []byte, at uint64, lost error) ([]byte, error) {
	s.mu.RLock()
	executed, flushed, unwritten := s.executed, s.flushed, s.unwritten
	s.mu.RUnlock()
	view, err := s.view(flushed)
	if err != nil {
		return nil, fmt.Errorf("query at sequence number %d: %w", at, err)
	}
	defer view.Close()
	r, kept := reader{
		above: unwritten, base: view, seq: executed, first: s.limits.FirstVersion, stop: stop,
		administrators: s.administrators, cluster: s.limits.Cluster,
	}, true
	result, err := s.answer(&r, op, func(r Reader, op []byte) (result []byte) {
		result, kept = h.QueryPast(r, op, at)
		return result
	})
	if err == nil && !kept {
		err = lost
	}
	if err != nil {
		return nil, fmt.Errorf("query at sequence number %d: %w", at, err)
	}
	return result, nil
}

// answer lets the application answer a query from the state of a reader.
func (s *Service) answer(r *reader, op []byte, ask func(Reader, []byte) []byte) ([]byte, error) {
	var err error
	if r.time, _, err = timeAt(r.above, r.base); err != nil {
		return nil, err
	}
	result, panicked := []byte(nil), true
	if !apart(func() { result, panicked = s.query(r, op, ask) }) {
		s.report(r, op, endedGoroutine{})
	}
	if r.err != nil {
		return nil, r.err
	}
	result, _ = settle(result, panicked, false, s.limits.MaxResultBytes)
	return result, nil
}

// CheckRefused reports a request in Limits.Refused that has already ended in a state, which the replies cached there
// show. The effect of such a request is part of the state, and its client may have the answer, so it must not be refused
// any more.
func CheckRefused(refused [][32]byte, view StorageView) error {
	clients, err := loadClients(view)
	if err != nil {
		return fmt.Errorf("look for refused requests: %w", err)
	}
	for _, c := range clients {
		for _, s := range c.held {
			for _, known := range s.replies {
				if slices.Contains(refused, known.digest) && len(known.results) > 0 && string(known.results[0]) != ResultUnwanted {
					return &EndedError{Digest: known.digest, Seq: known.seq}
				}
			}
		}
	}
	return nil
}

// EndedError says that a request which is to be refused has already ended in a batch.
type EndedError struct {
	Digest [32]byte
	Seq    uint64
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("request %x ended here in batch %d, so it cannot be refused any more: take it off refused_requests on every"+
		" replica; where it still runs, it will end", e.Digest, e.Seq)
}

// view opens a state of the storage. The state after 0 is empty, so the storage is not asked for it.
func (s *Service) view(at uint64) (StorageView, error) {
	if at == 0 {
		return emptyView{}, nil
	}
	return s.storage.View(at)
}

// rebase makes view the state on which batches execute.
func (s *Service) rebase(view StorageView) {
	if s.base != nil {
		s.base.Close()
	}
	s.base = &remembered{view, s.recent}
}
