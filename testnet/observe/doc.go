// Package observe looks at a cluster of real processes while it runs and after, and puts what it saw into numbers.
//
// It polls the replicas' reports, reads their journals and their evidence, hears of deaths that nobody asked for, and
// computes latencies, rates and recoveries from the acknowledgements that clients noted. It changes nothing in a cluster,
// and judges only by way of package check.
package observe
