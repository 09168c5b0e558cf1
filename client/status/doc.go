// Package status describes the health of a cluster: what each replica reports about itself, and what follows from all
// reports together. [client.Client.Status] and [client.Inquire] fetch the reports.
//
// A report is what one replica says about itself; nobody confirms it. Judge combines all reports. If f replicas lie,
// the worst that they achieve is that a healthy cluster looks as if it would stop after one more failure. There is
// one exception: if two replicas report different states at the same checkpoint, Judge raises an alarm, because one
// of them is at fault in any case. Texts in reports may contain anything, including control characters, so a program
// must remove these before it prints texts on a terminal.
//
// The package owns the form of reports and their judgement. It does not fetch or print anything.
//
// [client.Client.Status]: https://pkg.go.dev/tagma/client#Client.Status [client.Inquire]:
// https://pkg.go.dev/tagma/client#Inquire
package status
