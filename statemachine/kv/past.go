package kv

import (
	"bytes"
	"iter"

	"tagma/statemachine"
	"tagma/statemachine/commit"
)

// QueryPast answers a reading operation as of the state after sequence number at, from the history in the state that r
// reads. It implements statemachine.Historian.
func (m Machine) QueryPast(r statemachine.Reader, op []byte, at uint64) (result []byte, kept bool) {
	if r.Version() >= crossVersion && commit.Is(op) { // no history of transactions is kept
		return nil, false
	}
	if r.Version() >= versionLog {
		return m.queryLogged(r, op, at)
	}
	if m.History == 0 {
		return nil, false
	}
	if h := readHead(r); !h.keeps(at, r.Seq(), revision(r), m.History) {
		return nil, false
	}
	return m.Query(&past{r, at}, op), true
}

// past reads a former state: its pairs and its revision. It can read no other key.
type past struct {
	statemachine.Reader
	at uint64
}

// Seq is the sequence number of the former state.
func (p *past) Seq() uint64 { return p.at }

// Get returns the former value of a key.
func (p *past) Get(key []byte) ([]byte, bool) {
	name := []byte(nil) // stays empty for the revision
	if key[0] == pairPrefix {
		name = key[1:]
	}
	for _, former := range p.Reader.Range(formerKey(name, p.at+1), formerEnd(name)) {
		return former, len(former) > 0
	}
	return p.Reader.Get(key)
}

// Range yields the former state's pairs: present pairs that did not change since, and the former values of those that did.
func (p *past) Range(start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		from, to := start[1:], end[1:]
		if end[0] != pairPrefix {
			to = nil
		}
		next, stop := iter.Pull2(formers(p.Reader, p.at, from, to))
		defer stop()
		changed, former, more := next()
		// upTo yields the former pairs below key, and the one of key itself if key was changed; same reports whether it
		// was.
		upTo := func(key []byte) (goOn, same bool) {
			for more && (key == nil || bytes.Compare(changed, key) <= 0) {
				same = key != nil && bytes.Equal(changed, key)
				if len(former) > 0 && !yield(pairKey(changed), former) {
					return false, same
				}
				changed, former, more = next()
			}
			return true, same
		}
		for key, record := range p.Reader.Range(start, end) {
			goOn, same := upTo(key[1:])
			if !goOn || !same && !yield(key, record) {
				return
			}
		}
		upTo(nil)
	}
}

// patience is how many unwanted former values of a key are read before a new search skips the rest. A search costs about
// as much as some dozen steps, and a key may have one former value for each batch of the history.
const patience = 16

// formers yields, in ascending order, the keys start ≤ key < end that were changed after sequence number at, with the
// record that each had then; an empty record if the key did not exist.
func formers(r statemachine.Reader, at uint64, start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		from, to := formerStart(start), []byte{formerPrefix + 1}
		if end != nil {
			to = formerStart(end)
		}
		if len(start) == 0 {
			from = formerEnd(nil) // skips the former revisions, which come first
		}
		for from != nil {
			from = formersFrom(r, at, from, to, yield)
		}
	}
}

// formersFrom yields keys until a new search is due, and returns where that search begins; nil at the end.
func formersFrom(r statemachine.Reader, at uint64, from, to []byte, yield func([]byte, []byte) bool) (next []byte) {
	var current, key []byte
	found, passed := false, 0
	for place, former := range r.Range(from, to) {
		escaped, batch := splitFormer(place)
		if key == nil || !bytes.Equal(escaped, current) {
			current, key, found, passed = escaped, unescape(escaped), false, 0
		}
		switch {
		case !found && batch > at:
			if found = true; !yield(key, former) {
				return nil
			}
		case passed < patience:
			passed++
		case found:
			return formerEnd(key)
		default:
			return formerKey(key, at+1)
		}
	}
	return nil
}
