package byzantine

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tagma/testnet/byzantine/tamper"
)

var update = flag.Bool("update", false, "write the tables of docs/faults.md anew")

// promised lists the faults that the documentation promises to mask, by the names of their rows.
var promised = []string{
	"crash", "crash-recover", "send-omission", "receive-omission", "slow-backup", "slow-primary", "corrupt", "equivocate",
	"twins", "lying-view-change", "view-change-storm", "bad-new-view", "forged-certificates", "replay", "lying-checkpoint",
	"lying-reply", "greedy-fetch", "tiny-operations", "censor", "sequence-abuse", "burst-client", "banked-suspect", "client-equivocation", "partial-client", "replayed-requests", "client-flood", "heavy-client",
	"malformed", "exhaust", "collude", "amnesia", "rollback", "unmounted", "outrun", "poison-transfer", "torn-write", "bit-rot", "lost-fsync", "disk-full", "io-error", "clock-skew", "early",
	"partition", "delay", "loss", "pause", "cluster-crash",
}

func TestRows_HoldTheWholeCatalogueWithBounds(t *testing.T) {
	rows := Rows()
	for _, name := range promised {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.Name == name }) {
			t.Errorf("there is no %s", name)
		}
	}
	models, seen := map[Model]int{}, map[string]bool{}
	for i, r := range rows {
		models[r.Model]++
		if r.Summary == "" || r.Bound == "" || strings.ContainsAny(r.Summary+r.Bound, "\n|") {
			t.Errorf("%s: %q, %q", r.Name, r.Summary, r.Bound)
		}
		if behaves := r.Who == OfReplica || r.Who == OfClient; behaves != (r.Use == "") {
			t.Errorf("%s is used by %q", r.Name, r.Use)
		}
		if key := string(r.Who) + r.Name; seen[key] {
			t.Errorf("%s is there twice", r.Name)
		} else {
			seen[key] = true
		}
		if i > 0 && rows[i-1].Model.Rank() > r.Model.Rank() {
			t.Errorf("%s is out of order", r.Name)
		}
	}
	for _, m := range tamper.Models() {
		if models[m] == 0 || m.Summary() == "" {
			t.Errorf("the failure model %q has no row", m)
		}
	}
	if len(models) != len(tamper.Models()) {
		t.Errorf("there are rows of no failure model: %v", models)
	}
}

// table returns the table of one failure model in docs/faults.md.
func table(m Model) string {
	text := fmt.Sprintf("### %s\n\n%s%s.\n\n| fault | of | what it does | parameters | bound |\n|---|---|---|---|---|\n",
		strings.ToUpper(string(m[0]))+string(m[1:]), strings.ToUpper(m.Summary()[:1]), m.Summary()[1:])
	for _, r := range Rows() {
		if r.Model != m {
			continue
		}
		how := r.Use
		if how == "" {
			var names []string
			for _, p := range r.Parameters {
				names = append(names, fmt.Sprintf("`%s`", p.Name))
			}
			how = strings.Join(names, ", ")
		}
		text += fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", r.Name, r.Who, r.Summary, how, r.Bound)
	}
	return text + "\n"
}

func TestDocs_TheTablesAreTheCatalogue(t *testing.T) {
	const file, begin, end = "../../docs/faults.md", "<!-- catalogue: from the code -->\n", "<!-- end of the catalogue -->\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the catalogue, between %q and %q", file, begin, end)
	}
	want := "\n"
	for _, m := range tamper.Models() {
		want += table(m)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Errorf("%s is not what the code has; run\n  go test ./testnet/byzantine -run Docs -update", file)
	}
}

func TestExhaust_IsForRealLinksOnly(t *testing.T) {
	c, err := ParseChoice("exhaust,ways=trickle+streams,streams=50")
	if err != nil || !LinksOnly(c) || LinksOnly(Choice{Name: "silent"}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := ParseChoice("exhaust,ways=all+nothing"); err == nil {
		t.Error("a way that there is not was taken")
	}
}
