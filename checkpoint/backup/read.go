package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Reader reads a backup from beginning to end.
type Reader struct {
	Head Head

	file  io.Reader // everything read from it goes into sum
	sum   hash.Hash
	rest  []byte // what is left of the current frame
	last  []byte // key of the last record
	count int
	ended bool
}

// NewReader reads the head of a backup.
func NewReader(file io.Reader) (*Reader, error) {
	r := &Reader{sum: sha256.New()}
	r.file = io.TeeReader(bufio.NewReaderSize(file, 64<<10), r.sum)
	var err error
	r.Head, err = readHead(r.file)
	return r, err
}

// Next returns the next record. After the last record it returns io.EOF if the hash of the whole file is right and
// the file ends there. The caller must not use any record before it has seen io.EOF.
func (r *Reader) Next() (w statemachine.Write, err error) {
	if r.ended {
		return w, io.EOF
	}
	var head [recordHead]byte
	if n, err := io.ReadFull((*frames)(r), head[:]); n > 0 && err != nil {
		return w, cut(err)
	} else if err == io.EOF {
		r.ended = true
		return w, r.end()
	} else if err != nil {
		return w, err
	}
	keyBytes, valueBytes := binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:])
	if head[0] != recordSet && head[0] != recordDelete || keyBytes > maxKey || valueBytes > maxValue {
		return w, damaged("record %d is malformed", r.count)
	}
	w.Delete = head[0] == recordDelete
	if w.Key, err = r.take(keyBytes); err == nil {
		w.Value, err = r.take(valueBytes)
	}
	if err != nil {
		return w, cut(err)
	}
	if err := checkRecord(&w, r.last, r.count == 0, r.Head.Whole()); err != nil {
		return w, err
	}
	r.last = append(r.last[:0], w.Key...)
	r.count++
	return w, nil
}

// Count is how many records were read.
func (r *Reader) Count() int { return r.count }

// take reads n bytes. It allocates memory as bytes arrive, so a false length in the file costs nothing.
func (r *Reader) take(n uint32) ([]byte, error) {
	var b bytes.Buffer
	_, err := io.CopyN(&b, (*frames)(r), int64(n))
	return b.Bytes(), err
}

// end checks the hash over the whole file, and that the file ends after it.
func (r *Reader) end() error {
	want := r.sum.Sum(nil)
	got := make([]byte, sha256.Size)
	if _, err := io.ReadFull(r.file, got); err != nil {
		return cut(err)
	}
	if !bytes.Equal(want, got) {
		return damaged("it does not match its checksum")
	}
	switch n, err := r.file.Read(got[:1]); {
	case n > 0:
		return damaged("something stands behind its end")
	case err != io.EOF:
		return err
	}
	return io.EOF
}

// frames reads the payloads of a reader's frames.
type frames Reader

// Read implements io.Reader. It returns io.EOF at the frame without a payload.
func (f *frames) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frames) next() error {
	var head [8]byte
	if _, err := io.ReadFull(f.file, head[:4]); err != nil {
		return cut(err)
	}
	size := binary.BigEndian.Uint32(head[:])
	switch {
	case size == 0:
		return io.EOF
	case size > maxFrame:
		return damaged("a frame of %d bytes", size)
	}
	if _, err := io.ReadFull(f.file, head[4:]); err != nil {
		return cut(err)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(f.file, payload); err != nil {
		return cut(err)
	}
	if frameSum(head[:4], payload) != binary.BigEndian.Uint32(head[4:]) {
		return damaged("a frame does not match its checksum")
	}
	f.rest = payload
	return nil
}

// Follows returns an error if the backup does not add to the state after seq with that root; seq 0 stands for the empty
// state.
func (h *Head) Follows(seq uint64, root [32]byte) error {
	if h.Since != seq || seq > 0 && h.SinceRoot != root {
		return ErrChain
	}
	return nil
}

// Chain computes the state of backups that add to each other. It keeps only hashes.
type Chain struct {
	tree *merkle.Tree
	last Head // of the newest backup
}

// NewChain returns a Chain without any backup.
func NewChain() *Chain { return &Chain{tree: merkle.New()} }

// Keys is how many keys the state has.
func (c *Chain) Keys() int { return c.tree.Len() }

// Add reads a backup to its end and compares the root of the resulting state with the one in the head.
func (c *Chain) Add(r *Reader) error {
	if err := r.Head.Follows(c.last.Seq, c.last.Root); err != nil {
		return err
	}
	for {
		w, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			if c.tree.Root() != r.Head.Root {
				return ErrRoot
			}
			c.last = r.Head
			return nil
		case err != nil:
			return err
		case w.Delete:
			c.tree.Delete(w.Key)
		default:
			c.tree.Set(w.Key, w.Value)
		}
	}
}
