package concepts

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/scenarios"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

func TestMain(m *testing.M) {
	local.RunIfReplica() // cards with processes run this program as their replicas
	os.Exit(m.Run())
}

// Every card happens, and its check sees that it did.
func TestCards_Happen(t *testing.T) {
	if testing.Short() {
		t.Skip("the test of all scenarios runs most of them")
	}
	shown := map[string]bool{}
	for i := range Cards {
		c := &Cards[i]
		if shown[c.Name] {
			t.Errorf("two cards are called %s", c.Name)
		}
		shown[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			out, err := Show(t.Context(), c, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if !out.Shown || out.Saw == "" {
				t.Errorf("saw %q: %s", out.Saw, out.Why)
			}
		})
	}
}

// A card whose concept does not happen is not shown: its scenario loses the fault, or the cluster loses what masks it.
func TestCards_OfWhatDoesNotHappenAreNotShown(t *testing.T) {
	for name, sabotage := range map[string][2]string{
		"byzantine":        {`behaviour = "equivocate"`, `behaviour = "crash"`}, // the primary does not lie
		"crash":            {`do = "kill"`, `do = "pause"`},                     // it is not dead
		"data-redundancy":  {`do = "bit-flip"`, `do = "kill"`},                  // no bit turns
		"channel-omission": {"loss = 0.33", "duplicate = 0.33"},                 // no message is lost
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ok := Find(name)
			if !ok {
				t.Fatal("there is no such card")
			}
			text, err := scenarios.Files.ReadFile(c.Scenario + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			other := strings.Replace(string(text), sabotage[0], sabotage[1], 1)
			if other == string(text) {
				t.Fatalf("%s has no %q", c.Scenario, sabotage[0])
			}
			s, err := scenario.Parse("scenarios/"+c.Scenario+".toml", []byte(other))
			if err != nil {
				t.Fatal(err)
			}
			out, err := show(t.Context(), c, s, play.Options{Dir: t.TempDir() + "/run"})
			if err != nil || out.Shown || out.Why == "" {
				t.Errorf("shown %t: saw %q, lacks %q, %v", out.Shown, out.Saw, out.Why, err)
			}
		})
	}
}

// A card with processes to which nothing happens is not shown.
func TestCards_OfProcessesToWhichNothingHappensAreNotShown(t *testing.T) {
	nothing := func(*local.Cluster, ...int) {}
	for what, live := range map[string]func(context.Context, Place) (string, []string, error){
		"the death of replica 0 is not told": monitored(nothing), "the site is not lost": restored(nothing),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			saw, lacks, err := live(t.Context(), Place{Dir: t.TempDir(), patient: time.Second})
			if err != nil || len(lacks) != 1 || !strings.HasPrefix(lacks[0], what) {
				t.Errorf("lacks %q of %q, %v", lacks, saw, err)
			}
		})
	}
}

// Calls under other semantics than the card's are not what it says.
func TestCounted_OtherSemanticsAreNotShown(t *testing.T) {
	for _, c := range []struct {
		is    session.Semantics
		holds func(network, server, client tally) []string
	}{
		{session.AtLeastOnce, onceEach},
		{session.AtMostOnce, onceEach},
		{session.ExactlyOnce, onceOrMore},
		{session.AtMostOnce, onceOrMore},
		{session.ExactlyOnce, onceOrLost},
		{session.AtLeastOnce, onceOrLost},
	} {
		if saw, lacks, err := counted(c.is, c.holds)(play.Trace{}); err != nil || len(lacks) == 0 {
			t.Errorf("%s: nothing lacks of %q, %v", c.is, saw, err)
		}
	}
}

// docs/consensus.md has what the simulator measures and records.
func TestConsensus_ThePageHasWhatIsMeasured(t *testing.T) {
	page, err := os.ReadFile("../../docs/consensus.md")
	if err != nil {
		t.Fatal(err)
	}
	measured, err := ConsensusPage()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(page), measured) {
		t.Error("docs/consensus.md has other figures or another run; run `make consensus-page`")
	}
	for message := range inOtherWords {
		if !strings.Contains(measured, message+" ") {
			t.Errorf("the recorded run has no %s", message)
		}
	}
}

// docs/concepts.md has the cards as they are.
func TestPage_HasTheCards(t *testing.T) {
	page, err := os.ReadFile("../../docs/concepts.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), Page()) {
		t.Error("docs/concepts.md has other cards; run `make concepts-page`")
	}
}

// What a card names as its place in the code is there.
func TestCards_NameCodeThatIsThere(t *testing.T) {
	for i := range Cards {
		for _, path := range Cards[i].Code {
			if _, err := fs.Stat(os.DirFS("../.."), path); err != nil {
				t.Errorf("%s: %v", Cards[i].Name, err)
			}
		}
		if q := Cards[i].Question; q < 1 || q > len(Questions) || i > 0 && q < Cards[i-1].Question {
			t.Errorf("%s stands under question %d", Cards[i].Name, q)
		}
	}
}
