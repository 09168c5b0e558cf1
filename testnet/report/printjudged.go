package report

import (
	"fmt"
	"strings"
)

// meanings says what the invariants are.
var meanings = map[string]string{
	"I1":  "one batch for each sequence number, on every correct replica",
	"I2":  "no correct replica's votes contradict each other, across its crash",
	"I3":  "every request was executed once, however often it was sent",
	"I4":  "reads and writes have one order that explains what clients saw",
	"I5":  "equal states at equal checkpoints",
	"I6":  "watermarks only rise, and pre-prepares lie between them",
	"I7":  "views only rise, across its crash",
	"I8":  "no sequence number was left out",
	"I9":  "every acknowledged write survived",
	"I10": "what was believed had valid signatures",
	"I11": "every certificate counts a quorum of distinct replicas",
	"I12": "clients accepted what was executed, vouched for by f+1 replicas",
	"I13": "what was transferred was certified",
	"I14": "what a replica holds is bounded",
	"I15": "after the last fault it committed, caught up and came to rest",
	"I16": "every executed request was signed by its client",
	"I17": "no new view dropped what had committed",
	"I18": "the run was real: enough work, and every fault happened",
	"I19": "a replica that forgot its votes kept silent, and contradicted none",
	"D0":  "nothing left or was executed before it was durable",
	"D1":  "a prepare rests on a durable pre-prepare and its batch",
	"D2":  "a commit rests on a durable prepared certificate",
	"D4":  "votes in a view rest on its durable new view",
	"D5":  "a checkpoint rests on a durable state",
	"E1":  "evidence holds, and names no correct replica",
}

func (p *printer) invariants(d *Document) {
	p.text.WriteByte('\n')
	for _, r := range d.Invariants {
		fmt.Fprintf(&p.text, "%s %-4s %-68s %7s checked\n", p.mark(r.Held && (r.Checked > 0 || r.Idle)), r.ID, meanings[r.ID], Thousands(r.Checked))
		if r.Why != "" {
			fmt.Fprintf(&p.text, "       %s\n", p.style.Red(r.Why))
		}
		if r.Note != "" {
			fmt.Fprintf(&p.text, "       %s\n", p.style.Dim(r.Note))
		}
	}
}

// missed tells what did not hold of that was expected.
func (p *printer) missed(d *Document, indent string) {
	for _, e := range d.Expect {
		if !e.Held {
			excused := ""
			if e.Excused != "" {
				excused = " (excused)"
			}
			fmt.Fprintf(&p.text, "%s%s expected %s to be %v, got %v%s\n", indent, p.mark(false), e.Key, e.Want, e.Got, excused)
		}
	}
}

// verdict tells the verdict, and in a line of its own what was not judged.
func (p *printer) verdict(d *Document) {
	p.text.WriteByte('\n')
	p.missed(d, "")
	excuses := strings.Join(d.Excuses(), "; ")
	switch {
	case d.Verdict == Pass && excuses != "":
		fmt.Fprintf(&p.text, "%s\n%s\n", p.style.Green("PASS: all that is judged held"), "what is excused is not judged: "+excuses)
	case d.Verdict == Pass:
		fmt.Fprintf(&p.text, "%s\n", p.style.Green("PASS: the cluster masked all of it"))
	case d.Verdict == Inconclusive:
		fmt.Fprintf(&p.text, "%s\n", p.style.Red("INCONCLUSIVE: "+excuses+"; run it again when it is quieter"))
	default:
		fmt.Fprintf(&p.text, "%s\n", p.style.Red("FAIL"))
	}
}
