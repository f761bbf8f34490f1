package interop

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// errWAV says that bytes are not a 16-bit PCM recording.
var errWAV = errors.New("not a 16-bit PCM WAV file")

// recording is one channel of sound.
type recording struct {
	rate int // samples a second
	pcm  []int16
}

// sine makes a recording of one tone at a quarter of full scale.
func sine(hz float64, rate int, d time.Duration) recording {
	r := recording{rate: rate, pcm: make([]int16, int(d.Seconds()*float64(rate)))}
	for i := range r.pcm {
		r.pcm[i] = int16(8192 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return r
}

// wav gives the recording as a WAV file.
func (r recording) wav() []byte {
	size := uint32(2 * len(r.pcm))
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, 36+size)...)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, 1) // channels
	b = le.AppendUint32(b, uint32(r.rate))
	b = le.AppendUint32(b, uint32(2*r.rate)) // bytes a second
	b = le.AppendUint16(b, 2)                // bytes a frame
	b = le.AppendUint16(b, 16)               // bits a sample
	b = append(b, "data"...)
	b = le.AppendUint32(b, size)
	for _, s := range r.pcm {
		b = le.AppendUint16(b, uint16(s))
	}
	return b
}

// parseWAV reads the first channel of a WAV file. The file may still be written to: a data chunk
// whose length is not filled in, or is longer than the file, ends with the file.
func parseWAV(b []byte) (recording, error) {
	le := binary.LittleEndian
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return recording{}, errWAV
	}
	var r recording
	channels := 0
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int(le.Uint32(b[4:]))
		b = b[8:]
		if id == "data" {
			if channels == 0 {
				return recording{}, errWAV
			}
			if size == 0 || size > len(b) {
				size = len(b)
			}
			for step := 2 * channels; size >= step; size -= step {
				r.pcm = append(r.pcm, int16(le.Uint16(b)))
				b = b[step:]
			}
			return r, nil
		}
		if size += size & 1; size > len(b) {
			break
		}
		if id == "fmt " && size >= 16 {
			channels, r.rate = int(le.Uint16(b[2:])), int(le.Uint32(b[4:]))
			if channels == 0 || r.rate == 0 || le.Uint16(b[14:]) != 16 {
				return recording{}, errWAV
			}
		}
		b = b[size:]
	}
	return recording{}, errWAV
}

// goertzel correlates the samples with one frequency: the share of their power that lies there
// (0 to 1, 1 for a pure tone) and its phase at the first sample, in cycles (0 to 1).
func goertzel(pcm []int16, rate int, hz float64) (share, phase float64) {
	w := 2 * math.Pi * hz / float64(rate)
	var s1, s2, power float64
	for _, v := range pcm {
		x := float64(v)
		s1, s2 = x+2*math.Cos(w)*s1-s2, s1
		power += x * x
	}
	if power == 0 {
		return 0, 0
	}
	re, im := s1-s2*math.Cos(w), s2*math.Sin(w)
	n := float64(len(pcm))
	// The filter's phase is that at the last sample.
	cycles := math.Atan2(im, re)/(2*math.Pi) - hz*(n-1)/float64(rate)
	return 2 * (re*re + im*im) / (n * power), cycles - math.Floor(cycles)
}

// heard is what a recording holds of one tone, measured in frames of 20 ms.
type heard struct {
	tone   time.Duration // frames that hold the tone and little else
	other  time.Duration // frames with sound that is not the tone
	gaps   int           // silences between the first and the last frame with the tone
	breaks int           // jumps of phase between neighbouring frames: something was left out or put in
}

// listen measures how much of the recording is the tone.
func listen(r recording, hz float64) heard {
	const frame = 20 * time.Millisecond
	n := r.rate / 50
	advance := hz * frame.Seconds() // cycles from frame to frame
	var h heard
	silent, last, tone := 0, 0.0, false
	for pcm := range slices.Chunk(r.pcm, n) {
		if len(pcm) < n {
			break
		}
		share, phase := goertzel(pcm, r.rate, hz)
		switch {
		case loudness(pcm) < 300:
			tone = false
			silent++
			continue
		case share < 0.8:
			tone = false
			h.other += frame
			continue
		}
		if h.tone > 0 && silent > 0 {
			h.gaps++
		}
		if off := phase - last - advance; tone && math.Abs(off-math.Round(off)) > 0.1 {
			h.breaks++
		}
		h.tone += frame
		silent, last, tone = 0, phase, true
	}
	return h
}

// loudness is the root mean square of the samples.
func loudness(pcm []int16) float64 {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

func TestListen(t *testing.T) {
	const rate = 8000
	low := sine(440, rate, time.Second).pcm
	high := sine(880, rate, time.Second).pcm
	quiet := make([]int16, rate/10)
	cut := func(pcm []int16, from, to int) []int16 { return slices.Concat(pcm[:from], pcm[to:]) }
	mixed := make([]int16, rate)
	for i := range mixed {
		mixed[i] = low[i] + high[i]
	}
	for _, c := range []struct {
		name string
		pcm  []int16
		hz   float64
		want heard
	}{
		{"the tone itself", low, 440, heard{tone: time.Second}},
		{"another tone", low, 880, heard{other: time.Second}},
		{"two tones at once", mixed, 440, heard{other: time.Second}},
		{"silence", quiet, 440, heard{}},
		{"one tone, then the other", slices.Concat(low, high), 880, heard{tone: time.Second, other: time.Second}},
		{"silence around it", slices.Concat(quiet, low, quiet), 440, heard{tone: time.Second}},
		{"a gap of five frames", slices.Concat(low[:4000], quiet, low[4800:]), 440, heard{tone: 900 * time.Millisecond, gaps: 1}},
		{"one frame left out", cut(low, 1600, 1760), 440, heard{tone: 980 * time.Millisecond, breaks: 1}},
		{"two frames left out", cut(cut(high, 1600, 1760), 4000, 4160), 880, heard{tone: 960 * time.Millisecond, breaks: 2}},
		{"less than a frame", low[:100], 440, heard{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := listen(recording{rate, c.pcm}, c.hz)
			if got != c.want {
				t.Errorf("listen: %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestParseWAV(t *testing.T) {
	want := sine(440, 8000, 100*time.Millisecond)
	file := want.wav()
	open := slices.Clone(file)
	binary.LittleEndian.PutUint32(open[40:], 0)
	eight := slices.Clone(file)
	eight[34] = 8
	for _, c := range []struct {
		name string
		in   []byte
		pcm  []int16
		err  error
	}{
		{"whole", file, want.pcm, nil},
		{"still being written", open[:144], want.pcm[:50], nil},
		{"cut in its data", file[:144], want.pcm[:50], nil},
		{"no data chunk", file[:36], nil, errWAV},
		{"8 bits a sample", eight, nil, errWAV},
		{"text", []byte("this is no recording"), nil, errWAV},
		{"empty", nil, nil, errWAV},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseWAV(c.in)
			if !errors.Is(err, c.err) || !slices.Equal(got.pcm, c.pcm) || (err == nil && got.rate != 8000) {
				t.Errorf("parseWAV: rate %d, %d samples, %v; want %d samples, %v", got.rate, len(got.pcm), err, len(c.pcm), c.err)
			}
		})
	}
}
