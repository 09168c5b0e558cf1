package explore

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"tagma/pbft"
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// fingerprint is the canonical hash of a replica: equal for two that behave alike from now on.
type fingerprint [sha256.Size]byte

// walker writes everything reachable from a core, field by field, except what cannot change what the core does in a
// search. A field that is added to the core is therefore part of the state until somebody says here why it is not.
type walker struct {
	buf  []byte
	seen map[unsafe.Pointer]int // numbers by order of first visit, because the pool's lists are cyclic
	at   port.Position          // the core's position
	self wire.ReplicaID
	n    int // replicas
	what aspect

	forgets *[replicas]bool // which replicas may still ask what this one remembers of them
}

// aspect says which part of a core a hash covers.
type aspect uint8

const (
	everything aspect = iota // what tells two states of a replica apart
	whatCounts               // what a search's moves still depend on
	whatStays                // the part of whatCounts that outlives the view
)

// leftOutTypes are types that no hash covers: moments, because every tick of a search is longer than every timeout, so every
// timer has expired; causes, which are for people; signatures and signers, because letters are interchangeable (see letter);
// cached encodings; and what status messages say of peers, because a search delivers none.
var leftOutTypes = map[string]bool{
	"Duration": true, "Cause": true, "Signature": true, "Config": true, "Endorsement": true, "requestCache": true, "bodyCache": true,
	"peer": true, "load": true,
}

// leftOut lists fields, each with the first aspect that does not include it.
var leftOut = map[string]aspect{
	// Scratch space; the wall clock, which stands still; whose turn it is to help; to whom a contradiction was shown; who
	// justified a view; how much memory bodies take; and up to where statuses list what is missing.
	"Replica.out": everything, "Replica.wall": everything, "Replica.helper": everything, "Slot.Shown": everything,
	"ViewChange.Suspects": everything, "NewView.ViewChanges": everything, "change.suspects": everything, "Slot.Memory": everything,
	"Replica.known": everything,

	// Others' votes, because they are delivered by whole quorums, and other fields show what those cause; bodies, because
	// they can be fetched again, and class.lacks says which are missing; the view from which timeouts double; and what is
	// remembered of others, because class.answers says what would be answered.
	"Slot.Prepares": whatCounts, "Slot.Commits": whatCounts, "Slot.Bodies": whatCounts, "Slot.Loose": whatCounts,
	"change.votes": whatCounts, "change.progressView": whatCounts, "CommitCert.View": whatCounts, "change.proven": whatCounts,
	"Replica.memories": whatCounts,

	// What entering a view clears. The pool then holds exactly the requests that were not executed.
	"Replica.active": whatStays, "Replica.origin": whatStays, "Replica.proposed": whatStays, "Replica.pool": whatStays,
	"Replica.suspicion": whatStays, "Replica.change": whatStays, "Window.Seen": whatStays, "Slot.Accepted": whatStays,
	"Slot.Digest": whatStays, "Slot.Proposal": whatStays, "Slot.PrepareSent": whatStays, "Slot.CommitSent": whatStays,
}

// fingerprintOf hashes a core, what its journal would restore, what waits to be journalled, and what was executed.
func fingerprintOf(n *node, what aspect) fingerprint {
	if n.core == nil {
		return sha256.Sum256([]byte("forgot"))
	}
	w := &walker{buf: make([]byte, 0, 2048), what: what, self: n.cfg.Self, n: n.w.n, forgets: &n.w.forgets}
	for _, core := range []*pbft.Replica{n.core, n.restored()} {
		w.seen, w.at = map[unsafe.Pointer]int{}, core.Position()
		w.value(reflect.ValueOf(core).Elem())
	}
	w.value(reflect.ValueOf(n.notes))
	for _, d := range n.executed {
		w.buf = append(w.buf, d[:]...)
	}
	return sha256.Sum256(w.buf)
}

// with hashes a core's hash with what the replica has shown, its level, its lives and the answers that it got.
func with(core fingerprint, s *local) fingerprint {
	b, _ := binary.Append(core[:], binary.LittleEndian, &s.shown) // it has a fixed size
	b, _ = binary.Append(append(b, byte(s.level), byte(s.lives)), binary.LittleEndian, &s.heard)
	return sha256.Sum256(b)
}

func (w *walker) number(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }

func (w *walker) value(v reflect.Value) {
	switch kind := v.Kind(); {
	case v.CanInt():
		w.number(uint64(v.Int()))
	case v.CanUint():
		w.number(v.Uint())
	case kind == reflect.Bool && v.Bool():
		w.number(1)
	case kind == reflect.Bool:
		w.number(0)
	case kind == reflect.String:
		w.number(uint64(v.Len()))
		w.buf = append(w.buf, v.String()...)
	case kind == reflect.Array || kind == reflect.Slice:
		w.list(v)
	case kind == reflect.Map:
		w.table(v)
	case kind == reflect.Pointer:
		w.pointer(v)
	case kind == reflect.Interface && v.IsNil():
		w.number(0)
	case kind == reflect.Interface:
		w.buf = append(w.buf, v.Elem().Type().String()...)
		w.value(v.Elem())
	case kind == reflect.Struct:
		w.structure(v)
	case kind == reflect.Func:
		// this belongs to the configuration only
	default:
		panic("explore: the core has a field of kind " + kind.String() + "; say in fingerprint.go how it counts")
	}
}

func (w *walker) list(v reflect.Value) {
	if leftOutTypes[v.Type().Elem().Name()] {
		return
	}
	w.number(uint64(v.Len()))
	if v.CanAddr() && v.Type().Elem().Kind() == reflect.Uint8 {
		w.buf = append(w.buf, v.Bytes()...)
		return
	}
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

// table writes a map in the order of its keys' encodings.
func (w *walker) table(v reflect.Value) {
	outer, entries := w.buf, map[string]reflect.Value{}
	for it := v.MapRange(); it.Next(); {
		w.buf = nil
		w.value(it.Key())
		entries[string(w.buf)] = it.Value()
	}
	w.buf = outer
	w.number(uint64(len(entries)))
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		w.buf = append(w.buf, key...)
		w.value(entries[key])
	}
}

func (w *walker) pointer(v reflect.Value) {
	switch k, again := w.seen[v.UnsafePointer()]; {
	case v.IsNil():
		w.number(0)
	case leftOutTypes[v.Type().Elem().Name()]:
	case again:
		w.number(uint64(k) + 1)
	default:
		w.seen[v.UnsafePointer()] = len(w.seen) + 1
		w.value(v.Elem())
	}
}

func (w *walker) structure(v reflect.Value) {
	t := v.Type()
	if t == reflect.TypeFor[msglog.Slot]() && w.empty(read[msglog.Slot](v)) {
		w.number(0)
		return
	}
	for _, f := range fields(t) {
		if w.what < f.until && !w.special(f.name, v, v.Field(f.index)) {
			w.value(v.Field(f.index))
		}
	}
}

// field is a field of the core. Hashes of an aspect below until cover it.
type field struct {
	index int
	name  string
	until aspect
}

var fieldsOf sync.Map // the fields by type: making their names takes longer than hashing them

func fields(t reflect.Type) (all []field) {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]field)
	}
	for i := range t.NumField() {
		f := field{i, t.Name() + "." + t.Field(i).Name, whatStays + 1}
		if until, is := leftOut[f.name]; is {
			f.until = until
		}
		if !leftOutTypes[t.Field(i).Type.Name()] {
			all = append(all, f)
		}
	}
	fieldsOf.Store(t, all)
	return all
}

// read returns a value of the core with its type. Reflection alone does not return values of fields that are not exported.
func read[T any](v reflect.Value) *T { return (*T)(v.Addr().UnsafePointer()) }
