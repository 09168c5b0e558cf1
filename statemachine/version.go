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
	// Init writes the first state. Every replica executes it once, before the first operation of the first batch that
	// is not empty, as an operation of nobody: Client is zero, Index 0, and the limits of one operation hold. A query
	// of an earlier state finds nothing. If it panics or exceeds a limit, the replica stops. Init must stay what it was
	// for as long as a replica may execute that batch: what changes in later programs is a matter of Versioned.
	//
	// Only clusters that were made for a program with an Init execute it (Limits.FirstVersion).
	Init(tx Txn)
}

// Versioned is a Machine that can be replaced by a newer one while its cluster serves. The state has a version, which
// is part of it. A program knows some versions, and at each of them it must do the same as every other program that
// knows it: results, writes, reads and ranges. So a newer program is installed on one replica after the other while the
// state stays at its version; then a client sends the operation Upgrade, and at its place in the order every replica
// goes over to the next version. One whose program does not know that version stops there, with one line that says so,
// and goes on from there with a newer program. No replica executes anything at a version that it does not know, so
// replicas never differ.
type Versioned interface {
	Machine
	// Versions are those that the program knows, from 1 on.
	Versions() (oldest, newest int)
	// MayUpgrade decides who may have the state upgraded, from the client that asks, the version that it asks for, and
	// the state. All programs that know the present version must decide alike. A client that may can hold up the
	// cluster until every replica has a newer program, so it is not for all.
	MayUpgrade(r Reader, client [32]byte, to int) bool
	// Migrate turns the state from a version into one of the next version. It is one operation and its limits hold: a
	// large state is better rewritten in pieces by operations of the new version. If it panics or exceeds a limit the
	// state stays as it is.
	Migrate(tx Txn, from int)
}

// VersionError says that a program cannot work on a state.
type VersionError struct {
	State          int      // the version of the state, or that which it is to get
	Oldest, Newest int      // those of the program
	Request        [32]byte // the digest of the request that upgrades; zero if the state is at that version
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

// upgradePrefix begins the operations that Upgrade makes: the version follows, four bytes, big-endian.
const upgradePrefix = "\xfftagma!upgrade"

// RefusedUpgrade is the code with which Upgrade is refused.
const RefusedUpgrade uint32 = math.MaxUint32

// Upgrade is the operation that brings the state of a Versioned machine to the next version. It does nothing if the
// state is at that version or a higher one. A client that may not send it, or a version beyond the next one, is refused
// with RefusedUpgrade. For any other machine it is an operation like others.
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

// as looks for an interface in a machine, and in those that it wraps: a machine that adds something to another one has
// a method Unwrap, which returns that one.
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

// FirstVersion is the Limits.FirstVersion of a new cluster of a machine.
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

// versions are those that the program knows. The state of a machine that has none is at 1.
func (s *Service) versions() (oldest, newest int) {
	if s.versioned == nil {
		return 1, 1
	}
	return s.versioned.Versions()
}

// checkVersion reports that the program does not know the version of a state.
func (s *Service) checkVersion(view StorageView) error {
	oldest, newest := s.versions()
	version, err := versionAt(written(nil), view, s.limits.FirstVersion)
	if err == nil && (version < oldest || version > newest) {
		err = &VersionError{State: version, Oldest: oldest, Newest: newest}
	}
	return err
}

// versionAt reads the version of a state. Without a record it is the first one of its cluster.
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

// beginState executes what comes before the first operation of all.
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

// upgrade executes Upgrade. It is called like an application, and may panic.
func (s *Service) upgrade(to int) (result []byte) {
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
	s.versioned.Migrate(&s.tx, from)
	s.tx.setVersion(to)
	return nil
}
