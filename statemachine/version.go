package statemachine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Initializer is a Machine whose state does not begin empty.
type Initializer interface {
	Machine
	// Init writes the initial state. Every replica executes it once, before the first operation of the first batch that
	// is not empty. In it, Client is zero, Index is 0, and the limits of one operation apply. A query of an earlier
	// state finds nothing. If Init panics or exceeds a limit, the replica stops. Init must not change as long as any
	// replica may still execute that batch; use Versioned to change the state in later programs.
	//
	// Init is executed only in clusters that were made for a program with an Init (Limits.FirstVersion).
	Init(tx Txn)
}

// Versioned is a Machine that can be replaced by a newer one while its cluster serves requests. The state has a
// version, which is part of it. A program knows some versions, and at each of them it must do the same as every other
// program that knows that version: results, writes, reads and ranges. So an operator installs the newer program on one
// replica after the other while the state stays at its version. Then a client sends the operation Upgrade, and at its
// place in the order every replica moves to the next version. A replica whose program does not know that version stops
// there with a message that says so, and continues with a newer program. No replica executes anything at a version that
// it does not know, so replicas never differ.
type Versioned interface {
	Machine
	// Versions are the lowest and highest version that the program knows; versions begin at 1.
	Versions() (oldest, newest int)
	// MayUpgrade decides whether a client may upgrade the state to version to. All programs that know the present
	// version must decide alike. An upgrade that comes too early stops replicas until they have a newer program. So not
	// every client should be allowed to upgrade.
	MayUpgrade(r Reader, client [32]byte, to int) bool
	// Migrate turns a state of version from into one of the next version. It is one operation, and the limits of one
	// apply, so the operations of the new version should rewrite a large state piece by piece. If Migrate panics or
	// exceeds a limit, the state stays as it is.
	Migrate(tx Txn, from int)
}

// VersionError says that a program does not know the version of a state.
type VersionError struct {
	State          int      // the version of the state, or the version to which it is to be upgraded
	Oldest, Newest int      // the versions that the program knows
	Request        [32]byte // digest of the request that upgrades; zero if the state already has that version
}

func (e *VersionError) Error() string {
	known := fmt.Sprintf("version %d alone", e.Oldest)
	if e.Oldest < e.Newest {
		known = fmt.Sprintf("versions %d to %d", e.Oldest, e.Newest)
	}
	switch {
	case e.Request != [32]byte{}:
		return fmt.Sprintf("request %x upgrades the state to version %d, and the machine of this program knows %s: start a newer program on"+
			" this replica, it goes on from here", e.Request, e.State, known)
	case e.State > e.Newest:
		return fmt.Sprintf("the state is at version %d, and the machine of this program knows %s: start a newer program on this replica",
			e.State, known)
	}
	return fmt.Sprintf("the state is at version %d, and the machine of this program knows %s: start the program from before on this replica,"+
		" and upgrade the state with it first", e.State, known)
}

// upgradePrefix begins the operations that Upgrade makes. The version follows, four bytes in big endian.
const upgradePrefix = "\xfftagma!upgrade"

// RefusedUpgrade is the code with which the service refuses an Upgrade.
const RefusedUpgrade uint32 = math.MaxUint32

// Upgrade is the operation that brings the state of a Versioned machine to the next version. It does nothing if the
// state already has that version or a higher one. It is refused with RefusedUpgrade if the client may not upgrade, or
// if the version is beyond the next one. Other machines receive it like any operation.
func Upgrade(to int) (op []byte) {
	return binary.BigEndian.AppendUint32([]byte(upgradePrefix), uint32(min(max(to, 0), math.MaxInt32)))
}

func parseUpgrade(op []byte) (to int, is bool) {
	rest, is := bytes.CutPrefix(op, []byte(upgradePrefix))
	if !is || len(rest) != 4 || rest[0] > math.MaxInt8 {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(rest)), true
}

// as looks for an interface in a machine, and then in the machines that it wraps: a wrapper has a method Unwrap that
// returns the inner machine.
func as[T any](m Machine) (found T, is bool) {
	for m != nil {
		if found, is = m.(T); is {
			return found, true
		}
		w, wraps := m.(interface{ Unwrap() Machine })
		if !wraps {
			break
		}
		m = w.Unwrap()
	}
	return found, false
}

// FirstVersion is the Limits.FirstVersion of a new cluster that runs this machine.
func FirstVersion(m Machine) int {
	if v, is := as[Versioned](m); is {
		_, newest := v.Versions()
		return newest
	}
	if _, is := as[Initializer](m); is {
		return 1
	}
	return 0
}

// versions are the versions that the program knows. The state of a machine without versions is at version 1.
func (s *Service) versions() (oldest, newest int) {
	if s.versioned == nil {
		return 1, 1
	}
	return s.versioned.Versions()
}

// Versions returns the version of the state after the last applied batch, and the lowest and highest version that the
// program knows. It may be called from any goroutine.
func (s *Service) Versions() (state, oldest, newest int) {
	oldest, newest = s.versions()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version, oldest, newest
}

// checkVersion returns an error if the program does not know the version of a state.
func (s *Service) checkVersion(view StorageView) error {
	oldest, newest := s.versions()
	version, err := versionAt(written(nil), view, s.limits.FirstVersion)
	if err == nil && (version < oldest || version > newest) {
		err = &VersionError{State: version, Oldest: oldest, Newest: newest}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
	return err
}

// versionAt reads the version of a state. A state without a record of it is at the first version of its cluster.
func versionAt(above layer, view StorageView, first int) (int, error) {
	w, found := above.get(keyVersion)
	if !found {
		var err error
		if w.Value, found, err = view.Get(keyVersion); err != nil {
			return 0, err
		}
	}
	switch {
	case !found:
		return max(first, 1), nil
	case len(w.Value) != 5 || w.Value[0] != recordVersion:
		return 0, errors.New("the record of the state's version is malformed")
	}
	return int(binary.BigEndian.Uint32(w.Value[1:])), nil
}

func (t *txn) setVersion(version int) {
	t.writes.write(keyVersion, binary.BigEndian.AppendUint32([]byte{recordVersion}, uint32(version)), false)
}

// beginState writes the initial state before the first operation of all.
func (s *Service) beginState() error {
	if err := s.checkVersion(s.base); err != nil || s.limits.FirstVersion == 0 {
		return err
	}
	if s.versioned != nil {
		s.tx.setVersion(s.limits.FirstVersion)
	}
	m, is := as[Initializer](s.machine)
	if !is {
		return nil
	}
	s.tx.begin()
	var why any = endedGoroutine{}
	apart(func() {
		defer func() {
			if p := recover(); p != nil {
				why = p
			}
		}()
		m.Init(&s.tx)
		why = nil
	})
	switch {
	case s.tx.err != nil:
		return s.tx.err
	case s.tx.overLimit:
		why = errOverLimit
	case why == nil:
		return nil
	}
	return fmt.Errorf("write the first state: Init of the machine failed: %v; mend it, and start the same program on every replica", why)
}

// upgrade executes an Upgrade operation. It is called where an application would be, and may panic like one.
func (s *Service) upgrade(to int) (result []byte) {
	s.tx.known = 0 // the rest of the batch reads the version, since only an operation that keeps the limits changes it
	from, err := versionAt(s.tx.above, s.tx.base, 0)
	if err != nil {
		s.tx.unread(err)
	}
	switch {
	case !s.versioned.MayUpgrade(&s.tx.reader, s.tx.client, to):
		return Refuse(RefusedUpgrade, "this client may not upgrade the state")
	case to <= from:
		return nil
	case to > from+1:
		return Refuse(RefusedUpgrade, fmt.Sprintf("the state is at version %d, and only the next one can follow", from))
	}
	if oldest, newest := s.versions(); to > newest {
		s.tx.fail(&VersionError{State: to, Oldest: oldest, Newest: newest, Request: s.underWay.Load().Digest})
	}
	s.upgraded = true // unless it turns out to exceed a limit
	s.versioned.Migrate(&s.tx, from)
	s.tx.setVersion(to)
	return nil
}
