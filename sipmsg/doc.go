// Package sipmsg reads and writes SIP messages as they travel in UDP datagrams.
//
// A [Message] is parsed over the datagram as it came. Nothing is copied: header fields are
// offsets into it, in order, recognised by name and compact form. Changes are edits by byte
// range, applied when the message is appended to an output buffer, so that whatever nobody
// changed goes out byte for byte. A Message that is used again allocates nothing.
//
// What is read:
//
//   - start lines, header fields, folding, compact forms, white space: RFC 3261 7 and 25.1
//   - framing over UDP, bytes past Content-Length dropped: RFC 3261 7.5 and 18.3
//   - the fields that no message may lack (RFC 3261 8.1.1) except Max-Forwards, which
//     a proxy adds (16.6 step 3), and fields that may stand once but stand twice
//   - sip, sips and tel URIs, their comparison: RFC 3261 19.1, RFC 3966
//   - Via with received and rport: RFC 3261 20.42, RFC 3581
//   - name-addr and addr-spec: RFC 3261 20
//   - the skeleton of a response: RFC 3261 8.2.6
//
// It is strict where two readers could see two messages (start line, framing, repeated fields,
// line ends) and liberal where only one meaning is possible: lines may end in a bare LF where the
// start line does, a display name may hold a comma without quotes, white space may stand inside
// angle brackets. A bare CR is refused.
//
// What it does not do: it reads no stream transport, does not look into bodies, does not check
// the values of fields that a proxy does not act on, and does not resolve names.
package sipmsg

// Caps on what a sender can count up. What is over a cap is refused with [ErrTooMany] or
// [ErrTooLong]; real messages stay far below.
const (
	MaxDatagram = 65535 // bytes of a message
	MaxLine     = 8192  // bytes of the start line, or of a header field with its folds
	MaxName     = 255   // bytes of a header field name
	MaxHeaders  = 128   // header fields
	MaxVia      = 70    // Via values
	MaxValues   = 128   // values of any other field
	MaxParams   = 64    // parameters of a value or a URI, headers of a URI
)
