// Package tell puts reports into words: for people, in plain text or with colour. It judges nothing and measures nothing.
package tell
