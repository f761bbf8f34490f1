package location

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

// What AppendGRUU writes is a URI whose parameter leads back to the instance, whatever its name.
func TestGRUU(t *testing.T) {
	for _, tt := range []struct{ instance, want string }{
		{"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>", "sip:001@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		{"<urn:x;a=b?c@d,e%41>", "sip:001@example.com;gr=urn:x%3Ba%3Db%3Fc%40d%2Ce%2541"},
		{"<azAZ09[]/:&+$-_.!~*'()>", "sip:001@example.com;gr=azAZ09[]/:&+$-_.!~*'()"},
		{"<`{@^>", "sip:001@example.com;gr=%60%7B%40%5E"},
		{"no-brackets", "sip:001@example.com;gr=no-brackets"},
	} {
		gruu := AppendGRUU(nil, "sip:001@example.com", tt.instance)
		if string(gruu) != tt.want {
			t.Errorf("%s: %s, want %s", tt.instance, gruu, tt.want)
		}
		uri, err := sipmsg.ParseURI(gruu)
		if err != nil {
			t.Fatal(err)
		}
		gr, _ := uri.Param("gr")
		table := New(Limits{})
		for i, instance := range []string{tt.instance, "<urn:uuid:other>", ""} {
			u := parseStep("001", fmt.Sprintf("call%d 1 %d | sip:001@10.0.0.%d", i, i+1, i+1))
			u.Contacts[0].Instance = instance
			if _, err := table.Register(epoch, u); err != nil {
				t.Fatal(err)
			}
		}
		for _, spelling := range []string{string(gr), strings.ToUpper(string(gr))} {
			found := table.Instance(epoch, "001", []byte(spelling))
			if len(found) != 1 || found[0].Instance() != tt.instance {
				t.Errorf("%s: found %v", spelling, found)
			}
		}
		for _, other := range []string{"", "urn:uuid:none"} {
			if found := table.Instance(epoch, "001", []byte(other)); len(found) > 0 {
				t.Errorf("gr=%s: found %v", other, found)
			}
		}
		if found := table.Instance(epoch, "002", gr); len(found) > 0 {
			t.Errorf("another user's: found %v", found)
		}
		if found := table.Instance(epoch.Add(2*time.Hour), "001", gr); len(found) > 0 {
			t.Errorf("run out, and found: %v", found)
		}
	}
}
