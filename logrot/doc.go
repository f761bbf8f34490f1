// Package logrot is a log file that never blocks whoever writes to it.
//
// A Log is an io.Writer. Write copies the bytes into a bounded queue and
// returns; one goroutine brings them to the file. Where the queue is full the
// record is lost and counted, and a line in the file, at the place of the gap,
// says how many were lost.
//
// The file is rotated at local midnight and, within a day, when it would pass a
// size. A rotated file is called after the day its records are from, and is
// compressed in the background:
//
//	sip_server.log                  today
//	sip_server.log.2026-01-31.gz    yesterday's first
//	sip_server.log.2026-01-31.1.gz  yesterday's second
//
// Each record lies whole in the file of the day it was written on, even when
// the disk was slow at midnight. Files older than the days asked for are
// removed, and the oldest of more than a thousand, so that a burst of large
// files is bounded too. After a restart the file goes on; what an interrupted
// run left uncompressed is compressed.
//
// When somebody sets the clock, the file goes on; it is of the day on which, by the clock as it is
// now, its first record was written.
//
// Trouble (no directory, no permission, a full disk) is said once on standard
// error, and its end too. Meanwhile records wait in the queue; the file is
// tried again every second. A file that was moved or deleted by somebody else
// is made anew within a second of the next record, or at once by Reopen.
//
// A path that is a terminal, a pipe or a device is written to and never rotated.
// The package does not lock the file: two programs must not write to the same
// one. A symbolic link is written through and not rotated, which is said.
package logrot
