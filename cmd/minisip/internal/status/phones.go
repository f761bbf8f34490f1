package status

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// phoneCache holds what phones are searched by, for those who ask at the same time.
type phoneCache struct {
	mu   sync.Mutex
	keys []proxy.PhoneKey // sorted
	at   time.Time
}

// phonesFresh is how old a list may be; then it is let go.
const phonesFresh = time.Second

// all gives the keys of all phones, sorted. They are taken in parts, between which the loop
// goes on with its work.
func (p *phoneCache) all(ctx context.Context, a *API) ([]proxy.PhoneKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < phonesFresh {
		return p.keys, nil
	}
	var keys []proxy.PhoneKey
	for next, more := 0, true; more; more = next != 0 {
		var some []proxy.PhoneKey
		if err := a.ask(ctx, func(c *proxy.Core) { some, next = c.Phones(next) }); err != nil {
			return nil, err
		}
		keys = append(keys, some...)
	}
	slices.SortFunc(keys, func(a, b proxy.PhoneKey) int {
		return cmp.Or(cmp.Compare(a.User, b.User), a.Source.Compare(b.Source))
	})
	p.keys, p.at = keys, time.Now()
	time.AfterFunc(phonesFresh, p.forget)
	return keys, nil
}

func (p *phoneCache) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) >= phonesFresh {
		p.keys = nil
	}
}

const maxUsers = 500

// users lists registered phones.
func (a *API) users(r *http.Request) (any, error) {
	keys, err := a.phones.all(r.Context(), a)
	if err != nil {
		return nil, err
	}
	total := len(keys)
	if q := strings.ToLower(r.FormValue("q")); q != "" {
		var found []proxy.PhoneKey
		for i := range keys {
			k := &keys[i]
			if contains(k.User, q) || contains(k.Contact, q) || contains(k.Agent, q) || contains(k.Source.String(), q) {
				found = append(found, *k)
			}
		}
		keys = found
	}
	offset, limit := window(r, 50, maxUsers)
	views := []proxy.PhoneView{}
	if some := part(keys, offset, limit); len(some) > 0 {
		if err := a.ask(r.Context(), func(c *proxy.Core) { views = c.ViewPhones(time.Now(), some) }); err != nil {
			return nil, err
		}
	}
	return &Phones{total, len(keys), offset, views}, nil
}
