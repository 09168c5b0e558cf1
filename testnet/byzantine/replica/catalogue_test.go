package replica

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tagma/testnet/byzantine/tamper"
)

func TestCatalogue_IsSortedAndEveryEntryIsExplained(t *testing.T) {
	all := Catalogue()
	if !slices.IsSortedFunc(all, func(a, b tamper.Behaviour) int { return strings.Compare(a.Name, b.Name) }) {
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
			if slices.Contains([]string{"replica", "behaviour", "from", "until"}, p.Name) {
				t.Errorf("%s: parameter %s means something else in a scenario", b.Name, p.Name)
			}
		}
		if _, err := parse(b.Name); err != nil {
			t.Errorf("the defaults are refused: %v", err)
		}
	}
}

func TestParseChoice_RefusesWhatDoesNotExist(t *testing.T) {
	for text, part := range map[string]string{
		"equivocat":                        "equivocate",
		"equivocate,fase=commit":           "from_seq",
		"equivocate,phase":                 "parameter=value",
		"equivocate,phase=checkpoint":      "pre-prepare, prepare, commit",
		"equivocate,from_seq=-1":           "not a sequence number",
		"":                                 "equivocate",
		"silent,types=prepair":             "not a message type",
		"silent,types=":                    "not a message type",
		"silent,to=1+x":                    "no destination",
		"silent,probability=0":             "above 0",
		"silent,probability=NaN":           "above 0",
		"silent,seed=-1":                   "not a whole number",
		"silent,seed=1,seed=2":             "given twice",
		"corrupt,what=bytes":               "signature, digest, reply",
		"slow,delay=soon":                  "0.9T",
		"slow-primary,delay=-1T":           "0.9T",
		"clock-skew,by=0s":                 "1h or -1h",
		"clock-skew,every=never":           "200ms",
		"censor,client=":                   "first",
		"twins,first=x":                    "no destination",
		"collude,with=0+x":                 "no destination",
		"bad-new-view,how=wrong":           "duplicate",
		"lying-view-change,provoke=1":      "yes",
		"sequence-abuse,how=low":           "gap, high, above, max, twice, invented",
		"replayed-requests,per_batch=some": "not a whole number",
		"slow,delay=-1s":                   "0.9T",
		"slow,delay=0T":                    "0.9T",
	} {
		_, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v; the error should name %q", text, err, part)
		}
	}
	var unknown *tamper.UnknownError
	if _, err := parse("equivocat"); !errors.As(err, &unknown) || len(unknown.Known) == 0 {
		t.Errorf("%v does not list what there is", err)
	}
}

func TestChoice_StringIsParsedBack(t *testing.T) {
	const text = "equivocate,phase=commit,from_seq=7"
	c, err := parse(text)
	if err != nil || c.String() != text {
		t.Errorf("%q became %q, %v", text, c, err)
	}
}

func TestChoice_NamesOnlyReplicasOfItsCluster(t *testing.T) {
	c, err := parse("silent,to=4")
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(c, 4); err == nil || !strings.Contains(err.Error(), "there is no replica 4") {
		t.Errorf("of 4 replicas: %v", err)
	}
	if err := Check(c, 7); err != nil {
		t.Errorf("of 7 replicas: %v", err)
	}
}
