package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// MaxRevertKeys bounds the keys that one Revert changes; MaxRevertBytes bounds the keys and values that it puts and
// replaces. If a prefix would exceed them, nothing is changed.
const (
	MaxRevertKeys  = 10_000
	MaxRevertBytes = 8 << 20
)

// Revert gives the keys that begin with prefix the values that they had after sequence number to. It puts the keys
// whose value differs or that are gone, deletes those that did not exist then, and leaves the others alone. The keys
// that it puts have new revisions, as after a Put. The machine must have a history, and a transaction must not contain
// a Revert. DecodeRevert reads its result.
func Revert(prefix []byte, to uint64) []byte {
	b := append(make([]byte, 0, 2+8+2+len(prefix)), formatVersion, byte(opRevert))
	return wire.AppendKey(binary.BigEndian.AppendUint64(b, to), prefix)
}

// RevertResult is what a revert returns.
type RevertResult struct {
	Revision uint64 // of the store; raised once if anything was changed
	Put      uint64 // keys that were put
	Deleted  uint64
}

// DecodeRevert reads the result of Revert. Whatever limit a revert exceeds, the error is RevertSize.
func DecodeRevert(result []byte) (RevertResult, error) {
	c, err := openResult(result, opRevert)
	if errors.Is(err, statemachine.ErrTooLarge) {
		err = RevertSize // the cluster's budget of work was exceeded before the limits of this file
	}
	out := RevertResult{Revision: c.Uint64(), Put: c.Uint64(), Deleted: c.Uint64()}
	return out, c.close(err)
}

// change is a key that a revert changes, with its present and its former record; a record is empty if the key does not
// exist in that state.
type change struct{ key, now, former []byte }

func (x *run) revert(o *operation) []byte {
	newest := x.Seq() - 1
	if o.to > newest {
		return refusal(NotYet)
	}
	formers, kept := x.formers(o, newest)
	if !kept {
		return refusal(NotKept)
	}
	changes, ok := x.difference(formers)
	if !ok {
		return refusal(RevertSize)
	}
	rev, deleted := revision(x), uint64(0)
	if len(changes) > 0 {
		rev = x.raise()
	}
	for _, c := range changes {
		if len(c.former) > 0 {
			x.set(c.key, c.former[recordHeader:], c.now, len(c.now) > 0, 0)
			continue
		}
		x.remove(c.key, c.now)
		deleted++
	}
	b := binary.BigEndian.AppendUint64(begin(opRevert, rev, 16), uint64(len(changes))-deleted)
	return binary.BigEndian.AppendUint64(b, deleted)
}

// formers yields the keys of a revert that may have changed, with their former records; false if the history does not
// tell them.
func (x *run) formers(o *operation, newest uint64) (iter.Seq2[[]byte, []byte], bool) {
	if x.Version() < versionLog {
		h := readHead(x)
		return formers(x, o.to, o.key, PrefixEnd(o.key)), h.keeps(o.to, newest, revision(x), x.machine.History)
	}
	keep := x.machine.retention()
	log := openLog(x, &keep)
	rev, kept := log.after(o.to)
	return log.formers(rev, o.key, PrefixEnd(o.key)), kept && keep.recent(o.to, newest)
}

// difference lists what a revert has to change; false if that exceeds the limits. The list is complete before anything
// is written.
func (x *run) difference(formers iter.Seq2[[]byte, []byte]) (changes []change, ok bool) {
	size := 0
	for key, former := range formers {
		now, _ := x.Get(pairKey(key))
		if len(now) == len(former) && (len(now) == 0 || bytes.Equal(now[recordHeader:], former[recordHeader:])) {
			continue
		}
		size += 2*len(key) + len(now) + len(former)
		if len(changes) == MaxRevertKeys || size > MaxRevertBytes {
			return nil, false
		}
		changes = append(changes, change{key, now, former})
	}
	return changes, true
}
