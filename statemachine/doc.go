// Package statemachine holds the replicated state.
package statemachine
