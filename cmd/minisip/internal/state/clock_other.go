//go:build !linux

package state

// Elsewhere the clock on the wall has to do.
func bootID() string   { return "" }
func sinceBoot() int64 { return 0 }
