// Package terminal says how output is written: whether it goes to a terminal, its colours, bars, tables and the line that is
// drawn again, and how sizes and counts are shown. It decides nothing about what is written.
package terminal
