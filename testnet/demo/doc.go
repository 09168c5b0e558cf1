// Package demo is the demonstration: four real processes, a primary that lies, a crash of all replicas, and a verdict.
//
// It is a scenario like any other, demo.toml, with texts of its own and three more expectations. It reports only what
// was measured, and fails if something did not happen. A replica that somebody else kills is reported and then counts as
// a faulty one; if more than f are faulty, the run ends with a failed verdict within bounded time.
package demo
