//go:build !race

package store

const underRaceDetector = false
