package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is the version of the format that is written. Files of other versions are refused.
const Version = 1

// Bounds of what is read from a file (S4).
const (
	MaxHead  = 1 << 20
	maxFrame = 1 << 20
	maxKey   = 64 << 10
	maxValue = 256 << 20
)

const magic = "tagmabak"

// The reasons for which a file is refused.
var (
	// ErrNoBackup says that a file does not begin like a backup.
	ErrNoBackup = errors.New("this is no backup of Tagma")
	// ErrVersion says that a backup has a version of the format that this program does not know.
	ErrVersion = errors.New("the format of this backup is not known here; use the version of tagma that wrote it, or a newer one")
	// ErrDamaged says that a backup does not contain what was written.
	ErrDamaged = errors.New("the backup is damaged; use another copy")
	// ErrChain says that a backup does not add to the one that was read before it.
	ErrChain = errors.New("it adds to another backup; give that one too, in front of it")
	// ErrRoot says that the entries are not the state that the head names.
	ErrRoot = errors.New("its entries are not the state that it names")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// Head says which state a backup holds.
type Head struct {
	Cluster [32]byte
	Epoch   uint64
	Seq     uint64 // the state is the one after this sequence number
	Root    [32]byte

	// Since and SinceRoot are sequence number and root of the backup that this one adds to, and Before is the name of
	// its file. All are zero in a whole backup.
	Since     uint64
	SinceRoot [32]byte
	Before    string

	Machine string
	Proof   []byte // the certificate of Root, as the caller encodes it
}

// Whole reports whether the backup can be used without another one.
func (h *Head) Whole() bool { return h.Since == 0 }

// check returns an error for a head that Write never writes.
func (h *Head) check() error {
	switch {
	case h.Seq == 0:
		return damaged("it is of no checkpoint")
	case h.Since >= h.Seq:
		return damaged("at %d it adds to the later state after %d", h.Seq, h.Since)
	case h.Whole() && (h.SinceRoot != [32]byte{} || h.Before != ""):
		return damaged("it is whole and adds to another one")
	}
	return nil
}

func (h *Head) encode() []byte {
	b := append([]byte{}, h.Cluster[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Epoch)
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	b = append(b, h.Root[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Since)
	b = append(b, h.SinceRoot[:]...)
	for _, text := range [][]byte{[]byte(h.Machine), []byte(h.Before), h.Proof} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	return b
}

func decodeHead(b []byte) (h Head, err error) {
	const fixed = 32 + 8 + 8 + 32 + 8 + 32
	if len(b) < fixed {
		return h, damaged("the head is too short")
	}
	copy(h.Cluster[:], b)
	h.Epoch, h.Seq = binary.BigEndian.Uint64(b[32:]), binary.BigEndian.Uint64(b[40:])
	copy(h.Root[:], b[48:])
	h.Since = binary.BigEndian.Uint64(b[80:])
	copy(h.SinceRoot[:], b[88:])
	b = b[fixed:]
	var texts [3][]byte
	for i := range texts {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			return h, damaged("the head is too short")
		}
		n := binary.BigEndian.Uint32(b)
		texts[i], b = b[4:4+n], b[4+n:]
	}
	if len(b) > 0 {
		return h, damaged("the head is too long")
	}
	h.Machine, h.Before, h.Proof = string(texts[0]), string(texts[1]), bytes.Clone(texts[2])
	return h, h.check()
}

// appendHead appends everything that precedes the frames.
func appendHead(b []byte, h *Head) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	head := h.encode()
	if len(head) > MaxHead {
		return nil, fmt.Errorf("the head of a backup has %d bytes; at most %d", len(head), MaxHead)
	}
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// readHead reads what appendHead wrote.
func readHead(r io.Reader) (Head, error) {
	front := make([]byte, len(magic)+2+4)
	if n, err := io.ReadFull(r, front); n < len(magic)+2 || string(front[:len(magic)]) != magic {
		if err != nil && !isEnd(err) {
			return Head{}, err
		}
		return Head{}, ErrNoBackup
	} else if version := binary.BigEndian.Uint16(front[len(magic):]); version != Version {
		return Head{}, fmt.Errorf("%w (version %d, and %d is known)", ErrVersion, version, Version)
	} else if err != nil {
		return Head{}, cut(err)
	}
	size := binary.BigEndian.Uint32(front[len(magic)+2:])
	if size > MaxHead {
		return Head{}, damaged("a head of %d bytes", size)
	}
	rest := make([]byte, size+sha256.Size)
	if _, err := io.ReadFull(r, rest); err != nil {
		return Head{}, cut(err)
	}
	sum := sha256.New()
	sum.Write(front)
	sum.Write(rest[:size])
	if !bytes.Equal(sum.Sum(nil), rest[size:]) {
		return Head{}, damaged("the head does not match its checksum")
	}
	return decodeHead(rest[:size])
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// cut replaces an unexpected end of the file by an ErrDamaged that says so.
func cut(err error) error {
	if isEnd(err) {
		return damaged("it ends too early")
	}
	return err
}
