// Package page serves the page that shows a cluster as it works: its assets, which are embedded, and what they ask for.
//
// It owns the handler with its guards (the token, the Host header, the content policy), the stream of events with its
// bounds, and what is kept of a stream so that a page that comes later sees the last minutes. The program that uses the
// package says where events come from and what acts do: a node shows its own events and allows no acts, the testnet
// shows the events of a whole cluster. docs/page.md describes the page. The package must not decide anything about a
// cluster, and must never make a replica wait.
package page
