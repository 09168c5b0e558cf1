// Package page gives the live page what it shows of a testnet: a cluster that runs, a scenario, or a trace of either; and
// it does what the page asks for, with the orders that testnet/local has.
//
// It owns where the lines of a stream come from and what an act means. It must not judge a run, nor know how a page is
// guarded or drawn: that is what testnet/play and internal/page do.
package page
