package cluster

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"tagma/internal/nearest"
)

// explain turns a decoder's error about data into one line that a person can act on.
func explain(data []byte, err error) *Error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := &unknown.Errors[0]
		e := at(first)
		e.Problem = "unknown key; remove it"
		path := first.Key()
		if near := nearest.To(path[len(path)-1], namesIn(reflect.TypeFor[File](), path[:len(path)-1])); near != "" {
			e.Problem = fmt.Sprintf("unknown key; did you mean %s?", near)
		}
		return e
	}
	var bad *toml.DecodeError
	if !errors.As(err, &bad) {
		if key, t := unquoted(data, reflect.TypeFor[File]()); key != "" {
			return &Error{Key: key, Problem: "must be " + kind(t)}
		}
		return &Error{Problem: err.Error()}
	}
	e := at(bad)
	e.Problem = strings.TrimPrefix(bad.Error(), "toml: ")
	if t := typeAt(reflect.TypeFor[File](), bad.Key()); t != nil && strings.Contains(e.Problem, "cannot decode") {
		e.Problem = "must be " + kind(t)
	}
	return e
}

func at(d *toml.DecodeError) *Error {
	line, _ := d.Position()
	return &Error{Line: line, Key: strings.Join(d.Key(), ".")}
}

// typeAt finds the type of a key of the file; nil when there is no such key.
func typeAt(t reflect.Type, path []string) reflect.Type {
	for _, name := range path {
		for t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		found := false
		for _, field := range reflect.VisibleFields(t) {
			if found = tomlName(field) == name; found {
				t = field.Type
				break
			}
		}
		if !found {
			return nil
		}
	}
	return t
}

// namesIn lists the keys that a table of the file may have.
func namesIn(t reflect.Type, path []string) (names []string) {
	t = typeAt(t, path)
	if t == nil {
		return nil
	}
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		if name := tomlName(field); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func tomlName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
	return name
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Duration]():
		return `a duration in quotes, such as "1s"`
	case isText(t):
		return "64 hex digits in quotes"
	case t.Kind() == reflect.String:
		return "text in quotes"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return `a list of texts, such as ["/ip4/10.0.0.1/tcp/7000"]`
	case t.Kind() == reflect.Slice:
		return "a list of tables, each begun with [[name]]"
	case t.Kind() == reflect.Struct:
		return "a table, begun with [name]"
	case t.Kind() == reflect.Uint64:
		return "a whole number from 0"
	default:
		return "a whole number"
	}
}
