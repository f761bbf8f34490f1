// Package control is the command line's side of a running minisip: status, users, calls,
// call, bans, ban, log, set, hangup, trace and top. It asks the API of package status over the unix
// socket in the state directory and writes aligned tables, or with -json the answer as JSON.
//
// Exit statuses: 0, it was done; 1, there is no such thing, or the server could not; 2, the
// command line says nothing sensible; 3, no server answers.
package control

// Exit statuses.
const (
	ExitOK = iota
	ExitFailed
	ExitUsage
	ExitNoServer
)
