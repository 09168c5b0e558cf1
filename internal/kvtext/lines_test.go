package kvtext

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// If a line cannot be read, the error names it. What was put before it counts, and a later attempt continues there.
func TestLoading_PutsBatchesAndNamesTheLineThatIsWrong(t *testing.T) {
	text := strings.Repeat(`{"key":"a","value":"1"}`+"\n", 5) + `{"key_base64":"//4=","value":""}` + "\nnothing\n"
	l := NewLoading(strings.NewReader(text), "keys.jsonl", 2, 1<<20)
	if err := l.Skip(1); err != nil {
		t.Fatal(err)
	}
	var batches []int
	err := l.Run(func(ops [][]byte) ([][]byte, error) {
		batches = append(batches, len(ops))
		return answers(t, ops), nil
	})
	var wrong *LineError
	if !errors.As(err, &wrong) || wrong.Line != 7 || !strings.HasPrefix(err.Error(), "keys.jsonl, line 7: ") {
		t.Errorf("%v", err)
	}
	if l.Done != 5 || !slices.Equal(batches, []int{2, 2}) { // the sixth line was in the batch that was never sent
		t.Errorf("%d lines are in, in batches of %v", l.Done, batches)
	}
	if l := NewLoading(strings.NewReader(text), "", 1, 1); l.Skip(100) == nil {
		t.Error("more lines were left out than there are")
	}
}

// If requests are bounded in bytes, each request has as many lines as fit, and at least one.
func TestLoading_BoundsTheBytesOfABatch(t *testing.T) {
	line := `{"key":"a","value":"` + strings.Repeat("v", 100) + `"}` + "\n"
	for most, want := range map[int][]int{1: {1, 1, 1}, 250: {2, 1}, 1000: {3}} {
		var batches []int
		err := NewLoading(strings.NewReader(strings.Repeat(line, 3)), "", 100, most).Run(func(ops [][]byte) ([][]byte, error) {
			batches = append(batches, len(ops))
			return answers(t, ops), nil
		})
		if err != nil || !slices.Equal(batches, want) {
			t.Errorf("at most %d bytes: batches of %v, %v", most, batches, err)
		}
	}
}

// answers are the results that the store gives to requests.
func answers(t *testing.T, ops [][]byte) [][]byte {
	t.Helper()
	service, err := statemachine.New(kv.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	replies, err := service.Apply(statemachine.Batch{Seq: 1, Time: 1, Requests: []statemachine.Request{
		{Client: [32]byte{1}, Session: 1, T: 1, AckedBelow: 1, Ops: ops},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return replies[0].Results
}

func TestImport_LinesAreReadStrictly(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON": "key", "both fields": `{"key":"a","key_base64":"YQ==","value":"b"}`, "no value": `{"key":"a"}`,
		"a misspelt field": `{"key":"a","valeu":"b"}`, "two documents": `{"key":"a","value":"b"}{}`, "bad base64": `{"key_base64":"!","value":""}`,
		"an empty line": "\n",
	} {
		if p, err := NewLoading(strings.NewReader(text), "keys.jsonl", 1, 1).next(); err == nil {
			t.Errorf("%s: read as %q = %q", name, p.Key, p.Value)
		}
	}
}
