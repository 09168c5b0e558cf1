package main

import (
	"encoding/json"
	"strings"
	"testing"

	"tagma/internal/command"
)

func TestBehaviours_AreGroupedByFailureModelWithParametersAndBounds(t *testing.T) {
	code, stdout, _ := run("behaviours")
	last := -1
	for _, part := range []string{
		"crash: ", "  crash-recover ", "\nomission: ", "  receive-omission ", "\ntiming: ", "  slow-primary ", "(default 0.9T)",
		"\nByzantine: ", "  client-flood ", "  equivocate ", "(default pre-prepare)", "bound ",
	} {
		at := strings.Index(stdout[last+1:], part)
		if at < 0 {
			t.Fatalf("there is no %q behind what precedes it in\n%s", part, stdout)
		}
		last += 1 + at
	}
	if code != command.Done {
		t.Errorf("exit code %d", code)
	}
}

func TestBehaviours_AsJSON(t *testing.T) {
	code, stdout, _ := run("behaviours", "--json")
	var document struct {
		Behaviours []struct {
			Name, Model, Party, Summary, Bound, Use string

			Parameters []struct{ Name, Default, Summary string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &document); err != nil || code != command.Done {
		t.Fatal(code, err)
	}
	models := map[string]bool{}
	for _, b := range document.Behaviours {
		models[b.Model] = true
		if b.Name == "" || b.Party == "" || b.Summary == "" || b.Bound == "" {
			t.Errorf("%+v", b)
		}
	}
	if len(models) != 4 || len(document.Behaviours) < 35 {
		t.Errorf("%d rows of %d models", len(document.Behaviours), len(models))
	}
}
