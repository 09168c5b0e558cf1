package kvtext

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"tagma/statemachine/kv"
)

// Write writes a line for each key of a scan. It returns how many lines it wrote, even with an error.
func Write(to io.Writer, scan iter.Seq2[kv.KeyValue, error]) (written int, err error) {
	buffered := bufio.NewWriter(to)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for p, err := range scan {
		if err != nil {
			return written, errors.Join(err, buffered.Flush())
		}
		if err := encoder.Encode(LineOf(p.Key, p.Value)); err != nil {
			return written, err
		}
		written++
	}
	return written, buffered.Flush()
}

// mostLineBytes is more than the JSON of the longest key and value takes.
const mostLineBytes = 6*(kv.MaxKeyBytes+kv.MaxValueBytes) + 1024

// Loading puts the lines of a file into a cluster, in order. Each request puts several lines..
type Loading struct {
	Done int // how many lines were put for certain, plus those that were skipped

	name               string
	scanner            *bufio.Scanner
	mostOps, mostBytes int
}

// NewLoading reads lines from a file of this name, and puts at most mostOps operations, of at most mostBytes, into one
// request.
func NewLoading(from io.Reader, name string, mostOps, mostBytes int) *Loading {
	l := &Loading{name: name, scanner: bufio.NewScanner(from), mostOps: mostOps, mostBytes: mostBytes}
	l.scanner.Buffer(nil, mostLineBytes)
	return l
}

// LineError says what is wrong with a line.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err) }

// Unwrap implements errors.
func (e *LineError) Unwrap() error { return e.Err }

// Skip skips the first lines. The error is io.EOF if there are not so many.
func (l *Loading) Skip(lines int) error {
	for l.Done < lines {
		if _, err := l.next(); err != nil {
			return err
		}
		l.Done++
	}
	return nil
}

// Run puts all lines. The function do must send the operations as one request and return their results. If a line
// cannot be read, the error is a LineError; otherwise it is the error of do. Done says how many lines were put.
func (l *Loading) Run(do func(ops [][]byte) (outputs [][]byte, err error)) error {
	var ops [][]byte
	size, ended := 0, false
	for !ended {
		p, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			ended = true
		case err != nil:
			return &LineError{l.name, l.Done + len(ops) + 1, err}
		}
		var op []byte
		if !ended {
			op = kv.Put(p.Key, p.Value)
		}
		if len(ops) > 0 && (ended || len(ops) == l.mostOps || size+len(op) > l.mostBytes) {
			if err := l.put(do, ops); err != nil {
				return err
			}
			ops, size = nil, 0
		}
		if !ended {
			ops, size = append(ops, op), size+len(op)
		}
	}
	return nil
}

func (l *Loading) put(do func([][]byte) ([][]byte, error), ops [][]byte) error {
	outputs, err := do(ops)
	if err != nil {
		return err
	}
	for _, output := range outputs {
		if _, err := kv.DecodePut(output); err != nil {
			return fmt.Errorf("%s, line %d: %w", l.name, l.Done+1, err)
		}
		l.Done++
	}
	return nil
}

// next returns the key and value of the next line, or io.EOF.
func (l *Loading) next() (p kv.KeyValue, err error) {
	if !l.scanner.Scan() {
		if err := l.scanner.Err(); err != nil {
			return p, err
		}
		return p, io.EOF
	}
	decoder := json.NewDecoder(bytes.NewReader(l.scanner.Bytes()))
	decoder.DisallowUnknownFields()
	var line Line
	if err := decoder.Decode(&line); err != nil {
		return p, fmt.Errorf("is not {\"key\":…,\"value\":…}: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return p, errors.New("has something behind its JSON document")
	}
	p.Key, p.Value, err = line.Bytes()
	return p, err
}

// Line is a key with its value as one line of JSON. There are two fields for the key and two for the value, of which
// exactly one is present: the second one if the bytes are not UTF-8.
type Line struct {
	Key         *string `json:"key,omitempty"`
	KeyBase64   *string `json:"key_base64,omitempty"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 *string `json:"value_base64,omitempty"`
}

// LineOf makes the Line of a key and its value.
func LineOf(key, value []byte) (l Line) {
	l.Key, l.KeyBase64 = textOrBase64(key)
	l.Value, l.ValueBase64 = textOrBase64(value)
	return l
}

// Bytes returns the key and the value. The error says which field is missing, present twice, or not base64.
func (l *Line) Bytes() (key, value []byte, err error) {
	if key, err = bytesOf("key", l.Key, l.KeyBase64); err == nil {
		value, err = bytesOf("value", l.Value, l.ValueBase64)
	}
	return key, value, err
}

func textOrBase64(b []byte) (text, encoded *string) {
	s := string(b)
	if utf8.ValidString(s) {
		return &s, nil
	}
	s = base64.StdEncoding.EncodeToString(b)
	return nil, &s
}

// bytesOf returns the content of the one field of a pair that is present.
func bytesOf(name string, text, encoded *string) ([]byte, error) {
	switch {
	case (text == nil) == (encoded == nil):
		return nil, fmt.Errorf("must have either %s or %s_base64", name, name)
	case text != nil:
		return []byte(*text), nil
	}
	b, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return nil, fmt.Errorf("%s_base64: %w", name, err)
	}
	return b, nil
}
