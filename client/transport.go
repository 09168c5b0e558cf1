package client

// transport is what a session needs of the network. Frames that arrive are given to session.FromReplica.
type transport interface {
	// Send queues a frame for a replica without blocking and reports whether it was taken.
	Send(to int, frame []byte) bool
	// Open queues a frame for every replica: now, or as the first when its link comes up (again).
	Open(frame []byte)
}
