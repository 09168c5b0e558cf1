// Package tamper is what all attackers are made with: behaviours as typed structs whose tags declare their parameters,
// copies of messages with a field changed, and frames that are no message.
//
// It knows the format of messages and nothing else: the attackers decide what they send to whom, and when.
package tamper
