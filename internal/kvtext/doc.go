// Package kvtext says how the key-value machine's keys, values and transactions stand in texts: in JSON, in the JSON lines
// of an export, and in the language of transactions that people write.
//
// It owns those notations and their errors. It knows no cluster and no command: operations go out, and results come in, as
// bytes.
package kvtext
