package strict

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"tagma/internal/nearest"
)

// Table is one table of a file. Problems with it are recorded in its Document, and reading continues.
//
// Structs can have fields of type *Table, which hold tables to be read later.
type Table struct {
	d      *Document
	path   string
	values map[string]any
}

// Has reports whether the table has a key.
func (t *Table) Has(key string) bool { _, has := t.values[key]; return has }

// Value is the value of a key as the file has it, nil if the key is missing.
func (t *Table) Value(key string) any { return t.values[key] }

// With is the table with other values of some keys; a key whose value is nil is missing. Problems with it are recorded
// where those of the table are.
func (t *Table) With(changed map[string]any) *Table {
	values := maps.Clone(t.values)
	maps.Copy(values, changed)
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	return &Table{d: t.d, path: t.path, values: values}
}

// Line is the line of a key. It is the line of the table if the key is missing or "".
func (t *Table) Line(key string) int {
	if n := t.d.lines[join(t.path, key)]; key != "" && n > 0 {
		return n
	}
	return t.d.LineOf(t.path)
}

// Refuse records a problem with a key, or with the whole table if the key is "".
func (t *Table) Refuse(key, format string, args ...any) {
	path := t.path
	if key != "" {
		path = join(path, key)
	}
	t.d.wrong = append(t.d.wrong, &Error{
		File: t.d.file, Line: t.Line(key), Key: plain(path), Problem: fmt.Sprintf(format, args...),
	})
}

// Below is the table under a key, an empty one if there is none.
func (t *Table) Below(key string) *Table {
	values, _ := t.values[key].(map[string]any)
	return &Table{d: t.d, path: join(t.path, key), values: values}
}

// Only refuses every key of the table except these, and reports whether there was none to refuse. It is for a struct
// that is also used for other tables and has keys that this one must not have.
func (t *Table) Only(keys ...string) (good bool) {
	good = true
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !slices.Contains(keys, key) {
			t.unknown(key, keys)
			good = false
		}
	}
	return good
}

// Needs refuses a table without a key, with an example of the key, and reports whether the key is present.
func (t *Table) Needs(key, example string) bool {
	if !t.Has(key) {
		t.Refuse("", "%s is missing; write %s", key, example)
	}
	return t.Has(key)
}

// Word refuses a word that is not one of the allowed words, and reports whether it is one.
func (t *Table) Word(key, word string, words ...string) bool {
	if !slices.Contains(words, word) {
		t.Refuse(key, "%v", Unknown(word, words))
		return false
	}
	return true
}

func (t *Table) unknown(key string, keys []string) {
	problem := "unknown key; there is " + strings.Join(keys, ", ")
	if near := nearest.To(key, keys); near != "" {
		problem = fmt.Sprintf("unknown key; did you mean %s?", near)
	}
	if len(keys) == 0 {
		problem = "unknown key; leave it out"
	}
	t.Refuse(key, "%s", problem)
}

// Unknown is the error for a word that is not one of the allowed words.
func Unknown[S ~string](word S, words []S) error {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return fmt.Errorf("%q is not known;%s there is %s", word, Meant(string(word), all), strings.Join(all, ", "))
}

// Meant suggests one of the allowed words, as part of a sentence; "" if none is similar.
func Meant(word string, words []string) string {
	if near := nearest.To(word, words); near != "" {
		return fmt.Sprintf(" did you mean %s?", near)
	}
	return ""
}

// Into reads the table into the struct to which v points. It reads fields in the order of the struct. A field whose key
// is missing or wrong keeps its value. Tags describe what a file may hold:
//
//	toml:"key"           the key; fields without one are no part of the file
//	toml:",inline"       a struct whose keys stand among the others; so do those of embedded structs
//	toml:",rest"         a map[string]any that takes every other key; without it they are refused
//	range:"1..1000"      the least and the most of a number
//	kind:"a time"        what errors say that the value must be; otherwise they describe its type
//
// A type can describe itself by a method Kind() string. Into reports whether nothing was wrong.
func (t *Table) Into(v any) (good bool) {
	b, before := &binding{t: t}, len(t.d.wrong)
	b.fields(reflect.ValueOf(v).Elem())
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		switch {
		case slices.Contains(b.keys, key):
		case b.rest.IsValid():
			b.rest.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(t.values[key]))
		default:
			t.unknown(key, b.keys)
		}
	}
	return len(t.d.wrong) == before
}

// binding is a table that is being read into a struct.
type binding struct {
	t    *Table
	keys []string      // keys of the struct's fields
	rest reflect.Value // the map for all other keys, if there is one
}

func (b *binding) fields(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key, option, _ := strings.Cut(field.Tag.Get("toml"), ",")
		switch {
		case option == "inline" || field.Anonymous:
			b.fields(reflect.Indirect(v.Field(i)))
		case option == "rest":
			b.rest = v.Field(i)
			b.rest.Set(reflect.MakeMap(b.rest.Type()))
		case key != "":
			b.keys = append(b.keys, key)
			if value, has := b.t.values[key]; has {
				b.t.read(key, value, v.Field(i), field.Tag)
			}
		}
	}
}
