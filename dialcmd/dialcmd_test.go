package dialcmd

import (
	"fmt"
	"testing"
)

func TestLookup(t *testing.T) {
	tests := []Command{
		{985, Set, "silent", false, "silent OFF"},
		{986, Set, "silent", true, "silent ON"},
		{987, Set, "duplicate", false, "duplicate OFF"},
		{988, Set, "duplicate", true, "duplicate ON"},
		{989, Set, "debug", false, "log brief"},
		{990, Set, "debug", true, "log debug"},
		{991, Set, "re_via", false, "Via OFF"},
		{992, Set, "re_via", true, "Via ON"},
		{993, Set, "re_sdp", false, "SDP OFF"},
		{994, Set, "re_sdp", true, "SDP ON"},
		{995, Set, "re_contact", false, "Contact OFF"},
		{996, Set, "re_contact", true, "Contact ON"},
		{997, ShowCalls, "", false, "calls logged"},
		{998, NotifyUsers, "", false, "users sent"},
		{999, ShowUsers, "", false, "users logged"},
	}
	for _, want := range tests {
		got, ok := Lookup(fmt.Sprint(want.Code))
		if !ok || got != want {
			t.Errorf("Lookup(%d) = %+v, %v; want %+v", want.Code, got, ok, want)
		}
	}
}

// Of all numbers of one to four digits only 985-999 are codes.
func TestOrdinaryNumbers(t *testing.T) {
	for n := range 10000 {
		_, ok := Lookup(fmt.Sprint(n))
		if want := n >= 985 && n <= 999; ok != want {
			t.Errorf("Lookup(%d) is a command: %v, want %v", n, ok, want)
		}
	}
	for _, s := range []string{
		"", "9", "99", "0985", "9850", "00985", "+985", "985 ", " 985", "98a", "9:5", "98/", "*985", "985#",
		"٩٨٥", "９８５", "-85", "998\x00", "2985", "985;user=phone",
	} {
		if c, ok := Lookup(s); ok {
			t.Errorf("Lookup(%q) = %+v, want an ordinary number", s, c)
		}
	}
}

// Codes come in pairs: the odd one switches off, the next one on.
func TestPairs(t *testing.T) {
	for code := 985; code < 997; code += 2 {
		off, _ := Lookup(fmt.Sprint(code))
		on, _ := Lookup(fmt.Sprint(code + 1))
		if off.Word != on.Word || off.Word == "" || off.On || !on.On || off.Phrase == on.Phrase {
			t.Errorf("%d and %d are no pair: %+v, %+v", code, code+1, off, on)
		}
	}
}

func TestLookupAllocates(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Lookup("990"); Lookup("001") }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}
