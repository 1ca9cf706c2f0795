// Package webhook tells backends what happens to channels: Pusher's webhooks.
//
// Hooks is the engine's ChannelEventSink. Recorded events pass through three stages:
//
//	Record  intake   state that receivers were told, grace of 3 s, one order; in memory, never waits
//	  |
//	 50 ms  flush    per endpoint; one transaction commits the deliveries and the state
//	  |
//	POST    sender   one for each endpoint: in order, one at a time, retried until accepted or given up
//
// Only committed deliveries are sent, so undelivered ones survive the end of the
// process, however it ends. A kill can lose only what happened in the last 50 ms; the
// state that it changed is then as before, too. Delivery is at least once: a delivery
// that was accepted, but not noted as accepted when the process was killed, is sent
// again. What is given up is logged, with its events, in the transaction in which it stops to
// wait. A retried POST has the same body, byte for byte, as long as the process lives.
//
// # Many processes
//
// Processes that share a Store lease apps from it. The unit is the app, because one
// process has to keep the order of an endpoint and to know what the app's receivers
// were told. The process with the lease sends everything of the app and reports who
// comes and goes in its channels. Every process therefore records that for the whole
// cluster: when the lease moves, the next process continues from what it has recorded
// and from what the Store says was told. All other events are recorded once, by the
// process in which they happen, which queues them in the Store. The process with the
// lease looks there once a second.
//
// A lease lasts for DefaultLease and is renewed when a third of it is over. A process
// that could not renew it for three fifths of that time begins no POST, so that none is
// on its way when another process takes the lease. The Store refuses later commits with
// a LeaseError. An orderly end gives the leases back. After a kill, another process
// delivers when they are over.
//
// # Goroutines and locks
//
// Hooks.Run flushes and looks after the leases. It starts one goroutine for each
// endpoint of a leased app, and all of them have ended when it returns. The intake has
// one lock, which Record takes under a channel's lock. While it is held, nothing waits
// and no other package is called.
//
// Of chatcast's packages it may import only broadcasting, broadcasting/apps and
// channels/webpost. The program that wires it implements Store.
package webhook
