package proxy

import (
	"strconv"

	"minisip/sipmsg"
)

// Refuse says whether new calls are refused, because not even what is in progress is handled in time.
func (c *Core) Refuse(newCalls bool) { c.refusing = newCalls }

// Refused counts the calls that were.
func (c *Core) Refused() uint64 { return c.refused }

// shed refuses a new call while the event loop lags: without state and before anything is looked up, so
// that it costs less than to take it. Retry-After (RFC 3261 20.33) is spread, lest they all come back at once.
func (c *Core) shed(in *inbound) bool {
	if !c.refusing || in.Method() != sipmsg.INVITE || in.inside() {
		return false
	}
	c.refused++
	c.drop(Overload)
	c.refuseWith(in, 503, "", "Retry-After: "+strconv.Itoa(5+int(c.rnd.Uint64()%10))+"\r\n")
	return true
}
