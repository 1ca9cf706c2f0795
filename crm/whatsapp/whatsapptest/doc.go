// Package whatsapptest is a WhatsApp server to test against. A real, unmodified
// whatsmeow client pairs with it, logs in, and talks through it to simulated
// customers, on a machine without internet. Noise, pairing signatures, Signal
// sessions, sender keys, app state and media encryption are real on both sides.
// Only the phones are simulated.
//
//	            loopback, plain TCP                    in this process
//	client  <----------------------->  Server  <----------------------->  Account, Contact
//	(whatsmeow)  /ws/chat, /mms, /v                                       (phones)
//
//	srv, err := whatsapptest.Start(whatsapptest.Options{})
//	srv.TrustRoot()                    // or whatsapp.root_key of another process
//	srv.Configure(client)              // or whatsapp.endpoint
//	shop := srv.NewAccount("79990001122", "100200300", "Shop")
//	anna := srv.NewContact("79995554433", "100200301", "Anna")
//	device, err := shop.ScanQR(ctx, qr)
//	id := anna.SendText(shop, "hello")
//	err = anna.AwaitDelivered(ctx, id)
//	answer, err := anna.AwaitText(ctx, "good day")
//
// What a client has not acknowledged is delivered again after its next login (see
// Device), so a client that loses messages is detected. Tests can trigger every
// fault (faults.go, media_faults.go, SendOpts).
//
// Limits: answers are modelled on what the client's parser needs, not recorded from
// WhatsApp. The package proves the client's way through the protocol, not that
// WhatsApp would accept the client: bans, rate limits and protocol changes stay
// invisible. There are no channels, status broadcasts, communities or participant
// hashes in acks. Unknown requests get error 501 and an entry in Unhandled, which a
// test checks to be empty at its end. State is in memory: it survives the client's
// death, but not the server's, except for what Save writes.
//
// Goroutines: one for the listener, and two for each connection: that of its HTTP
// request, which reads, and a writer. One lock guards all state, and no goroutine
// waits for a peer while it holds that lock. Close waits for all of them.
//
// The package imports none of our own packages and is never linked into the
// program. It uses the WebSocket library that whatsmeow brings.
package whatsapptest
