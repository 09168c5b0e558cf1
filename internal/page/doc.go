// Package page serves the page that shows a cluster as it works: its assets, which are embedded, and what they ask for.
//
// It owns the handler with its guards (the token, the Host header, the content policy), the stream of events with its
// bounds, and what is kept of a stream so that a page that comes later sees the last minutes. Where events come from, and
// what acts do, is told by whoever serves: a node its own events, read-only, the testnet those of a cluster. docs/page.md
// describes it. The package must not decide anything about a cluster, and must never make a replica wait.
package page
