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
// A cluster file names the machine that its replicas run, so every replica of a cluster must be run by a program that
// has this machine. Clients send operations as bytes and do not need the machine.
//
// The package decides nothing itself: it makes the parts of a replica that other modules may use available to them.
package node
