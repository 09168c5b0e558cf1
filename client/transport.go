package client

// transport is what a session needs of the network. Frames that arrive are given to session.FromReplica.
type transport interface {
	// Send queues a frame for a replica without blocking and reports whether it was taken.
	Send(to int, frame []byte) bool
}
