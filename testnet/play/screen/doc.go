// Package screen shows a run of a scenario to people while it goes on. On a terminal it shows replicas, views,
// throughput and faults, and redraws them in place. Elsewhere it prints plain lines.
//
// It shows what the methods of play.Show receive. It measures nothing and reads no keys: the program handles Ctrl-C.
package screen
