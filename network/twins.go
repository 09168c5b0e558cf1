package network

import (
	"crypto/rand"
	"sync"
	"time"
)

// processID distinguishes processes under one key; each process draws a random one at its start.
type processID [16]byte

func newProcessID() (id processID) {
	_, _ = rand.Read(id[:]) // it never fails
	return id
}

// verdict is what a replica answers to a process that dialled it.
type verdict byte

const (
	accepted     verdict = iota
	acceptedTwin         // accepted, but another process under the same key is alive as well
	refusedTwin          // refused, because another process under the same key is connected
)

const aboutBytes = len(processID{}) + 1

// What proves that two processes under one key are alive at the same time. A restart does not count as such proof: the
// old process never comes back. At most, frames that it sent before it ended are read late.
const (
	twinReturns  = 3                // how many times a process must come back after another one
	twinWindow   = 30 * time.Second // the time within which these returns must happen
	twinLasts    = 10 * time.Second // how long the proof counts after the last sign
	toldLasts    = time.Minute      // how long a process believes that it has a twin, after a peer told it
	knownTwins   = 4                // how many processes are remembered for each key
	sayTwinEvery = time.Minute
)

// twins finds out whether more than one process uses a member's key, because an image was restored beside the original,
// or a failover left the first process running. The protocol treats such a key as one faulty replica, which it masks.
// This type detects the two processes and tells each of the other. While both run, the process that is connected stays
// connected, so that the connection does not alternate between them.
type twins struct {
	mu      sync.Mutex
	known   []processID // processes that were met, the last one at the end
	returns []time.Time
	until   time.Time // the proof counts until then
	said    time.Time
	holder  processID // the process whose frames are read
	reads   bool
	frames  uint64 // frames that the holder had sent when another process was last refused

	heldTwin bool // the holder was told that there is another process
}

// meet records that a process is running now, and reports whether another one is running as well.
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

// admit decides whether a process may send. The argument frames is how many frames were read so far from the process
// that sends now.
func (w *twins) admit(id processID, frames uint64, now time.Time) verdict {
	if !w.meet(id, now) {
		return accepted
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reads || w.holder == id || !w.heldTwin {
		return acceptedTwin // the process that loses its connection here comes back, and is told then
	}
	if frames > w.frames { // both the holder and the process that asks are alive
		w.until = now.Add(twinLasts)
	}
	w.frames = frames
	return refusedTwin
}

// hold records that the frames of a process are read from now on; letGo ends that.
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

// told records that a peer says that it has met both processes.
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

// news reports whether it is time to log again that there are two processes.
func (w *twins) news(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now.Before(w.until) || !w.said.IsZero() && now.Sub(w.said) < sayTwinEvery {
		return false
	}
	w.said = now
	return true
}
