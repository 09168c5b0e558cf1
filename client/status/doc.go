// Package status says how well a cluster is: what each replica reports about itself, and what the reports mean
// together. [client.Client.Status] and [client.Inquire] fetch the reports.
//
// A report is what one replica says about itself; nobody confirms it. Judge combines all reports such that f lying replicas
// can at worst make a cluster look as if it were at the edge of service. There is one exception: if two replicas name
// different states at the same checkpoint, that deserves an alarm whichever of them is at fault. Texts in reports may
// contain anything, including control characters, so a program must remove these before it prints texts on a terminal.
//
// The package owns the form of reports and their judgement. It does not fetch or print anything.
//
// [client.Client.Status]: https://pkg.go.dev/tagma/client#Client.Status
// [client.Inquire]: https://pkg.go.dev/tagma/client#Inquire
package status
