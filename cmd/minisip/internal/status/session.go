package status

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// How long a session lasts: so long after it was last used, and so long in all.
const (
	sessionIdle = 12 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	maxSessions = 64
)

// sessions are those who have logged in. They are in memory only: a restart ends them. Kept
// are hashes of the tokens, so that looking one up tells nothing by the time it takes.
type sessions struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]session
}

type session struct{ begun, used time.Time }

func (s session) over(now time.Time) bool {
	return now.Sub(s.used) > sessionIdle || now.Sub(s.begun) > sessionLife
}

// begin makes a session and returns its token. The one that was longest not used makes room.
func (s *sessions) begin(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[[sha256.Size]byte]session)
	}
	if len(s.all) >= maxSessions {
		var oldest [sha256.Size]byte
		last := now.Add(time.Hour)
		for key, one := range s.all {
			if one.used.Before(last) {
				oldest, last = key, one.used
			}
		}
		delete(s.all, oldest)
	}
	token := rand.Text()
	s.all[sha256.Sum256([]byte(token))] = session{now, now}
	return token
}

// use says whether a token is of a session that lasts, and notes that it was used.
func (s *sessions) use(token string, now time.Time) bool {
	if token == "" {
		return false
	}
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.all[key]
	if !ok {
		return false
	}
	if one.over(now) {
		delete(s.all, key)
		return false
	}
	one.used = now
	s.all[key] = one
	return true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(token)))
}
