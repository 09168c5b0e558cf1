// Package explore searches the protocol exhaustively within small bounds: every order in which messages can arrive at the
// real core (pbft.Replica), every timer, every crash, the loss of everything that a replica wrote, and everything that one
// Byzantine replica of four can sign.
//
// It owns the model around the core: a network that keeps all messages for ever and delivers any of them or none, an
// attacker that builds all that its own key and others' statements allow, and what must hold in every state: agreement
// (I1), one statement for a place over all lives of a replica (I2, I19), what committed survives view changes (I17), and a
// fair continuation that commits what is pending (V7–V9). It must not model the core: the core itself says what a replica
// does, so the search finds the core's mistakes.
//
// These files explain how the search is made finite and small: letter.go (what messages say), moves.go (votes delivered by
// whole quorums), local.go (timers, and the states of one replica), classes.go and flat.go (runs sorted by view) and
// search.go (the last view). Options.Exact searches without the last two reductions.
package explore
