// Package inspect reads what a replica keeps on its disk for people to look at, whether the replica runs or not: its
// journal, and its proof of misbehaviour. A copy of a home will do, and needs no key.
//
// It owns how records and evidence are described, in words and in JSON. It changes and locks nothing, and believes nothing
// that the cluster's keys do not prove.
package inspect
