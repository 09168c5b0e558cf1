package tamper

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tagma/pbft/wire"
)

// Parameter is one setting of a behaviour.
type Parameter struct {
	Name    string   `json:"name"`
	Default string   `json:"default"`
	Summary string   `json:"summary"` // one line
	Words   []string `json:"-"`       // the words that are allowed as its value; nil: its value is not a word
}

// field is a parameter, and the field of a struct that gets its value. A struct declares it by a field with tags:
//
//	FromSeq wire.Seq `default:"1" doc:"the first sequence number that it lies about"`
//
// The parameter is named from_seq. Further tags restrict the value: words lists the words that it may be, min and max
// are its bounds, cap silently lowers a higher value, and zero permits "0". The doc of a blank field continues the doc
// above it. Fields of embedded structs count as the struct's own.
type field struct {
	Parameter
	to  reflect.Value
	tag reflect.StructTag
	cfg *wire.Config // nil if values are only checked
}

// value is implemented by the types of parameters that parse their own text.
type value interface {
	read(f *field, text string) error
}

// Parameters lists the parameters that a struct declares; of is a pointer to the struct.
func Parameters(of any) []Parameter {
	all := []Parameter{}
	for _, f := range fields(reflect.ValueOf(of).Elem(), nil) {
		all = append(all, f.Parameter)
	}
	return all
}

func fields(v reflect.Value, all []*field) []*field {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		doc, declared := f.Tag.Lookup("doc")
		switch {
		case declared && f.Name == "_":
			all[len(all)-1].Summary += doc
		case declared:
			p := Parameter{Name: snake(f.Name), Default: f.Tag.Get("default"), Summary: doc}
			if words := f.Tag.Get("words"); words != "" {
				p.Words = strings.Split(words, ",")
			}
			all = append(all, &field{Parameter: p, to: v.Field(i), tag: f.Tag})
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			all = fields(v.Field(i), all)
		}
	}
	return all
}

// snake turns FromSeq into from_seq.
func snake(name string) (out string) {
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			out += "_"
		}
		out += string(unicode.ToLower(r))
	}
	return out
}

func names(parameters []Parameter) (all []string) {
	for _, p := range parameters {
		all = append(all, p.Name)
	}
	return all
}

// Bind sets the fields of a struct that declares parameters: to the chosen values, and otherwise to the defaults. Its
// error names the parameter and says which values are allowed.
func Bind(into any, c Choice, cfg *wire.Config) error {
	known := names(Parameters(into))
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		if !slices.Contains(known, name) {
			return &UnknownError{What: "parameter of " + c.Name, Name: name, Known: known}
		}
	}
	for _, f := range fields(reflect.ValueOf(into).Elem(), nil) {
		text, given := c.Values[f.Name]
		if !given {
			text = f.Default
		}
		f.cfg = cfg
		if err := f.read(text); err != nil {
			return fmt.Errorf("behaviour %s: %w", c.Name, err)
		}
	}
	return nil
}

// read parses a text and sets the field.
func (f *field) read(text string) (err error) {
	switch to := f.to.Addr().Interface().(type) {
	case value:
		return to.read(f, text)
	case *string:
		*to = text
		if f.Words != nil {
			return f.among(text, f.Words)
		}
	case *bool:
		*to = text == "yes"
		return f.among(text, []string{"no", "yes"})
	case *wire.Type:
		*to, _ = wire.ParseType(text)
		return f.among(text, f.Words)
	case *wire.Seq:
		*to, err = f.seq(text)
	case *uint64:
		*to, err = f.number(text)
	case *float64:
		if *to, err = strconv.ParseFloat(text, 64); err != nil || !(*to > 0 && *to <= 1) {
			return f.wrong("%q is not a number above 0 and up to 1", text)
		}
	case *time.Duration:
		*to, err = f.delay(text)
	default:
		panic(fmt.Sprintf("tamper: a parameter of type %T", to))
	}
	return err
}

func (f *field) wrong(format string, args ...any) error {
	return fmt.Errorf(f.Name+": "+format, args...)
}

// among returns an error unless a text is one of these words.
func (f *field) among(text string, words []string) error {
	if !slices.Contains(words, text) {
		return &UnknownError{What: "value of " + f.Name, Name: text, Known: words}
	}
	return nil
}

func (f *field) seq(text string) (wire.Seq, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, f.wrong("%q is not a sequence number", text)
	}
	return wire.Seq(n), nil
}

// number parses a whole number within the bounds that the tags give.
func (f *field) number(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, f.wrong("%q is not a whole number", text)
	}
	bound := func(tag string, otherwise uint64) uint64 {
		if b, err := strconv.ParseUint(f.tag.Get(tag), 10, 64); err == nil {
			return b
		}
		return otherwise
	}
	if low, high := bound("min", 0), bound("max", math.MaxUint64); n < low || n > high {
		return 0, f.wrong("%d is outside %d to %d", n, low, high)
	}
	return min(n, bound("cap", math.MaxUint64)), nil
}

// delay parses a positive duration, or a multiple of the view timeout T such as "0.9T".
func (f *field) delay(text string) (time.Duration, error) {
	const longest = float64(24 * time.Hour)
	if f.tag.Get("zero") != "" && (text == "0" || text == "0s") {
		return 0, nil
	}
	timeout := wire.DefaultViewTimeout
	if f.cfg != nil && f.cfg.ViewTimeout > 0 {
		timeout = f.cfg.ViewTimeout
	}
	d, err := time.ParseDuration(text)
	if factor, relative := strings.CutSuffix(text, "T"); relative {
		var n float64
		if n, err = strconv.ParseFloat(factor, 64); n > 0 && !math.IsInf(n, 0) {
			d = time.Duration(min(n*float64(timeout), longest))
		}
	}
	if err != nil || d <= 0 {
		return 0, f.wrong("%q is not a duration such as 200ms, nor a multiple of the view timeout such as 0.9T", text)
	}
	return d, nil
}
