package sipmsg

import (
	"bytes"
	"strconv"
)

// AppendResponse appends the start line, and Via, From, To, Call-ID, CSeq of req as edited, to dst: RFC 3261
// 8.2.6.2. toTag is added to To where req has none there. In a 100, "any Timestamp
// header field present in the request MUST be copied" (8.2.6.1).
// An empty reason stands for ReasonPhrase(status). The caller appends more fields and ends
// with the empty line (EndResponse).
func AppendResponse(dst []byte, req *Message, status int, reason string, toTag []byte) []byte {
	if reason == "" {
		reason = ReasonPhrase(status)
	}
	dst = append(dst, "SIP/2.0 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(append(append(dst, ' '), reason...), "\r\n"...)
	for i := range req.n {
		switch id := req.field(i).id(); id {
		case ViaHdr:
			dst = req.AppendHeader(dst, i)
		case FromHdr, CallIDHdr, CSeqHdr:
			if i == req.Index(id) {
				dst = req.AppendHeader(dst, i)
			}
		case ToHdr:
			if i == req.Index(id) {
				dst = req.appendTo(dst, i, toTag)
			}
		case TimestampHdr:
			if status == 100 {
				dst = req.AppendHeader(dst, i)
			}
		}
	}
	return dst
}

// appendTo appends the To field with a tag, if it has none and could be read.
func (m *Message) appendTo(dst []byte, i int, tag []byte) []byte {
	before := len(dst)
	dst = m.AppendHeader(dst, i)
	if len(dst) == before || len(tag) == 0 || !m.toOK || m.ToTag() != nil {
		return dst
	}
	dst = bytes.TrimRight(dst, " \t\r\n")
	return append(append(append(dst, ";tag="...), tag...), "\r\n"...)
}

// EndResponse ends a response without a body.
func EndResponse(dst []byte) []byte { return append(dst, "Content-Length: 0\r\n\r\n"...) }

// ReasonPhrase gives the phrase of RFC 3261 21 and of the extensions that this program's neighbours use
// (RFC 3262 to 6665) for a status code. An unknown code gets the phrase of its class's x00.
func ReasonPhrase(status int) string {
	if s, ok := reasonPhrases[status]; ok {
		return s
	}
	return reasonPhrases[status/100*100]
}
