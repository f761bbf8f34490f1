package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"minisip/cmd/minisip/internal/config"
	"minisip/digest"
)

// usersVariable holds users as JSON, name -> password.
const usersVariable = "AUTH_USERS_ENV"

// loadUsers reads the users. Where there is no user file, and nobody said that there
// shall be none or gave users by the environment, two accounts are made up; keepUsers
// writes them once it is certain that somebody gets to see their passwords.
func loadUsers(cfg *config.Config) (users *digest.Users, made []digest.Account, err error) {
	if cfg.Users != "" && os.Getenv(usersVariable) == "" {
		if _, err := os.Stat(cfg.Users); errors.Is(err, fs.ErrNotExist) {
			made = []digest.Account{{Name: "001", Password: digest.RandomPassword()}, {Name: "002", Password: digest.RandomPassword()}}
		}
	}
	users, err = readUsers(cfg, made)
	return users, made, err
}

// keepUsers writes the accounts of a first run into the user file.
func keepUsers(cfg *config.Config, made []digest.Account) error {
	if len(made) == 0 {
		return nil
	}
	if err := digest.CreateUsers(cfg.Users, cfg.Realm, made); err != nil {
		return userFileTrouble("make", cfg.Users, err)
	}
	return nil
}

// userFileTrouble says what could not be done with the user file, and the way out.
func userFileTrouble(do, path string, err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return fmt.Errorf("cannot %s the user file %s (%w): put that right, or name another file with -users FILE", do, path, pe.Err)
	}
	return err // it names file and line
}

// readUsers reads the user file, or takes the accounts just made, and the environment.
// With users in the environment there need not be a file.
func readUsers(cfg *config.Config, made []digest.Account) (*digest.Users, error) {
	users, err := digest.ParseUsers("", nil, cfg.Realm)
	inEnv := os.Getenv(usersVariable)
	switch {
	case len(made) > 0:
		err = users.Add(made)
	case cfg.Users != "":
		fromFile, failed := digest.LoadUsers(cfg.Users, cfg.Realm)
		if inEnv == "" || !errors.Is(failed, fs.ErrNotExist) {
			users, err = fromFile, failed
		}
	}
	if err != nil {
		return nil, userFileTrouble("read", cfg.Users, err)
	}
	if inEnv != "" {
		if err := users.AddJSON([]byte(inEnv)); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", usersVariable, err)
		}
	}
	switch {
	case users.Len() > 0:
		return users, nil
	case cfg.Users != "":
		return nil, fmt.Errorf("there are no users in %s: add one with: minisip user add 001 -users %s", cfg.Users, cfg.Users)
	}
	return nil, fmt.Errorf("there are no users: name a file with -users FILE, or set the environment variable %s to JSON such as {\"001\":\"password\"}", usersVariable)
}

// usersNote warns of a user file that anybody on the machine can read or change: who has a hash can log in with it.
func usersNote(cfg *config.Config) []string {
	info, err := os.Stat(cfg.Users)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o007 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the mode %04o of %s lets everybody on this machine at the hashes of the passwords, which are as good as these: chmod 600 %s",
		info.Mode().Perm(), cfg.Users, cfg.Users)}
}

// usersFrom names where the users came from.
func usersFrom(cfg *config.Config) string {
	inEnv := os.Getenv(usersVariable) != ""
	_, err := os.Stat(cfg.Users)
	switch {
	case inEnv && err == nil:
		return cfg.Users + " and " + usersVariable
	case inEnv:
		return usersVariable
	}
	return cfg.Users
}
