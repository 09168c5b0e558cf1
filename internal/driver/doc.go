// Package driver makes the decisions of a client that drives a transaction over several clusters (package commit): what
// to send to which group next. It has no goroutine, clock, socket or lock, so the simulator runs the same driver as a
// program.
//
// A host calls Begin once, carries out the actions that every method returns, and reports how each one ended, with
// Executed or Attested. It calls Tick when the time that Wake names has come. No group ever has more than one action
// under way. The host may stop at any moment, as if the driver had crashed. Then another driver can complete the
// transaction (TX10).
//
//	d := driver.New(driver.Config{Transaction: t, Groups: groups, Random: rng})
//	actions := d.Begin(now)
//	for !d.Ended() {
//		// carry out actions; when one has ended, or at d.Wake():
//		actions = d.Executed(now, group, result, err) // or d.Attested(…), or d.Tick(now)
//	}
//	outcome := d.Outcome()
//
// The package must not decide anything about the transaction: it reports the decision that the coordinator recorded.
package driver
