package proxy

// A datagram can be 64 KB long, and one that goes to ten phones is kept eleven times, so a table that has room for
// ordinary transactions would take gigabytes of long ones, at less than a phone's own uplink can send. So a
// transaction counts once more for each ordinaryDatagram that it keeps: among all, and in its user's account.

const (
	ordinaryDatagram = 2 << 10 // what is shorter, as nearly all are, weighs nothing more
	ordinaryAnswer   = 256     // what the table of answers has room for, on the average
)

func weightOf(datagram []byte) int { return len(datagram) / ordinaryDatagram }

// weigh notes that a user's transactions keep so much more, or less; "" is nobody's.
func (c *Core) weigh(owner string, weight int) {
	if weight == 0 {
		return
	}
	c.weight += weight
	if owner != "" {
		c.usageOf(owner).open += weight
		c.dropUsage(owner)
	}
}

func (tx *serverTx) weigh(weight int) {
	tx.weight += weight
	tx.core.weigh(tx.owner, weight)
}

func (tx *clientTx) weigh(weight int) {
	tx.weight += weight
	owner := ""
	if b, ok := tx.user.(*branch); ok {
		owner = b.ctx.tx.owner
	}
	tx.core.weigh(owner, weight)
}
