// Package status says how well a cluster is: what its replicas report of themselves, and what that means together. The
// reports come from [client.Client.Status] or [client.Inquire].
//
// A report is its replica's own account, which nobody vouches for. Judge draws from all of them what f replicas that lie
// cannot make worse than the edge of service, but for one thing: replicas that name different states at one checkpoint are
// worth an alarm whoever is at fault. Texts in reports may hold anything, control characters too: a program that prints
// them on a terminal removes those first.
//
// The package owns the form of reports and their judgement. It asks nobody and prints nothing.
//
// [client.Client.Status]: https://pkg.go.dev/tagma/client#Client.Status
// [client.Inquire]: https://pkg.go.dev/tagma/client#Inquire
package status
