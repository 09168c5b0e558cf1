package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/internal/nearest"
)

// table reads one table of a file strictly. What is wrong is noted in the document; a method returns the zero value then,
// so that reading can go on. Whoever has read all keys that there may be calls done.
type table struct {
	*document
	path   string
	values map[string]any
	t      time.Duration // the view timeout, for times such as "3T"
	known  []string
}

func (t *table) line(key string) int {
	if n := t.lines[join(t.path, key)]; n > 0 {
		return n
	}
	return t.lines[t.path]
}

// at is the line of the table itself.
func (t *table) at() int { return t.lines[t.path] }

func (t *table) has(key string) bool { _, has := t.values[key]; return has }

// get returns the value of a key and remembers that there is such a key.
func (t *table) get(key string) (any, bool) {
	t.known = append(t.known, key)
	v, has := t.values[key]
	return v, has
}

// mistyped notes that a value is not what it should be.
func (t *table) mistyped(key, want string) { t.refuse(t.line(key), "%s must be %s", key, want) }

// typed reads a key whose value decodes to a Go type.
func typed[V any](t *table, key, want string, fallback V) V {
	v, has := t.get(key)
	if !has {
		return fallback
	}
	got, ok := v.(V)
	if !ok {
		t.mistyped(key, want)
		return fallback
	}
	return got
}

func (t *table) text(key string) string { return typed(t, key, "text in quotes", "") }
func (t *table) yes(key string) bool    { return typed(t, key, "true or false", false) }

// count reads a whole number from least to most. The fallback may be another one.
func (t *table) count(key string, fallback, least, most int) int {
	n := typed(t, key, "a whole number", int64(fallback))
	if t.has(key) && (n < int64(least) || n > int64(most)) {
		t.refuse(t.line(key), "%s = %d; write a number from %d to %d", key, n, least, most)
		return fallback
	}
	return int(n)
}

// number reads a number from 0 to most.
func (t *table) number(key string, fallback, most float64) float64 {
	v, has := t.get(key)
	if !has {
		return fallback
	}
	var x float64
	switch v := v.(type) {
	case float64:
		x = v
	case int64:
		x = float64(v)
	default:
		t.mistyped(key, "a number")
		return fallback
	}
	if !(x >= 0 && x <= most) {
		t.refuse(t.line(key), "%s = %v; write a number from 0 to %v", key, v, most)
		return fallback
	}
	return x
}

// below reads a table within this one.
func (t *table) below(key string) (*table, bool) {
	v, has := t.get(key)
	if !has {
		return &table{document: t.document, path: join(t.path, key), t: t.t}, false
	}
	values, ok := v.(map[string]any)
	if !ok {
		t.mistyped(key, fmt.Sprintf("a table, begun with [%s] or written in braces", key))
	}
	return &table{document: t.document, path: join(t.path, key), values: values, t: t.t}, ok
}

// tables reads an array of tables.
func (t *table) tables(key string) (out []*table) {
	want := fmt.Sprintf("tables, each begun with [[%s]]", key)
	t.list(key, want, func(v any) bool {
		values, ok := v.(map[string]any)
		path := fmt.Sprintf("%s[%d]", join(t.path, key), len(out))
		out = append(out, &table{document: t.document, path: path, values: values, t: t.t})
		return ok
	})
	return out
}

// done refuses every key that nobody has asked for.
func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if slices.Contains(t.known, key) {
			continue
		}
		if near := nearest.To(key, t.known); near != "" {
			t.refuse(t.line(key), "unknown key %s; did you mean %s?", strconv.Quote(join(t.name(), key)), near)
		} else {
			t.refuse(t.line(key), "unknown key %s; there is %s", strconv.Quote(join(t.name(), key)), strings.Join(t.known, ", "))
		}
	}
}

// name is the path without numbers.
func (t *table) name() string {
	name, skip := "", false
	for _, r := range t.path {
		switch {
		case r == '[':
			skip = true
		case r == ']':
			skip = false
		case !skip:
			name += string(r)
		}
	}
	return name
}
