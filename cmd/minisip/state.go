package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/control"
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

// nonceKey is the key that signs nonces: kept with the state, so that a nonce
// from before a restart is known as ours and its phone told that it is stale, not wrong.
func nonceKey(kept *keptState) []byte {
	key := make([]byte, 32)
	rand.Read(key)
	if kept.Store == nil {
		return key
	}
	return kept.Beside("nonce.key", key)
}

// stateNote warns of a state directory that anybody on the machine can write in: what he puts there, the next start believes.
func stateNote(cfg *config.Config) []string {
	info, err := os.Stat(cfg.State)
	if err != nil || info.Mode()&0o002 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the mode %04o of %s lets everybody on this machine put registrations and calls there, and take the place of %s: chmod 700 %s",
		info.Mode().Perm(), cfg.State, control.SocketName, cfg.State)}
}
