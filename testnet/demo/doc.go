// Package demo is the demonstration: four real processes, a primary that lies, a crash of everything, and a verdict.
//
// It is a scenario like any other, demo.toml, with words of its own and three more things that must hold. What was not
// measured is not told, and what did not happen fails the verdict. A replica that somebody else kills is reported and then
// counts as a faulty one; when that is one too many, the run ends with a failed verdict within bounded time.
package demo
