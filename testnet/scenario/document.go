package scenario

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is a scenario that is refused: where, what is wrong, and how to mend it.
type Error struct {
	File    string // as it was named by the caller
	Line    int    // from 1; 0 when the problem is not in one line
	Problem string
}

// Error says it all in one line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// document is a file that is being read, with the line of every key and everything that was found wrong so far.
type document struct {
	file  string
	lines map[string]int // by path, such as event[2].at
	wrong []*Error
}

// refuse notes that something is wrong in a line.
func (d *document) refuse(line int, format string, args ...any) {
	d.wrong = append(d.wrong, &Error{File: d.file, Line: line, Problem: fmt.Sprintf(format, args...)})
}

// first is what is wrong first, in the order of the file; nil if nothing is.
func (d *document) first() *Error {
	var least *Error
	for _, e := range d.wrong {
		if least == nil || e.Line < least.Line {
			least = e
		}
	}
	return least
}

// open reads a text into a tree of values.
func open(file string, text []byte) (*document, map[string]any, error) {
	d := &document{file: file, lines: map[string]int{}}
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		e := &Error{File: file, Problem: oneLine(err.Error())}
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			e.Line, _ = bad.Position()
		}
		return nil, nil, e
	}
	d.locate(text)
	return d, tree, nil
}

func oneLine(s string) string {
	s = strings.TrimPrefix(s, "toml: ")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// locate finds the line of every table and key of a text that is TOML.
func (d *document) locate(text []byte) {
	var p unstable.Parser
	p.Reset(text)
	at := &locator{d: d, p: &p, elements: map[string]int{}}
	within := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			within, _ = at.path("", e.Key())
			at.note(within, e.Key())
		case unstable.ArrayTable:
			var name string
			name, _ = at.path("", e.Key())
			if i := strings.LastIndexByte(name, '['); strings.HasSuffix(name, "]") && i >= 0 {
				name = name[:i] // the element before
			}
			within = fmt.Sprintf("%s[%d]", name, at.elements[name])
			at.elements[name]++
			at.note(within, e.Key())
		case unstable.KeyValue:
			at.pair(within, e)
		default: // a comment
		}
	}
}

// locator knows which element of each array of tables is the last one so far.
type locator struct {
	d        *document
	p        *unstable.Parser
	elements map[string]int
}

// path is where a dotted key below a path leads, and the line in which it is written.
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
	}
	return path, line
}

// note keeps the line of a header.
func (l *locator) note(path string, keys unstable.Iterator) {
	_, line := l.path("", keys)
	if _, known := l.d.lines[path]; !known {
		l.d.lines[path] = line
	}
}

func (l *locator) pair(below string, e *unstable.Node) {
	path, line := l.path(below, e.Key())
	l.d.lines[path] = line
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
			l.d.lines[element] = line
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
