package logrot

import (
	"testing"
	"time"
	_ "time/tzdata" // machines without zones test them too
)

// TestNextMidnight: it is always ahead and the first instant of the next day, also where there is no midnight since clocks are
// put forward at it, and where 23:00 comes twice.
func TestNextMidnight(t *testing.T) {
	for _, tc := range []struct{ zone, at, want string }{
		{"UTC", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"},
		{"UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"Asia/Tokyo", "2026-12-31T23:59:59+09:00", "2027-01-01T00:00:00+09:00"},
		{"Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		{"America/Santiago", "2024-09-07T12:00:00-04:00", "2024-09-08T01:00:00-03:00"},
		{"America/Santiago", "2024-09-07T23:30:00-04:00", "2024-09-08T01:00:00-03:00"},
		{"America/Santiago", "2024-04-06T23:30:00-03:00", "2024-04-07T00:00:00-04:00"},
		{"America/Havana", "2024-03-09T23:00:00-05:00", "2024-03-10T01:00:00-04:00"},
		{"Africa/Cairo", "2024-04-25T23:00:00+02:00", "2024-04-26T01:00:00+03:00"},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, tc.at)
		got := nextMidnight(at.In(zone))
		if got.Format(time.RFC3339) != tc.want {
			t.Errorf("%s, after %s: %s, want %s", tc.zone, tc.at, got.Format(time.RFC3339), tc.want)
		}
	}
}
