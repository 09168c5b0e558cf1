package strict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// colour is a type that describes its values in errors.
type colour string

func (colour) Kind() string { return `a colour, such as "red"` }

func (c *colour) UnmarshalText(text []byte) error {
	if *c = colour(text); *c != "red" {
		return fmt.Errorf("%q is no colour", text)
	}
	return nil
}

type member uint16

type size struct {
	Width int `toml:"width" range:"1..10"`
}

type file struct {
	Name    string         `toml:"name,omitempty"`
	Count   int            `toml:"count" range:"1..1000"`
	Small   int8           `toml:"small"`
	Epoch   uint64         `toml:"epoch"`
	Rate    float64        `toml:"rate" range:"0..1"`
	Yes     *bool          `toml:"yes"`
	Colour  colour         `toml:"colour"`
	Names   []string       `toml:"names" kind:"a list of names"`
	Groups  [][]member     `toml:"groups"`
	Tone    tone           `toml:"tone"`
	Any     any            `toml:"any"`
	Map     map[string]any `toml:"map"`
	Below   size           `toml:"below"`
	Maybe   *size          `toml:"maybe"`
	Many    []size         `toml:"many"`
	Later   []*Table       `toml:"later"`
	Size    size           `toml:",inline"`
	Ignored int
	embedded
}

type embedded struct {
	Inner string `toml:"inner"`
}

type tone string

func parse(text string, into any) error {
	d, err := Parse("f", []byte(text))
	if err != nil {
		return err
	}
	As(d, "the number of a member", func(v any) (member, error) {
		n, ok := v.(int64)
		switch {
		case !ok:
			return 0, ErrKind
		case n > 3:
			return 0, fmt.Errorf("there is no member %d", n)
		}
		return member(n), nil
	})
	As(d, "a tone", Words[tone]("low", "high"))
	d.Into(into)
	return d.Err()
}

func TestInto_TakesWhatFits(t *testing.T) {
	f := file{Count: 7, Rate: 0.5, Below: size{3}, Ignored: 1}
	err := parse("name = 'x'\nepoch = 9\nyes = false\ncolour = 'red'\nnames = ['a', 'b']\ngroups = [[0], [1, 2]]\ntone = 'low'\n"+
		"any = [1]\nmap = {a = 1}\nmany = [{width = 1}, {width = 2}]\nmaybe.width = 4\nwidth = 5\ninner = 'i'\nrate = 1\n[[later]]\n[[later]]\nx = 1\n", &f)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "x" || f.Count != 7 || f.Epoch != 9 || f.Rate != 1 || f.Yes == nil || *f.Yes || f.Colour != "red" || f.Ignored != 1 || f.Tone != "low" ||
		fmt.Sprintln(f.Names, f.Groups, f.Any, f.Map, f.Many, f.Below, *f.Maybe, f.Size, f.Inner) !=
			"[a b] [[0] [1 2]] [1] map[a:1] [{1} {2}] {3} {4} {5} i\n" {
		t.Errorf("%+v", f)
	}
	if len(f.Later) != 2 || f.Later[0].Has("x") || !f.Later[1].Has("x") || f.Later[1].Line("x") != 17 || f.Later[1].Line("y") != 16 {
		t.Errorf("%+v", f.Later)
	}
}

func TestInto_RefusesWithLineKeyAndMend(t *testing.T) {
	for text, want := range map[string]string{
		"name = 3":                            "f:1: name: must be text in quotes",
		"\ncount = 1.5":                       "f:2: count: must be a whole number",
		"count = 1001":                        "f:1: count: 1001 is out of range; write a number from 1 to 1000",
		"small = 300":                         "f:1: small: must be a whole number",
		"epoch = -1":                          "f:1: epoch: must be a whole number from 0",
		"rate = 'x'":                          "f:1: rate: must be a number",
		"rate = 1.5":                          "f:1: rate: 1.5 is out of range; write a number from 0 to 1",
		"rate = nan":                          "f:1: rate: NaN is out of range; write a number from 0 to 1",
		"yes = 1":                             "f:1: yes: must be true or false",
		"colour = 3":                          `f:1: colour: must be a colour, such as "red"`,
		"colour = 'blue'":                     `f:1: colour: "blue" is no colour`,
		"names = 'x'":                         "f:1: names: must be a list of names",
		"names = ['x', 3]":                    "f:1: names: must be a list of names",
		"groups = [0]":                        "f:1: groups: must be a list, each element a list, each element the number of a member",
		"groups = [[0], [4]]":                 "f:1: groups: there is no member 4",
		"tone = 'hihg'":                       `f:1: tone: "hihg" is not known; did you mean high? there is low, high`,
		"tone = true":                         "f:1: tone: must be a tone",
		"map = 1":                             "f:1: map: must be a table, begun with [map] or written in braces",
		"below = 1":                           "f:1: below: must be a table, begun with [below] or written in braces",
		"many = 1":                            "f:1: many: must be tables, each begun with [[many]]",
		"[[many]]\n[[many]]\nwidth = 0":       "f:3: many.width: 0 is out of range; write a number from 1 to 10",
		"many = [{}, {widht = 1}]":            "f:1: many.widht: unknown key; did you mean width?",
		"[below]\nzzzzzz = 1":                 "f:2: below.zzzzzz: unknown key; there is width",
		"ignored = 1\n":                       "f:1: ignored: unknown key; there is name, ",
		"[nmae]\nx = 1":                       "f:1: nmae: unknown key; did you mean name?",
		"later = [1]":                         "f:1: later: must be tables",
		"inner = 1\nname = 1":                 "f:1: inner: must be text",
		"a.b.c = 1":                           "f:1: a: unknown key",
		"\"new\\nline\" = 1":                  "f:1: new line: unknown key",
		"name = \"x\nepoch = 1":               "f:1: ",
		"[[many]]\nwidth = 1\n[many]\nx = 1":  "f:3: ",
		"epoch = 1\nepoch = 2":                "f:2: epoch: ",
		"day = 2020-01-01\nepoch = 2020-01-1": "f:",
	} {
		err := parse(text, new(file))
		var refused *Error
		if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

func TestInto_RestTakesWhatTheStructDoesNotHave(t *testing.T) {
	var v struct {
		Name string         `toml:"name"`
		Rest map[string]any `toml:",rest"`
	}
	if err := parse("name = 'x'\nother = 1\n", &v); err != nil || v.Name != "x" || fmt.Sprint(v.Rest) != "map[other:1]" {
		t.Errorf("%v %+v", err, v)
	}
}

func TestTable_RefusesForWhoReadsIt(t *testing.T) {
	for want, refuse := range map[string]func(d *Document){
		"f:3: below: wrong":         func(d *Document) { d.Below("below").Refuse("", "wrong") },
		"f:4: below.width: wrong":   func(d *Document) { d.Below("below").Refuse("width", "wrong") },
		"f:3: below.height: wrong":  func(d *Document) { d.Below("below").Refuse("height", "wrong") },
		"f: wrong":                  func(d *Document) { d.Refuse("", "wrong") },
		"f: gone.x: wrong":          func(d *Document) { d.Below("gone").Refuse("x", "wrong") },
		"f:1: name: unknown key; t": func(d *Document) { d.Only("nothing", "below") },
		"f: size is missing; write": func(d *Document) { d.Needs("size", "size = 1") },
		`f:1: name: "x" is not kno`: func(d *Document) { d.Word("name", "x", "y") },
		// The error is about the first problem in the file, in whatever order the problems were found.
		"f:1: name: first": func(d *Document) { d.Below("below").Refuse("", "second"); d.Refuse("name", "first") },
	} {
		d, err := Parse("f", []byte("name = 'x'\n\n[below]\nwidth = 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		refuse(d)
		if err := d.Err(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestLineOf_IsThatOfTheClosestThatIsThere(t *testing.T) {
	d, err := Parse("f", []byte("a = 1\n[[b]]\nx = [1,\n2]\n[[b]]\n[b.c]\ny = {z = 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"a": 1, "b": 2, "b[0]": 2, "b[0].x": 3, "b[0].x[1]": 3, "b[1]": 5, "b[1].c": 6, "b[1].c.y.z": 7, "b[1].q": 5, "q": 0, "": 0,
	} {
		if got := d.LineOf(path); got != want {
			t.Errorf("%s is in line %d, want %d", path, got, want)
		}
	}
}

// Any text is either refused in one line or read.
func FuzzParse(f *testing.F) {
	f.Add("name = 'x'\ngroups = [[0], [1, 2]]\n[[later]]\n")
	f.Add("[[many]]\n[many.x]\n[[many.x.y]]\na.b = 1\n")
	f.Add("\"a\\n[0]\" = {b = [{c = 1}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := parse(text, new(file)); err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q", err)
		}
	})
}
