package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Version of the format. A reader skips what newer versions have added.
const Version = 1

// Header is the first line of a trace file.
type Header struct {
	Trace    int    `json:"tagma_trace"` // the version
	Engine   string `json:"engine"`      // sim or processes; it decides from when the times of events count
	Replicas int    `json:"replicas"`
	Seed     uint64 `json:"seed,omitempty"`      // of a simulated run
	Name     string `json:"name,omitempty"`      // of the scenario
	Moment   int64  `json:"moment_us,omitempty"` // the time that whoever shared the trace wants to be looked at first
}

// Simulated is the engine for which times count from the beginning of the run.
const Simulated = "sim"

// BadFileError says what is wrong with a trace file, and in which line.
type BadFileError struct{ Err error }

func (e *BadFileError) Error() string { return e.Err.Error() }

// Unwrap implements errors.
func (e *BadFileError) Unwrap() error { return e.Err }

// Print writes the events of a trace, one per line: as in the file if asJSON is set, else for people, with the seconds
// since the beginning of the trace. The argument only lists the kinds to write; if it is empty, all kinds are written.
// Print returns how many events it skipped because this version does not know their kinds. The error is a BadFileError,
// or comes from out.
func Print(out io.Writer, file io.Reader, only []string, asJSON bool) (skipped map[string]int, err error) {
	r, err := NewReader(file)
	if err != nil {
		return nil, &BadFileError{err}
	}
	from, first := int64(0), r.Header.Engine != Simulated
	var failed error
	show := Only(only, func(e Event) {
		if asJSON {
			failed = json.NewEncoder(out).Encode(e)
		} else {
			_, failed = fmt.Fprintln(out, Text(e, from))
		}
	})
	for failed == nil {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.Unknown, &BadFileError{err}
		}
		if first {
			from, first = Of(e).At, false
		}
		show(e)
	}
	return r.Unknown, failed
}

// Writer writes a trace file.
type Writer struct {
	out  *bufio.Writer
	json *json.Encoder
	err  error
}

// NewWriter begins a file with its header.
func NewWriter(w io.Writer, h Header) *Writer {
	out := bufio.NewWriter(w)
	t := &Writer{out: out, json: json.NewEncoder(out)}
	t.json.SetEscapeHTML(false)
	h.Trace = Version
	t.err = t.json.Encode(h)
	return t
}

// Put writes an event. The first error is kept, and Flush returns it.
func (t *Writer) Put(e Event) {
	if t.err == nil {
		t.err = t.json.Encode(e)
	}
}

// Flush writes what is buffered.
func (t *Writer) Flush() error { return errors.Join(t.err, t.out.Flush()) }

// Reader reads a trace file.
type Reader struct {
	Header  Header
	Unknown map[string]int // number of skipped events, by types that this version does not have

	lines *bufio.Scanner
	line  int
}

// longestLine is far longer than any event.
const longestLine = 16 << 20

// ErrEmpty says that a file is empty: it has not even a header.
var ErrEmpty = errors.New("it is empty")

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	t := &Reader{lines: bufio.NewScanner(r), Unknown: make(map[string]int)}
	t.lines.Buffer(nil, longestLine)
	text, err := t.next()
	if errors.Is(err, io.EOF) {
		return nil, ErrEmpty
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &t.Header); err != nil || t.Header.Trace < 1 {
		return nil, errors.New(`line 1: not the head of a trace, whose first key is "tagma_trace"`)
	}
	return t, nil
}

func (t *Reader) next() ([]byte, error) {
	if !t.lines.Scan() {
		if err := t.lines.Err(); err != nil {
			return nil, fmt.Errorf("line %d: %w", t.line+1, err)
		}
		return nil, io.EOF
	}
	t.line++
	return t.lines.Bytes(), nil
}

// Next returns the next event of a known type, or io.EOF at the end. Any other error names the line.
func (t *Reader) Next() (Event, error) {
	for {
		text, err := t.next()
		if err != nil {
			return nil, err
		}
		e, err := t.decode(text)
		if e != nil || err != nil {
			return e, err
		}
	}
}

// decode returns nil for an event of an unknown type.
func (t *Reader) decode(text []byte) (Event, error) {
	var s Stamp
	err := json.Unmarshal(text, &s)
	if err == nil && s.Event == "" {
		err = errors.New("it names no event")
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: not an event: %w", t.line, err)
	}
	e := blank(s.Event)
	if e == nil {
		t.Unknown[s.Event]++
		return nil, nil
	}
	if err := json.Unmarshal(text, e); err != nil {
		return nil, fmt.Errorf("line %d: not of kind %s: %w", t.line, s.Event, err)
	}
	return e, nil
}

// Text writes an event in one line for people. The argument from is the time at which the trace begins.
func Text(e Event, from int64) string {
	s := e.stamp()
	where := ""
	if s.Replica != None {
		where = party(s.Replica)
	}
	if s.Cluster != "" {
		where = strings.TrimSuffix(s.Cluster+"/"+where, "/")
	}
	return strings.TrimRight(fmt.Sprintf("%12.6f  %-3s %s", float64(s.At-from)/1e6, where, e.What()), " ")
}

// source is one of the files that Merge combines.
type source struct {
	*Reader
	event Event
}

// Merge combines several traces into one, ordered by time. The last line of each may be incomplete, because its process
// was killed.
func Merge(w io.Writer, h Header, files []io.Reader) error {
	var open []*source
	for i, f := range files {
		r, err := NewReader(f)
		if errors.Is(err, ErrEmpty) { // the process was killed before it wrote anything
			continue
		}
		if err != nil {
			return fmt.Errorf("trace %d of %d: %w", i+1, len(files), err)
		}
		s := &source{Reader: r}
		if more, err := s.advance(); err != nil {
			return fmt.Errorf("trace %d of %d: %w", i+1, len(files), err)
		} else if more {
			open = append(open, s)
		}
	}
	out := NewWriter(w, h)
	for len(open) > 0 {
		first := slices.MinFunc(open, func(a, b *source) int { return int(a.event.stamp().At - b.event.stamp().At) })
		out.Put(first.event)
		more, err := first.advance()
		if err != nil {
			return err
		}
		if !more {
			open = slices.DeleteFunc(open, func(s *source) bool { return s == first })
		}
	}
	return out.Flush()
}

// advance reads the next event, and reports whether there is one.
func (s *source) advance() (bool, error) {
	e, err := s.Next()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil && !s.lines.Scan(): // the line is torn: nothing follows it
		return false, nil
	}
	s.event = e
	return err == nil, err
}
