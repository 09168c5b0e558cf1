package kv

import "tagma/statemachine"

// The versions of the state. A cluster that was made before the machine had versions is at version 1.
const (
	firstVersion  = 1
	versionLog    = 2 // the history is a log by revision, and an empty store is at revision 1
	newestVersion = 2

	versionLease = 2 // there are leases
	crossVersion = 2 // takes part in transactions over several clusters
)

// Versions implements statemachine.Versioned.
func (Machine) Versions() (oldest, newest int) { return firstVersion, newestVersion }

// MayUpgrade implements statemachine.Versioned: administrators may upgrade the state.
func (Machine) MayUpgrade(r statemachine.Reader, client [32]byte, _ int) bool {
	return r.Administrator(client)
}

// Migrate implements statemachine.Versioned.
func (m Machine) Migrate(tx statemachine.Txn, from int) {
	if from < versionLog {
		m.migrateHistory(tx)
	}
}
