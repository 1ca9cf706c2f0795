// Package whatsapptest is a WhatsApp server to test against: a real, unmodified
// whatsmeow client pairs with it, logs in, and talks through it to simulated
// customers, on a machine without internet. Noise, pairing signatures, Signal
// sessions, sender keys, app state and media encryption are real on both sides;
// what is simulated are the phones.
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
// What a client has not acknowledged is delivered again after its next login
// (see Device), so a client that loses messages is found out. Everything that can
// go wrong goes wrong on command (faults.go, media_faults.go, SendOpts).
//
// What it is not: answers are modelled on what the client's parser needs, not
// recorded from WhatsApp. It proves the client's way through the protocol, not
// that WhatsApp would accept the client: bans, rate limits and protocol changes
// stay invisible. There are no channels, status broadcasts, communities and no
// participant hashes in acks. Requests that it does not know get error 501 and a
// line in Unhandled, which a test finds empty at its end. State is in memory: it
// survives the client's death, not its own.
//
// Goroutines: one for the listener, and for each connection the one of its HTTP
// request, which reads, and a writer. All state is behind one lock, and nobody
// waits for a peer under it. Close waits for all of them.
//
// It imports nothing of ours and is never linked into the program. It does its
// WebSockets with the library that whatsmeow brings.
package whatsapptest
