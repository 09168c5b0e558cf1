// Command peers loads a Tagma cluster and an etcd cluster with the same generator, in turns, and prints how they compare.
//
// Both run as processes on this machine for the whole comparison: four replicas of Tagma, and three members of etcd (etcd's
// own server, embedded, with fsync on). Each row is a load. A pair is one run on each system, one right after the other; the
// systems take turns at going first. A row shows the median and the range of its pairs' ratios, because single figures say
// little on a machine that does other things too. Tagma signs and verifies, and masks a malicious replica; etcd masks only
// a crash.
package main
