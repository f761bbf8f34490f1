package proxy

import (
	"time"

	"minisip/session"
)

// A NOTIFY of ours can be 60 KB long, goes out eleven times where nobody answers, and takes a few hundred bytes to ask for. So
// a user has few of them under way: else he could have us send a thousand times what he sends, and keep it all.

const (
	maxNotices = 2 * maxWatching // of registrations that a user watches; each of them may change and be renewed
	oneList    = 1               // of the users who are registered
)

// notice is told what becomes of a NOTIFY, counts it off, and tells who wants to know.
type notice struct {
	core    *Core
	account string
	then    clientUser
}

// notice enters a NOTIFY into an account.
func (c *Core) notice(account string, then clientUser) notice {
	c.notices[account]++
	return notice{c, account, then}
}

func (n notice) done() {
	if n.core.notices[n.account]--; n.core.notices[n.account] == 0 {
		delete(n.core.notices, n.account)
	}
}

// responded implements clientUser.
func (n notice) responded(tx *clientTx, in *inbound) {
	if in.Status() >= 200 {
		n.done()
	}
	n.then.responded(tx, in)
}

// failed implements clientUser.
func (n notice) failed(tx *clientTx, now time.Time, act session.Action) {
	n.done()
	n.then.failed(tx, now, act)
}
