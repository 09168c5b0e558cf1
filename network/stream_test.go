package network

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// fakeStream returns one piece for each read. It records the deadline of each read and write.
type fakeStream struct {
	pieces    [][]byte
	reads     []bool // under a deadline
	writes    []int  // sizes
	armed     bool
	deadlines int // for writing
}

func (f *fakeStream) Read(p []byte) (int, error) {
	f.reads = append(f.reads, f.armed)
	if len(f.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.pieces[0])
	f.pieces = f.pieces[1:]
	return n, nil
}

func (f *fakeStream) Write(p []byte) (int, error) {
	f.writes = append(f.writes, len(p))
	return len(p), nil
}

func (f *fakeStream) SetReadDeadline(at time.Time) error {
	f.armed = !at.IsZero()
	return nil
}

func (f *fakeStream) SetWriteDeadline(time.Time) error {
	f.deadlines++
	return nil
}

func TestStream_OnlyAFrameThatHasBegunIsUnderADeadline(t *testing.T) {
	stream := &fakeStream{armed: true, pieces: [][]byte{
		{0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b'}, // two frames
		{0, 0},                             // a third begins
		{0, 2, 'c'},
		{'c'},
	}}
	var got []string
	err := readFrames(stream, 8, func(frame []byte) { got = append(got, string(frame)) })
	if !errors.Is(err, io.EOF) || len(got) != 3 || got[2] != "cc" {
		t.Fatalf("%q, %v", got, err)
	}
	want := []bool{false, false, true, true, false}
	for i := range want {
		if stream.reads[i] != want[i] {
			t.Fatalf("deadlines at reads: %v, want %v", stream.reads, want)
		}
	}
}

func TestStream_WhatWaitsTogetherLeavesInOneWrite(t *testing.T) {
	q := newQueue(100, 1<<20)
	for range 64 {
		q.push(make([]byte, 128))
	}
	stream, sent := &fakeStream{}, 0
	if err := drain(stream, q, func(frames int) { sent += frames }); err != nil {
		t.Fatal(err)
	}
	if sent != 64 || len(stream.writes) != 1 || stream.writes[0] != 64*(128+headerSize) {
		t.Fatalf("%d frames in writes of %v", sent, stream.writes)
	}
}

// slowStream completes each write after a delay. It records how far away the deadline was.
type slowStream struct {
	fakeStream
	delay    time.Duration
	deadline time.Time
	left     []time.Duration
}

func (s *slowStream) Write(p []byte) (int, error) {
	s.left = append(s.left, time.Until(s.deadline))
	<-time.After(s.delay)
	return s.fakeStream.Write(p)
}

func (s *slowStream) SetWriteDeadline(at time.Time) error {
	s.deadline = at
	return s.fakeStream.SetWriteDeadline(at)
}

func TestStream_EveryChunkOfALargeWriteHasTimeEnough(t *testing.T) {
	for _, delay := range []time.Duration{0, deadlineSlack / 3, deadlineSlack, progressTimeout - 2*deadlineSlack} {
		synctest.Test(t, func(t *testing.T) {
			stream := &slowStream{delay: delay}
			n, err := io.Copy(&progressWriter{stream: stream, chunk: chunkSize}, bytes.NewReader(make([]byte, 9*chunkSize+1)))
			if err != nil || n != 9*chunkSize+1 || len(stream.writes) < 10 {
				t.Fatalf("%d bytes in %d writes: %v", n, len(stream.writes), err)
			}
			for i, left := range stream.left {
				if left <= progressTimeout-deadlineSlack {
					t.Fatalf("write %d of %v each has %v left", i, delay, left)
				}
			}
			if delay == 0 && stream.deadlines != 1 {
				t.Fatalf("%d deadlines for writes at once", stream.deadlines)
			}
		})
	}
}
