package main

import (
	"errors"
	"fmt"

	"minisip/cmd/minisip/internal/state"
)

// keptState is what outlives the process, in the state directory; without one, nothing.
type keptState struct{ *state.Store }

// openState takes the state directory for this process alone, and reads what is kept in it.
func openState(dir string, report func(string)) (*keptState, error) {
	if dir == "" {
		return &keptState{}, nil
	}
	store, err := state.Open(dir, report)
	if err != nil {
		return nil, noState(dir, err)
	}
	return &keptState{store}, nil
}

// noState says why there can be no state in a directory, and the way out.
func noState(dir string, err error) error {
	if used := (*state.InUse)(nil); errors.As(err, &used) {
		return fmt.Errorf("the state directory %w: stop that, or give each minisip a directory of its own with -state DIR", err)
	}
	return fmt.Errorf("cannot keep state in %s (%w): choose another directory with -state DIR, or none with -state \"\"", dir, err)
}

// close writes what is left, once, and lets the next minisip have the directory.
func (k *keptState) close() {
	if k.Store != nil {
		k.Store.Close()
		k.Store = nil
	}
}
