// Package screen shows a run of a scenario to people while it goes on: on a terminal replicas, views, throughput and
// faults in place, elsewhere plain lines.
//
// It shows what the methods of play.Show receive, measures nothing, and reads no keys: the program handles Ctrl-C.
package screen
