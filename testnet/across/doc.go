// Package across makes transactions over several clusters and judges what became of them.
//
// It owns the workload: who registers the clusters with each other, which transactions there are, and the drivers,
// which carry them out, die after any step of them, lie, or carry out what others left. It also owns the judging:
// atomicity, locks, money and the order of transactions, from what each cluster executed. It knows neither how clusters
// are run nor what time is: a Host gives it both, so that a simulation and real processes run the same workload.
//
// It must not use what only a simulation could know in order to drive, and must judge by no driver's word.
package across
