package server

import (
	"net/netip"
	"testing"

	"minisip/rtprelay"
)

// TestPortsAddUp: how many port pairs there are is the same whenever it is looked at, also while calls come and go.
func TestPortsAddUp(t *testing.T) {
	r, err := rtprelay.New(rtprelay.Config{Low: 20200, High: 20215, Rest: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := &Server{relay: r}
	leg := rtprelay.LegConfig{Local: netip.MustParseAddr("127.0.0.1")}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for range 3000 {
			call, err := r.Open(leg, leg)
			if err != nil {
				t.Error(err)
				return
			}
			call.Close()
		}
	}()
	defer func() { <-over }()
	for {
		select {
		case <-over:
			return
		default:
		}
		if free, all := s.Ports(); all != 8 || free != 8 && free != 6 {
			t.Fatalf("%d of %d pairs are free", free, all)
		}
	}
}
