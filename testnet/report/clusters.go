package report

import (
	"fmt"
	"strings"

	"tagma/testnet/check"
)

// transactions writes what became of the transactions over several clusters.
func (p *printer) transactions(t *Transactions) {
	p.text.WriteByte('\n')
	p.row("transactions", "%s made, %s committed, %s aborted", Thousands(t.Made), Thousands(t.Committed), Thousands(t.Aborted))
	p.row("drivers", "%s died in the middle of one, %s lied", Thousands(t.Died), Thousands(t.Lied))
	p.row("left over", "%d open transactions, %d locks", t.Open, t.Locks)
	if len(t.Sums) == 0 {
		return
	}
	var sums []string
	all := uint64(0)
	for _, s := range t.Sums {
		sums = append(sums, fmt.Sprintf("%s %s", s.Cluster, Thousands(int(s.Money))))
		all += s.Money
	}
	p.row("money", "%s minted; %s: together %s", Thousands(int(t.Minted)), strings.Join(sums, ", "), Thousands(int(all)))
}

// cluster writes the report of one of several clusters.
func (p *printer) cluster(d *Document) {
	fmt.Fprintf(&p.text, "\n%s\n", p.style.Bold(d.Cluster))
	p.work(d)
	p.faults(d)
	p.replicas(d)
	held, facts := 0, 0
	var broken []check.Result
	for _, r := range d.Invariants {
		if facts += r.Checked; r.Held && (r.Checked > 0 || r.Idle) {
			held++
		} else {
			broken = append(broken, r)
		}
	}
	fmt.Fprintf(&p.text, "\n%s %d invariants of one cluster held, %s facts were checked\n", p.mark(len(broken) == 0), held, Thousands(facts))
	for _, r := range broken {
		fmt.Fprintf(&p.text, "%s %s: %s%s\n", p.mark(false), r.ID, r.Why, excused(r.Excused))
	}
	p.missed(d, "")
}
