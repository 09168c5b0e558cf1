// Package explore searches the protocol exhaustively within small bounds: every order in which messages can arrive at
// the real core (pbft.Replica), every timer, every crash, the loss of everything that a replica wrote, and everything
// that one Byzantine replica of four can sign.
//
// It owns the model around the core. The network keeps all messages for ever and delivers any of them or none. The
// attacker builds every message that is possible with its own key and the statements of others. In every state these
// rules must hold: correct replicas agree (I1); over all its lives, a replica signs only one statement for each view and
// sequence number (I2, I19); a committed batch survives view changes (I17); and if the run continues without further
// faults, the pending requests are executed (V7–V9). The package does not model the core: it runs the real core, so the
// search finds mistakes in it.
//
// These files explain how the search is made finite and small: letter.go (messages with the same content are one
// letter), moves.go (votes are delivered as complete quorums), local.go (timers, and the states of one replica),
// classes.go and flat.go (moves are sorted by view) and search.go (the last view). Options.Exact searches without the
// last two reductions.
package explore
