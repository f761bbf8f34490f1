// Package trail remembers what passed, for whoever asks afterwards why a call went wrong.
//
// A [Recorder] keeps the newest messages byte for byte in memory of a fixed size, and the
// [Course] of each call: who spoke to whom, when and what, in a few bytes a message, so that
// the ladder of a call outlives the text of its messages. Messages of calls and all others lie
// in rings of their own: ten thousand phones that register do not push out a call's INVITE.
//
// To note a message costs a hash of it, a copy, and no allocation but where the course of a
// call grows. The package also holds what belongs to the showing of messages: [Mask] takes
// secrets out, [Diff] says what rewriting changed. A [Track] is how loss and jitter of one
// direction went over time.
//
// It is pure: no clock, no I/O. One goroutine owns a Recorder.
package trail
