package report

import (
	"fmt"
	"strings"

	"tagma/testnet/check"
)

func (p *printer) invariants(d *Document) {
	p.text.WriteByte('\n')
	for _, r := range d.Invariants {
		fmt.Fprintf(&p.text, "%s %-4s %-68s %7s checked\n", p.mark(r.Held && (r.Checked > 0 || r.Idle)), r.ID, check.Doc(r.ID), Thousands(r.Checked))
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
