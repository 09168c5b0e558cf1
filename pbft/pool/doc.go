// Package pool holds the requests that a replica knows and that were not executed yet, indexed by name, age and client
// (C3, C6, T1). It also decides how many requests a replica admits.
//
// It owns the memory that requests take and the order in which clients take turns. It must not decide what is proposed,
// relayed or answered. It is not safe for concurrent use.
package pool
