// Package state keeps records on disk so that a process that is killed at any instant finds
// them again. A record is some bytes under a [Key]; what they mean is the caller's business.
//
// The owner of the records says with [Store.Keep] and [Store.Drop] what has changed, and with
// [Store.Flush] that what it said so far goes together. That never waits for the disk: a
// goroutine of the Store's own writes, at once, and asks the disk to have it within a second.
//
// # On disk
//
// A directory holds files called journal.1, journal.2 and so on, each of mode 0600:
//
//	"minisip state 1\n"                  what it is, and the version of this format
//	frame ...
//
//	frame: length u32 | CRC-32C u32 | mark u8 | ...    little endian; both cover what follows
//	'T' since i64 | wall i64 | boot i64 | boot id      a point in time, see below
//	'B'                                                all of it is written anew from here
//	'P' kind u8 | id u64 | record                      that is the record now
//	'D' kind u8 | id u64                               there is none any more
//	'W'                                                all of it was, since 'B'
//
// Reading takes the files in order. The last word on a key counts, and a 'W' forgets whatever
// was not written again since its 'B'. Then older files are of no use and are removed. So the
// file is log and snapshot in one: [Store.Renew] says when the owner shall write all of
// it anew, because the file has grown to more than twice of what is needed, or because
// something was lost: the disk was full, the directory gone, the owner faster than the disk.
//
// Where the disk is full, or the permissions do not let us, Open reads what it may and the Store tries
// again every second. Where a sync fails, all is written anew into another file: of this one nobody knows what the disk
// has. Beside the journals there can be one small file ([Store.Beside]), which is made again with them.
//
// A new file, the small one too, is made under another name, synced, renamed, and the directory synced. An
// old one is never appended to by another process, so a frame that was torn by a crash, or spoilt, just
// ends its file: what stands before it counts, and [Open] says that something was cut. A file that
// cannot be read at all is left alone and said.
//
// # Time
//
// Records hold times as distances from an epoch ([Store.Epoch]), not from a clock on the wall.
// The file says when it was written: by the distance from the epoch, by the clock on the
// wall and by the time since the machine was booted. The next process learns from that how long nobody
// was there: by the last where the machine was not booted since, so that a clock that was put right
// meanwhile ends nothing and prolongs nothing; else by the clock on the wall, if that was right both times: one
// that shows a year before 2020 was not.
//
// # What it does not do
//
// No transactions over several Flushes, no reading while it runs, no compression, no other
// version's files: those are left alone and said.
package state
