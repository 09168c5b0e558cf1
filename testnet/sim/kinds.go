package sim

import (
	"fmt"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/sim/disk"
)

// Fault is a fault that happens at a time and may end at another one. Which fields are used depends on Do.
type Fault struct {
	Do      FaultKind      `json:"do"`
	At      time.Duration  `json:"at"`
	Until   time.Duration  `json:"until,omitempty"` // when the fault ends; 0: never
	Replica wire.ReplicaID `json:"replica"`
	Loss    disk.Loss      `json:"loss,omitempty"`
	Calls   int            `json:"calls,omitempty"`
	Type    wire.Type      `json:"type,omitempty"`
	Moment  Moment         `json:"moment,omitempty"`
	By      time.Duration  `json:"by,omitempty"`
	Client  int            `json:"client,omitempty"`
	Links   *links.Command `json:"links,omitempty"`
	Undo    *links.Command `json:"undo,omitempty"` // what undoes Links at Until
}

// FaultKind says what goes wrong.
type FaultKind string

// The kinds, with the fields of Fault that they use besides At.
const (
	CrashNow   FaultKind = "crash"       // Replica, Loss; it restarts at Until
	CrashCalls FaultKind = "crash-after" // Replica, Loss, Calls; the replica restarts at Until
	CrashType  FaultKind = "crash-at"    // Replica, Loss, Type, Moment; the replica restarts at Until
	CrashAll   FaultKind = "crash-all"   // Loss; every replica crashes and restarts at Until
	CleanStop  FaultKind = "stop"        // Replica: it is told to end; it starts again at Until
	Pausing    FaultKind = "pause"       // Replica; it resumes at Until
	ClockSkew  FaultKind = "clock-jump"  // Replica, By
	Network    FaultKind = "network"     // Links, Undo
	BitRot     FaultKind = "bit-rot"     // Replica: its machine stops, a bit flips, and it starts at Until
	TornTail   FaultKind = "torn-tail"   // Replica: as bit-rot, but sectors at the end of a file are lost
	LyingSync  FaultKind = "lost-fsync"  // Replica: its disk lies until its power fails at Until
	IOError    FaultKind = "io-error"    // Replica: its disk fails after Calls calls; it is mended and starts at Until
	DiskFull   FaultKind = "disk-full"   // Replica: as io-error, but only calls that need room fail
	Wiped      FaultKind = "wipe"        // Replica: its machine stops, and starts at Until with nothing but its key
	StateLost  FaultKind = "state-lost"  // Replica: as wipe, but its journal is kept
	Unmounted  FaultKind = "unmount"     // Replica: as wipe, but a start Calls ms later finds the data again; 0: never
	RolledBack FaultKind = "rollback"    // Replica: a copy of its disks is taken, and put back at Until
	// ClientKill ends a client's program: Client; Calls, Moment: as it sends so many requests; it starts again at Until.
	ClientKill FaultKind = "kill-client"
	WipedAgain FaultKind = "wipe-again" // Replica: wiped at At, and again at Until, perhaps while it recovers
	StateFlip  FaultKind = "flip-state" // Replica: a bit turns in its next write, if it writes before Until
	StoreRot   FaultKind = "store-rot"  // Replica: a bit flips in its open store; its machine restarts at Until
)

// faultKind has the functions that begin and end a fault. The function begin calls fired when the fault has had an
// effect. Only replicas that count as faulty may have faults of their disks.
type faultKind struct {
	begin  func(w *World, f *Fault, fired func())
	end    func(w *World, f *Fault) // ends the fault; nil if nothing has to be done
	ofDisk bool
}

var faultKinds = map[FaultKind]faultKind{
	CrashNow: {begin: crashed, end: restarted},
	CrashCalls: {begin: func(w *World, f *Fault, fired func()) {
		w.CrashAfter(f.Replica, f.Calls, f.loss(), fired)
	}, end: disarmed},
	CrashType: {begin: func(w *World, f *Fault, fired func()) {
		w.CrashAt(f.Replica, f.Type, f.Moment, f.loss(), fired)
	}, end: disarmed},
	CrashAll: {begin: atOnce(func(w *World, f *Fault) {
		for id := range w.byID {
			w.Crash(wire.ReplicaID(id), f.loss())
		}
	}), end: func(w *World, _ *Fault) {
		for id := range w.byID {
			_ = w.Restart(wire.ReplicaID(id))
		}
	}},
	CleanStop: {begin: func(w *World, f *Fault, fired func()) {
		if w.Up(f.Replica) {
			fired()
		}
		w.Stop(f.Replica)
	}, end: restarted},
	Pausing: {
		begin: atOnce(func(w *World, f *Fault) { w.Pause(f.Replica) }),
		end:   func(w *World, f *Fault) { w.Resume(f.Replica) },
	},
	ClockSkew: {begin: atOnce(func(w *World, f *Fault) { w.ClockJump(f.Replica, f.By) })},
	Network: { // the links count the frames that this fault affected
		begin: atOnce(func(w *World, f *Fault) { w.planned(f.Links) }),
		end:   func(w *World, f *Fault) { w.planned(f.Undo) },
	},
	ClientKill: {
		begin: func(w *World, f *Fault, fired func()) { w.KillClient(f.Client, f.Calls, f.Moment, fired) },
		end:   func(w *World, f *Fault) { w.StartClient(f.Client) },
	},

	BitRot:   {begin: crashed, end: func(w *World, f *Fault) { w.rot(f.Replica) }, ofDisk: true},
	TornTail: {begin: crashed, end: mended((*World).tear), ofDisk: true},
	LyingSync: {
		begin: atOnce(func(w *World, f *Fault) { w.Disk(f.Replica).Lie(true) }),
		end: func(w *World, f *Fault) {
			w.Crash(f.Replica, disk.Holes)
			w.Disk(f.Replica).Lie(false)
			restarted(w, f)
		}, ofDisk: true,
	},
	IOError: {
		begin:  atOnce(func(w *World, f *Fault) { w.Disk(f.Replica).FailAfter(f.Calls, disk.ErrIO) }),
		end:    mended(func(w *World, id wire.ReplicaID) { w.Disk(id).FailAfter(0, nil) }),
		ofDisk: true,
	},
	DiskFull: {
		begin:  atOnce(func(w *World, f *Fault) { w.Disk(f.Replica).Fill(true) }),
		end:    mended(func(w *World, id wire.ReplicaID) { w.Disk(id).Fill(false) }),
		ofDisk: true,
	},
	StateFlip: {begin: func(w *World, f *Fault, fired func()) {
		before := w.Flips(f.Replica)
		w.FlipState(f.Replica, "")
		w.At(f.Until, func() {
			if w.Flips(f.Replica) > before {
				fired()
			}
		})
	}, ofDisk: true},
	StoreRot: {begin: func(w *World, f *Fault, fired func()) {
		w.Condemn(f.Replica) // until it notices the damage, the replica may execute wrongly on a damaged state
		if w.RotStore(f.Replica, w.damage) {
			fired()
		}
	}, end: mended(func(*World, wire.ReplicaID) {}), ofDisk: true},
	Wiped:      {begin: crashed, end: mended((*World).Wipe), ofDisk: true},
	WipedAgain: {begin: atOnce(mended((*World).Wipe)), end: mended((*World).Wipe), ofDisk: true},
	StateLost:  {begin: crashed, end: mended((*World).LoseState), ofDisk: true},
	Unmounted: {begin: crashed, end: func(w *World, f *Fault) {
		mended((*World).Unmount)(w, f)
		if f.Calls > 0 {
			w.At(w.now+time.Duration(f.Calls)*time.Millisecond, func() {
				w.Mount(f.Replica)
				restarted(w, f)
			})
		}
	}, ofDisk: true},
	RolledBack: {begin: func(w *World, f *Fault, fired func()) {
		if w.Up(f.Replica) {
			fired()
		}
		w.Keep(f.Replica)
	}, end: mended((*World).PutBack), ofDisk: true},
}

// OfDisk reports whether such a fault is possible only for a replica that counts as faulty.
func (k FaultKind) OfDisk() bool { return faultKinds[k].ofDisk }

// atOnce returns a begin function for a fault that counts as fired as soon as it was caused.
func atOnce(do func(*World, *Fault)) func(*World, *Fault, func()) {
	return func(w *World, f *Fault, fired func()) {
		do(w, f)
		fired()
	}
}

func crashed(w *World, f *Fault, fired func()) {
	if w.Up(f.Replica) {
		fired()
	}
	w.Crash(f.Replica, f.loss())
}

// restarted starts a replica. It returns no error, because a faulty replica may rightly refuse to start on a damaged
// disk.
func restarted(w *World, f *Fault) { _ = w.Restart(f.Replica) }

func disarmed(w *World, f *Fault) {
	w.nodes[f.Replica].strike = nil
	restarted(w, f)
}

// mended returns the end function of a fault that stops a replica, changes its disks, and starts it again. The start may
// be refused.
func mended(do func(*World, wire.ReplicaID)) func(*World, *Fault) {
	return func(w *World, f *Fault) {
		w.Crash(f.Replica, disk.Kill)
		do(w, f.Replica)
		restarted(w, f)
	}
}

// tear loses a few sectors at the end of a journal.
func (w *World) tear(id wire.ReplicaID) { w.Disk(id).CutTail(1 + w.damage.IntN(8)) }

// planned changes the links as a plan says; nil is no change.
func (w *World) planned(c *links.Command) {
	if c == nil {
		return
	}
	if err := w.Command(*c); err != nil {
		w.fail("plan", 0, "%v", err)
	}
}

func (f *Fault) loss() disk.Loss {
	if f.Loss == "" {
		return disk.Kill
	}
	return f.Loss
}

func (f *Fault) String() string {
	switch f.Do {
	case Network, CrashAll:
		return string(f.Do)
	case ClientKill:
		return fmt.Sprintf("%s c%d", f.Do, f.Client)
	default:
		return fmt.Sprintf("%s of r%d", f.Do, f.Replica)
	}
}
