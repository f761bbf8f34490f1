package sipmsg

import (
	"errors"
	"strconv"
)

// The reasons for which a parse fails. A [ParseError] unwraps to one of them.
var (
	ErrNotSIP    = errors.New("not SIP")                              // no SIP start line at all; answer nothing
	ErrVersion   = errors.New("SIP version not supported")            // a start line of another SIP version: 505
	ErrMalformed = errors.New("malformed")                            // breaks the grammar
	ErrMissing   = errors.New("missing")                              // a field no message may lack
	ErrRepeated  = errors.New("given more than once")                 // a field that may stand once
	ErrTruncated = errors.New("ends too early")                       // no empty line, or a body shorter than Content-Length
	ErrTooMany   = errors.New("too many")                             // over one of the caps on counts
	ErrTooLong   = errors.New("too long")                             // over one of the caps on lengths
	ErrMethod    = errors.New("method differs from the request line") // CSeq
)

// ParseError says what could not be read, where, and why.
type ParseError struct {
	Field  string // "request line", "Via", "URI" ...
	Offset int    // into what was given to the parse function
	Err    error  // one of the sentinels of this package
}

func (e *ParseError) Error() string {
	return "sipmsg: " + e.Field + " at offset " + strconv.Itoa(e.Offset) + ": " + e.Err.Error()
}

func (e *ParseError) Unwrap() error { return e.Err }
