// Package kvtext defines how the key-value machine's keys, values and transactions are written as text: in JSON, in the
// JSON lines of an export, and in the language of transactions that people write.
//
// It owns those notations and their errors. It knows no cluster and no command: it returns operations and takes results
// as bytes.
package kvtext
