// Package port is how a core looks from outside, whether the core is a replica, an amnesiac or an attacker: events go in
// and effects come out. There is a reason for each input that is ignored, and an inspection shows the state.
//
// It owns these types. It must not know how a core works.
package port
