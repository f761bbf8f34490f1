package main

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
)

// TestHomer: with -hep, messages go to the Homer server without secrets, and each direction of an ended call is reported.
func TestHomer(t *testing.T) {
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	kept := 0
	sc := server.Config{Record: func(*proxy.Record) { kept++ }}
	h := mirrorTo(&config.Config{HEP: sink.LocalAddr().String()}, &sc, func(line string) { t.Error(line) })
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	phone := netip.MustParseAddrPort("198.51.100.7:31022")
	sc.Mirror(at, phone, netip.MustParseAddrPort("203.0.113.10:5060"),
		[]byte("REGISTER sip:a SIP/2.0\r\nCall-ID: 1@x\r\nAuthorization: Digest username=\"001\", response=\"0123456789abcdef\"\r\n\r\n"))
	sc.Record(&proxy.Record{CallID: "2@x", Answer: &at, End: at.Add(42 * time.Second), Media: []proxy.Direction{
		{Stream: 1, From: "001", Codec: "PCMU/8000", Source: "198.51.100.7:4000", Packets: 103, Duplicates: 4, Lost: 1, Verdict: "fine"},
		{Stream: 1, From: "002", Verdict: "no packet ever came"},
	}})
	h.close()
	if kept != 1 {
		t.Errorf("the record was kept %d times", kept)
	}
	sink.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	for _, want := range [][]string{
		{"HEP3", "REGISTER sip:a", "1@x", `response="********"`},
		{"HEP3", `"CORRELATION_ID":"2@x"`, `"SRC_IP":"198.51.100.7","SRC_PORT":4000`, `"EXPECTED_PK":100`, `"DURATION":42`, `"VERDICT":"fine"`},
		{"HEP3", `"PARTY":"002"`, `"SRC_IP":"0.0.0.0"`, `"DST_IP":"198.51.100.7"`},
	} {
		n, _, err := sink.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !bytes.Contains(b[:n], []byte(text)) {
				t.Errorf("no %s in %q", text, b[:n])
			}
		}
	}
	if h := mirrorTo(&config.Config{}, &sc, nil); h.Sender != nil {
		t.Errorf("without -hep: %v", h)
	}
}
