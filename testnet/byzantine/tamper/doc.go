// Package tamper is what all attackers are made with: behaviours as typed structs whose tags declare their parameters,
// copies of messages with a field changed, and frames that are no message.
//
// It knows the format of messages and nothing else: what is told to whom, and when, is the attackers' part.
package tamper
