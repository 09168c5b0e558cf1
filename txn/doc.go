// Package txn runs transactions over several clusters: each takes effect in all of them or in none, whatever happens to
// this client and to f replicas of each cluster.
//
//	east, west := txn.Join("east", eastClient), txn.Join("west", westClient)
//	done, err := txn.New(east, west).
//		Part(east, bank.Part(bank.Move{Account: "alice", Amount: 5, Group: west.ID(), Other: "bob"})).
//		Part(west, bank.Part(bank.Move{Credit: true, Account: "bob", Amount: 5, Group: east.ID(), Other: "alice"})).
//		Deadline(10 * time.Second).Run(ctx)
//
// The error is an *Aborted if nothing happened, and an *Unknown if the context ended before the decision was known;
// Resolve then finds out the decision; any client may call it. The clusters must know each other: an administrator
// registers them (`tagma group add`).
//
// The package carries out what package internal/driver decides, with one goroutine for each action under way. It does
// not judge receipts; the clusters do that. docs/commit.md has the guarantees.
package txn
