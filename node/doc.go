// Package node runs replicas of an application.
//
// An application is a [statemachine.Machine]. [Main] makes a whole program of it, with the commands init, node, keys and
// status. A program that has commands of its own uses [Open] and [Node.Run]:
//
//	n, err := node.Open("demo/replica0", node.Options{
//		Machines: map[string]func() statemachine.Machine{"counter": func() statemachine.Machine { return counter{} }},
//	})
//	if err != nil {
//		return err
//	}
//	return n.Run(ctx)
//
// A cluster file names the machine that its replicas run, so all replicas of a cluster are programs that have it. Clients
// send operations as bytes and do not need the machine.
//
// The package holds nothing of its own: it names what a program outside this module may use of a replica.
package node
