// Package screen shows a run of a scenario to people while it goes on: on a terminal replicas, views, throughput and
// faults in place, elsewhere plain lines.
//
// It only shows what it is told by way of play.Show, measures nothing, and takes no keys: Ctrl-C is the program's matter.
package screen
