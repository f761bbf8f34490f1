package trail

import (
	"strings"
	"testing"
	"time"
)

func TestMask(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`Authorization: Digest username="001", response="abc", nonce="n"` + "\r\n", `Authorization: Digest username="001", response="********", nonce="n"` + "\r\n"},
		{"Proxy-Authorization: Digest RESPONSE = abc ,nc=1\r\n", "Proxy-Authorization: Digest RESPONSE = ******** ,nc=1\r\n"},
		{`Authorization: Digest response="a", Digest response="b"`, `Authorization: Digest response="********", Digest response="********"`},
		{"Authorization: Basic QWxhZGRpbjpvcGVu\r\nTo: x\r\n", "Authorization: Basic ********\r\nTo: x\r\n"},
		{"Authorization : \r\n\tBasic \r\n QWxhZGRpbjpvcGVu\r\nTo: x\r\n", "Authorization : \r\n\tBasic \r\n ********\r\nTo: x\r\n"},
		{"Authorization: Digest response\r\n =\r\n\t \"abc\",\n nc=1\r\n\r\n", "Authorization: Digest response\r\n =\r\n\t \"********\",\n nc=1\r\n\r\n"},
		{"Authorization: Digest response=,\r\n response=abc", "Authorization: Digest response=,\r\n response=********"},
		{`Authorization: Digest response="never closed`, `Authorization: Digest response="********`},
		{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:********|2^20\r\n"},
		{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCsp|2^20|1:4;inline:NWpVLFJhQX1c|2^20|2:4\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:********|2^20|1:4;inline:********|2^20|2:4\n"},
		{"a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n", "a=ice-ufrag:8hhY\r\na=ice-pwd:********\r\n"},
		{"a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsA\n", "a=key-mgmt:********\n"},
		{"k=clear:my secret\r\nk=\r\n", "k=********\r\nk=\r\n"},
		{"a=crypto:1 X inline:;inline:d0RmdmcmVCsp;inline:NWpVLFJhQX1c", "a=crypto:1 X inline:;inline:********;inline:********"},
		{"INVITE sip:response@x SIP/2.0\r\n\r\n", "INVITE sip:response@x SIP/2.0\r\n\r\n"},
		{`WWW-Authenticate: Digest realm="r", nonce="n"`, `WWW-Authenticate: Digest realm="r", nonce="n"`},
		{"", ""},
	} {
		got := string(Mask([]byte(c.text)))
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
		if again := string(Mask([]byte(got))); again != got {
			t.Errorf("%q: masked twice it is %q", got, again)
		}
	}
}

// A program gets a key of the same length that opens nothing.
func TestMaskForPrograms(t *testing.T) {
	for text, want := range map[string]string{
		"a=ice-pwd:asd88fgpdd777uzjYhagZg": "a=ice-pwd:" + strings.Repeat("A", 22),
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\n": "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("A", 40) + "|2^20|1:4\r\n",
		"Authorization: Digest response=\"abc\"\r\n":                                                      "Authorization: Digest response=\"********\"\r\n",
	} {
		if got := string(MaskForPrograms([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"a\r\nb\r\n", "a\r\nb\r\n", " a, b"},
		{"a\r\n", "x\r\na\r\n", "+x, a"},
		{"a\r\nb\r\nc\r\n", "a\r\nc\r\n", " a,-b, c"},
		{"a\r\nold\r\n", "a\r\nnew\r\n", " a,-old,+new"},
		{"", "a", "+a"},
	} {
		var got []string
		for _, l := range Diff([]byte(c.before), []byte(c.after)) {
			got = append(got, string(l.Op)+string(l.Text))
		}
		if strings.Join(got, ",") != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

// TestTrack: a track covers any time in a bounded number of samples, and the mean stays.
func TestTrack(t *testing.T) {
	var k Track
	packets, lost := uint64(0), uint64(0)
	for range 10_000 {
		packets, lost = packets+225, lost+25
		k.Add(packets, lost, 3*time.Millisecond)
	}
	samples, each := k.Samples()
	if len(samples) > maxSamples || len(samples) < maxSamples/2 || time.Duration(len(samples))*each < 10_000*SampleEvery {
		t.Errorf("%d samples of %s cover %s", len(samples), each, 10_000*SampleEvery)
	}
	for i, s := range samples {
		if s != (Sample{Loss: 1000, Jitter: 30}) {
			t.Fatalf("sample %d: %+v", i, s)
		}
	}
	k.Add(packets, lost, 0)
	k.Add(packets-1, lost, 0)
	for range 1000 {
		k.Add(packets, lost, 0)
	}
	samples, _ = k.Samples()
	if last := samples[len(samples)-1]; last.Loss != Silent {
		t.Errorf("nothing came, and the last sample is %+v", last)
	}
}
