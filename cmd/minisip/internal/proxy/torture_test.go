package proxy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The messages of RFC 4475, and what the core answers to each from somebody that it does not know.
// What is sound is challenged, as anything is; "" is no answer.
var torture = map[string]string{
	// 3.1.1: valid.
	"wsinv":      "407",
	"intmeth":    "407",
	"esc01":      "407",
	"escnull":    "401",
	"esc02":      "407", // "RE%47IST%45R" is another method than REGISTER
	"lwsdisp":    "407",
	"longreq":    "407",
	"dblreq":     "401", // once: what lies past Content-Length is not there
	"semiuri":    "407",
	"transports": "407",
	"mpart01":    "407",
	"unreason":   "", // responses that belong to nothing
	"noreason":   "",

	// 3.1.2: invalid.
	"badinv01":   "400",
	"clerr":      "400",
	"ncl":        "400",
	"scalar02":   "400",
	"scalarlg":   "", // a response: dropped
	"quotbal":    "400",
	"ltgtruri":   "400",
	"lwsruri":    "400",
	"lwsstart":   "400",
	"trws":       "400",
	"escruri":    "407", // headers in the Request-URI are never obeyed
	"baddate":    "407", // Date is not a proxy's business
	"regbadct":   "401", // its Contact is looked at once it is known who asks
	"badaspec":   "407",
	"baddn":      "400",
	"badvers":    "505",
	"mismatch01": "400",
	"mismatch02": "400",
	"bigcode":    "",

	// 3.2 and 3.3: sound syntax, odd meaning.
	"badbranch": "407",
	"insuf":     "400", // without the From, To and Call-ID that it lacks
	"unkscm":    "416",
	"novelsc":   "416",
	"unksm2":    "401", // the scheme of To and From is not a proxy's business
	"bext01":    "420",
	"invut":     "407",
	"regaut01":  "401", // an unknown authentication scheme: challenged again
	"multi01":   "400",
	"mcl01":     "400",
	"bcast":     "",
	"zeromf":    "483",
	"cparam01":  "401",
	"cparam02":  "401",
	"regescrt":  "401",
	"sdp01":     "407",
	"inv2543":   "407",
}

func TestTorture(t *testing.T) {
	files, _ := filepath.Glob("../../../../sipmsg/testdata/torture/*.dat")
	if len(files) != 49 || len(torture) != 49 {
		t.Fatalf("%d files and %d expectations, want 49 each", len(files), len(torture))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".dat")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.cfg.Silent = false
			got := firstLines(w, string(data))
			if status := word(got, 1); status != torture[name] || strings.Contains(got, ";") {
				t.Errorf("answered %q, want %q", got, torture[name])
			}
			w.finish()
		})
	}
}
