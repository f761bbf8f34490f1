package status

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/trail"
)

// Summary is a message in a list.
type Summary struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Received bool      `json:"received"`
	Label    string    `json:"label"`
	Size     int       `json:"size"`
	Call     string    `json:"call"` // "": it belongs to none
	Again    bool      `json:"again"`
}

func summary(m *trail.Kept, call string) Summary {
	from, to := m.Local, m.Peer
	if m.Received {
		from, to = to, from
	}
	return Summary{
		ID: strconv.FormatUint(uint64(m.ID), 10), Time: m.At, From: from.String(), To: to.String(), Received: m.Received,
		Label: proxy.LabelOf(&m.Message), Size: m.Size, Call: call, Again: m.Again,
	}
}

// Message is one message whole.
type Message struct {
	Summary
	Text    string   `json:"text"`
	Before  *string  `json:"before"` // as it came, where it was forwarded and that is still kept
	Changes []Change `json:"changes,omitempty"`
}

// Change is a line of a message beside what it was made of.
type Change struct {
	Op   string `json:"op"` // " ": in both; "-": only before; "+": only after
	Line string `json:"line"`
}

// message shows a message, secrets masked.
func (a *API) message(r *http.Request) (any, error) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, badRequest("%q is no number of a message.", r.PathValue("id"))
	}
	var m, before *trail.Kept
	call := ""
	if err := a.ask(r.Context(), func(c *proxy.Core) {
		if m, before = c.Message(trail.ID(id)); m != nil {
			call = c.CallOf(m.Key)
		}
	}); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, notFound("Message %d is no longer kept: newer ones took its place.", id)
	}
	text := trail.Mask(m.Text)
	v := &Message{Summary: summary(m, call), Text: string(text)}
	if before != nil {
		was := trail.Mask(before.Text)
		s := string(was)
		v.Before = &s
		for _, l := range trail.Diff(was, text) {
			v.Changes = append(v.Changes, Change{string(l.Op), string(l.Text)})
		}
	}
	return v, nil
}

const maxMessages = 500

// userMessages lists the messages of a user, the newest last.
func (a *API) userMessages(r *http.Request) (any, error) {
	_, limit := window(r, 100, maxMessages)
	list, err := a.messagesOf(r.Context(), r.PathValue("user"), limit)
	if err != nil {
		return nil, err
	}
	return map[string]any{"messages": list}, nil
}

func (a *API) messagesOf(ctx context.Context, user string, limit int) ([]Summary, error) {
	list := []Summary{}
	for ring := range trail.Rings {
		var next uint64
		for found := 0; found < limit; {
			err := a.ask(ctx, func(c *proxy.Core) {
				var some []*trail.Kept
				some, next = c.MessagesOf(user, ring, next)
				for _, m := range some {
					list = append(list, summary(m, c.CallOf(m.Key)))
				}
				found += len(some)
			})
			if err != nil {
				return nil, err
			}
			if next == 0 {
				break
			}
		}
	}
	slices.Reverse(list) // of one instant, the order in which they came
	slices.SortStableFunc(list, func(a, b Summary) int { return a.Time.Compare(b.Time) })
	return list[max(0, len(list)-limit):], nil
}
