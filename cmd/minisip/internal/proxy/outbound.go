package proxy

import (
	"bytes"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/sipmsg"
)

// The two refusals of a REGISTER that are not RFC 3261's.
var (
	errFirstHop = &location.Error{Status: 439, Reason: "First Hop Lacks Outbound Support"}
	errGRUU     = &location.Error{Status: 403, Reason: "Contact Is A GRUU"}
)

// admit is what RFC 5626 6 and RFC 5627 5.1 want of a registrar before it touches a binding.
// outbound says that the 200 tells the phone that its flows are kept.
func (c *Core) admit(in *inbound, u *location.Update) (outbound bool, err error) {
	flow := false
	for i := range u.Contacts {
		contact := &u.Contacts[i]
		flow = flow || contact.RegID != 0 && contact.Instance != ""
		if (strings.Contains(contact.URI, ";g") || strings.Contains(contact.URI, ";G")) && c.isGRUU(in, contact.URI) {
			return false, errGRUU // it would lead to itself
		}
	}
	if !flow {
		return false, nil
	}
	asked := in.supports("outbound")
	if flowKept(in, u.Path) {
		return asked, nil
	}
	// Through a first hop that keeps no flows there is no outbound: who asked for it gets
	// 439, and with anybody else the reg-id counts for nothing.
	if asked {
		return false, errFirstHop
	}
	for i := range u.Contacts {
		u.Contacts[i].RegID = 0
	}
	return false, nil
}

// flowKept says whether the phone's own flow ends here, or at a proxy that keeps flows.
func flowKept(in *inbound, path []string) bool {
	if !hasTwoVias(in.Message) {
		return true
	}
	if len(path) == 0 {
		return false
	}
	// The first URI is that of the proxy next to the phone: RFC 3327 puts each on top of the last.
	_, uri, ok := readURI([]byte(path[len(path)-1]))
	_, ob := uri.Param("ob")
	return ok && ob
}

// supports says whether a request names an option tag in Supported or Require.
func (in *inbound) supports(tag string) bool {
	return lists(in.Message, sipmsg.SupportedHdr, tag) || lists(in.Message, sipmsg.RequireHdr, tag)
}

// lists says whether an option tag stands in a field that lists such.
func lists(m *sipmsg.Message, id sipmsg.ID, tag string) bool {
	for it := m.Values(id); it.Next(); {
		if bytes.EqualFold(it.Value().Bytes, []byte(tag)) {
			return true
		}
	}
	return false
}

// oneFlow makes one target of all ways to one phone, the best first. RFC 5626 7: "The proxy
// MUST NOT populate the target set with more than one contact with the same AOR and
// instance-id at a time."
func oneFlow(targets []target) []target {
	kept := targets[:0]
next:
	for _, t := range targets {
		for i := range kept {
			if k := &kept[i]; t.instance != "" && location.SameInstance(k.instance, t.instance) {
				k.flows = append(k.flows, t)
				continue next
			}
		}
		kept = append(kept, t)
	}
	return kept
}

// flowFailed says whether a final status, 408 if there was none, is about the way to a phone
// and not the phone. What is no INVITE has run out of time by its 408 (RFC 4320 4.2).
func (b *branch) flowFailed(status int) bool {
	return status == 430 || status == 408 && b.ctx.invite
}

// nextFlow replaces a branch whose flow has failed by one on another flow of the same phone:
// RFC 5626 7. It reports false where there is none.
func (b *branch) nextFlow(now time.Time, status int) bool {
	ctx := b.ctx
	flows := b.target.flows
	if len(flows) == 0 || ctx.done || ctx.cancelled || b.wantsStop {
		return false
	}
	b.status = status
	b.dropMedia()
	for len(flows) > 0 {
		next := ctx.newBranch(flows[0], b.breadth)
		flows = flows[1:]
		next.target.flows = flows
		if next.status = next.forward(now); next.status == 0 {
			return true
		}
		ctx.ownStatus = next.status
	}
	return false
}
