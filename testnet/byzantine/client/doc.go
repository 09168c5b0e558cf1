// Package client holds clients that misbehave on purpose. They have no clock, link or goroutine, so that the simulator and
// real links host the same ones.
package client
