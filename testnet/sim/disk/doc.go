// Package disk is a file system in memory for the journal of a simulated replica. It can lose and damage data, make
// calls fail, and pretend to sync.
//
// It owns the difference between what was written and what is durable: a write is cached, a sync puts the dirty sectors
// in flight, and they are durable when the next sync begins or the owner says that the time of the sync has passed. A
// crash before that loses what was not durable, as a tail or as a hole. It knows nothing of what the files hold, and all
// chance in it comes from a source that the caller gives.
package disk
