// Package rescue takes backups of a running cluster, or of a disk at rest, verifies them with the cluster file alone, and
// puts them back (D8.12, D8.13).
//
// It owns what joins the file (checkpoint/backup), the exchange of state (checkpoint/transfer) and the certificate of a
// checkpoint: a state is believed when a quorum of the cluster signed its root and its entries have that root, whoever they
// came from. It never writes into a home that holds anything, and signs nothing.
package rescue
