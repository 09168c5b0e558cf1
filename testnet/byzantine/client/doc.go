// Package client holds clients that misbehave on purpose. They have no clock, link or goroutine, so that the same
// clients run in the simulator and over real links.
package client
