// Package terminal decides how output is shown: whether it goes to a terminal, its colours, bars, tables and redrawn
// lines, and the form of sizes and counts. It does not decide what is written.
package terminal
