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

// firstChunk is how many bytes a reader allocates for a frame before any of them have arrived.
const firstChunk = 64 << 10

// ErrFrameTooLarge says that the announced length of a frame exceeds the limit of its stream. No memory was allocated
// for it.
var ErrFrameTooLarge = errors.New("frame exceeds the limit")

// writeFrame writes one frame. The payload's length must fit in 32 bits, which queues guarantee. The header is built
// inside the writer's buffer, and of a payload longer than the buffer only the beginning is copied.
func writeFrame(w *bufio.Writer, payload []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(w.AvailableBuffer(), uint32(len(payload)))); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// asFrame is a short payload preceded by its header.
func asFrame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// nextFrame is readFrame for a buffered reader.
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

// readFrame reads exactly one frame of at most limit bytes into new memory. If the stream ends between frames the error
// is io.EOF, if it ends inside one it is io.ErrUnexpectedEOF.
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

// checkLength decodes a header. It compares in 64 bits, so that no length wraps on a 32-bit machine.
func checkLength(header []byte, limit int) (int, error) {
	length := binary.BigEndian.Uint32(header)
	if uint64(length) > uint64(limit) {
		return 0, fmt.Errorf("%w: %d bytes announced, at most %d taken", ErrFrameTooLarge, length, limit)
	}
	return int(length), nil
}

// readPayload reads length bytes. Its buffer is at most twice as large as what has arrived, so a peer that announces a
// large frame and sends nothing costs the receiver only firstChunk.
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
