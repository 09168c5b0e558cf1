package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"tagma/internal/rules"
	"tagma/internal/terminal"
)

// Print writes the whole report as text. It returns the first error of the writer.
func (d *Document) Print(w io.Writer, style terminal.Style) error {
	p := &printer{style: style}
	fmt.Fprintf(&p.text, "\n%s  %s\n", style.Bold(d.Scenario), style.Dim(fmt.Sprintf("engine %s, seed %d", d.Engine, d.Seed)))
	if d.Transactions != nil {
		for _, c := range d.Clusters {
			p.cluster(c)
		}
		fmt.Fprintf(&p.text, "\n%s\n", style.Bold("all together"))
		p.transactions(d.Transactions)
	} else {
		p.work(d)
		p.faults(d)
		p.replicas(d)
	}
	p.invariants(d)
	p.text.WriteByte('\n')
	for _, e := range d.Expect {
		if e.Held {
			fmt.Fprintf(&p.text, "%s %-20s %v\n", p.mark(true), e.Key, e.Got)
		}
	}
	p.verdict(d)
	return p.tell(w)
}

// PrintVerdict writes only the verdict, and the reasons for it.
func (d *Document) PrintVerdict(w io.Writer, style terminal.Style) error {
	p := &printer{style: style}
	p.verdict(d)
	return p.tell(w)
}

// PrintLine writes the result of a scenario in one line, and what failed in further lines.
func (d *Document) PrintLine(w io.Writer, style terminal.Style) error {
	p := &printer{style: style}
	ratio := ""
	if r := d.Throughput.Ratio; d.Throughput.Apart && r != nil {
		ratio = fmt.Sprintf(", ratio %.2f", *r)
	}
	fmt.Fprintf(&p.text, "%s %-52s %s\n", p.mark(d.Verdict == Pass), d.Scenario, style.Dim(fmt.Sprintf(
		"%s operations, %s a second%s, view %d, %d faults", Thousands(d.Operations.Acknowledged),
		Thousands(int(d.Throughput.OpsPerSecond)), ratio, d.FinalView, len(d.Faults))))
	if s := d.Seeds; s != nil {
		fmt.Fprintf(&p.text, "    %d of %d seeds from %d on passed; this is seed %d\n", s.Passed, s.Runs, s.First, d.Seed)
	}
	p.missed(d, "    ")
	for _, i := range d.Invariants {
		switch {
		case i.Why != "":
			fmt.Fprintf(&p.text, "    %s: %s%s\n", i.ID, i.Why, excused(i.Excused))
		case i.Checked == 0 && !i.Idle && i.Note != "":
			fmt.Fprintf(&p.text, "    %s: nothing was checked: %s%s\n", i.ID, i.Note, excused(i.Excused))
		case i.Checked == 0 && !i.Idle:
			fmt.Fprintf(&p.text, "    %s: nothing was checked%s\n", i.ID, excused(i.Excused))
		}
	}
	if d.Verdict == Inconclusive {
		fmt.Fprintf(&p.text, "    inconclusive: %s: run it again when it is quieter\n", strings.Join(d.Excuses(), "; "))
	}
	return p.tell(w)
}

type printer struct {
	text  strings.Builder
	style terminal.Style
}

func (p *printer) tell(w io.Writer) error {
	_, err := io.WriteString(w, p.text.String())
	return err
}

func (p *printer) row(name, format string, args ...any) {
	fmt.Fprintf(&p.text, "%s %s\n", p.style.Bold(fmt.Sprintf("%-13s", name)), fmt.Sprintf(format, args...))
}

func (p *printer) work(d *Document) {
	ops, l := d.Operations, d.Latency
	p.text.WriteByte('\n')
	p.row("requests", "%s submitted, %s acknowledged, %s failed, %s unknown",
		Thousands(ops.Submitted), Thousands(ops.Acknowledged), Thousands(ops.Failed), Thousands(ops.Unknown))
	p.row("throughput", "%s", throughput(d))
	p.row("latency", "p50 %s, p95 %s, p99 %s, max %s", Millis(l.P50), Millis(l.P95), Millis(l.P99), Millis(l.Max))
	changes := "1 view change"
	if d.ViewChanges != 1 {
		changes = Thousands(d.ViewChanges) + " view changes"
	}
	p.row("views", "%s, view %d at the end", changes, d.FinalView)
	for _, e := range d.Evidence {
		how := "all verified with the public keys alone"
		if !e.Verified {
			how = p.style.Red("not all of them hold")
		}
		p.row("evidence", "replica %d: %s; %d proofs, %s", e.Replica, e.Kind, e.Proofs, how)
	}
}

func (p *printer) faults(d *Document) {
	for _, f := range d.Faults {
		switch {
		case !f.Fired:
			p.row("fault", "%s %s", f.What, p.style.Red("did not happen"))
		case f.Calm:
			p.row("event", "at %s: %s", Millis(float64(f.AtMS)), f.What)
		case f.RecoveredMS == nil:
			p.row("fault", "at %s: %s; %s", Millis(float64(f.AtMS)), f.What, p.style.Red("nothing was acknowledged since"))
		default:
			p.row("fault", "at %s: %s; clients were served again %s later", Millis(float64(f.AtMS)), f.What,
				Millis(float64(*f.RecoveredMS)))
		}
	}
}

func (p *printer) replicas(d *Document) {
	const format = "%-8s %-9s %9s %11s  %-16s  %10s %10s %10s %9s\n"
	head := fmt.Sprintf(format, "replica", "role", "executed", "checkpoint", "state digest", "journal", "peak", "written", "memory")
	p.text.WriteString("\n" + p.style.Bold(strings.TrimSuffix(head, "\n")) + "\n")
	for _, r := range d.Replicas {
		fmt.Fprintf(&p.text, format, strconv.Itoa(r.ID), r.Role, strconv.FormatUint(r.Executed, 10),
			strconv.FormatUint(r.Stable, 10), shorten(r.StateDigest), kib(r.JournalBytes), kib(r.JournalPeak),
			kib(r.JournalWritten), kib(r.ResidentBytes))
	}
}

func (p *printer) invariants(d *Document) {
	p.text.WriteByte('\n')
	for _, r := range d.Invariants {
		fmt.Fprintf(&p.text, "%s %-4s %-68s %7s checked\n", p.mark(r.Held && (r.Checked > 0 || r.Idle)), r.ID, rules.Sentence(r.ID), Thousands(r.Checked))
		if r.Why != "" {
			fmt.Fprintf(&p.text, "       %s%s\n", p.style.Red(r.Why), excused(r.Excused))
		}
		if r.Note != "" {
			fmt.Fprintf(&p.text, "       %s\n", p.style.Dim(r.Note))
		}
	}
}

// missed lists the expectations that did not hold.
func (p *printer) missed(d *Document, indent string) {
	for _, e := range d.Expect {
		if !e.Held {
			fmt.Fprintf(&p.text, "%s%s expected %s to be %v, got %v%s\n", indent, p.mark(false), e.Key, e.Want, e.Got, excused(e.Excused))
		}
	}
}

// excused marks an expectation that is not judged; the verdict says why.
func excused(why string) string {
	if why == "" {
		return ""
	}
	return " (excused)"
}

// verdict writes the verdict. A second line says what was not judged.
func (p *printer) verdict(d *Document) {
	p.text.WriteByte('\n')
	p.missed(d, "")
	excuses := strings.Join(d.Excuses(), "; ")
	switch {
	case d.Verdict == Pass && excuses != "":
		fmt.Fprintf(&p.text, "%s\n%s\n", p.style.Green("PASS: all that is judged held"), "what is excused is not judged: "+excuses)
	case d.Verdict == Pass && d.Unsafe():
		fmt.Fprintf(&p.text, "%s\n", p.style.Green("PASS: the cluster broke, as it was expected to"))
	case d.Verdict == Pass:
		fmt.Fprintf(&p.text, "%s\n", p.style.Green("PASS: the cluster masked all of it"))
	case d.Verdict == Inconclusive:
		fmt.Fprintf(&p.text, "%s\n", p.style.Red("INCONCLUSIVE: "+excuses+"; run it again when it is quieter"))
	default:
		fmt.Fprintf(&p.text, "%s\n", p.style.Red("FAIL"))
	}
}

func (p *printer) mark(good bool) string {
	if good {
		return p.style.Green("✓")
	}
	return p.style.Red("✗")
}

// throughput describes the throughput, compared with the baseline if there is one.
func throughput(d *Document) string {
	t := d.Throughput
	text := Thousands(int(t.OpsPerSecond)) + " a second over the whole run"
	switch {
	case t.Baseline > 0 && t.Apart && t.Ratio != nil:
		text += fmt.Sprintf(", %s in a run without faults: a ratio of %.2f", Thousands(int(t.Baseline)), *t.Ratio)
	case t.Baseline > 0:
		text += fmt.Sprintf(", %s before the first fault", Thousands(int(t.Baseline)))
	}
	return text
}

func shorten(digest string) string { return digest[:min(16, len(digest))] }

// Millis writes a time in milliseconds.
func Millis(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%.2f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// kib writes a size; 0 stands for a size that was not measured.
func kib(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	if bytes >= 10<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

// Thousands writes a number with commas.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
