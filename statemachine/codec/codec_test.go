package codec

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
)

// all reads one value of each kind, and a list of texts.
func all(b []byte) (u uint64, small uint8, i int64, tiny int8, ok bool, p []byte, list []string, fixed []byte, err error) {
	r := NewReader(b)
	u, small, i, tiny, ok, p = r.Uint(64), uint8(r.Uint(8)), r.Int(64), int8(r.Int(8)), r.Bool(), r.Bytes()
	list = make([]string, r.Len(1))
	for k := range list {
		list[k] = r.String()
	}
	fixed = r.Take(2)
	return u, small, i, tiny, ok, p, list, fixed, r.End()
}

func written(u uint64, small uint8, i int64, tiny int8, ok bool, p []byte, list []string, fixed []byte) []byte {
	b := AppendBool(AppendInt(AppendInt(AppendUint(AppendUint(nil, u), uint64(small)), i), int64(tiny)), ok)
	b = AppendLen(AppendBytes(b, p), len(list))
	for _, s := range list {
		b = AppendString(b, s)
	}
	return append(b, fixed...)
}

func TestReader_ReadsWhatWasWritten(t *testing.T) {
	b := written(math.MaxUint64, 255, math.MinInt64, -128, true, []byte("bytes"), []string{"", "two"}, []byte("xy"))
	u, small, i, tiny, ok, p, list, fixed, err := all(b)
	if u != math.MaxUint64 || small != 255 || i != math.MinInt64 || tiny != -128 || !ok || string(p) != "bytes" ||
		!slices.Equal(list, []string{"", "two"}) || string(fixed) != "xy" || err != nil {
		t.Errorf("%d %d %d %d %t %q %q %q %v", u, small, i, tiny, ok, p, list, fixed, err)
	}
}

func TestReader_RefusesEverythingElse(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		read  func(*Reader)
	}{
		"nothing":                    {nil, func(r *Reader) { r.Uint(64) }},
		"a number that is cut short": {[]byte{0x80}, func(r *Reader) { r.Uint(64) }},
		"a longer form of a number":  {[]byte{0x81, 0}, func(r *Reader) { r.Uint(64) }},
		"more than 64 bits":          {bytes.Repeat([]byte{0xff}, 11), func(r *Reader) { r.Uint(64) }},
		"256 in 8 bits":              {AppendUint(nil, 256), func(r *Reader) { r.Uint(8) }},
		"-129 in 8 bits":             {AppendInt(nil, -129), func(r *Reader) { r.Int(8) }},
		"128 in 8 bits":              {AppendInt(nil, 128), func(r *Reader) { r.Int(8) }},
		"a bool of 2":                {[]byte{2}, func(r *Reader) { r.Bool() }},
		"bytes that are not there":   {[]byte{3, 'a', 'b'}, func(r *Reader) { r.Bytes() }},
		"a list that has no room":    {AppendUint(nil, math.MaxUint64), func(r *Reader) { r.Len(1) }},
		"a list of larger elements":  {[]byte{2, 1, 1, 1}, func(r *Reader) { r.Len(2); r.Take(3) }},
		"less than nothing":          {nil, func(r *Reader) { r.Take(-1) }},
		"what is left over":          {[]byte{1, 1}, func(r *Reader) { r.Bool() }},
		"a rule of the caller's":     {nil, func(r *Reader) { r.Fail() }},
	} {
		r := NewReader(c.bytes)
		c.read(r)
		if err := r.End(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if name != "what is left over" && (r.Uint(64) != 0 || r.Int(64) != 0 || r.Bool() || r.Bytes() != nil || r.String() != "" || r.Len(1) != 0) {
			t.Errorf("%s: what follows is not zero", name)
		}
	}
}

// If bytes can be decoded, encoding the values gives the same bytes.
func FuzzReader(f *testing.F) {
	f.Add(written(300, 7, -300, -7, true, []byte("b"), []string{"s", ""}, []byte("xy")))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		u, small, i, tiny, ok, p, list, fixed, err := all(b)
		if err != nil {
			return
		}
		if again := written(u, small, i, tiny, ok, p, list, fixed); !bytes.Equal(b, again) {
			t.Errorf("%x is read, and written as %x", b, again)
		}
	})
}
