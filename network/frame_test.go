package network

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestFrame_OversizedLengthIsRefusedBeforeAnythingIsAllocated_S4(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 'x'}
	r := bytes.NewReader(huge)
	allocated := testing.AllocsPerRun(10, func() {
		r.Reset(huge)
		if _, err := readFrame(r, 1<<20); !errors.Is(err, ErrFrameTooLarge) {
			t.Fatalf("got %v", err)
		}
	})
	if allocated > 8 { // the header and the error, never the payload
		t.Fatalf("%v allocations", allocated)
	}
}

// countingReader remembers the largest buffer that its caller offered.
type countingReader struct {
	io.Reader
	widest int
}

func (c *countingReader) Read(p []byte) (int, error) {
	c.widest = max(c.widest, len(p))
	return c.Reader.Read(p)
}

func TestFrame_AnnouncingWithoutSendingCostsOneChunk_S4(t *testing.T) {
	source := &countingReader{Reader: bytes.NewReader([]byte{0, 0xff, 0, 0, 1, 2, 3})}
	if _, err := readFrame(source, 16<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	if source.widest > firstChunk {
		t.Fatalf("made room for %d bytes when three had arrived", source.widest)
	}
}

func TestFrame_EndsAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"at a boundary":     {nil, io.EOF},
		"inside the header": {[]byte{0, 0, 0}, io.ErrUnexpectedEOF},
		"before the body":   {[]byte{0, 0, 0, 2}, io.ErrUnexpectedEOF},
		"inside the body":   {[]byte{0, 0, 0, 2, 1}, io.ErrUnexpectedEOF},
		"one byte over":     {[]byte{0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ErrFrameTooLarge},
	} {
		if _, err := readFrame(bytes.NewReader(c.bytes), 8); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if _, err := nextFrame(bufio.NewReader(bytes.NewReader(c.bytes)), 8); !errors.Is(err, c.want) {
			t.Errorf("%s, reading ahead: got %v, want %v", name, err, c.want)
		}
	}
}

func TestFrame_AnySizeSurvivesSmallReads(t *testing.T) {
	for _, size := range []int{0, 1, firstChunk - 1, firstChunk, firstChunk + 1, 5*firstChunk + 3} {
		want := bytes.Repeat([]byte{7}, size)
		var wire bytes.Buffer
		w := bufio.NewWriter(&wire)
		if err := errors.Join(writeFrame(w, want), w.Flush()); err != nil {
			t.Fatal(err)
		}
		got, err := readFrame(iotest.HalfReader(&wire), size)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("size %d: %d bytes, %v", size, len(got), err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{}, 8)
	f.Add([]byte{0, 0, 0, 1, 9}, 8)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, 1<<20)
	f.Add([]byte{0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 8)
	f.Fuzz(func(t *testing.T, wire []byte, limit int) {
		if limit < 0 || limit > 1<<20 {
			return
		}
		frame, err := readFrame(bytes.NewReader(wire), limit)
		ahead, aheadErr := nextFrame(bufio.NewReader(bytes.NewReader(wire)), limit)
		if !bytes.Equal(frame, ahead) || (err == nil) != (aheadErr == nil) {
			t.Fatalf("reading ahead gives %x, %v instead of %x, %v", ahead, aheadErr, frame, err)
		}
		if err != nil {
			if frame != nil {
				t.Fatal("a frame beside an error")
			}
			return
		}
		if len(frame) > limit {
			t.Fatalf("%d bytes, limit %d", len(frame), limit)
		}
		if !bytes.HasPrefix(wire, asFrame(frame)) {
			t.Fatalf("read %x from %x", frame, wire)
		}
	})
}
