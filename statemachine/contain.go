package statemachine

import (
	"bytes"
	"errors"
	"runtime/debug"
)

// Panic describes a contained panic of the application. It is only for the operator's log: value and stack differ
// between replicas, so neither may reach the state or a reply.
type Panic struct {
	Seq   uint64 // of the batch, or of the state that a query read
	Op    []byte
	Value any
	Stack []byte
}

// ObservePanics sets the function that is called with every contained panic, on the goroutine that ran the operation.
// Queries run on any goroutine, several at once, so f must be safe for concurrent use. It must be set before the
// service is used.
func (s *Service) ObservePanics(f func(Panic)) { s.observe = f }

// operation executes one operation, contains its panic and returns its result, which has at most room bytes unless it
// is one of the service's constants. An error comes from the storage.
//
// The runtime does not let a program recover from a stack overflow, exhausted memory or a concurrent map write: these
// stop the process. An operation that never ends is not contained either. An operation that ends its goroutine does not
// return from here: see course.
func (s *Service) operation(op []byte, readOnly bool, room int) ([]byte, error) {
	s.tx.begin()
	var (
		result   []byte
		panicked bool
	)
	if readOnly {
		result, panicked = s.query(&s.tx.reader, op, s.machine.Query)
	} else {
		result, panicked = s.apply(op)
	}
	return s.conclude(result, panicked, room)
}

// conclude returns the result of an operation that has ended, and undoes the operation's writes if it failed.
func (s *Service) conclude(result []byte, panicked bool, room int) ([]byte, error) {
	if s.tx.err != nil {
		return nil, s.tx.err
	}
	result, ok := settle(result, panicked, s.tx.overLimit, room)
	if !ok {
		s.gaps.cutAll(s.tx.writes.rollback())
	}
	return result, nil
}

func (s *Service) apply(op []byte) (result []byte, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			result, panicked = nil, true
			s.report(&s.tx.reader, op, p)
		}
	}()
	if s.versioned != nil {
		if to, is := parseUpgrade(op); is {
			return s.upgrade(to), false
		}
	}
	return s.machine.Apply(&s.tx, op), false
}

func (s *Service) query(r *reader, op []byte, ask func(Reader, []byte) []byte) (result []byte, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			result, panicked = nil, true
			s.report(r, op, p)
		}
	}()
	return ask(r, op), false
}

// settle turns what an application returned into the result that replicas agree on. It copies the result: the application
// may have returned a part of the request's frame, and a cached reply must not keep that whole frame in memory.
func settle(result []byte, panicked, overLimit bool, room int) (agreed []byte, ok bool) {
	switch {
	case overLimit:
		return []byte(ResultTooLarge), false
	case panicked:
		return []byte(ResultPanicked), false
	case len(result) > room:
		return []byte(ResultTooLarge), false
	case bytes.HasPrefix(result, []byte(reservedPrefix)):
		return []byte(ResultReserved), false
	}
	return append(make([]byte, 0, len(result)), result...), true
}

// report passes a panic to the observer, unless the panic was caused by the service itself.
func (s *Service) report(r *reader, op []byte, value any) {
	limit, _ := value.(error)
	if s.observe != nil && r.err == nil && !errors.Is(limit, errOverLimit) {
		s.observe(Panic{Seq: r.seq, Op: op, Value: value, Stack: debug.Stack()})
	}
}
