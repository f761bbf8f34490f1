package config

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrHelp is what Parse returns when the command line asks for help. The caller
// prints Usage and exits with status 0.
var ErrHelp = errors.New("config: help requested")

// Error is a setting that cannot be used. Its text is one sentence.
type Error struct {
	Where   string // "flag -rtp", "environment variable MINISIP_RTP", "minisip.conf:3: rtp"
	Problem string // what was found, what was expected, an example
	Err     error  // what lies beneath, such as fs.ErrNotExist; nil for bad text
}

func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// Unwrap returns what lies beneath the error, or nil.
func (e *Error) Unwrap() error { return e.Err }

// A mismatch is a setter's refusal: the part of the value that is wrong, and
// what should stand there instead.
type mismatch struct{ found, want string }

func (m *mismatch) Error() string { return "found " + quote(m.found) + ", expected " + m.want }

// badValue makes the Error for a setting whose setter refused its value.
func badValue(s setting, err error) *Error {
	return &Error{
		Where:   s.at.of(s.opt.name),
		Problem: fmt.Sprintf("%v, for example %s", err, s.at.example(s.opt)),
	}
}

// quote shows a value as the operator typed it, short enough for one sentence.
func quote(s string) string {
	const most = 60
	if s == "" {
		return "nothing"
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return strconv.Quote(s)
}
