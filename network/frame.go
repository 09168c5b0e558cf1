package network

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// headerSize is the length of the big-endian uint32 in front of every frame.
const headerSize = 4

// firstChunk is what a frame may make a reader allocate before any of its bytes have arrived.
const firstChunk = 64 << 10

// ErrFrameTooLarge is returned for a frame whose announced length exceeds the limit of its stream. Nothing was allocated.
var ErrFrameTooLarge = errors.New("frame exceeds the limit")

// writeFrame writes one frame. The payload must fit in 32 bits; queues guarantee that. The header is written in place,
// and of a payload that is longer than the writer's buffer only the beginning is copied.
func writeFrame(w *bufio.Writer, payload []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(w.AvailableBuffer(), uint32(len(payload)))); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// asFrame is a short payload with its header.
func asFrame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// nextFrame is readFrame for a reader that may read ahead.
func nextFrame(r *bufio.Reader, limit int) ([]byte, error) {
	header, err := r.Peek(headerSize)
	if errors.Is(err, io.EOF) && len(header) > 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	length, err := checkLength(header, limit)
	if err != nil {
		return nil, err
	}
	if _, err := r.Discard(headerSize); err != nil {
		return nil, err
	}
	return readPayload(r, length)
}

// readFrame reads one frame of at most limit bytes into memory of its own, and not a byte more. At a frame boundary it
// returns io.EOF; a stream that ends inside a frame gives io.ErrUnexpectedEOF.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	length, err := checkLength(header[:], limit)
	if err != nil {
		return nil, err
	}
	return readPayload(r, length)
}

// checkLength decodes a header. The comparison is made in 64 bits, so that no length wraps on a 32-bit machine.
func checkLength(header []byte, limit int) (int, error) {
	length := binary.BigEndian.Uint32(header)
	if uint64(length) > uint64(limit) {
		return 0, fmt.Errorf("%w: %d bytes announced, at most %d taken", ErrFrameTooLarge, length, limit)
	}
	return int(length), nil
}

// readPayload reads length bytes. Its buffer at most doubles with what has arrived: announcing a large frame and
// sending nothing costs the receiver firstChunk.
func readPayload(r io.Reader, length int) ([]byte, error) {
	payload := make([]byte, min(length, firstChunk))
	for filled := 0; ; {
		n, err := io.ReadFull(r, payload[filled:])
		if filled += n; filled == length {
			return payload, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		grown := make([]byte, min(length, 2*len(payload)))
		copy(grown, payload)
		payload = grown
	}
}
