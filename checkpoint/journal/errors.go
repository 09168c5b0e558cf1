package journal

import (
	"errors"
	"fmt"
)

var (
	// ErrRot says that the disk returned other bytes than were stored (D8): the caller must not vote. The error is a
	// *RotError.
	ErrRot = errors.New("the journal is damaged")
	// ErrMissing says that a segment is missing which must exist, so votes are lost (D8).
	ErrMissing = errors.New("a journal segment is missing")
	// ErrEmpty says that there is no journal at all. It is either a first start or a lost disk; the caller can tell by
	// whether there is a store. ErrEmpty is an ErrMissing too.
	ErrEmpty error = emptyError{}
	// ErrForeign says that the directory holds a file that does not belong to a journal.
	ErrForeign = errors.New("not a journal file")
	// ErrExists says that Create found a journal.
	ErrExists = errors.New("there is a journal already")
	// ErrInUse says that another process has the journal open.
	ErrInUse = errors.New("another process uses this journal: stop it first")
	// ErrFull says that the turn does not fit into the rest of the segment, and that nothing was written. The caller
	// must Rotate and then Append the same turn again; the new segment has room for it, whatever its size.
	ErrFull = errors.New("the journal segment is full")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("the journal is closed")
)

// RotError says where the journal is damaged. errors.Is(err, ErrRot) holds for it.
type RotError struct {
	File   string // path of the segment
	Sector int64  // number of the damaged 512-byte sector in the segment
	Offset int64  // of that sector in the file, in bytes
	Why    string
}

func (e *RotError) Error() string {
	return fmt.Sprintf("%s is damaged at sector %d (offset %d): %s; this replica may have forgotten votes and must not "+
		"run on this disk again", e.File, e.Sector, e.Offset, e.Why)
}

// Unwrap makes every RotError an ErrRot.
func (e *RotError) Unwrap() error { return ErrRot }

type emptyError struct{}

func (emptyError) Error() string { return "there is no journal here" }
func (emptyError) Unwrap() error { return ErrMissing }
