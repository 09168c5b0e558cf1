// Package strict reads TOML files that people write into structs, and refuses what it does not understand.
//
// It keeps the line of every table and key. So if a value is wrong, this package or its caller can report it in one
// line: the file, the line, the key, what is wrong and how to correct it. It knows TOML and Go types, but not what a
// file is for.
package strict

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error says where a refused file is wrong, and how to correct it.
type Error struct {
	File    string // its name as given by the caller
	Line    int    // from 1; 0 if the problem is not in a single line
	Key     string // such as protocol.log_window; empty if the problem is not with a single key
	Problem string // what is wrong and how to correct it
}

// Error describes the problem in one line.
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&s, ":%d", e.Line)
	}
	if e.Key != "" {
		s.WriteString(": " + oneLine(e.Key))
	}
	s.WriteString(": " + oneLine(e.Problem))
	return s.String()
}

// oneLine joins the lines of a text from a file.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// Document is a file that is being read, with the line of every key and everything found wrong so far.
type Document struct {
	Table // of the whole file
	file  string
	lines map[string]int // by path, such as event[2].at
	wrong []*Error
	types map[reflect.Type]reading
}

// ReadFile reads a file of at most most bytes. For a directory or a larger file the error is an *Error.
func ReadFile(path string, most int64) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case errors.Is(err, syscall.EISDIR):
		return nil, &Error{File: path, Problem: "it is a directory; name a file in it" + suchAs(path)}
	case err == nil && int64(len(text)) > most:
		return nil, &Error{File: path, Problem: fmt.Sprintf("has more than %d bytes; is it the right file?", most)}
	}
	return text, err
}

// Parse parses a TOML text; file is its name in errors. The error is an *Error.
func Parse(file string, text []byte) (*Document, error) {
	d := &Document{file: file, lines: map[string]int{}, types: map[reflect.Type]reading{}}
	d.Table = Table{d: d}
	if err := toml.Unmarshal(text, &d.values); err != nil {
		e := &Error{File: file, Problem: strings.TrimPrefix(err.Error(), "toml: ")}
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			e.Line, _ = bad.Position()
			e.Key = strings.Join(bad.Key(), ".")
		}
		return nil, e
	}
	l := &locator{lines: d.lines, elements: map[string]int{}}
	l.document(text)
	return d, nil
}

// Err returns the first problem in the order of the file, as an *Error; nil if there is none.
func (d *Document) Err() error {
	var least *Error
	for _, e := range d.wrong {
		if least == nil || e.Line < least.Line {
			least = e
		}
	}
	if least == nil {
		return nil
	}
	return least
}

// RefuseLine records that something is wrong in a line.
func (d *Document) RefuseLine(line int, format string, args ...any) {
	d.wrong = append(d.wrong, &Error{File: d.file, Line: line, Problem: fmt.Sprintf(format, args...)})
}

// LineOf returns the line of a path, such as replica[2].key, or of the closest table or list around it. It returns 0 if
// there is none.
func (d *Document) LineOf(path string) int {
	for path != "" {
		if line := d.lines[path]; line > 0 {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// locator finds the line of every table and key of a TOML text.
type locator struct {
	p        unstable.Parser
	lines    map[string]int
	elements map[string]int // number of elements of each array of tables so far
}

func (l *locator) document(text []byte) {
	l.p.Reset(text)
	within := ""
	for l.p.NextExpression() {
		switch e := l.p.Expression(); e.Kind {
		case unstable.Table:
			within, _ = l.path("", e.Key())
		case unstable.ArrayTable:
			name, line := l.path("", e.Key())
			if i := strings.LastIndexByte(name, '['); strings.HasSuffix(name, "]") && i >= 0 {
				name = name[:i] // the element before
			}
			within = fmt.Sprintf("%s[%d]", name, l.elements[name])
			l.elements[name]++
			l.note(within, line)
		case unstable.KeyValue:
			l.pair(within, e)
		default: // a comment
		}
	}
}

// note records the first line that names a path.
func (l *locator) note(path string, line int) {
	if _, known := l.lines[path]; !known {
		l.lines[path] = line
	}
}

// path returns the path to which a dotted key leads from another path, and the line of the key. It records every path
// on the way.
func (l *locator) path(below string, keys unstable.Iterator) (path string, line int) {
	path = below
	for keys.Next() {
		key := keys.Node()
		path = join(path, string(key.Data))
		if n := l.elements[path]; n > 0 {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
		if key.Raw.Length > 0 {
			line = l.p.Shape(key.Raw).Start.Line
		}
		l.note(path, line)
	}
	return path, line
}

func (l *locator) pair(below string, e *unstable.Node) {
	path, line := l.path(below, e.Key())
	l.value(path, line, e.Value())
}

func (l *locator) value(path string, line int, v *unstable.Node) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			l.pair(path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			element := fmt.Sprintf("%s[%d]", path, i)
			l.lines[element] = line
			l.value(element, line, it.Node())
		}
	default: // a single value
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// plain returns a path without the numbers of elements in it.
func plain(path string) string {
	for {
		before, rest, found := strings.Cut(path, "[")
		_, after, closed := strings.Cut(rest, "]")
		if !found || !closed {
			return path
		}
		path = before + after
	}
}

// suchAs returns the name of a file in a directory that the user may have meant.
func suchAs(dir string) string {
	if found, _ := filepath.Glob(filepath.Join(dir, "*.toml")); len(found) > 0 {
		return ", such as " + found[0]
	}
	return ""
}
