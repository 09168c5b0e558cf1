package explore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"slices"

	"tagma/pbft"
)

// fingerprint is the canonical hash of a replica: equal for two that behave alike from now on.
type fingerprint [sha256.Size]byte

// walker writes everything reachable from a core, field by field, except what cannot change what the core does in a
// search. A field that is added to the core is therefore part of the state until somebody says here why it is not.
type walker struct {
	buf  []byte
	seen map[uintptr]int // pointers by order of first visit: the pool's lists are cyclic
	view uint64          // of the core
	act  bool
	self uint64
	what aspect

	forgets *[replicas]bool // who may ask what this replica remembers of it
}

// aspect is how much of a core a hash is over.
type aspect uint8

const (
	everything aspect = iota // what tells two states of a replica apart
	whatCounts               // what a search's moves still depend on
	whatStays                // of that, what outlives the view
)

// left out by type: moments, because every tick of a search is longer than every timeout, so all that is timed has
// expired; signatures and signers, because letters are interchangeable (see letter); encodings that were remembered; and
// what is known of peers by their status messages, which a search does not deliver.
var leftOutTypes = map[string]bool{
	"Duration": true, "Signature": true, "Config": true, "Endorsement": true, "requestCache": true, "bodyCache": true,
	"peer": true, "load": true,
}

// left out by field: scratch space; the wall clock, which stands still; whose turn it is to help; to whom a contradiction
// was shown; who justified a view; and how much memory bodies take.
var leftOutFields = map[string]bool{
	"Replica.out": true, "Replica.wall": true, "Replica.helper": true, "Slot.Shown": true,
	"ViewChange.Suspects": true, "NewView.ViewChanges": true, "change.suspects": true, "Slot.Memory": true,
}

// left out of what counts: votes of others, because they come by the quorum, and what a quorum brings is seen elsewhere;
// bodies, because they can be fetched again, and whether one is lacking is added; from which view timeouts double; and what
// is remembered of others, because what would be answered is added.
var leftOutOfMoves = map[string]bool{
	"Slot.Prepares": true, "Slot.Commits": true, "Slot.Bodies": true, "Slot.Loose": true, "change.votes": true,
	"change.progressView": true, "CommitCert.View": true, "change.proven": true, "Replica.memories": true,
}

// left out of what stays: what entering a view clears. The requests held are those that were not executed.
var leftInTheView = map[string]bool{
	"Replica.active": true, "Replica.origin": true, "Replica.proposed": true, "Replica.pool": true,
	"Replica.suspicion": true, "Replica.change": true, "Window.Seen": true,
	"Slot.Accepted": true, "Slot.Digest": true, "Slot.Proposal": true, "Slot.PrepareSent": true, "Slot.CommitSent": true,
}

func (w *walker) leavesOut(field string) bool {
	return leftOutFields[field] || w.what > everything && leftOutOfMoves[field] || w.what == whatStays && leftInTheView[field]
}

// fingerprintOf hashes a core, what its journal would restore, what waits to be journalled, and what was executed.
func fingerprintOf(n *node, what aspect) fingerprint {
	w := &walker{buf: make([]byte, 0, 2048), what: what, forgets: &n.w.forgets}
	if n.core == nil {
		return sha256.Sum256([]byte("forgot"))
	}
	w.core(n.core)
	w.core(n.restored())
	w.value(reflect.ValueOf(n.notes))
	for _, d := range n.executed {
		w.buf = append(w.buf, d[:]...)
	}
	return sha256.Sum256(w.buf)
}

// with adds to a core's hash what the replica has shown, its level, its lives and what it was answered.
func with(core fingerprint, s *local) fingerprint {
	b := append(s.shown.appendTo(core[:]), byte(s.level), byte(s.lives))
	for _, k := range s.heard {
		b = binary.AppendVarint(b, int64(k))
	}
	return sha256.Sum256(b)
}

func (w *walker) core(r *pbft.Replica) {
	v := reflect.ValueOf(r).Elem()
	w.seen = map[uintptr]int{}
	w.view, w.act = v.FieldByName("view").Uint(), v.FieldByName("active").Bool()
	w.self = v.FieldByName("cfg").Elem().FieldByName("Self").Uint()
	w.value(v)
}

func (w *walker) number(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }

func (w *walker) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			w.number(1)
		} else {
			w.number(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.number(v.Uint())
	case reflect.String:
		w.number(uint64(v.Len()))
		w.buf = append(w.buf, v.String()...)
	case reflect.Array, reflect.Slice:
		w.list(v)
	case reflect.Map:
		w.table(v)
	case reflect.Pointer:
		w.pointer(v)
	case reflect.Interface:
		if v.IsNil() {
			w.number(0)
			return
		}
		w.buf = append(w.buf, v.Elem().Type().String()...)
		w.value(v.Elem())
	case reflect.Struct:
		w.structure(v)
	case reflect.Func:
		// the configuration's only
	default:
		panic("explore: the core has a field of kind " + v.Kind().String() + "; say in fingerprint.go how it counts")
	}
}

func (w *walker) list(v reflect.Value) {
	if leftOutTypes[v.Type().Elem().Name()] {
		return
	}
	w.number(uint64(v.Len()))
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

// table writes a map in the order of its keys' encodings.
func (w *walker) table(v reflect.Value) {
	type entry struct {
		key   []byte
		value reflect.Value
	}
	var entries []entry
	outer := w.buf
	for it := v.MapRange(); it.Next(); {
		w.buf = nil
		w.value(it.Key())
		entries = append(entries, entry{w.buf, it.Value()})
	}
	w.buf = outer
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	w.number(uint64(len(entries)))
	for _, e := range entries {
		w.buf = append(w.buf, e.key...)
		w.value(e.value)
	}
}

func (w *walker) pointer(v reflect.Value) {
	if v.IsNil() {
		w.number(0)
		return
	}
	if leftOutTypes[v.Type().Elem().Name()] {
		return
	}
	if k, ok := w.seen[v.Pointer()]; ok {
		w.number(uint64(k) + 1)
		return
	}
	w.seen[v.Pointer()] = len(w.seen) + 1
	w.value(v.Elem())
}

func (w *walker) structure(v reflect.Value) {
	t := v.Type()
	name := t.Name()
	if name == "Slot" && w.empty(v) {
		w.number(0)
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if leftOutTypes[f.Type.Name()] || w.leavesOut(name+"."+f.Name) {
			continue
		}
		if !w.special(name+"."+f.Name, v, v.Field(i)) {
			w.value(v.Field(i))
		}
	}
}
