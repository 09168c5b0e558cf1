package commit

import (
	"bytes"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// Query answers an operation of this package that reads.
func Query(r statemachine.Reader, p Participant, op []byte) []byte {
	o, code := decodeOperation(op)
	if code != 0 {
		return refusal(code)
	}
	return answer(r, p, o)
}

func answer(r statemachine.Reader, p Participant, o *operation) []byte {
	switch o.kind {
	case opRecord:
		return answerRecord(r, p, o.tid)
	case opPending:
		return answerPending(r, o)
	case opGroups:
		all := groups(r)
		b := codec.AppendLen(begin(opGroups), len(all))
		for _, g := range all {
			b = append(b, g...)
		}
		return b
	}
	return refusal(NotRead)
}

func answerRecord(r statemachine.Reader, p Participant, tid TID) []byte {
	rec := readRecord(r, tid)
	if rec == nil {
		return refusal(NoRecord)
	}
	var locks []Lock
	if rec.State == StatePrepared {
		locks, _ = locksOf(p, rec.transaction(), rec.part) // it was well-formed when it was prepared
	}
	b := codec.AppendBytes(appendAnswer(begin(opRecord), tid, rec), rec.encoded)
	b = codec.AppendLen(b, len(locks))
	for _, l := range locks {
		b = codec.AppendBytes(b, l.Name)
	}
	return b
}

func answerPending(r statemachine.Reader, o *operation) []byte {
	limit := int(o.limit)
	if limit == 0 || limit > MaxPending {
		limit = MaxPending
	}
	var tids []TID
	more := false
	for k := range r.Range(append(openKey(o.tid), 0), end(spaceOpen)) {
		if more = len(tids) == limit; more {
			break
		}
		tids = append(tids, TID(bytes.Clone(k[2:])))
	}
	s := readSums(r)
	b := codec.AppendUint(codec.AppendInt(begin(opPending), now(r)), s.open)
	b = codec.AppendBool(codec.AppendUint(b, s.locks), more)
	b = codec.AppendLen(b, len(tids))
	for _, tid := range tids {
		b = appendAnswer(b, tid, readRecord(r, tid))
	}
	return b
}

// Held implements statemachine.Holder for a machine that takes part in transactions.
func Held(r statemachine.Reader) (h statemachine.Held) {
	s := readSums(r)
	h.Transactions, h.Locks = s.open, s.locks
	if s.open == 0 {
		return h
	}
	oldest := now(r)
	for _, b := range r.Range(key(spaceOpen), end(spaceOpen)) {
		oldest = min(oldest, codec.NewReader(b).Int(64))
	}
	h.Oldest = time.Duration(now(r) - oldest)
	return h
}
