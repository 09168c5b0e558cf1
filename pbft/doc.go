// Package pbft is the protocol: a pure state machine that turns events into effects.
package pbft
