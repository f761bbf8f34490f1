//go:build interop

package interop

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// errPcap says that bytes are not a packet capture of an Ethernet device of this machine.
var errPcap = errors.New("not a capture of an Ethernet device")

// capture is what tcpdump sees on a phone's network device.
type capture struct {
	file string
	to   netip.Addr // what is sent to this address is what the phone gets
}

// startCapture begins to record the packets to a phone in its namespace.
func startCapture(t *testing.T, ns string) *capture {
	t.Helper()
	return startCaptureTo(t, ns, phoneIP)
}

// startCaptureTo begins to record, in a namespace, the packets to an address.
func startCaptureTo(t *testing.T, ns, to string) *capture {
	t.Helper()
	need(t, "tcpdump", "tcpdump")
	dir := t.TempDir()
	c := &capture{filepath.Join(dir, "phone.pcap"), netip.MustParseAddr(to)}
	start(t, ns, dir, "tcpdump", "tcpdump", "-i", "eth0", "-U", "-w", c.file, "udp")
	eventually(t, 5*time.Second, "tcpdump has opened its file", func() bool {
		_, err := c.datagrams()
		return err == nil
	})
	return c
}

// recorded gives the sound in the RTP packets (PCMU) that came to the phone, in the order of their arrival.
func (c *capture) recorded() (recording, error) {
	r := recording{rate: 8000}
	datagrams, err := c.datagrams()
	for _, p := range datagrams {
		d := p.payload
		if len(d) > 12 && d[0] == 0x80 && d[1]&0x7f == 0 {
			for _, v := range d[12:] {
				r.pcm = append(r.pcm, ulaw(v))
			}
		}
	}
	return r, err
}

// whole fails the test where RTP packets (PCMU) that their sender counted did not come to the phone, or not in order.
// No phone's clock has a part in it.
func (c *capture) whole(t *testing.T, name string) {
	t.Helper()
	datagrams, err := c.datagrams()
	newest, packets, missing := map[uint32]uint16{}, 0, 0
	for _, p := range datagrams {
		d := p.payload
		if len(d) <= 12 || d[0] != 0x80 || d[1]&0x7f != 0 {
			continue
		}
		seq, ssrc := binary.BigEndian.Uint16(d[2:]), binary.BigEndian.Uint32(d[8:])
		if last, known := newest[ssrc]; known {
			missing += int(seq - last - 1)
		}
		newest[ssrc] = seq
		packets++
	}
	if err != nil || packets == 0 || missing > 0 {
		t.Errorf("%s: %d RTP packets came, %d are missing, %v", name, packets, missing, err)
	} else {
		t.Logf("%s: %d RTP packets came, none is missing", name, packets)
	}
}

// datagram is what one UDP packet carried.
type datagram struct {
	at      time.Time
	port    uint16 // where to
	payload []byte
}

// datagrams reads all UDP packets over IPv4 to the phone, as far as they are written.
func (c *capture) datagrams() ([]datagram, error) {
	b, err := os.ReadFile(c.file)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b2c3d4 || le.Uint32(b[20:]) != 1 {
		return nil, errPcap
	}
	var out []datagram
	for b = b[24:]; len(b) >= 16; {
		size := int(le.Uint32(b[8:]))
		if size > len(b)-16 {
			break
		}
		at := time.Unix(int64(le.Uint32(b)), int64(le.Uint32(b[4:]))*1000)
		packet := b[16 : 16+size]
		b = b[16+size:]
		if len(packet) < 14+20+8 || packet[12] != 8 || packet[13] != 0 || packet[14]>>4 != 4 {
			continue
		}
		ip := packet[14:]
		if dst, _ := netip.AddrFromSlice(ip[16:20]); dst != c.to {
			continue
		}
		head, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
		if head+8 <= total && total <= len(ip) {
			out = append(out, datagram{at, binary.BigEndian.Uint16(ip[head+2:]), ip[head+8 : total]})
		}
	}
	return out, nil
}

// ulaw decodes one sample of G.711 mu-law.
func ulaw(v byte) int16 {
	v = ^v
	s := (int16(v&15)<<3+132)<<(v>>4&7) - 132
	if v&0x80 != 0 {
		return -s
	}
	return s
}
