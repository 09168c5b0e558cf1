// Command peers loads a Tagma cluster and an etcd cluster with the same generator, in turns, and prints how they compare.
//
// Both run as processes on this machine: four replicas of Tagma, three members of etcd (its own server, embedded, with
// fsync on), and both stay up for the whole comparison. Each row is a load; a pair is one run on each, one right after the
// other and in turns as to which comes first, and what is told of a row is the median of its pairs' ratios with their
// range: on a machine that does other things too, single figures say little. Every replica of Tagma signs and verifies,
// and masks a liar; etcd masks a crash.
package main
