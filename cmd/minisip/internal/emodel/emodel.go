// Package emodel estimates how speech sounds to those who hear it: the mean opinion score of
// ITU-T G.107's E-model with the default values of its table 2, from what can be measured of
// a stream: codec, loss, jitter, round trip. Ie and Bpl of the codecs are those of G.113 appendix I. Wideband
// scales (G.107.1), echo, and loss that comes in bursts are not modelled.
package emodel

import (
	"strings"
	"time"
)

// impairment is what a codec costs in the E-model: Ie, and Bpl, its robustness to random
// loss. The wideband codecs sound better than the scale of G.107 can say (G.107.1), so they
// cost nothing here while nothing is lost.
type impairment struct{ ie, bpl float64 }

// impairments is ITU-T G.113 appendix I, by the names of SDP in upper case; where it has no
// Bpl, the one of the codec's nearest relative. Codecs that are not listed count as G.711
// with loss concealment.
var impairments = map[string]impairment{
	"PCMU": {0, 25.1}, "PCMA": {0, 25.1}, "L16": {0, 25.1}, // with G.711 appendix I
	"G726-40": {2, 25.1}, "G726-32": {7, 25.1}, "G726-24": {25, 25.1}, "G726-16": {50, 25.1},
	"G728": {7, 17}, "G729": {11, 19}, "G723": {15, 16.1},
	"GSM": {20, 10}, "GSM-HR": {23, 10}, "GSM-EFR": {5, 10}, "AMR": {5, 10},
	"ILBC": {11, 32},
	"G722": {0, 25.1}, "AMR-WB": {0, 13}, "OPUS": {0, 25.1},
}

// listening delays beside the network's: packetization and a jitter buffer of twice the jitter.
const packetTime = 20 * time.Millisecond

// MOS estimates the mean opinion score of a direction, 1 to 4.5, by the E-model of ITU-T
// G.107 with its default values (R = 93.2 without impairment), from codec, loss and delay.
// The delay's part of it is the fit by Cole and Rosenbluth, which stays within 1.2 of
// G.107's own up to 300 ms.
func MOS(codec string, lossPercent float64, jitter, rtt time.Duration) float64 {
	imp, ok := impairments[strings.ToUpper(codec)]
	if !ok {
		imp = impairments["PCMU"]
	}
	ieEff := imp.ie + (95-imp.ie)*lossPercent/(lossPercent+imp.bpl)
	return opinion(93.2 - delayImpairment(packetTime+2*jitter+rtt/2) - ieEff)
}

// delayImpairment is what a one-way delay costs, Id of G.107.
func delayImpairment(delay time.Duration) float64 {
	d := float64(delay) / float64(time.Millisecond)
	id := 0.024 * d
	if d > 177.3 {
		id += 0.11 * (d - 177.3)
	}
	return id
}

// opinion is the mean opinion score of a transmission rating: ITU-T G.107 annex B.
func opinion(rating float64) float64 {
	r := max(0, min(100, rating))
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
