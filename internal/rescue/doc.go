// Package rescue takes backups of a running cluster, or of the disk of a replica that is not running, verifies them with
// only the cluster file, and restores them (D8.12, D8.13).
//
// It owns what connects the backup file (checkpoint/backup), the exchange of state (checkpoint/transfer) and the
// certificate of a checkpoint. It accepts a state from any source if a quorum of the cluster signed the root and the
// entries have that root. It never writes into a home that has data, and signs nothing.
package rescue
