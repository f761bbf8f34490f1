package status

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

const maxCalls = 200

// calls lists calls, the newest first.
func (a *API) calls(r *http.Request) (any, error) {
	state := r.FormValue("state")
	switch state {
	case "":
		state = "all"
	case "all", "live", "ended":
	default:
		return nil, badRequest("There is no state %q: expected live, ended or all.", state)
	}
	keys, err := a.callKeys(r.Context(), state)
	if err != nil {
		return nil, err
	}
	total := len(keys)
	if q := strings.ToLower(r.FormValue("q")); q != "" {
		keys = slices.DeleteFunc(keys, func(k proxy.CallKey) bool {
			return !(contains(k.From, q) || contains(k.To, q) || contains(k.FromAddr, q) || contains(k.ToAddr, q) || k.ID == q)
		})
	}
	slices.SortStableFunc(keys, func(a, b proxy.CallKey) int { return b.Begin.Compare(a.Begin) })
	offset, limit := window(r, 50, maxCalls)
	views, err := a.viewCalls(r.Context(), part(keys, offset, limit))
	if err != nil {
		return nil, err
	}
	return &Calls{total, len(keys), offset, views}, nil
}

// callKeys collects what calls are searched by, in parts. One that ends between two parts is live and past, and counts once.
func (a *API) callKeys(ctx context.Context, state string) (keys []proxy.CallKey, err error) {
	if state != "ended" {
		for i := range proxy.CallSlots {
			if err := a.ask(ctx, func(c *proxy.Core) { keys = append(keys, c.LiveCalls(i)...) }); err != nil {
				return nil, err
			}
		}
	}
	live := make(map[string]bool, len(keys))
	for i := range keys {
		live[keys[i].ID] = true
	}
	if state != "live" {
		for next, more := uint64(0), true; more; more = next != 0 {
			var some []proxy.CallKey
			if err := a.ask(ctx, func(c *proxy.Core) { some, next = c.PastCalls(next) }); err != nil {
				return nil, err
			}
			keys = append(keys, slices.DeleteFunc(some, func(k proxy.CallKey) bool { return live[k.ID] })...)
		}
	}
	return keys, nil
}

// viewAtOnce is how many calls are shown before the loop goes on with its work.
const viewAtOnce = 20

// viewCalls shows calls without their ladders. One that is gone meanwhile is left out.
func (a *API) viewCalls(ctx context.Context, keys []proxy.CallKey) ([]*proxy.CallView, error) {
	views := []*proxy.CallView{}
	for some := range slices.Chunk(keys, viewAtOnce) {
		err := a.ask(ctx, func(c *proxy.Core) {
			now := time.Now()
			for _, k := range some {
				if v := c.Call(now, k.ID, false); v != nil {
					views = append(views, v)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return views, nil
}

// call shows one call with its ladder.
func (a *API) call(r *http.Request) (any, error) {
	id := r.PathValue("id")
	var v *proxy.CallView
	if err := a.ask(r.Context(), func(c *proxy.Core) { v = c.Call(time.Now(), id, true) }); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, notFound("There is no call %s: it may be too long ago.", id)
	}
	return v, nil
}

func (a *API) hangUp(r *http.Request) (any, error) {
	id, done := r.PathValue("id"), false
	if err := a.ask(r.Context(), func(c *proxy.Core) { done = c.HangUp(time.Now(), id, "the operator") }); err != nil {
		return nil, err
	}
	if !done {
		return nil, notFound("There is no call %s that could be ended.", id)
	}
	return nil, nil
}
