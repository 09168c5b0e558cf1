package statemachine

import (
	"bytes"
	"errors"
	"runtime/debug"
)

// Panic describes an application's panic that was contained. It is for the operator's log only: value and stack differ
// between replicas, so nothing of it reaches the state or a reply.
type Panic struct {
	Seq   uint64 // the batch, or the state a query read
	Op    []byte
	Value any
	Stack []byte
}

// ObservePanics has f called with every contained panic, on the goroutine that ran the operation: for queries that may
// be any, and several at once. It is set before the service is used.
func (s *Service) ObservePanics(f func(Panic)) { s.observe = f }

// operation executes one operation with its own containment and returns its result, which holds at most room bytes
// unless it is one of the service's constants. An error is the storage's.
//
// What the runtime does not let a program recover from is not contained and stops the process: a stack overflow, an
// exhausted memory, a concurrent map write. An operation that does not end is not contained either. One that ends its
// goroutine does not return from here: see course.
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

// conclude gives an operation that is over its result, and undoes what it wrote if it failed.
func (s *Service) conclude(result []byte, panicked bool, room int) ([]byte, error) {
	if s.tx.err != nil {
		return nil, s.tx.err
	}
	result, ok := settle(result, panicked, s.tx.overLimit, room)
	if !ok {
		s.tx.writes.rollback()
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

// settle turns what an application returned into the result that replicas agree on. It is copied: the application may
// have returned a part of the request's frame, which a cached reply must not keep alive.
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

// report tells the observer of a panic that is the application's own.
func (s *Service) report(r *reader, op []byte, value any) {
	limit, _ := value.(error)
	if s.observe != nil && r.err == nil && !errors.Is(limit, errOverLimit) {
		s.observe(Panic{Seq: r.seq, Op: op, Value: value, Stack: debug.Stack()})
	}
}
