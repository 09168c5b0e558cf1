package byzantine

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCatalogue_IsSortedAndEveryEntryIsExplained(t *testing.T) {
	all := Catalogue()
	if !slices.IsSortedFunc(all, func(a, b Behaviour) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted by name")
	}
	for _, b := range all {
		if b.Summary == "" || strings.Contains(b.Summary, "\n") {
			t.Errorf("%s: summary %q is not one line", b.Name, b.Summary)
		}
		for _, p := range b.Parameters {
			if p.Summary == "" {
				t.Errorf("%s: parameter %s is not explained", b.Name, p.Name)
			}
		}
		if _, err := ParseChoice(b.Name); err != nil {
			t.Errorf("the defaults are refused: %v", err)
		}
	}
}

func TestParseChoice_RefusesWhatDoesNotExist(t *testing.T) {
	for text, part := range map[string]string{
		"equivocat":                   "equivocate",
		"equivocate,fase=commit":      "from_seq",
		"equivocate,phase":            "parameter=value",
		"equivocate,phase=checkpoint": "none of",
		"equivocate,from_seq=-1":      "not a sequence number",
		"":                            "equivocate",
	} {
		_, err := ParseChoice(text)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v; the error should name %q", text, err, part)
		}
	}
	var unknown *UnknownError
	if _, err := ParseChoice("equivocat"); !errors.As(err, &unknown) || len(unknown.Known) == 0 {
		t.Errorf("%v does not list what there is", err)
	}
}

func TestChoice_StringIsParsedBack(t *testing.T) {
	const text = "equivocate,phase=commit,from_seq=7"
	c, err := ParseChoice(text)
	if err != nil || c.String() != text {
		t.Errorf("%q became %q, %v", text, c, err)
	}
}
