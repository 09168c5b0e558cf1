// Package amnesia is what stands in the place of a replica that may have forgotten what it signed (D8.6).
//
// It owns the question to the others and what their answers amount to: from where on nothing can be contradicted. It must
// not vote, follow or write.
package amnesia
