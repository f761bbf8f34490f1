// Package config turns flags, words, a configuration file and the environment
// into one Config.
//
// One table (options.go) names every option: its argument, default, help text
// and setter. The command line, the file, the environment and the text of -h
// all read that table, so that they cannot drift apart.
//
// Precedence is flag over file over environment over default. Inside one of
// these the last value given wins, and Config.Notes says so. A file holds one
// `flag value` a line, words on lines of their own, and comments after `#`. The
// environment variable of -log-days is MINISIP_LOG_DAYS; MINISIP_WORDS holds words. A variable like
// these that no flag has is no error: Strays names it.
//
// Words switch features. Without a feature word all five are on. The topmost
// source that has positive feature words names what is on, and nothing else is;
// no_WORD takes one away from whatever is on otherwise. debug is not a feature
// word: it sets the log mode alone.
//
// Every refusal is one sentence that says where the value stands, what was
// found, what was expected, and gives an example; it is an *Error.
//
// The package opens nothing and looks nothing up: no file but through the
// function it is handed, no socket, no DNS, no user file.
package config
