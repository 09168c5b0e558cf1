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

// fingerprint is a hash of a replica. It is equal for two replicas that will behave in the same way from now on.
type fingerprint [sha256.Size]byte

// walker writes everything that is reachable from a core, field by field, except what cannot change what the core does
// in a search. So if a field is added to the core, it is part of the state until it is listed here as left out.
type walker struct {
	buf  []byte
	seen map[unsafe.Pointer]int // numbers in the order of the first visit; needed because the pool's lists are cyclic
	at   port.Position          // the core's position
	self wire.ReplicaID
	n    int // replicas
	what aspect

	forgets *[replicas]bool // which replicas may still ask what this replica remembers about them
}

// aspect says which part of a core a hash includes.
type aspect uint8

const (
	everything aspect = iota // everything that distinguishes two states of a replica
	whatCounts               // the part on which the remaining moves of a search depend
	whatStays                // the part of whatCounts that a change of view does not clear
)

// leftOutTypes are types that no hash includes. Times: every tick of a search is longer than every timeout, so every
// timer has expired. Causes: they are only for people. Signatures and signers: messages with the same letter are
// interchangeable. Cached encodings. What status messages say about peers: a search delivers no status.
var leftOutTypes = map[string]bool{
	"Duration": true, "Cause": true, "Signature": true, "Config": true, "Endorsement": true, "requestCache": true, "bodyCache": true,
	"peer": true, "load": true,
}

// leftOut lists fields. Each has the first aspect that does not include it.
var leftOut = map[string]aspect{
	// Buffers; the wall clock, which stands still; which replica is the next helper; which replicas were sent our
	// pre-prepare because their vote differs; the Suspects that justify a view; how much memory bodies take; and up to
	// where statuses list missing slots.
	"Replica.out": everything, "Replica.wall": everything, "Replica.helper": everything, "Slot.Shown": everything,
	"ViewChange.Suspects": everything, "NewView.ViewChanges": everything, "change.suspects": everything, "Slot.Memory": everything,
	"Replica.known": everything,

	// Others' votes, because they are delivered as complete quorums, and their effects are in other fields. Bodies,
	// because they can be fetched again, and class.lacks says which are missing. The view from which on timeouts are
	// doubled. And what is remembered about other replicas, because class.answers says what would be answered.
	"Slot.Prepares": whatCounts, "Slot.Commits": whatCounts, "Slot.Bodies": whatCounts, "Slot.Loose": whatCounts,
	"change.votes": whatCounts, "change.progressView": whatCounts, "CommitCert.View": whatCounts, "change.proven": whatCounts,
	"Replica.memories": whatCounts,

	// These are cleared when the replica enters a view. The pool then holds exactly the requests that were not executed.
	"Replica.active": whatStays, "Replica.origin": whatStays, "Replica.proposed": whatStays, "Replica.pool": whatStays,
	"Replica.suspicion": whatStays, "Replica.change": whatStays, "Window.Seen": whatStays, "Slot.Accepted": whatStays,
	"Slot.Digest": whatStays, "Slot.Proposal": whatStays, "Slot.PrepareSent": whatStays, "Slot.CommitSent": whatStays,
}

// fingerprintOf hashes a core, what its journal would restore, the records that wait to be written, and what was
// executed.
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

// with combines a core's hash with what the replica has sent, its level, its lives and the answers that it has received.
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
		// the other types belong only to the configuration
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

// field is a field of the core. Hashes include it if their aspect is below until.
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

// read returns a value of the core with its type. This is needed because reflection does not return values of unexported
// fields.
func read[T any](v reflect.Value) *T { return (*T)(v.Addr().UnsafePointer()) }
