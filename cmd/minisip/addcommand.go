package main

import (
	"path/filepath"
	"strings"
	"unicode"

	"minisip/cmd/minisip/internal/config"
)

// addCommand gives what the log offers where a user is unknown: the command that adds
// him, as it can be pasted into a shell anywhere on this machine; nil without a user file.
// The command is empty for a name that no user file can hold.
func addCommand(cfg *config.Config) func(name string) string {
	if cfg.Users == "" {
		return nil
	}
	path, err := filepath.Abs(cfg.Users)
	if err != nil {
		path = cfg.Users
	}
	command := "minisip user add -users " + shellWord(path)
	if cfg.Given("realm") {
		command += " -realm " + shellWord(cfg.Realm)
	}
	return func(name string) string {
		if strings.ContainsFunc(name, func(r rune) bool { return r == ':' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
			return ""
		}
		if strings.HasPrefix(name, "-") {
			return command + " -- " + shellWord(name)
		}
		return command + " " + shellWord(name)
	}
}

// shellWord quotes what a shell would not take as it stands: a stranger chose it.
func shellWord(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
