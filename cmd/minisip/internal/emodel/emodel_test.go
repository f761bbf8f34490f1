package emodel

import (
	"math"
	"testing"
	"time"
)

// delayOfG107 is what a one-way delay of T ms costs by the formulas of ITU-T G.107 7.4 with
// the default values of its table 2: talker echo (7-19 to 7-23) and absolute delay (7-27).
// Listener echo is nothing to speak of by default.
func delayOfG107(T float64) float64 {
	const slr, rlr, lstr, ps, pr, ds, telr, nc, nfor = 8, 2, 18, 35, 35, 3, 65, -70, -64
	pre := pr + 10*math.Log10(1+math.Pow(10, (10-lstr)/10.0))
	power := func(db float64) float64 { return math.Pow(10, db/10) }
	nos := ps - slr - ds - 100 + 0.004*math.Pow(ps-(slr+rlr)-ds-14, 2)
	nor := rlr - 121 + pre + 0.008*math.Pow(pre-35, 2)
	no := 10 * math.Log10(power(nc)+power(nos)+power(nor)+power(nfor+rlr))
	roe := -1.5 * (no - rlr)
	terv := telr - 40*math.Log10((1+T/10)/(1+T/150)) + 6*math.Exp(-0.3*T*T)
	re := 80 + 2.5*(terv-14)
	echo := ((roe-re)/2 + math.Sqrt((roe-re)*(roe-re)/4+100) - 1) * (1 - math.Exp(-T))
	if T <= 100 {
		return echo
	}
	x := math.Log2(T / 100)
	return echo + 25*(math.Pow(1+math.Pow(x, 6), 1.0/6)-3*math.Pow(1+math.Pow(x/3, 6), 1.0/6)+2)
}

func TestDelayIsThatOfG107(t *testing.T) {
	for ms := range 301 {
		got, want := delayImpairment(time.Duration(ms)*time.Millisecond), delayOfG107(float64(ms))
		if math.Abs(got-want) > 1.2 {
			t.Errorf("%d ms: %.2f, by G.107 %.2f", ms, got, want)
		}
	}
}

// The codecs of ITU-T G.113 appendix I, in the order that ears put them in, by the names
// that SDP gives them in whatever case.
func TestCodecs(t *testing.T) {
	of := func(codec string) float64 { return MOS(codec, 0, 0, 0) }
	order := []string{"PCMA", "AMR", "G728", "g729", "G723", "GSM"}
	for i, codec := range order[1:] {
		if !(of(codec) < of(order[i])) {
			t.Errorf("%s: %.2f, %s: %.2f", order[i], of(order[i]), codec, of(codec))
		}
	}
	for _, codec := range []string{"opus", "G722", "AMR-WB"} {
		if of(codec) != of("PCMU") {
			t.Errorf("%s: %.2f, want the best of the scale, %.2f", codec, of(codec), of("PCMU"))
		}
	}
	if of("iLBC") != of("ILBC") || of("iLBC") == of("PCMU") {
		t.Errorf("iLBC %.2f, ILBC %.2f, PCMU %.2f", of("iLBC"), of("ILBC"), of("PCMU"))
	}
}

// ITU-T G.107 annex B, table B.1: ratings and the mean opinion scores that they mean.
func TestOpinion(t *testing.T) {
	for _, tt := range []struct{ rating, want float64 }{
		{93.2, 4.41}, {90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58},
		{0, 1}, {-20, 1}, {100, 4.5}, {140, 4.5},
	} {
		if got := opinion(tt.rating); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("R = %v: %.3f, want %.2f", tt.rating, got, tt.want)
		}
	}
	for r, before := 0.0, 1.0; r <= 100; r++ {
		now := opinion(r)
		if now < before-0.005 || now < 1 || now > 4.5 {
			t.Errorf("R = %v: %v, after %v", r, now, before)
		}
		before = now
	}
}

// The E-model with Ie and Bpl of ITU-T G.113 appendix I. At a loss of Bpl percent half of
// what is left of 95 is gone (G.107 equation 7-29).
func TestMOS(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		codec       string
		loss        float64
		jitter, rtt time.Duration
		rating      float64 // worked out by hand
	}{
		{"PCMU", 0, 0, 0, 93.2 - 0.48},                                // 20 ms of packetization
		{"PCMA", 0, 0, 200 * ms, 93.2 - 0.024*120},                    // half the way there and back
		{"PCMA", 0, 10 * ms, 0, 93.2 - 0.024*40},                      // a buffer of twice the jitter
		{"PCMU", 25.1, 0, 0, 93.2 - 0.48 - 47.5},                      // Bpl
		{"G729", 0, 0, 0, 93.2 - 0.48 - 11},                           // Ie
		{"G729", 19, 0, 0, 93.2 - 0.48 - 11 - 42},                     // Ie and Bpl
		{"G723", 0, 0, 0, 93.2 - 0.48 - 15},                           //
		{"GSM", 0, 0, 0, 93.2 - 0.48 - 20},                            //
		{"opus", 0, 0, 0, 93.2 - 0.48},                                // not listed: as G.711
		{"PCMU", 0, 0, 600 * ms, 93.2 - 0.024*320 - 0.11*(320-177.3)}, // people begin to interrupt each other
		{"PCMU", 100, 0, 0, 93.2 - 0.48 - 95*100/125.1},
	} {
		if got, want := MOS(tt.codec, tt.loss, tt.jitter, tt.rtt), opinion(tt.rating); math.Abs(got-want) > 0.001 {
			t.Errorf("%s, %v %% lost, jitter %v, round trip %v: %.3f, want %.3f", tt.codec, tt.loss, tt.jitter, tt.rtt, got, want)
		}
	}
}
