// Package guard says which datagrams are worth handling when not all can be, or should not:
// by where they come from and what they look like, before anybody has parsed them. RFC 3261
// 26.1.5 and 26.3.2.4 describe the floods and guesses that it is about; what is done against
// them is not from an RFC.
//
//	Sources  the addresses that have a binding or a call: they go first
//	Bans     who fails to authenticate or asks for users that do not exist, by source IP
//	Shares   an equal part of a queue for each source
//	Load     when the event loop lags, and when it no longer does
//	Look     what a datagram is, from a few bytes
//
// Nothing here has a clock or a socket: the time comes in. Sources and Bans are written by the
// event loop and read by the readers of the sockets, so they lock; each costs a reader one
// look-up, and none while there is neither overload nor a ban. Everything is bounded, or as large
// as the tables whose addresses it holds.
//
// What it does not do: it tells no forged source address from a true one. Whoever forges the
// address of an office can have that banned; its registered phones go on, who has not failed there, and those
// whose credentials are right.
package guard
