// Package tamper has what all attackers need: behaviours as structs whose tags declare their parameters, functions that
// copy messages and change fields, and frames that are no message.
//
// It depends only on the format of messages. The attackers decide what they send to whom, and when.
package tamper
