package strict

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// ErrKind is what a function given to [As] returns for a value of the wrong kind.
var ErrKind = errors.New("another kind of value")

// reading replaces the usual way of reading values of a type.
type reading struct {
	kind string
	read func(v any) (reflect.Value, error)
}

// As makes a function read all values of a type, from a text, an int64, a float64, a bool, or a list ([]any) or table
// (map[string]any) of those. For a value of the wrong kind the function returns ErrKind; the argument kind describes the
// right kind in the error. For any other wrong value, its error says what is wrong.
func As[V any](d *Document, kind string, read func(v any) (V, error)) {
	d.types[reflect.TypeFor[V]()] = reading{kind, func(v any) (reflect.Value, error) {
		got, err := read(v)
		return reflect.ValueOf(got), err
	}}
}

// Words returns a function for [As] that accepts one of these words.
func Words[S ~string](words ...S) func(v any) (S, error) {
	return func(v any) (S, error) {
		text, ok := v.(string)
		if !ok {
			return "", ErrKind
		}
		for _, w := range words {
			if string(w) == text {
				return w, nil
			}
		}
		return "", Unknown(S(text), words)
	}
}

// read stores the value of a key in a field, or records why it cannot.
func (t *Table) read(key string, value any, field reflect.Value, tag reflect.StructTag) {
	r := &reader{d: t.d, within: tag.Get("range")}
	switch err := r.value(join(t.path, key), value, field); {
	case errors.Is(err, ErrKind) && tag.Get("kind") != "":
		t.Refuse(key, "must be %s", tag.Get("kind"))
	case errors.Is(err, ErrKind):
		t.Refuse(key, "must be %s", r.kind(key, field.Type()))
	case err != nil:
		t.Refuse(key, "%v", err)
	}
}

// reader reads the value of one key.
type reader struct {
	d      *Document
	within string // the permitted range of its numbers
}

func (r *reader) value(path string, v any, into reflect.Value) error {
	t := into.Type()
	if as, known := r.d.types[t]; known {
		got, err := as.read(v)
		if err == nil {
			into.Set(got)
		}
		return err
	}
	if text, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, ok := v.(string)
		if !ok {
			return ErrKind
		}
		return text.UnmarshalText([]byte(s))
	}
	switch {
	case t.Kind() == reflect.Interface:
		into.Set(reflect.ValueOf(v))
		return nil
	case isTable(t):
		return r.table(path, v, into)
	case t.Kind() == reflect.Pointer:
		got := reflect.New(t.Elem())
		err := r.value(path, v, got.Elem())
		if err == nil {
			into.Set(got)
		}
		return err
	case t.Kind() == reflect.Slice:
		return r.list(path, v, into)
	default:
		return r.single(v, into)
	}
}

var tableType = reflect.TypeFor[*Table]()

func isTable(t reflect.Type) bool {
	return t == tableType || t.Kind() == reflect.Struct || t.Kind() == reflect.Map
}

// table reads a table into a struct, or keeps the table for later.
func (r *reader) table(path string, v any, into reflect.Value) error {
	values, ok := v.(map[string]any)
	if !ok {
		return ErrKind
	}
	t := &Table{d: r.d, path: path, values: values}
	switch {
	case into.Type() == tableType:
		into.Set(reflect.ValueOf(t))
	case into.Kind() == reflect.Map:
		into.Set(reflect.ValueOf(values))
	default:
		t.Into(into.Addr().Interface())
	}
	return nil
}

func (r *reader) list(path string, v any, into reflect.Value) error {
	elements, ok := v.([]any)
	if !ok {
		return ErrKind
	}
	got := reflect.MakeSlice(into.Type(), len(elements), len(elements))
	for i, e := range elements {
		if err := r.value(fmt.Sprintf("%s[%d]", path, i), e, got.Index(i)); err != nil {
			return err
		}
	}
	into.Set(got)
	return nil
}

// single reads a text, a bool or a number.
func (r *reader) single(v any, into reflect.Value) error {
	switch v := v.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return nil
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return nil
		}
	case int64:
		switch {
		case into.CanInt() && !into.OverflowInt(v):
			return r.number(float64(v), v, func() { into.SetInt(v) })
		case into.CanUint() && v >= 0 && !into.OverflowUint(uint64(v)):
			return r.number(float64(v), v, func() { into.SetUint(uint64(v)) })
		case into.CanFloat():
			return r.number(float64(v), v, func() { into.SetFloat(float64(v)) })
		}
	case float64:
		if into.CanFloat() {
			return r.number(v, v, func() { into.SetFloat(v) })
		}
	}
	return ErrKind
}

// number stores a number that is in the range.
func (r *reader) number(x float64, as any, take func()) error {
	least, most, limited := strings.Cut(r.within, "..")
	if limited && !(x >= bound(least) && x <= bound(most)) || math.IsNaN(x) {
		return fmt.Errorf("%v is out of range; write a number from %s to %s", as, least, most)
	}
	take()
	return nil
}

// bound is a number in a tag; a malformed one is a programmer's mistake.
func bound(text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("strict: range of a field: " + err.Error())
	}
	return x
}

// kind describes what the value of a key must be, by its type.
func (r *reader) kind(key string, t reflect.Type) string {
	if as, known := r.d.types[t]; known {
		return as.kind
	}
	if described, ok := reflect.New(t).Interface().(interface{ Kind() string }); ok {
		return described.Kind()
	}
	switch {
	case isTable(t):
		return fmt.Sprintf("a table, begun with [%s] or written in braces", key)
	case t.Kind() == reflect.Pointer:
		return r.kind(key, t.Elem())
	case t.Kind() == reflect.Slice && isTable(t.Elem()):
		return fmt.Sprintf("tables, each begun with [[%s]]", key)
	case t.Kind() == reflect.Slice:
		return "a list, each element " + r.kind(key, t.Elem())
	case t.Kind() == reflect.String:
		return "text in quotes"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case reflect.Zero(t).CanUint():
		return "a whole number from 0"
	case reflect.Zero(t).CanFloat():
		return "a number"
	default:
		return "a whole number"
	}
}
