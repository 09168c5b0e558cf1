package comeback

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
)

// ledger knows what may be read under every key. A key is written by one goroutine at a time, and its writes are
// numbered from 1 on; the value says its number and is otherwise made from key and number, so nothing but numbers is
// remembered.
type ledger struct {
	valueBytes int
	entries    []entry // by key
}

// entry is what is known of a key's writes.
type entry struct {
	sent  atomic.Uint32 // the last that was submitted
	acked atomic.Uint32 // the last that was acknowledged; 0: none
	open  atomic.Bool   // one's outcome is unknown: it may take effect at any time, and the key is written no more
}

const (
	maxKeys    = 999_999_999 // what keyName has room for
	stampBytes = 8           // of a value: its number, in hex
)

func newLedger(keys, valueBytes int) *ledger {
	return &ledger{valueBytes: valueBytes, entries: make([]entry, keys)}
}

func keyName(key int) string { return fmt.Sprintf("key/%09d", key) }

// value is what write number n of a key writes. Nothing on its way can compress it.
func (l *ledger) value(key int, n uint32) []byte {
	v := make([]byte, l.valueBytes)
	random := rand.New(rand.NewPCG(uint64(key), uint64(n)))
	for i := stampBytes; i < len(v); i++ {
		v[i] = byte(random.Uint32())
	}
	hex.Encode(v, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	return v
}

// next begins a write of a key: its number. It is false when the key is not to be written any more.
func (l *ledger) next(key int) (n uint32, ok bool) {
	e := &l.entries[key]
	if e.open.Load() {
		return 0, false
	}
	return e.sent.Add(1), true
}

// settle notes the outcome of a write.
func (l *ledger) settle(key int, n uint32, acknowledged bool) {
	if acknowledged {
		l.entries[key].acked.Store(n)
	} else {
		l.entries[key].open.Store(true)
	}
}

// acknowledged counts the keys that must be read back.
func (l *ledger) acknowledged() (n int) {
	for i := range l.entries {
		if l.entries[i].acked.Load() > 0 {
			n++
		}
	}
	return n
}

// judge says what is wrong with what was read under a key; nil stands for no such key. Nobody writes meanwhile.
func (l *ledger) judge(key int, value []byte) error {
	e := &l.entries[key]
	acked, sent := e.acked.Load(), e.sent.Load()
	if value == nil {
		if acked > 0 {
			return fmt.Errorf("%s is gone: its write %d was acknowledged", keyName(key), acked)
		}
		return nil
	}
	if len(value) < stampBytes {
		return fmt.Errorf("%s holds %d bytes that nobody wrote", keyName(key), len(value))
	}
	stamp, err := strconv.ParseUint(string(value[:stampBytes]), 16, 32)
	n := uint32(stamp)
	switch {
	case err != nil || n == 0 || n > sent || !bytes.Equal(value, l.value(key, n)):
		return fmt.Errorf("%s holds what nobody wrote", keyName(key))
	case n < acked:
		return fmt.Errorf("%s holds its write %d, and %d was acknowledged", keyName(key), n, acked)
	case n > acked && !e.open.Load():
		return fmt.Errorf("%s holds its write %d, and the last one that was answered is %d", keyName(key), n, acked)
	}
	return nil
}

// writes is the keys that one writer owns: from, from+step, … below to, again and again.
type writes struct {
	from, step, to int
	at             int
}

// next is a key that still takes writes, and the number of its next one. It is false when all outcomes are open.
func (w *writes) next(l *ledger) (key int, n uint32, ok bool) {
	for range (w.to-w.from)/w.step + 1 {
		if w.at < w.from || w.at >= w.to {
			w.at = w.from
		}
		key = w.at
		w.at += w.step
		if n, ok = l.next(key); ok {
			return key, n, true
		}
	}
	return 0, 0, false
}
