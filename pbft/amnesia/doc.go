// Package amnesia is what stands in the place of a replica that may have forgotten what it signed (D8.6).
//
// It owns the question to the others, and what follows from their answers: above which sequence number and from which view
// on a vote contradicts nothing. It must not vote, follow or write.
package amnesia
