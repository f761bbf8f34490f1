package proxy

import "testing"

// The flows of one phone are one target, also where the phone writes its instance in another case.
func TestOneFlow(t *testing.T) {
	got := oneFlow([]target{
		{uri: "sip:a1", instance: "<urn:uuid:0a>"}, {uri: "sip:b", instance: "<urn:uuid:0b>"},
		{uri: "sip:a2", instance: "<urn:uuid:0A>"}, {uri: "sip:c"}, {uri: "sip:d"},
	})
	want := []string{"sip:a1", "sip:b", "sip:c", "sip:d"}
	if len(got) != len(want) {
		t.Fatalf("%d targets, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].uri != want[i] {
			t.Errorf("target %d is %s, want %s", i, got[i].uri, want[i])
		}
	}
	if flows := got[0].flows; len(flows) != 1 || flows[0].uri != "sip:a2" {
		t.Errorf("the other flow of %s: %v", got[0].uri, flows)
	}
}
