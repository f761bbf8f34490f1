// Package proxy is the core of minisip: a registrar and a stateful, forking proxy that
// repairs what NAT breaks and has media relayed. It is pure: the time comes in with each
// message or tick, datagrams and words go out through [Output], ports come from a [Relay].
// It has no socket, clock, goroutine or lock, so a whole call runs in a test from a script.
//
// A datagram goes through [Core.Receive] to a transaction it belongs to, or to one of
//
//	register.go   REGISTER
//	outside.go    a request that begins something: authentication, targets
//	dialog.go     a request inside a dialog, with a call or, after a restart, without
//	cancel.go     CANCEL
//	response.go   a response, in the response context of its request (context.go)
//
// and out again by forward.go. call.go follows a call from INVITE to end, party.go its two
// sides, media.go the offers and answers, sdp.go their text, stream.go the relay's streams, payload.go their payload
// types, ice.go their ICE, usage.go what each user takes up. history.go notes every message, past.go, remember.go and ledger.go keep
// calls that have ended, left.go streams that were taken out of one, facts.go tells package diagnosis what to judge by; operator.go is what an operator
// can ask and do, view.go and phones.go what he is shown. So that a call leaves little to the garbage collector, line.go makes
// log lines in scratch space, texts.go keeps a call's texts in one string, and spare.go has memory serve again. ours.go tells what
// addresses and names are ours, logged.go what the log says once for each address, sampler.go how media are at present. In this table a bare section is one of
// RFC 3261; tests are scripts of testdata (without their .txt) or functions.
//
//	section       what is done                                    file          test
//	7.4           bodies of any type pass byte for byte           forward       TestBodiesPass
//	8.2.2.2       482 to a SUBSCRIBE that comes twice             watch         reg-event-merged
//	8.2.6         To tags of our own that copies get again        reply         retransmit-refusal
//	9.1, 9.2      CANCEL once a response has come; until then     cancel        cancel, cancel-early,
//	              it rests after 3.5 s, and the caller has his 487              cancel-unheard
//	9.2           CANCEL behind the final response, and 481       cancel        cancel-after
//	9.2, 16.10    CANCEL of what is no INVITE: 200, no more       cancel        cancel-message
//	10.3          registrar: bindings, 423, 400, 404, Contacts    register      register, register-domain
//	12.1, 12.2    route sets, remote targets, of both sides       party, route  bye-route-order, reinvite,
//	                                                                            contact-refresh
//	12.1          a tag that is missing counts as empty           dialog        no-tag
//	13.2.1        an ACK answers where an offer waits, only there media         offerless, late-ack,
//	                                                                            ack-neighbour,
//	                                                                            restart-offerless
//	13.2.2.4      several 2xx, each a dialog                      party         fork-two-answers, downstream-fork
//	13.2.2.4      the ACK of our own to an offer refuses it       hangup        late-offer
//	13.2.1        SDP in an unreliable 1xx is a preview           media, sdp    answer-preview
//	13.2, 21.5.3  SDP that cannot be read does not pass: 488 for  unreadable    unreadable-offer, unreadable-answer,
//	              an offer, 502 for who answers with it                         unreadable-offerless
//	13.3.1.4      a 2xx that is sent again changes nothing        media         late-2xx
//	14.1          a refused offer changes nothing                 media         reinvite-refused, glare,
//	                                                                            glare-video, glare-answered,
//	                                                                            preview-refused, offerless-refused
//	16.3          400, 416, 420, 482, 483                         validate      refusals, loop, sips
//	16.4          our Routes off, strict routers in front         route         strict-router, TestFindRoutes
//	16.4, 16.5    maddr: ours means nothing, another goes nowhere outside       maddr
//	16.5          targets: user, or a Contact that we gave out    outside,      dial-contact, contact-claims-user
//	                                                              target
//	16.5          who has moved while others rang, or gone        outside       fork-serial-moved
//	16.6 step 6   a next hop that is a strict router              route         next-hop-strict
//	16.6          forwarding, Record-Route, groups by q, timer C  forward       call, fork-serial, timer-c
//	16.6, 16.8    the next group when one is silent for 3.5 s     context       failover, failover-late,
//	              or timer C has run out                                        failover-subscribe, failover-beside,
//	                                                                            failover-subscribe-late
//	16.7          best response, gathered challenges, 6xx         response      TestBestResponse, decline-fork
//	16.7, 17.1.3  responses that do not fit are dropped           client        wrong-response, wrong-response-own
//	16.7, 17.1.1  responses that come too late                    transaction   late-responses
//	16.9, 18.1.1  what cannot be sent is a 503, and our own BYE   forward,      unreachable, way-back,
//	              or CANCEL repeated; what is large goes          client, size  TestLargeMessages
//	              all the same
//	16.10         CANCEL of all branches                          cancel        cancel-fork, cancel-retry
//	16.11         ACK to a 2xx, without a transaction; no other   dialog, acks  call, restart, ack-both, ack-refused,
//	              its copies go on alike                                        ack-unknown, ack-of-info,
//	                                                                            retransmit-invite
//	17            transactions, on package session                transaction,  timer-b, timer-f, timer-h
//	                                                              client
//	17.2.1        ACK of our own refusals                         dialog, reply ack-refused, ack-refused-unknown
//	17.2.2        copies of what we have answered, until timer J  answers       retransmit-register,
//	                                                                            TestAnswersAgainstList
//	17.2.3        matching, by sent-by too                        transaction   sent-by, rfc2543
//	RFC 3581      received, rport                                 reply         register-nat, words-off
//	19.1.1        Contact to Request-URI                          forward       contact-headers, TestTargetURI
//	19.1.6        whom a telephone number with parameters names   auth          telephone-subscriber, TestUserOf
//	22            401 to REGISTER, else 407; ours taken out       auth          wrong-password-call, other-uri,
//	                                                                            credentials-unreadable,
//	                                                                            TestUserNames
//	RFC 8760      several challenges, the most wanted first       auth          digest-sha256, not-offered
//	26.2.2        no sips without TLS                             validate      sips
//	RFC 2543      requests of old phones                          transaction   rfc2543
//	RFC 3262 5    offer in a 1xx, answer in the PRACK, or an      media         prack, prack-answer, prack-again,
//	              offer there                                                   prack-offer
//	RFC 3264      offer and answer, streams that come and go      media         reinvite-video, offerless,
//	                                                                            streams
//	RFC 3264 6    an answer has as many streams as its offer      sdp           answer-surplus, answer-short
//	RFC 3325 5    who a phone says it is, if it is not            identity      identity, identity-inside,
//	                                                                            identity-answer
//	RFC 3326      why a phone is to stop ringing: answered        cancel        fork, fork-all-refuse, cancel-reason
//	              elsewhere, or what the caller's CANCEL says
//	RFC 3311      UPDATE                                          media         prack, update-hold
//	RFC 3327      Path                                            outside       path, path-third-party, edge-contact,
//	                                                                            edge-subscribe
//	RFC 3428 4    MESSAGE to all bindings                         outside       message, failover-subscribe
//	RFC 3515      REFER, blind and with Replaces (RFC 3891)       dialog        transfer-blind, transfer
//	RFC 3891 3, 7 who may take over or join (RFC 3911) a call     replaces      replaces-stranger, transfer,
//	                                                                            replaces-transferred, replaces-asked,
//	                                                                            park
//	RFC 3903      PUBLISH: a request like any other               outside       publish
//	RFC 4028 8    422 or a raised interval below 90 s; who asked  interval      session-timer, session-timer-alone,
//	              refreshes alone where the other side does not;                session-timer-alone-over
//	              a session that has expired is over
//	RFC 3680      registrations watched: SUBSCRIBE, NOTIFY        watch,        reg-event, reg-event-end,
//	              (RFC 6665 4.2), GRUUs in it (RFC 5628)          subscriber,   reg-event-refused, reg-event-again
//	                                                              reginfo       reg-event-failed,
//	                                                                            TestSubscribersAreBounded
//	RFC 4320 4    100 after 3.5 s, no other 1xx, no late 408,     response      message-timeout, timer-f
//	              to anything but INVITE
//	RFC 4475      the torture messages                            core          TestTorture
//	RFC 5393 4.2  a loop is told from a spiral                    validate      loop, spiral
//	RFC 5393 5.3  Max-Breadth, 440                                forward       max-breadth, TestShare
//	RFC 5626 4.4  keepalives of phones answered: CRLF, and STUN   ping, stun    TestKeepalivesAnswered,
//	              (RFC 8489, Binding requests)                                  TestSTUN
//	RFC 5626 6    439, a flow registers alone, Require: outbound  outbound      outbound-refused
//	RFC 5626 7    one flow of a phone at a time, 430, 408         outbound      outbound, outbound-unreachable,
//	                                                                            outbound-408
//	RFC 5627      public GRUUs: given, resolved, kept in Contact  gruu          gruu, gruu-transfer, gruu-flows,
//	                                                                            gruu-tel, gruu-own
//	RFC 5658      two Record-Routes                               route         ipv6
//	RFC 5621      SDP as one part of several                      media         multipart
//	RFC 5761      RTCP on RTP's port, once both sides say so      stream        mux, ice
//	RFC 6026      the Accepted states; late 2xx are hung up       response      fork-late-answer, fork-unheard, fork-crossing
//	RFC 6141 4    a reliable 1xx to a re-INVITE moves targets     party         reinvite-target
//	RFC 6665      subscriptions, also forked; Record-Route of     dialog,       subscribe, subscribe-fork,
//	              NOTIFY (4.3)                                    target,       subscribe-contact,
//	                                                              forward       subscribe-focus, subscribe-moved
//	RFC 8445 2.5  an ICE-lite agent for each phone that does ICE  ice           ice, ice-one-side, ice-fork,
//	RFC 8839 4.2                                                                ice-offerless, ice-strip,
//	                                                                            glare-ice
//	RFC 5768      who has registered with +sip.ice is offered it  media         ice-announced
//
// Beyond the RFCs: a request inside a dialog is taken from the address of the side that it
// claims to be, else it is challenged and the call moves (bye-stranger, moved-phone; moved-home, where it reaches
// us at another of our addresses; moved-ringing, before it has answered); no Route,
// Path or Record-Route leads to another machine than the one whose packets they came in
// (record-route-third-party); limits for each user (pending, TestCallsWithoutMedia, TestOthersFindPorts, TestOthersFindRestedPorts); keepalive
// of phones behind NAT (keepalive, TestPingsNeverBurst), and of sides that move in the middle of a call (moved-pinged, TestMovedSideIsPinged); the end of silent calls (silence,
// silence-hold, silence-hold-refused, one-way, no-ack, fork-unacknowledged, fork-two-answers-held, fork-caller-holds-one,
// fork-early-bye); copies made by the network (retransmit-invite); unknown users who
// get no answer, nor to an OPTIONS to ourselves (silent, options-short); sources that fail too
// often, banned (ban, ban-cancel, guess, scanner; package guard); nothing that a third party could be flooded with (TestAmplification); 503 for new calls
// while the loop lags (overload.go); dial codes (dial-codes); call records with a verdict on the
// media.
//
// What outlives the process: each binding and each established call is a record that a Keeper is
// given a moment after it has changed (keep.go), and of which Restore makes the same in another
// core (restore.go; restart-call, restart-silence, restart-moved, restart-ports, restart-session-timer). What is not
// established yet is lost (restart-ringing). Settings change while calls are up (reconfigure.go;
// public-changes, timeout-changes).
//
// What it does not do: TCP, TLS and WebSocket; requests to other domains; 3xx followed by us
// (16.5: it goes to the caller); presence and voicemail; temporary GRUUs (RFC 5627 3.1.2); Flow-Timer
// (RFC 5626 4.4: a phone whose keepalives stop is not taken for gone, and our own pings keep
// its NAT open); session timers asked for by us (RFC 4028); multicast. Record-Route goes into requests
// that may begin a dialog and into NOTIFY (RFC 6665 4.3), not into others inside one (16.6 step 4 would have it,
// for phones that were restarted). A maddr in Via is not obeyed (18.2.2), nor are ICMP errors believed (18.4): either
// would let strangers aim at a third party. The sent-by of a response is not looked at (18.1.2): a
// branch of ours, 64 random bits, says more. A CANCEL that matches nothing is not sent on
// (16.10), since no request goes out without state.
package proxy
