// Package page gives the live page the events of a testnet: of a cluster that runs, of a scenario, or of a recorded
// trace. It also performs the actions that the page asks for, with the orders of testnet/local.
//
// It decides which lines a stream has, and what each action does. It does not judge runs: testnet/play does that. It
// does not protect or draw the page: internal/page does that.
package page
