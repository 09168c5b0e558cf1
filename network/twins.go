package network

import (
	"crypto/rand"
	"sync"
	"time"
)

// processID tells one process from another under one key; each draws its own at its start.
type processID [16]byte

func newProcessID() (id processID) {
	_, _ = rand.Read(id[:]) // it never fails
	return id
}

// verdict is what an end that was dialled says of the process that dialled it.
type verdict byte

const (
	accepted     verdict = iota
	acceptedTwin         // but another process under the same key lives as well
	refusedTwin          // another process under the same key is connected
)

const aboutBytes = len(processID{}) + 1

// What proves that two processes under one key live at the same time. One that was restarted is met after its
// predecessor, which never comes back, but for what it had sent before it ended and is read late.
const (
	twinReturns  = 3                // so many times a process came back after another one
	twinWindow   = 30 * time.Second // in which these happen
	twinLasts    = 10 * time.Second // how long the proof counts after the last sign
	toldLasts    = time.Minute      // how long it counts for the process itself, which is told when it connects
	knownTwins   = 4                // processes that are remembered for each key
	sayTwinEvery = time.Minute
)

// twins finds out whether a member's key is used by more than one process: an image that was restored beside the original,
// or a failover that left the first one running. Such a key is one faulty replica to the protocol, which masks it; here
// it is noticed, told to both, and kept from flapping: while it lasts, the process that is connected stays so.
type twins struct {
	mu      sync.Mutex
	known   []processID // the last one met at the end
	returns []time.Time
	until   time.Time // the proof counts
	said    time.Time
	holder  processID // whose votes are read
	reads   bool
	frames  uint64 // that the holder had sent when another one was refused last

	heldTwin bool // the holder was told of the other
}

// meet notes a process that is alive now, and reports whether there is another one.
func (w *twins) meet(id processID, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.known) - 1
	for i, known := range w.known {
		if known != id {
			continue
		}
		if i != last {
			w.returned(now)
		}
		w.known = append(append(w.known[:i:i], w.known[i+1:]...), id)
		return now.Before(w.until)
	}
	if w.known = append(w.known, id); len(w.known) > knownTwins {
		w.known = w.known[1:]
	}
	return now.Before(w.until)
}

func (w *twins) returned(now time.Time) {
	if w.returns = append(w.returns, now); len(w.returns) > twinReturns {
		w.returns = w.returns[1:]
	}
	if len(w.returns) == twinReturns && now.Sub(w.returns[0]) < twinWindow {
		w.until = now.Add(twinLasts)
	}
}

// admit decides on a process that wants to send, when frames have been read from the one that does so now.
func (w *twins) admit(id processID, frames uint64, now time.Time) verdict {
	if !w.meet(id, now) {
		return accepted
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reads || w.holder == id || !w.heldTwin {
		return acceptedTwin // who loses its place to this one comes back, and is told then
	}
	if frames > w.frames { // it lives, and so does the one that asks
		w.until = now.Add(twinLasts)
	}
	w.frames = frames
	return refusedTwin
}

// hold and letGo say whose votes are read.
func (w *twins) hold(id processID, told verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holder, w.reads, w.heldTwin = id, true, told == acceptedTwin
}

func (w *twins) letGo(id processID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads = w.reads && w.holder != id
}

// told notes that a peer has met both.
func (w *twins) told(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until = now.Add(toldLasts)
}

func (w *twins) twice(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Before(w.until)
}

// news reports whether it is time to say in the log that there are two.
func (w *twins) news(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now.Before(w.until) || !w.said.IsZero() && now.Sub(w.said) < sayTwinEvery {
		return false
	}
	w.said = now
	return true
}
