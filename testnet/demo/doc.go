// Package demo is the demonstration: four real processes, a primary that lies, a crash of everything, and a verdict.
//
// It drives a local cluster and real clients through a fixed course, measures everything it tells, and judges the run by
// the invariants of package check. What was not measured is not told, and what did not happen fails the verdict. A
// replica that somebody else kills is reported and then counts as a faulty one; when that is one too many, the run ends
// with a failed verdict within bounded time.
package demo
