// Package play is what all engines have in common that run scenarios: how they are called, and what they show meanwhile.
//
// An Engine takes a scenario as plain values and gives a report. The simulator is one, real processes are another. The
// package runs nothing and judges nothing itself, and knows no engine.
package play
